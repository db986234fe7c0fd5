package services

import (
	"cmp"
	"strconv"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/paint"
)

// Column is one column of the table: its place, and how rows show and order by
// it.
type Column struct {
	ID    string
	Title string
	width int
	left  bool // text, not a number
	trend bool // drawn as bars, takes what width is left

	service order[*ops.Service] // nil: in order of address
	server  order[*ops.Server]
	cell    func(Row) cell
}

// cell is the content of one cell.
type cell struct {
	text  string
	style paint.Style
}

// Set is a choice of columns for narrow screens; a wide one shows the others
// after them.
type Set struct {
	Title   string
	columns []*Column
}

var (
	colName  = &Column{ID: "service", Title: "SERVICE", left: true, width: 23} // any server by IPv4
	colSched = &Column{ID: "scheduler", Title: "SCHED", left: true, width: 7, cell: schedCell,
		service: func(a, b *ops.Service) int { return strings.Compare(a.Scheduler, b.Scheduler) },
		server:  func(a, b *ops.Server) int { return cmp.Compare(a.Weight, b.Weight) }}
	colFwd = &Column{ID: "forward", Title: "FWD", left: true, width: 5, cell: fwdCell,
		service: func(a, b *ops.Service) int { return cmp.Compare(a.Forwards, b.Forwards) },
		server:  func(a, b *ops.Server) int { return cmp.Compare(a.Forward, b.Forward) }}
	colUp = &Column{ID: "up", Title: "UP", left: true, width: 7, cell: upCell,
		service: func(a, b *ops.Service) int { return cmp.Compare(upShare(a), upShare(b)) },
		server:  func(a, b *ops.Server) int { return btoi(a.Usable()) - btoi(b.Usable()) }}

	colActive   = number("active", "ACTIVE", 6, figure.Count, live(func(f *ops.Figures) uint64 { return f.Active }))
	colInactive = number("inactive", "INACT", 6, figure.Count, live(func(f *ops.Figures) uint64 { return f.Inactive }))
	colPersist  = number("templates", "TEMPL", 6, figure.Count, func(f *ops.Figures) (uint64, bool) { return f.Persistent, f.PersistentKnown })

	colConnRate = number("conn/s", "CONN/S", 7, figure.Count, counted(func(f *ops.Figures) uint64 { return f.Rate.Conns }))
	colInPkts   = number("pkt/s in", "PKT/S IN", 8, figure.Count, counted(func(f *ops.Figures) uint64 { return f.Rate.InPackets }))
	colOutPkts  = replies(number("pkt/s out", "PKT/S OUT", 9, figure.Count, counted(func(f *ops.Figures) uint64 { return f.Rate.OutPackets })))
	colInBits   = number("bit/s in", "BIT/S IN", 8, figure.Bits, counted(func(f *ops.Figures) uint64 { return f.Rate.InBytes }))
	colOutBits  = replies(number("bit/s out", "BIT/S OUT", 9, figure.Bits, counted(func(f *ops.Figures) uint64 { return f.Rate.OutBytes })))

	colConns    = number("connections", "CONNS", 7, figure.Count, counted(func(f *ops.Figures) uint64 { return f.Total.Conns }))
	colPktsIn   = number("packets in", "PKTS IN", 7, figure.Count, counted(func(f *ops.Figures) uint64 { return f.Total.InPackets }))
	colPktsOut  = replies(number("packets out", "PKTS OUT", 8, figure.Count, counted(func(f *ops.Figures) uint64 { return f.Total.OutPackets })))
	colBytesIn  = number("bytes in", "BYTES IN", 8, figure.Count, counted(func(f *ops.Figures) uint64 { return f.Total.InBytes }))
	colBytesOut = replies(number("bytes out", "BYTES OUT", 9, figure.Count, counted(func(f *ops.Figures) uint64 { return f.Total.OutBytes })))

	colLimit = &Column{ID: "limit", Title: "LIMIT", width: 7, cell: limitCell,
		service: func(a, b *ops.Service) int { return cmp.Compare(a.Overloaded, b.Overloaded) },
		server:  func(a, b *ops.Server) int { return cmp.Compare(a.Upper, b.Upper) }}
	colSticky = &Column{ID: "persistence", Title: "PERSIST", width: 7, cell: stickyCell,
		service: func(a, b *ops.Service) int { return cmp.Compare(sticky(a), sticky(b)) },
		server:  func(a, b *ops.Server) int { return 0 }}
	colTunnel = &Column{ID: "tunnel", Title: "TUNNEL", left: true, width: 11, cell: tunnelCell,
		service: func(a, b *ops.Service) int { return 0 },
		server:  func(a, b *ops.Server) int { return cmp.Compare(a.Tunnel.Type, b.Tunnel.Type) }}

	colTrend = &Column{ID: "trend", Title: "TREND", left: true, trend: true, width: 7,
		service: colConnRate.service, server: colConnRate.server}
)

// Columns is every column in the order they stand on the screen.
var Columns = []*Column{
	colName, colSched, colFwd, colUp,
	colActive, colInactive, colPersist, colSticky, colLimit, colTunnel,
	colConnRate, colInPkts, colOutPkts, colInBits, colOutBits,
	colConns, colPktsIn, colPktsOut, colBytesIn, colBytesOut,
	colTrend,
}

// Sets is the choices of columns, in the order of their keys.
var Sets = []Set{
	{"status", []*Column{colFwd, colUp, colActive, colInactive, colConnRate, colSched, colTrend}},
	{"traffic", []*Column{colConnRate, colInPkts, colOutPkts, colInBits, colOutBits, colTrend}},
	{"totals", []*Column{colConns, colPktsIn, colPktsOut, colBytesIn, colBytesOut}},
	{"limits", []*Column{colUp, colActive, colInactive, colLimit, colPersist, colTunnel, colSticky}},
}

// spare is the order in which columns outside the set join it on a wide screen.
var spare = []*Column{
	colSched, colFwd, colUp, colActive, colInactive, colConnRate, colTrend,
	colInBits, colOutBits, colInPkts, colOutPkts, colPersist, colLimit, colSticky,
	colConns, colTunnel, colBytesIn, colBytesOut, colPktsIn, colPktsOut,
}

// figures are the numbers of the row, now and in the sample before.
func (r Row) figures() (now, was *ops.Figures) {
	if r.Server != nil {
		return &r.Server.Figures, &r.Server.Was
	}
	return &r.Service.Figures, &r.Service.Was
}

// countsReplies tells whether traffic out means something in this row.
func (r Row) countsReplies() bool {
	if r.Server != nil {
		return r.Server.Forward.CountsReplies()
	}
	return r.Service.Forwards.CountsReplies()
}

type getter func(*ops.Figures) (n uint64, known bool)

func live(get func(*ops.Figures) uint64) getter {
	return func(f *ops.Figures) (uint64, bool) { return get(f), true }
}

func counted(get func(*ops.Figures) uint64) getter {
	return func(f *ops.Figures) (uint64, bool) { return get(f), f.Counted }
}

// number makes a column of one figure.
func number(id, title string, width int, format func(uint64) string, get getter) *Column {
	c := &Column{ID: id, Title: title, width: width}
	c.service, c.server = byFigure(get)
	c.cell = func(r Row) cell { return figureCell(r, get, format) }
	return c
}

// replies makes a column unknown in rows whose answers do not pass the director,
// for the eye and for the order alike.
func replies(c *Column) *Column {
	show, services, servers := c.cell, c.service, c.server
	c.cell = func(r Row) cell {
		if !r.countsReplies() {
			return cell{figure.Unknown, paint.Rest}
		}
		return show(r)
	}
	c.service = func(a, b *ops.Service) int {
		if x, y := a.Forwards.CountsReplies(), b.Forwards.CountsReplies(); !x || !y {
			return btoi(x) - btoi(y)
		}
		return services(a, b)
	}
	c.server = func(a, b *ops.Server) int {
		if x, y := a.Forward.CountsReplies(), b.Forward.CountsReplies(); !x || !y {
			return btoi(x) - btoi(y)
		}
		return servers(a, b)
	}
	return c
}

// figureCell shows a number: at rest unless what stands on the screen is not what
// stood there before, so that what moves is what the eye meets.
func figureCell(r Row, get getter, format func(uint64) string) cell {
	now, was := r.figures()
	n, known := get(now)
	if !known {
		return cell{figure.Unknown, paint.Rest}
	}
	text := format(n)
	before, knew := get(was)
	switch {
	case knew && before != n && format(before) != text:
		return cell{text, paint.Moved}
	}
	return cell{text, paint.Rest}
}

func schedCell(r Row) cell {
	if r.Server != nil {
		style := paint.Plain
		if r.Server.Weight == 0 {
			style = paint.Warn
		}
		return cell{"w " + figure.Count(uint64(r.Server.Weight)), style}
	}
	return cell{r.Service.Scheduler, paint.Plain}
}

func fwdCell(r Row) cell {
	if r.Server != nil {
		return cell{r.Server.Forward.String(), paint.Rest}
	}
	return cell{r.Service.Forwards.String(), paint.Plain}
}

// stateOf is why new connections do not go to a server, or "".
func stateOf(r *ops.Server) string {
	switch {
	case r.Usable():
		return ""
	case r.Weight > 0:
		return "full"
	case r.Active+r.Inactive > 0:
		return "drain"
	}
	return "off"
}

// upCell counts a service's usable servers; on a server it is a word only when
// new connections do not go there.
func upCell(r Row) cell {
	if r.Server != nil {
		state := stateOf(r.Server)
		if state == "full" {
			return cell{state, paint.Bad}
		}
		return cell{state, paint.Warn}
	}
	s := r.Service
	text := figure.Count(uint64(s.Up)) + "/" + figure.Count(uint64(len(s.Servers)))
	switch {
	case s.Up == 0:
		return cell{text, paint.Bad}
	case s.Up < len(s.Servers):
		return cell{text, paint.Warn}
	}
	return cell{text, paint.Plain}
}

func upShare(s *ops.Service) float64 {
	if len(s.Servers) == 0 {
		return -1
	}
	return float64(s.Up) / float64(len(s.Servers))
}

func limitCell(r Row) cell {
	switch {
	case r.Server == nil && r.Service.Overloaded > 0:
		return cell{figure.Count(uint64(r.Service.Overloaded)) + " full", paint.Bad}
	case r.Server == nil:
		return cell{}
	case r.Server.Partial:
		return cell{figure.Unknown, paint.Rest}
	case r.Server.Upper == 0:
		return cell{"none", paint.Rest}
	case r.Server.Overloaded():
		return cell{figure.Count(uint64(r.Server.Upper)), paint.Bad}
	}
	return cell{figure.Count(uint64(r.Server.Upper)), paint.Plain}
}

func sticky(s *ops.Service) int64 {
	if !s.Persistence.On {
		return -1
	}
	return int64(s.Persistence.Timeout)
}

func stickyCell(r Row) cell {
	switch {
	case r.Server != nil:
		return cell{}
	case r.Service.Persistence.On:
		return cell{figure.Count(uint64(r.Service.Persistence.Timeout)) + "s", paint.Plain}
	}
	return cell{"no", paint.Rest}
}

func tunnelCell(r Row) cell {
	switch {
	case r.Server == nil || r.Server.Forward != ipvs.TunnelFwd:
		return cell{}
	case r.Server.Partial:
		return cell{figure.Unknown, paint.Rest}
	}
	return cell{tunnelText(r.Server.Tunnel), paint.Plain}
}

// tunnelText is the encapsulation as ipvsadm's --tun-info shows it.
func tunnelText(t ipvs.Tunnel) string {
	sum := "-c"
	switch {
	case t.Flags&ipvs.TunnelRemoteChecksum != 0:
		sum = "r+c"
	case t.Flags&ipvs.TunnelChecksum != 0:
		sum = "+c"
	}
	switch t.Type {
	case ipvs.GUE:
		return "gue:" + strconv.Itoa(int(t.Port)) + ":" + sum
	case ipvs.GRE:
		return "gre:" + sum
	}
	return t.Type.String()
}

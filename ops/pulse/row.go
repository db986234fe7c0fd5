package pulse

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops/check"
	"lvsdeck/ops/conns"
)

// Kind is in what way something is unusual.
type Kind uint8

// The kinds.
const (
	Conns    Kind = iota // new connections per second
	Active               // active connections
	HalfOpen             // share of handshakes that are not finished
	Client               // one client's share of all connections
	Net                  // one network's
	Found                // what a check has found
)

// Row is one thing that is unusual.
type Row struct {
	Kind    Kind
	Service ipvs.ServiceID // zero: the whole director
	Server  netip.AddrPort // zero: the service
	Client  netip.Prefix   // of Client and Net: of the service, or of all

	Now, Usual float64 // of Conns and Active; of shares Now is from 0 to 1
	Of         uint64  // of shares: connections
	Short      string  // of Found: in a few words
	Evidence   string  // of Found: the figures
	Severity   check.Severity

	Since time.Time     // of shares: when connections were read
	Past  time.Duration // of Conns and Active: what Usual is the median of
	Until time.Time     // the end of that: later than Since where it has a part of it
	Trend []float32     // of Conns and Active
	Score float64       // how bad it is, against others

	Also []Row // what else is about the same host, see Merge
}

// OfReading tells that a row is a share in a reading of connections.
func (r Row) OfReading() bool { return r.Kind == HalfOpen || r.Kind == Client || r.Kind == Net }

// More tells that there is more of it than usual.
func (r Row) More() bool { return r.Now > r.Usual }

// OfDirector tells that a row is about all services together.
func (r Row) OfDirector() bool { return r.Service == ipvs.ServiceID{} }

// Same tells that two rows are about one thing, at different times.
func (r Row) Same(o Row) bool {
	return r.Kind == o.Kind && r.Service == o.Service && r.Server == o.Server && r.Client == o.Client && r.Short == o.Short
}

// Sort puts rows in order, the worst first.
func Sort(rows []Row) {
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), a.Service.Compare(b.Service), a.Server.Compare(b.Server),
			a.Client.Addr().Compare(b.Client.Addr()), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Short, b.Short))
	})
}

// Rows is what is unusual in the last sample, in order. What strays the same way in
// one place is told once, by the figure that strays further. Servers are left out
// when their whole service does, and the director when it is one service.
func (w *Watch) Rows() (rows []Row) {
	for f, e := range w.episodes {
		score := far(e.now, e.usual)
		other := f
		other.active = !f.active
		o, both := w.told(other, e.way)
		switch {
		case !e.told, f.server.IsValid() && w.wholeService(f.service, e.way), f.service == ipvs.ServiceID{} && w.oneService(f, e):
			continue
		case both && far(o.now, o.usual) > score:
			continue
		}
		row := Row{Kind: Conns, Service: f.service, Server: f.server, Now: e.now, Usual: e.usual, Past: e.past, Until: e.until, Since: e.since, Trend: e.trend, Score: score}
		if f.active {
			row.Kind = Active
		}
		rows = append(rows, row)
	}
	Sort(rows)
	return rows
}

func (w *Watch) told(f figure, way int) (e *episode, ok bool) {
	e = w.episodes[f]
	return e, e != nil && e.told && e.way == way
}

func (w *Watch) wholeService(id ipvs.ServiceID, way int) bool {
	_, active := w.told(figure{service: id, active: true}, way)
	_, conns := w.told(figure{service: id}, way)
	return active || conns
}

// oneService tells that most of how far the director strays is one service.
func (w *Watch) oneService(all figure, e *episode) bool {
	for f, o := range w.episodes {
		if f != all && f.active == all.active && !f.server.IsValid() && o.told && o.way == e.way && 2*math.Abs(o.now-o.usual) > math.Abs(e.now-e.usual) {
			return true
		}
	}
	return false
}

// far is a score: by how many times, and by how much.
func far(now, usual float64) float64 {
	times := math.Abs(math.Log2((now + 1) / (usual + 1)))
	return times * math.Log10(10+math.Abs(now-usual))
}

// Scores of findings. What is far from usual has around 10.
const (
	scoreFault   = 40
	scoreWarning = 8
)

// someConns is from how many connections on a share means something.
const someConns = 50

// Findings is the faults that checks have found, and what else comes and goes:
// warnings about how things are set up are always there.
func Findings(r *check.Report) (rows []Row) {
	if r == nil {
		return nil
	}
	for _, f := range r.Findings {
		row := Row{Kind: Found, Service: f.Service, Server: f.Server, Short: f.Short, Severity: f.Severity, Evidence: f.Evidence[0], Since: f.Since, Score: scoreWarning}
		switch {
		case f.Severity == check.Fault:
			row.Score = scoreFault
		case f.Severity < check.Warning || !comesAndGoes(f.Check):
			continue
		}
		rows = append(rows, row)
	}
	return rows
}

func comesAndGoes(name string) bool {
	i := slices.IndexFunc(check.Checks, func(c check.Check) bool { return c.Name == name })
	return i >= 0 && (check.Checks[i].Symptom || check.Checks[i].Wavers)
}

// largeService is the part of all connections from which on a service's clients are
// looked at while nothing else is unusual about it.
const largeService = .1

// Shares is what is unusual in a reading of connections that was made at a time.
// It is to be grouped by client, network and server, and each service's clients; of
// services those count that others are about, and large ones. A network is left out
// for a client that has most of it, and who has much of all for one service where
// most of that is.
func Shares(r *conns.Result, at time.Time, others []Row) (rows []Row) {
	add := func(kind Kind, g conns.Group, part, of uint64, much float64) {
		if part < someConns {
			return
		}
		row := Row{Kind: kind, Service: g.Service, Server: g.Server, Client: g.Client, Now: float64(part) / float64(of), Of: of, Since: at}
		row.Score = math.Log2(1+row.Now/much) * math.Log10(10+float64(part))
		rows = append(rows, row)
	}
	kinds := map[conns.By]Kind{conns.ByClient: Client, conns.ByNet: Net}
	much := map[conns.By]float64{conns.ByClient: conns.MuchOfClient, conns.ByNet: conns.MuchOfNet}
	told := map[netip.Prefix]uint64{}
	for _, h := range r.Heavy {
		moved := slices.ContainsFunc(others, func(o Row) bool { return o.Service == h.Service })
		if moved || float64(h.Of.Conns) >= largeService*float64(r.All.Conns) {
			add(kinds[h.By], h.Group, h.Conns, h.Of.Conns, much[h.By])
			told[h.Client] = max(told[h.Client], h.Conns)
		}
	}
	var clients []conns.Group
	for _, by := range []conns.By{conns.ByClient, conns.ByNet} {
		for _, g := range r.Ranking(by).Groups {
			if !r.TooMuch(by, g.Counts) {
				continue
			}
			if by == conns.ByClient {
				clients = append(clients, g)
			}
			if 2*told[g.Client] < g.Conns && !(by == conns.ByNet && slices.ContainsFunc(clients, g.Has)) {
				add(kinds[by], g, g.Conns, r.All.Conns, much[by])
			}
		}
	}
	for _, g := range r.Ranking(conns.ByServer).Groups {
		if g.ManyHalfOpen() {
			add(HalfOpen, g, g.HalfOpen, g.Conns, conns.MuchHalfOpen)
		}
	}
	return rows
}

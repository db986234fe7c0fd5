package ui

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ops/conns"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/services"
	"lvsdeck/ui/text"
)

// connsPage is how many connections of a list are held.
const connsPage = 500

// connList is connections one by one, a page at a time: each page is a reading of
// its own, from the beginning of the kernel's list to the page's end.
type connList struct {
	pick
	filter  conns.Filter
	page    conns.Page
	reading *reading
	err     error
}

// openConnList lists the connections of a group's screen, those of the group under
// the cursor, and of all where that is all.
func openConnList(m *Model, c *connections) tea.Cmd {
	f := c.view().filter
	if g, ok := c.group(); ok {
		f = f.Narrow(c.by, g)
	}
	return pushConnList(m, f)
}

func pushConnList(m *Model, f conns.Filter) tea.Cmd {
	l := &connList{filter: f}
	m.push(l)
	return l.read(m, 0)
}

func (l *connList) read(m *Model, from int) tea.Cmd {
	q := conns.Query{Filter: l.filter, Listed: m.listed()}
	table := m.opts.Table
	l.err = nil
	var cmd tea.Cmd
	l.reading, cmd = m.readConns(0, q.Origin != 0, func(ctx context.Context, in io.Reader, p *conns.Progress) func(*Model) {
		q.Progress, q.Timeouts = p, timeoutsOf(ctx, table)
		page, err := conns.ReadPage(ctx, in, q, from, connsPage)
		return func(*Model) {
			l.reading, l.err = nil, err
			if err == nil && (len(page.Rows) > 0 || from == 0) {
				l.page = page
				l.at, l.top = 0, 0
			}
		}
	}, func(err error) { l.reading, l.err = nil, err })
	return cmd
}

// Key implements layer.
func (l *connList) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	key, last := k.String(), len(l.page.Rows)-1
	switch {
	case l.reading != nil && key == "esc":
		l.reading.stop(errStopped)
	case key == "esc", key == "q", key == "l":
		if l.reading != nil {
			l.reading.stop(errStopped)
		}
		m.drop(l)
	case l.reading != nil:
	case key == "r":
		return l.read(m, l.page.From)
	case key == "/":
		openConnsFilter(m, connsWanted{Filter: l.filter}, false, func(m *Model, w connsWanted) tea.Cmd {
			l.filter = w.Filter
			return l.read(m, 0)
		})
	case last < 0:
	case key == "enter":
		return l.pinned(m)
	case key == "x":
		r := l.page.Rows[l.at]
		openEnding(m, conns.Filter{Client: netip.PrefixFrom(r.Client.Addr(), r.Client.Addr().BitLen()), Service: r.Service, Server: r.Server})
	case l.page.More && l.at == last && (key == "down" || key == "j" || key == "pgdown" || key == "ctrl+f"):
		return l.read(m, l.page.From+len(l.page.Rows))
	case l.page.From > 0 && l.at == 0 && (key == "up" || key == "k" || key == "pgup" || key == "ctrl+b"):
		return l.read(m, max(0, l.page.From-connsPage))
	default:
		l.n = last + 1
		l.move(key)
	}
	return nil
}

// Paste implements layer.
func (l *connList) Paste(*Model, string) {}

// Widths of the list's columns. An address of IPv6 with its port takes 47 cells.
const (
	listState = 11
	listTime  = 7
	listAddr  = 21
	listAddr6 = 47
	listRoomy = 70 // narrower screens leave out how long connections have left
)

// Body implements layer.
func (l *connList) Body(m *Model, height int) []string {
	line := m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, "Connections one by one")
	if f := l.filter.String(); f != "" {
		line.Put(paint.Rest, "  of ").Put(paint.Accent, text.Cut(text.Clean(f), line.Room()-1, m.signs.Cut))
	}
	lines := []string{line.String()}
	if l.reading != nil {
		lines = append(lines, l.reading.line(m))
	}
	if l.err != nil {
		lines = append(lines, wrapped(m, paint.Bad, m.signs.Problem+" "+l.err.Error(), 1)...)
	}
	if l.page.Ended != nil {
		lines = append(lines, wrapped(m, paint.Warn, fmt.Sprintf("%s %v: there may be more.", m.signs.Problem, l.page.Ended), 1)...)
	}
	if len(l.page.Rows) == 0 && l.reading == nil {
		return append(lines, "", m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Rest, "None.").String())
	}
	about := wrapped(m, paint.Rest, l.meaning(m), 1)
	from, to := l.window(len(l.page.Rows), max(1, height-len(lines)-2-len(about)))
	columns := l.columns(m.width, l.page.Rows[from:to])
	head := m.theme.Line(paint.Ground, m.width).Space(1)
	for _, c := range columns {
		c.put(m, head, paint.Rest, c.title)
	}
	lines = append(lines, head.String())
	for i := from; i < to; i++ {
		base := paint.Ground
		if i == l.at {
			base = paint.Cursor
		}
		row := l.page.Rows[i]
		line := m.theme.Line(base, m.width).Space(1)
		for _, c := range columns {
			style, value := c.of(m, row)
			c.put(m, line, style, value)
		}
		lines = append(lines, line.String())
	}
	for len(lines) < height-len(about)-1 {
		lines = append(lines, "")
	}
	rule := m.theme.Line(paint.Ground, m.width).Space(1).Fill(paint.Rest, m.signs.Rule, m.width-2).String()
	return append(append(lines, rule), about...)
}

// meaning is what there is to know of the row under the cursor: how old it is by
// what its state allows, and of a template whom it holds.
func (l *connList) meaning(m *Model) string {
	if len(l.page.Rows) == 0 {
		return ""
	}
	r := l.page.Rows[min(l.at, len(l.page.Rows)-1)]
	span := func(seconds uint32) string { return figure.Span(time.Duration(seconds) * time.Second) }
	var words string
	switch idle, known := r.Idle(); {
	case r.State.Template:
		words = fmt.Sprintf("A template: it holds %s to %s for %s more, or as long as its connections last. %s lists those.",
			conns.ClientText(m.heldBy(r)), r.Server, span(r.Expires), m.signs.Enter)
	case known:
		words = fmt.Sprintf("%s, silent for %s of the %s that its state allows.", r.State, span(idle), span(r.Timeout))
	default:
		words = fmt.Sprintf("%s, forgotten in %s without packets.", r.State, span(r.Expires))
	}
	if about := r.State.About(); about != "" && !r.State.Template {
		words += " " + strings.ToUpper(about[:1]) + about[1:] + "."
	}
	if r.Gone {
		words += " The table does not list its server any more."
	}
	return words
}

// heldBy is the client, or the network of clients, that a template holds, by the
// mask of its service.
func (m *Model) heldBy(r conns.Row) netip.Prefix {
	held := netip.PrefixFrom(r.Client.Addr(), r.Client.Addr().BitLen())
	if m.live == nil {
		return held
	}
	for _, s := range m.live.Services {
		if p := s.Persistence; p.On && (s.ServiceID == r.Service || !s.IsMark() && s.Addr == r.Service.Addr && s.Protocol == r.Service.Protocol && s.Port == 0) {
			if net, err := netip.ParsePrefix(held.Addr().String() + services.MaskText(s)); err == nil {
				return net.Masked()
			}
		}
	}
	return held
}

// pinned lists the connections that a template holds.
func (l *connList) pinned(m *Model) tea.Cmd {
	r := l.page.Rows[l.at]
	if !r.State.Template {
		m.message = "this is a connection; on a template this lists what it holds"
		return nil
	}
	return pushConnList(m, conns.Filter{Client: m.heldBy(r), Service: r.Service, Server: r.Server, Templates: conns.NoTemplates})
}

// listColumn is one column of the list.
type listColumn struct {
	title string
	width int
	right bool
	of    func(*Model, conns.Row) (paint.Style, string)
}

func (c listColumn) put(m *Model, line *paint.Line, s paint.Style, value string) {
	if c.right {
		line.Right(s, value, c.width, "").Space(2)
		return
	}
	line.Left(s, text.CutMiddle(text.Clean(value), c.width, m.signs.Cut), c.width, "").Space(1)
}

// columns are those that fit: the client's address and the server's always do.
func (l *connList) columns(width int, rows []conns.Row) []listColumn {
	addr := listAddr
	for _, r := range rows {
		if len(r.Client.String()) > addr || len(r.Server.String()) > addr {
			addr = listAddr6
		}
	}
	times := 2
	if width < listRoomy {
		times = 1
	}
	room := width - 2 - listState - 1 - times*(listTime+2)
	addr = min(addr, (room-2)/2)
	all := []listColumn{
		{"CLIENT", addr, false, func(_ *Model, r conns.Row) (paint.Style, string) { return paint.Plain, r.Client.String() }},
		{"SERVER", addr, false, func(_ *Model, r conns.Row) (paint.Style, string) {
			if r.Gone {
				return paint.Warn, r.Server.String()
			}
			return paint.Plain, r.Server.String()
		}},
		{"STATE", listState, false, func(_ *Model, r conns.Row) (paint.Style, string) {
			if r.State.Template {
				return paint.Rest, "template"
			}
			return paint.Plain, r.State.Name
		}},
		{"IDLE", listTime, true, func(m *Model, r conns.Row) (paint.Style, string) {
			idle, known := r.Idle()
			if !known {
				return paint.Rest, m.signs.Unknown
			}
			return paint.Plain, figure.Span(time.Duration(idle) * time.Second)
		}},
		{"LEFT", listTime, true, func(_ *Model, r conns.Row) (paint.Style, string) {
			return paint.Plain, figure.Span(time.Duration(r.Expires) * time.Second)
		}},
	}
	all = all[:len(all)-2+times]
	room -= 2 * (addr + 1)
	service := addr + 5
	if room > service {
		all = append(all, listColumn{"SERVICE", service, false, func(_ *Model, r conns.Row) (paint.Style, string) { return paint.Rest, r.Service.String() }})
		room -= service + 1
	}
	if room > listAddr {
		all = append(all, listColumn{"PERSISTENCE ENGINE", min(room-1, 60), false, func(_ *Model, r conns.Row) (paint.Style, string) { return paint.Rest, r.Engine + " " + r.Data }})
	}
	return all
}

// where is which connections the page has, for the lower rule.
func (l *connList) where() string {
	if len(l.page.Rows) == 0 {
		return ""
	}
	more := ""
	if l.page.More {
		more = ", and more"
	}
	return fmt.Sprintf(" %d of %d-%d%s ", l.page.From+l.at+1, l.page.From+1, l.page.From+len(l.page.Rows), more)
}

// Footer implements layer.
func (l *connList) Footer(m *Model) string {
	if l.reading != nil {
		return m.keysLine("esc", "stop")
	}
	return m.keysLine("PgUp PgDn", "pages", "/", "filter", "x", "end", "r", "again", "esc", "back")
}

// Cursor implements layer.
func (l *connList) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

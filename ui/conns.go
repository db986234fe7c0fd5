package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops/conns"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/paint"
)

// What a reading of connections may cost without being asked for, and how long a
// sample is read.
const (
	connsFree   = time.Second
	connsSample = 5 * time.Second
)

// redrawEvery is how often the progress of what goes on beside the loop is drawn.
const redrawEvery = 250 * time.Millisecond

// connsTop is how many groups of each grouping are kept.
const connsTop = 1000

var errStopped = errors.New("stopped")

func connsCommands() []command {
	return []command{
		{"Services and servers", []string{"C"}, "connections of the service or server: who, and how many", "conns", openConns, noConns},
	}
}

func noConns(m *Model) string {
	if m.opts.Conns == nil {
		return m.notRecordedOr("connections", "no connections can be read here")
	}
	return ""
}

// connections is the screen of who is connected. Each narrowing is a view above
// the one before. Nothing is read without being asked for, but what costs next
// to nothing.
type connections struct {
	pick
	connsReader
	by    conns.By
	views []connsView
	net4  int // lengths of clients' networks; 0: as package conns has it
	net6  int
}

// connsView is one reading of what a filter picks.
type connsView struct {
	filter conns.Filter
	result *conns.Result // nil: not read yet
	at     time.Time
	took   time.Duration
}

// reading is a reading of connections that goes on beside the loop.
type reading struct {
	progress *conns.Progress
	began    time.Time
	stop     context.CancelCauseFunc
	done     chan struct{}
}

// openConns opens the screen for the row under the cursor.
func openConns(m *Model) tea.Cmd {
	var f conns.Filter
	if row, ok := m.list.Current(); ok {
		if f.Service = row.Service.ServiceID; row.Server != nil {
			f.Server = row.Server.Addr
		}
	}
	return m.openConnsOf(f)
}

// openConnsOf opens the screen for what a filter picks.
func (m *Model) openConnsOf(f conns.Filter) tea.Cmd {
	c := &connections{}
	m.push(c)
	return c.look(m, f)
}

func (c *connections) view() *connsView { return &c.views[len(c.views)-1] }

// look opens a view. It is read at once if that costs little; else the screen
// asks.
func (c *connections) look(m *Model, f conns.Filter) tea.Cmd {
	first := len(c.views) == 0
	c.views = append(c.views, connsView{filter: f})
	c.at, c.top = 0, 0
	if first && m.connsCost() > connsFree {
		return nil
	}
	return c.read(m)
}

// connsKnown is about how many connections and templates there are.
func (m *Model) connsKnown() uint64 {
	if m.live == nil {
		return 0
	}
	return m.live.Active + m.live.Inactive + m.live.Persistent
}

func (m *Model) connsCost() time.Duration { return m.opts.Conns.ReadCost(m.connsKnown()) }

// read reads the view on top, beside the loop.
func (c *connections) read(m *Model) tea.Cmd {
	q := conns.Query{Filter: c.view().filter, By: conns.AllBy(), Top: connsTop, Net4: c.net4, Net6: c.net6}
	// The view is still the one on top when it is done: nothing opens or closes one
	// meanwhile.
	return c.count(m, q, true, func(v connsView) { *c.view() = v })
}

// connsReader reads connections for a screen, beside the loop.
type connsReader struct {
	within  time.Duration // how long readings may take: 0, or connsSample
	reading *reading      // that is under way
	err     error         // of the last one
}

// count reads what a query asks for, and hands over what came of it.
func (c *connsReader) count(m *Model, q conns.Query, origin bool, show func(connsView)) tea.Cmd {
	q.Listed = m.listed()
	table := m.opts.Table
	c.err = nil
	var cmd tea.Cmd
	c.reading, cmd = m.readConns(c.within, origin, func(ctx context.Context, in io.Reader, p *conns.Progress) func(*Model) {
		q.Progress, q.Timeouts = p, timeoutsOf(ctx, table)
		result, err := conns.Read(ctx, in, q)
		return func(m *Model) {
			began := c.reading.began
			if c.reading, c.err = nil, err; err == nil {
				show(connsView{q.Filter, result, m.clock(), m.now().Sub(began)})
			}
		}
	}, func(err error) { c.reading, c.err = nil, err })
	return cmd
}

// stop ends a reading that is under way.
func (c *connsReader) stop() {
	if c.reading != nil {
		c.reading.stop(errStopped)
	}
}

// lines are how far a reading has come, and why there is none.
func (c *connsReader) lines(m *Model) (lines []string) {
	if c.reading != nil {
		lines = append(lines, c.reading.line(m))
	}
	if c.err != nil {
		lines = append(lines, wrapped(m, paint.Bad, m.signs.Problem+" "+c.err.Error(), 1)...)
	}
	return lines
}

// clock is the time of day as the status line shows it.
func (m *Model) clock() time.Time {
	if m.live == nil {
		return m.now()
	}
	if m.opts.Replay != nil {
		return m.live.Time
	}
	return m.now().In(m.live.Time.Location())
}

// timeoutsOf is what the director's timeouts are; those it does not tell are taken
// for the kernel's own.
func timeoutsOf(ctx context.Context, table ipvs.Reader) (t ipvs.Timeouts) {
	if table != nil {
		t, _ = table.Timeouts(ctx)
	}
	return t
}

// listed is what the table has, as far as it was read last.
func (m *Model) listed() *conns.Listed {
	if m.live == nil {
		return nil
	}
	l := &conns.Listed{}
	for _, s := range m.live.Services {
		servers := make([]netip.AddrPort, len(s.Servers))
		for i, r := range s.Servers {
			servers[i] = r.Addr
		}
		l.Add(s.ServiceID, servers)
	}
	return l
}

// readConns reads connections beside the loop, for a while at the most when within
// is given, and shows how far it has come meanwhile. What do gives is done in the
// loop; failed is called there when the table cannot be opened.
func (m *Model) readConns(within time.Duration, origin bool, do func(context.Context, io.Reader, *conns.Progress) func(*Model), failed func(error)) (*reading, tea.Cmd) {
	ctx, stop := context.WithCancelCause(context.Background())
	r := &reading{progress: &conns.Progress{}, began: m.now(), stop: stop, done: make(chan struct{})}
	source := m.opts.Conns
	return r, tea.Batch(func() tea.Msg {
		defer stop(nil)
		defer close(r.done)
		ctx := ctx
		if within > 0 {
			var cancel func()
			ctx, cancel = context.WithTimeoutCause(ctx, within, fmt.Errorf("a sample of %s", figure.Span(within)))
			defer cancel()
		}
		in, err := source.Connections(origin)
		if err != nil {
			return besideMsg(func(*Model) tea.Cmd { failed(err); return nil })
		}
		defer in.Close()
		show := do(ctx, in, r.progress)
		return besideMsg(func(m *Model) tea.Cmd { show(m); return nil })
	}, redrawUntil(r.done))
}

// redrawUntil draws progress anew from time to time, until it is done.
func redrawUntil(done <-chan struct{}) tea.Cmd {
	return func() tea.Msg {
		select {
		case <-done:
			return nil
		case <-time.After(redrawEvery):
			return besideMsg(func(*Model) tea.Cmd { return redrawUntil(done) })
		}
	}
}

// Key implements layer.
func (c *connections) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	key := k.String()
	switch {
	case key == "q", key == "C":
		c.leave(m)
	case key == "P":
		c.pulse(m)
	case c.reading != nil && key == "esc":
		c.stop()
	case c.reading != nil:
	case key == "esc" && len(c.views) > 1:
		c.widen()
	case key == "esc":
		c.leave(m)
	case c.view().result == nil:
		return c.answer(m, key)
	case key == "enter":
		return c.narrow(m)
	case key == "r":
		return c.read(m)
	case key == "a" && !c.view().filter.Empty():
		return c.look(m, conns.Filter{})
	case key == "l":
		return openConnList(m, c)
	case key == "/":
		openConnsFilter(m, connsWanted{c.view().filter, c.net4, c.net6}, true, c.filtered)
	case key == "x":
		f := c.view().filter
		if g, ok := c.group(); ok {
			f = f.Narrow(c.by, g)
		}
		openEnding(m, f)
	default:
		c.n = len(c.groups())
		c.regroup(key)
	}
	return nil
}

// answer is what was said to the question whether to read.
func (c *connections) answer(m *Model, key string) tea.Cmd {
	switch key {
	case "enter", "r":
		c.within = 0
	case "s":
		c.within = connsSample
	default:
		return nil
	}
	return c.read(m)
}

func (c *connections) leave(m *Model) {
	c.stop()
	m.drop(c)
}

// pulse opens the pulse, or goes back to it when it stands below.
func (c *connections) pulse(m *Model) {
	if n := len(m.layers); n > 1 {
		if _, below := m.layers[n-2].(*pulseScreen); below {
			c.leave(m)
			return
		}
	}
	openPulse(m)
}

// widen goes back to the view before.
func (c *connections) widen() {
	c.views = c.views[:len(c.views)-1]
	c.at, c.top, c.err = 0, 0, nil
}

// filtered looks at what the operator has asked for.
func (c *connections) filtered(m *Model, w connsWanted) tea.Cmd {
	c.net4, c.net6 = w.net4, w.net6
	if w.Filter == c.view().filter {
		return c.read(m) // by other networks
	}
	return c.look(m, w.Filter)
}

// regroup chooses another grouping, or moves.
func (c *connections) regroup(key string) {
	if c.move(key) {
		return
	}
	all := conns.AllBy()
	switch {
	case key == "tab" || key == "right":
		c.by = all[(int(c.by)+1)%len(all)]
	case key == "shift+tab" || key == "left":
		c.by = all[(int(c.by)+len(all)-1)%len(all)]
	case len(key) == 1 && key[0] >= '1' && int(key[0]-'1') < len(all):
		c.by = all[key[0]-'1']
	default:
		return
	}
	c.at, c.top = 0, 0
}

// narrow looks at the group under the cursor alone, by what is asked next.
func (c *connections) narrow(m *Model) tea.Cmd {
	group, ok := c.group()
	if !ok {
		return nil
	}
	f := c.view().filter.Narrow(c.by, group)
	if f == c.view().filter {
		m.message = "all of these are of that group already"
		return nil
	}
	switch c.by {
	case conns.ByClient:
		c.by = conns.ByServer
	default:
		c.by = conns.ByClient
	}
	return c.look(m, f)
}

// groups are those of the grouping on screen.
func (c *connections) groups() []conns.Group {
	if r := c.view().result; r != nil {
		return r.Ranking(c.by).Groups
	}
	return nil
}

// group is the group under the cursor.
func (c *connections) group() (conns.Group, bool) {
	groups := c.groups()
	if c.at >= len(groups) {
		return conns.Group{}, false
	}
	return groups[c.at], true
}

// Paste implements layer.
func (c *connections) Paste(*Model, string) {}

// Cursor implements layer.
func (c *connections) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

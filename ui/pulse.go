package ui

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ops/conns"
	"lvsdeck/ops/pulse"
	"lvsdeck/ui/services"
)

func pulseCommands() []command {
	return []command{
		{"Services and servers", []string{"P"}, "pulse: what is unusual right now, worst first", "", do(openPulse), nil},
	}
}

// sharesFor is how long shares are held for those of right now.
const sharesFor = 10 * time.Minute

// pulseScreen lists what is unusual on the whole director.
type pulseScreen struct {
	pick
	connsReader
	shares *connsView  // those in use
	rows   []pulse.Row // on screen
	on     pulse.Row   // under the cursor
	counts [3]int      // figures, findings and shares, before they are merged
}

func openPulse(m *Model) {
	p := &pulseScreen{}
	p.take(m)
	m.push(p)
}

// onPulse tells that the screen on top lists what is unusual.
func (m *Model) onPulse() bool {
	_, on := m.top().(*pulseScreen)
	return on
}

// take shows what is unusual by now. The cursor stays at the worst, or with its row;
// when that has gone, in its place.
func (p *pulseScreen) take(m *Model) {
	if !m.paused || p.rows == nil {
		rows := append(slices.Clone(m.unusual), pulse.Findings(m.report)...)
		if p.shares = m.shares; p.shares != nil && m.clock().Sub(p.shares.at) > sharesFor {
			p.shares = nil
		}
		p.counts = [3]int{len(m.unusual), len(rows) - len(m.unusual)}
		if p.shares != nil {
			shares := pulse.Shares(p.shares.result, p.shares.at, rows)
			p.counts[2] = len(shares)
			rows = append(rows, shares...)
		}
		pulse.Sort(rows)
		p.rows = pulse.Merge(rows)
	}
	if i := slices.IndexFunc(p.rows, p.on.Same); i >= 0 && p.at > 0 {
		p.at = i
	}
	p.hold()
}

// hold remembers what the cursor is on.
func (p *pulseScreen) hold() {
	p.n = len(p.rows)
	p.at, p.on = max(0, min(p.at, p.n-1)), pulse.Row{}
	if p.n > 0 {
		p.on = p.rows[p.at]
	}
}

// aim implements aimer.
func (p *pulseScreen) aim(m *Model) services.Key {
	p.take(m)
	return services.Key{Service: p.on.Service, Server: p.on.Server}
}

// Key implements layer. Rows come and go here by themselves: what changes a row is
// done one screen further on.
func (p *pulseScreen) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	key := k.String()
	switch {
	case key == "esc" && p.reading != nil:
		p.stop()
	case key == "esc", key == "q", key == "P":
		p.stop()
		m.drop(p)
	case key == "p":
		m.togglePause()
	case key == "c" && p.reading == nil:
		return p.ask(m)
	case key == "C":
		return p.connections(m)
	case key == "enter":
		return p.open(m)
	case key == "n":
		return p.Key(m, tea.KeyPressMsg{Code: tea.KeyDown})
	case key == "N":
		return p.Key(m, tea.KeyPressMsg{Code: tea.KeyUp})
	case p.move(key):
		p.hold()
	case key == "/" || key == "!":
		m.message = "the pulse shows only what is unusual: " + key + " is for the list of services"
	default:
		return m.dispatch(slices.DeleteFunc(m.aboutRow(), func(c command) bool { return c.group == changeGroup }), k)
	}
	return nil
}

// open goes to the service of the row under the cursor; from a client to its
// connections.
func (p *pulseScreen) open(m *Model) tea.Cmd {
	switch {
	case p.on.Client.IsValid():
		return p.connections(m)
	case p.on.OfDirector():
		m.message = "this is about the whole director"
		return nil
	}
	return m.openServiceAt(p.on.Service, p.on.Server)
}

// connections opens those of the row under the cursor.
func (p *pulseScreen) connections(m *Model) tea.Cmd {
	if why := noConns(m); why != "" {
		m.message = why
		return nil
	}
	c := &connections{}
	switch p.on.Kind {
	case pulse.Client:
		c.by = conns.ByServer
	case pulse.Conns, pulse.Active:
		if p.on.More() { // who asks
			c.by = conns.ByNet
		}
	}
	m.push(c)
	return c.look(m, conns.Filter{Service: p.on.Service, Server: p.on.Server, Client: p.on.Client})
}

// ask has connections read, after a question when that costs much.
func (p *pulseScreen) ask(m *Model) tea.Cmd {
	if why := noConns(m); why != "" {
		m.message = why
		return nil
	}
	return m.askCost(func(within time.Duration) tea.Cmd {
		p.within = within
		return p.read(m)
	})
}

// read reads all connections.
func (p *pulseScreen) read(m *Model) tea.Cmd {
	q := conns.Query{By: []conns.By{conns.ByClient, conns.ByNet, conns.ByServer}, Top: connsTop, PerService: true}
	return p.count(m, q, false, func(v connsView) { m.shares = &v })
}

// Paste implements layer.
func (p *pulseScreen) Paste(*Model, string) {}

// Cursor implements layer.
func (p *pulseScreen) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

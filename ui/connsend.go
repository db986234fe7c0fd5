package ui

import (
	"context"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops/conns"
	"lvsdeck/ops/plan"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// ending offers what ends connections, or keeps new ones away: the kernel has no
// call that ends one.
type ending struct {
	pick
	of conns.Filter
}

// way is one thing that works.
type way struct {
	name, about string
	do          func(*Model) tea.Cmd
	why         func(*Model) string // why it cannot be done now, or ""
}

// expireNodest ends connections whose server is gone at their next packet.
const expireNodest = "expire_nodest_conn"

// openEnding offers what can be done about the connections that a filter picks.
func openEnding(m *Model, f conns.Filter) {
	m.push(&ending{of: f})
}

// ways are as the table is now.
func (e *ending) ways(m *Model) []way {
	return []way{
		keepOutWay(e.of), m.drainWay(e.of), m.cutWay(e.of),
		{
			name:  "end idle connections sooner: timeouts",
			about: "What is silent for longer than the new value goes when the time is over that it was given at its last packet. It holds for all services.",
			do:    askTimeouts, why: cannotChange,
		},
		{
			name:  "clients that are kept out",
			about: "Lists the rules of the firewall that keep clients out, and lets them in again.",
			do:    openBlocks, why: noHost,
		},
	}
}

// drainWay lets a server's connections end by themselves.
func (m *Model) drainWay(f conns.Filter) way {
	w := way{
		name:  "drain " + f.Server.String(),
		about: "It gets no new connections, and those it has end by themselves. Under persistence, f on its row ends what brings clients back.",
		why:   cannotChange,
	}
	row, listed := m.serverOf(f)
	switch {
	case !f.Server.IsValid():
		w.name, w.why = "drain a server", toServerFirst
	case !listed:
		w.why = func(*Model) string { return "the table does not list it any more: it gets no new connections" }
	case row.server.Weight == 0:
		w.why = func(*Model) string { return "it is drained already" }
	}
	w.do = func(m *Model) tea.Cmd {
		return m.planFor(m.asWritten([]seen{row}), func(rows []plan.Row) (plan.Plan, error) { return plan.Drain(rows), nil }, askFirst)
	}
	return w
}

func toServerFirst(*Model) string { return "go to one server's connections first: 4, then the server" }

// cutWay ends a server's connections at their next packet.
func (m *Model) cutWay(f conns.Filter) way {
	w := way{
		name:  fmt.Sprintf("remove %s, and end its connections", f.Server),
		about: "With net.ipv4.vs." + expireNodest + "=1, which is set first, its connections end at their next packet, and clients that connect again go elsewhere. With 0 their packets would be dropped in silence until the connections time out.",
		why:   cannotChange,
	}
	row, listed := m.serverOf(f)
	switch {
	case !f.Server.IsValid():
		w.name, w.why = "remove a server, and end its connections", toServerFirst
	case !listed:
		w.name = "end the connections of " + f.Server.String() + ", which is not listed"
	}
	w.do = func(m *Model) tea.Cmd {
		sysctls := m.hands.runner.Target.Sysctls
		var rows []seen
		if listed {
			rows = m.asWritten([]seen{row})
		}
		return m.makePlan(func(ctx context.Context, t ipvs.Table) (p plan.Plan, err error) {
			full, err := inFull(ctx, t, rows)
			if err != nil {
				return p, err
			}
			if len(full) > 0 {
				p = plan.RemoveServers(full)
			}
			set, err := plan.ReadSysctl(sysctls, expireNodest, "1")
			if err != nil || set.Before == set.After {
				return p, err
			}
			if p.Title == "" {
				p.Title = set.String()
			}
			p.Items = slices.Insert(p.Items, 0, plan.Item{Step: set, Reason: "Connections whose server is not listed any more end at their next packet."})
			return p, nil
		}, askFirst)
	}
	return w
}

// serverOf is the row of the server that a filter names, as it was read last.
func (m *Model) serverOf(f conns.Filter) (row seen, listed bool) {
	if m.live == nil {
		return row, false
	}
	for _, s := range m.live.Services {
		if s.ServiceID != f.Service {
			continue
		}
		for _, r := range s.Servers {
			if r.Addr == f.Server {
				return seen{s.ServiceID, r.Server, r.Partial}, true
			}
		}
	}
	return row, false
}

// askTimeouts asks for the timeouts of connections as they are now.
func askTimeouts(m *Model) tea.Cmd {
	return readThen(m.hands.runner.Target.Table, func(ctx context.Context, t ipvs.Table) (ipvs.Timeouts, error) { return t.Timeouts(ctx) },
		func(m *Model, now ipvs.Timeouts) { openTimeouts(m, now) })
}

// Key implements layer.
func (e *ending) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch key := k.String(); {
	case key == "esc" || key == "q" || key == "x":
		m.drop(e)
	case key == "enter":
		w := e.ways(m)[e.at]
		return m.run(&command{run: w.do, why: w.why})
	default:
		e.n = len(e.ways(m))
		e.move(key)
	}
	return nil
}

// Paste implements layer.
func (e *ending) Paste(*Model, string) {}

// Body implements layer.
func (e *ending) Body(m *Model, height int) []string {
	line := m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, "Ending connections")
	if !e.of.Empty() {
		line.Put(paint.Rest, "  of ").Put(paint.Accent, text.Cut(text.Clean(e.of.String()), line.Room()-5, m.signs.Cut))
	}
	lines := append([]string{line.String(), ""}, wrapped(m, paint.Plain, "The kernel has no call that ends a connection. What works:", 1)...)
	lines = append(lines, "")
	ways := e.ways(m)
	from, to := e.window(len(ways), max(1, height-len(lines)-5))
	for i := from; i < to; i++ {
		base, style := paint.Ground, paint.Plain
		if i == e.at {
			base = paint.Cursor
		}
		if ways[i].why(m) != "" {
			style = paint.Rest
		}
		row := m.theme.Line(base, m.width).Space(1)
		lines = append(lines, row.Put(style, text.Cut(text.Clean(ways[i].name), row.Room()-1, m.signs.Cut)).String())
	}
	w := ways[e.at]
	lines = append(append(lines, ""), wrapped(m, paint.Rest, w.about, 1)...)
	if why := w.why(m); why != "" {
		lines = append(lines, wrapped(m, paint.Warn, "Not now: "+why+".", 1)...)
	}
	return lines
}

// Footer implements layer.
func (e *ending) Footer(m *Model) string {
	return m.keysLine(m.signs.Arrows, "choose", m.signs.Enter, "show what would be done", "esc", "back")
}

// Cursor implements layer.
func (e *ending) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

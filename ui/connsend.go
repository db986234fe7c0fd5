package ui

import (
	"context"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops/conns"
	"lvsdeck/ops/plan"
)

// expireNodest ends connections whose server is gone at their next packet.
const expireNodest = "expire_nodest_conn"

// openEnding offers what ends the connections that a filter picks, or keeps new
// ones away.
func openEnding(m *Model, f conns.Filter) {
	m.push(&menu{
		title: "Ending connections", of: f.String(), yes: "show what would be done",
		says:   "The kernel has no call that ends a connection. What works:",
		offers: func(m *Model) []offer { return endings(m, f) },
	})
}

// endings are as the table is now.
func endings(m *Model, f conns.Filter) []offer {
	return []offer{
		keepOutWay(f), m.drainWay(f), m.cutWay(f),
		{
			"end idle connections sooner: timeouts",
			"What is silent for longer than the new value goes when the time is over that it was given at its last packet. It holds for all services.",
			askTimeouts, cannotChange,
		},
		{
			"clients that are kept out",
			"Lists the rules of the firewall that keep clients out, and lets them in again.",
			openBlocks, noHost,
		},
	}
}

// drainWay lets a server's connections end by themselves.
func (m *Model) drainWay(f conns.Filter) offer {
	w := offer{
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
func (m *Model) cutWay(f conns.Filter) offer {
	w := offer{
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

package ui

import (
	"net/netip"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/conns"
	"lvsdeck/ui/services"
)

func serviceCommands() []command {
	return []command{
		{"Services and servers", []string{"s"}, "the service large: its servers side by side", "", openService, noRows},
	}
}

// serviceScreen is one service large. Its first row is the service, the others are
// its servers: keys that change a row act on the one under its cursor.
type serviceScreen struct {
	pick
	connsReader
	id     ipvs.ServiceID
	server netip.AddrPort // under the cursor; zero: the service
	states bool           // the columns of a reading of connections stand first
	conns  connsView
	metric int // the first of the graph, of largeMetrics
}

// openService shows the service of the row under the cursor.
func openService(m *Model) tea.Cmd {
	row, _ := m.list.Current()
	k := row.Key()
	return m.openServiceAt(k.Service, k.Server)
}

// openServiceAt shows a service with the cursor on a server. Its connections are
// read when that costs next to nothing.
func (m *Model) openServiceAt(id ipvs.ServiceID, server netip.AddrPort) tea.Cmd {
	s := &serviceScreen{id: id, server: server}
	m.push(s)
	if m.opts.Conns == nil || m.connsCost() > connsFree {
		return nil
	}
	return s.read(m)
}

// service is it in the sample on screen, or nil.
func (s *serviceScreen) service(m *Model) *ops.Service {
	if row, ok := m.list.Find(services.Key{Service: s.id}); ok {
		return row.Service
	}
	return nil
}

// aim implements aimer. The cursor stays with its server; when that has gone, in
// its place.
func (s *serviceScreen) aim(m *Model) services.Key {
	var servers []*ops.Server
	if v := s.service(m); v != nil {
		servers = v.Servers
	}
	s.n = 1 + len(servers)
	if s.server.IsValid() {
		if i := slices.IndexFunc(servers, func(r *ops.Server) bool { return r.Addr == s.server }); i >= 0 {
			s.at = 1 + i
		}
	}
	s.goTo(servers, min(s.at, len(servers)))
	return services.Key{Service: s.id, Server: s.server}
}

// goTo puts the cursor on the n-th row.
func (s *serviceScreen) goTo(servers []*ops.Server, n int) {
	s.at, s.server = n, netip.AddrPort{}
	if n > 0 {
		s.server = servers[n-1].Addr
	}
}

// Key implements layer. What is no key of the screen's own is done to the row.
func (s *serviceScreen) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	key := k.String()
	switch {
	case key == "esc" && s.reading != nil:
		s.stop()
	case key == "esc", key == "q", key == "s":
		s.stop()
		m.drop(s)
	case key == "tab":
		s.states = !s.states
	case key == "right" || key == "l":
		s.nextMetric(1)
	case key == "left" || key == "h":
		s.nextMetric(-1)
	case key == "c" && s.reading == nil:
		return s.ask(m)
	case key == "p":
		m.togglePause()
	case key == "t":
		openTasks(m)
	case key == "enter" && noConns(m) == "":
		return openConns(m)
	case s.move(key):
		if v := s.service(m); v != nil {
			s.goTo(v.Servers, s.at)
		}
	default:
		return m.dispatch(m.aboutRow(), k)
	}
	return nil
}

// aboutRow are the commands that act on a row and not on the list of rows.
func (m *Model) aboutRow() []command {
	list := slices.Concat(treeCommands(), findCommands(), viewCommands(), moveCommands())
	return slices.DeleteFunc(slices.Clone(m.commands), func(c command) bool {
		return slices.ContainsFunc(list, func(l command) bool { return l.name == c.name })
	})
}

// ask has the connections read, after a question when that costs much.
func (s *serviceScreen) ask(m *Model) tea.Cmd {
	if why := noConns(m); why != "" {
		m.message = why
		return nil
	}
	s.states = true
	return m.askCost(func(within time.Duration) tea.Cmd {
		s.within = within
		return s.read(m)
	})
}

// read reads the service's connections.
func (s *serviceScreen) read(m *Model) tea.Cmd {
	q := conns.Query{Filter: conns.Filter{Service: s.id}, By: []conns.By{conns.ByServer}}
	return s.count(m, q, false, func(v connsView) { s.conns = v })
}

// counts are a server's connections as they were read; of the whole service with
// the zero address. ok is false before they were.
func (s *serviceScreen) counts(at netip.AddrPort) (n conns.Counts, ok bool) {
	if s.conns.result == nil {
		return n, false
	}
	if !at.IsValid() {
		return s.conns.result.All, true
	}
	for _, g := range s.conns.result.Ranking(conns.ByServer).Groups {
		if g.Service == s.id && g.Server.Addr() == at.Addr() && (g.Server.Port() == at.Port() || at.Port() == 0) {
			n = n.Add(g.Counts)
		}
	}
	return n, true
}

// Paste implements layer.
func (s *serviceScreen) Paste(*Model, string) {}

// Cursor implements layer.
func (s *serviceScreen) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

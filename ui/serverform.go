package ui

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/check"
	"lvsdeck/ops"
	"lvsdeck/ops/plan"
)

// Questions of the server form.
const (
	askServers    = "servers"
	askServerPort = "server port"
	askForward    = "forward"
	askWeight     = "weight"
	askUpper      = "upper"
	askLower      = "lower"
	askTunnel     = "tunnel"
	askTunnelPort = "tunnel port"
	askChecksum   = "checksum"
)

var serverQuestions = map[check.Field]string{
	check.Server: askServers, check.ServerPort: askServerPort, check.Forward: askForward, check.Weight: askWeight,
	check.Upper: askUpper, check.Lower: askLower,
	check.TunnelType: askTunnel, check.TunnelPort: askTunnelPort, check.TunnelFlags: askChecksum,
}

var (
	forwards = []option{
		{"NAT", "answers come back through the director"},
		{"DR", "same segment; servers answer clients directly"},
		{"TUN", "through a tunnel; servers answer directly"},
	}
	forwardOf = map[string]ipvs.Forward{"NAT": ipvs.Masq, "DR": ipvs.Direct, "TUN": ipvs.TunnelFwd, "LOCAL": ipvs.LocalNode, "BYPASS": ipvs.Bypass}
	tunnels   = []option{{"ipip", "IP in IP"}, {"gue", "in UDP: spreads over queues"}, {"gre", "GRE"}}
	tunnelOf  = map[string]ipvs.TunnelType{"ipip": ipvs.IPIP, "gue": ipvs.GUE, "gre": ipvs.GRE}
	checksums = []option{{"none", ""}, {"checksum", ""}, {"remote", "remote checksum offload, gue only"}}
)

// serverFields are the questions about a server but its address.
func serverFields(s ipvs.Server) []*field {
	tun := func(f *form) bool { return f.get(askForward) == "TUN" }
	gue := func(f *form) bool { return tun(f) && f.get(askTunnel) == "gue" }
	summed := func(f *form) bool { return tun(f) && f.get(askTunnel) != "ipip" }
	sum := "none"
	switch {
	case s.Tunnel.Flags&ipvs.TunnelRemoteChecksum != 0:
		sum = "remote"
	case s.Tunnel.Flags&ipvs.TunnelChecksum != 0:
		sum = "checksum"
	}
	number := func(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
	return []*field{
		chosenField(askForward, "forwarding", s.Forward.String(), forwards...),
		typedField(askWeight, "weight", number(s.Weight), "share of new connections; 0: none"),
		typedField(askUpper, "u-threshold", number(s.Upper), "connections at which it is left out; 0: never"),
		typedField(askLower, "l-threshold", number(s.Lower), "connections at which it comes back; 0: 3/4 of u-threshold"),
		chosenField(askTunnel, "tunnel", s.Tunnel.Type.String(), tunnels...).only(tun),
		typedField(askTunnelPort, "tunnel port", number(uint32(s.Tunnel.Port)), "UDP port of gue").only(gue),
		chosenField(askChecksum, "checksum", sum, checksums...).only(summed),
	}
}

// openAddServers asks for one or many new servers of the cursor's service, like
// those it has.
func openAddServers(m *Model) tea.Cmd {
	row, _ := m.list.Current()
	like := ipvs.Server{Forward: ipvs.Direct, Weight: 1}
	if n := len(row.Service.Servers); n > 0 {
		like = row.Service.Servers[n-1].Server
		like.Weight = max(1, like.Weight)
	}
	id := row.Service.ServiceID
	own := func(f *form) bool { return f.get(askForward) == "NAT" || id.IsMark() }
	port := strconv.Itoa(int(portLike(row.Service)))
	fields := append([]*field{
		typedField(askServers, "servers", "", "10.0.3.11  10.0.3.12-19  10.0.4.1:8080").listed(),
		typedField(askServerPort, "port", port, "of servers typed without one").only(own),
	}, serverFields(like)...)
	return readThen(m.hands.runner.Target.Table, func(ctx context.Context, t ipvs.Table) ([]ipvs.Daemon, error) {
		return t.Daemons(ctx)
	}, func(m *Model, daemons []ipvs.Daemon) {
		m.openForm(&form{title: "Add servers to " + id.String(), fields: fields, finish: func(m *Model, f *form) tea.Cmd {
			return finishAddServers(m, f, id, len(daemons) > 0)
		}})
	})
}

// portLike is the port that all servers of a service have, or the service's own.
func portLike(s *ops.Service) uint16 {
	port := s.Port
	for i, r := range s.Servers {
		if i > 0 && r.Addr.Port() != port {
			return s.Port
		}
		port = r.Addr.Port()
	}
	return port
}

// finishAddServers is told whether a sync daemon runs: the kernel takes no
// servers of another family beside it.
func finishAddServers(m *Model, f *form, id ipvs.ServiceID, beside bool) tea.Cmd {
	port := id.Port
	if typed := f.get(askServerPort); typed != "" {
		n, err := strconv.ParseUint(typed, 10, 16)
		if err != nil {
			f.blame(askServerPort, "must be 0 to 65535")
			return nil
		}
		port = uint16(n)
	}
	addrs, err := parseAddresses(f.get(askServers), port)
	if err != nil {
		f.blame(askServers, err.Error())
		return nil
	}
	settings, ok := f.server(ipvs.Server{})
	if !ok {
		return nil
	}
	var rows []plan.Row
	for _, a := range addrs {
		s := settings
		s.Addr = a
		if m.hasServer(id, s) {
			f.blame(askServers, fmt.Sprintf("%s is in the service already", a))
			return nil
		}
		if !f.fits(check.OfServer(id, s, beside), serverQuestions) {
			return nil
		}
		rows = append(rows, plan.Row{Service: id, Server: s})
	}
	return askFirst(m, plan.AddServers(rows))
}

func (m *Model) hasServer(id ipvs.ServiceID, s ipvs.Server) bool {
	for _, v := range m.live.Services {
		if v.ServiceID == id {
			return slices.ContainsFunc(v.Servers, func(r *ops.Server) bool { return r.Addr == s.Addr })
		}
	}
	return false
}

// openEditServer asks for the settings of the cursor's server.
func openEditServer(m *Model) tea.Cmd {
	row, _ := m.list.Current()
	rows := []seen{{row.Service.ServiceID, row.Server.Server, row.Server.Partial}}
	return readThen(m.hands.runner.Target.Table, func(ctx context.Context, t ipvs.Table) (plan.Row, error) {
		full, err := inFull(ctx, t, rows)
		if err != nil {
			return plan.Row{}, err
		}
		return full[0], nil
	}, func(m *Model, before plan.Row) {
		title := fmt.Sprintf("Edit %s of %s", before.Server.Addr, before.Service)
		m.openForm(&form{title: title, fields: serverFields(before.Server), finish: func(m *Model, f *form) tea.Cmd {
			after, ok := f.server(before.Server)
			if !ok || !f.fits(check.OfServer(before.Service, after, false), serverQuestions) {
				return nil
			}
			p, err := plan.EditServer(before, after)
			return m.made(madeMsg{p, err, askFirst})
		}})
	})
}

// openEdit edits what is under the cursor.
func openEdit(m *Model) tea.Cmd {
	if row, _ := m.list.Current(); row.Server == nil {
		return openEditService(m)
	}
	return openEditServer(m)
}

// server reads the questions of serverFields into a server that has the rest.
func (f *form) server(s ipvs.Server) (ipvs.Server, bool) {
	ok := true
	number := func(id string, bits int, rule string) uint32 {
		typed := f.get(id)
		if typed == "" {
			return 0
		}
		n, err := strconv.ParseUint(typed, 10, bits)
		if err != nil {
			f.blame(id, rule)
			ok = false
		}
		return uint32(n)
	}
	s.Forward = forwardOf[f.get(askForward)]
	s.Weight = number(askWeight, 31, "must be 0 to 2147483647")
	s.Upper = number(askUpper, 31, "must be 0 to 2147483647")
	s.Lower = number(askLower, 31, "must be 0 to 2147483647")
	if s.Forward == ipvs.TunnelFwd {
		s.Tunnel = ipvs.Tunnel{Type: tunnelOf[f.get(askTunnel)], Port: uint16(number(askTunnelPort, 16, "must be 1 to 65535"))}
		switch f.get(askChecksum) {
		case "checksum":
			s.Tunnel.Flags = ipvs.TunnelChecksum
		case "remote":
			s.Tunnel.Flags = ipvs.TunnelRemoteChecksum
		}
	} else {
		s.Tunnel = ipvs.Tunnel{}
	}
	return s, ok
}

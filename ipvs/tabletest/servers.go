package tabletest

import (
	"maps"
	"net/netip"
	"slices"

	"lvsdeck/ipvs"
)

func testServerFields(t *table) {
	t.ok(t.AddService(t.ctx, ipvs.NewService(web)))
	t.ok(t.AddService(t.ctx, ipvs.NewService(web6)))
	var want []ipvs.Server
	port := uint16(1)
	vary := func(change func(*ipvs.Server)) {
		s := server("10.0.0.1:0")
		s.Addr = netip.AddrPortFrom(s.Addr.Addr(), port)
		port++
		change(&s)
		t.ok(t.AddServer(t.ctx, web, s))
		want = append(want, s)
	}
	for f := range ipvs.Bypass + 1 {
		vary(func(s *ipvs.Server) { s.Forward = f })
	}
	for _, w := range []uint32{0, 1, 65535, 65536, ipvs.MaxWeight} {
		vary(func(s *ipvs.Server) { s.Weight = w })
	}
	for _, x := range [][2]uint32{{1, 0}, {1, 1}, {ipvs.MaxWeight, 0}, {ipvs.MaxWeight, ipvs.MaxWeight}} {
		vary(func(s *ipvs.Server) { s.Upper, s.Lower = x[0], x[1] })
	}
	for _, tunnel := range []ipvs.Tunnel{
		{Type: ipvs.IPIP},
		{Type: ipvs.GUE, Port: 6080},
		{Type: ipvs.GUE, Port: 65535, Flags: ipvs.TunnelChecksum},
		{Type: ipvs.GUE, Port: 1, Flags: ipvs.TunnelRemoteChecksum},
		{Type: ipvs.GRE},
		{Type: ipvs.GRE, Flags: ipvs.TunnelChecksum},
	} {
		vary(func(s *ipvs.Server) { s.Forward, s.Tunnel = ipvs.TunnelFwd, tunnel })
		vary(func(s *ipvs.Server) { s.Forward, s.Tunnel = ipvs.Masq, tunnel }) // kept though it means nothing
	}
	vary(func(s *ipvs.Server) { s.Addr = netip.MustParseAddrPort("10.0.0.1:65535") })
	vary(func(s *ipvs.Server) { s.Addr = netip.MustParseAddrPort("10.0.0.1:0") })
	vary(func(s *ipvs.Server) { // the other family, in a tunnel
		s.Addr, s.Forward = netip.MustParseAddrPort("[2001:db8::1]:80"), ipvs.TunnelFwd
	})
	t.holdsServers(web, want...)

	six := []ipvs.Server{server("[2001:db8::1]:80"), server("[fd00::ffff:1]:65535")}
	four := server("10.0.0.9:80")
	four.Forward = ipvs.TunnelFwd
	six = append(six, four)
	for _, s := range six {
		t.ok(t.AddServer(t.ctx, web6, s))
	}
	t.holdsServers(web6, six...)
}

func testServerEdit(t *table) {
	plain, other := server("10.0.0.1:80"), server("10.0.0.2:80")
	full := plain
	full.Forward, full.Weight, full.Upper, full.Lower = ipvs.TunnelFwd, 70000, 1000, 500
	full.Tunnel = ipvs.Tunnel{Type: ipvs.GUE, Port: 6080, Flags: ipvs.TunnelRemoteChecksum}
	t.ok(t.AddService(t.ctx, ipvs.NewService(web)))
	t.ok(t.AddServer(t.ctx, web, plain))
	t.ok(t.AddServer(t.ctx, web, other))
	for _, s := range []ipvs.Server{full, plain, full} {
		t.ok(t.SetServer(t.ctx, web, s))
		t.holdsServers(web, s, other)
	}
	drained := full
	drained.Weight = 0
	t.ok(t.SetServer(t.ctx, web, drained))
	t.holdsServers(web, drained, other)

	// Only the address names the server to delete.
	t.ok(t.DeleteServer(t.ctx, web, ipvs.Server{Addr: other.Addr}))
	t.holdsServers(web, drained)
	t.ok(t.AddServer(t.ctx, web, other))
	t.holdsServers(web, drained, other)
}

func testServerErrors(t *table) {
	rs, gone := server("10.0.0.1:80"), server("10.0.0.2:80")
	t.ok(t.AddService(t.ctx, ipvs.NewService(web)))
	t.ok(t.AddServer(t.ctx, web, rs))

	target := ipvs.ServerTarget(missing, rs)
	t.refused(t.AddServer(t.ctx, missing, rs), ipvs.ErrNoService, ipvs.OpAddServer, target)
	t.refused(t.SetServer(t.ctx, missing, rs), ipvs.ErrNoService, ipvs.OpSetServer, target)
	t.refused(t.DeleteServer(t.ctx, missing, rs), ipvs.ErrNoService, ipvs.OpDeleteServer, target)

	t.refused(t.AddServer(t.ctx, web, rs), ipvs.ErrServerExists, ipvs.OpAddServer, ipvs.ServerTarget(web, rs))
	target = ipvs.ServerTarget(web, gone)
	t.refused(t.SetServer(t.ctx, web, gone), ipvs.ErrNoServer, ipvs.OpSetServer, target)
	t.refused(t.DeleteServer(t.ctx, web, gone), ipvs.ErrNoServer, ipvs.OpDeleteServer, target)
	otherPort := server("10.0.0.1:81")
	t.refused(t.DeleteServer(t.ctx, web, otherPort), ipvs.ErrNoServer, ipvs.OpDeleteServer, ipvs.ServerTarget(web, otherPort))

	for _, test := range []struct {
		kind   error
		change func(*ipvs.Server)
	}{
		{ipvs.ErrRange, func(s *ipvs.Server) { s.Weight = ipvs.MaxWeight + 1 }},
		{ipvs.ErrRange, func(s *ipvs.Server) { s.Weight = 1<<32 - 1 }},
		{ipvs.ErrRange, func(s *ipvs.Server) { s.Upper, s.Lower = 10, 11 }},
		{ipvs.ErrRange, func(s *ipvs.Server) { s.Lower = 1 }},
		{ipvs.ErrInvalid, func(s *ipvs.Server) { s.Forward, s.Tunnel.Type = ipvs.TunnelFwd, ipvs.GUE }},
	} {
		bad := gone
		test.change(&bad)
		t.refused(t.AddServer(t.ctx, web, bad), test.kind, ipvs.OpAddServer, target)
		bad.Addr = rs.Addr
		t.refused(t.SetServer(t.ctx, web, bad), test.kind, ipvs.OpSetServer, ipvs.ServerTarget(web, rs))
	}
	for _, at := range []string{"224.0.0.1:80", "0.0.0.0:80", "255.255.255.255:80", "[2001:db8::1]:80"} {
		bad := server(at) // the last is of the other family without a tunnel
		t.refused(t.AddServer(t.ctx, web, bad), ipvs.ErrInvalid, ipvs.OpAddServer, ipvs.ServerTarget(web, bad))
	}
	t.ok(t.AddService(t.ctx, ipvs.NewService(web6)))
	for _, at := range []string{"[ff02::1]:80", "[::]:80", "[fe80::1]:80", "10.0.0.1:80"} {
		bad := server(at)
		t.refused(t.AddServer(t.ctx, web6, bad), ipvs.ErrInvalid, ipvs.OpAddServer, ipvs.ServerTarget(web6, bad))
	}
	t.holdsServers(web, rs)
	t.holdsServers(web6)
}

func testServersOfMissingService(t *table) {
	for _, id := range []ipvs.ServiceID{missing, web6, ipvs.MarkService(5, ipvs.IPv4), ipvs.MarkService(5, ipvs.IPv6)} {
		servers, err := t.Servers(t.ctx, id)
		t.ok(err)
		if len(servers) != 0 {
			t.Errorf("servers of %s, which is not there: want none, got %+v", id, servers)
		}
	}
}

// The overview's servers are Partial and may lack thresholds and tunnels; what
// they say must be right.
func testOverview(t *table) {
	r := newRandom(1)
	want := map[ipvs.ServiceID]entry{}
	for len(want) < 40 {
		s := r.service()
		if _, there := want[s.ServiceID]; there {
			continue
		}
		t.ok(t.AddService(t.ctx, s))
		e := entry{s, map[string]ipvs.Server{}}
		for range r.IntN(5) {
			rs := r.server(s.Family)
			if _, there := e.servers[rs.Addr.String()]; !there {
				t.ok(t.AddServer(t.ctx, s.ServiceID, rs))
				e.servers[rs.Addr.String()] = rs
			}
		}
		want[s.ServiceID] = e
	}
	o, err := t.Overview(t.ctx)
	t.ok(err)
	if len(o.Services) != len(want) {
		t.Errorf("want %d services, got %d", len(want), len(o.Services))
	}
	listed, err := t.Services(t.ctx)
	t.ok(err)
	if len(listed) != len(want) {
		t.Errorf("want %d services in the list, got %d", len(want), len(listed))
	}
	for _, got := range listed {
		t.same("listed "+got.String(), want[got.ServiceID].service, got.Service)
	}
	rules, err := t.Rules(t.ctx)
	t.ok(err)
	if len(rules) != len(want) {
		t.Errorf("want the rules of %d services, got %d", len(want), len(rules))
	}
	for _, got := range rules {
		e := want[got.ServiceID]
		t.same("rules of "+got.String(), e.service, got.Service)
		t.same("server rules of "+got.String(), serverText(slices.Collect(maps.Values(e.servers))), serverText(got.Servers))
		if len(got.Servers) == 0 && got.Servers != nil {
			t.Errorf("%s has no servers, want nil, so that rules compare", got)
		}
	}
	for _, got := range o.Services {
		e := want[got.ServiceID]
		t.same(got.String(), e.service, got.Service)
		t.same("servers of "+got.String(), serverText(inOverview(e.servers)), serverText(shown(got.Servers)))
	}
}

// inOverview keeps the fields that every overview has.
func inOverview(servers map[string]ipvs.Server) []ipvs.Server {
	var out []ipvs.Server
	for _, s := range servers {
		out = append(out, ipvs.Server{Addr: s.Addr, Forward: s.Forward, Weight: s.Weight})
	}
	return out
}

func shown(states []ipvs.ServerState) []ipvs.Server {
	out := make([]ipvs.Server, 0, len(states))
	for _, s := range states {
		out = append(out, ipvs.Server{Addr: s.Addr, Forward: s.Forward, Weight: s.Weight})
	}
	return out
}

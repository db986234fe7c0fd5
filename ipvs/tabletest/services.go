package tabletest

import (
	"net/netip"

	"lvsdeck/ipvs"
)

// The services and servers that tests need when it does not matter which.
var (
	web     = ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))
	web6    = ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("[2001:db8::10]:443"))
	missing = ipvs.AddressService(ipvs.UDP, netip.MustParseAddrPort("203.0.113.99:53"))
)

func server(at string) ipvs.Server {
	return ipvs.Server{Addr: netip.MustParseAddrPort(at), Forward: ipvs.Masq, Weight: 1}
}

func testNewTable(t *table) {
	if l := t.Limits(); l.ReadOnly {
		t.Errorf("a Table says it is read-only: %+v", l)
	}
	o, err := t.Overview(t.ctx)
	t.ok(err)
	if len(o.Services) != 0 {
		t.Errorf("want an empty table, got %d services", len(o.Services))
	}
	info, err := t.Info(t.ctx)
	t.ok(err)
	if info.Version < 0x010200 || info.EstimatorOff {
		t.Errorf("want version 1.2 or later and a running estimator, got %s, off: %v", info.Version, info.EstimatorOff)
	}
	daemons, err := t.Daemons(t.ctx)
	t.ok(err)
	if len(daemons) != 0 {
		t.Errorf("want no daemons, got %+v", daemons)
	}
}

func testServiceFields(t *table) {
	var services []ipvs.Service
	for _, id := range []ipvs.ServiceID{
		web, web6, missing,
		ipvs.AddressService(ipvs.SCTP, netip.MustParseAddrPort("203.0.113.10:65535")),
		ipvs.MarkService(1, ipvs.IPv4), ipvs.MarkService(1, ipvs.IPv6), ipvs.MarkService(1<<32-1, ipvs.IPv4),
	} {
		services = append(services, ipvs.NewService(id))
	}
	port := uint16(1000)
	vary := func(id ipvs.ServiceID, change func(*ipvs.Service)) {
		s := ipvs.NewService(id)
		s.Port = port // each its own
		port++
		change(&s)
		services = append(services, s)
	}
	for _, name := range append(schedulers, "none") {
		vary(web, func(s *ipvs.Service) { s.Scheduler = name })
	}
	for flags := range ipvs.SchedFlags(8) {
		vary(web, func(s *ipvs.Service) { s.Scheduler, s.SchedFlags = "mh", flags })
	}
	vary(missing, func(s *ipvs.Service) { s.OnePacket = true })
	vary(missing, func(s *ipvs.Service) {
		s.Persistence.On, s.Persistence.Timeout, s.Persistence.Engine = true, 300, "sip"
	})
	vary(web, func(s *ipvs.Service) { s.Persistence.Timeout, s.Persistence.Mask = 77, 0xffffff00 }) // kept though off
	for _, mask := range []ipvs.Mask{1, 0xffffffff, 0xffffff00, 0x80000000, 0xff00ff00} {
		vary(web, func(s *ipvs.Service) { s.Persistence = ipvs.Persistence{On: true, Timeout: 360, Mask: mask} })
	}
	for _, mask := range []ipvs.Mask{1, 64, 127, 128} {
		vary(web6, func(s *ipvs.Service) { s.Persistence = ipvs.Persistence{On: true, Timeout: 2678400, Mask: mask} })
	}
	vary(web, func(s *ipvs.Service) { s.Port, s.Persistence.On, s.Persistence.Timeout = 0, true, 1 })

	for _, s := range services {
		t.ok(t.AddService(t.ctx, s))
		t.holdsService(s)
	}
	want := map[ipvs.ServiceID]entry{}
	for _, s := range services {
		want[s.ServiceID] = entry{service: s}
	}
	t.same("the whole table", stateText(want), t.read())
}

// A set replaces everything: what is left out is gone.
func testServiceEdit(t *table) {
	full := ipvs.Service{
		ServiceID: web, Scheduler: "sh", SchedFlags: ipvs.SchedFlag1 | ipvs.SchedFlag3, OnePacket: true,
		Persistence: ipvs.Persistence{On: true, Timeout: 500, Mask: 0xffff0000, Engine: "sip"},
	}
	plain := ipvs.NewService(web)
	rs := server("10.0.0.1:80")
	t.ok(t.AddService(t.ctx, plain))
	t.ok(t.AddServer(t.ctx, web, rs))
	for _, s := range []ipvs.Service{full, plain, full} {
		t.ok(t.SetService(t.ctx, s))
		t.holdsService(s)
		t.holdsServers(web, rs)
	}
	bad := plain
	bad.Scheduler = "nosuch"
	t.refused(t.SetService(t.ctx, bad), ipvs.ErrNoScheduler, ipvs.OpSetService, web.String())
	bad = plain
	bad.Persistence.Engine = "nosuch"
	t.refused(t.SetService(t.ctx, bad), ipvs.ErrNoScheduler, ipvs.OpSetService, web.String())
	t.holdsService(full)
}

// One address and port is a service for each protocol, and one mark for each
// family.
func testServiceIdentity(t *table) {
	at := netip.MustParseAddrPort("203.0.113.10:53")
	ids := []ipvs.ServiceID{
		ipvs.AddressService(ipvs.TCP, at), ipvs.AddressService(ipvs.UDP, at), ipvs.AddressService(ipvs.SCTP, at),
		ipvs.MarkService(7, ipvs.IPv4), ipvs.MarkService(7, ipvs.IPv6),
	}
	for i, id := range ids {
		t.ok(t.AddService(t.ctx, ipvs.NewService(id)))
		s := server("10.0.0.1:80")
		if id.Family == ipvs.IPv6 {
			s = server("[2001:db8::1]:80")
		}
		s.Weight = uint32(100 + i)
		t.ok(t.AddServer(t.ctx, id, s))
	}
	for i, id := range ids {
		t.holdsService(ipvs.NewService(id))
		servers, err := t.Servers(t.ctx, id)
		t.ok(err)
		if len(servers) != 1 || servers[0].Weight != uint32(100+i) {
			t.Errorf("servers of %s: want one of weight %d, got %+v", id, 100+i, servers)
		}
	}
	t.ok(t.DeleteService(t.ctx, ids[3]))
	t.holdsService(ipvs.NewService(ids[4]))
}

func testServiceErrors(t *table) {
	t.ok(t.AddService(t.ctx, ipvs.NewService(web)))
	t.refused(t.AddService(t.ctx, ipvs.NewService(web)), ipvs.ErrServiceExists, ipvs.OpAddService, web.String())

	name := missing.String()
	_, err := t.Service(t.ctx, missing)
	t.refused(err, ipvs.ErrNoService, ipvs.OpGetService, name)
	t.refused(t.SetService(t.ctx, ipvs.NewService(missing)), ipvs.ErrNoService, ipvs.OpSetService, name)
	t.refused(t.DeleteService(t.ctx, missing), ipvs.ErrNoService, ipvs.OpDeleteService, name)
	t.refused(t.Zero(t.ctx, missing), ipvs.ErrNoService, ipvs.OpZero, name)

	for _, scheduler := range []string{"nosuch", "fifteen-letters", "a-name-of-22-characters"} {
		s := ipvs.NewService(missing)
		s.Scheduler = scheduler
		t.refused(t.AddService(t.ctx, s), ipvs.ErrNoScheduler, ipvs.OpAddService, name)
	}
	for _, engine := range []string{"nosuch", "a-name-of-22-characters"} {
		s := ipvs.NewService(missing)
		s.Persistence.Engine = engine
		t.refused(t.AddService(t.ctx, s), ipvs.ErrNoScheduler, ipvs.OpAddService, name)
	}
	for _, mask := range []ipvs.Mask{0, 129} {
		s := ipvs.NewService(web6)
		s.Persistence.Mask = mask
		t.refused(t.AddService(t.ctx, s), ipvs.ErrInvalid, ipvs.OpAddService, web6.String())
	}
	s := ipvs.NewService(missing)
	s.Family = 99
	t.refused(t.AddService(t.ctx, s), ipvs.ErrFamily, ipvs.OpAddService, name)

	o, err := t.Overview(t.ctx)
	t.ok(err)
	if len(o.Services) != 1 {
		t.Errorf("want one service after all the refusals, got %d", len(o.Services))
	}
}

func testDeleteServiceDeletesServers(t *table) {
	for _, at := range []string{"10.0.0.1:80", "10.0.0.2:80"} {
		t.ok(t.AddService(t.ctx, ipvs.NewService(web)))
		t.holdsServers(web)
		t.ok(t.AddServer(t.ctx, web, server(at)))
		t.holdsServers(web, server(at))
		t.ok(t.DeleteService(t.ctx, web))
		t.holdsServers(web)
		_, err := t.Service(t.ctx, web)
		t.refused(err, ipvs.ErrNoService, ipvs.OpGetService, web.String())
	}
}

package tabletest

import (
	"cmp"
	"net/netip"
	"slices"

	"lvsdeck/ipvs"
)

func testZero(t *table) {
	t.ok(t.AddService(t.ctx, ipvs.NewService(web)))
	t.ok(t.AddServer(t.ctx, web, server("10.0.0.1:80")))
	t.ok(t.Zero(t.ctx, web))
	t.ok(t.ZeroAll(t.ctx))
	t.holdsService(ipvs.NewService(web))
	t.holdsServers(web, server("10.0.0.1:80"))
	state, err := t.Service(t.ctx, web)
	t.ok(err)
	t.same("counters after zero", ipvs.Traffic{}, state.Stats.Total)
}

func testFlush(t *table) {
	t.ok(t.Flush(t.ctx)) // an empty table too
	for _, id := range []ipvs.ServiceID{web, web6, ipvs.MarkService(1, ipvs.IPv4)} {
		t.ok(t.AddService(t.ctx, ipvs.NewService(id)))
	}
	t.ok(t.AddServer(t.ctx, web, server("10.0.0.1:80")))
	t.ok(t.Flush(t.ctx))
	o, err := t.Overview(t.ctx)
	t.ok(err)
	if len(o.Services) != 0 {
		t.Errorf("want no services after a flush, got %d", len(o.Services))
	}
	t.holdsServers(web)
	t.ok(t.AddService(t.ctx, ipvs.NewService(web)))
}

func testTimeouts(t *table) {
	check := func(want ipvs.Timeouts) {
		t.Helper()
		got, err := t.Timeouts(t.ctx)
		t.ok(err)
		t.same("timeouts", want, got)
	}
	check(ipvs.Timeouts{TCP: 900, TCPFin: 120, UDP: 300})
	t.ok(t.SetTimeouts(t.ctx, ipvs.Timeouts{TCP: 1, TCPFin: 2, UDP: 3}))
	check(ipvs.Timeouts{TCP: 1, TCPFin: 2, UDP: 3})
	t.ok(t.SetTimeouts(t.ctx, ipvs.Timeouts{TCPFin: 2678400}))
	check(ipvs.Timeouts{TCP: 1, TCPFin: 2678400, UDP: 3})
	t.ok(t.SetTimeouts(t.ctx, ipvs.Timeouts{}))
	check(ipvs.Timeouts{TCP: 1, TCPFin: 2678400, UDP: 3})
	t.refused(t.SetTimeouts(t.ctx, ipvs.Timeouts{UDP: 1 << 31}), ipvs.ErrInvalid, ipvs.OpSetTimeouts, "")
	check(ipvs.Timeouts{TCP: 1, TCPFin: 2678400, UDP: 3})
}

func (t *table) holdsDaemons(want ...ipvs.Daemon) {
	t.Helper()
	got, err := t.Daemons(t.ctx)
	t.ok(err)
	slices.SortFunc(got, func(a, b ipvs.Daemon) int { return cmp.Compare(a.Role, b.Role) })
	if len(got) != len(want) {
		t.Errorf("daemons:\n want %+v\n got  %+v", want, got)
		return
	}
	for i := range want {
		t.same(want[i].Role.String(), want[i], got[i])
	}
}

func testDaemons(t *table) {
	group := netip.MustParseAddr("224.0.0.81")
	master := ipvs.Daemon{Role: ipvs.Master, Interface: "lo", SyncID: 255, MaxLen: 1400, Group: netip.MustParseAddr("239.1.2.3"), Port: 8900, TTL: 7}
	t.ok(t.StartDaemon(t.ctx, master))
	t.holdsDaemons(master)

	// What is left open gets the kernel's defaults.
	t.ok(t.StartDaemon(t.ctx, ipvs.Daemon{Role: ipvs.Backup, Interface: "lo", MaxLen: 1400}))
	backup := ipvs.Daemon{Role: ipvs.Backup, Interface: "lo", MaxLen: 1400, Group: group, Port: 8848, TTL: 1}
	t.holdsDaemons(master, backup)

	t.ok(t.StopDaemon(t.ctx, ipvs.Daemon{Role: ipvs.Master, SyncID: 255}))
	t.holdsDaemons(backup)
	t.ok(t.StopDaemon(t.ctx, backup))
	t.holdsDaemons()

	t.ok(t.StartDaemon(t.ctx, ipvs.Daemon{Role: ipvs.Master, Interface: "lo"}))
	t.holdsDaemons(ipvs.Daemon{Role: ipvs.Master, Interface: "lo", MaxLen: 1500 - 20 - 8, Group: group, Port: 8848, TTL: 1})
	t.ok(t.StopDaemon(t.ctx, ipvs.Daemon{Role: ipvs.Master}))

	six := ipvs.Daemon{Role: ipvs.Backup, Interface: "lo", MaxLen: 1400, Group: netip.MustParseAddr("ff05::81"), Port: 8848, TTL: 1}
	t.ok(t.StartDaemon(t.ctx, six))
	t.holdsDaemons(six)
	t.ok(t.StopDaemon(t.ctx, six))
}

func testDaemonErrors(t *table) {
	d := ipvs.Daemon{Role: ipvs.Backup, Interface: "lo"}
	role := d.Role.String()
	t.refused(t.StopDaemon(t.ctx, d), ipvs.ErrNoDaemon, ipvs.OpStopDaemon, role)
	for _, name := range []string{"nosuch0", "a-name-of-22-characters"} {
		t.refused(t.StartDaemon(t.ctx, ipvs.Daemon{Role: ipvs.Backup, Interface: name}), ipvs.ErrNoDevice, ipvs.OpStartDaemon, role)
	}
	t.ok(t.StartDaemon(t.ctx, d))
	t.refused(t.StartDaemon(t.ctx, d), ipvs.ErrDaemonRunning, ipvs.OpStartDaemon, role)
	t.ok(t.StopDaemon(t.ctx, d))
	t.refused(t.StopDaemon(t.ctx, d), ipvs.ErrNoDaemon, ipvs.OpStopDaemon, role)
}

// Connection synchronisation cannot express a server of another family than its
// service's, so the kernel refuses whichever comes second.
func testMixedFamiliesAndDaemons(t *table) {
	d := ipvs.Daemon{Role: ipvs.Backup, Interface: "lo"}
	mixed := server("[2001:db8::1]:80")
	mixed.Forward = ipvs.TunnelFwd
	t.ok(t.AddService(t.ctx, ipvs.NewService(web)))
	t.ok(t.AddServer(t.ctx, web, mixed))
	t.refused(t.StartDaemon(t.ctx, d), ipvs.ErrInvalid, ipvs.OpStartDaemon, d.Role.String())
	t.ok(t.DeleteServer(t.ctx, web, mixed))
	t.ok(t.StartDaemon(t.ctx, d))
	t.refused(t.AddServer(t.ctx, web, mixed), ipvs.ErrInvalid, ipvs.OpAddServer, ipvs.ServerTarget(web, mixed))
	t.ok(t.StopDaemon(t.ctx, d))
}

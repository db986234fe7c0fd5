package check

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/netcfg/firewall"
	"lvsdeck/ops/probe"
)

// lines is a table of connections.
type lines string

func (l lines) Connections(bool) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n" + string(l))), nil
}
func (lines) ReadCost(uint64) time.Duration { return 0 }

// TestLoads: connections are counted for the servers that have them, or had.
func TestLoads(t *testing.T) {
	s := healthy(t, ipvs.Masq)
	s.from.Conns = lines("" +
		"TCP C6336407 8001 CB00710A 0050 0A00030B 0050 ESTABLISHED     899\n" +
		"TCP C6336407 8002 CB00710A 0050 0A00030B 0050 SYN_RECV         59\n" +
		"TCP 0A000305 8003 CB00710A 0050 0A00030B 0050 SYN_RECV         59\n" +
		"TCP 0A000305 8005 CB00710A 0050 0A00030B 0050 SYN_RECV         40\n" +
		"TCP C6336407 8004 CB00710A 0050 0A000363 0050 ESTABLISHED     899\n" +
		"TCP C6336407 0000 CB00710A 0050 0A00030B 0050 NONE            299\n")
	v := ipvs.NewService(http)
	v.Persistence.On = true
	s.ok(s.table.SetService(t.Context(), v))
	got := s.scene().Loads
	near := netip.MustParseAddr("10.0.3.5")
	if asking, held := got.Asking[http], got.Held[http]; asking != (Clients{2, near, 1}) || held != (Clients{2, near, 2}) {
		t.Errorf("asking: %+v, held: %+v", asking, held)
	}
	gone := netip.MustParseAddrPort("10.0.3.99:80")
	if n := got.Servers[Place{http, server(ipvs.Masq, 0)}]; n != (Load{Conns: 4, Open: 1, Fresh: 3, HalfOpen: 2, Near: 1}) || got.Gone[Place{http, gone}] != (Load{Conns: 1, Open: 1, Fresh: 1}) || got.Partly {
		t.Errorf("%+v", got)
	}
}

// TestLoadsOfAMark: connections with any port are the server's that is listed with none.
func TestLoadsOfAMark(t *testing.T) {
	s := healthy(t, ipvs.Direct)
	id, rs := ipvs.MarkService(7, ipvs.IPv4), netip.MustParseAddrPort("10.0.3.11:0")
	s.ok(s.table.AddService(t.Context(), ipvs.NewService(id)))
	s.ok(s.table.AddServer(t.Context(), id, ipvs.Server{Addr: rs, Forward: ipvs.Direct, Weight: 1}))
	s.from.Conns = lines("" +
		"TCP C6336407 8001 CB007120 0050 0A00030B 0050 ESTABLISHED     899\n" +
		"TCP C6336407 8002 CB007120 01BB 0A00030B 01BB SYN_RECV         59\n")
	if got := s.scene().Loads.Servers; len(got) != 1 || got[Place{id, rs}] != (Load{Conns: 2, Open: 1, Fresh: 2, HalfOpen: 1}) {
		t.Errorf("%+v", got)
	}
}

// hanging is established connections of a table that is not there any more: with
// many servers, or with one for many VIPs, as of a service of a mark.
type hanging struct {
	number int
	vips   bool
}

func (h hanging) Connections(bool) (io.ReadCloser, error) {
	var b strings.Builder
	for n := range h.number {
		to, dest := 0xCB00710A, 0x0B000000+n
		if h.vips {
			to, dest = dest, to
		}
		fmt.Fprintf(&b, "TCP C6336407 %04X %08X 0050 %08X 0050 ESTABLISHED     899\n", 1024+n%60000, to, dest)
	}
	return lines(b.String()).Connections(false)
}
func (hanging) ReadCost(uint64) time.Duration { return 0 }

// TestManyGone: however many connections are left of what was removed, little is
// kept of them, and little is told.
func TestManyGone(t *testing.T) {
	for h, want := range map[hanging]string{
		{2, false}:                "warning removed server - fix",
		{1, false}:                "warning removed server 11.0.0.0:80 fix",
		{3 * manyGone, false}:     "warning removed server - fix",
		{8, true}:                 strings.TrimSuffix(strings.Repeat("warning removed server 203.0.113.10:80 fix,", 8), ","),
		{manyPlaces + 1000, true}: "warning removed server fix",
	} {
		s := healthy(t, ipvs.Masq)
		s.from.Conns, s.from.ConnTime = h, time.Hour
		scene := s.scene()
		if n := len(scene.Loads.Gone); n > 2*manyGone+1 {
			t.Errorf("%+v: %d places are kept", h, n)
		}
		got := removed(&scene)
		sum := uint64(0)
		for _, n := range scene.Loads.Gone {
			sum += n.Open
		}
		for i := range got {
			got[i].Check = "removed server"
		}
		if all := strings.Join(told(got), ","); all != want || sum != uint64(h.number) {
			t.Errorf("%+v: %s, want %s; of %d connections", h, all, want, sum)
		}
		whole(t, got)
	}
}

// TestUnread: what cannot be read is told, and nothing is said about it.
func TestUnread(t *testing.T) {
	s := healthy(t, ipvs.Masq)
	s.from.Host = unreadable{s.host}
	scene, err := Gather(t.Context(), s.from, s.sampler.Observe(t.Context(), time.Now()))
	s.ok(err)
	if got := Run(scene); len(got) > 0 || !slices.Equal(scene.Unread, []string{"the firewall: " + ipvs.ErrPermission.Error()}) {
		t.Errorf("%q, unread %q", told(got), scene.Unread)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Gather(ended, s.from, scene.Sample); err == nil {
		t.Error("an ended context is no error")
	}
}

type unreadable struct{ *netcfg.Memory }

func (unreadable) Firewall() (r firewall.Rules, err error) { return r, ipvs.ErrPermission }

// TestProbes: each server is asked once, and what it answers explains symptoms.
func TestProbes(t *testing.T) {
	s := healthy(t, ipvs.Masq)
	other := ipvs.NewService(ipvs.AddressService(ipvs.UDP, netip.AddrPortFrom(vip, 53)))
	s.ok(s.table.AddService(t.Context(), other))
	s.ok(s.table.AddServer(t.Context(), other.ServiceID, ipvs.Server{Addr: netip.MustParseAddrPort("10.0.3.11:53")}))
	scene := s.scene()
	targets := Targets(scene, func(ipvs.ServiceID) bool { return true })
	if len(targets) != 2 || targets[0].Protocol != ipvs.TCP || targets[0].FullNAT {
		t.Errorf("%v", targets)
	}
	results := []probe.Result{
		{Target: targets[0], Finding: probe.Finding{Verdict: probe.Fine, Short: "answers"}},
		{Target: targets[1], Finding: probe.Finding{Verdict: probe.Fault, Short: "nothing listens", Evidence: []string{"RST"}, Next: []string{"ss"}}},
	}
	symptom := Finding{Check: "half-open", Severity: Fault, Service: http, Server: targets[1].Server.Addr, Evidence: []string{"5 of 5"}}
	got := told(Merge([]Finding{symptom}, Probed(results)))
	if !slices.Equal(got, []string{"fault probe 10.0.3.12:80"}) {
		t.Errorf("%q", got)
	}
	silent := Finding{Check: "neighbour", Severity: Fault, Service: http, Server: targets[1].Server.Addr, Evidence: []string{"FAILED"}}
	elsewhere := silent
	elsewhere.Server = targets[0].Server.Addr
	probed := Probed(results)
	all := Merge([]Finding{silent, elsewhere}, probed)
	if got := told(all); !slices.Equal(got, []string{"fault neighbour 10.0.3.11:80", "fault probe 10.0.3.12:80"}) || !slices.Equal(all[1].Evidence, []string{"RST", "FAILED"}) {
		t.Errorf("a silent server twice, or another one not: %q\n%+v", got, all)
	}
	if len(probed[0].Evidence) != 1 {
		t.Error("the next round's evidence would be told twice")
	}
	for want, answer := range map[string]probe.Finding{
		"":                                {Verdict: probe.Fine, Cause: probe.Alone},
		"fault probe of VIP -":            {Verdict: probe.Fault, Cause: probe.HostHasIt, Short: "taken"},
		"fault probe of VIP 10.0.3.11:80": {Verdict: probe.Fault, Cause: probe.ServerHasIt, Short: "taken", Servers: []netip.Addr{server(ipvs.Masq, 0).Addr()}},
		"notice probe of VIP -":           {Verdict: probe.Unknown, Cause: probe.ProxyARP, Short: "who knows"},
	} {
		found := Claimed(http, answer)
		whole(t, found)
		if got := strings.Join(told(found), ","); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

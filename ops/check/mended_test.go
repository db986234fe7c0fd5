package check

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
	"lvsdeck/ops/owner"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/probe"
)

// added is a second service, of one server.
func (s *site) added(p ipvs.Protocol, port uint16, at string) ipvs.ServiceID {
	s.t.Helper()
	id := ipvs.AddressService(p, netip.AddrPortFrom(vip, port))
	s.ok(s.table.AddService(s.t.Context(), ipvs.NewService(id)))
	s.ok(s.table.AddServer(s.t.Context(), id, ipvs.Server{Addr: netip.MustParseAddrPort(at), Weight: 1}))
	return id
}

// TestStandby: whatever may have moved a VIP to another host keeps it from being
// bound here, too; and so does not knowing.
func TestStandby(t *testing.T) {
	looked := 0
	for _, c := range []struct {
		mover func() (*owner.Process, error)
		want  string
	}{
		{nil, "fault vip - fix"},
		{func() (*owner.Process, error) { return nil, nil }, "fault vip - fix"},
		{func() (*owner.Process, error) { looked++; return &owner.Process{Name: "corosync", PID: 4}, nil }, "notice vip -"},
	} {
		s := healthy(t, ipvs.Direct)
		s.from.Mover = c.mover
		s.scene()
		if looked > 0 {
			t.Error("looked for who moves VIPs while they are here")
		}
		s.ok(s.host.Remove(netcfg.Address{Link: "eth0", Prefix: netip.PrefixFrom(vip, 32)}))
		scene := s.scene()
		scene.Elsewhere = map[netip.Addr]Elsewhere{vip: {At: time.Now(), Free: true}}
		if got := strings.Join(told(Run(scene)), ","); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	s := healthy(t, ipvs.Direct)
	s.from.Mover = func() (*owner.Process, error) { return nil, errors.New("no /proc") }
	s.ok(s.host.Remove(netcfg.Address{Link: "eth0", Prefix: netip.PrefixFrom(vip, 32)}))
	scene, err := Gather(t.Context(), s.from, s.sampler.Observe(t.Context(), time.Now()))
	s.ok(err)
	scene.Elsewhere = map[netip.Addr]Elsewhere{vip: {At: time.Now(), Free: true}}
	if got := strings.Join(told(Run(scene)), ","); got != "fault vip -" || len(scene.Unread) != 1 {
		t.Errorf("got %q; unread %q", got, scene.Unread)
	}
}

// TestVIPElsewhere: a VIP is bound here only once its segment was asked, and nobody
// had it.
func TestVIPElsewhere(t *testing.T) {
	w := watchOf(t, ipvs.Direct)
	w.ok(w.host.Remove(netcfg.Address{Link: "eth0", Prefix: netip.PrefixFrom(vip, 32)}))
	w.round(0)
	asked := free{verdict: probe.Fine}
	w.watch.open = func(netcfg.Surroundings, probe.Options) (prober, error) { return &asked, nil }
	all := func(ipvs.ServiceID) bool { return true }
	for _, c := range []struct {
		verdict probe.Verdict
		want    string
	}{{probe.Unknown, "fault vip -"}, {probe.Fine, "fault vip - fix"}, {probe.Fault, "notice vip -"}} {
		asked.verdict = c.verdict
		if _, err := w.watch.Probe(t.Context(), all, nil); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(told(w.watch.Latest().Findings), ","); got != c.want {
			t.Errorf("%v: got %q, want %q", c.verdict, got, c.want)
		}
		r, err := w.watch.round(t.Context(), true)
		w.ok(err)
		if got := strings.Join(told(r.Findings), ","); got != c.want {
			t.Errorf("%v, a round later: got %q, want %q", c.verdict, got, c.want)
		}
	}
}

// free is a prober that is told who else has a VIP.
type free struct {
	answering
	verdict probe.Verdict
}

func (f *free) Free(context.Context, netip.Addr, string) probe.Finding {
	return probe.Finding{Verdict: f.verdict, Short: "another host has it"}
}

// TestForwardingV6: a host that becomes a router goes on to listen to its own.
func TestForwardingV6(t *testing.T) {
	sysctls := map[string]plan.ChangeSysctl{}
	put := func(name, value string) { sysctls[name] = plan.ChangeSysctl{Name: name, Before: value, After: value} }
	put(forwardV6, "0")
	put(plan.AcceptRA("eth0"), "1")
	v := &ops.Service{Service: ipvs.Service{ServiceID: ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("[2001:db8::10]:80"))}}
	v.Servers = []*ops.Server{{Server: ipvs.Server{Addr: netip.MustParseAddrPort("[2001:db8:1::11]:80"), Forward: ipvs.Masq}}}
	scene := Scene{
		Sample: &ops.Sample{Services: []*ops.Service{v}}, Sysctls: sysctls,
		Ways: map[netip.Addr]Way{v.Servers[0].Addr.Addr(): {Path: netcfg.Path{Link: "eth1"}}},
		Out:  map[ipvs.Family]netcfg.Path{ipvs.IPv6: {Link: "eth0"}},
	}
	var steps []string
	for _, i := range forwarding(&scene)[0].Fix.Items {
		steps = append(steps, i.Step.String())
	}
	if got := strings.Join(steps, "; "); !strings.Contains(got, "accept_ra") || !strings.Contains(got, "; ") || strings.Index(got, "accept_ra") > strings.Index(got, "forwarding") {
		t.Errorf("%q", got)
	}
}

// TestForwardingOnce: services whose answers end at the same switch are one finding,
// which is about all of them.
func TestForwardingOnce(t *testing.T) {
	s := healthy(t, ipvs.Masq)
	other := s.added(ipvs.TCP, 443, "10.0.3.11:443")
	s.host.Put(forwardAll, "0")
	s.ok(s.host.Set("net/ipv4/conf/eth1/forwarding", "0"))
	scene := s.scene()
	at := netip.MustParseAddrPort("10.0.3.11:443")
	scene.Loads = &Loads{Servers: map[Place]Load{{other, at}: {Fresh: 9, HalfOpen: 9}}}
	found := Run(scene)
	if got := strings.Join(told(found), ","); got != "fault forwarding - fix" || !found[0].About(other, at) || !found[0].About(http, at) {
		t.Fatalf("%q: %+v", got, found)
	}
	if got := found[0].Services(); !slices.Equal(got, []ipvs.ServiceID{other, http}) && !slices.Equal(got, []ipvs.ServiceID{http, other}) {
		t.Errorf("it is about %v", got)
	}
	if all := strings.Join(found[0].Evidence, "; "); !strings.Contains(all, "net.ipv4.ip_forward is 0, too") || !strings.Contains(all, other.String()) {
		t.Errorf("%q", all)
	}
}

// TestUndrain: servers get the weights they had, as far as that is known; while a
// program manages the table they get none.
func TestUndrain(t *testing.T) {
	s := healthy(t, ipvs.Masq)
	first, second := server(ipvs.Masq, 0), server(ipvs.Masq, 1)
	s.edit(ipvs.Masq, func(r *ipvs.Server) { r.Weight = 30 }, 0, 1)
	s.save()
	s.edit(ipvs.Masq, func(r *ipvs.Server) { r.Weight = 0 }, 0, 1)
	s.from.Meant = func() (func(plan.Row) uint32, error) {
		return func(r plan.Row) uint32 { return map[netip.AddrPort]uint32{first: 10}[r.Server.Addr] }, nil
	}
	gives := func(scene Scene) (steps []string) {
		for _, f := range Run(scene) {
			if f.Check != "no server" || f.Fix == nil {
				continue
			}
			for _, i := range f.Fix.Items {
				steps = append(steps, i.Step.String()+" "+i.Reason)
			}
		}
		return steps
	}
	scene := s.scene()
	got := gives(scene)
	if len(got) != 2 || !strings.Contains(got[0], "0 to 10 ") || !strings.Contains(got[0], "before") || !strings.Contains(got[1], "0 to 30 ") || !strings.Contains(got[1], "saved") {
		t.Errorf("%v and %v: %q", first, second, got)
	}
	for _, f := range Run(scene) {
		if f.Check == "unsaved" && (strings.Contains(f.Means, "lvsdeck save") || strings.Contains(f.Means, "not there")) {
			t.Errorf("advises to save weight 0: %q", f.Means)
		}
	}
	scene.Meant, scene.Saved = nil, nil
	if got := gives(scene); len(got) != 2 || !strings.Contains(got[0], "0 to 1 ") || !strings.Contains(got[0], "not known") {
		t.Errorf("%q", got)
	}
	scene.Owner = &owner.Owner{Name: "keepalived", PID: 7, Will: "It will."}
	if got := gives(scene); len(got) > 0 {
		t.Errorf("gives weights to servers that keepalived took from: %q", got)
	}
}

// TestUnsavedWeights: a file that has other weights has rules nonetheless.
func TestUnsavedWeights(t *testing.T) {
	s := healthy(t, ipvs.Masq)
	s.save()
	s.edit(ipvs.Masq, func(r *ipvs.Server) { r.Weight = 2 }, 0)
	f := Run(s.scene())[0]
	if !strings.Contains(f.Means, "the saved rules run") || !strings.Contains(f.Means, "lvsdeck save") {
		t.Errorf("%q", f.Means)
	}
}

// TestGentleDrain: persistence templates that do not get fewer are what is wrong.
func TestGentleDrain(t *testing.T) {
	s := healthy(t, ipvs.Direct)
	v := ipvs.NewService(http)
	v.Persistence = ipvs.Persistence{On: true, Timeout: 300}
	s.ok(s.table.SetService(t.Context(), v))
	other := s.added(ipvs.TCP, 443, "203.0.113.11:443")
	w := ipvs.NewService(other)
	w.Persistence = v.Persistence
	s.ok(s.table.SetService(t.Context(), w))
	s.edit(ipvs.Direct, func(r *ipvs.Server) { r.Weight = 0 }, 0)
	var kept kept
	began := time.Now()
	look := func(after time.Duration, templates uint64) Finding {
		t.Helper()
		sample := s.sampler.Observe(t.Context(), began.Add(after))
		for _, v := range sample.Services {
			for _, r := range v.Servers {
				if v.ServiceID == http && r.Weight == 0 {
					r.Persistent, r.PersistentKnown = templates, true
				}
			}
		}
		scene, err := gather(t.Context(), s.from, sample, &kept, false)
		s.ok(err)
		found := Run(scene)
		i := slices.IndexFunc(found, func(f Finding) bool { return f.Check == "drain" })
		if i < 0 {
			t.Fatalf("%q", told(found))
		}
		return found[i]
	}
	for _, c := range []struct {
		after     time.Duration
		templates uint64
		want      Severity
	}{
		{0, 40, Notice},
		{200 * time.Second, 41, Notice},
		{310 * time.Second, 39, Notice},
		{620 * time.Second, 38, Notice},
		{900 * time.Second, 38, Notice},
		{930 * time.Second, 38, Warning},
	} {
		f := look(c.after, c.templates)
		if f.Severity != c.want {
			t.Errorf("%v, %d templates: %s; %q", c.after, c.templates, f.Severity, f.Evidence)
		}
		if !strings.Contains(f.Fix.Items[0].Reason, other.String()) {
			t.Errorf("the other service is not named: %q", f.Fix.Items[0].Reason)
		}
	}
}

// TestServedByItsCard: a DR server that is reached by another address of its own.
func TestServedByItsCard(t *testing.T) {
	s := healthy(t, ipvs.Direct)
	scene := s.scene()
	r := scene.Sample.Services[0].Servers[0]
	scene.Ways[r.Addr.Addr()] = Way{Path: netcfg.Path{Link: "eth0", Via: netip.MustParseAddr("203.0.113.77")}}
	at := fmt.Sprintf("warning route %s", r.Addr)
	if got := strings.Join(told(Run(scene)), ","); got != at {
		t.Errorf("idle: %q", got)
	}
	r.Active = 3 // half open ones are active, too
	if got := told(Run(scene)); len(got) != 1 {
		t.Errorf("half open: %q", got)
	}
	scene.Loads = &Loads{Servers: map[Place]Load{{http, r.Addr}: {Conns: 3, Open: 3}}}
	if got := told(Run(scene)); len(got) > 0 {
		t.Errorf("served: %q", got)
	}
}

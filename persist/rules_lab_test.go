package persist

import (
	"context"
	"net/netip"
	"sync"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/kernel"
	"lvsdeck/lab"
)

// TestLabReadRulesWhileOthersChangeThem on a real kernel, whose lists come in
// pieces: what is there all the while is read, once.
func TestLabReadRulesWhileOthersChangeThem(t *testing.T) {
	lab.Require(t)
	h := lab.New(t).Host("director")
	open := func() (c *kernel.Client) {
		var err error
		h.Do(func() { c, err = kernel.Open(t.Context(), kernel.Options{}) })
		ok(t, err)
		t.Cleanup(func() { c.Close() })
		return c
	}
	c := open()
	const services, servers, reads = 60, 70, 40
	id := func(n int) ipvs.ServiceID { return ipvs.MarkService(uint32(n), ipvs.IPv4) }
	server := func(n int) ipvs.Server {
		return ipvs.Server{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), 80), Forward: ipvs.Masq}
	}
	for n := range services {
		ok(t, c.AddService(t.Context(), ipvs.NewService(id(1+n))))
	}
	for n := range servers {
		ok(t, c.AddServer(t.Context(), id(1), server(n)))
	}
	ctx, stop := context.WithCancel(t.Context())
	var others sync.WaitGroup
	others.Go(func() { // comes and goes: a server before the others, and services all over the list
		c := open()
		for n := 0; ctx.Err() == nil; n++ {
			_ = c.AddServer(ctx, id(1), server(1000))
			_ = c.AddService(ctx, ipvs.NewService(id(1000+n%50)))
			_ = c.DeleteServer(ctx, id(1), server(1000))
			_ = c.DeleteService(ctx, id(1000+(n+25)%50))
		}
	})
	defer others.Wait()
	defer stop()
	tooFast, plain := 0, 0
	for range reads {
		if all, err := c.Rules(t.Context()); err == nil && !whole(ipvs.Rules{Services: all}, services, servers) {
			plain++
		}
		rules, err := ReadRules(t.Context(), c)
		switch {
		case err == errTooFast:
			tooFast++
		case err != nil:
			t.Fatal(err)
		case !whole(rules, services, servers):
			t.Fatal("something that was there all the while was left out, or read twice")
		}
	}
	t.Logf("of %d readings %d were too fast; without a second look %d were wrong", reads, tooFast, plain)
	if tooFast > reads/10 {
		t.Errorf("%d of %d tables were given up", tooFast, reads)
	}
	if plain == 0 {
		t.Error("one look is always right: then this test shows nothing")
	}
}

// whole tells whether rules have all that stays, and nothing twice.
func whole(r ipvs.Rules, services, servers int) bool {
	seen := map[string]int{}
	for _, s := range r.Services {
		if s.Mark <= uint32(services) {
			seen[s.String()]++
		}
		for _, rs := range s.Servers {
			if rs.Addr.Addr().As4()[2] == 0 {
				seen[ipvs.ServerTarget(s.ServiceID, rs)]++
			}
		}
	}
	for _, times := range seen {
		if times > 1 {
			return false
		}
	}
	return len(seen) == services+servers
}

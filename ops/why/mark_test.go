package why

import (
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ops/check"
)

// TestMarkThroughRules: a service of a mark is walked through the firewall as far as
// its packets are known.
func TestMarkThroughRules(t *testing.T) {
	const sets = "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d 203.0.113.10/32 -j MARK --set-xmark 0x7/0xffffffff\nCOMMIT\n"
	for rules, want := range map[string]Mark{
		sets: Fine,
		sets + "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -s 10.0.3.12/32 -j DROP\nCOMMIT\n": Bad,
		sets + "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -j ACCEPT\nCOMMIT\n":              Look,
	} {
		s := newSite(t, ipvs.Masq)
		id := ipvs.MarkService(7, ipvs.IPv4)
		s.ok(s.table.AddService(t.Context(), ipvs.NewService(id)))
		for n := range 2 {
			s.ok(s.table.AddServer(t.Context(), id, ipvs.Server{Addr: s.server(n), Forward: s.mode, Weight: 1}))
		}
		s.host.PutFirewall(false, rules)
		_, err := Begin(s.from, check.Place{Service: id}, false).All(t.Context(), func(a Answer) {
			if a.Topic == "firewall" && a.Mark != want {
				t.Errorf("%+v, want %v of\n%s", a, want, rules)
			}
		})
		s.ok(err)
	}
}

// TestFewHandshakes: one connection that is half open tells nothing.
func TestFewHandshakes(t *testing.T) {
	s := newSite(t, ipvs.Masq)
	for fresh, want := range map[uint64]string{
		1: "too few to judge by: 1 of 1 fresh connection is half open", 4: "too few to judge by: 1 of 4 fresh connections are half open",
		5: "half open: 1 of 5 fresh connections",
	} {
		s.change = func(c *check.Scene) {
			c.Loads = &check.Loads{Servers: map[check.Place]check.Load{{Service: http, Server: s.server(0)}: {Conns: fresh, Fresh: fresh, HalfOpen: 1}}}
		}
		_, said := s.ask(0, false)
		if a := said["handshakes"]; a.Says != want || strings.HasPrefix(want, "too few") != (a.Mark == Unknown) {
			t.Errorf("%+v, want %q", a, want)
		}
	}
}

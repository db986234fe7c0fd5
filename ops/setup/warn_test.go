package setup

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/owner"
)

// TestWarnings: what is said before, and only when there is reason to.
func TestWarnings(t *testing.T) {
	const far = "10.0.9.11"
	dr := ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:81"))
	for _, c := range []struct {
		says   string
		mode   Mode
		server string
		change func(*site, *Wish)
	}{
		{"keepalived (pid 7) manages this table. It fights.", NAT, "10.0.3.11", func(s *site, _ *Wish) {
			s.Owner = func() (*owner.Owner, error) { return &owner.Owner{Name: "keepalived", PID: 7, Will: "It fights."}, nil }
		}},
		{"Nobody was asked whether another host has 203.0.113.10.", NAT, "10.0.3.11", func(s *site, _ *Wish) { s.Asker = nil }},
		{"Whether another host has 203.0.113.10 is not known: a router answers for all.", NAT, "10.0.3.11", func(s *site, _ *Wish) {
			s.Asker = proxied{s.Asker.(segment)}
		}},
		{"No network of eth0 holds 192.0.2.10", NAT, "10.0.3.11", func(_ *site, w *Wish) {
			w.Service = ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("192.0.2.10:80"))
		}},
		{"10.0.9.11 is behind a router", NAT, far, func(s *site, _ *Wish) {
			s.ok(s.host.Add(netcfg.Route{To: netip.MustParsePrefix("10.0.9.0/24"), Via: netip.MustParseAddr("10.0.3.12"), Link: "eth1"}))
		}},
		{"clients in that network get answers past the director", NAT, "203.0.113.11", nil},
		{"any rule that masquerades more than what servers start", NAT, "10.0.3.11", func(s *site, w *Wish) {
			s.ok(s.host.Set("conntrack", "1"))
			w.SNAT = netip.MustParsePrefix("10.0.3.0/24")
		}},
		{"Servers no longer see who their clients are", FullNAT, "10.0.3.11", nil},
		{"there is 1.", FullNAT, "10.0.3.11", nil},
		{"there are 2.", FullNAT, "10.0.3.11", func(s *site, w *Wish) {
			s.ok(s.host.Add(netcfg.Address{Link: "eth1", Prefix: netip.MustParsePrefix("10.0.3.2/32")}))
			w.Sources = sources("10.0.3.1", "10.0.3.2")
		}},
		{"net.ipv4.vs.conntrack=1 is for the whole table", FullNAT, "10.0.3.11", func(s *site, _ *Wish) {
			s.ok(s.table.AddService(ctx, ipvs.NewService(dr)))
			s.ok(s.table.AddServer(ctx, dr, ipvs.Server{Addr: netip.MustParseAddrPort("203.0.113.11:81"), Forward: ipvs.Direct}))
		}},
		{"net.ipv4.vs.conntrack is 1", DR, "203.0.113.11", func(s *site, _ *Wish) { s.ok(s.host.Set("conntrack", "1")) }},
		{"Packets grow by 20 bytes", TUN, far, nil},
		{"Packets grow by 24 bytes", TUN, far, func(_ *site, w *Wish) { w.Tunnel.Type = ipvs.GRE }},
		{"Packets grow by 32 bytes", TUN, far, func(_ *site, w *Wish) { w.Tunnel = ipvs.Tunnel{Type: ipvs.GUE, Port: 6080} }},
		{"10.0.3.12:80 is in the service already and stays there.", NAT, "10.0.3.11", func(s *site, w *Wish) {
			s.ok(s.table.AddService(ctx, ipvs.NewService(w.Service)))
			s.ok(s.table.AddServer(ctx, w.Service, ipvs.Server{Addr: netip.MustParseAddrPort("10.0.3.12:80"), Weight: 1}))
		}},
		{"This SSH session from 198.51.100.7 comes in by eth0, which is touched by steps 3 and 6", NAT, "10.0.3.11", func(s *site, _ *Wish) {
			s.Session = &Session{Client: netip.MustParseAddr("198.51.100.7"), Server: netip.MustParseAddrPort("203.0.113.1:22")}
		}},
		{"comes in by eth1, which is touched by steps 3, 4 and 5", NAT, "10.0.3.11", func(s *site, _ *Wish) {
			s.Session = &Session{Client: netip.MustParseAddr("10.0.3.7"), Server: netip.MustParseAddrPort("10.0.3.1:22")}
		}},
	} {
		t.Run(c.says, func(t *testing.T) {
			plain := newSite(t, ipvs.IPv4, 2)
			w := wish(t, c.mode, "203.0.113.10:80", c.server)
			if c.change != nil {
				if d, err := plain.draft(w); err == nil && strings.Contains(strings.Join(d.Warnings, "\n"), c.says) {
					t.Errorf("warned without reason: %q", d.Warnings)
				}
				c.change(plain, &w)
			}
			d, err := plain.draft(w)
			plain.ok(err)
			if !strings.Contains(strings.Join(d.Warnings, "\n"), c.says) {
				t.Errorf("warnings: %q", d.Warnings)
			}
		})
	}
}

// TestTouchedOnTheWayBack: what is taken back can cut a session, too.
func TestTouchedOnTheWayBack(t *testing.T) {
	s := newSite(t, ipvs.IPv4, 2)
	w := usual(t, NAT, ipvs.IPv4, 2, 80)
	s.setUp(w)
	for session, want := range map[*Session]string{
		nil: "[Real servers stay", {}: "[Real servers stay", {Link: "eth5"}: "by eth5, which is touched by step 5:", // of all links
		{Client: netip.MustParseAddr("198.51.100.7"), Link: "eth0"}: "by eth0, which is touched by steps 2 and 5",
	} {
		back, err := s.Unset(ctx, session, w.Service)
		s.ok(err)
		if got := fmt.Sprint(back.Notes); !strings.Contains(got, want) {
			t.Errorf("%+v: %s", session, got)
		}
	}
}

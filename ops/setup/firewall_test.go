package setup

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/netcfg/firewall"
	"lvsdeck/ops/plan"
)

// shut is a filter that lets nothing through but logins.
const shut = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n"

// opened lists the accepting rules of a draft.
func opened(d Draft) (all []string) {
	for _, i := range d.Plan.Items {
		if f, ok := i.Step.(plan.ChangeSetting[netcfg.Filter]); ok && f.Setting.Jump == "ACCEPT" {
			all = append(all, strings.TrimPrefix(f.Row(), "iptables rule in filter "))
		}
	}
	return all
}

// TestShutFirewall: each mode opens what its own packets need, and nothing else.
func TestShutFirewall(t *testing.T) {
	for _, c := range []struct {
		name, server string
		mode         Mode
		change       func(*site, *Wish)
		want         []string
	}{
		{"nat", "10.0.3.11:8080", NAT, nil, []string{
			"INPUT: -d 203.0.113.10 -p tcp --dport 80 -j ACCEPT", "OUTPUT: -d 10.0.3.11 -p tcp --dport 8080 -j ACCEPT",
			"FORWARD: -s 10.0.3.11 -p tcp --sport 8080 -j ACCEPT",
		}},
		{"nat with snat", "10.0.3.11", NAT, func(_ *site, w *Wish) { w.SNAT = netip.MustParsePrefix("10.0.3.0/24") }, []string{
			"INPUT: -d 203.0.113.10 -p tcp --dport 80 -j ACCEPT", "OUTPUT: -d 10.0.3.11 -p tcp --dport 80 -j ACCEPT",
			"FORWARD: -s 10.0.3.11 -p tcp --sport 80 -j ACCEPT", "FORWARD: -i eth1 -o eth0 -s 10.0.3.0/24 -j ACCEPT",
			"FORWARD: -i eth0 -o eth1 -d 10.0.3.0/24 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		}},
		{"dr over UDP", "203.0.113.11", DR, func(_ *site, w *Wish) { w.Service.Protocol = ipvs.UDP }, []string{
			"INPUT: -d 203.0.113.10 -p udp --dport 80 -j ACCEPT", "OUTPUT: -d 203.0.113.10 -p udp --dport 80 -j ACCEPT",
		}},
		{"tun", "10.0.9.11", TUN, nil, []string{
			"INPUT: -d 203.0.113.10 -p tcp --dport 80 -j ACCEPT", "OUTPUT: -d 10.0.9.11 -p 4 -j ACCEPT",
		}},
		{"gue", "10.0.9.11", TUN, func(_ *site, w *Wish) { w.Tunnel = ipvs.Tunnel{Type: ipvs.GUE, Port: 6080} }, []string{
			"INPUT: -d 203.0.113.10 -p tcp --dport 80 -j ACCEPT", "OUTPUT: -d 10.0.9.11 -p udp --dport 6080 -j ACCEPT",
		}},
		{"IPv6 in IPv4", "10.0.9.11", TUN, func(_ *site, w *Wish) {
			w.Service = ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("[2001:db8:2::10]:80"))
			w.Link = "eth0"
		}, []string{"OUTPUT: -d 10.0.9.11 -p 41 -j ACCEPT"}},
		{"full nat", "10.0.3.11", FullNAT, nil, []string{
			"INPUT: -d 203.0.113.10 -p tcp --dport 80 -j ACCEPT", "OUTPUT: -d 10.0.3.11 -p tcp --dport 80 -j ACCEPT",
			"FORWARD: -s 10.0.3.11 -p tcp --sport 80 -j ACCEPT",
		}},
		{"somebody lets answers through", "10.0.3.11", FullNAT, func(s *site, _ *Wish) {
			s.host.PutFirewall(false, "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n")
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, ipvs.IPv4, 2)
			s.host.PutFirewall(false, shut)
			before := s.state()
			w := wish(t, c.mode, "203.0.113.10:80", c.server)
			if c.change != nil {
				c.change(s, &w)
				before = s.state()
			}
			d, err := s.draft(w)
			s.ok(err)
			if got := opened(d); !slices.Equal(got, c.want) {
				t.Errorf("opens\n%s", strings.Join(got, "\n"))
			}
			s.setUp(w)
			rules, err := s.host.Firewall()
			s.ok(err)
			for _, leg := range d.Found.legs(w) {
				if v := rules.Walk(leg.Hook, leg.Packet); v.Result != firewall.Passes {
					t.Errorf("set up, and %s: %v", leg.Why(), v)
				}
			}
			if r := s.setUp(w); !nothingToDo(states(r)) || len(r.Steps) != len(d.Plan.Items) {
				t.Errorf("the second time: %v", states(r))
			}
			s.unset(w.Service)
			s.same("unset", before)
		})
	}
}

// TestSharedOpening: what one set-up has let through, another one needs, too.
func TestSharedOpening(t *testing.T) {
	s := newSite(t, ipvs.IPv4, 2)
	s.host.PutFirewall(false, shut)
	before := s.state()
	a, b := usual(t, NAT, ipvs.IPv4, 2, 80), usual(t, NAT, ipvs.IPv4, 2, 443)
	for i := range b.Servers {
		b.Servers[i].Addr = netip.AddrPortFrom(b.Servers[i].Addr.Addr(), 80)
	}
	s.setUp(a)
	s.setUp(b)
	s.unset(a.Service)
	if r := s.setUp(b); !nothingToDo(states(r)) {
		t.Errorf("the other one lost something: %v", states(r))
	}
	s.unset(b.Service)
	s.same("both unset", before)
}

// TestFirewallWarnings: what no rule of ours can open, what is not known, and what
// rewrites too much.
func TestFirewallWarnings(t *testing.T) {
	const broad = "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o eth1 -j MASQUERADE\nCOMMIT\n"
	for _, c := range []struct {
		name, rules, conntrack, want string
	}{
		{"another table", "*mangle\n:FORWARD DROP [0:0]\nCOMMIT\n", "0", "The firewall stops what set-up cannot let through: here the server's first answer goes back through the director, and drops: iptables-nft, table mangle, chain FORWARD: policy DROP. Allow it there."},
		{"not understood", "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m set --match-set bad src -j DROP\nCOMMIT\n", "0", "Whether the firewall lets all through is not known: unknown: iptables-nft"},
		{"broad masquerade", broad, "1", "With net.ipv4.vs.conntrack=1 a rule changes whom servers see as their client: -A POSTROUTING -o eth1 -j MASQUERADE in POSTROUTING"},
		{"broad masquerade that IPVS is spared", broad, "0", ""},
	} {
		s := newSite(t, ipvs.IPv4, 2)
		s.host.PutFirewall(false, c.rules)
		s.ok(s.host.Set("conntrack", c.conntrack))
		d, err := s.draft(usual(t, NAT, ipvs.IPv4, 2, 80))
		s.ok(err)
		said := strings.Join(d.Warnings, "\n")
		if c.want == "" && said != "" || !strings.Contains(said, c.want) || len(opened(d)) > 0 {
			t.Errorf("%s: %q, opens %q", c.name, d.Warnings, opened(d))
		}
		if strings.Count(said, "\n") > 6 {
			t.Errorf("%s: says too much: %q", c.name, d.Warnings)
		}
	}
}

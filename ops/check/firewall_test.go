package check

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
)

// firewalled are rules for a site, by table: "filter INPUT=DROP -A INPUT …".
func (s *site) firewalled(tables ...string) {
	var b strings.Builder
	for _, t := range tables {
		lines := strings.Split(t, "; ")
		fmt.Fprintf(&b, "*%s\n", lines[0])
		for _, hook := range []string{"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"} {
			policy := "ACCEPT"
			for _, l := range lines {
				if l == hook+" DROP" {
					policy = "DROP"
				}
			}
			fmt.Fprintf(&b, ":%s %s [0:0]\n", hook, policy)
		}
		for _, l := range lines {
			if strings.HasPrefix(l, "-A") {
				b.WriteString(l + "\n")
			}
		}
		b.WriteString("COMMIT\n")
	}
	s.filter(b.String())
}

func (s *site) moveVIP(to string) {
	s.ok(s.host.Remove(netcfg.Address{Link: "eth0", Prefix: netip.PrefixFrom(vip, 32)}))
	s.ok(s.host.Add(netcfg.Address{Link: to, Prefix: netip.PrefixFrom(vip, 32)}))
}

// another adds a service of a server.
func (s *site) another(p ipvs.Protocol, port uint16, forward ipvs.Forward) Place {
	s.t.Helper()
	at := Place{ipvs.AddressService(p, netip.AddrPortFrom(vip, port)), netip.AddrPortFrom(server(forward, 0).Addr(), port)}
	s.ok(s.table.AddService(s.t.Context(), ipvs.NewService(at.Service)))
	s.ok(s.table.AddServer(s.t.Context(), at.Service, ipvs.Server{Addr: at.Server, Forward: forward, Weight: 1}))
	return at
}

// TestSound: directors that live by rules which look bad. What is told is all that is,
// and no fix takes from clients what they have.
func TestSound(t *testing.T) {
	const nat, dr = ipvs.Masq, ipvs.Direct
	const notrack = "raw; -A PREROUTING -d 203.0.113.10/32 -p tcp -m tcp --dport 80 -j CT --notrack"
	const bySubnet = "nat; -A POSTROUTING -d 10.0.3.0/24 -o eth1 -j MASQUERADE"
	const other = "filter; INPUT DROP; -A INPUT -i eth2 -p tcp -m tcp --dport 80 -j ACCEPT"
	track := func(s *site, value string) { s.ok(s.host.Set("conntrack", value)) }
	asked := func(n uint64) func(*Scene) {
		return func(s *Scene) {
			r := s.Sample.Services[0].Servers
			s.Loads = &Loads{Servers: map[Place]Load{{http, r[0].Addr}: {Fresh: n, HalfOpen: n}}}
		}
	}
	conns := func(n uint64) func(*Scene) {
		return func(s *Scene) {
			s.Lately = map[Place]Moved{{http, s.Sample.Services[0].Servers[0].Addr}: {ipvs.Traffic{Conns: n, InPackets: 9 * n, OutPackets: 9 * n}, 10 * time.Second}}
		}
	}
	for _, c := range []struct {
		name  string
		mode  ipvs.Forward
		host  func(*site)
		scene func(*Scene)
		want  string
	}{
		{"NOTRACK", dr, func(s *site) {
			s.firewalled(notrack, "filter; INPUT DROP; -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED,UNTRACKED -j ACCEPT")
		}, nil, ""},
		{"NOTRACK with conntrack", dr, func(s *site) {
			track(s, "1")
			s.firewalled(notrack, "filter; -A INPUT -m conntrack --ctstate INVALID -j DROP")
		}, nil, ""},
		{"full NAT by subnet", nat, func(s *site) { track(s, "1"); s.firewalled(bySubnet) }, nil, "notice conntrack -"},
		{"full NAT by subnet beside DR", nat, func(s *site) {
			track(s, "1")
			s.firewalled(bySubnet, "filter; -A INPUT -m conntrack --ctstate INVALID -j DROP")
			s.another(ipvs.TCP, 443, dr)
		}, nil, "fault conntrack -,notice conntrack -"},
		{"a rule that would hide clients", nat, func(s *site) { s.firewalled(bySubnet) }, nil, ""},
		{"a rule that would hide clients, and must", nat, func(s *site) { s.firewalled(bySubnet) }, asked(5), "fault full nat - fix"},
		{"DR beside NAT that conntrack lets through", nat, func(s *site) {
			track(s, "1")
			s.firewalled("filter; FORWARD DROP; -A INPUT -m conntrack --ctstate INVALID -j DROP; -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
			s.another(ipvs.TCP, 443, dr)
		}, nil, "fault conntrack -"},
		{"the same without NAT", dr, func(s *site) {
			track(s, "1")
			s.firewalled("filter; FORWARD DROP; -A INPUT -m conntrack --ctstate INVALID -j DROP")
		}, nil, "fault conntrack - fix"},
		{"full NAT beside DR that conntrack would cut off", nat, func(s *site) {
			s.filter(fullRule + "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n")
			s.another(ipvs.TCP, 443, dr)
		}, nil, "fault full nat -"},
		{"VIP on lo, clients by another link", nat, func(s *site) { s.moveVIP("lo"); s.firewalled(other) }, nil, "notice firewall -"},
		{"VIP on another card than the clients'", nat, func(s *site) { s.moveVIP("eth1"); s.firewalled(other) }, nil, "notice firewall -"},
		{"VIP on another card, no redirects", nat, func(s *site) { s.moveVIP("eth1") }, nil, ""},
		{"VIP on lo of a host with one card", dr, func(s *site) {
			s.moveVIP("lo")
			s.firewalled("filter; INPUT DROP; -A INPUT -i eth1 -j ACCEPT")
		}, func(s *Scene) { s.Links = s.Links[:2] }, "fault firewall - fix"},
		{"a drop that connections refute", nat, func(s *site) { s.firewalled(other) }, conns(fewComing), "warning firewall -"},
		{"a drop that too few refute", nat, func(s *site) { s.firewalled(other) }, conns(fewComing - 1), "fault firewall - fix"},
		{"a drop that the rate refutes", nat, func(s *site) { s.firewalled(other) }, func(s *Scene) { s.Sample.Services[0].Rate.Conns = 9 }, "warning firewall -"},
		{"a drop of later packets that old connections refute", dr, func(s *site) {
			track(s, "1")
			s.firewalled("filter; -A INPUT -m conntrack --ctstate INVALID -j DROP")
		}, func(s *Scene) {
			s.Loads = &Loads{Servers: map[Place]Load{{http, s.Sample.Services[0].Servers[0].Addr}: {Conns: 40, Open: 30, Fresh: fewComing}}}
		}, "warning firewall -"},
		{"a mark's server that is dropped", dr, func(s *site) {
			s.ok(s.mark())
			s.edit(dr, func(r *ipvs.Server) {}, 0)
			s.firewalled("mangle; -A PREROUTING -d 203.0.113.10/32 -p tcp -j MARK --set-xmark 0x7/0xffffffff", "filter; FORWARD DROP")
			id := ipvs.MarkService(7, ipvs.IPv4)
			s.ok(s.host.Set("net/ipv4/conf/eth1/forwarding", "1"))
			s.ok(s.table.AddServer(s.t.Context(), id, ipvs.Server{Addr: server(nat, 1), Forward: nat, Weight: 1}))
		}, nil, "fault firewall 10.0.3.12:80 fix"},
		{"a mark whose packets may be dropped", dr, func(s *site) {
			s.ok(s.mark())
			s.firewalled("mangle; -A PREROUTING -p tcp -j HMARK --hmark-tuple src --hmark-mod 1 --hmark-offset 7", "filter; INPUT DROP; -A INPUT -p tcp -m tcp --dport 80 -j ACCEPT")
		}, nil, "notice firewall -"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := healthy(t, c.mode)
			c.host(s)
			scene := s.scene()
			if c.scene != nil {
				c.scene(&scene)
			}
			found := Run(scene)
			whole(t, found)
			if got := strings.Join(told(found), ","); got != c.want {
				t.Errorf("got %q, want %q\n%+v", got, c.want, found)
			}
		})
	}
}

// TestOneWay: of UDP nothing is said where answers never came.
func TestOneWay(t *testing.T) {
	for total, want := range map[ipvs.Traffic]string{
		{InPackets: 90000}:                    "",
		{InPackets: 90000, OutPackets: 40}:    "",
		{InPackets: 90000, OutPackets: 80000}: "warning answers 10.0.3.11:514",
	} {
		s := healthy(t, ipvs.Masq)
		at := s.another(ipvs.UDP, 514, ipvs.Masq)
		scene := s.scene()
		scene.each(func(v *ops.Service, r *ops.Server) {
			if v.ServiceID == at.Service {
				r.Total = total
			}
		})
		scene.Lately = map[Place]Moved{at: {ipvs.Traffic{Conns: 20, InPackets: 5000}, 10 * time.Second}}
		if got := strings.Join(told(Run(scene)), ","); got != want {
			t.Errorf("%+v: %q, want %q", total, got, want)
		}
	}
}

// TestSharesByChance: of a hundred servers some are far off by chance; one finding is
// of all that are not.
func TestSharesByChance(t *testing.T) {
	s := healthy(t, ipvs.Masq)
	for n := range 98 {
		at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 3, byte(100 + n)}), 80)
		s.ok(s.table.AddServer(t.Context(), http, ipvs.Server{Addr: at, Weight: 1}))
	}
	scene := s.scene()
	v := scene.Sample.Services[0]
	v.Scheduler, scene.Longer = "wrr", map[Place]Moved{}
	for i, r := range v.Servers {
		scene.Longer[Place{http, r.Addr}] = Moved{ipvs.Traffic{Conns: []uint64{10, 4, 16, 9, 11}[i%5]}, longer}
	}
	if got := Run(scene); len(got) > 0 {
		t.Errorf("%q", told(got))
	}
	for _, r := range v.Servers[:7] {
		scene.Longer[Place{http, r.Addr}] = Moved{ipvs.Traffic{Conns: 60}, longer}
	}
	got := Run(scene)
	if len(got) != 1 || got[0].Server.IsValid() || len(got[0].Evidence) != fewNamed+1 || !strings.HasPrefix(got[0].Short, "7 of 100 servers") {
		t.Errorf("%+v", got)
	}
	scene.Longer[Place{http, v.Servers[0].Addr}] = Moved{ipvs.Traffic{Conns: 900}, longer}
	for _, r := range v.Servers[1:] {
		scene.Longer[Place{http, r.Addr}] = Moved{ipvs.Traffic{Conns: 15}, longer}
	}
	if got := told(Run(scene)); len(got) != 1 || got[0] != "warning share "+v.Servers[0].Addr.String() {
		t.Errorf("%q", got)
	}
}

// TestMeterLonger: a longer while is told of when it is one.
func TestMeterLonger(t *testing.T) {
	var m meter
	now, at := time.Unix(1e9, 0), server(ipvs.Masq, 0)
	for i, passed := range []time.Duration{0, 2500 * time.Millisecond, longer - 3*time.Second, time.Second, longer, longer / 2} {
		now = now.Add(passed)
		r := &ops.Server{Server: ipvs.Server{Addr: at, Weight: 1}}
		r.Total.Conns, r.Counted = uint64(100*i), true
		m.add(&ops.Sample{Time: now, Services: []*ops.Service{{Service: ipvs.NewService(http), Servers: []*ops.Server{r}}}})
		_, long := m.moved()
		n, told := long[Place{http, at}]
		if told != (i > 2) || told && n.For < longer {
			t.Errorf("%d: %t, in %v", i, told, n.For)
		}
	}
}

// TestOneLook: what a single look leaves out is named where there is something to it.
func TestOneLook(t *testing.T) {
	sample := healthy(t, ipvs.Masq).scene().Sample
	if got := OneLook(sample); len(got) > 0 {
		t.Errorf("of a service that rests: %q", got)
	}
	sample.Services[0].Rate.Conns = 1
	if got := OneLook(sample); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

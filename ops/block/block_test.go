package block

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"lvsdeck/netcfg"
	"lvsdeck/ops/plan"
)

func of(client string, vip ...string) Block {
	b := Block{Client: netip.MustParsePrefix(client)}
	if len(vip) > 0 {
		b.VIP = netip.MustParseAddr(vip[0])
	}
	return b
}

func TestCheck(t *testing.T) {
	addr := netip.MustParseAddr
	spared := Spared{
		Operator: addr("192.0.2.44"), Peers: []netip.Addr{addr("192.0.2.44"), addr("198.51.98.3")}, Routers: []netip.Addr{addr("203.0.113.254")}, Own: []netip.Addr{addr("203.0.113.1"), addr("fe80::1")},
		VIPs: []netip.Addr{addr("203.0.113.10"), addr("2001:db8::10")}, Servers: []netip.Addr{addr("10.0.3.11")},
	}
	for _, c := range []struct {
		Block
		want string // "": allowed
	}{
		{of("198.51.100.7/32"), ""},
		{of("198.51.100.0/24", "203.0.113.10"), ""},
		{of("2001:db8:bad::/48", "2001:db8::10"), ""},
		{of("192.0.2.44/32"), "client 192.0.2.44: must not hold 192.0.2.44, where your own SSH session comes from; do it from elsewhere"},
		{of("192.0.2.0/24", "203.0.113.10"), "where your own SSH session comes from"},
		{of("0.0.0.0/0"), "your own SSH session"},
		{of("203.0.113.10/32"), "must not hold 203.0.113.10, the address of a service"},
		{of("2001:db8::/32"), "must not hold 2001:db8::10, the address of a service"},
		{of("10.0.0.0/8"), "must not hold 10.0.3.11, a real server; name a smaller network"},
		{of("203.0.113.0/29"), "must not hold 203.0.113.1, this director's own address"},
		{of("fe80::/10"), "this director's own address"},
		{of("203.0.113.254/32"), "must not hold 203.0.113.254, a router of this director"},
		{of("198.51.100.7/24"), "client 198.51.100.7/24: must have no bits beyond its length; give the address (198.51.100.7) or the network (198.51.100.0/24)"},
		{of("198.51.96.0/22"), "must not hold 198.51.98.3, where an SSH session to this director comes from; name a smaller network"},
		{Block{}, "must be an address"},
		{of("198.51.100.7/32", "2001:db8::10"), "must be of the same family as 2001:db8::10"},
	} {
		if err := c.Check(spared); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.Block, err, c.want)
		}
	}
}

// TestCheckOperator: one on the link itself, and one of whom nothing is known.
func TestCheckOperator(t *testing.T) {
	for _, c := range []struct {
		client string
		Spared
		want string // "": allowed
	}{
		{"fe80::/10", Spared{Operator: netip.MustParseAddr("fe80::abcd%eth0")}, "where your own SSH session comes from"},
		{"fe80::abcd/128", Spared{Peers: []netip.Addr{netip.MustParseAddr("fe80::abcd")}}, "where an SSH session to this director comes from"},
		{"198.0.0.0/7", Spared{Peers: []netip.Addr{netip.MustParseAddr("192.0.2.44")}}, ""},
		{"198.0.0.0/7", Spared{}, "client 198.0.0.0/7: must be of /8 or longer, as it is not known where you come from"},
		{"198.0.0.0/8", Spared{}, ""},
		{"2000::/3", Spared{}, "client 2000::/3: must be of /16 or longer"},
		{"2001::/16", Spared{}, ""},
	} {
		if err := of(c.client).Check(c.Spared); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %+v: %v, want %q", c.client, c.Spared, err, c.want)
		}
	}
}

// TestLook finds this host's addresses and its way to the world.
func TestLook(t *testing.T) {
	host := netcfg.New()
	own := netcfg.Address{Link: "eth0", Prefix: netip.MustParsePrefix("203.0.113.77/32")}
	if err := host.Add(own); err != nil {
		t.Fatal(err)
	}
	way, err := host.Path(netip.MustParseAddr("198.41.0.4"), netip.Addr{})
	if err != nil || !way.Via.IsValid() {
		t.Fatalf("%+v, %v", way, err)
	}
	s := Spared{Operator: netip.MustParseAddr("192.0.2.44")}
	if err := s.Look(host); err != nil || !slices.Contains(s.Own, own.Prefix.Addr()) || !slices.Contains(s.Routers, way.Via) {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestThereAndBack: what a plan adds is a rule that any host takes, is found among
// the firewall's rules, whoever else has rules there, and goes again.
func TestThereAndBack(t *testing.T) {
	host := netcfg.New()
	others := "*raw\n:PREROUTING ACCEPT [0:0]\n"
	for _, rule := range []string{
		"-s 192.0.2.1/32 -j DROP", // nobody's
		"-s 192.0.2.2/32 -m comment --comment other -j DROP",
		"-s 192.0.2.3/32 -p tcp -m comment --comment lvsdeck -j DROP", // a word more
		"! -s 192.0.2.4/32 -m comment --comment lvsdeck -j DROP",
		"-s 192.0.2.5/32 -m comment --comment lvsdeck -j ACCEPT",
		"-d 192.0.2.6/32 -m comment --comment lvsdeck -j DROP",
		"-s 192.0.2.9/32 -d 203.0.113.0/24 -m comment --comment lvsdeck -j DROP",
		"-s 192.0.2.10/32 -s 192.0.2.11/32 -m comment --comment lvsdeck -j DROP",
		"-s 192.0.2.7/32 -m set --match-set a src -m comment --comment lvsdeck -j DROP",
	} {
		others += "-A PREROUTING " + rule + "\n"
	}
	host.PutFirewall(false, others+"COMMIT\n*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 192.0.2.8/32 -m comment --comment lvsdeck -j DROP\nCOMMIT\n")
	inForce := func() []Block {
		t.Helper()
		rules, err := host.Firewall()
		if err != nil {
			t.Fatal(err)
		}
		return InForce(rules)
	}
	if got := inForce(); len(got) != 0 {
		t.Fatalf("rules of others: %v", got)
	}
	all := []Block{of("198.51.100.0/24"), of("198.51.100.7/32", "203.0.113.10"), of("2001:db8:bad::/48", "2001:db8::10"), of("2001:db8:bad::7/128")}
	do := func(p plan.Plan) {
		t.Helper()
		for _, i := range p.Items {
			if err := i.Step.Do(t.Context(), plan.Target{Host: host}); err != nil {
				t.Fatal(err)
			}
		}
	}
	keep := Keep(all...)
	do(keep)
	if got := inForce(); !slices.Equal(got, all) {
		t.Errorf("in force: %v, want %v", got, all)
	}
	if !keep.AroundIPVS() || len(keep.Irreversible()) != 0 {
		t.Error("it is nothing to be confirmed")
	}
	if got, want := Keep(all[1]).Commands(), "iptables -w -t raw -I PREROUTING -s 198.51.100.7 -d 203.0.113.10 -m comment --comment lvsdeck -j DROP\n"; got != want {
		t.Errorf("%s want %s", got, want)
	}
	do(Lift(all[1], all[2]))
	if got := inForce(); !slices.Equal(got, []Block{all[0], all[3]}) {
		t.Errorf("in force: %v", got)
	}
	for p, want := range map[*plan.Plan]string{
		ptr(Keep(all[0])): "keep 198.51.100.0/24 out", ptr(Lift(all[1])): "no longer keep 198.51.100.7 out of 203.0.113.10", ptr(Keep(all...)): "keep 4 clients out",
	} {
		if p.Title != want {
			t.Errorf("%q, want %q", p.Title, want)
		}
	}
}

func ptr[T any](v T) *T { return &v }

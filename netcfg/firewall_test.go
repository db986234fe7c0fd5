package netcfg

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"lvsdeck/netcfg/firewall"
)

// testFirewalls is what every Firewalls says of a host that has no rules, and gets
// some.
func testFirewalls(t *testing.T, fresh func(*testing.T) Host) {
	t.Run("firewall", func(t *testing.T) {
		h := fresh(t)
		four := firewall.Packet{
			In: "eth0", Proto: 6, Flags: firewall.SYN, State: firewall.New,
			Src: netip.MustParseAddrPort("198.51.100.2:40000"), Dst: netip.MustParseAddrPort("203.0.113.2:80"),
		}
		six := four
		six.Src, six.Dst = netip.MustParseAddrPort("[2001:db8:1::2]:40000"), netip.MustParseAddrPort("[2001:db8:2::2]:80")
		read := func() firewall.Rules {
			t.Helper()
			r, err := h.Firewall()
			if err != nil || len(r.Unread) > 0 {
				t.Fatalf("%v, %v", r.Unread, err)
			}
			return r
		}
		version := func() uint32 {
			t.Helper()
			n, err := h.FirewallVersion()
			if again, err2 := h.FirewallVersion(); err != nil || err2 != nil || again != n {
				t.Errorf("versions %d and %d, %v, %v", n, again, err, err2)
			}
			return n
		}
		change := func(do func(Setting) error, filters ...Filter) {
			t.Helper()
			before := version()
			defer func() {
				if version() == before {
					t.Errorf("the version after %v is that of before", filters)
				}
			}()
			for _, f := range filters {
				if err := do(f); err != nil {
					t.Fatal(err)
				}
			}
		}
		expect := func(v firewall.Verdict, want firewall.Result) {
			t.Helper()
			if v.Result != want {
				t.Errorf("%v, want %v", v, want)
			}
		}
		if r := read(); r.Default != firewall.IptablesNFT || len(r.Backends()) > 0 {
			t.Errorf("a fresh host: %q, %v", r.Default, r.Backends())
		}
		expect(read().Walk(firewall.Input, four), firewall.Passes)
		drop := Filter{Table: "filter", Chain: "INPUT", Match: "-p tcp", Jump: "DROP"}
		open := Filter{Table: "filter", Chain: "INPUT", Match: "-p tcp --dport 80", Jump: "ACCEPT", First: true}
		drop6 := Filter{IPv6: true, Table: "filter", Chain: "INPUT", Match: "-s 2001:db8:1::/64", Jump: "REJECT"}
		change(h.Add, drop)
		v := read().Walk(firewall.Input, four)
		expect(v, firewall.Drops)
		if v.Backend != firewall.IptablesNFT || v.Table != "filter" || v.Chain != "INPUT" || !strings.Contains(v.Rule, Comment) {
			t.Errorf("%+v", v)
		}
		expect(read().Walk(firewall.Input, six), firewall.Passes)
		change(h.Add, open, drop6)
		expect(read().Walk(firewall.Input, four), firewall.Passes)
		expect(read().Walk(firewall.Input, six), firewall.Rejects)
		if got := read().Backends(); !slices.Equal(got, []firewall.Backend{firewall.IptablesNFT}) {
			t.Error(got)
		}
		out := four
		out.In, out.Out = "", "eth1"
		hide := Filter{Table: "nat", Chain: "POSTROUTING", Match: "-s 198.51.100.0/24 -o eth1", Jump: "MASQUERADE"}
		change(h.Add, hide)
		expect(read().Rewrites(firewall.Postrouting, out), firewall.Rewrites)
		change(h.Remove, drop, open, drop6, hide)
		expect(read().Rewrites(firewall.Postrouting, out), firewall.Passes)
		expect(read().Walk(firewall.Input, six), firewall.Passes)
	})
}

// TestPutFirewall: rules that are not ours, with ours around them.
func TestPutFirewall(t *testing.T) {
	m := New()
	m.PutFirewall(false, "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n"+
		"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:DOCKER-USER - [0:0]\n-A FORWARD -j DOCKER-USER\n-A DOCKER-USER -j RETURN\nCOMMIT\n")
	p := firewall.Packet{In: "eth1", Out: "eth0", Proto: 6, State: firewall.New,
		Src: netip.MustParseAddrPort("10.0.3.11:80"), Dst: netip.MustParseAddrPort("198.51.100.2:40000")}
	walk := func(h firewall.Hook) firewall.Verdict {
		t.Helper()
		r, err := m.Firewall()
		if err != nil || !slices.Equal(r.Owners(), []string{"Docker"}) {
			t.Fatalf("%v, %v", r.Owners(), err)
		}
		if r.Rewrites(firewall.Postrouting, p).Result != firewall.Rewrites {
			t.Error("nothing hides the servers")
		}
		return r.Walk(h, p)
	}
	if v := walk(firewall.Forward); v.Rule != "policy DROP" {
		t.Error(v)
	}
	for _, first := range []bool{true, false} {
		f := Filter{Table: "filter", Chain: "FORWARD", Match: "-s 10.0.3.0/24", Jump: "ACCEPT", First: first}
		must(m.Add(f))
		if v := walk(firewall.Forward); v.Result != firewall.Passes {
			t.Error(v)
		}
		must(m.Remove(f))
	}
	if v := walk(firewall.Input); v.Result != firewall.Passes {
		t.Error(v)
	}
}

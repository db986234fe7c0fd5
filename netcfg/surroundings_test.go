package netcfg

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
)

// testSurroundings is what every Surroundings says of the host of testHost.
func testSurroundings(t *testing.T, fresh func(*testing.T) Host) {
	t.Run("links", func(t *testing.T) {
		h := fresh(t)
		if err := h.Add(Dummy{"lvs0"}); err != nil {
			t.Fatal(err)
		}
		links, err := h.Links()
		if err != nil || !slices.IsSortedFunc(links, func(a, b Link) int { return a.Index - b.Index }) {
			t.Errorf("%v, %v", links, err)
		}
		find := func(name string) Link {
			i := slices.IndexFunc(links, func(l Link) bool { return l.Name == name })
			if i < 0 {
				t.Fatalf("no %s in %v", name, links)
			}
			return links[i]
		}
		if l := find("lo"); !l.Loopback || !l.Up || l.MAC != "" || l.MTU != 65536 || l.Index != 1 {
			t.Errorf("lo: %+v", l)
		}
		if l := find("eth0"); l.Loopback || !l.Up || !l.Carrier || len(l.MAC) != 17 || l.MTU != 1500 {
			t.Errorf("eth0: %+v", l)
		}
		if l := find("lvs0"); l.Kind != "dummy" || l.Up || l.Carrier {
			t.Errorf("lvs0: %+v", l)
		}
	})
	t.Run("addresses", func(t *testing.T) {
		h := fresh(t)
		quiet := Address{Link: "eth0", Prefix: cut("2001:db8:2::10/128"), NotSource: true}
		if err := h.Add(quiet); err != nil {
			t.Fatal(err)
		}
		all, err := h.Addresses()
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []LinkAddress{
			LinkAddress(quiet), {Link: "lo", Prefix: cut("127.0.0.1/8")}, {Link: "lo", Prefix: cut("::1/128")},
			{Link: "eth0", Prefix: cut("203.0.113.2/24")}, {Link: "eth1", Prefix: cut("2001:db8:3::1/64")},
		} {
			if !slices.Contains(all, want) {
				t.Errorf("no %v in %v", want, all)
			}
		}
	})
	t.Run("path", func(t *testing.T) {
		h := fresh(t)
		for _, s := range []Setting{
			Address{Link: "eth0", Prefix: cut("203.0.113.10/32")},
			Address{Link: "lo", Prefix: cut("203.0.113.11/32")},
			Address{Link: "eth1", Prefix: cut("2001:db8:3::10/128"), NotSource: true},
			Route{To: cut("10.0.0.0/8"), Via: ip("10.0.3.7"), Link: "eth1"},
			Route{To: cut("10.9.0.0/16"), Via: ip("10.0.3.8"), Link: "eth1"},
			Route{To: cut("2001:db8:9::/48"), Via: ip("2001:db8:3::9"), Link: "eth1"},
			Route{To: cut("0.0.0.0/0"), Via: ip("10.0.3.9"), Link: "eth1", Table: 100},
			Rule{From: cut("10.0.3.1/32"), Table: 100, Priority: 90},
			Rule{From: cut("203.0.113.10/32"), Protocol: "tcp", Port: 80, Table: 100, Priority: 91},
		} {
			if err := h.Add(s); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			to, from string
			want     Path
		}{
			{"203.0.113.2", "", Path{Local: true, Link: "lo", Source: ip("203.0.113.2")}},
			{"203.0.113.10", "", Path{Local: true, Link: "lo", Source: ip("203.0.113.10")}},
			{"203.0.113.11", "10.0.3.1", Path{Local: true, Link: "lo", Source: ip("10.0.3.1")}},
			{"127.0.0.5", "", Path{Local: true, Link: "lo", Source: ip("127.0.0.1")}},
			{"2001:db8:3::1", "", Path{Local: true, Link: "lo", Source: ip("2001:db8:3::1")}},
			{"203.0.113.77", "", Path{Link: "eth0", Source: ip("203.0.113.2")}},
			{"203.0.113.77", "203.0.113.10", Path{Link: "eth0", Source: ip("203.0.113.10")}},
			{"10.0.3.77", "", Path{Link: "eth1", Source: ip("10.0.3.1")}},
			{"2001:db8:3::77", "", Path{Link: "eth1", Source: ip("2001:db8:3::1")}},
			{"2001:db8:3::77", "2001:db8:3::10", Path{Link: "eth1", Source: ip("2001:db8:3::10")}},
			{"198.51.100.1", "", Path{Link: "eth0", Via: ip("203.0.113.1"), Source: ip("203.0.113.2")}},
			{"198.51.100.1", "203.0.113.11", Path{Link: "eth0", Via: ip("203.0.113.1"), Source: ip("203.0.113.11")}},
			{"198.51.100.1", "203.0.113.10", Path{Link: "eth0", Via: ip("203.0.113.1"), Source: ip("203.0.113.10")}},
			{"198.51.100.1", "10.0.3.1", Path{Link: "eth1", Via: ip("10.0.3.9"), Source: ip("10.0.3.1")}},
			{"10.8.0.1", "", Path{Link: "eth1", Via: ip("10.0.3.7"), Source: ip("10.0.3.1")}},
			{"10.9.0.1", "", Path{Link: "eth1", Via: ip("10.0.3.8"), Source: ip("10.0.3.1")}},
			{"2001:db8:9::1", "", Path{Link: "eth1", Via: ip("2001:db8:3::9"), Source: ip("2001:db8:3::1")}},
		} {
			var from netip.Addr
			if c.from != "" {
				from = ip(c.from)
			}
			if got, err := h.Path(ip(c.to), from); got != c.want || err != nil {
				t.Errorf("to %s from %q:\n got %+v (%v)\nwant %+v", c.to, c.from, got, err, c.want)
			} else if onLink := !c.want.Local && !c.want.Via.IsValid(); got.OnLink() != onLink {
				t.Errorf("to %s: on-link %v", c.to, got.OnLink())
			}
		}
		if p, err := h.Path(ip("2001:db8:77::1"), netip.Addr{}); !errors.Is(err, ErrNoRoute) {
			t.Errorf("to nowhere: %+v, %v", p, err)
		}
		for to, from := range map[string]string{"198.51.100.1": "192.0.2.1", "2001:db8:3::77": "2001:db8:3::78", "10.0.3.77": "2001:db8:3::1"} {
			if p, err := h.Path(ip(to), ip(from)); err == nil || errors.Is(err, ErrNoRoute) {
				t.Errorf("from an address of somebody else: %+v, %v", p, err)
			}
		}
		if err := h.Remove(Up{"eth0"}); err != nil {
			t.Fatal(err)
		}
		if p, err := h.Path(ip("198.51.100.1"), netip.Addr{}); !errors.Is(err, ErrNoRoute) {
			t.Errorf("after the link to the gateway went down: %+v, %v", p, err)
		}
		if p, err := h.Path(ip("203.0.113.2"), netip.Addr{}); !p.Local {
			t.Errorf("an IPv4 address of a link that is down: %+v, %v", p, err)
		}
	})
}

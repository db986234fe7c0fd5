package probe

import (
	"net/netip"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
)

// surroundings is a host made up for a test.
type surroundings struct {
	netcfg.Surroundings
	links     []netcfg.Link
	addresses []netcfg.LinkAddress
}

func (s surroundings) Links() ([]netcfg.Link, error)            { return s.links, nil }
func (s surroundings) Addresses() ([]netcfg.LinkAddress, error) { return s.addresses, nil }

// madeUp is a NAT director: VIPs on eth0 and lo, servers on eth1.
func madeUp(t *testing.T, services ...ipvs.ServiceID) host {
	t.Helper()
	s := surroundings{links: []netcfg.Link{
		{Index: 1, Name: "lo", MAC: "00:00:00:00:00:00", Loopback: true},
		{Index: 2, Name: "eth0", MAC: "02:00:00:00:00:01"},
		{Index: 3, Name: "eth1", MAC: "02:00:00:00:00:02"},
		{Index: 4, Name: "dummy0", Kind: "dummy", MAC: "02:00:00:00:00:03"},
	}}
	for _, a := range []struct{ link, prefix string }{
		{"lo", "127.0.0.1/8"}, {"lo", "::1/128"}, {"eth0", "203.0.113.1/24"}, {"eth0", "203.0.113.10/32"}, {"dummy0", "203.0.113.11/32"},
		{"dummy0", "192.0.2.10/32"}, {"eth1", "10.0.3.1/24"}, {"eth1", "10.0.9.1/24"}, {"eth1", "fe80::1/64"}, {"eth1", "2001:db8:3::1/64"},
	} {
		s.addresses = append(s.addresses, netcfg.LinkAddress{Link: a.link, Prefix: netip.MustParsePrefix(a.prefix)})
	}
	h, err := look(s, services)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func service(p ipvs.Protocol, at string) ipvs.ServiceID {
	return ipvs.AddressService(p, netip.MustParseAddrPort(at))
}

func TestSource(t *testing.T) {
	addr := func(s string) netip.Addr { a, _ := netip.ParseAddr(s); return a }
	h := madeUp(t, service(ipvs.TCP, "10.0.3.1:80"))
	for _, c := range []struct{ link, to, choice, vip, want string }{
		{"eth1", "10.0.9.5", "10.0.9.1", "203.0.113.10", "10.0.9.1"},     // the kernel's
		{"eth1", "10.0.9.5", "203.0.113.10", "203.0.113.10", "10.0.9.1"}, // but not the VIP
		{"eth1", "10.0.3.5", "10.0.3.1", "203.0.113.10", "10.0.9.1"},     // nor that of another service
		{"eth1", "2001:db8:3::5", "10.0.3.1", "203.0.113.10", "2001:db8:3::1"},
		{"eth0", "2001:db8:9::5", "", "2001:db8:3::1", "invalid IP"},
	} {
		if got := h.source(c.link, addr(c.to), addr(c.choice), addr(c.vip)); got.String() != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestBeyond(t *testing.T) {
	for _, c := range []struct {
		server, vip, want string
		services          []ipvs.ServiceID
	}{
		{"10.0.3.11", "203.0.113.10", "203.0.113.1", []ipvs.ServiceID{service(ipvs.TCP, "203.0.113.10:80")}},
		{"10.0.3.11", "203.0.113.10", "203.0.113.10", []ipvs.ServiceID{service(ipvs.TCP, "203.0.113.1:0")}}, // takes the answer, too
		{"10.0.3.11", "203.0.113.10", "203.0.113.1", []ipvs.ServiceID{ipvs.MarkService(7, ipvs.IPv4)}},
		{"10.0.3.11", "192.0.2.10", "192.0.2.10", []ipvs.ServiceID{ipvs.MarkService(7, ipvs.IPv6), service(ipvs.UDP, "192.0.2.10:0")}},
		{"10.0.3.11", "192.0.2.10", "203.0.113.1", []ipvs.ServiceID{ipvs.MarkService(7, ipvs.IPv4)}},
		{"10.0.3.11", "10.0.3.10", "203.0.113.1", nil},      // a VIP in the servers' network
		{"203.0.113.11", "203.0.113.10", "192.0.2.10", nil}, // what is left
		{"2001:db8:3::11", "203.0.113.10", "invalid IP", nil},
	} {
		if got := madeUp(t, c.services...).beyond(netip.MustParseAddr(c.server), netip.MustParseAddr(c.vip)); got.String() != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestSegment(t *testing.T) {
	h := madeUp(t)
	for addr, want := range map[string]string{
		"203.0.113.10": "eth0", "203.0.113.11": "eth0", "203.0.113.12": "eth0", "192.0.2.10": "", "10.0.3.9": "eth1", "2001:db8:3::9": "eth1",
	} {
		if l, ok := h.segment(netip.MustParseAddr(addr)); l.Name != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", addr, l.Name, ok)
		}
	}
}

// TestControls: addresses that are asked for to tell proxy ARP are in the VIP's
// network and nobody's we know; small networks have fewer.
func TestControls(t *testing.T) {
	h := madeUp(t)
	used := []netip.Addr{netip.MustParseAddr("203.0.113.2")}
	for range 200 {
		for _, vip := range []string{"203.0.113.10", "192.0.2.10", "2001:db8:3::10", "2001:db8:9::10"} {
			a := netip.MustParseAddr(vip)
			around, _ := a.Prefix(map[bool]int{true: 24, false: 64}[a.Is4()])
			all := h.controls(a, "eth0", used)
			for _, c := range all {
				if !around.Contains(c) || c == a || h.has(c) || c == used[0] || c == around.Addr() || c.String() == "203.0.113.255" {
					t.Fatalf("for %s %v is asked", vip, c)
				}
			}
			if len(all) != 2 || all[0] == all[1] {
				t.Fatalf("for %s: %v", vip, all)
			}
		}
	}
	h.addresses = append(h.addresses, netcfg.LinkAddress{Link: "eth0", Prefix: netip.MustParsePrefix("198.51.100.1/30")})
	if all := h.controls(netip.MustParseAddr("198.51.100.2"), "eth0", nil); len(all) != 0 {
		t.Errorf("a network of two: %v", all)
	}
}

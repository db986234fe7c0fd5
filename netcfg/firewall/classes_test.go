package firewall

import (
	"net/netip"
	"slices"
	"testing"
)

// TestClasses: what no rule tells apart is one class.
func TestClasses(t *testing.T) {
	c := saved("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 10.0.0.0/8 -p tcp -m multiport --dports 80,1000:2000 -j DROP\n-A INPUT -d 10.9.0.1/32 -j DROP\nCOMMIT\n", IPv4).Classes()
	for in, want := range map[string]string{
		"9.255.255.255:79": "0.0.0.0:1", "10.1.2.3:80": "10.0.0.0:80", "10.9.0.1:81": "10.9.0.1:81", "10.9.0.2:999": "10.9.0.2:81",
		"10.255.255.255:1999": "10.9.0.2:1000", "11.0.0.0:2001": "11.0.0.0:2001", "255.255.255.255:0": "11.0.0.0:0", "[::1]:65535": "[::]:2001",
	} {
		if got := c.AddrPort(netip.MustParseAddrPort(in)).String(); got != want {
			t.Errorf("%s stands in %s, want %s", in, got, want)
		}
	}
	if got := c.Addr(netip.Addr{}); got.IsValid() {
		t.Error(got)
	}
}

// classed holds that packets of one class meet one end.
func classed(t *testing.T, r Rules) {
	t.Helper()
	c := r.Classes()
	hosts := []netip.AddrPort{web().Src, web().Dst, netip.MustParseAddrPort("[2001:db8::1]:80")}
	for _, all := range c.addrs {
		for _, a := range all[:min(len(all), 12)] {
			hosts = append(hosts, netip.AddrPortFrom(a, 80), netip.AddrPortFrom(a.Next(), 80))
			if a.Prev().IsValid() {
				hosts = append(hosts, netip.AddrPortFrom(a.Prev(), 80))
			}
		}
	}
	for _, p := range c.ports[:min(len(c.ports), 12)] {
		for _, port := range []uint16{p - 1, p, p + 1} {
			hosts = append(hosts, netip.AddrPortFrom(web().Dst.Addr(), port))
		}
	}
	for _, h := range hosts {
		one := web()
		one.Src = h
		two := web()
		two.Dst = h
		three := web()
		three.Balanced = Balanced{VIP: h, Method: Masq}
		for _, p := range []Packet{one, two, three} {
			stands := p
			stands.Src, stands.Dst = c.AddrPort(p.Src), c.AddrPort(p.Dst)
			if vip := p.Balanced.VIP; vip.IsValid() {
				stands.Balanced.VIP = c.AddrPort(vip)
			}
			for _, hook := range []Hook{Prerouting, Input, Forward, Output, Postrouting} {
				if a, b := r.Each(hook, p), r.Each(hook, stands); !slices.Equal(a, b) {
					t.Errorf("%s of %+v: %v, but of its class %v", hook, p, a, b)
				}
				if a, b := r.Rewrites(hook, p), r.Rewrites(hook, stands); a != b {
					t.Errorf("%s of %+v: %v, but of its class %v", hook, p, a, b)
				}
			}
		}
	}
}

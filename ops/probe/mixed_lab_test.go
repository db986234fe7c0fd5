package probe

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/lab"
)

// TestMixed: IPv6 inside IPv4 and IPv4 inside IPv6, which only tunnels can.
func TestMixed(t *testing.T) {
	lab.Require(t)
	s := newSite(t, lab.TUN, sound, false)
	lab.Modprobe(t, "sit", "ip6_tunnel", "ip_gre", "ip6_gre", "fou", "fou6")
	other := func(h *lab.Host, card string, net, n int) {
		h.AddAddr(card, fmt.Sprintf("2001:db8:%d::%x/64", net, n))
	}
	other(s.Client, "eth0", 1, 2)
	other(s.Router, "eth0", 1, 254)
	other(s.Router, "eth1", 2, 254)
	other(s.Router, "eth2", 3, 254)
	other(s.Director, "eth0", 2, 1)
	s.Client.AddRoute("::/0", "2001:db8:1::fe")
	s.Director.AddRoute("::/0", "2001:db8:2::fe")
	vip4, vip6 := s.VIP, netip.MustParseAddr("2001:db8:2::a")
	s.Director.AddVIP("eth0", vip6)
	own := map[bool][]netip.Addr{false: s.Addrs}
	for i, h := range s.Servers {
		other(h, "eth0", 3, 11+i)
		h.AddRoute("::/0", "2001:db8:3::fe")
		h.AddVIP("lo", vip6)
		own[true] = append(own[true], netip.MustParseAddr(fmt.Sprintf("2001:db8:3::%x", 11+i)))
		for _, device := range []string{"sit0", "gre0", "ip6gre0", "ip6tnl0"} {
			h.Up(device)
		}
		h.Sysctl("net.ipv4.conf.all.rp_filter", "0")
		for _, device := range []string{"gre0", "ip6gre0", "ip6tnl0"} {
			h.Sysctl("net.ipv4.conf."+device+".rp_filter", "0")
		}
		h.Command("ip", "-4", "fou", "add", "port", "5555", "gue")
		h.Command("ip", "-6", "fou", "add", "port", "5555", "gue")
		// The module's own device takes IPv6 only.
		h.Command("ip", "-6", "tunnel", "change", "ip6tnl0", "mode", "any")
	}
	each := func(see func()) {
		for _, outer6 := range []bool{false, true} {
			for _, s.tunnel = range []ipvs.Tunnel{{}, {Type: ipvs.GUE, Port: guePort}, {Type: ipvs.GRE}} {
				s.VIP, s.Addrs = vip6, own[false]
				if outer6 {
					s.VIP, s.Addrs = vip4, own[true]
				}
				see()
			}
		}
	}
	each(func() { s.healthy(Options{}) })
	s.tunnel.Type = ipvs.IPIP
	s.Servers[0].Command("ip", "-6", "tunnel", "change", "ip6tnl0", "mode", "ip6ip6") // as the module made it
	r := s.prober(Options{}).Server(t.Context(), s.targets(ipvs.TCP, lab.HTTPPort)[0])
	if r.Cause != TunnelSilent || !strings.Contains(r.Short, "ip6tnl0 takes only IPv6 (its mode)") {
		t.Errorf("want the device's mode: %s", show(r.Finding))
	}
	s.Servers[0].Command("ip", "-6", "tunnel", "change", "ip6tnl0", "mode", "any")
	each(func() {
		s.served(0)
	})
}

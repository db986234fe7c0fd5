package probe

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/lab"
)

// TestTUN has the faults of tunnels in each kind of them, and those that are the
// same inside any in the plain ones.
func TestTUN(t *testing.T) {
	lab.Require(t)
	for _, c := range []struct {
		name, device string // which takes the packets
		v6           bool
		mss          int // with which full packets fit
		make         func(*site)
	}{
		{"ipip", "tunl0", false, 1440, nil},
		{"ipip IPv6", "ip6tnl0", true, 1400, nil},
		{"gue", "tunl0", false, 1428, func(s *site) { s.gue("-4") }},
		{"gue IPv6", "ip6tnl0", true, 1388, func(s *site) { s.gue("-6") }},
		{"gre", "gre0", false, 1436, func(s *site) { s.gre("ip_gre", "gre0") }},
		{"gre IPv6", "ip6gre0", true, 1396, func(s *site) { s.gre("ip6_gre", "ip6gre0") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, lab.TUN, c.v6)
			holder, ping := "tunl0", "icmp"
			if c.v6 {
				holder, ping = "ip6tnl0", "icmpv6"
			}
			faults := faultsOfVIP(holder)
			if c.make != nil {
				c.make(s)
				faults = faults[:1]
			}
			down := fault{name: "19 device down", verdict: Fault, cause: TunnelDown, says: c.device + " is down",
				do: "rs1 ip link set " + c.device + " down", undo: "rs1 ip link set " + c.device + " up; rs1 ip address replace VIP dev " + holder}
			if s.tunnel.Type == ipvs.GUE {
				down = fault{name: "20 port not open", verdict: Fault, cause: TunnelDown, says: "UDP port 5555",
					do: "rs1 ip FAMILY fou del port 5555", undo: "rs1 ip FAMILY fou add port 5555 gue"}
			}
			faults = append(faults, down, fault{name: "21 tunnel dropped", verdict: Fault, cause: TunnelSilent, says: "a firewall drops",
				do: "rs1 TABLES -A INPUT -s DIP ! -p " + ping + " -j DROP", undo: "rs1 TABLES -F INPUT"})
			if !c.v6 {
				strict := "rs1 sysctl -qw net.ipv4.conf." + c.device + ".rp_filter="
				_, mac := s.Servers[0].Card("eth0")
				faults = append(faults,
					fault{name: "16 rp_filter", verdict: Fault, cause: TunnelSilent, says: "rp_filter on " + c.device, do: strict + "1", undo: strict + "0"},
					fault{name: "22 somebody drops what comes from the VIP", verdict: Fault, cause: VIPSilent, says: "or from it are dropped",
						do: "router iptables -A FORWARD -s VIP -m mac --mac-source " + mac.String() + " -j DROP", undo: "router iptables -F FORWARD"},
				)
			}
			faults = append(faults, s.faultsOfSize(c.mss)...)
			if c.name == "ipip" {
				faults = append(faults, unplugged(ServerSilent))
			}
			s.breaks(faults)
		})
	}
}

// faultsOfSize are about packets as long as clients send: only the second server
// asks them for less.
func (s *site) faultsOfSize(mss int) []fault {
	router := "10.0.3.254"
	if s.VIP.Is6() {
		router = "2001:db8:3::fe"
	}
	ask := func(host string, mss int) string {
		return fmt.Sprintf("%s ip route replace default via %s advmss %d;", host, router, mss)
	}
	clear := fmt.Sprintf("rs1 ip route replace default via %s; rs2 ip route replace default via %s;", router, router)
	long := Options{MTU: true}
	return []fault{
		{name: "23 too long for this director's link", do: ask("rs2", mss), undo: clear, options: long,
			verdict: Warning, cause: TooBig, says: fmt.Sprintf("lower the server's MSS to %d", mss)},
		{name: "23 too long for a router", do: ask("rs1", mss) + ask("rs2", mss) + "router ip FAMILY route add RIP dev eth2 mtu 1400", undo: clear + "router ip FAMILY route del RIP dev eth2 mtu 1400",
			options: long, verdict: Warning, cause: TooBig, says: fmt.Sprintf("lower the server's MSS to %d", mss-100)},
		{name: "23 black hole", do: ask("rs1", mss) + ask("rs2", mss) + "rs1 ip link set eth0 mtu 1400", undo: "rs1 ip link set eth0 mtu 1500;" + clear,
			options: long, verdict: Fault, cause: BlackHole, says: "vanish"},
	}
}

// TestNoTunnel: a server that never heard of the tunnel.
func TestNoTunnel(t *testing.T) {
	lab.Require(t)
	for _, v6 := range []bool{false, true} {
		s := newSite(t, lab.DR, v6)
		for _, m := range strings.Fields("ip6_gre ip_gre gre fou6 fou ipip sit tunnel4 ip6_tunnel tunnel6") {
			if _, err := os.Stat("/sys/module/" + m); err == nil { // of an earlier test
				s.Director.Command("rmmod", m)
			}
		}
		s.Mode = lab.TUN
		for _, s.tunnel.Type = range []ipvs.TunnelType{ipvs.IPIP, ipvs.GRE} {
			for _, r := range s.prober(Options{}).Servers(t.Context(), s.targets(ipvs.TCP, lab.HTTPPort)...) {
				if r.Cause != NoTunnel {
					t.Errorf("want no tunnel of %s: %s", r.Target, show(r.Finding))
				}
			}
		}
	}
}

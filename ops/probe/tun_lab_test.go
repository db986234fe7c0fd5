package probe

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/lab"
)

func TestTUN(t *testing.T) {
	lab.Require(t)
	for _, c := range []struct {
		name, device string // which takes the packets
		v6           bool
		tunnel       ipvs.Tunnel
		mss          int // with which full packets fit
	}{
		{"ipip", "tunl0", false, ipvs.Tunnel{}, 1440},
		{"ipip IPv6", "ip6tnl0", true, ipvs.Tunnel{}, 1400},
		{"gue", "tunl0", false, ipvs.Tunnel{Type: ipvs.GUE, Port: guePort}, 1428},
		{"gue IPv6", "ip6tnl0", true, ipvs.Tunnel{Type: ipvs.GUE, Port: guePort}, 1388},
		{"gre", "gre0", false, ipvs.Tunnel{Type: ipvs.GRE}, 1436},
		{"gre IPv6", "ip6gre0", true, ipvs.Tunnel{Type: ipvs.GRE}, 1396},
	} {
		t.Run(c.name, func(t *testing.T) {
			holder, ping := "tunl0", "icmp" // of the VIP
			if c.v6 {
				holder, ping = "ip6tnl0", "icmpv6"
			}
			faults := faultsOfVIP(holder)
			if c.tunnel.Type == ipvs.IPIP {
				faults = append(faults, unplugged(ServerSilent))
			} else { // what is inside is the same in all of them
				faults = faults[:1]
			}
			faults = append(faults, fault{name: "21 tunnel dropped", do: "rs TABLES -A INPUT -s DIP ! -p " + ping + " -j DROP",
				verdict: Fault, cause: TunnelSilent, says: "a firewall drops"})
			if c.tunnel.Type == ipvs.GUE {
				faults = append(faults,
					fault{name: "20 port not open", do: "rs ip FAMILY fou del port 5555", verdict: Fault, cause: TunnelDown, says: "UDP port 5555"},
					fault{name: "checksums", change: withChecksum, verdict: Fine, cause: Answers})
			} else {
				faults = append(faults, fault{name: "19 device down", do: "rs ip link set " + c.device + " down", verdict: Fault, cause: TunnelDown, says: c.device + " is down"})
			}
			if c.tunnel.Type == ipvs.GRE {
				faults = append(faults, fault{name: "checksums", change: withChecksum, verdict: Fault, cause: TunnelSilent, says: "gre without checksums only"})
			}
			if !c.v6 {
				faults = append(faults,
					fault{name: "16 rp_filter", do: "rs sysctl -qw net.ipv4.conf." + c.device + ".rp_filter=1", verdict: Fault, cause: TunnelSilent, says: "rp_filter on " + c.device},
					fault{name: "22 somebody drops what comes from the VIP", make: noVIP, verdict: Fault, cause: VIPSilent, says: "or from it are dropped"})
			}
			s := newSite(t, lab.TUN, len(faults)+sound, c.v6)
			s.tunnels(c.tunnel, c.device)
			s.breaks(faults, Options{})
			s.sizes(len(s.Servers)-1, c.mss)
			s.served(len(faults))
		})
	}
}

// sizes is 23, about packets as long as clients send, with a server whose full
// packets fit with an MSS.
func (s *site) sizes(server, mss int) {
	s.t.Helper()
	ask := fmt.Sprintf("rs ip route replace default via GATEWAY advmss %d", mss)
	for _, c := range []struct {
		do      string
		verdict Verdict
		cause   Cause
		says    string
	}{
		{"", Warning, TooBig, fmt.Sprintf("lower the server's MSS to %d", mss)}, // for this director's link
		{ask, Fine, Answers, ""},
		{"router ip FAMILY route add RIP dev eth2 mtu 1400", Warning, TooBig, fmt.Sprintf("lower the server's MSS to %d", mss-100)},
		{"router ip FAMILY route del RIP dev eth2 mtu 1400; rs ip link set eth0 mtu 1400", Fault, BlackHole, "vanish"},
		{"rs ip link set eth0 mtu 1500;" + ask, Fine, Answers, ""},
	} {
		s.run(server, c.do)
		r := s.prober(Options{MTU: true}).Server(s.t.Context(), s.targets(ipvs.TCP, lab.HTTPPort)[server])
		s.t.Logf("after %q: %s", c.do, show(r.Finding))
		if r.Verdict != c.verdict || r.Cause != c.cause || !strings.Contains(r.Short, c.says) {
			s.t.Errorf("want after %q: %s, %s, %q; got %s", c.do, c.verdict, c.cause, c.says, show(r.Finding))
		}
	}
}

const guePort = 5555

// tunnels has all servers take packets from tunnels of a kind.
func (s *site) tunnels(kind ipvs.Tunnel, device string) {
	s.tunnel = kind
	lab.Modprobe(s.t, map[ipvs.TunnelType][]string{ipvs.GUE: {"fou", "fou6"}, ipvs.GRE: {"ip_gre", "ip6_gre"}}[kind.Type]...)
	for i, h := range s.Servers {
		switch kind.Type {
		case ipvs.GUE:
			s.run(i, "rs ip FAMILY fou add port 5555 gue")
		case ipvs.GRE:
			h.Up(device)
		}
		if s.VIP.Is4() {
			h.Sysctl("net.ipv4.conf."+device+".rp_filter", "0")
		}
	}
}

func withChecksum(t *Target) { t.Server.Tunnel.Flags = ipvs.TunnelChecksum }

// noVIP has the router drop what the server sends as the VIP.
func noVIP(s *site, server int) {
	_, mac := s.Servers[server].Card("eth0")
	s.run(server, "router iptables -A FORWARD -s VIP -m mac --mac-source "+mac.String()+" -j DROP")
}

// TestChecksums: GRE whose ends both want checksums.
func TestChecksums(t *testing.T) {
	lab.Require(t)
	s := newSite(t, lab.TUN, sound, false)
	s.tunnels(ipvs.Tunnel{Type: ipvs.GRE, Flags: ipvs.TunnelChecksum}, "gre0")
	for i := range s.Servers {
		s.run(i, "rs ip tunnel add summed mode gre local RIP remote DIP csum; rs ip link set summed up")
	}
	s.healthy(Options{})
	s.served(0)
	s.tunnel.Flags = 0
	for _, r := range s.prober(Options{}).Servers(t.Context(), s.targets(ipvs.TCP, lab.HTTPPort)...) {
		if r.Cause != TunnelSilent || !strings.Contains(r.Short, "gre with checksums only") {
			t.Errorf("want checksums: %s", show(r.Finding))
		}
	}
}

// TestNoTunnel: 18, servers that never heard of the tunnel.
func TestNoTunnel(t *testing.T) {
	lab.Require(t)
	for _, v6 := range []bool{false, true} {
		s := newSite(t, lab.DR, sound, v6)
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

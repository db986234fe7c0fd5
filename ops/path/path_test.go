package path

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"lvsdeck/ipvs"
)

func flow(p ipvs.Protocol, forward ipvs.Forward, vip, server string) Flow {
	return Flow{
		Service: ipvs.AddressService(p, netip.MustParseAddrPort(vip)),
		Server:  ipvs.Server{Addr: netip.MustParseAddrPort(server), Forward: forward},
		Client:  netip.MustParseAddrPort("198.51.100.2:40000"), Front: "eth0", Back: "eth1", Own: netip.MustParseAddr("10.0.3.1"),
	}
}

// TestLegs holds the whole table, mode by mode.
func TestLegs(t *testing.T) {
	const client, vip, server = "198.51.100.2:40000", "203.0.113.10:80", "10.0.3.11:8080"
	nat := flow(ipvs.TCP, ipvs.Masq, vip, server)
	tracked, full := nat, nat
	tracked.Conntrack, full.Conntrack, full.Hidden = true, true, true
	udp := flow(ipvs.UDP, ipvs.Masq, vip, server)
	dr := flow(ipvs.TCP, ipvs.Direct, vip, server)
	trackedDR := dr
	trackedDR.Conntrack = true
	tun := func(vip string, t ipvs.Tunnel) Flow {
		f := flow(ipvs.TCP, ipvs.TunnelFwd, vip, server)
		f.Server.Tunnel = t
		return f
	}
	in := "PREROUTING eth0/ 6 " + client + ">" + vip + " "
	input := "INPUT eth0/ 6 " + client + ">" + vip + " "
	forward := "FORWARD eth1/eth0 6 " + server + ">" + client + " "
	for _, c := range []struct {
		name string
		flow Flow
		want string
	}{
		{"NAT", nat, in + "NEW SYN; " + input + "NEW SYN; OUTPUT /eth1 6 " + client + ">" + server + " UNTRACKED SYN MASQ; " +
			"POSTROUTING /eth1 6 " + client + ">" + server + " UNTRACKED SYN MASQ; PREROUTING eth1/ 6 " + server + ">" + client + " INVALID SYN+ACK; " +
			forward + "INVALID SYN+ACK; POSTROUTING eth1/eth0 6 " + vip + ">" + client + " UNTRACKED SYN+ACK MASQ; " +
			in + "NEW ACK; " + input + "NEW ACK; OUTPUT /eth1 6 " + client + ">" + server + " UNTRACKED ACK MASQ; "},
		{"NAT that conntrack sees", tracked, "FORWARD eth1/eth0 6 " + server + ">" + client + " ESTABLISHED SYN+ACK; "},
		{"NAT that conntrack sees, later", tracked, input + "ESTABLISHED ACK; OUTPUT /eth1 6 " + client + ">" + server + " ESTABLISHED ACK MASQ; "},
		{"NAT, UDP", udp, "FORWARD eth1/eth0 17 " + server + ">" + client + " NEW ; "},
		{"full NAT", full, "PREROUTING eth1/ 6 " + server + ">10.0.3.1:0 ESTABLISHED SYN+ACK; " + forward + "ESTABLISHED SYN+ACK; "},
		{"full NAT, out", full, "POSTROUTING /eth1 6 " + client + ">" + server + " NEW SYN MASQ; "},
		{"DR", dr, input + "NEW SYN; OUTPUT /eth1 6 " + client + ">" + vip + " UNTRACKED SYN GATE; "},
		{"DR that conntrack sees", trackedDR, input + "INVALID ACK; OUTPUT /eth1 6 " + client + ">" + vip + " INVALID ACK GATE; "},
		{"TUN", tun(vip, ipvs.Tunnel{}), input + "NEW SYN; OUTPUT /eth1 4 10.0.3.1:0>10.0.3.11:0 NEW ; "},
		{"TUN, GUE", tun(vip, ipvs.Tunnel{Type: ipvs.GUE, Port: 6080}), "OUTPUT /eth1 17 10.0.3.1:0>10.0.3.11:6080 NEW ; "},
		{"TUN, GRE", tun(vip, ipvs.Tunnel{Type: ipvs.GRE}), "OUTPUT /eth1 47 10.0.3.1:0>10.0.3.11:0 NEW ; "},
		{"TUN, IPv6", tun("[2001:db8::10]:80", ipvs.Tunnel{}), "OUTPUT /eth1 41 10.0.3.1:0>10.0.3.11:0 NEW ; "},
	} {
		got := say(c.flow.Legs())
		if !strings.Contains(got, c.want) {
			t.Errorf("%s:\n%s\nwithout\n%s", c.name, strings.ReplaceAll(got, "; ", "\n"), strings.ReplaceAll(c.want, "; ", "\n"))
		}
		if forwards := c.flow.Server.Forward == ipvs.Masq; strings.Contains(got, "FORWARD ") != forwards {
			t.Errorf("%s: passes FORWARD: %v", c.name, !forwards)
		}
	}
}

func say(legs []Leg) string {
	var b strings.Builder
	for _, l := range legs {
		p := l.Packet
		flags := map[uint8]string{0: "", 2: "SYN", 16: "ACK", 18: "SYN+ACK"}[uint8(p.Flags)]
		words := strings.TrimSuffix(fmt.Sprintf("%s %s/%s %d %v>%v %s %s %s", l.Hook, p.In, p.Out, p.Proto, p.Src, p.Dst, p.State, flags, p.Balanced.Method), " ")
		b.WriteString(words + "; ")
	}
	return b.String()
}

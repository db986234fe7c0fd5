package probe

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/probe/wire"
)

var (
	vip4, server4, dip4 = netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("10.0.3.11"), netip.MustParseAddr("10.0.3.1")
	router4             = netip.MustParseAddr("10.0.3.254")
	serverMAC, otherMAC = wire.MAC{2, 0, 0, 0, 0, 11}, wire.MAC{2, 0, 0, 0, 0, 254}
)

// replied is a question with what came back.
func replied(name string, r reply) *question {
	q := &question{Name: name, Header: wire.Header{Src: dip4, Dst: vip4}, Reply: r}
	if name == "SYN" {
		q.Ports.Src, q.Ports.Dst = 40000, 80
	}
	return q
}

func came(o outcome) reply {
	return reply{Outcome: o, From: vip4, MAC: serverMAC, Link: "eth1", TTL: 64, MSS: 1460}
}

func icmp(k wire.Kind, from netip.Addr, outer bool) reply {
	return reply{Outcome: failure, Kind: k, From: from, MAC: serverMAC, Link: "eth1", Outer: outer}
}

// basis is a server that has been sent to: what is found out comes on top.
func basis(how ipvs.Forward) facts {
	return facts{
		Target: Target{
			VIP: netip.AddrPortFrom(vip4, 80), Protocol: ipvs.TCP,
			Server: ipvs.Server{Addr: netip.AddrPortFrom(server4, 80), Forward: how},
		},
		Path: netcfg.Path{Link: "eth1", Source: dip4}, Link: netcfg.Link{Name: "eth1", Index: 2, MAC: "02:00:00:00:00:01", MTU: 1500},
		Hop: hop{Addr: server4, MAC: serverMAC}, Source: dip4, From: dip4, Beyond: vip4,
		SYN: replied("SYN", reply{Outcome: silence}), Ping: replied("ping", reply{Outcome: silence}),
	}
}

// TestJudge has one row for each way to a verdict; those that a kernel was seen
// to take are in the lab's tests as well.
func TestJudge(t *testing.T) {
	const nat, dr, tun = ipvs.Masq, ipvs.Direct, ipvs.TunnelFwd
	syn := func(r reply) func(*facts) { return func(f *facts) { f.SYN.Reply = r } }
	ping := func(r reply) func(*facts) { return func(f *facts) { f.Ping.Reply = r } }
	alive := func(f *facts) { f.Alive = replied("ping", came(echoed)) }
	dead := func(f *facts) { f.Alive = replied("ping", reply{Outcome: silence}) }
	direct := func(o outcome) func(*facts) { return func(f *facts) { f.Direct = replied("SYN", came(o)) } }
	udp := func(f *facts) { f.Protocol, f.SYN = ipvs.UDP, nil }
	router := func(f *facts) { f.Path.Via = router4; f.Hop.Addr, f.Hop.MAC = router4, otherMAC }
	detour := func(o outcome) reply { r := came(o); r.MAC = otherMAC; return r }
	elsewhere := func(o outcome) reply { r := came(o); r.Link = "eth0"; return r }
	long := func(r reply) func(*facts) {
		return func(f *facts) { f.Long = replied("ping", r); f.Long.Size = 1500; f.SYN.Reply = came(synAck) }
	}
	for _, c := range []struct {
		how     ipvs.Forward
		verdict Verdict
		cause   Cause
		says    string
		facts   []func(*facts)
	}{
		// Before any packet.
		{dr, Unknown, Interrupted, "no time", []func(*facts){func(f *facts) { f.Err = context.Canceled }}},
		{dr, Unknown, CannotSend, "broken", []func(*facts){func(f *facts) { f.Err = errors.New("broken") }}},
		{ipvs.Bypass, Unknown, NotProbed, "BYPASS", nil},
		{ipvs.LocalNode, Unknown, NotProbed, "it is not", nil},
		{nat, Fault, NoRoute, "no route", []func(*facts){func(f *facts) { f.NoRoute = netcfg.ErrNoRoute }}},
		{dr, Fault, BehindRouter, "10.0.3.254", []func(*facts){router}},
		{dr, Fine, Answers, "answers", []func(*facts){router, syn(came(synAck))}},
		{dr, Fault, NothingListens, "the VIP is there", []func(*facts){router, syn(came(reset)), direct(reset)}},
		{tun, Fault, OuterIsVIP, "with the VIP as source", []func(*facts){func(f *facts) { f.Path.Source = vip4 }}},
		{dr, Fault, HopSilent, "it does not answer ARP for 10.0.3.11", []func(*facts){func(f *facts) { f.Hop.Silent, f.Hop.MAC = true, wire.MAC{} }}},
		{tun, Fault, HopSilent, "the gateway 10.0.3.254 does not", []func(*facts){router, func(f *facts) { f.Hop.Silent, f.Hop.MAC = true, wire.MAC{} }}},
		{dr, Fault, HopSilent, "ARP", []func(*facts){dead, func(f *facts) { f.Hop.Silent = true }}},
		{dr, Fault, ShortPrefix, "for its own", []func(*facts){func(f *facts) { f.Hop.Deaf = true }}},
		{dr, Unknown, NoSource, "no IPv4 address but VIPs", []func(*facts){func(f *facts) { f.From = netip.Addr{} }}},

		// A server that is this host.
		{dr, Fine, Answers, "answers", []func(*facts){func(f *facts) { f.Path.Local = true }}},
		{dr, Unknown, NotProbed, "this director itself", []func(*facts){udp, func(f *facts) { f.Path.Local = true }}},
		{nat, Fault, ServerSilent, "a firewall drops", []func(*facts){func(f *facts) { f.Path.Local = true; f.Local = errors.New("timeout") }}},

		// NAT.
		{nat, Fine, Answers, "answers", []func(*facts){syn(came(synAck))}},
		{nat, Fault, OtherGateway, "another router", []func(*facts){syn(detour(synAck))}},
		{nat, Fault, OtherGateway, "another router", []func(*facts){syn(elsewhere(synAck))}},
		{nat, Unknown, BehindRouter, "from behind the router 10.0.3.254", []func(*facts){router, syn(detour(synAck))}},
		{nat, Fault, NothingListens, "port 80", []func(*facts){syn(came(reset))}},
		{nat, Fault, NothingListens, "its gateway is not this director", []func(*facts){syn(detour(reset))}},
		{nat, Fault, Rejected, "a firewall rejects", []func(*facts){syn(icmp(wire.Prohibited, server4, false))}},
		{nat, Fault, Unreachable, "10.0.3.254 says: host unreachable", []func(*facts){syn(icmp(wire.HostUnreachable, router4, false))}},
		{nat, Fault, Dropped, "a firewall drops", []func(*facts){ping(came(echoed))}},
		{nat, Fault, OtherGateway, "pings through another router", []func(*facts){ping(detour(echoed))}},
		{nat, Fault, NoWayBack, "or it has none", []func(*facts){direct(synAck)}},
		{nat, Fault, NoWayBack, "or it has none", []func(*facts){direct(silence), alive}},
		{nat, Fault, NothingListens, "", []func(*facts){direct(reset)}},
		{nat, Fault, ServerSilent, "down", []func(*facts){direct(silence), dead}},
		{nat, Unknown, NoSource, "cannot be seen", []func(*facts){direct(synAck), func(f *facts) { f.Beyond = netip.Addr{} }}},
		{nat, Fault, NothingListens, "", []func(*facts){direct(reset), func(f *facts) { f.Beyond = netip.Addr{} }}},
		{nat, Fine, Answers, "its gateway is this director, and it answers pings; whether its UDP service does cannot be known", []func(*facts){udp, ping(came(echoed))}},
		{nat, Unknown, NoWayBack, "unless a rule", []func(*facts){udp, alive}},
		{nat, Unknown, OtherGateway, "unless a rule", []func(*facts){udp, ping(detour(echoed))}},
		{nat, Unknown, Unanswered, "nothing else is tried for UDP", []func(*facts){udp, dead}},
		{nat, Fine, Answers, "answers", []func(*facts){fullNATFacts, direct(synAck)}},
		{nat, Fault, Dropped, "", []func(*facts){fullNATFacts, direct(silence), alive}},
		{nat, Fine, Answers, "it answers pings", []func(*facts){udp, fullNATFacts, alive}},
		{nat, Unknown, NoSource, "", []func(*facts){udp, fullNATFacts}},

		// DR.
		{dr, Fine, Answers, "answers", []func(*facts){syn(came(synAck))}},
		{dr, Fine, Answers, "the VIP is there and answers pings", []func(*facts){udp, ping(came(echoed))}},
		{dr, Warning, OneSource, "not 192.0.2.1", []func(*facts){syn(came(synAck)), ping(came(echoed)), func(f *facts) {
			f.Far = replied("ping", reply{Outcome: silence})
			f.Far.Header.Src = netip.MustParseAddr("192.0.2.1")
		}}},
		{dr, Fine, Answers, "", []func(*facts){syn(came(synAck)), func(f *facts) { f.Far = replied("ping", reply{Outcome: silence}) }}}, // no pings at all
		{dr, Fault, OtherAddress, "listens there only", []func(*facts){syn(came(reset)), direct(synAck)}},
		{dr, Fault, OtherPort, "DR cannot change ports", []func(*facts){syn(came(reset)), direct(reset), func(f *facts) { f.Other = replied("SYN", came(synAck)) }}},
		{dr, Fault, NothingListens, "the VIP is there", []func(*facts){syn(came(reset)), direct(reset)}},
		{dr, Fault, Rejected, "", []func(*facts){syn(icmp(wire.PortUnreachable, vip4, false))}},
		{dr, Fault, Rejected, "", []func(*facts){ping(icmp(wire.Prohibited, vip4, false))}},
		{dr, Fault, VIPMissing, "passes its packets on", []func(*facts){syn(icmp(wire.Expired, server4, false))}},
		{dr, Fault, VIPMissing, "passes its packets on", []func(*facts){ping(icmp(wire.Expired, server4, false))}},
		{dr, Fault, VIPMissing, "elsewhere", []func(*facts){syn(icmp(wire.HostUnreachable, server4, false))}},
		{dr, Fault, Dropped, "", []func(*facts){ping(came(echoed))}},
		{dr, Fault, VIPSilent, "the VIP is missing or a firewall drops", []func(*facts){alive}},
		{dr, Fault, ServerSilent, "its network's prefix", []func(*facts){dead}},
		{dr, Fault, ShortPrefix, "from beyond its segment only", []func(*facts){dead, func(f *facts) { f.Outside = replied("ping", came(echoed)) }}},
		{dr, Fault, VIPSilent, "", []func(*facts){udp, alive}},
		{dr, Unknown, Unanswered, "", []func(*facts){udp, dead}},

		// TUN.
		{tun, Fault, NoTunnel, "ipip is not loaded", []func(*facts){syn(icmp(wire.ProtocolUnreachable, server4, true))}},
		{tun, Fault, NoTunnel, "ip_gre", []func(*facts){ping(icmp(wire.ProtocolUnreachable, server4, true)), tunnelKind(ipvs.GRE)}},
		{tun, Fault, TunnelDown, "tunl0 is down", []func(*facts){syn(icmp(wire.PortUnreachable, server4, true))}},
		{tun, Fault, TunnelDown, "UDP port 5555", []func(*facts){syn(icmp(wire.PortUnreachable, server4, true)), tunnelKind(ipvs.GUE)}},
		{tun, Fault, Rejected, "protocol 4", []func(*facts){syn(icmp(wire.Prohibited, server4, true))}},
		{tun, Fault, Unreachable, "10.0.3.254 says", []func(*facts){syn(icmp(wire.Prohibited, router4, true))}},
		{tun, Fault, Rejected, "", []func(*facts){syn(icmp(wire.PortUnreachable, vip4, false))}},
		{tun, Fault, VIPSilent, "the tunnel works", []func(*facts){func(f *facts) { f.Inside = replied("ping", came(echoed)) }}},
		{tun, Fault, TunnelSilent, "gue with checksums only", []func(*facts){tunnelKind(ipvs.GUE), func(f *facts) { f.Toggled = replied("ping", came(echoed)) }}},
		{tun, Fault, TunnelDown, "UDP port 5555", []func(*facts){tunnelKind(ipvs.GUE), func(f *facts) { f.Toggled = replied("ping", icmp(wire.PortUnreachable, server4, true)) }}},
		{tun, Fault, TunnelSilent, "rp_filter on tunl0, or a firewall drops protocol 4", []func(*facts){alive}},
		{tun, Fault, ServerSilent, "", []func(*facts){dead}},
		{tun, Warning, TooBig, "1480 do: lower the server's MSS to 1440", []func(*facts){long(reply{Outcome: noRoom})}},
		{tun, Warning, TooBig, "1380 do: lower the server's MSS to 1340", []func(*facts){long(reply{Outcome: failure, Kind: wire.TooBig, MTU: 1400})}},
		{tun, Warning, TooBig, "packets of 1500 bytes", []func(*facts){long(reply{Outcome: failure, Kind: wire.TooBig})}},
		{tun, Fault, BlackHole, "vanish", []func(*facts){long(reply{Outcome: silence}), ping(came(echoed))}},
		{tun, Fine, Answers, "", []func(*facts){long(reply{Outcome: silence})}}, // no pings at all
		{tun, Fine, Answers, "", []func(*facts){long(came(echoed))}},
	} {
		f := basis(c.how)
		for _, set := range c.facts {
			set(&f)
		}
		got := f.judge()
		if got.Verdict != c.verdict || got.Cause != c.cause || !strings.Contains(got.Short, c.says) {
			t.Errorf("want %s, %s, %q; got %s", c.verdict, c.cause, c.says, show(got))
		}
		if got.Verdict == Fault && len(got.Evidence) == 0 {
			t.Errorf("a fault without evidence: %s", show(got))
		}
	}
}

func fullNATFacts(f *facts) { f.FullNAT, f.Ping = true, nil }

func tunnelKind(k ipvs.TunnelType) func(*facts) {
	return func(f *facts) { f.Server.Tunnel = ipvs.Tunnel{Type: k, Port: 5555} }
}

// TestShort: no time is written with an exponent, and none with digits that say
// nothing.
func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.0 ms", 420 * time.Microsecond: "0.4 ms", 9960 * time.Microsecond: "10 ms", 131 * time.Millisecond: "131 ms",
		999900 * time.Microsecond: "1 s", time.Second: "1 s", 1530 * time.Millisecond: "1.5 s", 20 * time.Minute: "1200 s",
	} {
		if got := short(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

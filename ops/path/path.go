// Package path knows which hooks of the kernel a balanced packet passes on a
// director, and what it looks like there: for set-up, which must open firewalls,
// and for checks, which look for what drops. It is a table, without I/O.
//
// Requests never pass FORWARD: IPVS takes them at INPUT and sends them by OUTPUT.
// Only the answers of NAT are forwarded, and filters see them before they become
// answers of the VIP. What conntrack makes of a packet depends on
// net.ipv4.vs.conntrack. (kernel: net/netfilter/ipvs/ip_vs_core.c, ip_vs_xmit.c)
//
// Out of scope: servers on the director itself, ICMP errors, FTP's data, and
// chains that nft lets stand behind IPVS (a priority of 99 or more).
package path

import (
	"net/netip"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg/firewall"
)

// Flow is a client's connection through a service to one server. What is left
// zero is not known. Of a firewall mark service, Service is the address, port and
// protocol that clients ask, or the mark service itself where they are not known.
type Flow struct {
	Service   ipvs.ServiceID
	Server    ipvs.Server
	Hidden    bool // full NAT: the server sees the director as its client
	Conntrack bool // net.ipv4.vs.conntrack

	Client      netip.AddrPort
	Front, Back string     // the links towards clients and towards the server
	Own         netip.Addr // the director's address towards the server
}

// Leg is one hook, with a packet as it is seen there.
type Leg struct {
	Hook   firewall.Hook
	Packet firewall.Packet
	What   string // the packet: "the client's first packet"
	Does   string // and what it does there: "comes in"
}

// Why is what the packet is there for: "the client's first packet comes in".
func (l Leg) Why() string { return l.What + " " + l.Does }

// Legs are the hooks in the order in which packets of a connection pass them:
// first the packets that begin it, then later ones.
func (f Flow) Legs() []Leg {
	legs := f.way("first", firewall.SYN, firewall.SYN|firewall.ACK)
	return append(legs, f.way("later", firewall.ACK, firewall.ACK)...)
}

func (f Flow) way(which string, request, answer firewall.Flags) []Leg {
	legs := f.request("the client's "+which, which == "later", request)
	if f.Server.Forward == ipvs.Masq {
		legs = append(legs, f.answer("the server's "+which, which == "later", answer)...)
	}
	return legs
}

// request comes in for the VIP and goes out for the server.
func (f Flow) request(whose string, later bool, flags firewall.Flags) []Leg {
	in := f.packet(f.Client, f.vip(), flags)
	in.In, in.State = f.Front, f.asked(later)
	out := f.handed(in)
	out.In, out.Out = "", f.Back
	return []Leg{
		{firewall.Prerouting, in, whose + " packet", "comes in"},
		{firewall.Input, in, whose + " packet", "comes to IPVS"},
		{firewall.Output, out, whose + " packet", "goes to the server"},
		{firewall.Postrouting, out, whose + " packet", "leaves for the server"},
	}
}

// answer comes from the server of NAT; IPVS makes it the VIP's behind the
// filters of FORWARD.
func (f Flow) answer(whose string, later bool, flags firewall.Flags) []Leg {
	in := f.packet(f.Server.Addr, f.Client, flags)
	in.In, in.State = f.Back, f.answered(later)
	before := in
	if f.Hidden { // to the address that nat gave the client, and its port
		before.Dst = netip.AddrPortFrom(f.Own, 0)
	}
	through := in
	through.Out = f.Front
	out := through
	out.Src = f.vip()
	out.Balanced = firewall.Balanced{VIP: f.vip(), Method: firewall.Masq, Reply: true}
	if !f.Conntrack {
		out.State = firewall.Untracked
	}
	return []Leg{
		{firewall.Prerouting, before, whose + " answer", "comes in"},
		{firewall.Forward, through, whose + " answer", "goes back through the director"},
		{firewall.Postrouting, out, whose + " answer", "leaves for the client"},
	}
}

func (f Flow) vip() netip.AddrPort { return netip.AddrPortFrom(f.Service.Addr, f.Service.Port) }

func (f Flow) packet(src, dst netip.AddrPort, flags firewall.Flags) firewall.Packet {
	p := firewall.Packet{Family: firewall.IPv4, Proto: uint8(f.Service.Protocol), Src: src, Dst: dst}
	if f.Service.Family == ipvs.IPv6 {
		p.Family = firewall.IPv6
	}
	if f.Service.Protocol == ipvs.TCP {
		p.Flags = flags
	}
	return p
}

// asked is the state of a request as it comes in. IPVS takes it before conntrack
// could remember it, unless it is told to let it; then conntrack wonders about
// TCP of which it sees one side only.
func (f Flow) asked(later bool) firewall.State {
	switch {
	case !later || !f.Conntrack:
		return firewall.New
	case f.Server.Forward == ipvs.Masq:
		return firewall.Established
	}
	return f.strange()
}

// strange is the state of what belongs to nothing that conntrack knows, and cannot
// begin a connection of TCP.
func (f Flow) strange() firewall.State {
	switch f.Service.Protocol {
	case ipvs.UDP:
		return firewall.New
	case 0: // of a mark
		return ""
	}
	return firewall.Invalid
}

// answered is the state of an answer as it comes in: without what conntrack knows
// of the request, a SYN and ACK belong to nothing.
func (f Flow) answered(later bool) firewall.State {
	switch {
	case f.Conntrack:
		return firewall.Established
	case later:
		return firewall.New
	}
	return f.strange()
}

// The protocols of IP on the outside of tunnels.
const (
	protoIPIP = 4
	protoUDP  = 17
	protoIPv6 = 41
	protoGRE  = 47
)

// handed is a request as IPVS sends it.
func (f Flow) handed(in firewall.Packet) firewall.Packet {
	out := in
	out.Balanced = firewall.Balanced{VIP: f.vip(), Method: firewall.Gate}
	switch f.Server.Forward {
	case ipvs.Masq:
		out.Dst, out.Balanced.Method = f.Server.Addr, firewall.Masq
	case ipvs.TunnelFwd:
		return f.wrapped()
	}
	if !f.Conntrack {
		out.State = firewall.Untracked
	}
	return out
}

// wrapped is a tunnel's packet: conntrack sees one that nobody ever answers. GUE
// chooses a port of its own to send from. -m ipvs knows no connection that looks
// like it.
func (f Flow) wrapped() firewall.Packet {
	out := firewall.Packet{
		Proto: protoIPIP, State: firewall.New, Src: netip.AddrPortFrom(f.Own, 0), Dst: netip.AddrPortFrom(f.Server.Addr.Addr(), 0),
	}
	switch {
	case f.Server.Tunnel.Type == ipvs.GUE:
		out.Proto, out.Dst = protoUDP, netip.AddrPortFrom(out.Dst.Addr(), f.Server.Tunnel.Port)
	case f.Server.Tunnel.Type == ipvs.GRE:
		out.Proto = protoGRE
	case f.Service.Family == ipvs.IPv6:
		out.Proto = protoIPv6
	}
	return out
}

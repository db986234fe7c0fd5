package wire

import "net/netip"

// Kind is what a packet is to a probe, in both families.
type Kind uint8

// The kinds.
const (
	Other Kind = iota
	TCPSegment
	EchoRequest
	EchoReply
	Advertisement // of a neighbour, IPv6

	// Errors, which quote the packet they are about.
	PortUnreachable
	ProtocolUnreachable
	HostUnreachable
	Prohibited
	TooBig
	Expired // TTL or hop limit ran out
)

// IsError tells the kinds that quote another packet.
func (k Kind) IsError() bool { return k >= PortUnreachable }

func (k Kind) String() string {
	return [...]string{
		"other", "TCP segment", "echo request", "echo reply", "neighbour advertisement",
		"port unreachable", "protocol unreachable", "host unreachable", "administratively prohibited",
		"too big", "time exceeded",
	}[k]
}

// echoType is an echo request's type.
func echoType(a netip.Addr) uint8 {
	if a.Is4() {
		return 8
	}
	return 128
}

// code is a type and code of ICMP.
type code struct{ kind, code uint8 }

var kinds4 = map[code]Kind{
	{0, 0}: EchoReply, {8, 0}: EchoRequest,
	{3, 0}: HostUnreachable, {3, 1}: HostUnreachable, {3, 2}: ProtocolUnreachable, {3, 3}: PortUnreachable, {3, 4}: TooBig,
	{3, 5}: HostUnreachable, {3, 6}: HostUnreachable, {3, 7}: HostUnreachable,
	{3, 9}: Prohibited, {3, 10}: Prohibited, {3, 13}: Prohibited,
	{11, 0}: Expired,
}

var kinds6 = map[code]Kind{
	{128, 0}: EchoRequest, {129, 0}: EchoReply, {136, 0}: Advertisement,
	{1, 0}: HostUnreachable, {1, 1}: Prohibited, {1, 3}: HostUnreachable, {1, 4}: PortUnreachable, {1, 5}: Prohibited, {1, 6}: HostUnreachable,
	{2, 0}: TooBig, {3, 0}: Expired, {4, 1}: ProtocolUnreachable,
}

// kindOf is the meaning of a type and code.
func kindOf(a netip.Addr, c code) Kind {
	if a.Is4() {
		return kinds4[c]
	}
	return kinds6[c]
}

package wire

import (
	"fmt"
	"net"
	"net/netip"
)

// MAC is a hardware address of Ethernet. The zero MAC is none.
type MAC [6]byte

func (m MAC) String() string { return net.HardwareAddr(m[:]).String() }

// ParseMAC reads a MAC as it is written; false for other hardware addresses.
func ParseMAC(s string) (MAC, bool) {
	a, err := net.ParseMAC(s)
	if err != nil || len(a) != len(MAC{}) {
		return MAC{}, false
	}
	return MAC(a), true
}

// VRRP tells the MAC of a virtual router, and its number (RFC 9568; CARP uses
// the same).
func (m MAC) VRRP() (id uint8, ok bool) {
	if [4]byte(m[:4]) != [4]byte{0x00, 0x00, 0x5e, 0x00} || m[4] != 1 && m[4] != 2 {
		return 0, false
	}
	return m[5], true
}

// Types of what Ethernet carries.
const (
	EtherIPv4 = 0x0800
	EtherARP  = 0x0806
	EtherIPv6 = 0x86dd
)

// Frame is what Ethernet carries, and where to.
type Frame struct {
	Type    uint16
	To      MAC
	Payload []byte
}

// FrameOf is a packet for a neighbour.
func FrameOf(packet []byte, to MAC) Frame {
	if packet[0]>>4 == 6 {
		return Frame{EtherIPv6, to, packet}
	}
	return Frame{EtherIPv4, to, packet}
}

// Claim says that an address is at a MAC.
type Claim struct {
	Addr netip.Addr
	MAC  MAC
}

func (c Claim) String() string { return fmt.Sprintf("%s is at %s", c.Addr, c.MAC) }

// WhoHas asks a segment for the MAC of an address: by ARP, or by neighbour
// solicitation. The one who asks is named by address and MAC; without an address
// (the zero Addr) it is the question of one who wants that address for itself
// (RFC 5227, RFC 4862).
func WhoHas(addr netip.Addr, from Claim) Frame {
	if addr.Is4() {
		return Frame{EtherARP, MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, arp(arpRequest, from, addr)}
	}
	// The group of all whose addresses end alike (RFC 4291, 2.7.1).
	group := netip.MustParseAddr("ff02::1:ff00:0").As16()
	last := addr.As16()
	copy(group[13:], last[13:])
	h := Header{Src: from.Addr, Dst: netip.AddrFrom16(group), TTL: 255}
	if !h.Src.IsValid() {
		h.Src = netip.IPv6Unspecified()
	}
	const solicitation, sourceMAC = 135, 1
	b := make([]byte, 8, 32)
	b[0] = solicitation
	b = append(b, addr.AsSlice()...)
	if from.Addr.IsValid() {
		b = append(b, sourceMAC, 1)
		b = append(b, from.MAC[:]...)
	}
	put16(b[2:], int(checksum(h.pseudo(ICMPv6, len(b)), b)))
	to := MAC{0x33, 0x33, group[12], group[13], group[14], group[15]}
	return Frame{EtherIPv6, to, h.packet(ICMPv6, b)}
}

const (
	arpRequest = 1
	arpReply   = 2
)

func arp(operation int, from Claim, target netip.Addr) []byte {
	b := make([]byte, 28)
	put16(b, 1) // Ethernet
	put16(b[2:], EtherIPv4)
	b[4], b[5] = 6, 4
	put16(b[6:], operation)
	copy(b[8:], from.MAC[:])
	copy(b[14:], from.Addr.AsSlice())
	copy(b[24:], target.AsSlice())
	return b
}

// ParseClaim reads who claims which address: the sender of an ARP packet,
// whether it answers, asks or announces, or an IPv6 neighbour's advertisement.
// Answer tells that it may be meant for who asked.
func ParseClaim(etherType uint16, b []byte) (c Claim, answer, ok bool) {
	switch etherType {
	case EtherARP:
		if len(b) < 28 || get16(b) != 1 || get16(b[2:]) != EtherIPv4 || b[4] != 6 || b[5] != 4 {
			return c, false, false
		}
		c = Claim{netip.AddrFrom4([4]byte(b[14:18])), MAC(b[8:14])}
		// Without an address it is somebody's question before taking one.
		return c, get16(b[6:]) == arpReply, !c.Addr.IsUnspecified()
	case EtherIPv6:
		p, ok := Parse(b)
		return p.Claim, true, ok && p.Kind == Advertisement && p.Claim.Addr.IsValid()
	}
	return c, false, false
}

// advertised reads a neighbour advertisement. Its MAC may be left out for those
// who must know it; the sender of the frame is then taken.
func advertised(b []byte) (Claim, bool) {
	const target, options, targetMAC = 8, 24, 2
	if len(b) < options {
		return Claim{}, false
	}
	c := Claim{Addr: netip.AddrFrom16([16]byte(b[target:options]))}
	for at := options; at+8 <= len(b) && b[at+1] != 0; at += int(b[at+1]) * 8 {
		if b[at] == targetMAC {
			c.MAC = MAC(b[at+2 : at+8])
		}
	}
	return c, true
}

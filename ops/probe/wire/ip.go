package wire

import (
	"encoding/binary"
	"net/netip"
)

// Protocols beside those of package ipvs.
const (
	ICMP   = 1
	IPIP   = 4 // IPv4 in something
	TCP    = 6
	UDP    = 17
	IPv6   = 41 // IPv6 in something
	GRE    = 47
	ICMPv6 = 58
)

// Header is what probes say and learn in an IP header. Both addresses are of
// one family.
type Header struct {
	Src, Dst netip.Addr
	TTL      uint8
	DF       bool // IPv4: never fragment it; IPv6 never does

	// ID is IPv4's identification (16 bits) or IPv6's flow label (20 bits): what
	// ICMP errors tell the packet again by.
	ID uint32
}

const (
	sizeIPv4 = 20
	sizeIPv6 = 40
)

// Overhead is the size of an IP header without options.
func Overhead(a netip.Addr) int {
	if a.Is4() {
		return sizeIPv4
	}
	return sizeIPv6
}

// packet puts the header before a payload.
func (h Header) packet(protocol uint8, payload []byte) []byte {
	if h.Src.Is4() {
		b := make([]byte, sizeIPv4, sizeIPv4+len(payload))
		b[0] = 4<<4 | sizeIPv4/4
		put16(b[2:], sizeIPv4+len(payload))
		put16(b[4:], int(h.ID))
		if h.DF {
			b[6] = 0x40
		}
		b[8], b[9] = h.TTL, protocol
		copy(b[12:], h.Src.AsSlice())
		copy(b[16:], h.Dst.AsSlice())
		put16(b[10:], int(checksum(0, b)))
		return append(b, payload...)
	}
	b := make([]byte, sizeIPv6, sizeIPv6+len(payload))
	binary.BigEndian.PutUint32(b, 6<<28|h.ID&0xfffff)
	put16(b[4:], len(payload))
	b[6], b[7] = protocol, h.TTL
	copy(b[8:], h.Src.AsSlice())
	copy(b[24:], h.Dst.AsSlice())
	return append(b, payload...)
}

// icmp is the family's ICMP.
func (h Header) icmp() uint8 {
	if h.Src.Is4() {
		return ICMP
	}
	return ICMPv6
}

// pseudo is the part of a checksum that comes from the IP header.
func (h Header) pseudo(protocol uint8, length int) uint32 {
	sum := uint32(protocol) + uint32(length)
	for _, a := range []netip.Addr{h.Src, h.Dst} {
		sum += add(0, a.AsSlice())
	}
	return sum
}

// checksum is RFC 1071's, over what was added before and b.
func checksum(sum uint32, b []byte) uint16 {
	sum = add(sum, b)
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

func add(sum uint32, b []byte) uint32 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	return sum
}

func put16(b []byte, n int) { binary.BigEndian.PutUint16(b, uint16(n)) }
func get16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
func get32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

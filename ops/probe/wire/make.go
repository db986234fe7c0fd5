package wire

import (
	"encoding/binary"

	"lvsdeck/ipvs"
)

// Flags of a TCP segment.
const (
	SYN uint8 = 0x02
	RST uint8 = 0x04
	ACK uint8 = 0x10
)

// Segment is a TCP segment without data.
type Segment struct {
	SrcPort, DstPort uint16
	Seq, Ack         uint32
	Flags            uint8
	MSS              uint16 // 0: the option is not there
}

// Segment makes the packet of a segment.
func (h Header) Segment(s Segment) []byte {
	const size, window, optionMSS = 20, 64240, 2
	b := make([]byte, size, size+4)
	put16(b, int(s.SrcPort))
	put16(b[2:], int(s.DstPort))
	binary.BigEndian.PutUint32(b[4:], s.Seq)
	binary.BigEndian.PutUint32(b[8:], s.Ack)
	if s.MSS != 0 {
		b = append(b, optionMSS, 4, byte(s.MSS>>8), byte(s.MSS))
	}
	b[12], b[13] = byte(len(b)/4<<4), s.Flags
	put16(b[14:], window)
	put16(b[16:], int(checksum(h.pseudo(TCP, len(b)), b)))
	return h.packet(TCP, b)
}

// Echo is an echo request or reply.
type Echo struct{ Ident, Seq uint16 }

// SmallEcho is the size of an echo that says no more than it must.
const SmallEcho = 8

// Echo makes the packet of an echo request; size is that of its ICMP part, of
// SmallEcho or more.
func (h Header) Echo(e Echo, size int) []byte {
	b := make([]byte, size)
	b[0] = echoType(h.Src)
	put16(b[4:], int(e.Ident))
	put16(b[6:], int(e.Seq))
	sum := uint32(0)
	if h.Src.Is6() {
		sum = h.pseudo(ICMPv6, len(b))
	}
	put16(b[2:], int(checksum(sum, b)))
	return h.packet(h.icmp(), b)
}

// Wrap puts a packet into a tunnel's, as IPVS does (Linux: ip_vs_xmit.c,
// ip_vs_tunnel_xmit). The flow is the UDP port that GUE sends from; of remote
// checksums IPVS itself sends none for packets it forwards.
func (h Header) Wrap(inner []byte, t ipvs.Tunnel, flow uint16) []byte {
	protocol, ether := uint8(IPIP), uint16(0x0800)
	if inner[0]>>4 == 6 {
		protocol, ether = IPv6, 0x86dd
	}
	summed := t.Flags&ipvs.TunnelChecksum != 0
	switch t.Type {
	case ipvs.GUE:
		const sizeUDP, sizeGUE = 8, 4
		b := make([]byte, sizeUDP+sizeGUE, sizeUDP+sizeGUE+len(inner))
		put16(b, int(flow))
		put16(b[2:], int(t.Port))
		b[9] = protocol
		b = append(b, inner...)
		put16(b[4:], len(b))
		if summed {
			sum := checksum(h.pseudo(UDP, len(b)), b)
			if sum == 0 { // which would say that there is none
				sum = 0xffff
			}
			put16(b[6:], int(sum))
		}
		return h.packet(UDP, b)
	case ipvs.GRE:
		b := make([]byte, 4, 8+len(inner))
		put16(b[2:], int(ether))
		if summed {
			b[0] = 0x80
			b = append(b, 0, 0, 0, 0)
		}
		b = append(b, inner...)
		if summed {
			put16(b[4:], int(checksum(0, b)))
		}
		return h.packet(GRE, b)
	}
	return h.packet(protocol, inner)
}

package wire

import "net/netip"

// Packet is what was read of a packet.
type Packet struct {
	Header
	Protocol uint8 // of what follows the headers of IP
	Kind     Kind
	Segment  Segment // of TCP
	Echo     Echo    // of an echo

	// Of ICMP.
	Type, Code uint8
	MTU        int     // of TooBig; 0 when an old router does not say
	About      *Packet // of an error: the packet it quotes, maybe cut short
	Claim      Claim   // of an advertisement
}

// Parse reads an IP packet. What is cut short after the IP header, as quotes
// are, is read as far as it goes; false is for what is no IP packet.
func Parse(b []byte) (Packet, bool) { return parse(b, false) }

func parse(b []byte, quoted bool) (Packet, bool) {
	p, rest, ok := parseHeader(b)
	if !ok || rest == nil {
		return p, ok
	}
	switch {
	case p.Protocol == TCP:
		p.segment(rest)
	case p.Protocol == p.icmp() && len(rest) >= SmallEcho:
		p.message(rest, quoted)
	}
	return p, true
}

// parseHeader gives the header and what follows it; nil when that is a later
// fragment.
func parseHeader(b []byte) (p Packet, rest []byte, ok bool) {
	switch {
	case len(b) >= sizeIPv4 && b[0]>>4 == 4:
		size := int(b[0]&0xf) * 4
		if size < sizeIPv4 || size > len(b) {
			return p, nil, false
		}
		p.Header = Header{
			Src: netip.AddrFrom4([4]byte(b[12:16])), Dst: netip.AddrFrom4([4]byte(b[16:20])),
			TTL: b[8], DF: b[6]&0x40 != 0, ID: uint32(get16(b[4:])),
		}
		p.Protocol = b[9]
		if get16(b[6:])&0x1fff != 0 {
			return p, nil, true
		}
		// Short frames are padded by Ethernet.
		if total := int(get16(b[2:])); total >= size && total < len(b) {
			b = b[:total]
		}
		return p, b[size:], true
	case len(b) >= sizeIPv6 && b[0]>>4 == 6:
		p.Header = Header{
			Src: netip.AddrFrom16([16]byte(b[8:24])), Dst: netip.AddrFrom16([16]byte(b[24:40])),
			TTL: b[7], ID: get32(b) & 0xfffff,
		}
		if total := sizeIPv6 + int(get16(b[4:])); total < len(b) {
			b = b[:total]
		}
		p.Protocol, rest = skipExtensions(b[6], b[sizeIPv6:])
		return p, rest, true
	}
	return p, nil, false
}

// skipExtensions passes over IPv6's headers between its own and the payload.
func skipExtensions(next uint8, b []byte) (protocol uint8, rest []byte) {
	const hopByHop, routing, fragment, destination = 0, 43, 44, 60
	for len(b) >= 8 {
		size := (int(b[1]) + 1) * 8
		switch next {
		case fragment:
			if get16(b[2:])&0xfff8 != 0 {
				return b[0], nil
			}
			size = 8
		case hopByHop, routing, destination:
		default:
			return next, b
		}
		if size > len(b) {
			return b[0], nil
		}
		next, b = b[0], b[size:]
	}
	return next, b
}

// segment reads at least the 8 bytes that every quote has.
func (p *Packet) segment(b []byte) {
	if len(b) < 8 {
		return
	}
	p.Kind = TCPSegment
	p.Segment = Segment{SrcPort: get16(b), DstPort: get16(b[2:]), Seq: get32(b[4:])}
	if len(b) < 20 {
		return
	}
	p.Segment.Ack, p.Segment.Flags = get32(b[8:]), b[13]
	end := min(int(b[12]>>4)*4, len(b))
	for at := 20; at < end; {
		const endOfList, nothing, mss = 0, 1, 2
		if b[at] == endOfList {
			return
		}
		if b[at] == nothing {
			at++
			continue
		}
		if at+1 >= end || b[at+1] < 2 {
			return
		}
		if b[at] == mss && b[at+1] == 4 && at+4 <= end {
			p.Segment.MSS = get16(b[at+2:])
		}
		at += int(b[at+1])
	}
}

// message reads an ICMP message of at least 8 bytes. Errors are never about
// errors, so a quote in a quote is not looked at.
func (p *Packet) message(b []byte, quoted bool) {
	p.Type, p.Code = b[0], b[1]
	p.Kind = kindOf(p.Src, code{b[0], b[1]})
	switch {
	case p.Kind == EchoRequest || p.Kind == EchoReply:
		p.Echo = Echo{Ident: get16(b[4:]), Seq: get16(b[6:])}
	case p.Kind == Advertisement:
		p.Claim, _ = advertised(b)
	case p.Kind.IsError() && !quoted:
		if p.Kind == TooBig {
			p.MTU = int(get16(b[6:])) // IPv6 has 32 bits for it, and no use for the upper ones
		}
		if about, ok := parse(b[8:], true); ok {
			p.About = &about
		}
	}
}

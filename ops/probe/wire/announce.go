package wire

import "net/netip"

// Announce tells a segment where an address is from now on, so that nobody looks
// for it where it was: an ARP announcement (RFC 5227, 3), or an advertisement
// that nobody has asked for (RFC 4861, 7.2.6).
func Announce(c Claim) Frame {
	if c.Addr.Is4() {
		return WhoHas(c.Addr, c)
	}
	const advertisement, override, targetMAC = 136, 0x20, 2
	all := netip.MustParseAddr("ff02::1")
	b := make([]byte, 8, 32)
	b[0], b[4] = advertisement, override
	b = append(b, c.Addr.AsSlice()...)
	b = append(b, targetMAC, 1)
	b = append(b, c.MAC[:]...)
	h := Header{Src: c.Addr, Dst: all, TTL: 255}
	put16(b[2:], int(checksum(h.pseudo(ICMPv6, len(b)), b)))
	return Frame{EtherIPv6, MAC{0x33, 0x33, 0, 0, 0, 1}, h.packet(ICMPv6, b)}
}

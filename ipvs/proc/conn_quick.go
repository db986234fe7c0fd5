package proc

import (
	"encoding/binary"
	"math/bits"

	"lvsdeck/ipvs"
)

// The layout of a line in ip_vs_conn_seq_show (net/netfilter/ipvs/ip_vs_conn.c):
// "%-3s %08X %04X %08X %04X %s %04X %-11s %7u", in ip_vs_conn_sync with "%-6s "
// before the number.
const (
	stateField  = 11
	numberField = 7
	originField = 6
)

const shortLine = len("TCP C0A80005 D431 C000020A 01BB 0A000001 01BB ESTABLISHED     893")

// quick reads a line of TCP or UDP in the kernel's own layout, which nearly every
// line is, and gives false for any other. It never disagrees with parse. A line
// that has its end in the middle it does not understand.
func (c *Conn) quick(line []byte) bool {
	if len(line) < shortLine {
		return false
	}
	switch binary.BigEndian.Uint32(line) {
	case 'T'<<24 | 'C'<<16 | 'P'<<8 | ' ':
		c.Protocol = ipvs.TCP
	case 'U'<<24 | 'D'<<16 | 'P'<<8 | ' ':
		c.Protocol = ipvs.UDP
	default:
		return false
	}
	c.Line, c.Engine, c.Data = line, nil, nil
	b := (*[42]byte)(line[4:])
	if (b[8]^' ')|(b[13]^' ')|(b[22]^' ')|(b[27]^' ')|(b[36]^' ')|(b[41]^' ') != 0 {
		return c.quick6(line[4:])
	}
	client, bad0 := nibbles(binary.BigEndian.Uint64(b[0:]))
	virtual, bad1 := nibbles(binary.BigEndian.Uint64(b[14:]))
	server, bad2 := nibbles(binary.BigEndian.Uint64(b[28:]))
	two, bad3 := nibbles(uint64(binary.BigEndian.Uint32(b[9:]))<<32 | uint64(binary.BigEndian.Uint32(b[23:])))
	one, bad4 := nibbles(zeros | uint64(binary.BigEndian.Uint32(b[37:])))
	if bad0|bad1|bad2|bad3|bad4 != 0 {
		return false
	}
	ports := pack(two)
	c.Client = Endpoint{0, mapped | pack(client), uint16(ports >> 16)}
	c.Virtual = Endpoint{0, mapped | pack(virtual), uint16(ports)}
	c.Server = Endpoint{0, mapped | pack(server), uint16(pack(one))}
	return c.quickEnd(line[46:])
}

// quick6 reads lines of which at least one address is of IPv6.
func (c *Conn) quick6(b []byte) bool {
	var ok [3]bool
	b, ok[0] = c.Client.quick(b)
	b, ok[1] = c.Virtual.quick(b)
	b, ok[2] = c.Server.quick(b)
	return ok == [3]bool{true, true, true} && c.quickEnd(b)
}

// quickEnd reads what stands after the addresses, unless there is more than the
// kernel writes without a persistence engine.
func (c *Conn) quickEnd(b []byte) bool {
	c.Origin = OriginUnknown
	switch len(b) {
	case stateField + 1 + numberField:
	case stateField + 1 + originField + 1 + numberField:
		switch string(b[stateField : stateField+originField+2]) {
		case " LOCAL  ":
			c.Origin = OriginLocal
		case " SYNC   ":
			c.Origin = OriginSync
		default:
			return false
		}
	default:
		return false
	}
	c.State = Word{binary.LittleEndian.Uint64(b), uint64(binary.LittleEndian.Uint32(b[8:])) | blanks>>32<<32}
	seconds, ok := decimal8(binary.BigEndian.Uint64(b[len(b)-8:]))
	c.Expires = seconds
	return ok && b[stateField] == ' ' && c.State.whole()
}

// decimal8 reads eight letters: blanks and then digits, at least one.
func decimal8(x uint64) (n uint32, ok bool) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	padding := bits.LeadingZeros64(x^blanks) &^ 7
	d := (x ^ '0'*ones) & (1<<(64-padding) - 1)
	ok = padding < 64 && (d|(d+(0x7f-9)*ones))&highs == 0
	d = d>>8&0x00ff00ff00ff00ff*10 + d&0x00ff00ff00ff00ff
	d = d>>16&0x0000ffff0000ffff*100 + d&0x0000ffff0000ffff
	return uint32(d>>32*10000 + d), ok
}

// whole tells a word that has something in it, and blanks at its end only. An
// end of line is no part of a word. It decides nothing on the way: states come in
// no order that a processor could foresee.
func (w Word) whole() bool {
	const ends = '\n' * 0x0101010101010101
	hi, lo := zeroBytes(w.Hi^blanks), zeroBytes(w.Lo^blanks)
	// All blanks together reach the end when adding the lowest of them carries out.
	gap := (hi + hi&-hi) | (lo + lo&-lo)
	early := ((hi | -hi) >> 63) & (((lo + 1) | -(lo + 1)) >> 63) // blanks in the first half, letters in the second
	return gap|early|hi&1|zeroBytes(w.Hi^ends)|zeroBytes(w.Lo^ends) == 0
}

// zeroBytes fills the bytes that are zero with ones, and the others with zeros.
func zeroBytes(x uint64) uint64 {
	const low = 0x7f7f7f7f7f7f7f7f
	z := ^((x&low + low) | x | low) // 0x80 for zero
	return z<<1 - z>>7
}

// quick reads one address and port, of either family, and the blank after them.
func (e *Endpoint) quick(b []byte) ([]byte, bool) {
	if len(b) >= 14 && b[8] == ' ' && b[13] == ' ' {
		addr, bad := nibbles(binary.BigEndian.Uint64(b))
		port, bad2 := nibbles(zeros | uint64(binary.BigEndian.Uint32(b[9:])))
		*e = Endpoint{0, mapped | pack(addr), uint16(pack(port))}
		return b[14:], bad|bad2 == 0
	}
	if len(b) < 45 || b[39] != ' ' || b[44] != ' ' {
		return nil, false
	}
	pair := func(i int) uint64 {
		return uint64(binary.BigEndian.Uint32(b[i:]))<<32 | uint64(binary.BigEndian.Uint32(b[i+5:]))
	}
	n0, bad0 := nibbles(pair(0))
	n1, bad1 := nibbles(pair(10))
	n2, bad2 := nibbles(pair(20))
	n3, bad3 := nibbles(pair(30))
	port, bad4 := nibbles(zeros | uint64(binary.BigEndian.Uint32(b[40:])))
	colons := (b[4] ^ ':') | (b[9] ^ ':') | (b[14] ^ ':') | (b[19] ^ ':') | (b[24] ^ ':') | (b[29] ^ ':') | (b[34] ^ ':')
	*e = Endpoint{pack(n0)<<32 | pack(n1), pack(n2)<<32 | pack(n3), uint16(pack(port))}
	return b[45:], bad0|bad1|bad2|bad3|bad4|uint64(colons) == 0
}

const zeros = 0x3030303000000000 // four digits before a port's

// nibbles reads eight hexadecimal digits of either case, each into its byte. bad
// is not 0 when one of them is none.
func nibbles(x uint64) (n, bad uint64) {
	const ones = 0x0101010101010101
	letters := x >> 6 & ones
	n = x&(0x0f*ones) + 9*letters
	// What these values look like as digits and capitals, and no value above 15.
	looks := n + '0'*ones + 7*((n+6*ones)>>4&ones)
	return n, (x&^(letters<<5) ^ looks) | n&(0xf0*ones)
}

// pack puts eight nibbles together.
func pack(n uint64) uint64 {
	n = (n | n>>4) & 0x00ff00ff00ff00ff
	n = (n | n>>8) & 0x0000ffff0000ffff
	return (n | n>>16) & 0xffffffff
}

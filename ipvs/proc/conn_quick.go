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
func (r *Conns) quick(c *Conn, line []byte) bool {
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
		return r.quick6(c, line[4:])
	}
	if r.ClientsOnly {
		client, bad0 := capitals(binary.BigEndian.Uint64(b[0:]))
		port, bad1 := capitals(zeros | uint64(binary.BigEndian.Uint32(b[9:])))
		c.Client = Endpoint{0, mapped | pack(client), uint16(pack(port))}
		return bad0|bad1 == 0 && r.quickEnd(c, line[46:])
	}
	client, bad0 := capitals(binary.BigEndian.Uint64(b[0:]))
	virtual, bad1 := capitals(binary.BigEndian.Uint64(b[14:]))
	server, bad2 := capitals(binary.BigEndian.Uint64(b[28:]))
	two, bad3 := capitals(uint64(binary.BigEndian.Uint32(b[9:]))<<32 | uint64(binary.BigEndian.Uint32(b[23:])))
	one, bad4 := capitals(zeros | uint64(binary.BigEndian.Uint32(b[37:])))
	if bad0|bad1|bad2|bad3|bad4 != 0 {
		return false
	}
	ports := pack(two)
	c.Client = Endpoint{0, mapped | pack(client), uint16(ports >> 16)}
	c.Virtual = Endpoint{0, mapped | pack(virtual), uint16(ports)}
	c.Server = Endpoint{0, mapped | pack(server), uint16(pack(one))}
	return r.quickEnd(c, line[46:])
}

// quick6 reads lines of which at least one address is of IPv6.
func (r *Conns) quick6(c *Conn, b []byte) bool {
	b, ok := c.Client.quick(b)
	for _, e := range []*Endpoint{&c.Virtual, &c.Server} {
		switch {
		case !ok:
			return false
		case !r.ClientsOnly:
			b, ok = e.quick(b)
		case len(b) >= 14 && b[8] == ' ' && b[13] == ' ':
			b = b[14:]
		case len(b) >= 45 && b[39] == ' ' && b[44] == ' ':
			b = b[45:]
		default:
			return false
		}
	}
	return ok && r.quickEnd(c, b)
}

// quickEnd reads what stands after the addresses, unless there is more than the
// kernel writes without a persistence engine.
func (r *Conns) quickEnd(c *Conn, b []byte) bool {
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
	ok := false
	end := binary.BigEndian.Uint64(b[len(b)-8:])
	if end>>32 == blanks>>32 {
		c.Expires, ok = decimal4(uint32(end))
	} else {
		c.Expires, ok = decimal8(end)
	}
	c.State = Word{binary.LittleEndian.Uint64(b), uint64(binary.LittleEndian.Uint32(b[8:])) | blanks>>32<<32}
	c.StateNumber = r.states.number(c.State)
	return ok && b[stateField] == ' ' && (c.StateNumber > 0 || c.State.whole())
}

// decimal4 reads four letters: blanks and then digits, at least one.
func decimal4(x uint32) (n uint32, ok bool) {
	const ones, highs = 0x01010101, 0x80808080
	digits := x >> 4 & ones // a blank lacks the bit that each digit has
	d := (x | 0x10*ones) ^ '0'*ones
	ok = (d|(d+(0x7f-9)*ones))&highs|d&^(digits*0xf)|(digits>>8)&^digits|^digits&1 == 0
	d = d>>8&0x00ff00ff*10 + d&0x00ff00ff
	return d>>16*100 + d&0xffff, ok
}

// decimal8 reads eight.
func decimal8(x uint64) (n uint32, ok bool) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	padding := bits.LeadingZeros64(x^blanks) &^ 7
	d := (x ^ '0'*ones) & (1<<(64-padding) - 1)
	ok = padding < 64 && (d|(d+(0x7f-9)*ones))&highs == 0
	d = d>>8&0x00ff00ff00ff00ff*10 + d&0x00ff00ff00ff00ff
	d = d>>16&0x0000ffff0000ffff*100 + d&0x0000ffff0000ffff
	return uint32(d>>32*10000 + d), ok
}

// states numbers the states that were met: they are few, so that each is looked
// at as a word but once.
type states struct {
	slots [1 << stateBits]struct {
		Word
		number uint8
	}
	met uint8
}

// MostStates is how many states are told apart by number.
const (
	MostStates = 48
	stateBits  = 6
)

// slot is where a word is, or where it would be.
func (s *states) slot(w Word) int {
	i := int((w.Hi*0x9e3779b97f4a7c15 ^ w.Lo*0xc2b2ae3d27d4eb4f) >> (64 - stateBits))
	for s.slots[i].number != 0 && s.slots[i].Word != w {
		i = (i + 1) % len(s.slots)
	}
	return i
}

// number is that of a state that was met, or 0.
func (s *states) number(w Word) uint8 { return s.slots[s.slot(w)].number }

// meet numbers a state that is sane, if there is room.
func (s *states) meet(w Word) uint8 {
	at := &s.slots[s.slot(w)]
	if at.number == 0 && s.met < MostStates {
		s.met++
		at.Word, at.number = w, s.met
	}
	return at.number
}

// whole tells a word that has something in it, and blanks at its end only. An
// end of line is no part of a word.
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
	return capitals(x &^ (x >> 1 & 0x2020202020202020)) // letters have the bit 0x40
}

// capitals is nibbles for digits and capitals.
func capitals(x uint64) (n, bad uint64) {
	const ones = 0x0101010101010101
	x -= '0' * ones // 0 to 9, or 17 to 22; what is below '0' borrows and gets too large
	letters := x >> 4 & ones
	n = x - 7*letters
	// Exactly the letters are above 9, and none is above 15.
	return n, ((n+6*ones)^x|n)&(0x10*ones) | x&(0xe0*ones)
}

// pack puts eight nibbles together.
func pack(n uint64) uint64 {
	n = (n | n>>4) & 0x00ff00ff00ff00ff
	n = (n | n>>8) & 0x0000ffff0000ffff
	return (n | n>>16) & 0xffffffff
}

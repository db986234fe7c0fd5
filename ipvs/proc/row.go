package proc

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
)

// lines hands out the lines of a text and counts them.
type lines struct {
	file   string // its name, for errors
	rest   []byte
	number int
}

// next gives the next line without its end, or false at the end of the text.
func (l *lines) next() ([]byte, bool) {
	if len(l.rest) == 0 {
		return nil, false
	}
	l.number++
	end := bytes.IndexByte(l.rest, '\n')
	if end < 0 {
		line := l.rest
		l.rest = nil
		return line, true
	}
	line := l.rest[:end]
	l.rest = l.rest[end+1:]
	return line, true
}

// row gives the next line to be read word by word; past the end, an empty one.
func (l *lines) row() row {
	line, _ := l.next()
	return row{rest: line}
}

// enough is how many letters of a line are shown that is not what it should be.
const enough = 60

// check turns a row's failure into an error that says where it is.
func (l *lines) check(r *row) error {
	if r.want == "" {
		return nil
	}
	return fmt.Errorf("/proc/net/%s line %d: expected %s, found %.*q", l.file, l.number, r.want, enough, r.got)
}

// row is what is left of one line. The first word that is not as expected is
// remembered, and everything read after it is worthless.
type row struct {
	rest []byte
	want string // what was expected where reading failed; "" so far
	got  []byte
}

func (r *row) fail(want string, got []byte) {
	if r.want == "" {
		r.want, r.got = want, got
	}
}

// word gives the next word between blanks, empty at the end of the line.
func (r *row) word() []byte {
	b, begin := r.rest, 0
	for len(b)-begin >= 4 && binary.NativeEndian.Uint32(b[begin:]) == 0x20202020 { // half the text is blanks
		begin += 4
	}
	for begin < len(b) && b[begin] == ' ' {
		begin++
	}
	end := begin
	for end < len(b) && b[end] != ' ' {
		end++
	}
	r.rest = b[end:]
	return b[begin:end]
}

// hex reads a word as an unsigned hexadecimal number of at most that many bits.
func (r *row) hex(bits int, want string) uint64 {
	word := r.word()
	n, ok := hex(word)
	if !ok || n>>(bits-1)>>1 != 0 {
		r.fail(want, word)
	}
	return n
}

// decimal reads a 32-bit number as the kernel's %d or %u prints it: what passes
// 2^31 may come out negative (a long persistence timeout at 1000 jiffies a
// second does).
func (r *row) decimal(want string) uint32 {
	word := r.word()
	digits := word
	negative := len(word) > 0 && word[0] == '-'
	if negative {
		digits = word[1:]
	}
	n, ok := uint64(0), len(digits) > 0 && len(digits) <= len("4294967295")
	for _, c := range digits {
		c -= '0'
		ok = ok && c <= 9
		n = n*10 + uint64(c)
	}
	if !ok || n >= 1<<32 || negative && n > 1<<31 {
		r.fail(want, word)
		return 0
	}
	if negative {
		return -uint32(n)
	}
	return uint32(n)
}

// endpoint reads an address and port: C0A80101:0050, or an IPv6 address written
// out in full, [2001:0db8:0000:0000:0000:0000:0000:0001]:0050.
func (r *row) endpoint(want string) netip.AddrPort {
	const v4, v6 = len("C0A80101"), len("[2001:0db8:0000:0000:0000:0000:0000:0001]")
	word := r.word()
	cut := len(word) - len(":0050")
	if cut != v4 && cut != v6 || word[cut] != ':' {
		r.fail(want, word)
		return netip.AddrPort{}
	}
	port, ok := hex(word[cut+1:])
	var addr netip.Addr
	if cut == v4 {
		n, good := hex(word[:cut])
		ok = ok && good
		addr = netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	} else {
		b, good := groups(word[:cut])
		ok = ok && good
		addr = netip.AddrFrom16(b)
	}
	if !ok {
		r.fail(want, word)
	}
	return netip.AddrPortFrom(addr, uint16(port))
}

// groups reads eight groups of four digits in brackets.
func groups(word []byte) (b [16]byte, ok bool) {
	const group = len("2001:")
	ok = word[0] == '[' && word[len(word)-1] == ']'
	for i := range 8 {
		at := 1 + i*group
		n, good := hex(word[at : at+4])
		ok = ok && good && (i == 7 || word[at+4] == ':')
		b[2*i], b[2*i+1] = byte(n>>8), byte(n)
	}
	return b, ok
}

// hex reads up to sixteen hexadecimal digits of either case.
func hex(word []byte) (n uint64, ok bool) {
	if len(word) == 0 || len(word) > 16 {
		return 0, false
	}
	var bad byte
	for _, c := range word {
		digit := digits[c]
		bad |= digit
		n = n<<4 | uint64(digit&0xf)
	}
	return n, bad <= 0xf
}

// digits gives each hexadecimal digit's value, and 0xff for what is none.
var digits = func() (table [256]byte) {
	for i := range table {
		table[i] = 0xff
	}
	for value, digit := range "0123456789ABCDEF" {
		table[digit] = byte(value)
	}
	for value, digit := range "abcdef" {
		table[digit] = byte(10 + value)
	}
	return table
}()

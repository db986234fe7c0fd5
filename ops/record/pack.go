package record

import (
	"encoding/binary"
	"errors"
	"math"

	"lvsdeck/ipvs"
)

// stream is one of the parts into which an event is laid out: what is alike
// stands together, which packs better.
type stream uint8

// The streams.
const (
	sMask stream = iota // what moved of each row
	sActive
	sInactive
	sTotals
	sRates
	sMisc // the seldom
	streams
)

// pack is an event on its way to bytes or back. The same code goes both ways: it
// names each value with what is expected, and what is written or read is the
// difference. Values are never changed when writing.
type pack struct {
	reading bool
	parts   [streams][]byte // written so far, or left to be read
	err     error           // the first; all that is read afterwards is zero
}

var errShort = errors.New("an event ends too early")

// whole numbers that go through a pack
type whole interface {
	~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int64
}

// num takes a number through, as the difference to what is expected. Differences
// wrap around, so that every number has one.
func num[T whole](p *pack, s stream, v *T, expected T) {
	if !p.reading {
		d := int64(uint64(*v) - uint64(expected))
		p.parts[s] = binary.AppendVarint(p.parts[s], d)
		return
	}
	d, n := binary.Varint(p.parts[s])
	if n <= 0 {
		p.fail(errShort)
		*v = 0
		return
	}
	p.parts[s] = p.parts[s][n:]
	sum := uint64(expected) + uint64(d)
	if *v = T(sum); uint64(*v) != sum {
		p.fail(errors.New("a number is out of range"))
	}
}

// count takes the length of a list through, of whose items each takes at least a
// byte of the stream of.
func (p *pack) count(n *int, most int, of stream) {
	u := uint64(*n)
	num(p, sMisc, &u, 0)
	if p.reading {
		if u > uint64(most) || u > uint64(len(p.parts[of])) {
			p.fail(errors.New("a list is longer than it can be"))
			u = 0
		}
		*n = int(u)
	}
}

func (p *pack) byte(s stream, v *byte) {
	if !p.reading {
		p.parts[s] = append(p.parts[s], *v)
		return
	}
	if len(p.parts[s]) == 0 {
		p.fail(errShort)
		*v = 0
		return
	}
	*v, p.parts[s] = p.parts[s][0], p.parts[s][1:]
}

// bytes takes a few bytes through, with their number.
func (p *pack) bytes(v *[]byte) {
	n := len(*v)
	p.count(&n, math.MaxInt32, sMisc)
	if !p.reading {
		p.parts[sMisc] = append(p.parts[sMisc], *v...)
		return
	}
	*v, p.parts[sMisc] = p.parts[sMisc][:n], p.parts[sMisc][n:]
}

func (p *pack) text(v *string) {
	b := []byte(*v)
	p.bytes(&b)
	if p.reading {
		*v = string(b)
	}
}

// float takes a trend's point through: Unknown, or not negative.
func (p *pack) float(v *float32) {
	bits := math.Float32bits(*v)
	num(p, sMisc, &bits, 0)
	if p.reading {
		*v = math.Float32frombits(bits)
		if !(*v >= 0 && *v <= math.MaxFloat32 || *v == unknown) {
			p.fail(errors.New("a point of a trend is no figure"))
			*v = unknown
		}
	}
}

func (p *pack) traffic(s stream, v *ipvs.Traffic, expected ipvs.Traffic) {
	num(p, s, &v.Conns, expected.Conns)
	num(p, s, &v.InPackets, expected.InPackets)
	num(p, s, &v.OutPackets, expected.OutPackets)
	num(p, s, &v.InBytes, expected.InBytes)
	num(p, s, &v.OutBytes, expected.OutBytes)
}

func (p *pack) fail(err error) {
	if p.err == nil {
		p.err = err
	}
	if p.reading {
		p.parts = [streams][]byte{}
	}
}

// begin empties what was written, and keeps its memory.
func (p *pack) begin() {
	for i := range p.parts {
		p.parts[i] = p.parts[i][:0]
	}
}

// appendTo gives all streams, each with its length.
func (p *pack) appendTo(b []byte) []byte {
	for _, part := range p.parts {
		b = binary.AppendUvarint(b, uint64(len(part)))
	}
	for _, part := range p.parts {
		b = append(b, part...)
	}
	return b
}

// unpack finds the streams of an event.
func unpack(b []byte) (*pack, error) {
	p := &pack{reading: true}
	var lengths [streams]uint64
	for i := range lengths {
		var n int
		if lengths[i], n = binary.Uvarint(b); n <= 0 {
			return nil, errShort
		}
		b = b[n:]
	}
	for i, n := range lengths {
		if n > uint64(len(b)) {
			return nil, errShort
		}
		p.parts[i], b = b[:n:n], b[n:]
	}
	if len(b) > 0 {
		return nil, errors.New("an event has more than it says")
	}
	return p, nil
}

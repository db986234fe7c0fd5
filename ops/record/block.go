package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// A file is its first line and then blocks, each whole in itself: what is cut off
// behind the last whole one is lost, nothing else. The number in the first line is
// the version; a reader knows its own only.
const (
	title   = "lvsdeck recording "
	version = 1
)

var magic = fmt.Sprintf("%s%d\n", title, version)

// kindOfBlock is what a block has.
type kindOfBlock byte

const (
	headBlock kindOfBlock = 'H' // begins a session: JSON
	keyBlock  kindOfBlock = 'K' // events; reading can begin with it
	moreBlock kindOfBlock = 'D' // events that go on from the block before
	markBlock kindOfBlock = 'M' // marks: JSON
)

// block is the head of a block: 52 bytes, whole numbers with the lowest byte first.
//
//	0  "blk" and the kind
//	4  bytes that follow the head
//	8  bytes of events when they are unpacked
//	12 time of the first sample, in ns
//	20 time of the last
//	28 samples
//	32 readings: samples but those amended or failed
//	36 zero
//	44 CRC-32C of what follows
//	48 CRC-32C of the head up to here
type block struct {
	kind        kindOfBlock
	packed, raw uint32
	first, last int64
	samples     uint32
	readings    uint32
	sum         uint32
}

const blockHead = 52

// What a block may have: more than maxRows make at their worst, with counters that
// cannot be expected and trends in full, and what a reader may be made to hold.
const (
	maxPacked = 128 << 20
	maxRaw    = maxRows << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (b block) append(to []byte) []byte {
	at := len(to)
	to = append(to, "blk"+string(rune(b.kind))...)
	for _, n := range []uint32{b.packed, b.raw} {
		to = binary.LittleEndian.AppendUint32(to, n)
	}
	to = binary.LittleEndian.AppendUint64(to, uint64(b.first))
	to = binary.LittleEndian.AppendUint64(to, uint64(b.last))
	for _, n := range []uint32{b.samples, b.readings, 0, 0, b.sum} {
		to = binary.LittleEndian.AppendUint32(to, n)
	}
	return binary.LittleEndian.AppendUint32(to, crc32.Checksum(to[at:], castagnoli))
}

var errNoBlock = errors.New("no block of a recording begins there")

// parseBlock reads the head of a block.
func parseBlock(from []byte) (b block, err error) {
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(from[at:]) }
	if string(from[:3]) != "blk" || u32(48) != crc32.Checksum(from[:48], castagnoli) {
		return b, errNoBlock
	}
	b = block{
		kind: kindOfBlock(from[3]), packed: u32(4), raw: u32(8),
		first: int64(binary.LittleEndian.Uint64(from[12:])), last: int64(binary.LittleEndian.Uint64(from[20:])),
		samples: u32(28), readings: u32(32), sum: u32(44),
	}
	switch b.kind {
	case headBlock, keyBlock, moreBlock, markBlock:
	default:
		return b, fmt.Errorf("a block is of kind %q, which is not known here", rune(b.kind))
	}
	if b.packed > maxPacked || b.raw > maxRaw {
		return b, fmt.Errorf("a block says it has %d bytes, %d unpacked; the most is %d and %d", b.packed, b.raw, maxPacked, maxRaw)
	}
	return b, nil
}

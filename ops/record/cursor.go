package record

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"time"

	"lvsdeck/ops"
	"lvsdeck/ops/alarm"
	"lvsdeck/ops/check"
	"lvsdeck/persist"
)

// Cursor reads a recording from a place on. It holds one block, and the last
// sample.
type Cursor struct {
	file     *File
	block    int    // the next
	events   []byte // left of the one before
	coder    coder
	key      bool // the next sample is one
	number   int  // of the next sample
	findings []check.Finding
	report   *check.Report
	names    *Names
	alarms   []alarm.Status // nil: that was not recorded
}

// Names are names and notes of rows, by the keys of a persist.Side.
type Names struct{ All map[string]persist.Label }

// at begins with a key block before the sample of a number, far enough for its
// trends to be whole, and before a time.
func (f *File) at(number int, from time.Time) *Cursor {
	b := sort.Search(len(f.blocks), func(i int) bool { return f.blocks[i].before > number }) - 1
	b = max(b, 0)
	enough := func(k place) bool {
		whole := k.start || k.kind == keyBlock && f.blocks[b].readings-k.readings >= backSamples
		return whole && (from.IsZero() || k.first <= from.UnixNano())
	}
	k := b
	for k > 0 && !enough(f.blocks[k]) {
		k-- // the first block of all is a key
	}
	return &Cursor{file: f, block: k, number: f.blocks[k].before, names: &Names{}}
}

// before begins so long before the sample of a number that its trends are whole, too.
func (f *File) before(number int, long time.Duration) *Cursor {
	number = max(0, number)
	b := sort.Search(len(f.blocks), func(i int) bool { return f.blocks[i].before > number }) - 1
	return f.at(number, time.Unix(0, f.blocks[max(b, 0)].first).Add(-long))
}

// From is a cursor that begins at a time, or before it where reading can begin.
func (f *File) From(t time.Time) *Cursor { return f.at(f.numberAt(t), t) }

// numberAt is the number of the first sample of the block in which a time lies, or
// the block before which it does.
func (f *File) numberAt(t time.Time) int {
	for _, b := range f.blocks {
		if b.last >= t.UnixNano() {
			return b.before
		}
	}
	return f.Samples() - 1
}

// Next gives the next sample and its number; io.EOF after the last. After another
// error Skip goes on.
func (c *Cursor) Next() (*ops.Sample, int, error) {
	if len(c.events) == 0 {
		if c.block == len(c.file.blocks) {
			return nil, 0, io.EOF
		}
		if err := c.load(); err != nil {
			return nil, 0, c.wrong(err)
		}
	}
	s, err := c.sample()
	if err != nil {
		return nil, 0, c.wrong(err)
	}
	c.number++
	return s, c.number - 1, nil
}

// wrong names the block that was read last.
func (c *Cursor) wrong(err error) error {
	c.events = nil
	return c.file.wrong(c.file.blocks[c.block-1].at, err)
}

// Skip goes to the next block with which reading can begin.
func (c *Cursor) Skip() {
	c.events, c.coder = nil, coder{}
	for c.block < len(c.file.blocks) && c.file.blocks[c.block].kind != keyBlock {
		c.block++
	}
	if c.block < len(c.file.blocks) {
		c.number = c.file.blocks[c.block].before
	}
}

// Report is what the last round of checks came to before the last sample, or nil.
func (c *Cursor) Report() *check.Report { return c.report }

// Names are those that rows had at the last sample.
func (c *Cursor) Names() *Names { return c.names }

// Alarms is how thresholds stood at the last sample, without what their figures were;
// nil: that was not recorded.
func (c *Cursor) Alarms() []alarm.Status { return c.alarms }

// mostUnpacked is how many bytes one of deflate can become, at the most.
const mostUnpacked = 1032

// load unpacks the next block.
func (c *Cursor) load() error {
	p := c.file.blocks[c.block]
	c.block++
	if p.start {
		c.coder, c.report, c.findings, c.names, c.alarms = coder{}, nil, nil, &Names{}, nil
	}
	packed, err := c.file.bytes(p.at, p.block)
	if err != nil {
		return err
	}
	wrong := fmt.Errorf("a block says it has %d bytes unpacked, which is wrong", p.raw)
	if uint64(p.raw) > mostUnpacked*uint64(p.packed) {
		return wrong
	}
	events, from := make([]byte, p.raw), flate.NewReader(bytes.NewReader(packed))
	var more [1]byte
	_, err = io.ReadFull(from, events)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return wrong
	case err != nil:
		return fmt.Errorf("a block cannot be unpacked: %w", err)
	}
	switch n, err := from.Read(more[:]); {
	case n > 0:
		return wrong
	case err != io.EOF:
		return fmt.Errorf("a block cannot be unpacked: %w", err)
	}
	c.events, c.key, c.number = events, p.kind == keyBlock, p.before
	return nil
}

// sample reads up to a sample, and the report that follows it at once.
func (c *Cursor) sample() (*ops.Sample, error) {
	for {
		kind, b, err := c.event()
		if err != nil {
			return nil, err
		}
		if kind != sampleEvent {
			if err := c.told(kind, b); err != nil {
				return nil, err
			}
			if len(c.events) == 0 {
				return nil, errors.New("a block ends without a sample")
			}
			continue
		}
		p, err := unpack(b)
		if err != nil {
			return nil, err
		}
		s := c.coder.sample(p, nil, c.key)
		if c.key = false; p.err != nil {
			return nil, p.err
		}
		for len(c.events) > 0 && c.events[0] != sampleEvent {
			kind, b, err := c.event()
			if err == nil {
				err = c.told(kind, b)
			}
			if err != nil {
				return nil, err
			}
		}
		return s, nil
	}
}

func (c *Cursor) event() (kind byte, b []byte, err error) {
	if len(c.events) == 0 {
		return 0, nil, errShort
	}
	kind = c.events[0]
	length, n := binary.Uvarint(c.events[1:])
	if n <= 0 || length > uint64(len(c.events)-1-n) {
		return 0, nil, errShort
	}
	b = c.events[1+n:][:length]
	c.events = c.events[1+n+int(length):]
	return kind, b, nil
}

// told takes in what is no sample.
func (c *Cursor) told(kind byte, b []byte) (err error) {
	if len(b) > maxEvent {
		return fmt.Errorf("a text among samples has %d bytes; the most is %d", len(b), maxEvent)
	}
	switch kind {
	case findingsEvent:
		c.findings, err = readFindings(b)
	case reportEvent:
		c.report, err = readReport(b, c.findings)
	case namesEvent:
		c.names = &Names{}
		if err = json.Unmarshal(b, &c.names.All); err != nil {
			err = fmt.Errorf("names and notes: %w", err)
		}
	case alarmsEvent:
		c.alarms, err = readAlarms(b)
	default:
		err = fmt.Errorf("an event is of kind %d, which is not known here", kind)
	}
	return err
}

package record

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/alarm"
	"lvsdeck/ops/check"
	"lvsdeck/ops/history"
	"lvsdeck/persist"
)

// Head is what a session of recording begins with.
type Head struct {
	Time     time.Time
	Host     string
	Program  string // the version that wrote it
	Interval time.Duration
	Limits   ipvs.Limits // what could not be seen
}

// How often a block is written and how often reading can begin with one.
const (
	blockTime  = 5 * time.Second
	blockBytes = 1 << 20 // of events
	keySamples = 150
)

// The kinds of events.
const (
	sampleEvent   byte = iota + 1
	findingsEvent      // of the reports that follow
	reportEvent        // the rest of one
	namesEvent         // names and notes of rows
	alarmsEvent        // how thresholds stand
)

// Writer writes one session of a recording, block by block. After an error it
// writes nothing more.
type Writer struct {
	to    io.Writer
	err   error
	wrote int64 // bytes

	coder   coder
	pack    pack
	samples int // since a key began
	now     block
	events  []byte // of the block that is being filled
	out     bytes.Buffer
	packer  *flate.Writer

	marks    []history.Mark // to be written behind the block
	report   *check.Report  // the last
	findings []byte         // of it, if they were written since a key
	names    []byte         // and notes of rows
	standing []alarm.Status // how thresholds stand
	alarms   []byte         // the same as it is written
}

// NewWriter begins a session. The first is preceded by the file's own first line.
func NewWriter(to io.Writer, h Head) (*Writer, error) {
	w := &Writer{to: to, samples: keySamples}
	w.packer, _ = flate.NewWriter(nil, flate.BestSpeed) // which fails for another level only
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	w.put(block{kind: headBlock, first: h.Time.UnixNano(), last: h.Time.UnixNano()}, text)
	return w, w.err
}

// Sample adds a sample.
func (w *Writer) Sample(s *ops.Sample) error {
	if w.err != nil {
		return w.err
	}
	if rowsOf(s) > maxRows {
		w.err = fmt.Errorf("the table is too large to be recorded: %d rows, services and servers together; the most is %d", rowsOf(s), maxRows)
		return w.err
	}
	key := w.samples >= keySamples
	if key || w.full(s) { // only now, so that a block has what was told of its last sample
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if key {
		w.samples, w.findings = 0, nil
		w.now = block{kind: keyBlock}
	}
	w.samples++
	w.pack.begin()
	w.coder.sample(&w.pack, s, key)
	w.event(sampleEvent, w.pack.appendTo(nil))
	at := w.coder.at
	if w.now.samples == 0 {
		w.now.first = at
	}
	w.now.last = at
	w.now.samples++
	if w.coder.kind == next {
		w.now.readings++
	}
	if key { // whoever begins here sees them, too
		if w.report != nil {
			w.writeReport(w.report)
		}
		if w.names != nil {
			w.event(namesEvent, w.names)
		}
		if w.alarms != nil {
			w.event(alarmsEvent, w.alarms)
		}
	}
	return w.err
}

// full tells that a sample begins another block: this one is long, or the clock was
// set back.
func (w *Writer) full(s *ops.Sample) bool {
	at := nanos(s.Time)
	return w.now.samples > 0 && (len(w.events) >= blockBytes || at < w.now.last || at-w.now.first > int64(blockTime-s.Interval))
}

func rowsOf(s *ops.Sample) int {
	n := len(s.Services)
	for _, v := range s.Services {
		n += len(v.Servers)
	}
	return n
}

// Report adds what a round of checks came to, with marks of what came and went.
func (w *Writer) Report(r *check.Report) error {
	if w.err != nil || r == w.report {
		return w.err
	}
	was := w.report
	w.report = r
	if w.coder.last == nil {
		return nil // the first sample comes with it
	}
	w.writeReport(r)
	if was != nil {
		marks := history.Findings(was, r)
		return w.Mark(marks[:min(len(marks), maxFindings)]...)
	}
	return w.err
}

func (w *Writer) writeReport(r *check.Report) {
	rest, findings, err := writeReport(r)
	if err != nil {
		w.err = err
		return
	}
	if len(rest) > maxEvent {
		return // nobody would read it
	}
	if !bytes.Equal(findings, w.findings) {
		w.event(findingsEvent, findings)
		w.findings = findings
	}
	w.event(reportEvent, rest)
}

// Names adds names and notes of rows, by the keys of a persist.Side, when they are
// others than before.
func (w *Writer) Names(all map[string]persist.Label) error {
	if w.err != nil || len(all) == 0 && w.names == nil {
		return w.err
	}
	text, err := json.Marshal(all)
	if err != nil {
		w.err = err
	} else if len(text) <= maxEvent && !bytes.Equal(text, w.names) { // more nobody would read
		if w.names = text; w.coder.last != nil { // else the first sample comes with them
			w.event(namesEvent, text)
		}
	}
	return w.err
}

// Mark adds what is marked on the axis of time.
func (w *Writer) Mark(marks ...history.Mark) error {
	w.marks = append(w.marks, marks...)
	return w.err
}

// putMarks writes them, in blocks that can be read. One that fills a block by itself
// is left out, as one of a year that cannot be written.
func (w *Writer) putMarks() {
	b, text := block{kind: markBlock}, []byte(nil)
	end := func() {
		if text != nil {
			w.put(b, append(text, ']'))
		}
		text = nil
	}
	for _, m := range w.marks {
		one, err := json.Marshal(m)
		if err != nil || len(one)+2 > maxText {
			continue
		}
		if len(text)+len(one)+2 > maxText {
			end()
		}
		if b.last = nanos(m.Time); text == nil {
			b.first, text = b.last, append(text, '[')
		} else {
			text = append(text, ',')
		}
		text = append(text, one...)
	}
	end()
	w.marks = nil
}

func (w *Writer) event(kind byte, b []byte) {
	w.events = append(w.events, kind)
	w.events = binary.AppendUvarint(w.events, uint64(len(b)))
	w.events = append(w.events, b...)
}

// Flush writes the samples added so far, with what was told of them.
func (w *Writer) Flush() error {
	if w.err == nil && w.now.samples > 0 {
		w.flush()
	}
	if w.err == nil {
		w.putMarks()
	}
	return w.err
}

func (w *Writer) flush() {
	w.now.raw = uint32(len(w.events))
	w.out.Reset()
	w.packer.Reset(&w.out)
	_, err := w.packer.Write(w.events)
	if err == nil {
		err = w.packer.Close()
	}
	if len(w.events) > maxRaw || w.out.Len() > maxPacked {
		err = fmt.Errorf("the table is too large to be recorded: %d bytes, the most is %d", len(w.events), maxRaw)
	}
	if err != nil {
		w.err = err
		return
	}
	w.put(w.now, w.out.Bytes())
	w.events, w.now = w.events[:0], block{kind: moreBlock}
}

// put writes a block at once, so that a file ends between blocks as long as the
// disk has room.
func (w *Writer) put(b block, packed []byte) {
	if w.err != nil {
		return
	}
	b.packed, b.sum = uint32(len(packed)), crc32.Checksum(packed, castagnoli)
	whole := append(b.append(make([]byte, 0, blockHead+len(packed))), packed...)
	n, err := w.to.Write(whole)
	if w.wrote += int64(n); err != nil {
		w.err = err
	}
}

package record

import (
	"errors"
	"fmt"
	"math"
	"time"

	"lvsdeck/ops"
)

// coder takes samples through packs, one after the other. Writer and reader have
// one each, and both remember the same.
type coder struct {
	last     *ops.Sample // nil: none yet
	table    row
	services []serviceRow // beside those of last, with their servers

	// Of the sample that goes through:
	kind kind
	key  bool
	at   int64
	left int // how many rows it may have more, when reading

	zone   *time.Location // of its times, when reading
	offset int64
}

type serviceRow struct {
	row
	servers []row
}

// kind is what a sample has to do with the one before.
type kind byte

const (
	next    kind = iota // a later reading
	amended             // the same moment, of which more is known
	same                // the same rows: the reading failed
)

// What stands in a sample's first byte, beside its kind.
const (
	kindBits   = 3
	otherInfo  = 4
	otherWords = 8
)

// maxRows bounds the rows of a sample, services and servers together, and so what a
// reader makes of a file: twice the largest tables.
const maxRows = 200_000

var errRows = fmt.Errorf("a sample has more than %d rows, services and servers together, which is the most", maxRows)

// claim counts rows of the sample that is read.
func (c *coder) claim(p *pack, n int) {
	if c.left -= n; p.reading && c.left < 0 {
		p.fail(errRows)
	}
}

var errLost = errors.New("a sample goes on from one that is not there")

// sample takes a sample through. A key is written in full, so that reading can
// begin with it; only trends are carried on from before. The first of a session
// has them in full, too.
func (c *coder) sample(p *pack, s *ops.Sample, key bool) *ops.Sample {
	if c.last == nil && !key {
		p.fail(errLost)
		return nil
	}
	last := c.last
	if key {
		last = &ops.Sample{}
	}
	if p.reading {
		s = &ops.Sample{}
	}
	c.key = key
	c.head(p, s, last)
	if p.err != nil {
		return nil
	}
	if c.kind == same {
		s.Services, s.Servers, s.Figures, s.Was, s.Trend = last.Services, last.Servers, last.Figures, last.Was, last.Trend
		c.last = s
		return s
	}
	if c.services = c.rows(p, s); p.err == nil {
		c.whole(p, s)
	}
	if p.err != nil {
		return nil
	}
	c.last = s
	return s
}

// head is everything but rows.
func (c *coder) head(p *pack, s, last *ops.Sample) {
	var first byte
	if !p.reading {
		first = byte(c.kindOf(s, last))
		if s.Info != last.Info {
			first |= otherInfo
		}
		if words(s) != words(last) {
			first |= otherWords
		}
	}
	p.byte(sMisc, &first)
	c.kind = kind(first & kindBits)
	if c.kind > same || c.kind != next && c.key {
		p.fail(errLost)
		return
	}
	num(p, sMisc, &s.Seq, last.Seq+1)
	c.time(p, s, last)
	interval, took := int64(s.Interval), int64(s.Took)
	num(p, sMisc, &interval, int64(last.Interval))
	num(p, sMisc, &took, 0)
	info, said := s.Info, words(s)
	if p.reading {
		info, said = last.Info, words(last)
	}
	if first&otherInfo != 0 {
		num(p, sMisc, &info.Version, 0)
		num(p, sMisc, &info.TableSize, 0)
		off := flag(info.EstimatorOff, 1)
		p.byte(sMisc, &off)
		info.EstimatorOff = off != 0
	}
	if first&otherWords != 0 {
		for i := range said {
			p.text(&said[i])
		}
	}
	if p.reading {
		s.Interval, s.Took, s.Info = time.Duration(min(max(interval, 0), int64(time.Hour))), time.Duration(max(took, 0)), info
		s.EstimatorStopped, s.Err, s.Missed = said[0], remark(said[1]), remark(said[2])
	}
}

// kindOf tells what a sample has to do with the one before.
func (c *coder) kindOf(s, last *ops.Sample) kind {
	switch {
	case c.key:
		return next
	case sameRows(s, last):
		return same
	case s.Time.Equal(last.Time) && s.Err == nil:
		return amended
	}
	return next
}

func sameRows(a, b *ops.Sample) bool {
	return len(a.Services) == len(b.Services) && (len(a.Services) == 0 || &a.Services[0] == &b.Services[0]) &&
		a.Figures == b.Figures && a.Was == b.Was && a.Trend == b.Trend
}

// time takes a sample's time through, which is shown by the director's clock.
func (c *coder) time(p *pack, s, last *ops.Sample) {
	_, offset := s.Time.Zone()
	_, usual := last.Time.Zone()
	at, zone := nanos(s.Time), int64(offset)
	expected := nanos(last.Time)
	if c.kind == next {
		expected += int64(last.Interval)
	}
	num(p, sMisc, &at, expected)
	num(p, sMisc, &zone, int64(usual))
	c.at = at
	if p.reading {
		c.setZone(at, zone)
		s.Time = c.timeOf(at)
	}
}

// setZone has times shown by a clock so many seconds before that of Greenwich.
func (c *coder) setZone(at, offset int64) {
	const day = 24 * 60 * 60
	offset = min(max(offset, -day), day)
	if _, here := time.Unix(0, at).Zone(); int64(here) == offset {
		c.zone = time.Local
	} else if c.zone == nil || c.zone == time.Local || c.offset != offset {
		c.zone = time.FixedZone("", int(offset))
	}
	c.offset = offset
}

// noTime stands for the zero time, which has no place in nanoseconds.
const noTime = math.MinInt64

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return noTime
	}
	return t.UnixNano()
}

func (c *coder) timeOf(at int64) time.Time {
	if at == noTime {
		return time.Time{}
	}
	return time.Unix(0, at).In(c.zone)
}

// remark is an error of which only the words are left.
type remarked string

func (r remarked) Error() string { return string(r) }

func remark(s string) error {
	if s == "" {
		return nil
	}
	return remarked(s)
}

func words(s *ops.Sample) [3]string {
	out := [3]string{s.EstimatorStopped}
	for i, err := range []error{s.Err, s.Missed} {
		if err != nil {
			out[1+i] = err.Error()
		}
	}
	return out
}

func flag(b bool, bit byte) byte {
	if b {
		return bit
	}
	return 0
}

// backSamples is how many readings before one must be read so that its trends are
// whole.
const backSamples = (ops.TrendLen + 1) * ops.TrendEvery

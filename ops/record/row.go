package record

import (
	"slices"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
)

const unknown = ops.Unknown

// row is what writer and reader both remember of a service, a server or the whole
// table, so that only what nobody could expect need be written.
type row struct {
	points
	known      bool // the counters were read since the last whole sample
	total      ipvs.Traffic
	rate       ipvs.Traffic
	at         int64 // when, in ns
	persistent uint64
}

// guess is what the counters are likely to be at a time. The kernel's estimator
// goes a quarter of the way to what it counted, every 2 s.
func (r *row) guess(at int64) (total, rate ipvs.Traffic, ms int64) {
	if ms = (at - r.at) / int64(time.Millisecond); ms < 0 || ms > maxGuess {
		ms = 0
	}
	each := func(total, rate uint64) uint64 { return total + rate*uint64(ms)/1000 }
	total = ipvs.Traffic{
		Conns:      each(r.total.Conns, r.rate.Conns),
		InPackets:  each(r.total.InPackets, r.rate.InPackets),
		OutPackets: each(r.total.OutPackets, r.rate.OutPackets),
		InBytes:    each(r.total.InBytes, r.rate.InBytes),
		OutBytes:   each(r.total.OutBytes, r.rate.OutBytes),
	}
	return total, r.rate, ms
}

// maxGuess is how far rates are carried on, in ms.
const maxGuess = 10 * 60 * 1000

// guessRate is what the rates are likely to be when the totals are known.
func (r *row) guessRate(total ipvs.Traffic, ms int64) ipvs.Traffic {
	if ms == 0 {
		return r.rate
	}
	quarter := int64(4)
	if ms > 8000 {
		quarter = 1
	}
	each := func(rate, was, now uint64) uint64 {
		if now < was || now-was > 1<<50 {
			return rate
		}
		seen := int64((now - was) * 1000 / uint64(ms))
		return uint64(int64(rate) + (seen-int64(rate))/quarter)
	}
	return ipvs.Traffic{
		Conns:      each(r.rate.Conns, r.total.Conns, total.Conns),
		InPackets:  each(r.rate.InPackets, r.total.InPackets, total.InPackets),
		OutPackets: each(r.rate.OutPackets, r.total.OutPackets, total.OutPackets),
		InBytes:    each(r.rate.InBytes, r.total.InBytes, total.InBytes),
		OutBytes:   each(r.rate.OutBytes, r.total.OutBytes, total.OutBytes),
	}
}

// counted remembers counters that were read.
func (r *row) counted(f *ops.Figures, at int64) {
	r.known, r.total, r.rate, r.at = true, f.Total, f.Rate, at
}

// grown is what was counted since the counters were read last, as the sampler
// reckons it.
func (r *row) grown(now ipvs.Traffic) ipvs.Traffic {
	if !r.known {
		return ipvs.Traffic{}
	}
	return now.Since(r.total)
}

// points follow a row's trend: the next point is likely to be due after
// ops.TrendEvery samples, and the mean of them.
type points struct {
	conns, active         mean
	samples               int // since the last point
	connsPast, activePast []float32
}

type mean struct {
	sum float32
	n   int32
}

func (m *mean) add(v uint64) {
	m.sum += float32(v)
	m.n++
}

func (m *mean) value() float32 {
	if m.n == 0 {
		return unknown
	}
	return m.sum / float32(m.n)
}

// step takes the figures of a sample into account and tells whether a point is
// likely to be due.
func (t *points) step(f *ops.Figures) (due bool) {
	if f.Counted {
		t.conns.add(f.Rate.Conns)
	}
	t.active.add(f.Active)
	t.samples++
	return t.samples >= ops.TrendEvery
}

// phase takes through how far a row is from its next point, in a key: who begins to
// read there does not know.
func (t *points) phase(p *pack) {
	n := uint32(t.samples)
	num(p, sMisc, &n, 0)
	t.samples = int(n % (1 << 16))
}

// took begins the next point.
func (t *points) took() {
	t.conns, t.active, t.samples = mean{}, mean{}, 0
}

// asExpected tells whether a trend became another as was to be expected.
func (t *points) asExpected(due bool, was, is *ops.Trend) bool {
	if !due {
		return sameTrend(was, is)
	}
	return isFollowed(pointsOf(was, true), pointsOf(is, true), t.conns.value()) && isFollowed(pointsOf(was, false), pointsOf(is, false), t.active.value())
}

func pointsOf(t *ops.Trend, conns bool) []float32 {
	switch {
	case t == nil:
		return nil
	case conns:
		return t.Conns
	}
	return t.Active
}

func sameTrend(a, b *ops.Trend) bool {
	return a == b || slices.Equal(pointsOf(a, true), pointsOf(b, true)) && slices.Equal(pointsOf(a, false), pointsOf(b, false))
}

// isFollowed tells whether a window is another with a point more.
func isFollowed(was, is []float32, by float32) bool {
	if len(was) == ops.TrendLen {
		was = was[1:]
	}
	last := len(is) - 1
	return last == len(was) && is[last] == by && slices.Equal(is[:last], was)
}

// add makes a point, when reading.
func (t *points) add(conns, active float32) {
	t.connsPast, t.activePast = ops.AddPoint(t.connsPast, conns), ops.AddPoint(t.activePast, active)
	t.took()
}

// show gives the trend as it is now, when reading.
func (t *points) show() *ops.Trend {
	return &ops.Trend{
		Conns:  t.connsPast[:len(t.connsPast):len(t.connsPast)],
		Active: t.activePast[:len(t.activePast):len(t.activePast)],
	}
}

package record

import (
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
)

// mask says what moved of a row otherwise than expected.
type mask byte

const (
	mActive   mask = 1 << iota // of a service in an amended sample: anything
	mInactive                  // of a service: its servers are others
	mState
	mSettings
	mCounts
	mPersistent
	mTrend
	mRare
)

const mInside, mList = mActive, mInactive

func (m mask) has(bit mask) bool { return m&bit != 0 }

func (m *mask) set(bit mask, on bool) {
	if on {
		*m |= bit
	}
}

// What is known of a row.
const (
	counted byte = 1 << iota
	persistentKnown
	partial
	wasFull
)

// What is seldom otherwise than expected.
const (
	rareSince byte = 1 << iota
	rareSeen
	rareWas
)

// moving is what services, servers and the whole table have in common.
type moving struct {
	*ops.Figures
	was   *ops.Figures
	seen  *ipvs.Traffic // nil of the whole table, as since
	since *time.Time
	trend **ops.Trend
}

// passage is one row on its way: as it is, as it was before, and what is
// remembered of it. A fresh row was not before, or is not to be known.
type passage struct {
	*coder
	*pack
	is, before moving
	row        *row
	fresh      bool
	due        bool // a point of its trend
}

// enter prepares a row, before anything of it goes through.
func (c *coder) enter(p *pack, r *row) {
	if c.key {
		*r = row{points: r.points}
		r.phase(p)
	}
}

// follow takes the sample into the row's trend; when reading, once the figures are
// there. An amended sample is the same moment.
func (w *passage) follow() {
	w.due = w.kind == next && w.row.step(w.is.Figures)
}

// expect is what the seldom things are likely to be, by the figures.
func (w *passage) expect() (since int64, seen ipvs.Traffic, was ops.Figures) {
	switch {
	case w.fresh:
		return w.at, ipvs.Traffic{}, *w.is.Figures
	case w.kind == next:
		was = *w.before.Figures
	default:
		was = *w.before.was
	}
	if w.is.seen == nil {
		return 0, seen, was
	}
	seen = *w.before.seen
	if w.is.Counted {
		seen = seen.Add(w.row.grown(w.is.Total))
	}
	return nanos(*w.before.since), seen, was
}

// rare tells which of them are otherwise.
func (w *passage) rare() (r byte) {
	since, seen, was := w.expect()
	r = flag(*w.is.was != was, rareWas)
	if w.is.seen != nil {
		r |= flag(nanos(*w.is.since) != since, rareSince) | flag(*w.is.seen != seen, rareSeen)
	}
	return r
}

// look is what moved, when writing.
func (w *passage) look() (m mask) {
	w.follow()
	if w.is.Counted {
		total, _, ms := w.row.guess(w.at)
		m.set(mCounts, w.is.Total != total || w.is.Rate != w.row.guessRate(total, ms))
	}
	m.set(mTrend, !w.row.asExpected(w.due, *w.before.trend, *w.is.trend))
	m.set(mRare, w.rare() != 0)
	return m
}

// take takes what a mask names through, and the rest as expected.
func (w *passage) take(m mask) {
	if w.is.Counted {
		total, _, ms := w.row.guess(w.at)
		if w.reading {
			w.is.Total = total
		}
		if m.has(mCounts) {
			w.traffic(sTotals, &w.is.Total, total)
		}
		rate := w.row.guessRate(w.is.Total, ms)
		if w.reading {
			w.is.Rate = rate
		}
		if m.has(mCounts) {
			w.traffic(sRates, &w.is.Rate, rate)
		}
	} else if w.reading {
		w.is.Total, w.is.Rate = ipvs.Traffic{}, ipvs.Traffic{}
	}
}

// settle takes the rest through: what depends on all figures.
func (w *passage) settle(m mask) {
	if w.reading {
		w.follow()
	}
	since, seen, was := w.expect()
	var rare byte
	if m.has(mRare) {
		if !w.reading {
			rare = w.rare()
		}
		w.byte(sMisc, &rare)
	}
	if w.reading {
		*w.is.was = was
	}
	if w.is.seen != nil {
		if w.reading {
			*w.is.seen = seen
		}
		w.begun(rare, since, seen)
	}
	if rare&rareWas != 0 {
		w.figures(w.is.was)
	}
	w.trend(m)
	if w.is.Counted {
		w.row.counted(w.is.Figures, w.at)
	}
}

// begun takes through since when a row is seen, and what it counted since.
func (w *passage) begun(rare byte, since int64, seen ipvs.Traffic) {
	if rare&rareSeen != 0 {
		w.traffic(sMisc, w.is.seen, seen)
	}
	if at := nanos(*w.is.since); rare&rareSince != 0 || w.reading && w.fresh {
		if w.reading {
			at = since
		}
		if rare&rareSince != 0 {
			num(w.pack, sMisc, &at, since)
		}
		if w.reading {
			*w.is.since = w.timeOf(at)
		}
	}
}

// figures takes some through that nobody could expect.
func (w *passage) figures(f *ops.Figures) {
	num(w.pack, sMisc, &f.Active, w.is.Active)
	num(w.pack, sMisc, &f.Inactive, w.is.Inactive)
	num(w.pack, sMisc, &f.Persistent, w.is.Persistent)
	w.traffic(sMisc, &f.Total, w.is.Total)
	w.traffic(sMisc, &f.Rate, w.is.Rate)
	known := flag(f.Counted, counted) | flag(f.PersistentKnown, persistentKnown)
	w.byte(sMisc, &known)
	if w.reading {
		f.Counted, f.PersistentKnown = known&counted != 0, known&persistentKnown != 0
	}
}

// What is written of a trend that did not go on as expected: how many points it
// has more, or the whole of it.
const wholeTrend = ops.TrendLen + 1

// trend takes a row's trend through.
func (w *passage) trend(m mask) {
	if !m.has(mTrend) {
		switch {
		case !w.due && w.reading:
			*w.is.trend = *w.before.trend
			if w.fresh && *w.before.trend == nil {
				*w.is.trend = w.row.show()
			}
		case w.due && w.reading:
			w.row.add(w.row.conns.value(), w.row.active.value())
			*w.is.trend = w.row.show()
		case w.due:
			w.row.took()
		}
		return
	}
	is, n := *w.is.trend, 0
	if !w.reading {
		n = newPoints(*w.before.trend, is)
	}
	w.count(&n, wholeTrend, sMisc)
	lengths := [2]int{n, n}
	if n == wholeTrend {
		if !w.reading {
			lengths = [2]int{len(pointsOf(is, true)), len(pointsOf(is, false))}
		}
		w.count(&lengths[0], ops.TrendLen, sMisc)
		w.count(&lengths[1], ops.TrendLen, sMisc)
		w.row.connsPast, w.row.activePast = nil, nil
	}
	for i, past := range []*[]float32{&w.row.connsPast, &w.row.activePast} {
		points := pointsOf(is, i == 0)
		for k := range lengths[i] {
			var v float32
			if !w.reading {
				v = points[len(points)-lengths[i]+k]
			}
			w.float(&v)
			if w.reading {
				*past = ops.AddPoint(*past, v)
			}
		}
	}
	if n > 0 {
		w.row.took()
	}
	if w.reading {
		*w.is.trend = w.row.show()
	}
}

// newPoints is how many points a trend has more than another, or wholeTrend when it
// does not go on from it.
func newPoints(was, is *ops.Trend) int {
	for n := range ops.TrendLen {
		if hasMore(pointsOf(was, true), pointsOf(is, true), n) && hasMore(pointsOf(was, false), pointsOf(is, false), n) {
			return n
		}
	}
	return wholeTrend
}

// hasMore tells whether a window is another with n points more.
func hasMore(was, is []float32, n int) bool {
	old := len(is) - n
	if old < 0 || old > len(was) || len(is) < ops.TrendLen && old != len(was) {
		return false
	}
	for i := range old {
		if is[i] != was[len(was)-old+i] {
			return false
		}
	}
	return true
}

package report

import (
	"math"
	"slices"
	"time"

	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/history"
	"lvsdeck/ops/incident"
)

// shortBefore is the least before an incident that it can be compared with, and what
// is taken for the incident when nothing says when it began.
const (
	shortBefore = time.Minute
	lastPart    = 5 * time.Minute
)

// nearStep is how far from a step of the figures an entry of the log tells of it.
const nearStep = 5 * time.Minute

// begin finds when the incident began: at what was written down nearest to where the
// figures left their level, else there; where they did not, at the first that was
// written down.
func (r *Report) begin() {
	if r.Latest != nil {
		r.rough = 2 * r.Latest.Interval // a change is dated by the reading that finds it
	}
	if !r.Began.IsZero() {
		r.Why = "as it was asked"
		r.rough = max(r.rough, time.Minute) // typed by the clock
		return
	}
	all := r.beginnings()
	step, moved := r.step()
	switch {
	case moved:
		r.Began, r.Why = step, "when the figures of the whole table left their level"
		r.rough = max(r.rough, r.To.Sub(r.Known)/stepParts)
		near := nearStep + 1
		for _, b := range all {
			if off := b.at.Sub(step).Abs(); off < near {
				near, r.Began, r.Why = off, b.at, b.source+", where the figures left their level"
			}
		}
	case len(all) > 0:
		r.Began, r.Why = all[0].at, "the first of "+all[0].source
		for _, b := range all {
			if b.lasts {
				r.Began = b.at
				break
			}
		}
	default:
		r.Began, r.Why = r.To.Add(-min(lastPart, r.To.Sub(r.Known)/2)), "nothing says when"
		if since := r.faultsSince(); since.Before(r.From) {
			r.Why = "faults are there since " + since.Local().Format(time.DateTime)
		}
		r.Why += "; the last minutes are compared with those before"
	}
}

// faultsSince is since when the oldest fault is there that checks find, or the end.
func (r *Report) faultsSince() time.Time {
	first := r.To
	for _, f := range r.open() {
		if f.Severity == check.Fault && !f.Since.IsZero() && f.Since.Before(first) {
			first = f.Since
		}
	}
	return first
}

// beginning is something that was written down as begun.
type beginning struct {
	at     time.Time
	source string
	lasts  bool // it did not end
}

// beginnings are what began in the span, the oldest first: of the log, or where that
// has none, of what crossed thresholds and what checks found. Warnings of the whole
// director are there for weeks often, and are none.
func (r *Report) beginnings() (all []beginning) {
	var entries []incident.Entry
	if r.Log != nil {
		entries = r.Log.Between(r.From, r.To) // newest first
	}
	ended := map[string]bool{}
	for _, e := range entries {
		switch e.Kind {
		case incident.Ended, incident.Gone:
			ended[e.ID] = true
		case incident.Crossed, incident.Found:
			b := beginning{at: e.Time, source: "what is in the incident log", lasts: !ended[e.ID]}
			if e.Since != nil && r.inSpan(*e.Since) {
				b.at = *e.Since
			}
			if e.Kind == incident.Crossed || !e.Row.Director() || e.Severity == check.Fault.String() {
				all = append(all, b)
			}
			delete(ended, e.ID)
		}
	}
	slices.SortStableFunc(all, func(a, b beginning) int { return a.at.Compare(b.at) })
	if len(all) > 0 {
		return all
	}
	for _, m := range r.marks() {
		switch {
		case m.Kind == history.Crossed:
			all = append(all, beginning{at: m.Time, source: "what crossed a threshold", lasts: true})
		case m.Kind == history.Found && len(m.About) > 0:
			all = append(all, beginning{at: m.Time, source: "what checks found", lasts: true})
		}
	}
	return all
}

// stepParts is how finely it is looked when figures moved, stepEdge the parts for
// which they must have a level before, and another one after.
const (
	stepParts = 180
	stepEdge  = 6
	stepBy    = 1.5
)

// step finds where new or active connections of the whole table left the level that
// they had, by half or more and for a while. Of several such moves it is the first
// that comes near to the largest: coming back to the level is none.
func (r *Report) step() (at time.Time, ok bool) {
	type move struct {
		part int
		by   float64
	}
	var all []move
	most := 0.0
	for _, m := range []history.Metric{history.Conns, history.Active} {
		s := r.History.Series(history.Key{}, m, r.Known, r.To, stepParts)
		var calm, away []float32 // what it had at its level, and since it left it
		began := 0
		for i, v := range s.Mean {
			if v < 0 {
				continue
			}
			level := meanOf(calm)
			if len(calm) < stepEdge || ratio(level, v, floorOf(m)) < stepBy {
				calm, away = append(calm, v), nil
				continue
			}
			if len(away) > 0 && (v > level) != (away[0] > level) {
				away = nil
			}
			if len(away) == 0 {
				began = i
			}
			if away = append(away, v); len(away) < stepEdge {
				continue
			}
			by := ratio(level, meanOf(away), floorOf(m))
			if len(away) == stepEdge {
				all = append(all, move{part: began})
			}
			all[len(all)-1].by = max(all[len(all)-1].by, by)
			most = max(most, by)
		}
	}
	part := stepParts
	for _, o := range all {
		if math.Log(o.by) >= math.Log(most)/2 {
			part = min(part, o.part)
		}
	}
	return r.Known.Add(time.Duration(part) * r.To.Sub(r.Known) / stepParts), len(all) > 0
}

// floorOf is what is too little to say anything: it is added to both sides.
func floorOf(m history.Metric) float32 {
	if m == history.Active {
		return 20
	}
	return 5
}

// ratio is how many times one level is the other, whichever is more.
func ratio(a, b, floor float32) float64 {
	x, y := float64(max(a, 0)+floor), float64(max(b, 0)+floor)
	return max(x/y, y/x)
}

func meanOf(all []float32) float32 {
	var sum float32
	n := 0
	for _, v := range all {
		if v >= 0 {
			sum += v
			n++
		}
	}
	if n == 0 {
		return ops.Unknown
	}
	return sum / float32(n)
}

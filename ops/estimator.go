package ops

import (
	"time"

	"lvsdeck/ipvs"
)

// An estimator that runs brings the totals up to date every 2 s. It counts as
// stopped when packets moved in this many readings, over this long, and the
// totals never followed.
const (
	stuckReadings = 3
	stuckAfter    = 6 * time.Second
)

// The words for a stopped estimator, short enough for the status line.
const (
	estimatorOff   = "estimator off: set net.ipv4.vs.run_estimation=1"
	estimatorStuck = "totals stand still: check net.ipv4.vs.run_estimation"
)

// estimatorWatch tells whether totals and rates are alive.
type estimatorWatch struct {
	seen  bool
	total ipvs.Traffic
	live  uint64

	moved int       // readings with packets moved and the total where it was
	since time.Time // the first of these
}

// look gives the words for what one reading adds, or "".
func (w *estimatorWatch) look(at time.Time, info ipvs.Info, total ipvs.Traffic, live uint64) string {
	switch {
	case !w.seen || total != w.total:
		w.moved = 0
	case live != w.live:
		if w.moved == 0 {
			w.since = at
		}
		w.moved++
	}
	w.seen, w.total, w.live = true, total, live

	switch {
	case info.EstimatorOff:
		return estimatorOff
	case w.moved >= stuckReadings && at.Sub(w.since) >= stuckAfter:
		return estimatorStuck
	}
	return ""
}

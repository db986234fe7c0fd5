package pulse

import (
	"slices"
	"time"

	"lvsdeck/ops"
)

// Times is how long each point of a Trend took, as the interval between samples may
// change at any time. What was before the first sample is taken to be as that. The
// zero value is ready.
type Times struct {
	at    time.Time
	seq   uint64
	spans []time.Duration // of the last samples
}

// add takes a sample into account, also one that failed. After a jump the times begin
// anew.
func (t *Times) add(s *ops.Sample) {
	if s.Time.Before(t.at) || s.Time.Sub(t.at) > max(longestGap, 2*s.Interval) {
		t.spans = t.spans[:0]
	}
	const most = ops.TrendLen * ops.TrendEvery
	samples := uint64(1) // with those that were not shown
	if len(t.spans) > 0 && s.Seq > t.seq {
		samples = min(s.Seq-t.seq, most)
	}
	for range samples {
		t.spans = append(t.spans, s.Interval)
	}
	t.at, t.seq, t.spans = s.Time, s.Seq, slices.Delete(t.spans, 0, max(0, len(t.spans)-most))
}

// Of is how long a point took: 0 is the last, 1 the one before.
func (t *Times) Of(point int) (long time.Duration) {
	for i := range ops.TrendEvery {
		if at := len(t.spans) - 1 - point*ops.TrendEvery - i; len(t.spans) > 0 {
			long += t.spans[max(0, at)]
		}
	}
	return long
}

// Points is how many of the last points took no longer than a time together.
func (t *Times) Points(within time.Duration) (n int) {
	for n < ops.TrendLen {
		if within -= t.Of(n); within < 0 {
			break
		}
		n++
	}
	return n
}

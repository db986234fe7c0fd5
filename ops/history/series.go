package history

import (
	"math"
	"time"

	"lvsdeck/ops"
)

// Series is one figure of a row over a span of time, in parts of the same length:
// the mean of each and the largest. Both are ops.Unknown where nothing was read.
type Series struct {
	From, To  time.Time
	Mean, Max []float32
}

// Series gives what is known of a row between two times. A row that is not known
// has only unknown parts.
func (s *Store) Series(k Key, m Metric, from, to time.Time, parts int) Series {
	out := Series{From: from, To: to, Mean: make([]float32, parts), Max: make([]float32, parts)}
	sums, weights := make([]float64, parts), make([]float64, parts)
	s.each(k, m, from.UnixNano(), to.UnixNano(), func(begin, end int64, mean, top float32) {
		spread(begin-from.UnixNano(), end-from.UnixNano(), int64(to.Sub(from)), parts, func(i int, weight float64) {
			sums[i] += float64(mean) * weight
			out.Max[i] = max(out.Max[i], top)
			weights[i] += weight
		})
	})
	for i, w := range weights {
		if w == 0 {
			out.Mean[i], out.Max[i] = ops.Unknown, ops.Unknown
		} else {
			out.Mean[i] = float32(math.Round(sums[i]/w*eighth) / eighth) // more is not known
		}
	}
	return out
}

// spread tells which parts of a span a piece of it touches, and how much of them.
func spread(begin, end, span int64, parts int, each func(i int, weight float64)) {
	begin, end = max(0, begin), min(span, end)
	length := float64(span) / float64(parts)
	if begin >= end || length <= 0 {
		return
	}
	for i := int(float64(begin) / length); i < parts; i++ {
		low, high := max(float64(begin), float64(i)*length), min(float64(end), float64(i+1)*length)
		if high > low {
			each(i, (high-low)/length)
		}
		if float64(i+1)*length >= float64(end) {
			return
		}
	}
}

// each goes through the frames that have the row between two times, the finest
// there are of each moment, in order.
func (s *Store) each(k Key, m Metric, from, to int64, tell func(begin, end int64, mean, top float32)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	row, ok := s.find(k)
	if !ok || m >= Metrics {
		return
	}
	from = max(from, row.born)
	if row.left != 0 {
		to = min(to, row.left)
	}
	for n := len(tiers) - 1; n >= 0; n-- {
		t, finer := &s.tiers[n], to
		if n > 0 && len(s.tiers[n-1].frames) > 0 {
			finer = min(finer, s.tiers[n-1].frames[0].from)
		}
		for _, f := range t.frames[t.after(from):] {
			if f.from >= finer {
				break
			}
			if mean, top := f.value(row, m); mean != unknown {
				tell(max(f.from, from), min(f.to, to), mean.value(), top.value())
			}
			from = f.to // a frame is told whole: its mean is not that of a part
		}
	}
}

// Reach is how far a history goes back.
type Reach struct {
	First, Last time.Time // both zero while there is none
	Short       bool      // the table is so large that the bound of memory has cut it
}

// Reach tells from when to when there are figures.
func (s *Store) Reach() (r Reach) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := len(tiers) - 1; n >= 0; n-- {
		if t := &s.tiers[n]; len(t.frames) > 0 {
			if r.First.IsZero() {
				r.First = time.Unix(0, t.frames[0].from)
			}
			r.Last = time.Unix(0, t.last().to)
		}
	}
	r.Short = s.short
	return r
}

// Row is a service, or a server that a service has or had.
type Row struct {
	Key
	Left time.Time // zero: it is in the table
}

// Services are those of the table, with those that left it within the hour, by
// identity.
func (s *Store) Services() (rows []Row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.services {
		row := Row{Key: Key{Service: r.id}}
		if r.left != 0 {
			row.Left = time.Unix(0, r.left)
		}
		rows = append(rows, row)
	}
	return rows
}

// Servers are those of a service, with those that left it within the hour, by
// address.
func (s *Store) Servers(k Key) (rows []Row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.service(k.Service)
	if r == nil {
		return nil
	}
	for _, o := range r.servers {
		row := Row{Key: Key{r.id, o.addr}}
		if o.left != 0 {
			row.Left = time.Unix(0, o.left)
		}
		rows = append(rows, row)
	}
	return rows
}

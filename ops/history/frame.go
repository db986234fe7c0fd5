package history

import "slices"

// What a frame has of each row. Servers' own counters are read for a few services
// only, so that they stand in a list of their own.
const (
	perService = int(Metrics)
	perServer  = 2 // active, inactive
	perCounted = perService - perServer
)

// frame is the figures of all rows over a span of time. A row's place in services
// or servers is its column; a column beyond the end was not there yet. In a frame
// made of several, figures are means, and tops the largest.
type frame struct {
	from, to int64 // Unix time in ns

	services    []small // perService of each; column 0 is the whole table
	servers     []small // perServer of each
	counted     []int32 // columns of the servers with counters, ascending
	counters    []small // perCounted of each
	serviceTops []small // nil: as services
	counterTops []small
}

// bytes is its memory, nearly.
func (f *frame) bytes() int {
	return 160 + 2*(len(f.services)+len(f.servers)+len(f.counters)+len(f.serviceTops)+len(f.counterTops)) + 4*len(f.counted)
}

// value is one figure of a row and the largest it was in the frame's time.
func (f *frame) value(r row, m Metric) (mean, top small) {
	switch {
	case !r.server:
		return pick(f.services, f.serviceTops, int(r.column)*perService+int(m))
	case m < perServer:
		return pick(f.servers, nil, int(r.column)*perServer+int(m))
	}
	at, ok := slices.BinarySearch(f.counted, r.column)
	if !ok {
		return unknown, unknown
	}
	return pick(f.counters, f.counterTops, at*perCounted+int(m)-perServer)
}

func pick(means, tops []small, at int) (mean, top small) {
	switch {
	case at >= len(means):
		return unknown, unknown
	case tops == nil:
		return means[at], means[at]
	}
	return means[at], tops[at]
}

// blank makes figures of which none is known.
func blank(n int) []small {
	s := make([]small, n)
	for i := range s {
		s[i] = unknown
	}
	return s
}

// fold makes one frame of several that follow each other.
func fold(frames []*frame) *frame {
	last := frames[len(frames)-1]
	out := &frame{from: frames[0].from, to: last.to}
	out.services, out.serviceTops = foldDense(frames, true, func(f *frame) (means, tops []small) { return f.services, f.serviceTops })
	out.servers, _ = foldDense(frames, false, func(f *frame) (means, tops []small) { return f.servers, nil })
	out.foldCounters(frames)
	return out
}

// foldDense folds figures that stand at the same place in each frame.
func foldDense(frames []*frame, wantTops bool, of func(*frame) (means, tops []small)) (means, tops []small) {
	first, _ := of(frames[len(frames)-1])
	means = make([]small, len(first))
	if wantTops {
		tops = make([]small, len(first))
	}
	sums := make([]sum, len(first))
	for _, f := range frames {
		w := f.weight()
		of, high := of(f)
		for i, v := range of {
			if high == nil {
				sums[i].add(v, v, w)
			} else {
				sums[i].add(v, high[i], w)
			}
		}
	}
	for i := range sums {
		means[i] = sums[i].mean()
		if wantTops {
			tops[i] = sums[i].most()
		}
	}
	return means, tops
}

// foldCounters folds those of the servers that have any, in each frame others.
func (out *frame) foldCounters(frames []*frame) {
	for _, f := range frames {
		out.counted = append(out.counted, f.counted...)
	}
	slices.Sort(out.counted)
	out.counted = slices.Clone(slices.Compact(out.counted))
	sums := make([]sum, len(out.counted)*perCounted)
	for _, f := range frames {
		at, w := 0, f.weight()
		for i, column := range f.counted {
			for out.counted[at] != column {
				at++
			}
			for m := range perCounted {
				mean, top := pick(f.counters, f.counterTops, i*perCounted+m)
				sums[at*perCounted+m].add(mean, top, w)
			}
		}
	}
	out.counters, out.counterTops = make([]small, len(sums)), make([]small, len(sums))
	for i := range sums {
		out.counters[i], out.counterTops[i] = sums[i].mean(), sums[i].most()
	}
}

// weight is the frame's share in a mean: its milliseconds.
func (f *frame) weight() uint64 { return uint64(max(1, (f.to-f.from)/1e6)) }

// sum is a figure over several frames.
type sum struct {
	of, weight uint64
	top        small
	known      bool
}

func (s *sum) add(mean, top small, weight uint64) {
	if mean == unknown {
		return
	}
	s.of += mean.eighths() * weight
	s.weight += weight
	s.top, s.known = max(s.top, top), true
}

func (s *sum) mean() small {
	if !s.known {
		return unknown
	}
	return pack((s.of + s.weight/2) / s.weight)
}

func (s *sum) most() small {
	if !s.known {
		return unknown
	}
	return s.top
}

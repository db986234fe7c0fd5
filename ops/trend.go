package ops

// trend gathers the figures of one row into the points of its Trend.
type trend struct {
	conns, active         mean
	connsPast, activePast []float32 // the last points, with room to grow
	shown                 *Trend
}

// noTrend is the Trend of a row that has no point yet.
var noTrend = &Trend{}

// mean is the average of what was added since it was last taken.
type mean struct {
	sum float32
	n   int32
}

func (m *mean) add(v uint64) {
	m.sum += float32(v)
	m.n++
}

// take gives the average, Unknown without any value, and begins anew.
func (m *mean) take() float32 {
	v := Unknown
	if m.n > 0 {
		v = m.sum / float32(m.n)
	}
	*m = mean{}
	return v
}

// step takes the figures of sample number tick into account, after a number of
// samples in which nothing was read.
func (t *trend) step(tick, missed, phase int, f *Figures) {
	for gap := tick - missed; gap < tick; gap++ {
		t.end(gap, phase)
	}
	if f.Counted {
		t.conns.add(f.Rate.Conns)
	}
	t.active.add(f.Active)
	t.end(tick, phase)
}

// show gives the points so far.
func (t *trend) show() *Trend {
	if t.shown == nil {
		return noTrend
	}
	return t.shown
}

// end completes the point when this sample is the row's turn. The phase comes
// from the row's place when it appeared, so that of neighbours on the screen a
// third complete theirs in each sample: the screen then changes a little each
// time instead of all at once every third time. A row's first point has fewer
// samples for it.
func (t *trend) end(tick, phase int) {
	if (tick+phase)%TrendEvery != 0 {
		return
	}
	t.connsPast = AddPoint(t.connsPast, t.conns.take())
	t.activePast = AddPoint(t.activePast, t.active.take())
	t.shown = &Trend{
		Conns:  t.connsPast[:len(t.connsPast):len(t.connsPast)],
		Active: t.activePast[:len(t.activePast):len(t.activePast)],
	}
}

// roomToGrow is how many points fit before the window moves to new memory. A
// window shares memory with the earlier ones, which samples still show: points
// are only ever added behind what those see.
const roomToGrow = TrendLen / 4

// AddPoint adds a point to a window of at most TrendLen, the last that was made of
// its memory.
func AddPoint(window []float32, v float32) []float32 {
	if len(window) == TrendLen {
		window = window[1:]
	}
	if len(window) == cap(window) {
		window = append(make([]float32, 0, len(window)+roomToGrow), window...)
	}
	return append(window, v)
}

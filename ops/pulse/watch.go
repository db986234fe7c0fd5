package pulse

import (
	"maps"
	"math"
	"net/netip"
	"slices"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
)

// What is unusual: so many times the median of the recent past, or so many times
// less. It is over when it has come back to within over times of that.
const (
	unusual = 3
	over    = 1.5

	past       = 5 * time.Minute
	leastPast  = 5               // points of a Trend
	steady     = 5 * time.Second // must it last, and be over, before it counts
	mostPast   = time.Hour       // by then it is usual
	longestGap = 2 * time.Minute // between samples: what was before says nothing
)

// scale is from where on figures of a kind count.
type scale struct {
	rise float64 // a rise is at least so much more
	fall float64 // of which a fall begins, at least
	from float64 // of which a rise begins, at least
	sum  float64 // what the figure strays by comes to, second by second: at least
}

var (
	ofConns   = scale{rise: 20, fall: 5, sum: 200}
	ofActive  = scale{rise: 100, fall: 50}
	ofServers = scale{rise: 100, fall: 50, from: 10} // one that comes back rises from nothing
)

// strays gives 1 for far more than usual, -1 for far less, 0 for neither.
func (s scale) strays(now, usual float64) int {
	switch {
	case now >= unusual*usual && now-usual >= s.rise && usual >= s.from:
		return 1
	case unusual*now < usual && usual >= s.fall:
		return -1
	}
	return 0
}

// figure names something that is watched.
type figure struct {
	service ipvs.ServiceID // zero: the whole director
	server  netip.AddrPort // zero: the service
	active  bool           // active connections; else new ones per second
}

// episode is a time in which a figure is unusual.
type episode struct {
	way   int // 1 more, -1 less
	usual float64
	firm  bool          // usual was known for the whole past; else it moves on
	past  time.Duration // that usual is of
	until time.Time     // its end: later than since where usual moved on
	now   float64
	since time.Time
	calm  time.Time // since when it is over, or zero
	told  bool
	seen  time.Time
	trend []float32

	// kept is until when its usual is that of the figure, after it, too: until then
	// the recent past is the episode itself.
	kept time.Time
	over bool
	long bool // it was long enough to be the recent past by itself
}

// Watch follows the samples of a director. The zero value is ready. It takes
// memory only for what is unusual.
type Watch struct {
	at       time.Time
	times    Times
	points   int // of a Trend are the recent past
	past     time.Duration
	episodes map[figure]*episode
	recent   []float32 // scratch
}

// Look takes a sample into account. Samples come in order of time; after a jump
// the watch begins anew.
func (w *Watch) Look(s *ops.Sample) {
	if s == nil || s.Time.Equal(w.times.at) {
		return
	}
	w.times.add(s)
	if s.Err != nil {
		return
	}
	if w.episodes == nil || s.Time.Before(w.at) || s.Time.Sub(w.at) > max(longestGap, 2*s.Interval) {
		w.episodes = map[figure]*episode{}
	}
	w.at, w.points = s.Time, max(2*leastPast, w.times.Points(past))
	w.past = w.known(s.Trend.Active)
	rates := s.EstimatorStopped == ""
	w.both(figure{}, &s.Figures, s.Trend, rates)
	for _, v := range s.Services {
		w.both(figure{service: v.ServiceID}, &v.Figures, v.Trend, rates)
		for _, r := range v.Servers {
			f := figure{service: v.ServiceID, server: r.Addr, active: true}
			if r.Weight == 0 { // it is meant to lose them
				delete(w.episodes, f)
				continue
			}
			w.follow(f, ofServers, float64(r.Active), r.Trend.Active)
		}
	}
	for f, e := range w.episodes {
		if !e.seen.Equal(w.at) && (f.active || rates) {
			delete(w.episodes, f) // it left the table
		}
	}
}

// Saw tells that a sample, or another of its moment, is the last that was looked at.
func (w *Watch) Saw(s *ops.Sample) bool { return s.Time.Equal(w.times.at) }

// Clone is a watch that has seen the same and goes on by itself.
func (w *Watch) Clone() *Watch {
	out := *w
	out.times.spans, out.recent, out.episodes = slices.Clone(w.times.spans), nil, maps.Clone(w.episodes)
	for f, e := range w.episodes {
		same := *e
		out.episodes[f] = &same
	}
	return &out
}

// Past is over how much of the last minutes usual is known; zero is too little to
// tell.
func (w *Watch) Past() time.Duration { return w.past }

func (w *Watch) known(points []float32) (over time.Duration) {
	points = w.recently(points)
	if count(points) < leastPast {
		return 0
	}
	for i, p := range points {
		if p >= 0 {
			over += w.times.Of(len(points) - 1 - i)
		}
	}
	return over
}

// Times is how long each point of a Trend took, by the samples so far.
func (w *Watch) Times() *Times { return &w.times }

// recently is the part of a Trend that is the recent past.
func (w *Watch) recently(points []float32) []float32 { return points[max(0, len(points)-w.points):] }

// count is how many points are known.
func count(points []float32) (n int) {
	for _, p := range points {
		if p >= 0 {
			n++
		}
	}
	return n
}

// whole tells that usual is known for the whole past, but for a reading or two.
func (w *Watch) whole(points []float32) bool { return 10*count(w.recently(points)) >= 9*w.points }

// both looks at the two figures of a service, or of the whole director.
func (w *Watch) both(f figure, now *ops.Figures, t *ops.Trend, rates bool) {
	if now.Counted && rates {
		w.follow(f, ofConns, float64(now.Rate.Conns), t.Conns)
	}
	f.active = true
	w.follow(f, ofActive, float64(now.Active), t.Active)
}

// follow goes on with a figure's episode, or begins one.
func (w *Watch) follow(f figure, s scale, now float64, points []float32) {
	e := w.episodes[f]
	if e != nil && e.over && w.at.After(e.kept) {
		delete(w.episodes, f)
		e = nil
	}
	switch {
	case e == nil:
		usual, ok := w.strayed(s, now, points)
		if !ok {
			return
		}
		e = &episode{way: s.strays(now, usual), since: w.at}
		e.learn(w, usual, points)
		w.episodes[f] = e
	case e.over && (s.strays(now, e.usual) == 0 || !e.long && now > e.usual && burst(now, e.usual, points)):
		e.seen = w.at
		return
	case e.over:
		e = &episode{way: s.strays(now, e.usual), usual: e.usual, firm: true, past: e.past, until: e.until, since: w.at, kept: e.kept, long: e.long}
		w.episodes[f] = e
	case !e.firm && count(w.recently(points)) >= leastPast:
		e.learn(w, w.median(w.recently(points)), points)
	}
	e.now, e.trend, e.seen = now, points, w.at
	switch {
	case w.at.Sub(e.since) > mostPast:
		delete(w.episodes, f)
	case e.told && e.back():
		if e.calm.IsZero() {
			e.calm = w.at
		}
		if w.at.Sub(e.calm) >= steady {
			if e.firm {
				e.kept = w.at.Add(max(past, 2*leastPast*w.times.Of(0)))
				e.long = e.long || 2*e.calm.Sub(e.since) >= past
			}
			w.end(f, e)
		}
	case e.told:
		e.calm = time.Time{}
	case s.strays(now, e.usual) != e.way:
		w.end(f, e)
	default:
		long := w.at.Sub(e.since)
		e.told = long >= steady && math.Abs(now-e.usual)*long.Seconds() >= s.sum
	}
}

// learn takes what is usual over a past by now.
func (e *episode) learn(w *Watch, usual float64, points []float32) {
	e.usual, e.firm, e.past, e.until = usual, w.whole(points), w.known(points), w.at
}

// end is that of an episode, of which the usual is kept for as long as it holds.
func (w *Watch) end(f figure, e *episode) {
	if e.told, e.over = false, true; !w.at.Before(e.kept) {
		delete(w.episodes, f)
	}
}

// back tells that a figure has come near its usual again.
func (e *episode) back() bool {
	if e.way > 0 {
		return near(e.now, e.usual)
	}
	return over*e.now > e.usual
}

// near tells that a figure is not much more than usual.
func near(v, usual float64) bool { return v < over*usual || v < usual+1 }

// burst tells that what is more than usual came and went as high and as long before:
// it comes by the clock.
func burst(now, usual float64, points []float32) bool {
	at := len(points)
	for at > 0 && !near(float64(points[at-1]), usual) {
		at--
	}
	this, run, longest := len(points)-at, 0, 0
	for _, p := range points[:at] {
		if run++; over*float64(p) < now {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest > 0 && this <= longest+2 // it begins and ends within a point
}

// strayed gives what is usual of a figure that is far from it. Most figures are
// not, and told by a count of the points that they are far from.
func (w *Watch) strayed(s scale, now float64, points []float32) (usual float64, ok bool) {
	all := points
	points = w.recently(points)
	known, more, less := 0, 0, 0
	for i, p := range points {
		switch v := float64(p); {
		case p < 0:
			continue
		case now >= s.rise && now >= unusual*v:
			more++
		case v >= s.fall && unusual*now < v:
			less++
		}
		if known++; 2*max(more, less)+len(points)-1-i < known {
			return 0, false // whatever the rest is
		}
	}
	if known < leastPast || 2*max(more, less) < known {
		return 0, false
	}
	usual = w.median(points)
	way := s.strays(now, usual)
	return usual, way < 0 || way > 0 && !burst(now, usual, all)
}

// median of the points that are known.
func (w *Watch) median(points []float32) float64 {
	w.recent = w.recent[:0]
	for _, p := range points {
		if p >= 0 {
			w.recent = append(w.recent, p)
		}
	}
	slices.Sort(w.recent)
	return float64(w.recent[len(w.recent)/2])
}

package task

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
)

// What is remembered of a server being drained: points this far apart, over
// this long.
const (
	watchEvery = 5 * time.Second
	watchSpan  = 5 * time.Minute
)

// Key names a server of a service.
type Key struct {
	Service ipvs.ServiceID
	Server  netip.AddrPort
}

// watch remembers how the connections of servers at weight 0 went. The zero
// value is ready.
type watch struct {
	mu sync.Mutex
	seen
	settings Settings
}

// seen is what there was to see.
type seen struct {
	at     time.Time // of the last sample
	tracks map[Key]*track
}

func (s seen) clone() seen {
	s.tracks = maps.Clone(s.tracks)
	for k, t := range s.tracks {
		s.tracks[k] = &track{slices.Clone(t.points), t.last}
	}
	return s
}

type track struct {
	points []Point
	last   time.Time
}

// add takes a good sample into account, once.
func (w *watch) add(s *ops.Sample) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !s.Time.After(w.at) {
		return
	}
	w.at = s.Time
	if w.tracks == nil {
		w.tracks = map[Key]*track{}
	}
	for _, svc := range s.Services {
		for _, r := range svc.Servers {
			if r.Weight == 0 {
				w.point(Key{svc.ServiceID, r.Addr}, Point{s.Time, r.Active, r.Inactive})
			}
		}
	}
	for k, t := range w.tracks {
		if t.last != s.Time {
			delete(w.tracks, k)
		}
	}
}

// point keeps the newest point always, and those before it at a distance.
func (w *watch) point(k Key, p Point) {
	t := w.tracks[k]
	if t == nil {
		t = &track{}
		w.tracks[k] = t
	}
	t.last = p.At
	if n := len(t.points); n >= 2 && p.At.Sub(t.points[n-2].At) <= watchEvery {
		t.points = t.points[:n-1]
	}
	t.points = append(t.points, p)
	for p.At.Sub(t.points[0].At) > watchSpan {
		t.points = t.points[1:]
	}
}

// idle tells that no server is being drained.
func (w *watch) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.tracks) == 0
}

// set says what the director's settings are now.
func (w *watch) set(s Settings) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settings = s
}

// verdict judges a server as a sample shows it, or false when it is not being
// drained.
func (w *watch) verdict(svc *ops.Service, s *ops.Server) (Verdict, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.tracks[Key{svc.ServiceID, s.Addr}]
	if t == nil || s.Weight != 0 {
		return Verdict{}, false
	}
	return Judge(svc, s, t.points, w.settings), true
}

// keep and restore are what was seen, to be brought back.
func (w *watch) keep() seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen.clone()
}

func (w *watch) restore(s seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = s.clone()
}

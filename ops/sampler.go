package ops

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"lvsdeck/ipvs"
)

// Options are the ways a Sampler can be told to work.
type Options struct {
	Interval time.Duration // between readings; 0 is DefaultInterval
}

// Sampler reads a table again and again and hands over Samples, the latest
// only: who comes late misses some and never waits.
//
// Each reading takes the overview of the whole table, and the servers' own
// counters for the services in focus, and for a few others in turn, by which
// the settings that the overview does not show become known over time.
//
// Memory: less than 2 KiB for each row that is in the table, most of it its
// Trend and its figures in the latest two samples. It does not grow with time,
// and a row that left the table is forgotten with its history.
//
// Everything but Run and Observe returns at once.
type Sampler struct {
	reader  ipvs.Reader
	latest  atomic.Pointer[Sample]
	updated chan struct{}
	wake    chan struct{} // the interval changed, or a reading is wanted now
	focused chan struct{}

	reading sync.Mutex // one reading at a time
	history history

	each []func(*Sample)

	mu       sync.Mutex
	interval time.Duration
	focus    []ipvs.ServiceID
	also     []ipvs.ServiceID
	all      bool
	now      bool // a reading is wanted now
}

// NewSampler makes a sampler of a table. It reads nothing until Run or Observe.
func NewSampler(r ipvs.Reader, o Options) *Sampler {
	s := &Sampler{
		reader:   r,
		updated:  make(chan struct{}, 1),
		wake:     make(chan struct{}, 1),
		focused:  make(chan struct{}, 1),
		interval: DefaultInterval,
	}
	if o.Interval != 0 {
		s.SetInterval(o.Interval)
	}
	return s
}

// Latest is the newest sample, or nil before the first.
func (s *Sampler) Latest() *Sample { return s.latest.Load() }

// Updated receives when there is a newer sample than at the last receive, which
// Latest may have given already. It has one receiver: several would each get
// some of the news.
func (s *Sampler) Updated() <-chan struct{} { return s.updated }

// Each has f called with every sample, before Latest gives it: nothing is missed,
// and readings wait until f returns. To be called before the first reading.
func (s *Sampler) Each(f func(*Sample)) { s.each = append(s.each, f) }

// Interval is the time between readings.
func (s *Sampler) Interval() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.interval
}

// SetInterval changes the time between readings, within MinInterval and
// MaxInterval, counted from the last one.
func (s *Sampler) SetInterval(d time.Duration) {
	s.mu.Lock()
	s.interval = min(max(d, MinInterval), MaxInterval)
	s.mu.Unlock()
	ring(s.wake)
}

// ReadNow asks for a reading without waiting for the interval: after a change.
func (s *Sampler) ReadNow() {
	s.mu.Lock()
	s.now = true
	s.mu.Unlock()
	ring(s.wake)
}

// Focus says of which services the servers' own counters are wanted: those on
// screen or open. What is not known of them is read at once.
func (s *Sampler) Focus(ids []ipvs.ServiceID) { s.setFocus(slices.Clone(ids), false) }

// Also says of which services the servers' own counters are wanted whatever is on
// screen.
func (s *Sampler) Also(ids []ipvs.ServiceID) {
	s.mu.Lock()
	s.also = slices.Clone(ids)
	s.mu.Unlock()
}

// FocusAll wants the counters of all servers, for a sort by them. It costs one
// request for each service in every reading.
func (s *Sampler) FocusAll() { s.setFocus(nil, true) }

func (s *Sampler) setFocus(ids []ipvs.ServiceID, all bool) {
	s.mu.Lock()
	changed := all != s.all || !slices.Equal(ids, s.focus)
	s.focus, s.all = ids, all
	s.mu.Unlock()
	if changed {
		ring(s.focused)
	}
}

// ring leaves word without waiting for anyone.
func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// Run reads the table until the context is done.
func (s *Sampler) Run(ctx context.Context) {
	for ctx.Err() == nil {
		began := time.Now()
		s.Observe(ctx, began)
		s.rest(ctx, began, time.Since(began))
	}
}

// rest waits until the next reading is due, and reads what a new focus wants
// meanwhile. A reading that takes long is given as long a rest, so that the
// director is never read more than half of the time.
func (s *Sampler) rest(ctx context.Context, began time.Time, took time.Duration) {
	focused := s.focused
	var pause <-chan time.Time
	for !s.takeNow() {
		due := time.NewTimer(time.Until(began.Add(max(s.Interval(), 2*took))))
		select {
		case <-ctx.Done():
			due.Stop()
			return
		case <-due.C:
			return
		case <-s.wake:
		case <-focused:
			asked := time.Now()
			s.amend(ctx, asked)
			focused, pause = nil, time.After(max(focusPause, time.Since(asked)))
		case <-pause:
			focused, pause = s.focused, nil
		}
		due.Stop()
	}
}

func (s *Sampler) takeNow() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now
	s.now = false
	return now
}

func (s *Sampler) publish(sample *Sample) {
	for _, f := range s.each {
		f(sample)
	}
	s.latest.Store(sample)
	ring(s.updated)
}

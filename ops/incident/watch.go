package incident

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/alarm"
	"lvsdeck/ops/check"
	"lvsdeck/persist"
)

// Options are what a Watch works with.
type Options struct {
	Store  *persist.Store             // thresholds and log; nil: neither is there
	Silent bool                       // nothing is written
	Checks func() *check.Report       // the newest report, nil before the first; nil: nobody checks
	Also   func(ids []ipvs.ServiceID) // has the counters of services' servers read in every sample; nil: nobody can
	Now    func() time.Time           // time.Now when nil

	// Told hears how thresholds stand whenever that may have changed, with which of
	// them were crossed or ended. It returns at once. Nil: nobody wants to.
	Told func(standing []alarm.Status, news []Entry)
}

// rereadEvery is how often thresholds are read again: another console may have
// changed some.
const rereadEvery = 5 * time.Second

// queueMost is how many entries wait at most while the disk is slow.
const queueMost = 1000

// Watch holds samples to the thresholds and follows the findings of checks. It works
// outside the screen's loop, which may stand still with its terminal.
type Watch struct {
	Options
	book alarm.Book
	log  *Log

	rereading sync.Mutex // so that what was read later is taken over later

	mu       sync.Mutex // of all below
	judge    alarm.Judge
	report   *check.Report // the last that was looked at
	findings map[string]check.Finding
	told     map[string]Entry // what the log says is on, here or as it was at the beginning
	queue    []Entry
	news     []Entry // of thresholds, that were not told yet
	state    State
	unread   error // why the log could not be read in the beginning
	refused  error // why thresholds cannot be read
	unkept   error // why the log cannot be written

	latest atomic.Pointer[State]
	wake   chan struct{}
}

// State is how things stand. It is immutable.
type State struct {
	Alarms    []alarm.Status // by row, figure and direction
	Crossings int            // that were seen so far
	Last      alarm.Event    // the newest of them
	Written   int            // times that the log has grown from here
	Lost      int            // entries that could not be written
	Err       error          // why thresholds or log cannot be read or written, or nil
}

// Crossed is the thresholds that are crossed now.
func (s *State) Crossed() (all []alarm.Status) {
	for _, a := range s.Alarms {
		if a.Crossed {
			all = append(all, a)
		}
	}
	return all
}

// New gives a Watch that has read the thresholds and the log.
func New(o Options) *Watch {
	w := &Watch{Options: o, wake: make(chan struct{}, 1), findings: map[string]check.Finding{}, told: map[string]Entry{}}
	if w.Now == nil {
		w.Now = time.Now
	}
	if o.Store != nil {
		w.book, w.log = alarm.OpenBook(o.Store), OpenLog(o.Store)
		if w.told, w.unread = w.log.open(); w.told == nil {
			w.told = map[string]Entry{}
		}
		w.findings = fromLog(w.told)
	}
	w.reread()
	return w
}

// State is how things stand after the newest sample.
func (w *Watch) State() *State { return w.latest.Load() }

// Seen takes a sample, for ops.Sampler.Each. It only reckons; what is to be written
// waits for Run.
func (w *Watch) Seen(s *ops.Sample) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.judge.Look(s) {
		if !e.Ended {
			w.state.Crossings++
			w.state.Last = e
		}
		entry := ofEvent(e)
		if w.told[entry.ID] = entry; e.Ended {
			delete(w.told, entry.ID)
		}
		w.keep(entry)
		w.news = append(w.news, entry)
	}
	if w.Checks != nil {
		if r := w.Checks(); r != nil && r != w.report {
			var all []Entry
			all, w.findings = changes(w.findings, r, s)
			w.report = r
			w.keep(all...)
		}
	}
	w.publish()
}

// keep has entries written. Those that find no room are counted.
func (w *Watch) keep(all ...Entry) {
	if w.log == nil || w.Silent || len(all) == 0 {
		return
	}
	room := min(len(all), max(0, queueMost-len(w.queue)))
	w.queue = append(w.queue, all[:room]...)
	w.state.Lost += len(all) - room
}

// publish shows and tells how things stand, and has written what waits.
func (w *Watch) publish() {
	s := w.state
	s.Err = errors.Join(w.refused, w.unread, w.unkept)
	s.Alarms = w.judge.All()
	w.latest.Store(&s)
	if w.Told != nil {
		w.Told(s.Alarms, w.news)
	}
	w.news = nil
	if len(w.queue) > 0 && w.unkept == nil { // else it is tried again from time to time
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// Run writes what was seen, and follows what other consoles do to the thresholds,
// until the context ends; what waits by then is written, too.
func (w *Watch) Run(ctx context.Context) {
	again := time.NewTicker(rereadEvery)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			w.write()
			return
		case <-w.wake:
			w.write()
		case <-again.C:
			w.reread()
			w.write()
		}
	}
}

// write writes what waits.
func (w *Watch) write() {
	w.mu.Lock()
	all := w.queue
	w.queue = nil
	w.mu.Unlock()
	if len(all) == 0 {
		return
	}
	err := w.log.write(all)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.unkept = nil
		w.state.Written++
	} else {
		waits := w.queue
		w.queue = all // to be tried again
		w.keep(waits...)
		w.unkept = fmt.Errorf("%w; %d entries of the incident log wait, %d are lost", err, len(w.queue), w.state.Lost)
	}
	w.publish()
}

// reread takes over the thresholds as they are kept, as far as they make sense. A file
// that cannot be read leaves those that are watched.
func (w *Watch) reread() {
	w.rereading.Lock()
	defer w.rereading.Unlock()
	var all []alarm.Threshold
	var err error
	if w.Store != nil {
		all, err = w.book.All()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.publish()
	if w.refused = err; err == nil || all != nil {
		w.set(all)
	}
}

// set watches other thresholds. One that was told to be crossed and is removed, or has
// another limit now, ends as it was written down: nobody will see it end.
func (w *Watch) set(all []alarm.Threshold) {
	limits := map[string]uint64{}
	for _, t := range all {
		limits[t.Key()] = t.Limit
	}
	for _, id := range slices.Sorted(maps.Keys(w.told)) {
		e := w.told[id]
		if e.Kind != Crossed {
			continue
		}
		if limit, there := limits[e.Threshold.Key()]; there && limit == e.Threshold.Limit {
			continue
		}
		delete(w.told, id)
		e = Entry{Time: w.Now(), Kind: Ended, Row: e.Row, ID: id, Threshold: e.Threshold, Removed: true}
		w.keep(e)
		w.news = append(w.news, e)
	}
	w.judge.Set(all, func(key string) bool {
		e, on := w.told["threshold "+key]
		return on && e.Kind == Crossed
	})
	if w.Also != nil {
		w.Also(readAlso(all))
	}
}

// readAlso is the services whose servers' counters thresholds need.
func readAlso(all []alarm.Threshold) []ipvs.ServiceID {
	ids := map[ipvs.ServiceID]bool{}
	for _, t := range all {
		if t.Row.Server.IsValid() && t.Figure.Counted() {
			ids[t.Row.Service] = true
		}
	}
	return slices.SortedFunc(maps.Keys(ids), ipvs.ServiceID.Compare)
}

// Put keeps a threshold, in place of the one with the key when there is one.
func (w *Watch) Put(t alarm.Threshold, instead string) error {
	return w.change(func() error { return w.book.Put(t, instead) })
}

// Remove forgets a threshold.
func (w *Watch) Remove(key string) error {
	return w.change(func() error { return w.book.Remove(key) })
}

func (w *Watch) change(do func() error) error {
	if err := w.may(); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	w.reread()
	return nil
}

// Note writes down what an operator says.
func (w *Watch) Note(row alarm.Row, text string) error {
	if err := w.may(); err != nil {
		return err
	}
	if err := w.log.Note(row, text, w.Now()); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state.Written++
	w.publish()
	return nil
}

// Read reads the log.
func (w *Watch) Read() (History, error) {
	if w.log == nil {
		return History{}, nil
	}
	return w.log.Read()
}

func (w *Watch) may() error {
	if why := w.Cannot(); why != "" {
		return fmt.Errorf("nothing was kept: %s", why)
	}
	return nil
}

// Cannot is why nothing can be kept, or "".
func (w *Watch) Cannot() string {
	switch {
	case w.Store == nil:
		return "thresholds and incident log are root's, and cannot be read"
	case w.Silent:
		return "this console is read-only"
	}
	return ""
}

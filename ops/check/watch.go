package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
	"lvsdeck/ops/probe"
)

// How often a Watch looks, and what it may cost: a round is followed by a rest of
// so many times what it took.
const (
	Pace      = 10 * time.Second
	restTimes = 33
)

// probedFor is how long it is told what a probe found out.
const probedFor = 10 * time.Minute

// sampleTime is how long a look that is asked for waits for a sample.
const sampleTime = 3 * time.Second

// WatchOptions are what a Watch works with.
type WatchOptions struct {
	Sources
	ReadNow func() // has the table read soon, as ops.Sampler.ReadNow; nil: nobody can
}

// Watch makes rounds of checks beside a sampler. Its rounds send no packet; Probe
// does, and is only done when asked for.
type Watch struct {
	from    Sources
	readNow func()
	open    func(netcfg.Surroundings, probe.Options) (prober, error)
	meter   meter
	latest  atomic.Pointer[Report]
	sample  atomic.Pointer[ops.Sample]
	came    chan struct{} // there is a newer sample

	mu     sync.Mutex // of rounds, of which there is one at a time
	kept   kept
	scene  *Scene // of the last round
	found  []Finding
	probed map[ipvs.ServiceID]probeAnswers
	report Report
}

// probeAnswers are what probes found out about a service.
type probeAnswers struct {
	at       time.Time
	findings []Finding
}

// NewWatch gives a Watch that has seen nothing yet.
func NewWatch(o WatchOptions) *Watch {
	return &Watch{from: o.Sources, readNow: o.ReadNow, open: openProber, came: make(chan struct{}, 1), probed: map[ipvs.ServiceID]probeAnswers{}}
}

// Seen takes a sample, for ops.Sampler.Each: counters are remembered over samples.
func (w *Watch) Seen(s *ops.Sample) {
	w.meter.add(s)
	w.sample.Store(s)
	select {
	case w.came <- struct{}{}:
	default:
	}
}

// Latest is what the last round, and probes since, came to; nil before the first.
func (w *Watch) Latest() *Report { return w.latest.Load() }

// Sample is what was last seen of the table, or nil.
func (w *Watch) Sample() *ops.Sample { return w.sample.Load() }

// Run makes a round as soon as there is a sample, and then again and again until
// the context ends.
func (w *Watch) Run(ctx context.Context) {
	var pause <-chan time.Time
	for first := w.came; ; {
		select {
		case <-ctx.Done():
			return
		case <-first:
			first = nil
		case <-pause:
		}
		began := time.Now()
		_, _ = w.round(ctx, false)
		pause = time.After(max(Pace, restTimes*time.Since(began)))
	}
}

// LookNow makes a round at once, of a sample of after the call where one can be
// had, in which everything is read anew; connections for a while only (see
// Sources). The error is the context's, or that there is no sample.
func (w *Watch) LookNow(ctx context.Context) (*Report, error) {
	if _, err := w.freshSample(ctx); err != nil {
		return nil, err
	}
	return w.round(ctx, true)
}

// freshSample is one of after the call, where it can be had.
func (w *Watch) freshSample(ctx context.Context) (*ops.Sample, error) {
	if w.readNow != nil {
		w.awaitSample(ctx)
	}
	if s := w.sample.Load(); s != nil {
		return s, nil
	}
	return nil, errNoSample
}

var errNoSample = errors.New("the table has not been read yet")

// notRead tells that a sample is old.
func notRead(s *ops.Sample) []string {
	if s.Err == nil {
		return nil
	}
	return []string{fmt.Sprintf("the table, which could not be read again: %v", s.Err)}
}

// awaitSample waits until the table has been read from now on, but not for ever.
func (w *Watch) awaitSample(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, sampleTime)
	defer cancel()
	last, asked := w.sample.Load(), time.Now()
	w.readNow()
	for ctx.Err() == nil {
		if s := w.sample.Load(); s != last && (s.Err != nil || !s.Time.Before(asked)) {
			return
		}
		select {
		case <-ctx.Done():
		case <-w.came:
		}
	}
}

// round looks once. Only rounds that are asked for read everything anew.
func (w *Watch) round(ctx context.Context, asked bool) (*Report, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	sample := w.sample.Load()
	if sample == nil {
		return nil, errNoSample
	}
	began := time.Now()
	if asked {
		w.kept = w.kept.anew()
	}
	scene, err := gather(ctx, w.from, sample, &w.kept, !asked)
	if err != nil {
		return nil, err
	}
	scene.Unread = append(scene.Unread, notRead(sample)...)
	scene.Lately, scene.Longer = w.meter.moved()
	found := Run(scene)
	if !asked {
		found = w.hold(found, &scene)
	}
	w.scene, w.found = &scene, found
	w.report = Report{Blind: scene.blind(), Services: len(sample.Services), Servers: sample.Servers, Unread: scene.Unread, Took: time.Since(began), Probed: w.report.Probed}
	return w.publish(), nil
}

// hold keeps what was found before and cannot be seen now, well or not, and for one
// more round what wavers by nature and was not seen this time.
func (w *Watch) hold(found []Finding, now *Scene) []Finding {
	all := slices.Clone(found)
	for _, f := range w.found {
		again := func(other Finding) bool { return other.identity() == f.identity() }
		if !listed(now.Sample, f.identity().Place) || slices.ContainsFunc(found, again) || slices.ContainsFunc(found, f.explainedBy) {
			continue
		}
		switch {
		case f.held:
			continue
		case f.unseen(now):
			if !f.blind {
				f.blind = true
				f.Evidence = append(slices.Clone(f.Evidence), fmt.Sprintf("as at %s; no round since could see whether it still is", w.scene.at(f).Local().Format(time.TimeOnly)))
			}
			if isSymptom(f.Check) { // of several of one server the first is told
				all = slices.DeleteFunc(all, func(other Finding) bool { return isSymptom(other.Check) && other.within(f) })
			}
		case f.wavers():
			f.held = true
			f.Evidence = append(slices.Clone(f.Evidence), "not seen in the last round")
		default:
			continue
		}
		all = append(all, f)
	}
	Sort(all)
	return all
}

// identity is what a finding is known by from round to round.
type identity struct {
	check string
	Place
}

func (f Finding) identity() identity { return identity{f.Check, Place{f.Service, f.Server}} }

// listed tells that the table has what a finding is about.
func listed(s *ops.Sample, at Place) bool {
	i, ok := slices.BinarySearchFunc(s.Services, at.Service, func(v *ops.Service, id ipvs.ServiceID) int { return v.ServiceID.Compare(id) })
	return at.Service == ipvs.ServiceID{} || ok && (!at.Server.IsValid() || slices.ContainsFunc(s.Services[i].Servers, func(r *ops.Server) bool { return r.Addr == at.Server }))
}

// unseen tells that a scene does not show whether a finding still is. Who is given
// nothing is not waited for.
func (f Finding) unseen(s *Scene) bool {
	c := byName(f.Check)
	return c.Blind != nil && c.Blind(s, f) && Given(s.Sample, f)
}

// Given tells that the table has what a finding is about, and may give it connections.
func Given(s *ops.Sample, f Finding) bool {
	if !f.Server.IsValid() {
		return listed(s, f.identity().Place)
	}
	return slices.ContainsFunc(s.Services, func(v *ops.Service) bool {
		return v.ServiceID == f.Service && slices.ContainsFunc(v.Servers, func(r *ops.Server) bool { return r.Addr == f.Server && r.Weight > 0 })
	})
}

// blind names the checks that lack what they go by.
func (s *Scene) blind() (all []string) {
	for _, c := range Checks {
		if c.Blind != nil && c.Blind(s, Finding{}) {
			all = append(all, c.Name)
		}
	}
	return all
}

// at is when what a finding of a scene goes by was read.
func (s *Scene) at(f Finding) time.Time {
	if s.Loads != nil && byName(f.Check).Blind != nil && f.Check != ofNeighbour {
		return s.Loads.At
	}
	return s.Sample.Time
}

// publish makes the report of the last round and of what probes found.
func (w *Watch) publish() *Report {
	now := time.Now()
	var probed []Finding
	for id, a := range w.probed {
		if now.Sub(a.at) > probedFor || !listed(w.sample.Load(), Place{Service: id}) {
			delete(w.probed, id)
			continue
		}
		for _, f := range a.findings {
			if listed(w.sample.Load(), f.identity().Place) {
				probed = append(probed, f)
			}
		}
	}
	r := w.report
	r.Time, r.Findings = now, Merge(w.found, probed)
	since := map[identity]time.Time{}
	if last := w.latest.Load(); last != nil {
		for _, f := range last.Findings {
			since[f.identity()] = f.Since
		}
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Since = since[f.identity()]; f.Since.IsZero() {
			f.Since = now
		}
	}
	w.latest.Store(&r)
	return &r
}

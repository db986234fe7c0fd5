package ui

import (
	"context"
	"errors"
	"sync/atomic"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/history"
	"lvsdeck/ops/pulse"
	"lvsdeck/ops/record"
	"lvsdeck/ops/task"
)

// Replaying is the options of a console on a recording.
func Replaying(p *record.Player) Options {
	head := p.File().Head()
	o := Options{
		Source: p, Replay: p, Host: head.Host, Interval: head.Interval, Limits: head.Limits,
		History: history.New(), Checks: recordedChecks{p}, Tasks: task.NewKeeper(task.Options{Source: p}),
	}
	o.Limits.ReadOnly, o.Limits.Why = true, "a recording"
	o.hindsight = &hindsight{history: o.History, marks: p.Marks(), tasks: o.Tasks}
	o.hindsight.seen.Store(&pulse.Watch{})
	p.Tell(o.hindsight)
	return o
}

// hindsight is what screens say of what was before a recording's sample. Live the screen
// gathers that from the samples it shows; here the player tells it, as it goes back
// and forth.
type hindsight struct {
	history *history.Store
	marks   []history.Mark
	tasks   *task.Keeper
	pulse   pulse.Watch
	seen    atomic.Pointer[pulse.Watch] // a copy that stays
}

// Add implements record.Listener.
func (p *hindsight) Add(s *ops.Sample) {
	p.history.Add(s)
	p.tasks.Look(s)
	p.pulse.Look(s)
	p.seen.Store(p.pulse.Clone())
}

// Reset implements record.Listener.
func (p *hindsight) Reset() {
	p.history.Reset()
	p.history.Mark(p.marks...)
	p.tasks.Forget()
	p.pulse = pulse.Watch{}
	p.seen.Store(p.pulse.Clone())
}

// Keep implements record.Listener.
func (p *hindsight) Keep() (back func()) {
	history, tasks, seen := p.history.Keep(), p.tasks.Keep(), p.seen.Load()
	return func() {
		history()
		tasks()
		p.pulse = *seen.Clone()
		p.seen.Store(seen)
	}
}

// takePast takes over what was before the sample, and how unusual it is. While that
// is still being told of a recording, nothing is known to be.
func (m *Model) takePast() {
	if p := m.opts.hindsight; p != nil {
		m.pulse, m.unusual = p.seen.Load(), nil
		if m.live == nil || !m.pulse.Saw(m.live) {
			return
		}
	} else {
		m.pulse.Look(m.live)
		m.tasks.Look(m.live)
	}
	m.unusual = m.pulse.Rows()
}

// recordedChecks are what rounds of checks came to when they were made.
type recordedChecks struct{ *record.Player }

var errRecorded = errors.New("this is a recording: nothing can be looked at again, and nobody asked")

// Latest is what was found by then.
func (c recordedChecks) Latest() *check.Report { return c.Report() }

// LookNow is for a live host.
func (recordedChecks) LookNow(context.Context) (*check.Report, error) { return nil, errRecorded }

// Probe is, too.
func (recordedChecks) Probe(context.Context, func(ipvs.ServiceID) bool, func(asked, of int)) (check.Asked, error) {
	return check.Asked{}, errRecorded
}

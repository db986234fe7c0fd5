package setup

import (
	"context"
	"errors"
	"time"

	"lvsdeck/ops/plan"
)

// Apply does what a draft has left to do. A draft of which all is so already is
// applied, and leaves no trace. When a step fails, all is as it was.
//
// It is taken back unless it is confirmed within a time; 0 is without a timer.
//
// The record is written once the journal has the plan, before its first step: a
// kill leaves nothing that nobody remembers.
func (b Book) Apply(ctx context.Context, d Draft, within time.Duration, on func(plan.Event)) (plan.Result, error) {
	preview, err := d.Plan.Preview(ctx, b.Runner.Target)
	if err != nil {
		return plan.Result{Plan: d.Plan, Outcome: plan.NotBegun}, err
	}
	if nothingToDo(preview.States) {
		return asItIs(preview), nil
	}
	return b.run(ctx, d.Plan, within, noted{
		begun: func(id string) error {
			return b.record(d, id, func(i int) bool { return preview.States[i] != plan.Already })
		},
		applied: func(r plan.Result) error {
			return b.record(d, r.ID, func(i int) bool { return r.Steps[i].State == plan.Done })
		},
	}, on)
}

// noted is a guard that writes the book, too.
type noted struct {
	plan.Guard // or nil
	begun      func(id string) error
	applied    func(plan.Result) error
}

// Begun writes the book first: the other guard's timer shall not run meanwhile.
func (n noted) Begun(id string, p plan.Plan) error {
	if err := n.begun(id); err != nil || n.Guard == nil {
		return err
	}
	return n.Guard.Begun(id, p)
}

// Ended corrects the book by what the plan found to be so already.
func (n noted) Ended(r plan.Result) (err error) {
	if r.Outcome == plan.Applied && n.applied != nil {
		err = n.applied(r)
	}
	if n.Guard != nil {
		err = errors.Join(err, n.Guard.Ended(r))
	}
	return err
}

func nothingToDo(states []plan.State) bool {
	for _, s := range states {
		if s != plan.Already {
			return false
		}
	}
	return true
}

func asItIs(p plan.Preview) plan.Result {
	r := plan.Result{Plan: p.Plan, Outcome: plan.Applied, Steps: make([]plan.StepResult, len(p.States))}
	for i, s := range p.States {
		r.Steps[i].State = s
	}
	return r
}

// record writes what a plan did for a draft. What an earlier plan did for the same
// service stays that one's.
func (b Book) record(d Draft, id string, did func(step int) bool) error {
	return b.update(func(all map[string]*Record) error {
		r := &Record{Wish: d.Wish}
		if old := all[r.key()]; old != nil && old.gone == "" {
			r.Steps, r.did, r.keep = old.Steps, old.did, old.keep
		}
		if d.Keep {
			r.keep = id
		}
		for i, item := range d.Plan.Items {
			switch at := r.find(item.Step); {
			case did(i):
				r.put(item, id)
			case at < 0 || r.did[at] == id:
				r.put(item, "")
			}
		}
		all[r.key()] = r
		return nil
	})
}

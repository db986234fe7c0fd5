package confirm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// busyTime is how long Confirm waits for other plans; short ones are let pass.
const busyTime = 5 * time.Second

// pause is between two looks at what another process does.
const pause = 50 * time.Millisecond

// Confirm keeps the change that waits. Without one it answers *Nothing.
func (g *Guard) Confirm(ctx context.Context) (Change, error) {
	c, err := g.pending()
	if err != nil {
		return Change{}, err
	}
	if left, lost := g.waits(c); left == 0 && !lost {
		return *c, fmt.Errorf("too late: %s is being taken back", c)
	}
	lock, err := g.lock(ctx, c)
	if err != nil {
		return *c, err
	}
	defer lock.Close()
	if c, err = g.pending(); err != nil {
		return Change{}, err
	}
	e, undoing, err := g.plans(c.ID)
	switch {
	case err != nil:
		return *c, err
	case e == nil: // somebody took the journal away: the change is there, and can stay
	case e.Ended == nil, undoing != nil:
		return *c, fmt.Errorf("%s is only half there: lvsdeck revert takes it back, and its timer does by itself", c)
	case !e.InForce:
		return *c, errors.Join(&Nothing{}, g.drop(c))
	}
	return *c, g.drop(c)
}

// plans finds in the journal the plan of a change, and one that was to undo it
// and has not ended; nil when there is none.
func (g *Guard) plans(id string) (of, undoing *persist.Entry, err error) {
	all, err := g.store.Plans()
	for _, e := range all {
		switch {
		case e.ID == id:
			of = e
		case e.Undoes == id && e.Ended == nil:
			undoing = e
		}
	}
	return of, undoing, err
}

// lock takes the lock of plans.
func (g *Guard) lock(ctx context.Context, c *Change) (*persist.Writer, error) {
	ctx, cancel := context.WithTimeout(ctx, busyTime)
	defer cancel()
	for {
		w, err := g.store.Resume(c.ID, "confirm: "+c.Title)
		var busy *persist.Busy
		if !errors.As(err, &busy) {
			return w, err
		}
		if busy.Plan == c.ID && busy.PID == c.Applier.PID {
			return nil, fmt.Errorf("%s is still being applied: confirm it when it is done", c)
		}
		if g.clock.sleep(ctx, pause) != nil {
			return nil, busy
		}
	}
}

// Revert takes back the change that waits, at once. Without one it answers
// *Nothing. When the outcome is plan.NotBegun it still waits.
func (g *Guard) Revert(ctx context.Context, r plan.Runner, on func(plan.Event)) (Change, plan.Result, error) {
	c, err := g.pending()
	if err != nil {
		return Change{}, plan.Result{Outcome: plan.NotBegun}, err
	}
	result, err := g.takeBack(ctx, r, c, g.store.Who().String()+" asked for it", "undo: "+c.Title, on)
	if result.Outcome == plan.NotBegun {
		return *c, result, err
	}
	if all, err := g.changes.Get(); err == nil && all[c.ID].Reverted != nil {
		*c = all[c.ID]
		c.Timer.stop() // else it is the timer that puts the record right
	}
	return *c, result, err
}

// takeBack takes a change back, whatever its plan stands at: under way, never
// ended, or done. It is on record then, unless the result has a Warning.
func (g *Guard) takeBack(ctx context.Context, r plan.Runner, c *Change, why, title string, on func(plan.Event)) (plan.Result, error) {
	none := plan.Result{Outcome: plan.NotBegun}
	if err := g.here(c); err != nil {
		return none, err
	}
	if err := g.oust(ctx, c); err != nil {
		return none, err
	}
	e, undoing, err := g.plans(c.ID)
	if err != nil {
		return none, err
	}
	r.Guard = &reverting{g, *c, why}
	switch {
	case undoing != nil: // somebody died over it
		return settled(r.Finish(ctx, undoing.ID, on))
	case e == nil:
		err := fmt.Errorf("the journal has no plan %s: what it changed is not known", c.ID)
		return plan.Result{ID: c.ID, Outcome: plan.WentHalfBack, Warning: g.record(*c, why, []string{err.Error()})}, err
	case e.Ended == nil:
		return r.TakeBack(ctx, c.ID, on)
	case !e.InForce: // it went back by itself, or was undone
		failures, err := g.told(e)
		return plan.Result{ID: c.ID, Outcome: plan.WentBack, Warning: g.record(*c, why, failures)}, err
	}
	p, err := plan.Undoing(e)
	if err != nil {
		return none, err
	}
	p.Title = title
	return settled(r.Run(ctx, p, on))
}

// settled calls an undoing not begun when nothing came of it: a runner that cannot
// write its journal takes back what it runs, which here is the taking back.
func settled(r plan.Result, err error) (plan.Result, error) {
	if !isSettled(r) {
		r.Outcome = plan.NotBegun
	}
	return r, err
}

// isSettled tells whether a plan that takes a change back has done what it can.
func isSettled(r plan.Result) bool {
	switch r.Outcome {
	case plan.NotBegun:
		return false
	case plan.Applied, plan.Partly:
		return true
	}
	refused := func(s plan.StepResult) bool { return s.State == plan.Failed || s.State == plan.Already }
	return r.Plan.Undoes == "" || !slices.ContainsFunc(r.Steps, func(s plan.StepResult) bool { return !refused(s) })
}

// here refuses to take back in one network what was done in another.
func (g *Guard) here(c *Change) error {
	if c.Network == g.network {
		return nil
	}
	return fmt.Errorf("%s was made in another network namespace (%s, this is %s): take it back there", c, c.Network, g.network)
}

// told is what the journal knows of steps that are not as before, of a plan that
// is not in force any more.
func (g *Guard) told(e *persist.Entry) ([]string, error) {
	h, err := plan.ReadHistory(g.store)
	if err != nil {
		return nil, err
	}
	if by := h.UndoneBy(e); by != nil {
		e = by
	}
	p, err := plan.Of(e)
	if err != nil {
		return nil, err
	}
	return failures(p, plan.Told(e, p)), nil
}

func failures(p plan.Plan, steps []plan.StepResult) (all []string) {
	for i, s := range steps {
		if s.State == plan.NotTakenBack || s.State == plan.Failed && p.Undoes != "" {
			all = append(all, fmt.Sprintf("%s: %v", p.Items[i].Step, s.Err))
		}
	}
	return all
}

// reverting is the guard of the plans that take a change back.
type reverting struct {
	*Guard
	change Change
	why    string
}

// Begun looks once more, now that nobody else can decide anything.
func (r *reverting) Begun(string, plan.Plan) error {
	c, err := r.pending()
	if err == nil && c.ID != r.change.ID {
		err = &Nothing{}
	}
	return err
}

// Ended writes down what became of the change.
func (r *reverting) Ended(result plan.Result) error {
	if !isSettled(result) {
		return nil
	}
	return r.record(r.change, r.why, failures(result.Plan, result.Steps))
}

// record writes down what became of a change, also when whoever applied it has
// just struck it out.
func (g *Guard) record(c Change, why string, failures []string) error {
	c.Reverted = &Reverted{When: time.Now(), Why: why, Outcome: plan.WentBack, Failures: failures}
	if len(failures) > 0 {
		c.Reverted.Outcome = plan.WentHalfBack
	}
	return g.changes.Update(func(all map[string]Change) {
		if all[c.ID].Reverted == nil {
			all[c.ID] = c
		}
	})
}

// How the process that applies a change is made to leave it. One that is well
// goes back by itself at the deadline; one that is not may be waiting for its
// terminal, or be stopped.
const (
	politeAfter = 2 * time.Second // SIGTERM
	killAfter   = 5 * time.Second // SIGKILL
	giveUpAfter = 8 * time.Second // it is in the kernel, or where no signal of ours gets
)

// oust sees to it that the process that applies a change has left it. One that
// even SIGKILL does not move is *persist.Busy.
func (g *Guard) oust(ctx context.Context, c *Change) error {
	began := g.clock.now()
	next := map[time.Duration]syscall.Signal{politeAfter: unix.SIGTERM, killAfter: unix.SIGKILL}
	for {
		holder, busy, err := g.store.Running()
		if err != nil {
			return err
		}
		if !busy || holder.Plan != c.ID || holder.PID != c.Applier.PID {
			return nil
		}
		if c.Applier.PID == os.Getpid() || g.clock.now()-began >= giveUpAfter {
			return &persist.Busy{Holder: holder}
		}
		for after, signal := range next {
			if g.clock.now()-began >= after {
				delete(next, after)
				_ = c.Applier.signal(signal)
			}
		}
		if err := g.clock.sleep(ctx, pause); err != nil {
			return err
		}
	}
}

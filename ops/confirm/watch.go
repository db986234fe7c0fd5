package confirm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

const (
	// patience is how long a timer waits for the lock of plans before it does
	// without: its holder may be stopped.
	patience = time.Minute

	// stepTime bounds a step that is taken back without the runner.
	stepTime = 30 * time.Second

	// A timer that could not do its work tries again, ever less often.
	firstRetry, lastRetry = 100 * time.Millisecond, 10 * time.Second
)

// Watch is the life of a timer's process: it calls ready, waits for the deadline
// of a change, and takes the change back if it still waits. It comes back when
// the change waits no more.
//
// Should ctx end, it does not wait any longer: who ends a timer does not mean to
// keep a change that nobody has confirmed.
func (g *Guard) Watch(ctx context.Context, r plan.Runner, id string, at time.Duration, ready func()) error {
	wait, err := g.clock.alarm(at)
	if err != nil {
		return err
	}
	ready()
	early := wait(ctx) != nil
	w := &watch{Guard: g, runner: r, id: id, early: early, since: g.clock.now()}
	ctx = context.WithoutCancel(ctx)
	for pause := firstRetry; !w.try(ctx); pause = min(2*pause, lastRetry) {
		_ = g.clock.sleep(ctx, pause)
	}
	return nil
}

// watch is a timer at its deadline.
type watch struct {
	*Guard
	runner plan.Runner
	id     string
	early  bool
	since  time.Duration // when it began to try
	done   bool          // the change was taken back by us; it may not stand in the file yet
	bare   bool          // or at least the host is as before
	last   string        // what was said last
}

// try tells whether there is nothing left to do.
func (w *watch) try(ctx context.Context) bool {
	c, err := w.pending()
	var none *Nothing
	switch {
	case errors.As(err, &none):
		if w.done && none.Last != nil {
			w.say(none.Last.Story())
		}
		return true
	case err != nil:
		w.say(fmt.Sprintf("plan %s: %v", w.id, err))
		return false
	case c.ID != w.id:
		return true
	}
	why := "nobody confirmed it in " + seconds(c.Window)
	if w.early {
		why = "its timer was told to end"
	}
	result, err := w.takeBack(ctx, w.runner, c, why, fmt.Sprintf("undo: %s (%s)", c.Title, why), nil)
	if result.Outcome != plan.NotBegun {
		w.done = true
		if result.Warning == nil {
			return w.try(ctx)
		}
		w.say(fmt.Sprintf("%s was taken back, which cannot be written down yet: %v", c, result.Warning))
		return false
	}
	w.say(fmt.Sprintf("%s cannot be taken back yet: %v", c, err))
	var busy *persist.Busy
	if !w.bare && (!errors.As(err, &busy) || w.clock.now()-w.since > patience) {
		w.bare = true
		if err := w.withoutRunner(ctx, c); err != nil {
			w.say(fmt.Sprintf("%s, taken back without lock and journal: %v", c, err))
		}
	}
	return false
}

// say tells the log what it has not been told just now.
func (w *watch) say(text string) {
	if text != w.last {
		w.last = text
		w.Tell(text)
	}
}

// withoutRunner takes the steps of a change back without lock and journal, as
// when the disk is full: what the journal says is put right later, the way to the
// host is not.
func (w *watch) withoutRunner(ctx context.Context, c *Change) error {
	if err := w.here(c); err != nil {
		return err
	}
	e, err := w.store.Plan(c.ID)
	if err != nil || e.Ended != nil && !e.InForce {
		return err
	}
	p, err := plan.Reverse(e)
	if err != nil {
		return err
	}
	var failed []error
	for _, i := range p.Items {
		if err := within(ctx, w.runner.Target, i.Step); err != nil && !errors.Is(err, plan.ErrAlready) {
			failed = append(failed, fmt.Errorf("%s: %w", i.Step, err))
		}
	}
	return errors.Join(failed...)
}

func within(ctx context.Context, t plan.Target, s plan.Step) error {
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	return s.Do(ctx, t)
}

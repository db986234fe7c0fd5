package confirm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// Guard runs plans under the timer, and as a plan.Guard of all runners of the
// store it notices when a change that waits is undone in another way.
type Guard struct {
	// Tell is given what a timer does while nobody looks, a line each.
	Tell func(line string)

	store    *persist.Store
	changes  persist.Side[Change]
	clock    clock
	boot     string
	network  string
	shortest time.Duration
	arm      func(ctx context.Context, id string, at time.Duration) (Timer, error)
}

var _ plan.Guard = (*Guard)(nil)

// changesFile is in the store.
const changesFile = "changes.json"

// New gives a guard for the calling thread's network namespace. Command is the
// argument vector of a process that does what Watch does for a plan.
func New(store *persist.Store, command func(id string, at time.Duration) []string) (*Guard, error) {
	g, err := newGuard(store)
	if err != nil {
		return nil, err
	}
	l := launcher{dir: store.Dir(), systemd: systemdIsHere}
	g.arm = func(ctx context.Context, id string, at time.Duration) (Timer, error) {
		return l.launch(ctx, id, command(id, at))
	}
	return g, nil
}

// Inside gives a guard whose timer lives in this process, for a director that
// ends with it, as a demo does.
func Inside(r *plan.Runner) (*Guard, error) {
	g, err := newGuard(r.Store)
	if err != nil {
		return nil, err
	}
	g.arm = func(_ context.Context, id string, at time.Duration) (Timer, error) {
		ready := make(chan struct{})
		failed := make(chan error, 1)
		go func() { failed <- g.Watch(context.Background(), *r, id, at, func() { close(ready) }) }()
		select {
		case <-ready:
			return Timer{}, nil
		case err := <-failed:
			return Timer{}, err
		}
	}
	return g, nil
}

func newGuard(store *persist.Store) (*Guard, error) {
	boot, err := bootID()
	if err != nil {
		return nil, fmt.Errorf("cannot tell this boot of the host from others: %w", err)
	}
	network, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("cannot tell this network namespace: %w", err)
	}
	return &Guard{
		Tell:  func(string) {},
		store: store, changes: persist.NewSide[Change](store, changesFile),
		clock: bootClock, boot: boot, network: network, shortest: MinWindow,
	}, nil
}

// errTooLong is why a plan is cancelled at its own deadline.
var errTooLong = errors.New("it was not done within the time to confirm it")

// Run runs a plan that is taken back when nobody confirms it in time. The time
// runs from before the first step. It is refused with *Pending while another
// change waits, and with *NotArmed when no timer can be started: nothing was
// changed then. Another guard that the runner has is told too.
func (g *Guard) Run(ctx context.Context, r plan.Runner, p plan.Plan, window time.Duration, on func(plan.Event)) (plan.Result, error) {
	if err := g.allow(p, window); err != nil {
		return plan.Result{Plan: p, Outcome: plan.NotBegun}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	a := &applying{Guard: g, ctx: ctx, cancel: cancel, window: window}
	if _, ours := r.Guard.(*Guard); !ours {
		a.next = r.Guard
	}
	r.Guard = a
	result, err := r.Run(ctx, p, on)
	if errors.Is(err, context.Canceled) && context.Cause(ctx) == errTooLong {
		err = fmt.Errorf("%w: %s", errTooLong, seconds(window))
	}
	return result, err
}

// allow refuses what cannot be run under the timer.
func (g *Guard) allow(p plan.Plan, window time.Duration) error {
	if window < g.shortest || window > MaxWindow {
		return CheckWindow(window)
	}
	if stuck := p.Irreversible(); len(stuck) > 0 {
		return fmt.Errorf("%s: %w, so it cannot wait to be confirmed", stuck[0], plan.ErrIrreversible)
	}
	all, err := g.changes.Get()
	if err != nil {
		return err
	}
	return g.refuse(all)
}

// refuse is the *Pending that keeps others out, or nil.
func (g *Guard) refuse(all map[string]Change) error {
	c, _ := g.sort(all)
	if c == nil {
		return nil
	}
	left, lost := g.waits(c)
	return &Pending{*c, left, lost}
}

// Begun implements plan.Guard: plans are as good as confirmed.
func (g *Guard) Begun(string, plan.Plan) error { return nil }

// Ended implements plan.Guard. The change that waits is over when its plan did
// not stay, or when another plan undid it.
func (g *Guard) Ended(r plan.Result) error {
	c, err := g.pending()
	if none := (*Nothing)(nil); errors.As(err, &none) {
		return nil
	}
	if err != nil {
		return err
	}
	stays := r.Outcome == plan.Applied || r.Outcome == plan.Partly
	if r.ID == c.ID && !stays || r.Plan.Undoes == c.ID && stays {
		return g.drop(c)
	}
	return nil
}

// applying is the guard of a plan under the timer.
type applying struct {
	*Guard
	next   plan.Guard // of somebody else's, or nil
	ctx    context.Context
	cancel context.CancelCauseFunc
	window time.Duration
}

// Ended leaves a plan that was at it too long to its timer, which tells of it.
func (a *applying) Ended(r plan.Result) (err error) {
	if a.next != nil {
		err = a.next.Ended(r)
	}
	if r.Outcome != plan.NotBegun && context.Cause(a.ctx) == errTooLong {
		return err
	}
	return errors.Join(err, a.Guard.Ended(r))
}

// armTime bounds the start of a timer.
const armTime = 20 * time.Second

// Begun arms the timer, and only then writes down that the change is pending: of
// a timer without a change nothing can come.
func (a *applying) Begun(id string, p plan.Plan) error {
	if a.next != nil {
		if err := a.next.Begun(id, p); err != nil {
			return err
		}
	}
	at := a.clock.now() + a.window
	self, err := processOf(os.Getpid())
	if err != nil {
		return &NotArmed{err}
	}
	wait, err := a.clock.alarm(at)
	if err != nil {
		return &NotArmed{err}
	}
	// A plan that is still at it at its deadline goes back by itself, while it can.
	go func() {
		if wait(a.ctx) == nil {
			a.cancel(errTooLong)
		}
	}()
	ctx, cancel := context.WithTimeout(a.ctx, armTime)
	defer cancel()
	timer, err := a.arm(ctx, id, at)
	if err != nil {
		return &NotArmed{err}
	}
	c := Change{
		ID: id, Title: p.Title, By: a.store.Who(), Since: time.Now(), Window: a.window, At: at,
		Boot: a.boot, Network: a.network, Applier: self, Timer: timer,
	}
	if err := a.add(c); err != nil {
		timer.stop()
		return err
	}
	if a.clock.now() >= at { // the timer may have looked before there was a change
		return &NotArmed{errors.New("that took longer than the time to confirm")}
	}
	return nil
}

// add makes a change the pending one, and forgets what was taken back and seen.
func (g *Guard) add(c Change) error {
	var refused error
	err := g.changes.Update(func(all map[string]Change) {
		if refused = g.refuse(all); refused != nil {
			return
		}
		for id, old := range all {
			if g.judged(old).Reverted.Seen {
				delete(all, id)
			}
		}
		all[c.ID] = c
	})
	return errors.Join(refused, err)
}

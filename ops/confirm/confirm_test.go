package confirm

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"lvsdeck/ops/plan"
)

const waiting = `"renew a b" of alice waits 60 s`

func TestConfirmKeeps(t *testing.T) {
	b := newBench(t)
	b.stateIs("at first", "")
	id := b.applied("a", "b").ID
	b.stateIs("applied", waiting)
	b.clock.move(20500 * time.Millisecond)
	b.stateIs("later", `"renew a b" of alice waits 40 s`)

	b.restart(nil)
	c, err := b.Confirm(b.Context())
	b.ok(err)
	if c.ID != id || c.Story() != `"renew a b" of alice waits to be confirmed` {
		t.Errorf("confirmed: %s %s", c.ID, c.Story())
	}
	b.stateIs("confirmed", "")
	_, err = b.Confirm(b.Context())
	b.nothing(err, "no change waits to be confirmed")
	b.expire(id)
	b.holds("after the deadline", "new new old")
	if got := b.standing(id); got != "in force" {
		t.Errorf("the journal has it as %s", got)
	}
}

func TestDeadline(t *testing.T) {
	b := newBench(t)
	id := b.applied("a", "b").ID
	b.expire(id)
	b.holds("after the deadline", "old old old")
	b.stateIs("after the deadline", `"renew a b" of alice taken back 0`)
	h, err := plan.ReadHistory(b.Store)
	b.ok(err)
	if got := h.Entries[0].Title; got != "undo: renew a b (nobody confirmed it in 60 s)" {
		t.Errorf("the journal has %q", got)
	}
	if len(b.log) != 1 || !strings.Contains(b.log[0], "nobody confirmed it in 60 s") {
		t.Errorf("the log has %q", b.log)
	}
	_, err = b.Confirm(b.Context())
	b.nothing(err, `"renew a b" of alice was taken back at `)
	b.ok(b.Seen())
	b.stateIs("seen", "")
	_, err = b.Confirm(b.Context())
	b.nothing(err, "was taken back at ")

	b.applied("a", "b")
	if all, err := b.changes.Get(); err != nil || len(all) != 1 {
		t.Errorf("what was seen is kept: %v, %v", all, err)
	}
}

func TestRevert(t *testing.T) {
	b := newBench(t)
	_, r, err := b.Revert(b.Context(), b.Runner, nil)
	b.nothing(err, "")
	if r.Outcome != plan.NotBegun {
		t.Error(r.Outcome)
	}
	id := b.applied("a", "b").ID
	events := 0
	c, r, err := b.Revert(b.Context(), b.Runner, func(plan.Event) { events++ })
	b.ok(err)
	b.holds("reverted", "old old old")
	if r.Outcome != plan.Applied || events != 4 || !strings.Contains(c.Story(), "was taken back at ") || !strings.HasSuffix(c.Story(), ": alice asked for it") {
		t.Errorf("%s after %d events: %s", r.Outcome, events, c.Story())
	}
	_, _, err = b.Revert(b.Context(), b.Runner, nil)
	b.nothing(err, "alice asked for it")
	b.expire(id)
	b.stateIs("after the deadline", `"renew a b" of alice taken back 0`)
	if len(b.log) > 0 {
		t.Errorf("the timer had nothing to do and says %q", b.log)
	}
}

func TestOnePendingAtATime(t *testing.T) {
	b := newBench(t)
	b.applied("a", "b")
	b.clock.move(15 * time.Second)
	plans := func() int {
		all, err := b.Store.Plans()
		b.ok(err)
		return len(all)
	}
	before := plans()
	r, err := b.apply(b.renew("c"), nil)
	var pending *Pending
	if !errors.As(err, &pending) || r.Outcome != plan.NotBegun || plans() != before {
		t.Fatalf("a second change: %s, %v", r.Outcome, err)
	}
	for _, want := range []string{`"renew a b" of alice waits since `, "taken back in 45 s", "lvsdeck confirm", "lvsdeck revert"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in %v", want, err)
		}
	}
	// One that came in between is refused by the guard.
	r, err = b.Runner.Run(b.Context(), b.renew("a"), nil) // under no timer: it may
	b.ok(err)
	late := &applying{Guard: b.Guard, ctx: b.Context(), cancel: func(error) {}, window: time.Minute}
	b.Runner.Guard = late
	r, err = b.Runner.Run(b.Context(), b.renew("c"), nil)
	if !errors.As(err, &pending) || r.Outcome != plan.NotBegun {
		t.Errorf("a second change in between: %s, %v", r.Outcome, err)
	}
	b.holds("refused", "new new old")
	b.stateIs("refused", `"renew a b" of alice waits 45 s`)
}

func TestRefusedBeforeAnything(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		window time.Duration
		plan   plan.Plan
		want   string
	}{
		{9 * time.Second, b.renew("a"), "time to confirm 9s: must be 10s to 60m"},
		{time.Hour + 1, b.renew("a"), "must be 10s to 60m"},
		{time.Minute, b.renew("a", "once"), "write once new: this cannot be taken back, so it cannot wait"},
	} {
		r, err := b.Guard.Run(b.Context(), b.Runner, c.plan, c.window, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || r.Outcome != plan.NotBegun {
			t.Errorf("%s: %v, want %q", r.Outcome, err, c.want)
		}
	}
	b.armed = errors.New("no more processes")
	r, err := b.apply(b.renew("a"), nil)
	var notArmed *NotArmed
	if !errors.As(err, &notArmed) || r.Outcome != plan.NotBegun || !strings.Contains(err.Error(), "nothing was changed: ") {
		t.Errorf("without a timer: %s, %v", r.Outcome, err)
	}
	b.holds("refused", "old old old")
	b.stateIs("refused", "")
	for _, d := range []time.Duration{MinWindow, DefaultWindow, MaxWindow} {
		b.ok(CheckWindow(d))
	}
}

func TestRestart(t *testing.T) {
	b := newBench(t)
	id := b.applied("a", "b").ID
	b.boot = "second"
	b.restart(nil)
	b.stateIs("after a restart", `"renew a b" of alice gone with a restart 0`)
	_, err := b.Confirm(b.Context())
	b.nothing(err, "this host was restarted before")
	_, _, err = b.Revert(b.Context(), b.Runner, nil)
	b.nothing(err, "this host was restarted before")
	b.expire(id)
	b.holds("after a restart", "new new old") // as the test left it: nobody touches it

	b.applied("c")
	b.stateIs("a new one", `"renew c" of alice waits 60 s, "renew a b" of alice gone with a restart 0`)
	b.ok(b.Seen())
	b.stateIs("seen", `"renew c" of alice waits 60 s`)
}

// TestOver: a change that ended in another way waits no more.
func TestOver(t *testing.T) {
	for name, end := range map[string]struct {
		kill bool
		do   func(b *bench, id string) error
		host string
	}{
		"undone":     {false, func(b *bench, id string) error { _, err := b.Undo(b.Context(), id, nil); return err }, "old old old"},
		"taken back": {true, func(b *bench, id string) error { _, err := b.TakeBack(b.Context(), id, nil); return err }, "old old old"},
		"left":       {true, func(b *bench, id string) error { return b.Leave(id) }, "new old old"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			id := ""
			if end.kill {
				id = b.killed("a", "b")
			} else {
				id = b.applied("a", "b").ID
			}
			b.stateIs("before", waiting)
			b.ok(end.do(b, id))
			b.stateIs("after", "")
			b.expire(id)
			b.holds("after the deadline", end.host)
			b.stateIs("after the deadline", "")
		})
	}
	b := newBench(t)
	b.applied("a", "b")
	r, err := b.Runner.Run(b.Context(), b.renew("c"), nil)
	b.ok(err)
	_, err = b.Undo(b.Context(), r.ID, nil)
	b.ok(err)
	b.stateIs("after others", waiting)
}

func TestFailedPlanDoesNotWait(t *testing.T) {
	b := newBench(t)
	b.put("b", "somebody else's")
	r, err := b.apply(b.renew("a", "b"), nil)
	if !errors.Is(err, plan.ErrMoved) || r.Outcome != plan.WentBack {
		t.Errorf("%s, %v", r.Outcome, err)
	}
	b.stateIs("failed", "")
}

// TestTooLong: a plan that is still at it at its deadline goes back by itself, and
// the timer tells of it.
func TestTooLong(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancelCause(b.Context())
	b.Runner.Guard = &applying{Guard: b.Guard, ctx: ctx, cancel: cancel, window: time.Minute}
	r, err := b.Runner.Run(ctx, b.renew("a", "b"), func(e plan.Event) {
		if e.Step == 0 && e.State == plan.Done {
			b.clock.move(time.Minute)
			<-ctx.Done()
		}
	})
	if !errors.Is(err, context.Canceled) || context.Cause(ctx) != errTooLong || r.Outcome != plan.WentBack {
		t.Errorf("%s, %v", r.Outcome, err)
	}
	b.stateIs("back", `"renew a b" of alice waits 0 s`)
	b.expire(r.ID)
	b.stateIs("told", `"renew a b" of alice taken back 0`)
}

// TestOthersMoved: what others changed stays and is told.
func TestOthersMoved(t *testing.T) {
	b := newBench(t)
	id := b.applied("a", "b").ID
	b.put("a", "somebody else's")
	b.expire(id)
	b.holds("after the deadline", "somebody else's old old")
	b.stateIs("after the deadline", `"renew a b" of alice half taken back 1`)
	if !strings.Contains(b.log[0], "; not all of it: write a old: ") {
		t.Errorf("the log has %q", b.log)
	}
}

// TestUnfinished: whoever runs the plan is dead.
func TestUnfinished(t *testing.T) {
	b := newBench(t)
	id := b.killed("a", "b")
	b.stateIs("killed", waiting)
	if _, err := b.Confirm(b.Context()); err == nil || !strings.Contains(err.Error(), "is only half there: lvsdeck revert") {
		t.Errorf("half a change is confirmed: %v", err)
	}
	b.holds("killed", "new old old")
	b.expire(id)
	b.holds("after the deadline", "old old old")
	b.stateIs("after the deadline", `"renew a b" of alice taken back 0`)
	if got := b.standing(id); got != "taken back" {
		t.Errorf("the journal has it as %s", got)
	}

	// Nor can a change be confirmed that somebody died over taking back.
	id = b.applied("a", "b").ID
	dies := func(e plan.Event) {
		if e.Step == 0 && e.State == plan.Done {
			panic(errKilled)
		}
	}
	survive(func() { _, _, _ = b.Revert(b.Context(), b.Runner, dies) })
	b.holds("half reverted", "new old old")
	if _, err := b.Confirm(b.Context()); err == nil || !strings.Contains(err.Error(), "only half there") {
		t.Errorf("half a change is confirmed: %v", err)
	}
	b.expire(id)
	b.holds("after the deadline", "old old old")
	if left, err := b.Unfinished(b.Context()); err != nil || len(left) > 0 {
		t.Errorf("unfinished for ever: %v, %v", left, err)
	}
}

func TestTooLateToConfirm(t *testing.T) {
	b := newBench(t)
	b.applied("a", "b")
	b.clock.move(time.Minute)
	if _, err := b.Confirm(b.Context()); err == nil || !strings.Contains(err.Error(), "too late") {
		t.Errorf("confirmed at the deadline: %v", err)
	}
	b.clock.move(overdue + 1)
	b.stateIs("long after", `"renew a b" of alice waits 0 s, lost`)
	_, err := b.Confirm(b.Context())
	b.ok(err)
}

func TestAnotherNetwork(t *testing.T) {
	b := newBench(t)
	b.applied("a", "b")
	b.network = "net:[1]"
	_, r, err := b.Revert(b.Context(), b.Runner, nil)
	if r.Outcome != plan.NotBegun || err == nil || !strings.Contains(err.Error(), "another network namespace") {
		t.Errorf("%s, %v", r.Outcome, err)
	}
	b.holds("refused", "new new old")
	b.stateIs("refused", waiting)
}

func TestWithoutJournal(t *testing.T) {
	b := newBench(t)
	id := b.applied("a", "b").ID
	b.ok(os.Remove(b.file("store/journal")))
	b.expire(id)
	b.stateIs("without a journal", `"renew a b" of alice half taken back 1`)
	id = b.applied("c").ID
	b.ok(os.Remove(b.file("store/journal")))
	_, err := b.Confirm(b.Context())
	b.ok(err)
	b.expire(id)
	b.holds("confirmed", "new new new")
}

// TestEndedTimer: who ends a timer does not keep the change.
func TestEndedTimer(t *testing.T) {
	b := newBench(t)
	id := b.applied("a", "b").ID
	ctx, cancel := context.WithCancel(b.Context())
	b.ok(b.Watch(ctx, b.Runner, id, time.Hour+time.Minute, cancel))
	b.holds("ended", "old old old")
	if len(b.log) != 1 || !strings.Contains(b.log[0], "its timer was told to end") {
		t.Errorf("the log has %q", b.log)
	}
}

// TestInside: the timer of a demo.
func TestInside(t *testing.T) {
	b := newBench(t)
	g, err := Inside(&b.Runner)
	b.ok(err)
	g.boot, g.clock = b.boot, b.Guard.clock
	b.Guard, b.Runner.Guard = g, g
	b.applied("a", "b")
	b.clock.move(time.Minute)
	b.until("it is taken back", func() bool { return b.state() == `"renew a b" of alice taken back 0` })
	b.holds("after the deadline", "old old old")
	b.unlocked()
	b.applied("a", "b")
	_, err = g.Confirm(b.Context())
	b.ok(err)
	b.holds("confirmed", "new new old")
}

// other is somebody else's guard.
type other struct {
	refuse error
	told   []string
}

func (o *other) Begun(string, plan.Plan) error {
	o.told = append(o.told, "begun")
	return o.refuse
}

func (o *other) Ended(r plan.Result) error {
	o.told = append(o.told, string(r.Outcome))
	return nil
}

func TestOtherGuards(t *testing.T) {
	b := newBench(t)
	o := &other{refuse: errors.New("not now")}
	b.Runner.Guard = o
	r, err := b.apply(b.renew("a", "b"), nil)
	if !errors.Is(err, o.refuse) || r.Outcome != plan.NotBegun {
		t.Errorf("%s, %v", r.Outcome, err)
	}
	b.stateIs("refused by another", "")
	o.refuse = nil
	b.applied("a", "b")
	b.stateIs("applied", waiting)
	if got := strings.Join(o.told, ", "); got != "begun, not begun, begun, applied" {
		t.Errorf("the other guard was told %q", got)
	}
}

// TestArmingTakesTooLong: a timer whose time is over before the change is on
// record has found nothing to do, so there must be no change.
func TestArmingTakesTooLong(t *testing.T) {
	b := newBench(t)
	b.Guard.arm = func(_ context.Context, id string, at time.Duration) (Timer, error) {
		b.expire(id)
		return Timer{}, nil
	}
	r, err := b.apply(b.renew("a", "b"), nil)
	if err == nil || r.Outcome != plan.NotBegun || !strings.Contains(err.Error(), "longer than the time to confirm") {
		t.Errorf("%s, %v", r.Outcome, err)
	}
	b.holds("not armed", "old old old")
	b.stateIs("not armed", "")
}

func (b *bench) until(what string, ok func() bool) {
	b.Helper()
	for end := time.Now().Add(soon); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatalf("%s: not within %s; the state is %q, the host %q", what, soon, b.state(), host(b.dir))
		}
	}
}

// unlocked waits for a timer, whose end is told before it lets the lock go.
func (b *bench) unlocked() {
	b.Helper()
	b.until("the timer lets the lock go", func() bool {
		_, running, err := b.Store.Running()
		return err == nil && !running
	})
}

// soon ends what would hang. It measures nothing.
const soon = 30 * time.Second

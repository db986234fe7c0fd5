package task

import (
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops/plan"
)

func TestRampByTheClock(t *testing.T) {
	b := newBench(t)
	b.ok(b.Begin(&Ramp{Server: b.row(one), Target: 100, Steps: 5, Over: 4 * time.Minute}))
	b.pass(0)
	for i, want := range []uint32{20, 40, 60, 80, 100} {
		if got := b.weight(one); got != want {
			t.Fatalf("after %d min: weight %d, want %d", i, got, want)
		}
		if want < 100 {
			b.is("under way", Running, "of 100, step")
		}
		b.pass(time.Minute + 2*time.Second)
	}
	b.is("there", Done, "has weight 100")
	if got := b.titles(); len(got) != 5 || got[1] != "ramp 10.0.0.1:80 of TCP 203.0.113.10:80, step 2 of 5: weight 40" {
		t.Errorf("the journal has %q", got)
	}
	if b.row(one).Server.Upper != 900 {
		t.Error("the ramp lost the threshold")
	}
}

func TestRampOfFewWeights(t *testing.T) {
	b := newBench(t)
	b.ok(b.Begin(&Ramp{Server: b.row(one), Target: 2, Steps: 10, Over: time.Minute}))
	b.pass(0)
	if got := b.weight(one); got != 1 {
		t.Errorf("first weight %d", got)
	}
	b.pass(62 * time.Second)
	b.is("there", Done, "has weight 2")
	if got := b.titles(); len(got) != 2 {
		t.Errorf("a weight of 2 takes 2 steps, not %q", got)
	}
}

// TestLateStepsDoNotPileUp: after a long sleep the next step comes, not all.
func TestLateStepsDoNotPileUp(t *testing.T) {
	b := newBench(t)
	b.ok(b.Begin(&Ramp{Server: b.row(one), Target: 100, Steps: 10, Over: 9 * time.Minute}))
	b.pass(0)
	b.now = b.now.Add(8 * time.Minute)
	b.pass(10 * time.Second)
	if got := b.weight(one); got != 20 {
		t.Errorf("after a sleep the weight is %d", got)
	}
}

// TestMeantWeightOutlivesARamp: a ramp that was cancelled on its way, and a drain
// in the middle of one, leave the weight known that the server is meant to have.
func TestMeantWeightOutlivesARamp(t *testing.T) {
	b := newBench(t)
	b.others(func(s *ipvs.Server) { s.Weight = 100 })
	run := func(p plan.Plan) {
		_, err := b.opts.Runner.Run(t.Context(), p, nil)
		b.ok(err)
	}
	meant := func(what string, want uint32) {
		t.Helper()
		of, err := plan.Meant(b.store)
		b.ok(err)
		if got := of(b.row(one)); got != want {
			t.Errorf("%s, at %d: meant is %d, want %d", what, b.weight(one), got, want)
		}
	}
	ramp := func() { b.ok(b.Begin(&Ramp{Server: b.row(one), Target: 100, Steps: 4, Over: 3 * time.Minute})) }
	run(plan.Drain([]plan.Row{b.row(one)}))
	ramp()
	b.pass(2 * time.Second)
	b.Cancel(b.Running()[0].ID)
	meant("cancelled", 100)
	ramp()
	b.pass(2 * time.Second)
	run(plan.Drain([]plan.Row{b.row(one)}))
	b.pass(2 * time.Second)
	b.is("drained meanwhile", Stopped, "somebody gave it weight 0")
	meant("drained meanwhile", 100)
	ramp()
	b.pass(5 * time.Minute)
	b.is("there", Done, "has weight 100")
	meant("there", 0)
}

// TestRampIsUndoneAsOne: back to where it began, from wherever it was, by the name
// of any of its steps; and before all of it the table was kept once.
func TestRampIsUndoneAsOne(t *testing.T) {
	for name, steps := range map[string]int{"whole": 5, "cancelled": 3, "one step": 1} {
		b := newBench(t)
		other := b.row("10.0.0.2:80")
		_, err := b.opts.Runner.Run(t.Context(), plan.SetWeight([]plan.Row{other}, 7), nil)
		b.ok(err)
		b.ok(b.Begin(&Ramp{Server: b.row(one), Target: 100, Steps: 5, Over: 4 * time.Minute}))
		b.pass(time.Duration(steps-1)*(time.Minute+2*time.Second) + 2*time.Second)
		want := uint32(20 * steps)
		if steps < 5 {
			b.Cancel(1)
		}
		kept, err := b.store.Snapshots()
		b.ok(err)
		if b.weight(one) != want || len(kept) != 2 {
			t.Fatalf("%s: weight %d, and %d snapshots of two changes", name, b.weight(one), len(kept))
		}
		h, err := plan.ReadHistory(b.store)
		b.ok(err)
		last, _, err := h.Last()
		b.ok(err)
		p, err := plan.Undoing(last)
		b.ok(err)
		if len(p.Items) != 1 {
			t.Errorf("%s: undoing takes %d steps", name, len(p.Items))
		}
		undone, err := b.opts.Runner.Undo(t.Context(), h.Entries[steps/2].ID, nil)
		b.ok(err)
		stands := func(what, want string) {
			h, err := plan.ReadHistory(b.store)
			b.ok(err)
			for _, e := range h.Entries {
				if strings.HasPrefix(e.Title, "ramp ") && h.Standing(e) != want {
					t.Errorf("%s, %s: %q is %s", name, what, e.Title, h.Standing(e))
				}
			}
		}
		if got := b.weight(one); got != 0 {
			t.Errorf("%s: undone to weight %d", name, got)
		}
		stands("undone", "undone")
		_, err = b.opts.Runner.Undo(t.Context(), undone.ID, nil)
		b.ok(err)
		if got := b.weight(one); got != want {
			t.Errorf("%s: redone to weight %d", name, got)
		}
		stands("redone", "in force")
	}
}

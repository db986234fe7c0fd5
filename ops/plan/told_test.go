package plan

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/persist"
)

// told is how the journal tells of its newest plan.
func (b *bench) told() (string, []State) {
	b.Helper()
	h := b.history()
	e := h.Entries[0]
	p, err := Of(e)
	b.ok(err)
	var states []State
	for _, s := range Told(e, p) {
		states = append(states, s.State)
	}
	return h.Standing(e), states
}

func (b *bench) history() History {
	b.Helper()
	h, err := ReadHistory(b.Store)
	b.ok(err)
	return h
}

// refuse makes the kernel refuse some of the calls that set a server, from 1.
func refuse(calls ...int) func(*bench) {
	return func(b *bench) {
		n := 0
		b.table.(*memory.Table).Inject(func(_ context.Context, op ipvs.Op) error {
			if op == ipvs.OpSetServer {
				if n++; slices.Contains(calls, n) {
					return ipvs.Refused(op, "x", 1)
				}
			}
			return nil
		})
	}
}

// TestTold: what the journal tells of a plan is what its Result told.
func TestTold(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*bench)
		each    bool
		marks   int
		want    string
	}{
		"applied":         {refuse(), false, 0, "in force"},
		"refused":         {refuse(3), false, 0, "taken back"},
		"refused and bad": {refuse(3, 4), false, 0, "half taken back"},
		"partly":          {refuse(2), true, 0, "partly in force"},
		"nothing":         {refuse(1, 2, 3, 4), true, 0, "taken back"},

		"refused in a group":          {refuse(2), false, 1, "taken back"},
		"more refused in a group":     {refuse(1, 2), false, 1, "taken back"},
		"refused in a group, and bad": {refuse(2, 4), false, 1, "half taken back"},
		"partly in a group":           {refuse(2), true, 1, "partly in force"},
	} {
		b, before := site(t)
		p := Drain(rows(before))
		p.Each, b.Runner.marks = c.each, c.marks
		c.prepare(b)
		r, _ := b.Run(ctx, p, nil)
		b.table.(*memory.Table).Inject(nil)
		var want []State
		for _, s := range r.Steps {
			want = append(want, s.State)
		}
		if standing, got := b.told(); standing != c.want || !slices.Equal(got, want) {
			t.Errorf("%s: told as %q %v, it was %v", name, standing, got, want)
		}
	}
}

func TestToldOfWhatWasUndoneOrLeft(t *testing.T) {
	b, before := site(t)
	done := b.run(Drain(rows(before)))
	last, _, err := b.history().Last()
	b.ok(err)
	equal(t, "the last plan", done.ID, last.ID)
	undone, err := b.Undo(ctx, done.ID, nil)
	b.ok(err)
	h := b.history()
	e, err := h.Find(done.ID)
	b.ok(err)
	equal(t, "what was undone", "undone", h.Standing(e))
	equal(t, "what undid it", undone.ID, h.UndoneBy(e).ID)
	if last, _, err := h.Last(); err == nil {
		t.Errorf("nothing but an undoing is in force, %q is said to be", last.Title)
	}
	if _, err := h.Find("nothing"); err == nil {
		t.Error("a plan that is not there is found")
	}

	if !survive(func() { _, _ = b.Run(ctx, Drain(rows(before)), (&killer{n: 1}).event) }) {
		t.Fatal("not killed")
	}
	standing, _ := b.told()
	equal(t, "what was killed", "unfinished", standing)
	left, err := b.Unfinished(ctx)
	b.ok(err)
	b.ok(b.Leave(left[0].ID))
	if standing, steps := b.told(); standing != "left" || steps != nil {
		t.Errorf("what was left is told as %q %v", standing, steps)
	}
	if _, err := Undoing(&persist.Entry{}); err == nil {
		t.Error("what has not ended can be undone")
	}
}

// TestUndoneStepByStep: an undo that meets a row that has moved leaves the plan in
// force for that step alone, and what it did can itself be undone.
func TestUndoneStepByStep(t *testing.T) {
	b, before := site(t)
	done := b.run(Drain(rows(before)))
	drained := b.rules()
	second := drained.Services[0].Servers[1]
	move := func(weight uint32) {
		second.Weight = weight
		b.ok(b.table.SetServer(ctx, web, second))
	}
	stands := func(id, want string) {
		t.Helper()
		h := b.history()
		e, err := h.Find(id)
		b.ok(err)
		equal(t, e.Title, want, h.Standing(e))
	}
	move(7)
	first, err := b.Undo(ctx, done.ID, nil)
	if !errors.Is(err, ErrMoved) || first.Outcome != Partly {
		t.Fatalf("a row has moved, and undoing is %s, %v", first.Outcome, err)
	}
	stands(done.ID, "partly undone")
	stands(first.ID, "partly in force")
	last, _, err := b.history().Last()
	b.ok(err)
	equal(t, "what u offers", done.ID, last.ID)

	move(0)
	rest, err := b.Undo(ctx, done.ID, nil)
	b.ok(err)
	equal(t, "steps of the rest", 1, len(rest.Steps))
	b.holds("undone in two goes", before)
	stands(done.ID, "undone")
	if _, err := b.Undo(ctx, done.ID, nil); err == nil {
		t.Error("it was undone a third time")
	}

	_, err = b.Undo(ctx, first.ID, nil)
	b.ok(err)
	stands(first.ID, "undone")
	stands(done.ID, "partly undone")
	_, err = b.Undo(ctx, rest.ID, nil)
	b.ok(err)
	stands(done.ID, "in force")
	b.holds("redone in two goes", drained)
	_, err = b.Undo(ctx, done.ID, nil)
	b.ok(err)
	b.holds("and undone in one", before)
}

// TestWhatIsStuckCanBeUndone: a step that the kernel refused to take back is in
// effect. Its weight is remembered, and it can be undone later.
func TestWhatIsStuckCanBeUndone(t *testing.T) {
	b, before := site(t)
	refuse(3, 4)(b)
	if r, _ := b.Run(ctx, Drain(rows(before)), nil); r.Outcome != WentHalfBack {
		t.Fatalf("outcome %s", r.Outcome)
	}
	b.table.(*memory.Table).Inject(nil)
	weights, err := b.Store.Weights().Get()
	b.ok(err)
	if len(weights) != 1 || weights[persist.ServerKey(web, before.Services[0].Servers[1].Addr)].Meant != 100 {
		t.Errorf("remembered: %v", weights)
	}
	last, _, err := b.history().Last()
	b.ok(err)
	p, err := Undoing(last)
	b.ok(err)
	if len(p.Items) != 1 {
		t.Errorf("undoing takes %d steps, one is stuck", len(p.Items))
	}
	undone, err := b.Undo(ctx, last.ID, nil)
	b.ok(err)
	b.holds("undone", before)
	h := b.history()
	e, err := h.Find(last.ID)
	b.ok(err)
	equal(t, "what was stuck", "undone", h.Standing(e))
	equal(t, "what undid it", undone.ID, h.UndoneBy(e).ID)
}

// TestLastPassesOverWhatCannotBeUndone: counters that were zeroed, and a plan that
// found all as it should be.
func TestLastPassesOverWhatCannotBeUndone(t *testing.T) {
	b, before := site(t)
	one := rows(before)[0]
	zero := Zero(web)
	id := b.run(zero).ID
	if _, _, err := b.history().Last(); err == nil || !strings.Contains(err.Error(), "nothing to take back: "+zero.Title) {
		t.Errorf("only counters were zeroed: %v", err)
	}
	drain := b.run(Drain(rows(before)[1:]))
	b.run(zero)
	already := one.Server
	already.Weight = 0
	b.ok(b.table.SetServer(ctx, web, already))
	if r := b.run(Drain([]Row{one})); r.Steps[0].State != Already {
		t.Fatalf("the step is %s", r.Steps[0].State)
	}
	last, passed, err := b.history().Last()
	b.ok(err)
	equal(t, "the last", drain.ID, last.ID)
	equal(t, "passed over", "passed over, there is nothing to take back: drain 10.0.0.1:443 of TCP 203.0.113.10:443: weight 100 to 0; "+zero.Title, passed)
	if _, err := b.Undo(ctx, id, nil); !errors.Is(err, ErrIrreversible) {
		t.Errorf("undoing counters: %v", err)
	}
}

// TestRunningIsNotUnfinished: while a plan is under way.
func TestRunningIsNotUnfinished(t *testing.T) {
	b, before := site(t)
	standing := ""
	_, err := b.Run(ctx, Drain(rows(before)), func(Event) { standing, _ = b.told() })
	b.ok(err)
	equal(t, "a plan under way", "running", standing)
	standing, _ = b.told()
	equal(t, "and afterwards", "in force", standing)
}

// TestOthersArePassedBetweenReadings: plans that begin and end while the journal is
// read are running or ended, never unfinished.
func TestOthersArePassedBetweenReadings(t *testing.T) {
	b, before := site(t)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range 150 {
			if _, err := b.Run(ctx, Drain(rows(before)[:1]), nil); err != nil {
				t.Error(err)
			}
			b.table.SetServer(ctx, web, before.Services[0].Servers[0])
		}
	}()
	defer func() { <-ended }()
	for running := true; running; {
		select {
		case <-ended:
			running = false
		default:
		}
		h := b.history()
		for _, e := range h.Entries {
			if s := h.Standing(e); s == "unfinished" {
				t.Fatalf("plan %s of %d is %s", e.ID, len(h.Entries), s)
			}
		}
	}
}

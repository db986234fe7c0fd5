package plan

import (
	"context"
	"slices"
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

// TestTold: what the journal tells of a plan is what its Result told.
func TestTold(t *testing.T) {
	refuse := func(calls ...int) func(*bench) { // of those that set a server
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
	last, err := b.history().Last()
	b.ok(err)
	equal(t, "the last plan", done.ID, last.ID)
	undone, err := b.Undo(ctx, done.ID, nil)
	b.ok(err)
	h := b.history()
	e, err := h.Find(done.ID)
	b.ok(err)
	equal(t, "what was undone", "undone", h.Standing(e))
	equal(t, "what undid it", undone.ID, h.UndoneBy(e).ID)
	if last, err := h.Last(); err == nil {
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

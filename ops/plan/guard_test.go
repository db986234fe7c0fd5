package plan

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

// watcher notes what it is told, and refuses.
type watcher struct {
	bench  *bench
	refuse error
	told   []string
}

func (w *watcher) Begun(id string, p Plan) error {
	e, err := w.bench.Store.Plan(id)
	w.bench.ok(err)
	_, busy, err := w.bench.Store.Running()
	w.bench.ok(err)
	w.told = append(w.told, fmt.Sprintf("begun %s, written as %s, lock %t", p.Title, e.Title, busy))
	return w.refuse
}

func (w *watcher) Ended(r Result) error {
	w.told = append(w.told, fmt.Sprintf("%s %s, undoes %t", r.Plan.Title, r.Outcome, r.Plan.Undoes != ""))
	return w.refuse
}

func (w *watcher) wants(what string, want ...string) {
	w.bench.Helper()
	if !slices.Equal(w.told, want) {
		w.bench.Errorf("%s: told %q, want %q", what, w.told, want)
	}
	w.told = nil
}

// TestGuard: it is told before the first step and after the end, of each way in
// which a plan can end.
func TestGuard(t *testing.T) {
	b, before := site(t)
	w := &watcher{bench: b}
	b.Runner.Guard = w
	drain := Drain(rows(before))
	const drainBegun = "begun drain 3 servers, written as drain 3 servers, lock true"

	done := b.run(drain)
	w.wants("applied", drainBegun, "drain 3 servers applied, undoes false")
	_, err := b.Undo(ctx, done.ID, nil)
	b.ok(err)
	w.wants("undone", "begun undo: drain 3 servers, written as undo: drain 3 servers, lock true", "undo: drain 3 servers applied, undoes true")

	for _, way := range []struct {
		want string
		end  func(id string) error
	}{
		{"drain 3 servers taken back, undoes false", func(id string) error { _, err := b.TakeBack(ctx, id, nil); return err }},
		{"drain 3 servers left, undoes false", func(id string) error { return b.Leave(id) }},
		{"drain 3 servers applied, undoes false", func(id string) error { _, err := b.Finish(ctx, id, nil); return err }},
	} {
		k := &killer{n: 2}
		if !survive(func() { _, _ = b.Run(ctx, drain, k.event) }) {
			t.Fatal("not killed")
		}
		w.wants("killed", drainBegun)
		left, err := b.Unfinished(ctx)
		b.ok(err)
		b.ok(way.end(left[0].ID))
		w.wants("unfinished", way.want)
	}
}

// TestGuardRefuses: nothing was changed, and the journal says so.
func TestGuardRefuses(t *testing.T) {
	b, before := site(t)
	refuse := errors.New("not now")
	b.Runner.Guard = &watcher{bench: b, refuse: refuse}
	events := 0
	r, err := b.Run(ctx, Drain(rows(before)), func(Event) { events++ })
	if !errors.Is(err, refuse) || r.Outcome != NotBegun || !errors.Is(r.Warning, refuse) || events > 0 {
		t.Errorf("%s, %v, warning %v, %d events", r.Outcome, err, r.Warning, events)
	}
	b.holds("refused", before)
	standing, steps := b.told()
	equal(t, "a refused plan", "not begun", standing)
	equal(t, "its steps", true, slices.Equal(steps, []State{ToDo, ToDo, ToDo}))
	if left, err := b.Unfinished(ctx); err != nil || len(left) > 0 {
		t.Errorf("a refused plan counts as unfinished (%v)", err)
	}
}

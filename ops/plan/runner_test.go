package plan

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/persist"
)

func TestDrainAndUndo(t *testing.T) {
	b, before := site(t)
	done := b.run(Drain(rows(before)[:2]))
	for i, want := range []uint32{0, 0, 50} {
		if got := b.rules().Services[0].Servers[i].Weight; got != want {
			t.Errorf("server %d weighs %d, want %d", i+1, got, want)
		}
	}
	undone, err := b.Undo(ctx, done.ID, nil)
	b.ok(err)
	b.holds("after undo", before)
	if _, err := b.Undo(ctx, done.ID, nil); err == nil {
		t.Error("what is undone was undone again")
	}

	redone, err := b.Undo(ctx, undone.ID, nil)
	b.ok(err)
	if redone.Plan.Title != "redo: drain 2 servers" {
		t.Errorf("undoing an undo is called %q", redone.Plan.Title)
	}
	if _, err := b.Undo(ctx, done.ID, nil); err != nil {
		t.Errorf("what is redone can be undone again: %v", err)
	}
}

func TestUndoRefusesRowsThatMoved(t *testing.T) {
	b, before := site(t)
	done := b.run(Drain(rows(before)))
	other := before.Services[0].Servers[1]
	other.Weight = 7
	b.ok(b.table.SetServer(ctx, web, other))

	r, err := b.Undo(ctx, done.ID, nil)
	if !errors.Is(err, ErrMoved) || !strings.Contains(err.Error(), "weight was 0 when you looked, is 7 now") {
		t.Errorf("undo should say what has moved, got %v", err)
	}
	before.Services[0].Servers[1].Weight = 7
	b.holds("after undoing the rest", before)
	if states := []State{r.Steps[0].State, r.Steps[1].State, r.Steps[2].State}; r.Outcome != Partly ||
		states[0] != Done || states[1] != Failed || states[2] != Done {
		t.Errorf("undo was %s %v", r.Outcome, states)
	}
}

// TestRefusedAtEveryStep lets the kernel refuse each call in turn, of plans of
// every kind, done step by step and in groups: the table is as before.
func TestRefusedAtEveryStep(t *testing.T) {
	for _, p := range allPlans(t) {
		for _, marks := range []int{0, 3, 1} {
			for k := 1; refuseCall(t, p, k, marks); k++ {
			}
		}
	}
}

// refuseCall tells whether the plan made so many calls.
func refuseCall(t *testing.T, p named, k, marks int) (refused bool) {
	t.Helper()
	gone := errors.New("refused by the test")
	table := memory.New()
	b := newGroupBench(t, table, marks)
	b.fill(p.running)
	before := b.rules()
	calls := 0
	table.Inject(func(_ context.Context, op ipvs.Op) error {
		if changes(op) {
			if calls++; calls == k {
				return gone
			}
		}
		return nil
	})
	r, err := b.Run(ctx, p.Plan, nil)
	if err == nil {
		if calls >= k {
			t.Errorf("%s: call %d of %d was refused and nobody says so", p.Title, k, calls)
		}
		return false
	}
	if !errors.Is(err, gone) {
		t.Fatalf("%s, call %d refused: %v", p.Title, k, err)
	}
	if r.Outcome != WentBack {
		t.Errorf("%s, call %d refused: %s", p.Title, k, r.Outcome)
	}
	b.holds(p.Title+" was taken back", before)
	if left, err := b.Unfinished(ctx); err != nil || len(left) > 0 {
		t.Errorf("%s, taken back, counts as unfinished (%v)", p.Title, err)
	}
	return true
}

func changes(op ipvs.Op) bool {
	switch op {
	case ipvs.OpList, ipvs.OpGetService, ipvs.OpGetServers, ipvs.OpGetTimeouts, ipvs.OpGetDaemons, ipvs.OpInfo:
		return false
	}
	return true
}

// TestFullDisk lets each change to a file fail in turn, with ever more of a torn
// write on the disk. The plan is taken back, or never begun, or it is done and
// says what it could not write.
func TestFullDisk(t *testing.T) {
	for _, p := range allPlans(t) {
		for k := 1; ; k++ {
			b := newGroupBench(t, memory.New(), k%3)
			b.fill(p.running)
			before := b.rules()
			count := 0
			full := func(_ persist.Op, _ string, data []byte) (int, error) {
				if count++; count >= k { // and stays full
					return len(data) * (k % 3) / 2, syscall.ENOSPC
				}
				return 0, nil
			}
			b.restart(full)
			r, err := b.Run(ctx, p.Plan, nil)
			switch {
			case err == nil && r.Warning == nil:
				if count >= k {
					t.Errorf("%s: the disk was full at change %d of %d and nobody says so", p.Title, k, count)
				}
			case err == nil:
				b.holds(p.Title+" done without its end", p.wanted)
			case !errors.Is(err, syscall.ENOSPC):
				t.Fatalf("%s, disk full at change %d: %v", p.Title, k, err)
			default:
				b.holds(p.Title+" without disk", before)
			}
			if count < k {
				break
			}
			b.restart(nil) // there is room again
			b.leaveNothing(p.Title, r.Outcome == Applied)
		}
	}
}

// leaveNothing finishes or takes back what is unfinished, and sees that the
// journal works.
func (b *bench) leaveNothing(title string, finish bool) {
	b.Helper()
	left, err := b.Unfinished(ctx)
	b.ok(err)
	before := b.rules()
	for _, u := range left {
		end := b.TakeBack
		if finish {
			end = b.Finish
		}
		_, err := end(ctx, u.ID, nil)
		b.ok(err)
	}
	b.holds(title+" after finding it unfinished", before)
	if left, err = b.Unfinished(ctx); err != nil || len(left) > 0 {
		b.Errorf("%s is unfinished for ever (%v)", title, err)
	}
}

func TestCancelledPlanIsTakenBack(t *testing.T) {
	b, before := site(t)
	ctx, cancel := context.WithCancel(ctx)
	r, err := b.Run(ctx, Drain(rows(before)), func(e Event) {
		if e.Step == 1 && e.State == Done {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || r.Outcome != WentBack {
		t.Errorf("cancelled: %s, %v", r.Outcome, err)
	}
	b.holds("after cancelling", before)
}

func TestOnePlanAtATime(t *testing.T) {
	b, before := site(t)
	var busy *persist.Busy
	var left []Unfinished
	_, err := b.Run(ctx, Drain(rows(before)), func(e Event) {
		if e.Step != 1 || !e.Begun {
			return
		}
		other := *b
		other.restart(nil)
		_, err := other.Run(ctx, Flush(before), nil)
		errors.As(err, &busy)
		left, err = other.Unfinished(ctx)
		b.ok(err)
	})
	b.ok(err)
	if busy == nil || busy.Title != "drain 3 servers" || busy.By.String() != "alice from 198.51.100.7" {
		t.Errorf("the second plan should be told who runs the first, got %v", busy)
	}
	if len(left) != 0 {
		t.Errorf("a plan that runs is no unfinished one: %v", left[0].Title)
	}
}

func TestStepThatIsAlreadySoIsLeftWhenTakenBack(t *testing.T) {
	b, before := site(t)
	p := Drain(rows(before))
	first := before.Services[0].Servers[0]
	first.Weight = 0
	b.ok(b.table.SetServer(ctx, web, first)) // by somebody else
	r := b.run(p)
	if r.Steps[0].State != Already {
		t.Errorf("the first step is %v", r.Steps[0].State)
	}
	_, err := b.Undo(ctx, r.ID, nil)
	b.ok(err)
	before.Services[0].Servers[0].Weight = 0
	b.holds("after undo", before)
}

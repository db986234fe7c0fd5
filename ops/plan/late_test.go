package plan

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
)

var errLate = errors.New("the answer came too late")

// late is a kernel that does what it is told, but whose answers are lost.
type late struct{ ipvs.Table }

func (t late) SetServer(ctx context.Context, id ipvs.ServiceID, s ipvs.Server) error {
	return errors.Join(t.Table.SetServer(ctx, id, s), errLate)
}

func (t late) AddServer(ctx context.Context, id ipvs.ServiceID, s ipvs.Server) error {
	return errors.Join(t.Table.AddServer(ctx, id, s), errLate)
}

func (t late) Apply(ctx context.Context, changes []ipvs.Change) []error {
	errs := t.Table.Apply(ctx, changes)
	for i := range errs {
		errs[i] = errors.Join(errs[i], errLate)
	}
	return errs
}

func TestLateAnswers(t *testing.T) {
	for _, marks := range []int{0, 1} {
		b, before := lateSite(t, marks)
		b.run(Drain(rows(before)))
		for _, s := range b.rules().Services[0].Servers {
			equal(t, "weight of "+s.Addr.String(), 0, s.Weight)
		}
	}
}

func lateSite(t *testing.T, marks int) (*bench, ipvs.Rules) {
	b, before := site(t)
	b.table, b.marks = late{b.table}, marks
	b.restart(nil)
	return b, before
}

// TestLateAnswersOnTheWayBack: the plan fails, and what is undone answers late.
func TestLateAnswersOnTheWayBack(t *testing.T) {
	for _, marks := range []int{0, 1} {
		b, before := lateSite(t, marks)
		p := Drain(rows(before)[:2])
		p.Items = append(p.Items, AddServers([]Row{{web, server("224.0.0.1:1", 1)}}).Items...)
		p.Items = append(p.Items, Drain(rows(before)[2:]).Items...)
		r, err := b.Run(ctx, p, nil)
		if !errors.Is(err, ipvs.ErrInvalid) || r.Outcome != WentBack {
			t.Errorf("%s, %v", r.Outcome, err)
		}
		b.holds("taken back", before)
	}
}

// TestOthersDoingIsLeft: what was so before a plan, and what others did where the
// plan never got, stays when the plan is taken back after a kill.
func TestOthersDoingIsLeft(t *testing.T) {
	b, before := site(t)
	p := Drain(rows(before))
	all := before.Services[0].Servers
	first, last := all[0], all[2]
	first.Weight, last.Weight = 0, 0
	b.ok(b.table.SetServer(ctx, web, first))
	k := &killer{n: 4} // when the second step is done
	if !survive(func() { _, _ = b.Run(ctx, p, k.event) }) {
		t.Fatal("not killed")
	}
	b.ok(b.table.SetServer(ctx, web, last))
	left, err := b.Unfinished(ctx)
	b.ok(err)
	if s := left[0].States; s[0] != Already || s[1] != Done || s[2] != ToDo {
		t.Errorf("the steps stand at %v", s)
	}
	_, err = b.TakeBack(ctx, left[0].ID, nil)
	b.ok(err)
	all[0], all[2] = first, last
	b.holds("taken back", before)
}

// TestWhatWasThereStays: killed at every moment, what was so before a plan is not
// taken for its doing.
func TestWhatWasThereStays(t *testing.T) {
	for n := 1; n <= 6; n++ {
		b, before := site(t)
		first := before.Services[0].Servers[0]
		first.Weight = 0
		b.ok(b.table.SetServer(ctx, web, first))
		before.Services[0].Servers[0] = first
		p := SetWeight(rows(before), 0)
		p.Items = append([]Item{{Step: ChangeServer{web, &ipvs.Server{Addr: first.Addr, Weight: 77}, &first}}}, p.Items...)
		k := &killer{n: n}
		if !survive(func() { _, _ = b.Run(ctx, p, k.event) }) {
			t.Fatal("not killed")
		}
		left, err := b.Unfinished(ctx)
		b.ok(err)
		if left[0].States[0] != Already {
			t.Errorf("killed at event %d: the steps stand at %v", n, left[0].States)
		}
		_, err = b.TakeBack(ctx, left[0].ID, nil)
		b.ok(err)
		b.holds(fmt.Sprintf("taken back after a kill at event %d", n), before)
	}
}

// TestLargePlanMarksInGroups: a plan of thousands of steps is killed in the
// middle of a group, and neither loses a step nor writes for each.
func TestLargePlanMarksInGroups(t *testing.T) {
	rules := large(100, 10)
	for _, finish := range []bool{true, false} {
		b := newBench(t, memory.New())
		empty := b.rules()
		k := &killer{n: 1501}
		if !survive(func() { _, _ = b.Run(ctx, Restore(empty, rules, false), k.event) }) {
			t.Fatal("not killed")
		}
		left, err := b.Unfinished(ctx)
		b.ok(err)
		if begun := left[0].UpTo; begun < 750 || begun > 750+1100/32 {
			t.Errorf("751 of 1100 steps were begun, the journal says %d", begun)
		}
		if marks := strings.Count(b.journal(), `"kind":"upto"`); marks == 0 || marks > maxMarks {
			t.Errorf("%d marks were written", marks)
		}
		if finish {
			_, err = b.Finish(ctx, left[0].ID, nil)
			b.holds("finished", rules)
		} else {
			_, err = b.TakeBack(ctx, left[0].ID, nil)
			b.holds("taken back", empty)
		}
		b.ok(err)
	}
}

func (b *bench) journal() string {
	b.Helper()
	text, err := os.ReadFile(b.dir + "/journal")
	b.ok(err)
	return string(text)
}

// TestWayBackIsRemembered: a kill on the way back leaves a plan that says so, and
// what has ended is neither finished nor taken back again.
func TestWayBackIsRemembered(t *testing.T) {
	b, before := site(t)
	k := &killer{n: 4}
	survive(func() { _, _ = b.Run(ctx, Drain(rows(before)), k.event) })
	left, err := b.Unfinished(ctx)
	b.ok(err)
	equal(t, "goes back", false, left[0].GoesBack)
	k = &killer{n: 1}
	survive(func() { _, _ = b.TakeBack(ctx, left[0].ID, k.event) })
	left, err = b.Unfinished(ctx)
	b.ok(err)
	equal(t, "goes back", true, left[0].GoesBack)
	_, err = b.TakeBack(ctx, left[0].ID, nil)
	b.ok(err)
	if r, err := b.Finish(ctx, left[0].ID, nil); err == nil || r.Outcome != NotBegun {
		t.Errorf("what was taken back is finished: %s", r.Outcome)
	}
	b.holds("taken back", before)
}

// skipping is a kernel that leaves a server out of the next list.
type skipping struct {
	ipvs.Table
	next netip.AddrPort
}

func (t *skipping) Servers(ctx context.Context, id ipvs.ServiceID) ([]ipvs.ServerState, error) {
	all, err := t.Table.Servers(ctx, id)
	all = slices.DeleteFunc(all, func(s ipvs.ServerState) bool { return s.Addr == t.next })
	t.next = netip.AddrPort{}
	return all, err
}

// TestSkippedServerIsRemoved: what a long list leaves out is not gone.
func TestSkippedServerIsRemoved(t *testing.T) {
	b, before := site(t)
	for n := range longList {
		b.ok(b.table.AddServer(ctx, web, server(fmt.Sprintf("10.0.1.%d:443", n+1), 1)))
	}
	b.table = &skipping{b.table, before.Services[0].Servers[0].Addr}
	b.restart(nil)
	step := RemoveServers(rows(before)[:1]).Items[0].Step
	if err := step.Do(ctx, b.Target); err != nil {
		t.Error(err)
	}
	if _, err := ReadRow(ctx, b.table, web, before.Services[0].Servers[0]); err == nil {
		t.Error("it is said to be removed, and is there")
	}
}

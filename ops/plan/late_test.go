package plan

import (
	"context"
	"errors"
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

func TestLateAnswers(t *testing.T) {
	b, before := site(t)
	b.table = late{b.table}
	b.restart(nil)
	b.run(Drain(rows(before)))
	for _, s := range b.rules().Services[0].Servers {
		equal(t, "weight of "+s.Addr.String(), 0, s.Weight)
	}
}

// TestLateAnswersOnTheWayBack: the plan fails, and what is undone answers late.
func TestLateAnswersOnTheWayBack(t *testing.T) {
	b, before := site(t)
	b.table = late{b.table}
	b.restart(nil)
	p := Drain(rows(before))
	p.Items = append(p.Items, AddServers([]Row{{web, server("224.0.0.1:1", 1)}}).Items...)
	r, err := b.Run(ctx, p, nil)
	if !errors.Is(err, ipvs.ErrInvalid) || r.Outcome != WentBack {
		t.Errorf("%s, %v", r.Outcome, err)
	}
	b.holds("taken back", before)
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

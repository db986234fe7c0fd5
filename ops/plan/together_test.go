package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
)

// tally is a table that counts the changes that come together, and how often
// servers are read.
type tally struct {
	ipvs.Table
	together []int
	reads    int
}

func (t *tally) Servers(ctx context.Context, id ipvs.ServiceID) ([]ipvs.ServerState, error) {
	t.reads++
	return t.Table.Servers(ctx, id)
}

func (t *tally) Apply(ctx context.Context, changes []ipvs.Change) []error {
	t.together = append(t.together, len(changes))
	return t.Table.Apply(ctx, changes)
}

// TestTogether: which steps are done at once.
func TestTogether(t *testing.T) {
	b, running := site(t)
	svc := running.Services[0]
	other := ipvs.ServiceRules{Service: ipvs.NewService(ipvs.MarkService(7, ipvs.IPv4)), Servers: svc.Servers}
	edited := svc.Service
	edited.Scheduler = "rr"
	edit, err := EditService(svc.Service, edited)
	b.ok(err)
	join := func(plans ...Plan) (p Plan) {
		for _, o := range plans {
			p.Items = append(p.Items, o.Items...)
		}
		return p
	}
	two := []Row{{web, server("10.0.0.8:443", 1)}, {web, server("10.0.0.9:443", 1)}}
	for name, test := range map[string]struct {
		Plan
		want []int
	}{
		"a service and its servers":     {AddService(other), []int{4}},
		"edits and additions":           {join(Drain(rows(running)), edit, AddServers(two)), []int{6}},
		"one row again and again":       {ramp(rows(running)[0]), []int{1, 1, 1, 1, 1}},
		"a server comes and goes":       {join(AddServers(two), RemoveServers(two)), []int{2, 2}},
		"a service with its servers":    {join(AddServers(two), back(RemoveServices([]ipvs.ServiceRules{other})), Drain(rows(running))), []int{2, 3}},
		"other steps between":           {join(AddServers(two[:1]), SetTimeouts(*running.Timeouts, ipvs.Timeouts{TCP: 60}), AddServers(two[1:])), []int{1, 1}},
		"a row that is so already":      {join(AddServers(two[:1]), Drain([]Row{{web, svc.Servers[0]}}), AddServers([]Row{{web, svc.Servers[1]}}), AddServers(two[1:])), []int{4}},
		"nothing to change":             {Plan{Title: "idle", Items: []Item{{Step: ChangeServer{web, &svc.Servers[0], &svc.Servers[0]}}}}, nil},
		"what is thought to be drained": {join(AddServers(two[:1]), back(Drain(rows(running)[:1])), AddServers(two[1:])), []int{1, 1}},
	} {
		b, _ := site(t)
		counts := &tally{Table: b.table}
		b.table, b.marks = counts, 1
		b.restart(nil)
		b.run(test.Plan)
		if !slices.Equal(counts.together, test.want) {
			t.Errorf("%s: want together %v, got %v", name, test.want, counts.together)
		}
		if name == "edits and additions" && counts.reads > 1 {
			t.Errorf("%s: the servers of one service were read %d times", name, counts.reads)
		}
	}
}

// TestTogetherAsOneByOne lets others change rows between the making of a plan and
// its running. Done in groups it ends as it does step by step.
func TestTogetherAsOneByOne(t *testing.T) {
	failed, already := 0, 0
	for seed := range uint64(200) {
		r := newRandom(seed)
		running, wanted, others := r.rules(6, 4), r.rules(6, 4), r.rules(6, 4)
		moved, each := r.IntN(6), r.IntN(2) == 0
		prepare := func(marks int) (*bench, Plan) {
			b := newGroupBench(t, memory.New(), marks)
			b.fill(running)
			p := Restore(b.rules(), wanted, false)
			p.Each = each
			for i, item := range p.Items {
				if (i+int(seed))%7 == 0 {
					_ = item.Step.Do(ctx, b.Target) // if it can be done without those left out
				}
			}
			for i, item := range Restore(b.rules(), others, true).Items {
				if i%12 < moved {
					_ = item.Step.Do(ctx, b.Target)
				}
			}
			return b, p
		}
		b, p := prepare(0)
		want := b.oneByOne(p)
		for _, marks := range []int{1, 2, 5} {
			groups, p := prepare(marks)
			r, _ := groups.Run(ctx, p, inOrder(t))
			what := fmt.Sprintf("seed %d in %d groups, each: %v", seed, marks, each)
			groups.holds(what, b.rules())
			beyond := false
			for i, got := range r.Steps {
				if beyond && got.State == TakenBack {
					got.State = ToDo
				}
				beyond = beyond || got.State == Failed && !each
				equal(t, what+", "+p.Items[i].Step.String(), fmt.Sprint(want[i]), fmt.Sprint(got))
			}
		}
		for _, s := range want {
			switch s.State {
			case Failed:
				failed++
			case Already:
				already++
			}
		}
	}
	if failed < 100 || already < 100 {
		t.Errorf("%d steps failed and %d were so already: too few to tell", failed, already)
	}
}

// oneByOne does a plan as its steps say, and takes it back where that ends it.
func (b *bench) oneByOne(p Plan) []StepResult {
	steps := make([]StepResult, len(p.Items))
	for i, item := range p.Items {
		err := item.Step.Do(ctx, b.Target)
		done, _ := item.Step.Done(ctx, b.Target)
		switch {
		case errors.Is(err, ErrAlready):
			steps[i].State = Already
		case err == nil, done:
			steps[i].State = Done
		default:
			steps[i] = StepResult{Failed, err}
		}
		if steps[i].State == Failed && !p.Each {
			for j := i - 1; j >= 0; j-- {
				if steps[j].State == Done {
					b.ok(p.Items[j].Step.Undo().Do(ctx, b.Target))
					steps[j].State = TakenBack
				}
			}
			break
		}
	}
	return steps
}

// TestFinishKnowsWhatIsDone: a kill came in a group of which the second step was
// done. It counts as done by the plan, and goes back with it.
func TestFinishKnowsWhatIsDone(t *testing.T) {
	b := newGroupBench(t, memory.New(), 1)
	b.ok(b.table.AddService(ctx, ipvs.NewService(web)))
	before := b.rules()
	p := AddServers([]Row{{web, server("10.0.0.1:443", 1)}, {web, server("10.0.0.2:443", 1)}, {web, server("10.0.0.3:443", 1)}})
	if !survive(func() { _, _ = b.Run(ctx, p, (&killer{n: 3}).event) }) {
		t.Fatal("not killed")
	}
	b.ok(p.Items[1].Step.Do(ctx, b.Target))
	left, err := b.Unfinished(ctx)
	b.ok(err)
	r, err := b.Finish(ctx, left[0].ID, nil)
	b.ok(err)
	equal(t, "the steps", fmt.Sprint([]StepResult{{State: Done}, {State: Done}, {State: Done}}), fmt.Sprint(r.Steps))
	_, err = b.Undo(ctx, r.ID, nil)
	b.ok(err)
	b.holds("undone", before)
}

// inOrder sees that steps begin and end in the plan's order, until it goes back.
func inOrder(t *testing.T) func(Event) {
	begun, ended := -1, -1
	return func(e Event) {
		switch {
		case e.Begun && e.Step <= begun, !e.Begun && (e.Step > begun || e.State < TakenBack && e.Step <= ended):
			t.Errorf("after step %d began and %d ended: %+v", begun, ended, e)
		case e.Begun:
			begun = e.Step
		default:
			ended = e.Step
		}
	}
}

// TestUnknownTogether: the table gives no answer to a group and has done a part.
func TestUnknownTogether(t *testing.T) {
	for done := range 4 {
		for _, each := range []bool{true, false} {
			b, before := site(t)
			b.table, b.marks = silent{b.table, done}, 1
			b.restart(nil)
			p := Drain(rows(before))
			p.Each = each
			r, err := b.Run(ctx, p, nil)
			what := fmt.Sprintf("%d of 3 done, each: %v", done, each)
			switch {
			case done == 3:
				b.ok(err)
				equal(t, what, Applied, r.Outcome)
			case !errors.Is(err, errLate):
				t.Errorf("%s: %v", what, err)
			case each:
				equal(t, what, done, len(slices.DeleteFunc(r.Steps, func(s StepResult) bool { return s.State != Done })))
			default:
				equal(t, what, WentBack, r.Outcome)
				b.holds(what, before)
			}
		}
	}
}

// silent does only the last few of many changes, and never answers.
type silent struct {
	ipvs.Table
	last int
}

func (s silent) Apply(ctx context.Context, changes []ipvs.Change) []error {
	s.Table.Apply(ctx, changes[len(changes)-s.last:])
	errs := make([]error, len(changes))
	for i := range errs {
		errs[i] = errLate
	}
	return errs
}

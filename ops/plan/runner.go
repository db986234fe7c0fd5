package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/persist"
)

// stepTimeout is how long one step may take; a kernel that is well needs
// milliseconds.
const stepTimeout = 30 * time.Second

// maxMarks bounds how often a plan writes to the disk while it runs: before each
// of its steps when they are few, else before each group of equal size. The
// changes of a group are handed to the table together, as far as that goes.
//
// A group is safe because nobody believes the marks about what was done: a mark
// says which steps may have been begun, and is on disk before they are. Which of
// them are done, their rows show, since each step knows its row before and after.
const maxMarks = 64

// Runner runs plans, one at a time over all processes that share the Store.
//
// A plan that fails, is cancelled, or can no longer write its journal takes back
// what it did, from the last step to the first. A plan whose process dies stays
// as it is, and Unfinished finds it.
type Runner struct {
	Target Target
	Store  *persist.Store

	// Rules is the language of the snapshots kept before plans.
	Rules persist.Language

	Guard Guard // or nil

	marks int // maxMarks when 0
}

// Guard is told of plans, while their lock is held and on the goroutine that runs
// them.
type Guard interface {
	// Begun comes when a new plan is written down, and before its first step. An
	// error ends the plan there: nothing was changed.
	Begun(id string, p Plan) error

	// Ended comes when the end of any plan is written down.
	Ended(Result) error
}

// Event is a step that begins or has got somewhere.
type Event struct {
	Step  int // its place in the plan
	Begun bool
	State State // unless it has only begun
	Err   error // why it Failed or is NotTakenBack
}

// Outcome is how a plan ended.
type Outcome string

// The outcomes.
const (
	NotBegun     Outcome = "not begun" // written only when the Guard refused
	Applied      Outcome = persist.Applied
	Partly       Outcome = persist.Partly   // of a plan with Each: some steps failed
	WentBack     Outcome = "taken back"     // things are as they were
	WentHalfBack Outcome = persist.HalfBack // some steps could not be undone, and stay
	Left         Outcome = "left"           // unfinished, and somebody decided to leave it
)

// Result is how a plan ended, step by step.
type Result struct {
	ID      string
	Plan    Plan
	Outcome Outcome
	Steps   []StepResult // one for each of the plan

	// Warning: all went as Outcome says, but something could not be written
	// down: the end, so that the plan shows as unfinished at the next start, the
	// weights of drained servers, or what the Guard keeps.
	Warning error
}

// StepResult is where one step got.
type StepResult struct {
	State State
	Err   error
}

// Run runs a plan and tells on (which may be nil) how it goes. The error is why
// it was not applied, or only partly; an empty plan is applied and leaves no
// trace. Cancelling ctx works between groups of steps, see maxMarks.
func (r Runner) Run(ctx context.Context, p Plan, on func(Event)) (Result, error) {
	x := newRun(r, p, on)
	if p.Empty() {
		x.Outcome = Applied
		return x.Result, nil
	}
	steps, err := Written(p.Items)
	if err != nil {
		return x.Result, err
	}
	if x.writer, err = r.Store.Begin(p.Title); err != nil {
		return x.Result, err
	}
	defer x.writer.Close()
	x.ID = x.writer.ID
	if p.Continues == "" {
		if err := r.snapshot(ctx, x.writer); err != nil {
			return x.Result, err
		}
	}
	x.upTo = min(x.group(), len(p.Items))
	x.notice(ctx, 0)
	begin := persist.Record{
		Kind: persist.Begin, Title: p.Title, Undoes: p.Undoes, Takes: p.Takes, Each: p.Each,
		Continues: p.Continues, Toward: p.Toward, Steps: steps, UpTo: x.upTo, Already: x.in(Already),
	}
	if err := x.writer.Append(begin); err != nil {
		return x.Result, err
	}
	if r.Guard != nil {
		if err := r.Guard.Begun(x.ID, p); err != nil {
			x.end()
			return x.Result, err
		}
	}
	return x.finish(ctx)
}

// Undo runs the reverse of a plan that was applied.
func (r Runner) Undo(ctx context.Context, id string, on func(Event)) (Result, error) {
	e, err := r.Store.Plan(id)
	if err != nil {
		return Result{Outcome: NotBegun}, err
	}
	p, err := Undoing(e)
	if err != nil {
		return Result{Outcome: NotBegun}, err
	}
	return r.Run(ctx, p, on)
}

func (r Runner) snapshot(ctx context.Context, w *persist.Writer) error {
	rules, err := persist.ReadRules(ctx, r.Target.Table)
	if err != nil {
		return err
	}
	return w.Snapshot(r.Rules, rules)
}

// run is one plan on its way.
type run struct {
	Result
	runner Runner
	writer *persist.Writer
	on     func(Event)
	upTo   int // steps before it may be begun

	changes []ipvs.Change // room for those of a group

	noticed int // the step that was seen to be so already and not told yet, or -1

	resumed int // steps before it may have been begun by a process that was killed
}

func newRun(r Runner, p Plan, on func(Event)) *run {
	if on == nil {
		on = func(Event) {}
	}
	return &run{Result: Result{Plan: p, Outcome: NotBegun, Steps: make([]StepResult, len(p.Items))}, runner: r, on: on, noticed: -1}
}

func (x *run) group() int { return 1 + (len(x.Steps)-1)/cmp.Or(x.runner.marks, maxMarks) }

// finish runs the steps that are to do, and ends the plan one way or the other.
func (x *run) finish(ctx context.Context) (Result, error) {
	err := x.forward(ctx)
	if err != nil {
		x.back(ctx)
	} else if err = x.failures(); err == nil {
		x.Outcome = Applied
	} else if len(x.in(Done)) > 0 {
		x.Outcome = Partly
	} else {
		x.Outcome = WentBack
	}
	x.end()
	return x.Result, err
}

// forward stops at the first step that fails, unless the plan is of those that
// go on.
func (x *run) forward(ctx context.Context) error {
	for i := 0; i < len(x.Steps); {
		was := x.Steps[i].State
		if was != ToDo && was != Shifted && i != x.noticed {
			i++
			continue
		}
		if err := x.mark(ctx, i); err != nil {
			return err
		}
		if x.Steps[i].State == Already {
			x.on(Event{Step: i, Begun: true})
			x.on(Event{Step: i, State: Already})
			x.noticed = -1
			i++
			continue
		}
		next, err := x.advance(ctx, i)
		if err != nil && !x.Plan.Each {
			if was == Shifted { // what a kill has left of it goes back with the others
				x.Steps[i].State = Shifted
			}
			return err
		}
		i = next
	}
	return nil
}

// advance does the steps from i on that can be done at once, or else one. It
// tells which comes next, and why the first of those that failed did.
func (x *run) advance(ctx context.Context, i int) (next int, err error) {
	if changes := x.together(ctx, i); len(changes) > 0 {
		return i + len(changes), x.apply(ctx, i, changes)
	}
	x.on(Event{Step: i, Begun: true})
	return i + 1, x.do(ctx, i)
}

// mark writes ahead that the next group of steps may be begun.
func (x *run) mark(ctx context.Context, i int) error {
	if err := ctx.Err(); err != nil || i < x.upTo {
		return err
	}
	upTo := min(i+x.group(), len(x.Steps))
	x.notice(ctx, i)
	if err := x.writer.Append(persist.Record{Kind: persist.UpTo, UpTo: upTo, Already: x.in(Already)}); err != nil {
		return err
	}
	x.upTo = upTo
	return nil
}

// notice takes down that the next step is so already, with the mark that lets it
// begin: after a kill, what was there before must not pass for the plan's doing.
// Steps of groups are left to the steps: they come from a comparison with what
// runs, which is too dear to make again.
func (x *run) notice(ctx context.Context, i int) {
	if s := x.Steps[i].State; s == ToDo && x.group() == 1 && x.isDone(ctx, i, x.Plan.Items[i].Step) {
		x.Steps[i].State, x.noticed = Already, i
	}
}

// do does one step. It is not cancelled in the middle: nobody could tell then
// what the kernel did.
func (x *run) do(ctx context.Context, i int) error {
	return x.settle(ctx, i, x.within(ctx, i, x.Plan.Items[i].Step.Do))
}

// settle takes down how a step went. An error is not believed when the row shows
// that the step is done, as when only the kernel's answer was late.
func (x *run) settle(ctx context.Context, i int, err error) error {
	step := x.Plan.Items[i].Step
	switch {
	case err == nil:
		x.set(i, Done, nil)
	case errors.Is(err, ErrAlready):
		x.set(i, Already, nil)
	case x.isDone(ctx, i, step):
		x.set(i, Done, nil)
	default:
		x.set(i, Failed, err)
		return fmt.Errorf("step %d of %d, %s: %w", i+1, len(x.Steps), step, err)
	}
	return nil
}

// within bounds the time in which something is done for a step.
func (x *run) within(ctx context.Context, i int, do func(context.Context, Target) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTimeout)
	defer cancel()
	t := x.runner.Target
	t.Resumed = i < x.resumed
	return do(ctx, t)
}

func (x *run) isDone(ctx context.Context, i int, s Step) (done bool) {
	err := x.within(ctx, i, func(ctx context.Context, t Target) (err error) {
		done, err = s.Done(ctx, t)
		return err
	})
	return err == nil && done
}

func (x *run) set(i int, s State, err error) {
	x.Steps[i] = StepResult{s, err}
	x.on(Event{Step: i, State: s, Err: err})
}

// back undoes what was done. It goes on when one step cannot be undone, and when
// the journal cannot be written: the way back needs no marks, for at the next
// start the rows show what is left to undo.
//
// What a kill left half done goes too; a row that has moved stays as it is.
func (x *run) back(ctx context.Context) {
	_ = x.writer.Append(persist.Record{Kind: persist.Back, Already: x.in(Already)})
	for i := len(x.Steps) - 1; i >= 0; i-- {
		if s := x.Steps[i].State; s == Done || s == Shifted {
			x.undo(ctx, i)
		}
	}
	x.Outcome = WentBack
	if len(x.in(NotTakenBack)) > 0 {
		x.Outcome = WentHalfBack
	}
}

func (x *run) undo(ctx context.Context, i int) {
	undo := x.Plan.Items[i].Step.Undo()
	if undo == nil {
		x.set(i, NotTakenBack, ErrIrreversible)
		return
	}
	err := x.within(ctx, i, undo.Do)
	if err == nil || errors.Is(err, ErrAlready) || x.isDone(ctx, i, undo) {
		x.set(i, TakenBack, nil)
	} else {
		x.set(i, NotTakenBack, err)
	}
}

// end writes how it ended.
func (x *run) end() {
	failed := map[int]string{}
	for i, s := range x.Steps {
		if s.Err != nil {
			failed[i] = s.Err.Error()
		}
	}
	x.Warning = errors.Join(
		x.remember(),
		x.writer.Append(persist.Record{
			Kind: persist.End, Outcome: string(x.Outcome), Already: x.in(Already), Failed: failed, Stuck: x.in(NotTakenBack), Beyond: x.beyond(),
		}),
		x.runner.ended(x.Result))
}

func (r Runner) ended(result Result) error {
	if r.Guard == nil {
		return nil
	}
	return r.Guard.Ended(result)
}

// in lists the steps in a state.
func (x *run) in(s State) (steps []int) {
	for i := range x.Steps {
		if x.Steps[i].State == s {
			steps = append(steps, i)
		}
	}
	return steps
}

// beyond lists the steps that were done, and taken back, although one before them
// failed: see apply.
func (x *run) beyond() []int {
	failed := x.in(Failed)
	if len(failed) == 0 || x.Plan.Each {
		return nil
	}
	return slices.DeleteFunc(x.in(TakenBack), func(i int) bool { return i < failed[0] })
}

// failures joins why steps failed.
func (x *run) failures() error {
	var errs []error
	for _, i := range x.in(Failed) {
		errs = append(errs, fmt.Errorf("%s: %w", x.Plan.Items[i].Step, x.Steps[i].Err))
	}
	return errors.Join(errs...)
}

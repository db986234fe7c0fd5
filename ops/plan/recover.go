package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"lvsdeck/persist"
)

// Unfinished is a plan that began and did not end: its process was killed, or
// the power failed.
type Unfinished struct {
	persist.Entry
	Plan   Plan
	States []State // as the rows show now; what was not begun is ToDo

	// Unreadable is why its steps (a newer version may have written them) or the
	// rows they are about cannot be read: the plan can only be left.
	Unreadable error
}

// Unfinished lists the plans that did not end, oldest first. The one that is
// running now is not among them.
func (r Runner) Unfinished(ctx context.Context) ([]Unfinished, error) {
	h, err := ReadHistory(r.Store)
	if err != nil {
		return nil, err
	}
	var found []Unfinished
	for _, e := range slices.Backward(h.Entries) {
		if !isOpen(e) || e.ID == h.Running {
			continue
		}
		u := Unfinished{Entry: *e}
		if u.Plan, u.Unreadable = Of(e); u.Unreadable == nil {
			u.States, u.Unreadable = r.stand(ctx, e, u.Plan)
		}
		found = append(found, u)
	}
	return found, nil
}

// stand tells where the steps of an unfinished plan stand. Steps that were not
// begun are not this plan's doing, whatever their rows show.
func (r Runner) stand(ctx context.Context, e *persist.Entry, p Plan) ([]State, error) {
	begun := p
	begun.Items = p.Items[:min(e.UpTo, len(p.Items))]
	states, err := standing(ctx, r.Target, begun)
	if err != nil {
		return nil, err
	}
	for _, i := range e.Already {
		states[i] = Already
	}
	return append(states, make([]State, len(p.Items)-len(states))...), nil
}

// Finish does what an unfinished plan has left to do. When a step fails, all of
// the plan is taken back.
func (r Runner) Finish(ctx context.Context, id string, on func(Event)) (Result, error) {
	x, err := r.resume(ctx, id, on)
	if err != nil {
		return Result{Outcome: NotBegun}, err
	}
	defer x.writer.Close()
	return x.finish(ctx)
}

// TakeBack undoes what an unfinished plan has done.
func (r Runner) TakeBack(ctx context.Context, id string, on func(Event)) (Result, error) {
	x, err := r.resume(ctx, id, on)
	if err != nil {
		return Result{Outcome: NotBegun}, err
	}
	defer x.writer.Close()
	x.back(ctx)
	x.end()
	if x.Outcome != WentBack {
		err = errors.New("some steps could not be taken back")
		for _, i := range x.in(NotTakenBack) {
			err = fmt.Errorf("%w; %s: %w", err, x.Plan.Items[i].Step, x.Steps[i].Err)
		}
	}
	return x.Result, err
}

// Leave ends an unfinished plan as it is. The weights of the servers that it
// seems to have drained are kept, if their rows can be read.
func (r Runner) Leave(id string) error {
	w, err := r.Store.Resume(id, "leave an unfinished plan")
	if err != nil {
		return err
	}
	defer w.Close()
	e, err := r.open(id)
	if err != nil {
		return err
	}
	if err := w.Append(persist.Record{Kind: persist.End, Outcome: string(Left)}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), stepTimeout)
	defer cancel()
	var remembered error
	if x, err := r.pickUp(ctx, e, nil); err == nil {
		remembered = x.remember()
	}
	return errors.Join(remembered, r.ended(Result{ID: id, Plan: Plan{Title: e.Title, Undoes: e.Undoes}, Outcome: Left}))
}

// open finds an unfinished plan.
func (r Runner) open(id string) (*persist.Entry, error) {
	e, err := r.Store.Plan(id)
	if err == nil && e.Ended != nil {
		err = fmt.Errorf("plan %q has ended meanwhile: %s", e.Title, e.Ended.Outcome)
	}
	return e, err
}

// resume takes the lock and then looks at an unfinished plan.
func (r Runner) resume(ctx context.Context, id string, on func(Event)) (*run, error) {
	w, err := r.Store.Resume(id, "an unfinished plan")
	if err != nil {
		return nil, err
	}
	e, err := r.open(id)
	if err != nil {
		w.Close()
		return nil, err
	}
	x, err := r.pickUp(ctx, e, on)
	if err != nil {
		w.Close()
		return nil, err
	}
	x.writer = w
	return x, nil
}

func (r Runner) pickUp(ctx context.Context, e *persist.Entry, on func(Event)) (*run, error) {
	p, err := Of(e)
	if err != nil {
		return nil, err
	}
	states, err := r.stand(ctx, e, p)
	if err != nil {
		return nil, err
	}
	x := newRun(r, p, on)
	x.ID, x.upTo, x.resumed = e.ID, e.UpTo, e.UpTo
	for i, s := range states {
		x.Steps[i].State = s
	}
	return x, nil
}

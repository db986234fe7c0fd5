package plan

import (
	"context"
	"errors"

	"lvsdeck/ipvs"
)

// rowStep is a step that changes one row of the table with one call. Steps that
// follow each other and are of this kind are handed to the table together, which
// takes a fraction of the time.
type rowStep interface {
	Step

	// change gives the call that Do would make, unless there is something about
	// the row that is for Do to tell.
	change(context.Context, Target) (ipvs.Change, bool)
}

// together looks for the steps from i on that can be done at once: those that may
// be begun as far as the journal knows, up to one whose row is not as it was. Such
// is also a row that an earlier one of them is going to change. Rows are read once
// for all of them.
func (x *run) together(ctx context.Context, i int) (changes []ipvs.Change) {
	_ = x.within(ctx, i, func(ctx context.Context, t Target) error {
		t.Table = newGlance(t.Table)
		changes = x.changes[:0]
		for ; i < x.upTo && x.Steps[i].State == ToDo; i++ {
			step, ok := x.Plan.Items[i].Step.(rowStep)
			if !ok {
				break
			}
			c, ok := step.change(ctx, t)
			if !ok {
				break
			}
			changes = append(changes, c)
		}
		return nil
	})
	x.changes = changes
	return changes
}

// apply does the steps from first on by their changes. The table makes all of
// them, whatever becomes of one. So when a step fails that ends the plan, some
// that come after it may be done already: they are taken down as such, and go
// back with the rest.
func (x *run) apply(ctx context.Context, first int, changes []ipvs.Change) (failed error) {
	for n := range changes {
		x.on(Event{Step: first + n, Begun: true})
	}
	var errs []error
	_ = x.within(ctx, first, func(ctx context.Context, t Target) error {
		errs = t.Table.Apply(ctx, changes)
		return nil
	})
	for n, err := range errs {
		i := first + n
		switch {
		case failed != nil && !x.Plan.Each:
			if err == nil || !refused(err) && x.isDone(ctx, i, x.Plan.Items[i].Step) {
				x.set(i, Done, nil)
			}
			continue
		case errors.Is(err, ipvs.ErrServiceExists), errors.Is(err, ipvs.ErrServerExists):
			err = x.do(ctx, i) // which looks at what is there
		default:
			err = x.settle(ctx, i, err)
		}
		if failed == nil {
			failed = err
		}
	}
	return failed
}

// refused tells the kernel's word from an error that leaves open what it did.
func refused(err error) bool {
	var e *ipvs.Error
	return errors.As(err, &e) && e.Errno != 0
}

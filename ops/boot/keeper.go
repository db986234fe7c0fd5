package boot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops/confirm"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/setup"
)

// Keeper makes set-ups last, and lets them go. As the Guard that it has, with this
// done at the right time, it is what confirms changes.
type Keeper struct {
	*confirm.Guard // of the book's runner
	Book           setup.Book
	Place          Place
}

// Change is what keeping set-ups would do to files. An empty plan: they are kept as
// they are.
type Change struct {
	Plan  plan.Plan
	Notes []string // sentences to be read before

	// Waits is the change that must be confirmed first; the set-ups are kept then.
	Waits *confirm.Change

	services []ipvs.ServiceID
	waiting  []ipvs.ServiceID
}

// Kept lists the set-ups that are kept.
func (k Keeper) Kept() ([]ipvs.ServiceID, error) {
	now, err := k.Place.read()
	return now.services(), err
}

// Plan shows what Keep would do: for some set-ups, as they are now, or without
// services for all that are in force, which also lets go what is left of others.
func (k Keeper) Plan(ctx context.Context, ids ...ipvs.ServiceID) (Change, error) {
	c := Change{Notes: k.Place.notes()}
	records, err := k.Book.List()
	if err != nil {
		return c, err
	}
	pending, err := k.pending()
	if err != nil {
		return c, err
	}
	var drop []ipvs.ServiceID
	var add []setup.Record
	if len(ids) == 0 {
		if ids, drop, err = k.all(ctx, records, pending, &c); err != nil {
			return c, err
		}
	}
	for _, id := range ids {
		i := slices.IndexFunc(records, func(r setup.Record) bool { return r.Wish.Service == id })
		switch {
		case i < 0:
			return c, fmt.Errorf("no set-up of %s is in force here; for a service made in another way, lvsdeck save writes the table", id)
		case pending != nil && records[i].DidBy(pending.ID):
			c.Waits, c.waiting = pending, append(c.waiting, id)
		default:
			add = append(add, records[i])
		}
		c.services = append(c.services, id)
	}
	if len(add)+len(drop) == 0 {
		return c, nil
	}
	c.Plan, err = k.draft(ctx, add, drop)
	return c, err
}

// all are the set-ups that can be kept, and those that are kept and not there any
// more. While a change waits nothing goes: it may be what took them away.
func (k Keeper) all(ctx context.Context, records []setup.Record, pending *confirm.Change, c *Change) (add, drop []ipvs.ServiceID, err error) {
	services, err := k.Book.Runner.Target.Table.Services(ctx)
	if err != nil {
		return nil, nil, err
	}
	runs := func(id ipvs.ServiceID) bool {
		return slices.ContainsFunc(services, func(s ipvs.ServiceState) bool { return s.ServiceID == id })
	}
	known := map[ipvs.ServiceID]bool{}
	for _, r := range records {
		id := r.Wish.Service
		known[id] = true
		if runs(id) {
			add = append(add, id)
		} else {
			c.Notes = append(c.Notes, fmt.Sprintf("The set-up of %s is not kept: the service is not in the table.", id))
		}
	}
	now, err := k.Place.read()
	for _, id := range now.services() {
		if !known[id] && pending == nil {
			drop = append(drop, id)
		}
	}
	return add, drop, err
}

func (k Keeper) pending() (*confirm.Change, error) {
	if k.Guard == nil {
		return nil, nil
	}
	s, err := k.Look()
	return s.Pending, err
}

// Keep does what Plan says. Those that wait to be confirmed get the wish, and are
// kept with that.
func (k Keeper) Keep(ctx context.Context, c Change, on func(plan.Event)) (plan.Result, error) {
	if len(c.waiting) > 0 {
		if err := k.Book.KeepAfter(c.Waits.ID, c.waiting...); err != nil {
			return plan.Result{Plan: c.Plan, Outcome: plan.NotBegun}, err
		}
	}
	return k.run(ctx, c.Plan, on)
}

func (k Keeper) run(ctx context.Context, p plan.Plan, on func(plan.Event)) (plan.Result, error) {
	r, err := k.Book.Runner.Run(ctx, p, on)
	if err == nil && len(p.Items) > 0 {
		r.Warning = errors.Join(r.Warning, k.Place.reload(ctx))
	}
	return r, err
}

// Settle lets the files follow a plan that nothing takes back any more: set-ups that
// were to last do, and those that it took away are kept no longer.
func (k Keeper) Settle(ctx context.Context, id string) (plan.Result, error) {
	none := plan.Result{Outcome: plan.Applied}
	last, left, err := k.Book.Settled(id)
	if err != nil {
		return none, err
	}
	now, err := k.Place.read()
	if err != nil && len(last)+len(left) > 0 {
		return none, err
	}
	left = slices.DeleteFunc(left, func(id ipvs.ServiceID) bool { return now.find(id) < 0 })
	if len(last)+len(left) == 0 {
		return none, nil
	}
	records, err := k.Book.List()
	if err != nil {
		return none, err
	}
	records = slices.DeleteFunc(records, func(r setup.Record) bool { return !slices.Contains(last, r.Wish.Service) })
	p, err := k.draft(ctx, records, left)
	if err != nil {
		return none, err
	}
	return k.run(ctx, p, nil)
}

// Confirm keeps the change that waits, as Guard.Confirm, and then lets the files
// follow. An *Unsettled is about the files alone: the change is confirmed.
func (k Keeper) Confirm(ctx context.Context) (confirm.Change, error) {
	c, err := k.Guard.Confirm(ctx)
	if err != nil {
		return c, err
	}
	return c, k.settled(ctx, c.ID)
}

func (k Keeper) settled(ctx context.Context, id string) error {
	r, err := k.Settle(ctx, id)
	if err = errors.Join(err, r.Warning); err != nil {
		return &Unsettled{err}
	}
	return nil
}

// Unsettled says that a change stays, but what boots does not follow it.
type Unsettled struct{ Err error }

func (e *Unsettled) Error() string {
	return fmt.Sprintf("the change stays, but not what comes at the next boot: %v; then try: lvsdeck keep", e.Err)
}

// Unwrap lets errors.Is find the reason.
func (e *Unsettled) Unwrap() error { return e.Err }

// Apply is the book's, and then keeps what is to be kept: at once without a timer,
// or when all was so already; else Confirm does.
func (k Keeper) Apply(ctx context.Context, d setup.Draft, within time.Duration, on func(plan.Event)) (plan.Result, error) {
	r, err := k.Book.Apply(ctx, d, within, on)
	if err == nil && r.ID == "" && d.Keep {
		c, err := k.Plan(ctx, d.Wish.Service)
		if err != nil {
			return r, &Unsettled{err}
		}
		kept, err := k.Keep(ctx, c, nil)
		r.Warning = kept.Warning
		return r, err
	}
	return k.follow(ctx, r, within, err)
}

// Go is the book's, and then lets go what is kept of the set-ups, as Apply does.
func (k Keeper) Go(ctx context.Context, back setup.Return, within time.Duration, on func(plan.Event)) (plan.Result, error) {
	r, err := k.Book.Go(ctx, back, within, on)
	if err == nil && r.ID == "" {
		r.Warning = k.letGo(ctx, back.Services)
		return r, nil
	}
	return k.follow(ctx, r, within, err)
}

func (k Keeper) follow(ctx context.Context, r plan.Result, within time.Duration, err error) (plan.Result, error) {
	if err == nil && within == 0 && r.Outcome == plan.Applied {
		r.Warning = errors.Join(r.Warning, k.settled(ctx, r.ID))
	}
	return r, err
}

func (k Keeper) letGo(ctx context.Context, ids []ipvs.ServiceID) error {
	now, err := k.Place.read()
	if err != nil {
		return err
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id ipvs.ServiceID) bool { return now.find(id) < 0 })
	if len(ids) == 0 {
		return nil
	}
	p, err := k.draft(ctx, nil, ids)
	if err != nil {
		return err
	}
	r, err := k.run(ctx, p, nil)
	return errors.Join(err, r.Warning)
}

package main

import (
	"context"
	"errors"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/owner"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/why"
	"lvsdeck/persist"
	"lvsdeck/ui"
)

// meantIn tells the weights that servers had before they were drained; without a
// store none is known.
func meantIn(store *persist.Store) (func(plan.Row) uint32, error) {
	if store == nil {
		return func(plan.Row) uint32 { return 0 }, nil
	}
	return plan.Meant(store)
}

// newChecks has every sample looked at for what is wrong on the console's host.
func newChecks(opts *ui.Options, table ipvs.Reader, sampler *ops.Sampler) *check.Watch {
	from := check.Sources{Host: opts.System, Table: table, Conns: opts.Conns, RulesFile: opts.RulesFile}
	if whose := opts.Owner; whose != nil {
		from.Owner, from.Mover = func() (*owner.Owner, error) { return whose(), nil }, owner.MoverHere
	}
	from.Meant = func() (func(plan.Row) uint32, error) { return meantIn(opts.Store) }
	w := check.NewWatch(check.WatchOptions{Sources: from, ReadNow: sampler.ReadNow})
	sampler.Each(w.Seen)
	opts.Checks, opts.Why = w, why.FromWatch(w)
	if opts.Demo != "" {
		opts.Checks, opts.Why.Probe = demoChecks{w}, nil
	}
	return w
}

// demoChecks looks around in memory, where nobody can be asked.
type demoChecks struct{ *check.Watch }

// Probe is for real networks.
func (demoChecks) Probe(context.Context, func(ipvs.ServiceID) bool, func(asked, of int)) (check.Asked, error) {
	return check.Asked{}, errors.New("this is a demo: its servers are made up and cannot be asked")
}

package main

import (
	"context"
	"errors"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/owner"
	"lvsdeck/ops/why"
	"lvsdeck/ui"
)

// newChecks has every sample looked at for what is wrong on the console's host.
func newChecks(opts *ui.Options, table ipvs.Reader, sampler *ops.Sampler) *check.Watch {
	from := check.Sources{Host: opts.System, Table: table, Conns: opts.Conns, RulesFile: opts.RulesFile}
	if whose := opts.Owner; whose != nil {
		from.Owner = func() (*owner.Owner, error) { return whose(), nil }
	}
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

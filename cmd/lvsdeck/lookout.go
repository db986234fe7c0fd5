package main

import (
	"context"
	"net/netip"
	"os"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
	"lvsdeck/ops/block"
	"lvsdeck/ops/check"
	"lvsdeck/ops/confirm"
	"lvsdeck/ops/owner"
	"lvsdeck/ops/setup"
	"lvsdeck/persist"
	"lvsdeck/ui"
)

// lookout is what a director is looked at from for a time: this host, or a made-up one.
type lookout struct {
	reader  ipvs.Reader
	sampler *ops.Sampler
	checks  *check.Watch
	whose   func(now bool) *owner.Owner // nil where nobody else can manage the table
	state   string                      // the directory of what is kept
	closers []func()
}

// openLookout opens the director that the options name, and tells them of it.
func openLookout(ctx context.Context, cancel context.CancelCauseFunc, opts *ui.Options, module bool) (l *lookout, err error) {
	l = &lookout{}
	if opts.Demo != "" {
		err = l.made(ctx, cancel, opts)
	} else {
		err = l.here(ctx, cancel, opts, module)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (l *lookout) here(ctx context.Context, cancel context.CancelCauseFunc, opts *ui.Options, module bool) (err error) {
	l.state = persist.DefaultDir
	if l.reader, err = openTable(ctx, module); err != nil {
		return err
	}
	l.closers = append(l.closers, func() { l.reader.Close() })
	var done func()
	if l.whose, done, err = openHost(ctx, cancel, opts); err != nil {
		return err
	}
	l.closers = append(l.closers, done)
	l.watch(opts)
	return nil
}

func (l *lookout) made(ctx context.Context, cancel context.CancelCauseFunc, opts *ui.Options) error {
	site, err := openDemo(opts.Demo)
	if err != nil {
		return err
	}
	l.closers = append(l.closers, site.Close)
	l.state, l.reader = site.dir, site.Table()
	site.lend(opts)
	l.watch(opts)
	site.Prime(ctx, l.sampler, time.Now())
	if err := site.saveRules(ctx); err != nil {
		return err
	}
	beside(cancel, func() { site.Run(ctx) })
	return nil
}

// watch has the table read, and what is read looked at.
func (l *lookout) watch(opts *ui.Options) {
	l.sampler = ops.NewSampler(l.reader, ops.Options{Interval: opts.Interval})
	if opts.History != nil {
		l.sampler.Each(opts.History.Add)
	}
	l.checks = newChecks(opts, l.reader, l.sampler)
}

// Close lets go what was opened, the last first.
func (l *lookout) Close() {
	for i := len(l.closers) - 1; i >= 0; i-- {
		l.closers[i]()
	}
}

// lendHands gives what changes the table, where it may be changed.
func (l *lookout) lendHands(opts *ui.Options) error {
	table, ok := l.reader.(ipvs.Table)
	if !ok || opts.Limits.ReadOnly {
		opts.Store, _ = l.kept()
		return nil
	}
	runner, err := newRunner(newTarget(table, opts.System), l.state)
	if err == nil && opts.Demo != "" {
		runner.Guard, err = confirm.Inside(runner) // no other process has the made-up table
	}
	if err != nil {
		opts.Limits.ReadOnly, opts.Limits.Why = true, err.Error()
		return nil
	}
	opts.Hands, opts.Store = runner, runner.Store
	if guard, ok := runner.Guard.(*confirm.Guard); ok {
		return addSetUps(opts, table, guard)
	}
	return nil
}

// kept is the store, to look at journal and names; who may not does without them. With
// an error nothing may be written there.
func (l *lookout) kept() (*persist.Store, error) {
	if _, err := os.Stat(l.state); err != nil {
		return nil, nil
	}
	return openStore(l.state)
}

// openHost opens the host around the table, and looks who else manages the
// table, now and from time to time, and when it is asked.
func openHost(ctx context.Context, cancel context.CancelCauseFunc, opts *ui.Options) (whose func(now bool) *owner.Owner, done func(), err error) {
	host, err := netcfg.Open()
	if err != nil {
		return nil, nil, err
	}
	here, err := owner.Open()
	if err != nil {
		host.Close()
		return nil, nil, err
	}
	namespace, err := proc.Here()
	if err != nil {
		host.Close()
		here.Close()
		return nil, nil, err
	}
	w := &owner.Watch{}
	w.Look(here)
	beside(cancel, func() { w.Run(ctx, here) })
	opts.System, opts.Owner, opts.Conns = host, w.Latest, namespace
	var port uint16
	if s := setup.FindSession(); s != nil {
		opts.Operator, port = s.Client, s.Server.Port()
	}
	opts.Peers = func() ([]netip.Addr, error) { return block.Peers(port) }
	whose = func(now bool) *owner.Owner {
		if now {
			w.Look(here)
		}
		return w.Latest()
	}
	return whose, func() { host.Close(); here.Close(); namespace.Close() }, nil
}

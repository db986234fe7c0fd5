package main

import (
	"context"
	"errors"
	"os"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/kernel"
	"lvsdeck/netcfg"
	"lvsdeck/ops/boot"
	"lvsdeck/ops/confirm"
	"lvsdeck/ops/owner"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/probe"
	"lvsdeck/ops/setup"
	"lvsdeck/persist"
)

// desk makes set-ups on this host.
type desk struct {
	setup.Book
	table ipvs.Table
	host  netcfg.Host

	last *boot.Keeper // nil: nothing outlives this process
}

// Apply does what a draft has left to do, and keeps it when that is wanted.
func (d desk) Apply(ctx context.Context, draft setup.Draft, within time.Duration, on func(plan.Event)) (plan.Result, error) {
	if d.last == nil {
		return d.Book.Apply(ctx, draft, within, on)
	}
	return d.last.Apply(ctx, draft, within, on)
}

// Unset drafts the way back of the set-ups of services.
func (d desk) Unset(ctx context.Context, ids ...ipvs.ServiceID) (setup.Return, error) {
	return d.Book.Unset(ctx, setup.FindSession().On(d.host), ids...)
}

// Go takes set-ups back; what is kept of them goes, too.
func (d desk) Go(ctx context.Context, r setup.Return, within time.Duration, on func(plan.Event)) (plan.Result, error) {
	if d.last == nil {
		return d.Book.Go(ctx, r, within, on)
	}
	return d.last.Go(ctx, r, within, on)
}

// PlanKeep drafts what makes set-ups last over a restart.
func (d desk) PlanKeep(ctx context.Context, ids ...ipvs.ServiceID) (boot.Change, error) {
	if d.last == nil {
		return boot.Change{}, errors.New("what is made up here ends with this process: nothing can be kept")
	}
	return d.last.Plan(ctx, ids...)
}

// Keep makes set-ups last over a restart.
func (d desk) Keep(ctx context.Context, c boot.Change, on func(plan.Event)) (plan.Result, error) {
	return d.last.Keep(ctx, c, on)
}

// newKeeper makes set-ups last on this host.
func newKeeper(book setup.Book, guard *confirm.Guard) (*boot.Keeper, error) {
	place, err := bootPlace()
	return &boot.Keeper{Guard: guard, Book: book, Place: place}, err
}

// bootPlace is where this host has what is kept.
func bootPlace() (boot.Place, error) {
	program, err := os.Executable()
	return boot.Place{Rules: persist.RulesFile(), Program: program}, err
}

// openDesk opens this host. The module of IPVS is loaded for it, as ipvsadm does.
func openDesk(ctx context.Context) (d desk, done func(), err error) {
	opening, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	table, err := kernel.Open(opening, kernel.Options{LoadModule: true})
	if err != nil {
		return d, nil, err
	}
	host, err := netcfg.Open()
	if err != nil {
		table.Close()
		return d, nil, err
	}
	done = func() { host.Close(); table.Close() }
	d = desk{table: table, host: host}
	if err := d.open(newTarget(table, host)); err != nil {
		done()
		return d, nil, err
	}
	return d, done, nil
}

// open makes what changes this host, and takes changes back.
func (d *desk) open(target plan.Target) (err error) {
	if d.Runner, err = newRunner(target, persist.DefaultDir); err != nil {
		return err
	}
	guard, err := newGuard(d.Runner.Store)
	if err != nil {
		return err
	}
	d.Timer = guard
	d.last, err = newKeeper(d.Book, guard)
	return err
}

// prober opens what asks other hosts, and spares the services of the table.
func (d desk) prober(ctx context.Context, w setup.Wish) (*probe.Prober, error) {
	services, err := d.table.Services(ctx)
	if err != nil {
		return nil, err
	}
	o := probe.Options{MTU: w.Mode == setup.TUN}
	for _, s := range services {
		o.Services = append(o.Services, s.ServiceID)
	}
	return probe.Open(d.host, o)
}

// Draft looks around and drafts. The error may be setup.Refusals.
func (d desk) Draft(ctx context.Context, w setup.Wish) (setup.Draft, error) {
	prober, err := d.prober(ctx, w)
	if err != nil {
		return setup.Draft{}, err
	}
	defer prober.Close()
	owners, err := owner.Open()
	if err != nil {
		return setup.Draft{}, err
	}
	defer owners.Close()
	found, err := setup.Director{
		Host: d.host, Table: d.table, Asker: prober,
		Owner:   func() (*owner.Owner, error) { return owner.Find(owners) },
		Session: setup.FindSession(),
	}.Look(ctx, w)
	if err != nil {
		return setup.Draft{}, err
	}
	return setup.Make(w, found)
}

// Prove asks other hosts whether a set-up works.
func (d desk) Prove(ctx context.Context, draft setup.Draft) (setup.Proof, error) {
	prober, err := d.prober(ctx, draft.Wish)
	if err != nil {
		return setup.Proof{}, err
	}
	defer prober.Close()
	return setup.Prove(ctx, prober, draft)
}

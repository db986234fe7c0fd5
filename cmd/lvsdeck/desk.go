package main

import (
	"context"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/kernel"
	"lvsdeck/netcfg"
	"lvsdeck/ops/owner"
	"lvsdeck/ops/probe"
	"lvsdeck/ops/setup"
	"lvsdeck/persist"
)

// desk makes set-ups on this host.
type desk struct {
	setup.Book
	table ipvs.Table
	host  netcfg.Host
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
	if d.Runner, err = newRunner(newTarget(table, host), persist.DefaultDir); err == nil {
		d.Timer, err = newGuard(d.Runner.Store)
	}
	if err != nil {
		done()
	}
	return d, done, err
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

package main

import (
	"context"
	"errors"

	"lvsdeck/ipvs"
	"lvsdeck/ops/confirm"
	"lvsdeck/ops/realserver"
	"lvsdeck/ops/setup"
	"lvsdeck/ui"
)

// addSetUps gives a console that can change things the guided set-up.
func addSetUps(opts *ui.Options, table ipvs.Table, guard *confirm.Guard) error {
	d := desk{Book: setup.Book{Runner: opts.Hands, Timer: guard}, table: table, host: opts.System}
	if opts.Demo != "" {
		opts.SetUps, opts.Pending = demoDesk{d}, guard
		return nil
	}
	var err error
	if d.last, err = newKeeper(d.Book, guard); err != nil {
		return err
	}
	opts.SetUps, opts.Pending, opts.Servers = d, d.last, realserver.Remote{}
	return nil
}

// demoDesk sets up in memory, where nobody can be asked.
type demoDesk struct{ desk }

// Draft looks around in memory.
func (d demoDesk) Draft(ctx context.Context, w setup.Wish) (setup.Draft, error) {
	found, err := setup.Director{Host: d.host, Table: d.table}.Look(ctx, w)
	if err != nil {
		return setup.Draft{}, err
	}
	return setup.Make(w, found)
}

// Unset has no session that could be cut.
func (d demoDesk) Unset(ctx context.Context, ids ...ipvs.ServiceID) (setup.Return, error) {
	return d.Book.Unset(ctx, nil, ids...)
}

// Prove is for real networks.
func (demoDesk) Prove(context.Context, setup.Draft) (setup.Proof, error) {
	return setup.Proof{}, errors.New("this is a demo: its servers are made up and cannot be asked")
}

package main

import (
	"context"
	"errors"
	"os"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/kernel"
	"lvsdeck/ipvs/proc"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
	"lvsdeck/persist/adm"
)

// openTimeout bounds the first words with the kernel.
const openTimeout = 5 * time.Second

// openTable opens the kernel's table: with all rights, or read-only through
// /proc when only those are missing.
func openTable(ctx context.Context) (ipvs.Reader, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	table, err := kernel.Open(ctx, kernel.Options{})
	if err == nil {
		return table, nil
	}
	if errors.Is(err, ipvs.ErrPermission) {
		return proc.Open()
	}
	return nil, err
}

// newRunner makes what changes a table, with its journal and snapshots in a
// directory.
func newRunner(table ipvs.Table, dir string) (*plan.Runner, error) {
	store, err := persist.Open(persist.Options{Dir: dir, Who: persist.WhoFrom(os.Getenv)})
	if err != nil {
		return nil, err
	}
	return &plan.Runner{
		Target: plan.Target{Table: table},
		Store:  store,
		Rules:  persist.Language{Write: adm.WriteRules, Read: adm.ReadRules},
	}, nil
}

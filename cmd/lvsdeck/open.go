package main

import (
	"context"
	"errors"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/absent"
	"lvsdeck/ipvs/kernel"
	"lvsdeck/ipvs/proc"
	"lvsdeck/netcfg"
	"lvsdeck/ops/keep"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// openTimeout bounds the first words with the kernel.
const openTimeout = 5 * time.Second

// openTable opens the kernel's table: with all rights, or read-only through
// /proc when only those are missing.
func openTable(ctx context.Context) (ipvs.Reader, error) {
	table, err := openDirector(ctx)
	if errors.Is(err, ipvs.ErrPermission) {
		return proc.Open()
	}
	return table, err
}

// openDirector opens the kernel's table for what takes all rights.
func openDirector(ctx context.Context) (ipvs.Table, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	table, err := kernel.Open(ctx, kernel.Options{})
	if err != nil {
		return nil, err
	}
	return table, nil
}

// openStore opens the directory of journal and snapshots.
func openStore(dir string) (*persist.Store, error) {
	return persist.Open(persist.Options{Dir: dir, Who: persist.WhoIsHere()})
}

// openTarget opens all that plans change: the table, and the host around it.
func openTarget(ctx context.Context) (target plan.Target, done func(), err error) {
	table, err := openDirector(ctx)
	if err != nil {
		return target, nil, err
	}
	host, err := netcfg.Open()
	if err != nil {
		table.Close()
		return target, nil, err
	}
	return newTarget(table, host), func() { host.Close(); table.Close() }, nil
}

// openAnyTarget is openTarget for plans that may be about the host alone: of one
// without IPVS, as real servers are, the table is absent.
func openAnyTarget(ctx context.Context) (target plan.Target, done func(), err error) {
	target, done, err = openTarget(ctx)
	if !errors.Is(err, ipvs.ErrUnavailable) {
		return target, done, err
	}
	host, err := netcfg.Open()
	if err != nil {
		return target, nil, err
	}
	return newTarget(absent.Table{}, host), func() { host.Close() }, nil
}

func newTarget(table ipvs.Table, host netcfg.Host) plan.Target {
	return plan.Target{Table: table, Sysctls: host, Host: host}
}

// newRunner makes what changes a director, with its journal and snapshots in a
// directory.
func newRunner(target plan.Target, dir string) (*plan.Runner, error) {
	store, err := openStore(dir)
	if err != nil {
		return nil, err
	}
	guard, err := newGuard(store)
	if err != nil {
		return nil, err
	}
	runner := runnerOn(store, target)
	runner.Guard = guard
	return &runner, nil
}

func runnerOn(store *persist.Store, target plan.Target) plan.Runner {
	return plan.Runner{Target: target, Store: store, Rules: keep.Language}
}

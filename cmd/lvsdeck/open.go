package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/absent"
	"lvsdeck/ipvs/kernel"
	"lvsdeck/ipvs/proc"
	"lvsdeck/netcfg"
	"lvsdeck/ops/keep"
	"lvsdeck/ops/owner"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// openTimeout bounds the first words with the kernel.
const openTimeout = 5 * time.Second

// Whether the module of IPVS is loaded when it is missing, as ipvsadm does: for
// what changes the table, not for what only looks at it.
const (
	asItIs = false
	loaded = true
)

// openTable opens the kernel's table: with all rights, or read-only through
// /proc when only those are missing.
func openTable(ctx context.Context, load bool) (ipvs.Reader, error) {
	table, err := openDirector(ctx, load)
	if errors.Is(err, ipvs.ErrPermission) {
		return proc.Open()
	}
	return table, err
}

// openDirector opens the kernel's table for what takes all rights.
func openDirector(ctx context.Context, load bool) (ipvs.Table, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	table, err := kernel.Open(ctx, kernel.Options{LoadModule: load})
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
func openTarget(ctx context.Context, load bool) (target plan.Target, done func(), err error) {
	table, err := openDirector(ctx, load)
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
	target, done, err = openTarget(ctx, asItIs)
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

// tellOwner warns that a program other than this one manages the table, before
// something is changed in it.
func tellOwner(w io.Writer) error {
	here, err := owner.Open()
	if err != nil {
		return err
	}
	defer here.Close()
	o, err := owner.Find(here)
	if o == nil || err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "lvsdeck: %s (pid %d) manages this table. %s\n", o.Name, o.PID, o.Will)
	return err
}

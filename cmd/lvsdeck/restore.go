package main

import (
	"context"
	"errors"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"lvsdeck/ops/keep"
	"lvsdeck/persist"
)

// restoreOptions are the flags of restore.
type restoreOptions struct {
	dryRun, merge bool
	snapshot      string
}

func newRestore() *cobra.Command {
	var o restoreOptions
	cmd := &cobra.Command{
		Use:   "restore [FILE]",
		Short: "make the running rules those of a file, or - for standard input",
		Long: "restore reads and checks all of the file before it changes anything, and then\n" +
			"touches only what differs: connections and counters of all other rows stay.\n" +
			"When the kernel refuses a step, those before it are taken back. It takes what\n" +
			"save and ipvsadm -S wrote. Without FILE: " + persist.RulesFile(),
		Args: takes("[FILE]"),
		RunE: func(cmd *cobra.Command, args []string) error { return runRestore(cmd.Context(), args, o) },
	}
	f := cmd.Flags()
	f.BoolVar(&o.dryRun, "dry-run", false, "only show what would be done")
	f.BoolVar(&o.merge, "merge", false, "add and change, but remove nothing")
	f.StringVar(&o.snapshot, "snapshot", "", "the `ID` of a snapshot, in place of a file")
	return cmd
}

func runRestore(ctx context.Context, args []string, o restoreOptions) error {
	// An interrupt between two steps takes back those that were done.
	ctx, stop := signal.NotifyContext(ctx, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	saved, err := o.saved(args)
	if err != nil {
		return err
	}
	if o.dryRun {
		target, done, err := openAnyTarget(ctx)
		if err != nil {
			return err
		}
		defer done()
		return keep.DryRun(ctx, target.Table, saved, o.merge, os.Stdout)
	}
	target, done, err := openTarget(ctx, loaded)
	if err != nil {
		return err
	}
	defer done()
	if err := tellOwner(os.Stderr); err != nil {
		return err
	}
	runner, err := newRunner(target, persist.DefaultDir)
	if err != nil {
		return err
	}
	return keep.Restore(ctx, runner, saved, o.merge, os.Stdout)
}

func (o *restoreOptions) saved(args []string) (keep.Saved, error) {
	if o.snapshot == "" {
		return openSaved(args)
	}
	if len(args) > 0 {
		return keep.Saved{}, errors.New("--snapshot stands in place of a file: name one of both")
	}
	store, err := openStore(persist.DefaultDir)
	if err != nil {
		return keep.Saved{}, err
	}
	return keep.OpenSnapshot(store, o.snapshot)
}

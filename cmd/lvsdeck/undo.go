package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"lvsdeck/ops/plan"
	"lvsdeck/persist"
	"lvsdeck/ui/plain"
	"lvsdeck/ui/text"
)

func newUndo() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "undo [ID]",
		Short: "take back a change: exit status 0 all of it, 1 only shown or a part",
		Long: "undo shows how a change of the journal would be taken back, and with --yes does\n" +
			"it. Rows that have changed since stay as they are. Of a change that was begun and\n" +
			"never ended, what was done is taken back. Without ID: the last change that is in\n" +
			"force or has not ended (lvsdeck journal lists them).",
		Args: takes("[ID]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withRunner(cmd.Context(), yes, func(ctx context.Context, r *plan.Runner) error {
				return undo(ctx, r, args, yes, os.Stdout)
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it")
	return cmd
}

// withRunner opens what changes this host, and says who else does when that will
// happen. An interrupt between two steps leaves nothing half done.
func withRunner(ctx context.Context, willChange bool, f func(context.Context, *plan.Runner) error) error {
	ctx, stop := signal.NotifyContext(ctx, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	target, done, err := openAnyTarget(ctx)
	if err != nil {
		return err
	}
	defer done()
	runner, err := newRunner(target, persist.DefaultDir)
	if err != nil {
		return err
	}
	if willChange {
		if err := tellOwner(os.Stderr); err != nil {
			return err
		}
	}
	return f(ctx, runner)
}

// undo shows the way back, or goes it and shows how that went.
func undo(ctx context.Context, r *plan.Runner, args []string, yes bool, w io.Writer) error {
	e, err := chosenEntry(r.Store, args, w)
	if err != nil {
		return err
	}
	if e.Ended == nil {
		return takeBack.settle(ctx, r, e.ID, yes, w)
	}
	if !yes {
		return showUndo(ctx, r, e, w)
	}
	result, err := r.Undo(ctx, e.ID, nil)
	if result.Outcome == plan.NotBegun {
		return err
	}
	if said := plain.Plan(w, result.Plan, result.Steps); said != nil {
		err = errors.Join(err, said)
	}
	if result.Outcome == plan.Partly {
		return exitCode(1)
	}
	return errors.Join(err, result.Warning)
}

// chosenEntry finds the plan of an ID, or else the last that can be undone, and
// says which it has passed over.
func chosenEntry(store *persist.Store, args []string, w io.Writer) (*persist.Entry, error) {
	h, err := plan.ReadHistory(store)
	if err != nil {
		return nil, err
	}
	if len(args) > 0 {
		return h.Find(args[0])
	}
	e, passed, err := h.Last()
	if err == nil && passed != "" {
		_, err = fmt.Fprintln(w, text.Clean(passed))
	}
	return e, err
}

func showUndo(ctx context.Context, r *plan.Runner, e *persist.Entry, w io.Writer) error {
	p, err := plan.Undoing(e)
	if err != nil {
		return err
	}
	preview, err := p.Preview(ctx, r.Target)
	if err != nil {
		return err
	}
	steps := make([]plan.StepResult, len(preview.States))
	for i, s := range preview.States {
		steps[i].State = s
	}
	if err := plain.Plan(w, p, steps); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "Nothing was changed. To do it: lvsdeck undo --yes %s\n", e.ID); err != nil {
		return err
	}
	return exitCode(1)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"lvsdeck/ops/plan"
	"lvsdeck/ui/plain"
)

func newFinish() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "finish [ID]",
		Short: "do what is left of a change that never ended: exit status 0 done, 1 only shown",
		Long: "A change that was begun and never ended (the process was killed, the power failed)\n" +
			"can be finished, or taken back with lvsdeck undo. finish shows what is done and\n" +
			"what is left, and with --yes does it; when a step fails, all of the change is\n" +
			"taken back. Without ID: the oldest of them (lvsdeck journal lists them).",
		Args: takes("[ID]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id := ""
			if len(args) > 0 {
				id = args[0]
			}
			return withRunner(cmd.Context(), yes, func(ctx context.Context, r *plan.Runner) error {
				return finish.settle(ctx, r, id, yes, os.Stdout)
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it")
	return cmd
}

// settlement ends a change that never ended.
type settlement struct {
	command string
	run     func(plan.Runner, context.Context, string, func(plan.Event)) (plan.Result, error)
	wanted  plan.Outcome
}

var (
	finish   = settlement{"finish", plan.Runner.Finish, plan.Applied}
	takeBack = settlement{"undo", plan.Runner.TakeBack, plan.WentBack}
)

// settle shows where the steps of such a change stand, or ends it and shows how
// that went. Without ID it is the oldest.
func (s settlement) settle(ctx context.Context, r *plan.Runner, id string, yes bool, w io.Writer) error {
	u, err := unfinishedPlan(ctx, r, id)
	if err != nil {
		return err
	}
	if !yes {
		return s.show(u, w)
	}
	result, err := s.run(*r, ctx, u.ID, nil)
	if result.Outcome == plan.NotBegun {
		return err
	}
	if said := plain.Plan(w, result.Plan, result.Steps); said != nil || err != nil {
		return errors.Join(err, said)
	}
	if result.Outcome != s.wanted {
		return exitCode(1)
	}
	return result.Warning
}

func (s settlement) show(u plan.Unfinished, w io.Writer) error {
	steps := make([]plan.StepResult, len(u.States))
	for i, state := range u.States {
		steps[i].State = state
	}
	if err := plain.Plan(w, u.Plan, steps); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "It was begun at %s and never ended. Nothing was changed now. To do what is left: lvsdeck finish --yes %s\nTo take back what was done: lvsdeck undo --yes %s\n",
		u.Time.Local().Format(time.DateTime), u.ID, u.ID); err != nil {
		return err
	}
	return exitCode(1)
}

// unfinishedPlan finds a change that never ended, by its ID or else the oldest.
func unfinishedPlan(ctx context.Context, r *plan.Runner, id string) (plan.Unfinished, error) {
	all, err := r.Unfinished(ctx)
	if err != nil {
		return plan.Unfinished{}, err
	}
	for _, u := range all {
		if id == "" || u.ID == id {
			return u, u.Unreadable
		}
	}
	if id == "" {
		return plan.Unfinished{}, errors.New("every change of the journal has ended")
	}
	h, err := plan.ReadHistory(r.Store)
	if err == nil {
		_, err = h.Find(id)
	}
	if err == nil {
		err = fmt.Errorf("plan %q is running, or has ended: lvsdeck journal shows which", id)
	}
	return plan.Unfinished{}, err
}

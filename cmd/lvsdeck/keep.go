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

	"lvsdeck/ipvs"
	"lvsdeck/ops/plan"
	"lvsdeck/ui/plain"
)

// keepOptions are the flags of keep.
type keepOptions struct {
	vip    string
	dryRun bool
}

func newKeep() *cobra.Command {
	var o keepOptions
	cmd := &cobra.Command{
		Use:   "keep [--vip ADDRESS[:PORT]]",
		Short: "make set-ups last over a restart of this host",
		Long: "keep writes what set-ups need into files, and a unit of systemd that brings it back\n" +
			"at boot (lvsdeck boot): all set-ups, or those of an address or a service. Services\n" +
			"are kept as they run now; give it again after a change. A set-up that waits to be\n" +
			"confirmed is kept with that. lvsdeck unset takes back what is kept, too, and\n" +
			"lvsdeck undo takes back a keep alone. To keep the whole table, also services that\n" +
			"were not set up here: lvsdeck save.",
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
			defer stop()
			return runKeep(ctx, o, os.Stdout)
		},
	}
	cmd.Flags().StringVar(&o.vip, "vip", "", "the service, `ADDRESS[:PORT]` with /udp or /sctp unless it is TCP; all without it")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "only show what would be done")
	return cmd
}

func runKeep(ctx context.Context, o keepOptions, w io.Writer) error {
	d, done, err := openDesk(ctx)
	if err != nil {
		return err
	}
	defer done()
	var services []ipvs.ServiceID
	if o.vip != "" {
		if services, err = setUpAt(d.Book, o.vip); err != nil {
			return err
		}
	}
	c, err := d.last.Plan(ctx, services...)
	if err != nil {
		return err
	}
	if o.dryRun {
		steps := make([]plan.StepResult, len(c.Plan.Items))
		return errors.Join(sayKeep(w, c.Plan, c.Notes, steps), say(w, "", "Nothing was changed."))
	}
	r, err := d.last.Keep(ctx, c, nil)
	if err != nil && r.Outcome == plan.NotBegun {
		return err
	}
	if err := errors.Join(err, sayKeep(w, c.Plan, c.Notes, r.Steps)); err != nil {
		return err
	}
	kept, err := d.last.Kept()
	if err != nil {
		return err
	}
	if c.Waits != nil {
		err = say(w, fmt.Sprintf("kept when it is confirmed: %s; lvsdeck confirm does both", c.Waits))
	}
	for _, id := range kept {
		err = errors.Join(err, say(w, "kept: "+id.String()))
	}
	return errors.Join(err, r.Warning)
}

// sayKeep shows steps, if there are any.
func sayKeep(w io.Writer, p plan.Plan, notes []string, steps []plan.StepResult) error {
	if p.Empty() {
		p.Title = "nothing is left to do: the files are as they should be"
	}
	return plain.WriteChange(w, plain.Change{Title: p.Title, Warnings: notes, Hosts: []plain.Host{{Steps: plain.StepsOf(p.Items, steps)}}})
}

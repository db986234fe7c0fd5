package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/absent"
	"lvsdeck/ipvs/kernel"
	"lvsdeck/netcfg"
	"lvsdeck/ops/boot"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/setup"
	"lvsdeck/persist"
)

// bootWait is how long network cards that systemd does not wait for may take.
const bootWait = 60 * time.Second

func newBoot() *cobra.Command {
	wait := bootWait
	cmd := &cobra.Command{
		Use:   "boot",
		Short: "bring back what is kept, as the unit does at boot: exit status 1 when a step failed",
		Long: "boot does what lvsdeck.service runs: the settings of this host that set-ups keep,\n" +
			"then the rules file, each step on its own. What is so already stays, and nothing\n" +
			"that runs is removed, so that it can be given at any time.",
		Hidden: true,
		Args:   takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			// Between two steps it may be stopped: what is done stays.
			ctx, stop := signal.NotifyContext(cmd.Context(), unix.SIGINT, unix.SIGTERM)
			defer stop()
			return runBoot(ctx, wait, os.Stdout)
		},
	}
	cmd.Flags().DurationVar(&wait, "wait", wait, "how long to wait for interfaces that are not there yet")
	return cmd
}

// runBoot goes on as far as it can: without a table the host's settings still come,
// and without the store all that is kept.
func runBoot(ctx context.Context, wait time.Duration, w io.Writer) error {
	target, done, unopened := openBoot(ctx)
	if target.Host == nil {
		return unopened
	}
	defer done()
	place, err := bootPlace()
	if err != nil {
		return err
	}
	tell := func(line string) { _ = sayLine(w, line) }
	b := boot.Boot{Place: place, Target: target, Wait: wait, Tell: tell}
	if store, err := openStore(persist.DefaultDir); err == nil {
		b.Book = &setup.Book{Runner: &plan.Runner{Store: store, Target: target}}
	} else {
		tell("going on without " + persist.DefaultDir + ": " + err.Error())
	}
	tally, err := b.Run(ctx)
	tell(fmt.Sprintf("%d done, %d so already, %d failed", tally.Done, tally.Already, tally.Failed))
	switch err = errors.Join(unopened, err); {
	case err != nil:
		return err
	case tally.Failed > 0:
		return exitCode(1)
	}
	return nil
}

// openBoot opens the host, and the table if there is one, for which the module is
// loaded.
func openBoot(ctx context.Context) (target plan.Target, done func(), err error) {
	host, err := netcfg.Open()
	if err != nil {
		return target, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	table, err := kernel.Open(ctx, kernel.Options{LoadModule: true})
	if err != nil {
		return newTarget(ipvs.Table(absent.Table{}), host), func() { host.Close() }, err
	}
	return newTarget(table, host), func() { host.Close(); table.Close() }, nil
}

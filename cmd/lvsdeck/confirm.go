package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/syslog"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"lvsdeck/ops/boot"
	"lvsdeck/ops/confirm"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
	"lvsdeck/ui/plain"
	"lvsdeck/ui/text"
)

func newConfirm() *cobra.Command {
	return &cobra.Command{
		Use:   "confirm",
		Short: "keep the change that waits to be confirmed: exit status 1 when there is none",
		Long: "confirm keeps a change that would else be taken back when its time is over. Open\n" +
			"a new connection to the virtual service first, and a new login: that is what the\n" +
			"change may have cut. It can be given from any login. A set-up that is to be kept\n" +
			"(lvsdeck setup --keep) is kept now; one that was taken back is kept no longer.",
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			target, done, err := openAnyTarget(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			var d desk
			if err := d.open(target); err != nil {
				return err
			}
			return keepChange(cmd.Context(), d.last, os.Stdout)
		},
	}
}

// confirmer keeps the change that waits.
type confirmer interface {
	Confirm(context.Context) (confirm.Change, error)
}

func keepChange(ctx context.Context, k confirmer, w io.Writer) error {
	c, err := k.Confirm(ctx)
	if unsettled := (*boot.Unsettled)(nil); err != nil && !errors.As(err, &unsettled) {
		return nothingToDo(w, err)
	}
	return errors.Join(err, sayLine(w, "confirmed: "+c.String()+" stays"))
}

// nothingToDo makes a finding of an answer that is none.
func nothingToDo(w io.Writer, err error) error {
	var none *confirm.Nothing
	if !errors.As(err, &none) {
		return err
	}
	if err := sayLine(w, none.Error()); err != nil {
		return err
	}
	return exitCode(1)
}

func sayLine(w io.Writer, line string) error {
	_, err := fmt.Fprintln(w, text.Clean(line))
	return err
}

// timerFlags are how a timer's process is called.
type timerFlags struct {
	pending, state string
	at             time.Duration
}

func newRevert() *cobra.Command {
	var timer timerFlags
	cmd := &cobra.Command{
		Use:   "revert",
		Short: "take back the change that waits to be confirmed: exit status 1 when there is none, or a part stays",
		Long: "revert takes back at once, from any login, what would else be taken back when its\n" +
			"time is over. Rows that have changed since stay as they are. A change that is still\n" +
			"being made is stopped first.",
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			// What takes a change back is not to stop half-way: not for a link that
			// breaks, and not for ctrl-c.
			signal.Ignore(unix.SIGHUP, unix.SIGINT, unix.SIGPIPE)
			if timer.pending != "" {
				return timer.run(cmd.Context())
			}
			signal.Ignore(unix.SIGTERM)
			target, done, err := openAnyTarget(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			runner, err := newRunner(target, persist.DefaultDir)
			if err != nil {
				return err
			}
			guard, err := newGuard(runner.Store)
			if err != nil {
				return err
			}
			return revert(cmd.Context(), guard, *runner, os.Stdout)
		},
	}
	f := cmd.Flags()
	f.StringVar(&timer.pending, "pending", "", "wait for the deadline of the change with this plan")
	f.DurationVar(&timer.at, "at", 0, "the deadline, on CLOCK_BOOTTIME")
	f.StringVar(&timer.state, "state", persist.DefaultDir, "where the journal is")
	for _, name := range []string{"pending", "at", "state"} {
		_ = f.MarkHidden(name)
	}
	return cmd
}

// revert says nothing before all is done: the terminal may be what was cut.
func revert(ctx context.Context, g *confirm.Guard, r plan.Runner, w io.Writer) error {
	c, result, err := g.Revert(ctx, r, nil)
	if result.Outcome == plan.NotBegun {
		return nothingToDo(w, err)
	}
	if !result.Plan.Empty() {
		if said := plain.Plan(w, result.Plan, result.Steps); said != nil {
			return said
		}
	}
	if c.Reverted == nil {
		return result.Warning
	}
	if err := sayLine(w, c.Story()); err != nil {
		return err
	}
	if c.Reverted.Outcome == plan.WentHalfBack {
		return exitCode(1)
	}
	return nil
}

// timerWho stands in the journal for what a timer did.
var timerWho = persist.Who{User: "timer"}

// run is a timer's process. All it needs is open before it says that it is ready.
func (t timerFlags) run(ctx context.Context) error {
	ctx, stop := signal.NotifyContext(ctx, unix.SIGTERM)
	defer stop()
	store, err := persist.Open(persist.Options{Dir: t.state, Who: timerWho})
	if err != nil {
		return err
	}
	target, done, err := openAnyTarget(ctx)
	if err != nil {
		return err
	}
	defer done()
	guard, err := newGuard(store)
	if err != nil {
		return err
	}
	guard.Tell = logLoud
	return guard.Watch(ctx, runnerOn(store, target), t.pending, t.at, confirm.SayReady)
}

// logLoud writes to the log of the host as well as to our own.
func logLoud(line string) {
	line = text.Clean(line)
	fmt.Fprintln(os.Stderr, line)
	if log, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_WARNING, "lvsdeck"); err == nil {
		_ = log.Warning(line)
		log.Close()
	}
}

// newGuard makes what takes back changes that nobody confirms: with this very
// program as the timer.
func newGuard(store *persist.Store) (*confirm.Guard, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	state, err := filepath.Abs(store.Dir())
	if err != nil {
		return nil, err
	}
	return confirm.New(store, func(id string, at time.Duration) []string {
		return []string{program, "revert", "--pending", id, "--at", at.String(), "--state", state}
	})
}

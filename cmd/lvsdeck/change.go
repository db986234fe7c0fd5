package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/pflag"

	"lvsdeck/ops/confirm"
	"lvsdeck/ops/plan"
	"lvsdeck/ui/plain"
)

// changeOptions are the flags of what changes the host and may cut the way to it.
type changeOptions struct {
	dryRun, yes, noSafetyNet bool
	within                   time.Duration
	format                   string
}

func (o *changeOptions) flags(f *pflag.FlagSet) {
	f.BoolVar(&o.dryRun, "dry-run", false, "only show what would be done")
	f.BoolVarP(&o.yes, "yes", "y", false, "do it without asking")
	f.DurationVar(&o.within, "confirm-within", confirm.DefaultWindow, "take all back unless lvsdeck confirm comes in this time; 0: never")
	f.BoolVar(&o.noSafetyNet, "no-safety-net", false, "go on also when what would take the change back cannot be started; with --confirm-within 0 it is not tried")
	f.StringVarP(&o.format, "output", "o", "table", "table or json")
}

func (o *changeOptions) check() error {
	if err := plain.CheckFormat(o.format); err != nil {
		return err
	}
	switch {
	case o.within != 0:
		return confirm.CheckWindow(o.within)
	case !o.noSafetyNet:
		return errors.New("--confirm-within 0: nothing would take the change back should it cut you off; add --no-safety-net if that is meant")
	}
	return nil
}

func (o *changeOptions) json() bool { return o.format == "json" }

// textTo is where words for people go.
func (o *changeOptions) textTo(w io.Writer) io.Writer {
	if o.json() {
		return io.Discard
	}
	return w
}

// agreed asks on a terminal. Elsewhere it takes --yes.
func (o *changeOptions) agreed(ctx context.Context, w io.Writer) (bool, error) {
	switch {
	case o.yes:
		return true, nil
	case o.json() || !term.IsTerminal(os.Stdin.Fd()):
		return false, nil
	}
	if _, err := fmt.Fprint(w, "\nDo it? [y/N] "); err != nil {
		return false, err
	}
	return saysYes(ctx, os.Stdin)
}

// saysYes waits for an answer, or for an interrupt, which is no.
func saysYes(ctx context.Context, r io.Reader) (bool, error) {
	type line struct {
		text string
		err  error
	}
	answers := make(chan line, 1)
	go func() {
		text, err := bufio.NewReader(r).ReadString('\n')
		answers <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		return false, nil
	case a := <-answers:
		if a.err != nil && a.err != io.EOF {
			return false, a.err
		}
		text := strings.ToLower(strings.TrimSpace(a.text))
		return text == "y" || text == "yes", nil
	}
}

// shown ends a command that changed nothing: what it would change is a finding,
// but not when only that was asked for.
func (o *changeOptions) shown(w io.Writer) error {
	if o.dryRun {
		return say(w, "", "Nothing was changed.")
	}
	if err := say(w, "", "Nothing was changed. To do it: --yes"); err != nil {
		return err
	}
	return exitCode(1)
}

// say writes lines.
func say(w io.Writer, lines ...string) error {
	for _, line := range lines {
		if err := sayLine(w, line); err != nil {
			return err
		}
	}
	return nil
}

// change is what a command is about to do.
type change struct {
	plain.Report
	run   func(within time.Duration) (plan.Result, error)
	prove func(*plain.Report) error // when it is done, or was so before; nil: there is no proof

	// record: also without steps there is something to do, on record only.
	record bool

	// kept: it lasts over restarts.
	kept bool

	// newWay is what to try before confirming.
	newWay string
}

// carryOut shows a change, does it when that is wanted, and says how that went.
func (o *changeOptions) carryOut(ctx context.Context, w io.Writer, c change) (err error) {
	report := w
	w = o.textTo(w)
	if o.json() {
		defer func() {
			if c.Err = err; errors.As(err, new(exitCode)) {
				c.Err = nil
			}
			err = errors.Join(err, plain.WriteReport(report, c.Report))
		}()
	}
	if err := plain.WriteChange(w, c.Change); err != nil {
		return err
	}
	if !c.todo() {
		if err := say(w, "", "Nothing is left to do.", ""); err != nil {
			return err
		}
		return o.proven(&c, o.dryRun)
	}
	if o.dryRun {
		return o.shown(w)
	}
	if yes, err := o.agreed(ctx, w); !yes {
		return errors.Join(err, o.shown(w))
	}
	c.Result, err = o.run(w, &c)
	if c.Result.Outcome != plan.NotBegun {
		c.Hosts = []plain.Host{{Steps: plain.StepsOf(c.Result.Plan.Items, c.Result.Steps)}}
	}
	if err != nil {
		return errors.Join(err, c.failed(w))
	}
	if len(c.Result.Steps) == 0 { // no timer is for a record
		o.within = 0
	}
	c.Confirm = o.within
	if err := o.done(w, c); err != nil {
		return err
	}
	return errors.Join(o.proven(&c, false), c.Result.Warning)
}

// run does a change under the timer. Without one it does it only when that may be,
// and says so.
func (o *changeOptions) run(w io.Writer, c *change) (plan.Result, error) {
	r, err := c.run(o.within)
	none := (*confirm.NotArmed)(nil)
	if !o.noSafetyNet || !errors.As(err, &none) {
		return r, err
	}
	o.within = 0
	warning := fmt.Sprintf("No safety net: what would take the change back cannot be started: %v. Going on, as --no-safety-net says.", none.Err)
	c.Warnings = append(c.Warnings, warning)
	if err := say(w, "", "! "+warning); err != nil {
		return r, err
	}
	return c.run(0)
}

func (c *change) todo() bool {
	if c.record {
		return true
	}
	for _, h := range c.Hosts {
		for _, s := range h.Steps {
			if s.Result != nil && s.Result.State != plan.Already {
				return true
			}
		}
	}
	return false
}

func (o *changeOptions) proven(c *change, skip bool) error {
	if c.prove == nil || skip {
		return nil
	}
	return c.prove(&c.Report)
}

// failed shows where the steps of a plan that failed stand.
func (c *change) failed(w io.Writer) error {
	if c.Result.Outcome == plan.NotBegun {
		return nil
	}
	return errors.Join(say(w, ""), plain.WriteChange(w, plain.Change{Title: string(c.Result.Outcome) + ": " + c.Title, Hosts: c.Hosts}))
}

// done says what was done, and what stands between that and its end.
func (o *changeOptions) done(w io.Writer, c change) error {
	n := 0
	for _, s := range c.Result.Steps {
		if s.State == plan.Done {
			n++
		}
	}
	lines := []string{"", "done: " + c.Title}
	if all := len(c.Result.Steps); n < all {
		lines[1] += fmt.Sprintf("; %d of %d steps were so already", all-n, all)
	}
	if o.within > 0 {
		lines = append(lines, fmt.Sprintf("It is taken back in %s unless it is confirmed. %s, then: lvsdeck confirm", o.within, c.newWay),
			"To take it back at once: lvsdeck revert")
	}
	switch {
	case c.kept && o.within > 0:
		lines = append(lines, "Once it is confirmed it lasts over restarts.")
	case c.kept:
		lines = append(lines, "It lasts over restarts.")
	}
	return say(w, append(lines, "")...)
}

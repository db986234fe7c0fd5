package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/pflag"

	"lvsdeck/ops"
	"lvsdeck/ops/history"
	"lvsdeck/ops/record"
	"lvsdeck/ops/task"
	"lvsdeck/persist"
	"lvsdeck/ui"
)

// consoleOptions are the flags of the console.
type consoleOptions struct {
	demo     string
	interval time.Duration
	readOnly bool
	ascii    bool
	silent   bool
	replay   string
}

func (o *consoleOptions) flags(f *pflag.FlagSet) {
	demoFlag(f, &o.demo)
	f.DurationVar(&o.interval, "interval", ops.DefaultInterval, "time between readings, 1s to 60s")
	f.StringVar(&o.replay, "replay", "", "play a recording: a `file` that lvsdeck record has written, or V in the console")
	f.BoolVar(&o.readOnly, "read-only", false, "never change anything")
	f.BoolVar(&o.silent, "silent", false, "ring no bell when a threshold is crossed")
	f.BoolVar(&o.ascii, "ascii", false, "draw with ASCII only (chosen by itself when the locale is not UTF-8)")
}

func (o *consoleOptions) check() error {
	if o.replay != "" && o.demo != "" {
		return errors.New("--replay and --demo: choose one")
	}
	if o.interval < ops.MinInterval || o.interval > ops.MaxInterval {
		return fmt.Errorf("--interval %s: must be 1s to 60s", o.interval)
	}
	if !term.IsTerminal(os.Stdin.Fd()) || !term.IsTerminal(os.Stdout.Fd()) {
		return errors.New("the console needs a terminal for input and output; for pipes and scripts use: lvsdeck list")
	}
	if t := os.Getenv("TERM"); t == "" || t == "dumb" {
		return fmt.Errorf("the console cannot draw on a terminal of type %q; set TERM, or use: lvsdeck list", t)
	}
	return nil
}

// runConsole checks everything that can fail before it touches the terminal.
func runConsole(ctx context.Context, o consoleOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	if o.replay != "" {
		return runReplay(ctx, o)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	opts := ui.Options{
		Host: hostName(), Demo: o.demo, Interval: o.interval, RulesFile: persist.RulesFile(),
		ASCII: o.ascii || !unicodeTerminal(os.Getenv), History: history.New(), Silent: o.silent,
	}
	l, err := openLookout(ctx, cancel, &opts, !o.readOnly)
	if err != nil {
		if o.demo == "" {
			err = fmt.Errorf("%w; to look around without a director: lvsdeck --demo", err)
		}
		return err
	}
	defer l.Close()
	opts.Source, opts.Table, opts.Limits = l.sampler, l.reader, l.reader.Limits()
	if o.readOnly {
		opts.Limits.ReadOnly, opts.Limits.Why = true, "--read-only"
	}
	if err := l.lendHands(&opts); err != nil {
		return err
	}
	opts.Tasks = task.NewKeeper(task.Options{
		Source: l.sampler, Runner: opts.Hands, Reader: l.reader, Sysctls: opts.System, Owner: l.whose,
	})
	opts.Recorder = newRecorder(record.Head{Host: opts.Host, Interval: o.interval, Limits: opts.Limits}, opts.Checks, opts.Store, cancel)
	defer opts.Recorder.Stop()
	defer watchIncidents(ctx, cancel, &opts, l.sampler)()
	l.sampler.Each(opts.Recorder.Hear)
	beside(cancel, func() { l.sampler.Run(ctx) })
	beside(cancel, func() { l.checks.Run(ctx) })
	beside(cancel, func() { opts.Tasks.Run(ctx) })
	return ui.Run(ctx, opts)
}

// beside runs f beside the console. Should it panic, the console ends and gives
// the terminal back before the reason is printed.
func beside(cancel context.CancelCauseFunc, f func()) {
	go func() {
		defer func() {
			if r := recover(); r != nil {
				cancel(fmt.Errorf("lvsdeck failed: %v\n%s", r, debug.Stack()))
			}
		}()
		f()
	}()
}

func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "this host"
	}
	short, _, _ := strings.Cut(name, ".")
	return short
}

// unicodeTerminal tells whether the locale is UTF-8 and the terminal has the
// letters: the kernel's own console lacks most of them.
func unicodeTerminal(env func(string) string) bool {
	if env("TERM") == "linux" {
		return false
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(env(name)); v != "" {
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/pflag"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
	"lvsdeck/ops/block"
	"lvsdeck/ops/check"
	"lvsdeck/ops/confirm"
	"lvsdeck/ops/history"
	"lvsdeck/ops/owner"
	"lvsdeck/ops/record"
	"lvsdeck/ops/setup"
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
		Host: hostName(), Interval: o.interval, RulesFile: persist.RulesFile(),
		ASCII: o.ascii || !unicodeTerminal(os.Getenv), History: history.New(), Silent: o.silent,
	}
	var reader ipvs.Reader
	var sampler *ops.Sampler
	var checks *check.Watch
	var whose func(now bool) *owner.Owner
	state := persist.DefaultDir
	if o.demo != "" {
		site, err := openDemo(o.demo)
		if err != nil {
			return err
		}
		defer site.Close()
		state, reader, opts.Demo = site.dir, site.Table(), o.demo
		site.lend(&opts)
		sampler = ops.NewSampler(reader, ops.Options{Interval: o.interval})
		sampler.Each(opts.History.Add)
		checks = newChecks(&opts, reader, sampler)
		site.Prime(ctx, sampler, time.Now())
		if err := site.saveRules(ctx); err != nil {
			return err
		}
		beside(cancel, func() { site.Run(ctx) })
	} else {
		var err error
		if reader, err = openTable(ctx, !o.readOnly); err != nil {
			return fmt.Errorf("%w; to look around without a director: lvsdeck --demo", err)
		}
		defer reader.Close()
		sampler = ops.NewSampler(reader, ops.Options{Interval: o.interval})
		sampler.Each(opts.History.Add)
		var closeHost func()
		if whose, closeHost, err = openHost(ctx, cancel, &opts); err != nil {
			return err
		}
		defer closeHost()
		checks = newChecks(&opts, reader, sampler)
	}
	opts.Source, opts.Table, opts.Limits = sampler, reader, reader.Limits()
	if o.readOnly {
		opts.Limits.ReadOnly, opts.Limits.Why = true, "--read-only"
	}
	if table, ok := reader.(ipvs.Table); ok && !opts.Limits.ReadOnly {
		runner, err := newRunner(newTarget(table, opts.System), state)
		if err == nil && o.demo != "" {
			runner.Guard, err = confirm.Inside(runner) // no other process has the made-up table
		}
		if err != nil {
			opts.Limits.ReadOnly, opts.Limits.Why = true, err.Error()
		} else {
			opts.Hands, opts.Store = runner, runner.Store
			if guard, ok := runner.Guard.(*confirm.Guard); ok {
				if err := addSetUps(&opts, table, guard); err != nil {
					return err
				}
			}
		}
	} else if _, err := os.Stat(state); err == nil {
		// Journal and names can be looked at; who may not does without them.
		opts.Store, _ = openStore(state)
	}
	opts.Tasks = task.NewKeeper(task.Options{
		Source: sampler, Runner: opts.Hands, Reader: reader, Sysctls: opts.System, Owner: whose,
	})
	opts.Recorder = newRecorder(record.Head{Host: opts.Host, Interval: o.interval, Limits: opts.Limits}, opts.Checks, opts.Store, cancel)
	defer opts.Recorder.Stop()
	defer watchIncidents(ctx, cancel, &opts, sampler)()
	sampler.Each(opts.Recorder.Hear)
	beside(cancel, func() { sampler.Run(ctx) })
	beside(cancel, func() { checks.Run(ctx) })
	beside(cancel, func() { opts.Tasks.Run(ctx) })
	return ui.Run(ctx, opts)
}

// openHost opens the host around the table, and looks who else manages the
// table, now and from time to time, and when it is asked.
func openHost(ctx context.Context, cancel context.CancelCauseFunc, opts *ui.Options) (whose func(now bool) *owner.Owner, done func(), err error) {
	host, err := netcfg.Open()
	if err != nil {
		return nil, nil, err
	}
	here, err := owner.Open()
	if err != nil {
		host.Close()
		return nil, nil, err
	}
	namespace, err := proc.Here()
	if err != nil {
		host.Close()
		here.Close()
		return nil, nil, err
	}
	w := &owner.Watch{}
	w.Look(here)
	beside(cancel, func() { w.Run(ctx, here) })
	opts.System, opts.Owner, opts.Conns = host, w.Latest, namespace
	var port uint16
	if s := setup.FindSession(); s != nil {
		opts.Operator, port = s.Client, s.Server.Port()
	}
	opts.Peers = func() ([]netip.Addr, error) { return block.Peers(port) }
	whose = func(now bool) *owner.Owner {
		if now {
			w.Look(here)
		}
		return w.Latest()
	}
	return whose, func() { host.Close(); here.Close(); namespace.Close() }, nil
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

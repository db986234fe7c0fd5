package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"lvsdeck/ops"
	"lvsdeck/ops/record"
	"lvsdeck/persist"
	"lvsdeck/ui"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/text"
)

// recordOptions are the flags of record.
type recordOptions struct {
	file     string
	long     time.Duration
	interval time.Duration
	demo     string
}

func newRecord() *cobra.Command {
	var o recordOptions
	cmd := &cobra.Command{
		Use:   "record FILE",
		Short: "record what the console would show, to be played with --replay",
		Long: "record reads the table at an interval and writes every reading to a file, with what\n" +
			"checks find, which thresholds are crossed and what the journal says is changed\n" +
			"meanwhile, until ctrl-c or for a time. As a console does, it writes what is crossed\n" +
			"and found into this host's incident log, too, where it may.\n\n" +
			"lvsdeck --replay FILE opens the console on it. What is cut off by a kill or a full\n" +
			"disk costs the last 5 s, or the last reading. A recording of this host is continued;\n" +
			"any other file that is there is left alone.\n\n" +
			"The servers' own counters are read each time when there are up to " + fmt.Sprint(recordAll) + " services, and\n" +
			"else in turn. 1,000 services with 10 servers each take up to 76 MB an hour.",
		Args: takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			if o.interval < ops.MinInterval || o.interval > ops.MaxInterval {
				return fmt.Errorf("--interval %s: must be 1s to 60s", o.interval)
			}
			if o.long < 0 {
				return fmt.Errorf("--for %s: must be a time, like 10m", o.long)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
			defer stop()
			return runRecord(ctx, o, os.Stdout, os.Stderr)
		},
	}
	f := cmd.Flags()
	f.DurationVar(&o.long, "for", 0, "end after a `time`, like 10m; 0: at ctrl-c")
	f.DurationVar(&o.interval, "interval", ops.DefaultInterval, "time between readings, 1s to 60s")
	demoFlag(f, &o.demo)
	return cmd
}

// recordAll is of how many services all counters are read each time.
const recordAll = 100

// runRecord records without a screen, until a signal.
func runRecord(signals context.Context, o recordOptions, out, progress io.Writer) error {
	ctx, cancel := context.WithCancelCause(signals)
	defer cancel(nil)
	opts := ui.Options{Host: hostName(), Interval: o.interval, RulesFile: persist.RulesFile(), Demo: o.demo}
	l, err := openLookout(ctx, cancel, &opts, asItIs)
	if err != nil {
		return err
	}
	defer l.Close()
	opts.Store, err = l.kept()
	opts.Limits.ReadOnly = err != nil // so the incident log is left alone
	recorder := newRecorder(record.Head{Host: opts.Host, Interval: o.interval, Limits: l.reader.Limits()}, l.checks, opts.Store, cancel)
	opts.Recorder = recorder
	defer watchIncidents(ctx, cancel, &opts, l.sampler)()
	l.sampler.Each(func(s *ops.Sample) {
		if len(s.Services) <= recordAll {
			l.sampler.FocusAll()
		} else {
			l.sampler.Focus(nil)
		}
	})
	l.sampler.Each(recorder.Hear)
	if err := recorder.Start(o.file, nil); err != nil {
		return err
	}
	beside(cancel, func() { l.sampler.Run(ctx) })
	beside(cancel, func() { l.checks.Run(ctx) })
	follow(ctx, o, l.sampler, recorder, progress)
	state, err := recorder.Stop()
	if signals.Err() == nil {
		err = errors.Join(err, context.Cause(ctx)) // what ran beside has failed
	}
	if state.Samples > 0 {
		lost := ""
		if state.Lost > 0 {
			lost = fmt.Sprintf(", %d were lost: the disk was too slow", state.Lost)
		}
		fmt.Fprintf(out, "recorded %d readings of %s in %s%s: %sB in %s\n", state.Samples, opts.Host,
			figure.Span(state.To.Sub(state.From)), lost, figure.Count(uint64(state.Bytes)), o.file)
	}
	return err
}

// follow waits for the end, and says how it goes where somebody looks.
func follow(ctx context.Context, o recordOptions, sampler *ops.Sampler, recorder *record.Recorder, progress io.Writer) {
	var end <-chan time.Time
	if o.long > 0 {
		end = time.After(o.long)
	}
	file, ok := progress.(*os.File)
	seen := ok && term.IsTerminal(file.Fd())
	if seen {
		defer fmt.Fprint(progress, "\r\x1b[K")
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-end:
			return
		case <-sampler.Updated():
		}
		state := recorder.State()
		if !state.On {
			return
		}
		if err := sampler.Latest().Err; seen && err != nil {
			fmt.Fprintf(progress, "\r\x1b[Kno reading: %s", text.Clean(err.Error()))
		} else if seen {
			fmt.Fprintf(progress, "\r\x1b[Krecording: %d readings, %sB; ctrl-c ends it", state.Samples, figure.Count(uint64(state.Bytes)))
		}
	}
}

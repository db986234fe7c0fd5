package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"lvsdeck/ops"
	"lvsdeck/ops/alarm"
	"lvsdeck/ops/incident"
	"lvsdeck/persist"
	"lvsdeck/ui"
	"lvsdeck/ui/plain"
)

func newIncidents() *cobra.Command {
	var format string
	var since time.Duration
	cmd := &cobra.Command{
		Use:   "incidents",
		Short: "list the incident log: thresholds crossed, faults found, and notes",
		Long: "incidents lists what consoles on this director, and lvsdeck record, have written\n" +
			"down: thresholds that were crossed and ended, warnings and faults that checks found\n" +
			"and that went, and operators' notes. Thresholds are set, and notes written, in the\n" +
			"console (T).",
		Args: takes(),
		RunE: func(*cobra.Command, []string) error {
			if err := plain.CheckFormat(format, plain.CSV); err != nil {
				return err
			}
			if since < 0 {
				return fmt.Errorf("--since %s: must be a time back, like 2h", since)
			}
			store, err := openStore(persist.DefaultDir)
			if err != nil {
				return err
			}
			return writeIncidents(os.Stdout, os.Stderr, store, since, format)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table, json or csv")
	cmd.Flags().DurationVar(&since, "since", 0, "only of the last `time`, like 30m or 2h")
	return cmd
}

// writeIncidents lists the log. What a format has no place for goes to the second
// writer.
func writeIncidents(out, notes io.Writer, store *persist.Store, since time.Duration, format string) error {
	h, err := incident.OpenLog(store).Read()
	if err != nil {
		return err
	}
	all := h.Entries
	if since > 0 {
		now := time.Now()
		all = h.Between(now.Add(-since), now)
	}
	if format == plain.CSV && h.Broken > 0 {
		fmt.Fprintln(notes, "lvsdeck: "+plain.PassedOver(h.Broken))
	}
	return plain.Incidents(out, all, h.Broken, format)
}

// watchIncidents holds what is read to thresholds, and writes down what happens: in
// the incident log, on the axis of time, and in a recording. All of it is written when
// end returns.
func watchIncidents(ctx context.Context, cancel context.CancelCauseFunc, opts *ui.Options, sampler *ops.Sampler) (end func()) {
	o := incident.Options{Store: opts.Store, Silent: opts.Limits.ReadOnly, Also: sampler.Also}
	if opts.Checks != nil {
		o.Checks = opts.Checks.Latest
	}
	if seen, recorder := opts.History, opts.Recorder; opts.Store != nil { // else thresholds cannot be read
		o.Told = func(standing []alarm.Status, news []incident.Entry) {
			marks := plain.CrossingMarks(news)
			recorder.Thresholds(standing, marks...)
			if seen != nil {
				seen.Mark(marks...)
			}
		}
	}
	opts.Incidents = incident.New(o)
	sampler.Each(opts.Incidents.Seen)
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	beside(cancel, func() { defer close(ended); opts.Incidents.Run(ctx) })
	return func() { stop(); <-ended }
}

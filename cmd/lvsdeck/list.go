package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"lvsdeck/ops"
	"lvsdeck/persist"
	"lvsdeck/ui/plain"
	"lvsdeck/ui/text"
)

func newList() *cobra.Command {
	var format, made string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "print the table once, as text, JSON or CSV",
		Long: "list reads the table once and prints it. STATE is up, drained (weight 0) or full (at\n" +
			"its upper threshold), of services up, part or down. JSON and CSV have more: totals,\n" +
			"thresholds, names and notes, the weight from before a server was drained. On a\n" +
			"terminal columns that do not fit are left out; a pipe gets all of them.",
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := plain.CheckFormat(format, plain.CSV); err != nil {
				return err
			}
			read := readTable
			if made != "" {
				read = func(ctx context.Context) (plain.Listing, error) { return readDemo(ctx, made) }
			}
			l, err := read(cmd.Context())
			if err != nil {
				return err
			}
			l.Width = terminalWidth()
			return l.Write(os.Stdout, format)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table, json or csv")
	demoFlag(cmd.Flags(), &made)
	return cmd
}

// terminalWidth is that of the terminal that is written to, 0 where it is none.
func terminalWidth() int {
	width, _, err := term.GetSize(os.Stdout.Fd())
	if err != nil {
		return 0
	}
	return width
}

// readTable reads this host's table, and what the store knows of its rows. Who may
// not read the store does without, and a store in disorder is no reason to say
// nothing of the table.
func readTable(ctx context.Context) (l plain.Listing, err error) {
	reader, err := openTable(ctx, asItIs)
	if err != nil {
		return l, err
	}
	defer reader.Close()
	// The interval bounds the reading: a big table gets the time it needs.
	sampler := ops.NewSampler(reader, ops.Options{Interval: ops.MaxInterval})
	sampler.FocusAll()
	l.Sample = sampler.Observe(ctx, time.Now())
	if err := errors.Join(l.Err, l.Missed); err != nil {
		return l, err
	}
	if _, err := os.Stat(persist.DefaultDir); err != nil {
		return l, nil
	}
	if store, err := openStore(persist.DefaultDir); err == nil {
		if err := l.Recall(store); err != nil {
			fmt.Fprintln(os.Stderr, "lvsdeck: names, notes and weights before draining are left out: "+text.Clean(err.Error()))
		}
	}
	return l, nil
}

// readDemo reads a made-up table.
func readDemo(ctx context.Context, name string) (l plain.Listing, err error) {
	site, err := openDemo(name)
	if err != nil {
		return l, err
	}
	defer site.Close()
	sampler := ops.NewSampler(site.Table(), ops.Options{})
	sampler.FocusAll()
	site.Prime(ctx, sampler, time.Now())
	l.Sample = sampler.Latest()
	return l, nil
}

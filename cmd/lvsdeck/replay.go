package main

import (
	"context"
	"os"
	"time"

	"lvsdeck/ops/history"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/record"
	"lvsdeck/persist"
	"lvsdeck/ui"
)

// runReplay shows the console on a recording.
func runReplay(ctx context.Context, o consoleOptions) error {
	file, err := record.Open(o.replay)
	if err != nil {
		return err
	}
	defer file.Close()
	player, err := record.NewPlayer(file)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	opts := ui.Replaying(player)
	opts.ASCII = o.ascii || !unicodeTerminal(os.Getenv)
	beside(cancel, func() { player.Run(ctx) })
	return ui.Run(ctx, opts)
}

// newRecorder makes what records this host when it is asked to.
func newRecorder(head record.Head, checks ui.Checks, store *persist.Store, cancel context.CancelCauseFunc) *record.Recorder {
	head.Program = programVersion()
	o := record.Options{Head: head, Beside: func(f func()) { beside(cancel, f) }}
	if checks != nil {
		o.Reports = checks.Latest
	}
	if store != nil {
		o.Marks = journalMarks(store)
		o.Names = func() map[string]persist.Label {
			names, _ := store.Labels().Get() // who may not read them records none
			return names
		}
	}
	return record.NewRecorder(o)
}

// journalMarks reads marks from the journal whenever it has grown.
func journalMarks(store *persist.Store) func(time.Time) []history.Mark {
	var last persist.Stamp
	var journal plan.History
	return func(since time.Time) []history.Mark {
		if now := store.Stamp(); now != last {
			if h, err := plan.ReadHistory(store); err == nil { // else the next look may do
				last, journal = now, h
			}
		}
		return history.Plans(journal, since)
	}
}

package main

import (
	"context"
	"errors"
	"os"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops/check"
	"lvsdeck/ops/history"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/record"
	"lvsdeck/ops/task"
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
	head, seen := file.Head(), history.New()
	opts := ui.Options{
		Source: player, Replay: player, Host: head.Host, Interval: head.Interval, Limits: head.Limits,
		ASCII: o.ascii || !unicodeTerminal(os.Getenv), History: seen, Checks: recordedChecks{player},
		Tasks: task.NewKeeper(task.Options{Source: player}),
	}
	opts.Limits.ReadOnly, opts.Limits.Why = true, "a recording"
	player.Each(seen.Add)
	player.Anew(func() {
		seen.Reset()
		seen.Mark(player.Marks()...)
	})
	beside(cancel, func() { player.Run(ctx) })
	return ui.Run(ctx, opts)
}

// recordedChecks are what rounds of checks came to when they were made.
type recordedChecks struct{ *record.Player }

var errRecorded = errors.New("this is a recording: nothing can be looked at again, and nobody asked")

// Latest is what was found by then.
func (c recordedChecks) Latest() *check.Report { return c.Report() }

// LookNow is for a live host.
func (recordedChecks) LookNow(context.Context) (*check.Report, error) { return nil, errRecorded }

// Probe is, too.
func (recordedChecks) Probe(context.Context, func(ipvs.ServiceID) bool, func(asked, of int)) (check.Asked, error) {
	return check.Asked{}, errRecorded
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

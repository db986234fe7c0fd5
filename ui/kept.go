package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ops/keep"
)

// kept is what is known about the file in which the host keeps its rules.
type kept struct {
	seen *keep.Comparison // nil before the first
	err  error            // why the last one failed
	due  time.Time        // the next one

	comparing bool
	again     bool // something changed meanwhile
}

// Running and saved are compared a while after the start, at a calm pace that
// costs no more than a hundredth of the time, and after every plan.
const (
	firstCompare = 3 * time.Second
	calm         = 30 * time.Second
	compareShare = 100
)

// besideMsg is what work beside the loop leaves to be done in it.
type besideMsg func(*Model) tea.Cmd

func (m *Model) canCompare() bool { return m.hands.runner != nil && m.opts.RulesFile != "" }

// unsaved tells that the running rules would be lost with the host.
func (m *Model) unsaved() bool { return m.kept.seen != nil && m.kept.seen.Unsaved(m.owner != nil) }

// savedReading is what the line above every screen goes by, or one that is made anew
// while that one is.
func (m *Model) savedReading() func(context.Context) (*keep.Comparison, error) {
	if seen := m.kept.seen; seen != nil && !m.kept.comparing {
		return func(context.Context) (*keep.Comparison, error) { return seen, nil }
	}
	table, path := m.hands.runner.Target.Table, m.opts.RulesFile
	return func(ctx context.Context) (*keep.Comparison, error) { return keep.Compare(ctx, table, path) }
}

// compareDue compares when it is time to, by the clock of the readings.
func (m *Model) compareDue() tea.Cmd {
	k := &m.kept
	if m.live == nil || m.hands.busy != "" || k.comparing {
		return nil
	}
	if k.due.IsZero() {
		k.due = m.live.Time.Add(firstCompare)
	}
	if m.live.Time.Before(k.due) {
		return nil
	}
	return m.compare()
}

// compare looks, beside the loop, whether the running rules are those saved.
func (m *Model) compare() tea.Cmd {
	k := &m.kept
	if !m.canCompare() {
		return nil
	}
	if k.comparing {
		k.again = true
		return nil
	}
	k.comparing = true
	table, path := m.hands.runner.Target.Table, m.opts.RulesFile
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
		defer cancel()
		began := time.Now()
		seen, err := keep.Compare(ctx, table, path)
		took := time.Since(began)
		return besideMsg(func(m *Model) tea.Cmd { return m.compared(seen, err, took) })
	}
}

// compared keeps the last comparison when there is no newer one.
func (m *Model) compared(seen *keep.Comparison, err error, took time.Duration) tea.Cmd {
	k := &m.kept
	k.comparing, k.err = false, err
	if err == nil {
		k.seen = seen
	}
	if m.live != nil {
		k.due = m.live.Time.Add(max(calm, compareShare*took))
	}
	if k.again {
		k.again = false
		return m.compare()
	}
	return nil
}

package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops/keep"
	"lvsdeck/ops/plan"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// snapshots is the rules as they were before each plan, to go back to.
type snapshots struct {
	pick
	all []keep.Snapshot
}

func openSnapshots(m *Model) tea.Cmd {
	store := m.hands.runner.Store
	return readThen(nil, func(context.Context, ipvs.Table) ([]keep.Snapshot, error) {
		return keep.Snapshots(store)
	}, func(m *Model, all []keep.Snapshot) {
		if len(all) == 0 {
			m.message = "no snapshot yet: one is kept before every change"
			return
		}
		m.push(&snapshots{all: all})
	})
}

// Key implements layer.
func (s *snapshots) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch key := k.String(); {
	case key == "esc", key == "q":
		m.drop(s)
	case s.move(key):
	case key == "enter":
		m.drop(s)
		return m.goBack(s.all[s.at])
	}
	return nil
}

// goBack previews the way to the rules of a snapshot, and asks.
func (m *Model) goBack(to keep.Snapshot) tea.Cmd {
	return m.makePlan(func(ctx context.Context, t ipvs.Table) (plan.Plan, error) {
		saved, err := to.Open()
		if err != nil {
			return plan.Plan{}, err
		}
		return saved.Against(ctx, t, false)
	}, askFirst)
}

// Paste implements layer.
func (s *snapshots) Paste(*Model, string) {}

// Body implements layer.
func (s *snapshots) Body(m *Model, height int) []string {
	lines := []string{m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, "Snapshots: the rules before each change").String(), ""}
	from, to := s.window(len(s.all), height-len(lines))
	for i := from; i < to; i++ {
		base := paint.Ground
		if i == s.at {
			base = paint.Cursor
		}
		title := s.all[i].Title
		if title == "" {
			title = "a change that the journal no longer has"
		}
		line := m.theme.Line(base, m.width).Space(1)
		line.Left(paint.Rest, clockTime(m, s.all[i].Time), len(time.DateTime), "").Space(2).Put(paint.Rest, "before ")
		lines = append(lines, line.Put(paint.Plain, text.Cut(text.Clean(title), line.Room()-1, m.signs.Cut)).String())
	}
	return lines
}

// Footer implements layer.
func (s *snapshots) Footer(m *Model) string {
	return m.keysLine(m.signs.Enter, "what going back would do", "esc", "back")
}

// Cursor implements layer.
func (s *snapshots) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// entry is one plan of the journal, step by step.
type entry struct {
	scroll
	*persist.Entry
	plan    plan.Plan
	results []plan.StepResult
	stands  string
	drawn   stepLines
}

// openEntry reads a plan's steps beside the loop: there can be thousands.
func (j *journal) openEntry(e *persist.Entry) tea.Cmd {
	h := j.History
	return readThen(nil, func(context.Context, ipvs.Table) (*entry, error) {
		p, err := plan.Of(e)
		return &entry{Entry: e, plan: p, results: plan.Told(e, p), stands: standing(h, e)}, err
	}, func(m *Model, x *entry) {
		if m.top() == layer(j) {
			m.push(x)
		}
	})
}

// standing is what a plan stands at, in full.
func standing(h plan.History, e *persist.Entry) string {
	if by := h.UndoneBy(e); by != nil {
		return "undone " + when(by)
	}
	if e.Ended != nil && e.Ended.Outcome == string(plan.Left) {
		return "left as it was, unfinished; how far it got was not looked at"
	}
	return h.Standing(e)
}

// refresh says what the plan stands at now: how it went does not change.
func (x *entry) refresh(m *Model) tea.Cmd {
	return m.readHistory(func(_ *Model, h plan.History) {
		if e, err := h.Find(x.ID); err == nil {
			x.Entry, x.stands = e, standing(h, e)
		}
	})
}

// Key implements layer.
func (x *entry) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch key := k.String(); key {
	case "esc", "q", "left", "h", "enter":
		m.drop(x)
	case "u":
		return m.undoEntry(x.Entry)
	default:
		x.move(key)
	}
	return nil
}

// Paste implements layer.
func (x *entry) Paste(*Model, string) {}

// Body implements layer.
func (x *entry) Body(m *Model, height int) []string {
	lines := wrapped(m, paint.Strong, x.Title, 1)
	lines = append(lines, wrapped(m, paint.Rest, begun(x.Entry), 1)...)
	lines = append(lines, wrapped(m, paint.Plain, x.stands, 1)...)
	lines = append(lines, wrapped(m, paint.Rest, "plan "+x.ID, 1)...)
	lines = append(lines, "")
	return x.window(append(lines, x.drawn.of(m, x.plan.Items, x.results)...), height)
}

// begun is when a plan began, and who did it.
func begun(e *persist.Entry) string { return "begun " + when(e) }

func when(e *persist.Entry) string {
	return e.Time.Local().Format(time.DateTime) + " by " + text.Clean(e.By.String())
}

// Footer implements layer.
func (x *entry) Footer(m *Model) string {
	return m.keysLine("u", "undo it", "esc", "back"+x.hint(m))
}

// Cursor implements layer.
func (x *entry) Cursor(*Model) (x0, y int, shown bool) { return 0, 0, false }

package ui

import (
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// journalCommands are about what was changed.
func journalCommands() []command {
	const g = changeGroup
	return []command{
		{g, []string{"J"}, "the journal: every change, by whom, and undo", "journal", openJournal, noStore},
		{g, []string{"L"}, "show this session's changes as commands, or not", "", do(func(m *Model) { m.showLog = !m.showLog }), nil},
		{g, []string{"m", "f2"}, "give the row a name and a note", "", openLabel, cannotLabel},
	}
}

func noStore(m *Model) string {
	if m.opts.Store == nil {
		return m.notRecordedOr("journal; ( and ) go to what was changed", "no journal can be read here")
	}
	return ""
}

// journal lists every plan there was, the newest first.
type journal struct {
	pick
	plan.History
}

func openJournal(m *Model) tea.Cmd {
	from := m.top()
	return m.readHistory(func(m *Model, h plan.History) {
		if m.top() == from { // else the operator has gone on
			m.push(&journal{History: h})
		}
	})
}

func (m *Model) readHistory(show func(*Model, plan.History)) tea.Cmd {
	store := m.opts.Store
	return readThen(nil, func(context.Context, ipvs.Table) (plan.History, error) {
		return plan.ReadHistory(store)
	}, show)
}

// refresh reads the journal again; the cursor stays with its plan.
func (j *journal) refresh(m *Model) tea.Cmd {
	return m.readHistory(func(m *Model, h plan.History) {
		if e := j.current(); e != nil {
			j.at = max(0, slices.IndexFunc(h.Entries, func(o *persist.Entry) bool { return o.ID == e.ID }))
		}
		j.History = h
	})
}

func (j *journal) current() *persist.Entry {
	if j.at >= len(j.Entries) {
		return nil
	}
	return j.Entries[j.at]
}

// Key implements layer.
func (j *journal) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	e := j.current()
	switch key := k.String(); {
	case key == "esc", key == "q", key == "J":
		m.drop(j)
	case j.move(key), e == nil:
	case key == "enter" || key == "right" || key == "l":
		return j.open(m, e)
	case key == "u":
		return m.undoEntry(e)
	}
	return nil
}

// open shows one plan. One that never ended is shown with what can be done
// about it.
func (j *journal) open(m *Model, e *persist.Entry) tea.Cmd {
	switch {
	case e.ID == j.Running:
		m.message = "it is being done at this moment"
	case e.Ended == nil && m.hands.runner != nil:
		return m.readUnfinished(func(m *Model, all []plan.Unfinished) {
			if at := slices.IndexFunc(all, func(u plan.Unfinished) bool { return u.ID == e.ID }); at < 0 {
				m.message = "it has ended meanwhile"
			} else if m.top() == layer(j) {
				m.push(&unfinished{plans: all[at:]})
			}
		})
	default:
		return j.openEntry(e)
	}
	return nil
}

// undoEntry shows the reverse of a plan, and asks.
func (m *Model) undoEntry(e *persist.Entry) tea.Cmd {
	if why := cannotChange(m); why != "" {
		m.message = why
		return nil
	}
	store := m.hands.runner.Store
	return m.makePlan(func(context.Context, ipvs.Table) (plan.Plan, error) {
		now, err := store.Plan(e.ID)
		if err != nil {
			return plan.Plan{}, err
		}
		return plan.Undoing(now)
	}, askFirst)
}

// Paste implements layer.
func (j *journal) Paste(*Model, string) {}

// Widths of the journal's columns.
const (
	journalTime     = len(time.Stamp)
	journalStanding = 15
)

// journalWho is the cells for a person: with the source of the session where
// there is room.
func journalWho(width int) int {
	if width < 110 {
		return 9
	}
	return 28
}

// Body implements layer. Where there is room the log of this session stands
// below.
func (j *journal) Body(m *Model, height int) []string {
	var log []string
	if len(m.hands.log) > 0 && height > 2*logPaneMax {
		log = m.logPane(logPaneMax)
	}
	rows := height - 1 - len(log)
	head := m.theme.Line(paint.Ground, m.width).Space(1)
	head.Left(paint.Rest, "BEGUN", journalTime, "").Space(1).Left(paint.Rest, "STANDS AT", journalStanding, "").Space(1)
	lines := []string{head.Left(paint.Rest, "BY", journalWho(m.width), "").Space(1).Put(paint.Rest, "CHANGE").String()}
	if len(j.Entries) == 0 {
		lines = append(lines, wrapped(m, paint.Rest, "Nothing was changed yet, or the journal of it is gone.", 1)...)
	}
	from, to := j.window(len(j.Entries), rows)
	for i := from; i < to; i++ {
		lines = append(lines, j.line(m, j.Entries[i], i == j.at))
	}
	for len(log) > 0 && len(lines) < height-len(log) {
		lines = append(lines, "")
	}
	return append(lines, log...)
}

func (j *journal) line(m *Model, e *persist.Entry, current bool) string {
	base := paint.Ground
	if current {
		base = paint.Cursor
	}
	standing, style := j.Standing(e), paint.Rest
	switch {
	case e.ID == j.Running:
		style = paint.Accent
	case e.Ended == nil, standing == string(plan.WentHalfBack):
		style = paint.Warn
	case e.InForce:
		style = paint.Plain
	}
	line := m.theme.Line(base, m.width).Space(1)
	line.Put(paint.Rest, e.Time.Local().Format(time.Stamp)).Space(1)
	line.Left(style, text.Clean(standing), journalStanding, m.signs.Cut).Space(1)
	who := e.By
	if journalWho(m.width) < len("somebody from 1.1.1.1") {
		who.From = ""
	}
	line.Left(paint.Rest, text.Clean(who.String()), journalWho(m.width), m.signs.Cut).Space(1)
	return line.Put(paint.Plain, text.Cut(text.Clean(e.Title), line.Room()-1, m.signs.Cut)).String()
}

// Footer implements layer.
func (j *journal) Footer(m *Model) string {
	return m.keysLine(m.signs.Enter, "its steps", "u", "undo it", "esc", "back")
}

// Cursor implements layer.
func (j *journal) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

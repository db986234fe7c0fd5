package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ops/check"
	"lvsdeck/ops/why"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// Widths of the first columns, and how many lines the row under the cursor has at
// least.
const (
	whyMark  = len("  not known")
	whyTopic = len("handshakes")
	whyFull  = 6
)

// whyRow is a line of the screen, which stands in full below when the cursor is on
// it.
type whyRow struct {
	style             paint.Style
	mark, topic, says string
	full              func(*Model) []string
	does              string // what enter does, "" for nothing
	act               func(*Model) tea.Cmd
}

func (r whyRow) do(m *Model) tea.Cmd {
	if r.act == nil {
		m.message = "nothing is to be done on this line: tab shows it whole"
		return nil
	}
	return r.act(m)
}

// rows are the verdict, the answers, and what captures packets.
func (a *asking) rows() (rows []whyRow) {
	if v := a.verdict; v != nil {
		for _, f := range v.Findings {
			rows = append(rows, a.findingRow(f))
		}
		if v.Relief != nil {
			rows = append(rows, reliefRow(v))
		}
		for _, n := range v.Next {
			rows = append(rows, plainRow(paint.Accent, "next", "", n))
		}
	}
	for _, answer := range a.answers {
		rows = append(rows, answerRow(answer))
	}
	if v := a.verdict; v != nil {
		for _, c := range v.Captures {
			rows = append(rows, captureRow(c))
		}
	}
	return rows
}

func (a *asking) findingRow(f check.Finding) whyRow {
	row := whyRow{
		style: severityStyle(f.Severity), mark: f.Severity.String(), topic: f.Check, says: f.Short,
		full: func(m *Model) []string { return findingLines(m, f) },
		act:  func(m *Model) tea.Cmd { return openFix(m, f) },
	}
	if f.Server.IsValid() && f.Server != a.at.Server {
		row.says = f.Server.String() + ": " + f.Short
	}
	switch {
	case f.Fix != nil:
		row.does = "fix"
	case f.Severity == check.Fault && f.Server.IsValid() && a.verdict.Relief != nil:
		row.does = "drain"
	}
	return row
}

// reliefRow offers to take clients from what fails.
func reliefRow(v *why.Verdict) whyRow {
	return whyRow{
		style: paint.Accent, mark: "relief", topic: "drain", says: "until it is mended: " + v.Relief.Title,
		full: func(m *Model) []string { return drawSteps(m, v.Relief.Items, nil) },
		does: "drain",
		act: func(m *Model) tea.Cmd {
			return m.run(&command{run: func(m *Model) tea.Cmd { return proposeFix(m, *v.Relief) }, why: cannotChange})
		},
	}
}

func plainRow(style paint.Style, mark, topic, says string) whyRow {
	return whyRow{style: style, mark: mark, topic: topic, says: says, full: func(m *Model) []string { return wrapped(m, paint.Plain, says, 1) }}
}

// markStyles are how answers look. Their words tell without colour.
var markStyles = [...]paint.Style{why.Unknown: paint.Rest, why.NotHere: paint.Rest, why.Fine: paint.Good, why.Look: paint.Warn, why.Bad: paint.Bad}

func answerRow(answer why.Answer) whyRow {
	row := plainRow(markStyles[answer.Mark], answer.Mark.String(), answer.Topic, answer.Says)
	row.full = func(m *Model) []string {
		lines := append([]string{heading(m, answer.Question)}, wrapped(m, paint.Plain, answer.Says, 1)...)
		for _, e := range answer.Evidence {
			lines = append(lines, wrapped(m, paint.Rest, e, 3)...)
		}
		return lines
	}
	return row
}

func captureRow(c why.Capture) whyRow {
	row := plainRow(paint.Rest, "capture", strings.Fields(c.Where)[1], c.String())
	row.full = func(m *Model) []string {
		lines := append([]string{heading(m, "To see the packets, on "+c.Where+":")}, commandLines(m, c.String(), 1)...)
		return append(lines, wrapped(m, paint.Plain, c.Expect, 1)...)
	}
	return row
}

// sign is the mark, with a sign before what is bad.
func (r whyRow) sign(m *Model) string {
	if r.style == paint.Bad || r.style == paint.Warn {
		return m.signs.Problem + " " + r.mark
	}
	return "  " + r.mark
}

func (r whyRow) line(m *Model, current bool) string {
	base := paint.Ground
	if current {
		base = paint.Cursor
	}
	line := m.theme.Line(base, m.width).Space(1).Left(r.style, r.sign(m), whyMark, "").Space(1)
	topic := text.Clean(r.topic)
	line.Left(paint.Rest, text.CutMiddle(topic, whyTopic, m.signs.Cut), whyTopic, "").Space(1)
	return line.Put(paint.Plain, text.Cut(text.Clean(r.says), line.Room()-1, m.signs.Cut)).String()
}

// Body implements layer.
func (a *asking) Body(m *Model, height int) []string {
	title, state := a.head()
	lines := append([]string{heading(m, title)}, wrapped(m, paint.Accent, state, 1)...)
	rows := a.rows()
	if len(rows) == 0 {
		return lines
	}
	from, to := a.window(len(rows), min(len(rows), max(3, height-len(lines)-whyFull-1)))
	for i := from; i < to; i++ {
		lines = append(lines, rows[i].line(m, i == a.pick.at))
	}
	lines = append(lines, m.theme.Line(paint.Ground, m.width).Space(1).Fill(paint.Rest, m.signs.Rule, m.width-2).String())
	return append(lines, inPart(m, a.full(m, rows[a.pick.at]), height-len(lines))...)
}

// full is the row under the cursor, and below it what could not be looked at.
func (a *asking) full(m *Model, row whyRow) []string {
	lines := row.full(m)
	if a.verdict == nil || len(a.verdict.Unread) == 0 {
		return lines
	}
	lines = append(lines, "", heading(m, "Not looked at"))
	for _, u := range a.verdict.Unread {
		lines = append(lines, wrapped(m, paint.Plain, u, 3)...)
	}
	return lines
}

// whole is a row on all of the screen.
type whole struct {
	scroll
	row whyRow
	of  *asking
}

// Key implements layer.
func (v *whole) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch key := k.String(); key {
	case "esc", "q", "tab":
		m.drop(v)
	case "enter", "f":
		return v.row.do(m)
	default:
		v.move(key)
	}
	return nil
}

// Paste implements layer.
func (v *whole) Paste(*Model, string) {}

// Body implements layer.
func (v *whole) Body(m *Model, height int) []string {
	return v.window(v.of.full(m, v.row), height)
}

// Footer implements layer.
func (v *whole) Footer(m *Model) string {
	keys := []string{"esc", "back" + v.hint(m)}
	if v.row.does != "" {
		keys = append([]string{m.signs.Enter, v.row.does}, keys...)
	}
	return m.keysLine(keys...)
}

// Cursor implements layer.
func (v *whole) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

package ui

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops/alarm"
	"lvsdeck/ops/incident"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/plain"
	"lvsdeck/ui/text"
)

// incidents is the incident log, newest first, with the whole of the entry under the
// cursor below.
type incidents struct {
	pick
	incident.History
	of     []incident.Entry // those that the filter picks
	filter string
	row    *alarm.Row // of which the filter is the name, and then picks no other
	seen   int        // how often the log had grown when it was read
}

func openIncidents(m *Model) tea.Cmd {
	from := m.top()
	return m.readIncidents(func(m *Model, h incident.History, seen int) {
		if m.top() == from { // else the operator has gone on
			l := &incidents{}
			l.take(h, seen)
			m.push(l)
		}
	})
}

// readIncidents reads the log beside the loop.
func (m *Model) readIncidents(show func(m *Model, h incident.History, seen int)) tea.Cmd {
	watch := m.opts.Incidents
	return readThen(nil, func(context.Context, ipvs.Table) (func(*Model), error) {
		seen := watch.State().Written
		h, err := watch.Read()
		return func(m *Model) { show(m, h, seen) }, err
	}, func(m *Model, show func(*Model)) { show(m) })
}

func (l *incidents) take(h incident.History, seen int) {
	l.History, l.seen = h, seen
	l.pickOf()
}

// pickOf takes the entries that the filter picks.
func (l *incidents) pickOf() {
	l.of = nil
	wanted := strings.ToLower(l.filter)
	for _, e := range l.Entries {
		if l.row != nil {
			if e.Row == *l.row || !l.row.Server.IsValid() && e.Row.Service == l.row.Service {
				l.of = append(l.of, e)
			}
			continue
		}
		all := strings.ToLower(fmt.Sprintf("%s %s %s", e.Kind, e.Row, plain.EntryText(e)))
		if strings.Contains(all, wanted) {
			l.of = append(l.of, e)
		}
	}
	l.n = len(l.of)
	l.at = max(0, min(l.at, l.n-1))
}

// followIncidents reads the log again when it has grown while it is on screen.
func (m *Model) followIncidents() tea.Cmd {
	l, ok := m.top().(*incidents)
	if !ok || m.opts.Incidents.State().Written == l.seen {
		return nil
	}
	return l.reread(m)
}

// reread reads the log again. The cursor stays with its entry.
func (l *incidents) reread(m *Model) tea.Cmd {
	return m.readIncidents(func(m *Model, h incident.History, seen int) {
		grown := len(h.Entries) - len(l.Entries)
		if l.at > 0 && grown > 0 && l.filter == "" {
			l.at += grown
		}
		l.take(h, seen)
	})
}

// Key implements layer.
func (l *incidents) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch key := k.String(); {
	case key == "esc" && l.filter != "":
		l.filter, l.row = "", nil
		l.pickOf()
	case key == "esc", key == "q", key == "T":
		m.drop(l)
	case key == "tab":
		m.drop(l)
		openAlarms(m)
	case key == "n":
		return l.note(m, m.rowHere())
	case key == "N":
		return l.note(m, alarm.Row{})
	case key == "f":
		row := m.rowHere()
		l.filter, l.row = row.String(), &row
		l.pickOf()
	case key == "/":
		m.push(&linePrompt{prompt: newPrompt("filter", "part of a row or of the text", l.filter), done: func(_ *Model, typed string) (tea.Cmd, error) {
			l.filter, l.row = typed, nil
			l.pickOf()
			return nil, nil
		}})
	case key == "r":
		return l.reread(m)
	case key == "w":
		return m.run(&command{run: openReport, why: cannotReport})
	default:
		l.move(key)
	}
	return nil
}

// note asks for a line of the operator's own.
func (l *incidents) note(m *Model, row alarm.Row) tea.Cmd {
	watch := m.opts.Incidents
	if m.message = watch.Cannot(); m.message != "" {
		return nil
	}
	m.push(&linePrompt{prompt: newPrompt("note", "on "+row.String(), ""), done: func(m *Model, typed string) (tea.Cmd, error) {
		if typed == "" {
			return nil, fmt.Errorf("a note needs words")
		}
		return func() tea.Msg {
			err := watch.Note(row, text.Clean(typed))
			return besideMsg(func(m *Model) tea.Cmd {
				if err != nil {
					m.tell("The note was not kept", err)
				}
				return m.followIncidents()
			})
		}, nil
	}})
	return nil
}

// sheet is the entries on screen, as filtered.
func (l *incidents) sheet(*Model) sheet {
	all, broken := l.of, l.Broken
	s := sheet{
		of:    counted(len(all), "entry", "entries") + " of the incident log, as filtered",
		write: func(w io.Writer, format string) error { return plain.Incidents(w, all, broken, format) },
	}
	if l.at < len(all) {
		one := all[l.at]
		s.cell = plain.EntryText(one)
		s.row = func(w io.Writer) error { return plain.Incidents(w, []incident.Entry{one}, 0, "table") }
	}
	return s
}

// Paste implements layer.
func (l *incidents) Paste(*Model, string) {}

// Widths of the log's columns, and the lines about an entry.
const (
	incidentTime  = len(time.Stamp)
	incidentKind  = 7
	incidentAbout = 4
)

// incidentRow is the cells for a row: all of it where there is room.
func incidentRow(width int) int { return min(max(20, width/4), 46) }

// Body implements layer.
func (l *incidents) Body(m *Model, height int) []string {
	title := m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, "Incident log").Put(paint.Rest, "   "+counted(len(l.Entries), "entry", "entries"))
	if l.filter != "" {
		title.Put(paint.Rest, fmt.Sprintf(", %d of ", len(l.of))).Put(paint.Accent, text.Cut(text.Clean(l.filter), title.Room()-1, m.signs.Cut))
	}
	lines := []string{title.String()}
	lines = append(lines, m.incidentTrouble()...)
	if l.Broken > 0 {
		lines = append(lines, wrapped(m, paint.Warn, fmt.Sprintf("%s %s of the log could not be read and were passed over.", m.signs.Problem, counted(l.Broken, "line", "lines")), 1)...)
	}
	if len(l.of) == 0 {
		says := "Nothing is written here yet. Thresholds that are crossed, warnings and faults that checks find, and notes (n) stand here with their time, and when they ended."
		if l.filter != "" {
			says = "No entry has that. esc shows all."
		}
		return append(append(lines, ""), wrapped(m, paint.Rest, says, 1)...)
	}
	head := m.theme.Line(paint.Ground, m.width).Space(1).Left(paint.Rest, "TIME", incidentTime, "").Space(1).Left(paint.Rest, "WHAT", incidentKind, "").Space(1)
	lines = append(lines, head.Left(paint.Rest, "ROW", incidentRow(m.width), "").Space(1).Put(paint.Rest, "TEXT").String())
	from, to := l.window(len(l.of), height-len(lines)-incidentAbout)
	for i := from; i < to; i++ {
		lines = append(lines, l.line(m, l.of[i], i == l.at))
	}
	for len(lines) < height-incidentAbout {
		lines = append(lines, "")
	}
	about := append([]string{m.theme.Line(paint.Ground, m.width).Space(1).Fill(paint.Rest, m.signs.Rule, m.width-2).String()}, l.about(m, l.of[l.at])...)
	return append(lines, about[:min(len(about), incidentAbout)]...)
}

func incidentStyle(e incident.Entry) paint.Style {
	switch {
	case e.Kind == incident.Crossed, e.Kind == incident.Found && e.Severity == "fault":
		return paint.Bad
	case e.Kind == incident.Found:
		return paint.Warn
	case e.Kind == incident.Noted:
		return paint.Accent
	}
	return paint.Rest
}

func (l *incidents) line(m *Model, e incident.Entry, current bool) string {
	base := paint.Ground
	if current {
		base = paint.Cursor
	}
	row := incidentRow(m.width)
	line := m.theme.Line(base, m.width).Space(1).Put(paint.Rest, e.Time.Local().Format(time.Stamp)).Space(1)
	line.Left(incidentStyle(e), string(e.Kind), incidentKind, "").Space(1)
	line.Left(paint.Plain, plain.RowText(e.Row, row, m.signs.Cut), row, "").Space(1)
	return line.Put(paint.Plain, text.Cut(plain.EntryText(e), line.Room()-1, m.signs.Cut)).String()
}

// about is the whole of an entry.
func (l *incidents) about(m *Model, e incident.Entry) []string {
	who := e.Row.String() + ", seen by " + e.By.String()
	if e.Kind == incident.Noted {
		who = e.Row.String() + ", by " + e.By.String()
	}
	return append(wrapped(m, paint.Strong, text.Clean(who), 1), wrapped(m, paint.Plain, plain.EntryText(e), 1)...)
}

// Footer implements layer.
func (l *incidents) Footer(m *Model) string {
	return m.keysLine("n", "note", "N", "director", "f", "row", "/", "filter", "w", "report", "tab", "thresholds", "esc", "back")
}

// Cursor implements layer.
func (l *incidents) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

// counted is a number of things.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

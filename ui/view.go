package ui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"lvsdeck/ui/paint"
	"lvsdeck/ui/services"
	"lvsdeck/ui/text"
)

// headLines is what stands above the first row of the list.
const headLines = 4

// View implements tea.Model. The frame is drawn once per change, since Bubble
// Tea asks after every message.
func (m *Model) View() tea.View {
	if m.stale {
		m.frame, m.stale = m.draw(), false
	}
	v := tea.View{Content: m.frame, AltScreen: true, WindowTitle: "lvsdeck " + text.Clean(m.opts.Host)}
	if m.mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	if top := m.top(); top != nil && !m.tooSmall() {
		if x, y, shown := top.Cursor(m); shown {
			v.Cursor = tea.NewCursor(x, y)
		}
	}
	return v
}

func (m *Model) draw() string {
	if m.width == 0 || m.height == 0 {
		return ""
	}
	if m.tooSmall() {
		return m.drawTooSmall()
	}
	lines := make([]string, 0, m.height)
	body := m.height - frameLines
	over := m.layerBody(body)
	lines = append(lines, m.statusLine(), m.totalsLine(), m.upperRule(over == nil))
	if over != nil {
		lines = append(lines, over...)
	} else {
		lines = append(lines, m.screen(body)...)
	}
	for len(lines) < m.height-2 {
		lines = append(lines, "")
	}
	lines = append(lines[:m.height-2], m.lowerRule(), m.footer())
	return strings.Join(lines, "\n")
}

func (m *Model) drawTooSmall() string {
	line := func(format string, args ...any) string {
		return text.Cut(fmt.Sprintf(format, args...), m.width, "")
	}
	lines := []string{
		line("lvsdeck needs %d columns and %d lines.", minWidth, minHeight),
		line("This terminal has %d and %d.", m.width, m.height),
		line("Make it larger, or leave with ctrl-c."),
	}
	return strings.Join(lines[:min(len(lines), m.height)], "\n")
}

// screen is the header, the rows, the detail pane and the log.
func (m *Model) screen(height int) []string {
	v := m.services()
	lines := []string{v.Header(m.list, m.width)}
	if m.list.Len() == 0 {
		return append(lines, m.nothing(height-1)...)
	}
	lines = append(lines, v.Rows(m.list, m.width)...)
	log := m.logHeight()
	if d := m.detailHeight(); d > 0 {
		for len(lines) < height-log-d {
			lines = append(lines, "")
		}
		lines = append(lines, m.theme.Line(paint.Ground, m.width).Space(1).Fill(paint.Rest, m.signs.Rule, m.width-2).String())
		lines = append(lines, v.Detail(m.list, m.sample.Time, m.width, d-1)...)
	}
	if log > 0 {
		for len(lines) < height-log {
			lines = append(lines, "")
		}
		lines = append(lines, m.logPane(log)...)
	}
	return lines
}

// nothing explains an empty screen in its middle.
func (m *Model) nothing(height int) []string {
	says := m.list.Nothing()
	if m.sample == nil && m.live != nil && m.live.Err != nil {
		says = append([]string{"The table cannot be read:"}, strings.Split(ansi.Wordwrap(text.Clean(m.live.Err.Error()), m.width-8, ""), "\n")...)
	}
	widest := 0
	for i := range says {
		says[i] = text.Cut(text.Clean(says[i]), m.width-4, m.signs.Cut)
		widest = max(widest, text.Width(says[i]))
	}
	lines := make([]string, max(0, (height-len(says))/3))
	for _, s := range says {
		line := m.theme.Line(paint.Ground, m.width)
		lines = append(lines, line.Space((m.width-widest)/2).Put(paint.Plain, s).String())
	}
	return lines
}

// listMin is how many rows stay when panes are open, detailMin is the least that
// shows some detail, with its rule.
const (
	listMin   = 6
	detailMin = 4
)

// detailHeight is the lines of the detail pane with its rule, or 0.
func (m *Model) detailHeight() int {
	if !m.detail {
		return 0
	}
	room := m.height - frameLines - 1 - listMin - m.logHeight()
	if room < detailMin {
		return 0
	}
	return min(m.services().DetailHeight(m.list, m.width)+1, room)
}

func (m *Model) listHeight() int {
	return m.height - frameLines - 1 - m.detailHeight() - m.logHeight()
}

// upperRule carries the choice of columns where there are any.
func (m *Model) upperRule(columns bool) string {
	line := m.theme.Line(paint.Ground, m.width).Space(1).Fill(paint.Rest, m.signs.Rule, 1)
	if !columns {
		return line.Fill(paint.Rest, m.signs.Rule, line.Room()-1).String()
	}
	for i, set := range services.Sets {
		style := paint.Rest
		if i == m.set {
			style = paint.Accent
		}
		line.Space(1).Put(style, fmt.Sprintf("%d %s", i+1, set.Title)).Space(1)
	}
	return line.Fill(paint.Rest, m.signs.Rule, line.Room()-1).String()
}

// lowerRule carries what the operator must know all the time: warnings, the
// filter, and where the cursor is.
func (m *Model) lowerRule() string {
	style, notice := m.notice()
	where := ""
	if l, ok := m.top().(interface{ where() string }); ok {
		where = l.where()
	} else if n := m.list.Len(); n > 0 && !m.covered() {
		where = fmt.Sprintf(" %d of %d ", m.list.Position()+1, n)
		if m.searchText() != "" && notice != m.searchText() {
			where = " filtered" + where
		}
	}
	line := m.theme.Line(paint.Ground, m.width).Space(1).Fill(paint.Rest, m.signs.Rule, 1)
	if notice != "" {
		room := line.Room() - text.Width(where) - 6
		line.Space(1).Put(style, text.Cut(text.Clean(notice), room, m.signs.Cut)).Space(1)
	}
	line.Fill(paint.Rest, m.signs.Rule, line.Room()-text.Width(where)-2)
	return line.Put(paint.Rest, where).Fill(paint.Rest, m.signs.Rule, 1).String()
}

// pulseKey is the key of the pulse before what is unusual, where it opens it.
func (m *Model) pulseKey() string {
	switch m.top().(type) {
	case nil, *serviceScreen:
		return "P "
	}
	return ""
}

// covered tells that another screen stands where the list is.
func (m *Model) covered() bool {
	return slices.ContainsFunc(m.layers, func(l layer) bool {
		switch l.(type) {
		case *linePrompt, *filterPrompt:
			return false
		}
		return true
	})
}

// notice is the most pressing thing to know about the picture.
func (m *Model) notice() (paint.Style, string) {
	switch {
	case m.live != nil && m.live.Err != nil:
		return paint.Bad, m.signs.Problem + " " + m.live.Err.Error()
	case m.hands.busy != "":
		return paint.Accent, fmt.Sprintf("%s (%d of %d)", m.hands.busy, m.hands.at.Load(), m.hands.steps)
	case m.pending.Pending != nil:
		return paint.Bad, m.signs.Problem + " " + m.pendingText()
	case m.sample != nil && m.sample.EstimatorStopped != "":
		return paint.Warn, m.signs.Problem + " " + m.sample.EstimatorStopped
	case m.sample != nil && m.sample.Missed != nil:
		return paint.Warn, m.signs.Problem + " servers' own figures are missing: " + m.sample.Missed.Error()
	case m.searchText() != "" && !m.covered():
		return paint.Accent, m.searchText()
	case len(m.unusual) > 0 && !m.onPulse():
		figures := "1 figure"
		if n := len(m.unusual); n > 1 {
			figures = fmt.Sprintf("%d figures", n)
		}
		return paint.Warn, fmt.Sprintf("%s%s unusual: %s %s", m.pulseKey(), figures, pulsePlace(m.unusual[0], 0), m.unusual[0].What())
	case m.guarded() && !m.opts.Limits.ReadOnly:
		return paint.Warn, m.signs.Problem + " " + managed(m.owner)
	case m.tasksText() != "":
		return paint.Accent, m.tasksText()
	case m.replayNotice() != "":
		return paint.Warn, m.signs.Problem + " " + m.replayNotice()
	case len(m.opts.Limits.Missing) > 0:
		return paint.Rest, "run as root to see: " + strings.Join(m.opts.Limits.Missing, ", ")
	case m.sample != nil && m.list.Sort() != (services.Sort{}):
		return paint.Rest, "by " + m.list.Sort().Text()
	case m.owner != nil:
		return paint.Rest, managed(m.owner)
	}
	return paint.Rest, ""
}

func (m *Model) searchText() string {
	var parts []string
	if m.list.Problems() {
		parts = append(parts, "problems only")
	}
	if f := m.list.Filter(); !f.Empty() {
		parts = append(parts, "filter: "+f.Text)
	}
	if len(parts) == 0 || m.sample == nil {
		return ""
	}
	return fmt.Sprintf("%s  (%d of %d services)", strings.Join(parts, ", "), m.list.Services(), len(m.sample.Services))
}

func (m *Model) footer() string {
	if top := m.top(); top != nil {
		return top.Footer(m)
	}
	line := m.theme.Line(paint.Ground, m.width).Space(1)
	if m.message != "" {
		return line.Put(paint.Strong, text.Cut(text.Clean(m.message), line.Room()-1, m.signs.Cut)).String()
	}
	for _, c := range m.footerCommands() {
		line.Put(paint.Accent, keyName(c.keys[0], m.signs)).Space(1).Put(paint.Rest, c.short).Space(2)
	}
	return line.String()
}

// footerCommands is the commands with a short name that fit the line of keys.
// Help and quit always do: who sees them finds the rest.
func (m *Model) footerCommands() []*command {
	cost := func(c *command) int { return text.Width(keyName(c.keys[0], m.signs)) + len(c.short) + 3 }
	room := m.width + 1
	for i := range m.commands {
		if c := &m.commands[i]; c.short != "" && c.group == consoleGroup {
			room -= cost(c)
		}
	}
	var out []*command
	for i := range m.commands {
		c := &m.commands[i]
		switch {
		case c.short == "", c.group == changeGroup && m.hands.runner == nil, c.group == replayGroup && m.opts.Replay == nil:
		case c.group == consoleGroup:
			out = append(out, c)
		case cost(c) <= room:
			room -= cost(c)
			out = append(out, c)
		}
	}
	return out
}

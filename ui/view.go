package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"lvsdeck/ops"
	"lvsdeck/ui/figure"
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

// segment is a piece of the status line. When the line is too short, pieces with a
// low keep go first.
type segment struct {
	style paint.Style
	text  string
	keep  int
}

func (m *Model) statusLine() string {
	left := []segment{{paint.Accent, "lvsdeck", 3}}
	if m.opts.Demo != "" {
		left = append(left, segment{paint.Demo, " DEMO " + m.opts.Demo + " ", 8})
	}
	if m.opts.Replay != nil {
		left = append(left, segment{paint.Demo, " REPLAY ", 8})
	}
	left = append(left, segment{paint.Strong, text.Cut(text.Clean(m.opts.Host), 24, m.signs.Cut), 9})
	if m.sample != nil && m.sample.Info.Version != 0 {
		left = append(left, segment{paint.Rest, "IPVS " + m.sample.Info.Version.String(), 1})
	}
	left = append(left, m.modeSegment())
	if m.opts.Limits.ReadOnly && m.opts.Replay == nil {
		left = append(left, segment{paint.Plain, "read-only", 6})
		if m.opts.Limits.Why != "" {
			left = append(left, segment{paint.Rest, "(" + text.Clean(m.opts.Limits.Why) + ")", 3})
		}
	}
	if m.guarded() && !m.opts.Limits.ReadOnly {
		left = append(left, segment{paint.Plain, "guarded", 6})
	}
	right := slices.Concat(m.crossedSegments(), m.foundSegments(), m.troubleSegments())
	if waits, ok := m.pendingSegment(); ok {
		right = append(right, waits)
	}
	if m.unsaved() {
		right = append(right, segment{paint.Warn, "unsaved", 6})
	}
	if n := m.list.Marks(); n > 0 {
		right = append(right, segment{paint.Mark, fmt.Sprintf("%d marked", n), 4})
	}
	if recording, on := m.recordSegment(); on {
		right = append(right, recording)
	}
	if m.live != nil && !m.live.Time.IsZero() {
		right = append(right, m.clockSegment())
	}
	return m.segments(left, right)
}

// clockSegment is when the newest reading was made. In a recording that is its clock.
func (m *Model) clockSegment() segment {
	if m.opts.Replay != nil {
		return segment{paint.Strong, m.live.Time.Format(time.DateTime), 8}
	}
	return segment{paint.Plain, m.live.Time.Format(time.TimeOnly), 2}
}

// troubleSegments is what "problems only" would show, all the time.
func (m *Model) troubleSegments() (out []segment) {
	if n := m.trouble.none; n > 0 {
		out = append(out, segment{paint.Bad, fmt.Sprintf("%s %d down", m.signs.Problem, n), 6})
	}
	if n := m.trouble.part; n > 0 {
		out = append(out, segment{paint.Warn, fmt.Sprintf("%s %d in part", m.signs.Problem, n), 5})
	}
	return out
}

// modeSegment says how fresh the picture is.
func (m *Model) modeSegment() segment {
	switch {
	case m.opts.Replay != nil:
		return m.replaySegment()
	case m.sample == nil && (m.live == nil || m.live.Err == nil):
		return segment{paint.Rest, m.signs.Live + " starting", 7}
	case m.paused:
		return segment{paint.Warn, m.signs.Paused + " paused " + figure.Span(m.live.Time.Sub(m.sample.Time)), 7}
	case m.live.Err != nil:
		return segment{paint.Bad, m.signs.Paused + " no reading", 7}
	}
	return segment{paint.Plain, m.signs.Live + " live " + figure.Span(m.interval), 7}
}

// segments puts what has room on one line, what must stay first.
func (m *Model) segments(left, right []segment) string {
	var all []*segment
	for _, side := range [][]segment{left, right} {
		for i := range side {
			all = append(all, &side[i])
		}
	}
	slices.SortStableFunc(all, func(a, b *segment) int { return cmp.Compare(b.keep, a.keep) })
	room := m.width - 2
	for _, s := range all {
		if w := text.Width(s.text) + 2; w <= room {
			room -= w
		} else {
			s.keep = 0
		}
	}
	line := m.theme.Line(paint.Ground, m.width).Space(1)
	for _, s := range left {
		if s.keep > 0 {
			line.Put(s.style, s.text).Space(2)
		}
	}
	tail := 1
	for _, s := range right {
		if s.keep > 0 {
			tail += text.Width(s.text) + 2
		}
	}
	line.Space(line.Room() - tail)
	for _, s := range right {
		if s.keep > 0 {
			line.Space(2).Put(s.style, s.text)
		}
	}
	return line.String()
}

// totalsLine is the whole table in figures of fixed width, so that they do not
// push each other about.
func (m *Model) totalsLine() string {
	line := m.theme.Line(paint.Ground, m.width).Space(1)
	s := m.sample
	if s == nil {
		return line.String()
	}
	put := func(label, value, unit string) {
		if len(label)+6+len(unit) <= line.Room() {
			line.Put(paint.Rest, label).Right(paint.Strong, value, 6, "").Put(paint.Rest, unit).Space(2)
		}
	}
	rate := func(n uint64, known bool, format func(uint64) string) string {
		if !known {
			return m.signs.Unknown
		}
		return format(n)
	}
	put("active", figure.Count(s.Active), "")
	put("inactive", figure.Count(s.Inactive), "")
	put("", rate(s.Rate.Conns, s.Counted, figure.Count), " conn/s")
	put("in", rate(s.Rate.InBytes, s.Counted, figure.Bits), "bit/s")
	put("out", rate(s.Rate.OutBytes, s.Counted && m.replies, figure.Bits), "bit/s")
	if s.Trend != nil && line.Room() > 8 {
		line.Put(paint.Rest, m.signs.Spark(totalTrend(s), min(line.Room()-1, ops.TrendLen)))
	}
	return line.String()
}

func totalTrend(s *ops.Sample) []float32 {
	if s.Counted {
		return s.Trend.Conns
	}
	return s.Trend.Active
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

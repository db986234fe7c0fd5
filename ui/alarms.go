package ui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ops/alarm"
	"lvsdeck/ops/incident"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/plain"
	"lvsdeck/ui/services"
)

const alarmGroup = "Watch"

func alarmCommands() []command {
	return []command{
		{alarmGroup, []string{"T"}, "thresholds: what is crossed, and the incident log", "", do(openAlarms), noThresholds},
		{alarmGroup, nil, "write the report of an incident to a file", "", openReport, cannotReport},
		{alarmGroup, nil, "ring the terminal's bell when a threshold is crossed, or not", "", do((*Model).toggleBell), noIncidents},
	}
}

// noThresholds is why there are none to be looked at. A recording may have some, and
// the screen says when it has not.
func noThresholds(m *Model) string {
	if m.opts.Replay != nil {
		return ""
	}
	return noIncidents(m)
}

func noIncidents(m *Model) string {
	if m.opts.Incidents == nil {
		return m.notRecordedOr("thresholds", "no thresholds are watched here")
	}
	return ""
}

// rowHere is the row under the list's cursor, or the director's without any.
func (m *Model) rowHere() alarm.Row {
	row, ok := m.list.Current()
	if !ok {
		return alarm.Row{}
	}
	return alarm.Row(row.Key())
}

func (m *Model) toggleBell() { m.silent = !m.silent }

// bell is what a terminal rings at.
const bell = "\a"

// hearAlarms takes over how thresholds stand. One that is crossed since the last time
// is said, and rings once.
func (m *Model) hearAlarms() tea.Cmd {
	s := m.incidentState()
	news := s.Crossings > m.crossings
	m.alarms, m.crossings = s.Alarms, s.Crossings
	if !m.paused {
		crossed := services.Crossed{}
		for _, a := range s.Crossed() {
			if !a.Row.Director() {
				crossed.Add(services.Key(a.Row))
			}
		}
		m.list.SetCrossed(crossed)
	}
	if !news {
		return nil
	}
	m.message = fmt.Sprintf("%s %s: %s", services.CrossedSign, s.Last.Row, plain.CrossedText(s.Last.Threshold, s.Last.Value))
	if m.silent {
		return nil
	}
	return tea.Raw(bell)
}

// crossedSegments is how many thresholds are crossed.
func (m *Model) crossedSegments() (out []segment) {
	n := 0
	for _, a := range m.alarms {
		if a.Crossed {
			n++
		}
	}
	if n > 0 {
		out = append(out, segment{paint.Bad, fmt.Sprintf("%s %d crossed", services.CrossedSign, n), 6})
	}
	if s := m.incidentState(); s.Err != nil {
		out = append(out, segment{paint.Bad, services.CrossedSign + m.signs.Problem + " trouble", 6})
	} else if s.Lost > 0 {
		out = append(out, segment{paint.Bad, fmt.Sprintf("%s%s %d lost", services.CrossedSign, m.signs.Problem, s.Lost), 6})
	}
	return out
}

// incidentState is how thresholds and incident log stand; where there are none, well.
// In a recording thresholds stand as they did.
func (m *Model) incidentState() *incident.State {
	switch {
	case m.opts.Replay != nil:
		return &incident.State{Alarms: m.opts.Replay.Alarms()}
	case m.opts.Incidents == nil:
		return &incident.State{}
	}
	return m.opts.Incidents.State()
}

// sinceText is since when a threshold is crossed, by the clock in the status line.
func (m *Model) sinceText(a alarm.Status) string {
	return a.Since.In(m.clock().Location()).Format(time.TimeOnly)
}

// incidentTrouble is why not all is watched and written, in lines for the screens of
// both.
func (m *Model) incidentTrouble() (lines []string) {
	s := m.incidentState()
	if s.Err != nil {
		lines = wrapped(m, paint.Bad, m.signs.Problem+" "+s.Err.Error(), 1)
	}
	if s.Lost > 0 {
		lines = append(lines, wrapped(m, paint.Bad, fmt.Sprintf("%s %s of the incident log could not be written, and will be missing.", m.signs.Problem, counted(s.Lost, "entry", "entries")), 1)...)
	}
	return lines
}

// aboutCrossed is the thresholds that are crossed of the row under the cursor.
func (m *Model) aboutCrossed() (all []services.About) {
	for _, a := range m.alarms {
		if a.Crossed && a.Row == m.rowHere() {
			all = append(all, services.About{Label: "threshold", Parts: []services.Part{
				{Style: paint.Bad, Text: plain.ThresholdText(a.Threshold)}, {Style: paint.Plain, Text: "since " + m.sinceText(a)},
			}})
		}
	}
	return all
}

// thresholds lists what is watched, with all about the one under the cursor below.
type thresholds struct {
	pick
	key string // of the one under the cursor: others come and go
}

func openAlarms(m *Model) { m.push(&thresholds{}) }

// all is the thresholds as they stand, the crossed ones first, with the cursor on the
// one it was on.
func (l *thresholds) all(m *Model) []alarm.Status {
	s := m.incidentState()
	all := append(s.Crossed(), slices.DeleteFunc(slices.Clone(s.Alarms), func(a alarm.Status) bool { return a.Crossed })...)
	for i, a := range all {
		if a.Key() == l.key {
			l.at = i
		}
	}
	l.n = len(all)
	l.at = max(0, min(l.at, l.n-1))
	if l.n > 0 {
		l.key = all[l.at].Key()
	}
	return all
}

// Key implements layer.
func (l *thresholds) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	all := l.all(m)
	switch key := k.String(); {
	case key == "esc", key == "q", key == "T":
		m.drop(l)
	case slices.Contains(liveAlarmKeys, key) && m.opts.Replay != nil:
		m.message = "a recording has thresholds as they stood, to be looked at; ) goes to what was crossed"
	case key == "tab":
		m.drop(l)
		return openIncidents(m)
	case key == "b":
		m.toggleBell()
	case key == "a" || key == "A":
		return l.add(m, key == "A")
	case len(all) == 0:
	case l.move(key):
		l.key = all[l.at].Key()
	case key == "enter":
		return m.askThreshold(all[l.at].Row, &all[l.at].Threshold)
	case key == "x" || key == "delete":
		return l.remove(m, all[l.at].Threshold)
	}
	return nil
}

// liveAlarmKeys are for what a recording has not.
var liveAlarmKeys = []string{"tab", "b", "a", "A", "enter", "x", "delete"}

// add asks for a threshold of the row under the list's cursor, or of the director.
func (l *thresholds) add(m *Model, director bool) tea.Cmd {
	row := m.rowHere()
	if director {
		row = alarm.Row{}
	}
	return m.askThreshold(row, nil)
}

func (l *thresholds) remove(m *Model, t alarm.Threshold) tea.Cmd {
	watch := m.opts.Incidents
	return beside(func(context.Context) (string, error) { return "removed: " + t.Key(), watch.Remove(t.Key()) },
		func(m *Model, done string, err error) tea.Cmd {
			if err != nil {
				m.tell("The threshold stays", err)
				return nil
			}
			m.message = done
			return m.hearAlarms() // what was crossed just now goes before it
		})
}

// Paste implements layer.
func (l *thresholds) Paste(*Model, string) {}

// Widths of the columns of thresholds, and the lines about one.
const (
	alarmState  = 8
	alarmFigure = 15
	alarmLimit  = 8
	alarmNow    = 7
	alarmAbout  = 4
)

// Body implements layer.
func (l *thresholds) Body(m *Model, height int) []string {
	all := l.all(m)
	crossed := 0
	for _, a := range all {
		if a.Crossed {
			crossed++
		}
	}
	ring := "bell on"
	switch {
	case m.opts.Replay != nil:
		ring = "as recorded"
	case m.silent:
		ring = "bell off"
	}
	title := m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, "Thresholds").Put(paint.Rest, fmt.Sprintf("   %d watched, %d crossed", len(all), crossed))
	lines := []string{title.Space(title.Room()-len(ring)-1).Put(paint.Rest, ring).String()}
	lines = append(lines, m.incidentTrouble()...)
	if len(all) == 0 {
		return append(append(lines, ""), wrapped(m, paint.Rest, m.noneSet(), 1)...)
	}
	head := m.theme.Line(paint.Ground, m.width).Space(1).Left(paint.Rest, "STATE", alarmState, "").Space(1).Left(paint.Rest, "ROW", l.rowWidth(m), "").Space(1)
	head.Left(paint.Rest, "FIGURE", alarmFigure, "").Space(1).Right(paint.Rest, "LIMIT", alarmLimit, "").Space(1).Right(paint.Rest, "NOW", alarmNow, "")
	if m.width >= wideAlarms {
		head.Space(3).Put(paint.Rest, "SINCE")
	}
	lines = append(lines, head.String())
	from, to := l.window(len(all), height-len(lines)-alarmAbout)
	for i := from; i < to; i++ {
		lines = append(lines, l.line(m, all[i], i == l.at))
	}
	for len(lines) < height-alarmAbout {
		lines = append(lines, "")
	}
	about := append([]string{m.theme.Line(paint.Ground, m.width).Space(1).Fill(paint.Rest, m.signs.Rule, m.width-2).String()}, aboutThreshold(m, all[l.at])...)
	return append(lines, about[:min(len(about), alarmAbout)]...)
}

// noneSet says why there is no threshold to be seen.
func (m *Model) noneSet() string {
	switch {
	case m.opts.Replay == nil:
		return "None is set. a sets one for the row under the cursor of the list: when a rate, a count or a share of it goes above or below a limit and stays there for some readings, the row turns red and has a " + services.CrossedSign + ", the terminal rings once, and it is written to the incident log."
	case m.opts.Replay.Alarms() == nil:
		return "This recording has no thresholds: who made it could not read those of the director, or its lvsdeck did not record them yet."
	}
	return "None was set on the director at this time."
}

// wideAlarms is from which width on since when stands in the line.
const wideAlarms = 110

func (l *thresholds) rowWidth(m *Model) int {
	rest := 1 + alarmState + 1 + 1 + alarmFigure + 1 + alarmLimit + 1 + alarmNow + 1
	if m.width >= wideAlarms {
		rest += 3 + len("14:03:11  4m20s") + 1
	}
	return min(m.width-rest, 80)
}

// stateOfAlarm is a threshold's state in a word.
func stateOfAlarm(a alarm.Status) (paint.Style, string) {
	switch {
	case a.Crossed:
		return paint.Bad, "crossed"
	case !a.Listed:
		return paint.Rest, "no row"
	case !a.Known:
		return paint.Rest, "unknown"
	}
	return paint.Rest, "fine"
}

func (l *thresholds) line(m *Model, a alarm.Status, current bool) string {
	base := paint.Ground
	if current {
		base = paint.Cursor
	}
	style, state := stateOfAlarm(a)
	sign, now := ">", m.signs.Unknown
	if a.Below {
		sign = "<"
	}
	if a.Known {
		now = plain.FigureText(a.Figure, a.Value)
	}
	line := m.theme.Line(base, m.width).Space(1).Left(style, state, alarmState, "").Space(1)
	line.Left(paint.Plain, plain.RowText(a.Row, l.rowWidth(m), m.signs.Cut), l.rowWidth(m), "").Space(1)
	line.Left(paint.Plain, string(a.Figure), alarmFigure, "").Space(1).Right(paint.Plain, sign+" "+plain.FigureText(a.Figure, float64(a.Limit)), alarmLimit, "").Space(1)
	line.Right(style, now, alarmNow, "")
	if m.width >= wideAlarms && a.Crossed {
		line.Space(3).Put(style, m.sinceText(a)+"  "+figure.Span(m.clock().Sub(a.Since)))
	}
	return line.String()
}

// aboutThreshold is all there is to say of one.
func aboutThreshold(m *Model, a alarm.Status) []string {
	lines := wrapped(m, paint.Strong, a.Row.String(), 1)
	held := "in a reading"
	if a.Hold > 1 {
		held = fmt.Sprintf("for %d readings", a.Hold)
	}
	says := fmt.Sprintf("%s %s. ", plain.ThresholdText(a.Threshold), held)
	switch {
	case a.Crossed && a.Known:
		says += fmt.Sprintf("Crossed since %s; now %s.", m.sinceText(a), plain.FigureText(a.Figure, a.Value))
	case a.Crossed:
		says += fmt.Sprintf("Crossed since %s; now it is not known.", m.sinceText(a))
	case !a.Listed:
		says += "The table has no such row."
	case !a.Known && a.Figure.Share():
		says += "Not known: the service has too few connections for shares to say something, or its counters cannot be read."
	case !a.Known && strings.HasSuffix(string(a.Figure), "out"):
		says += "Not known: answers do not pass this director, or counters cannot be read."
	case !a.Known:
		says += "Not known: counters cannot be read here."
	default:
		says += "Now " + plain.FigureText(a.Figure, a.Value) + "."
	}
	return append(lines, wrapped(m, paint.Plain, says, 1)...)
}

// Footer implements layer.
func (l *thresholds) Footer(m *Model) string {
	if m.opts.Replay != nil {
		return m.keysLine(",", "step back", ".", "on", ")", "next mark", "(", "before", "esc", "back")
	}
	if l.n == 0 {
		return m.keysLine("a", "add for the row", "A", "for the director", "tab", "incident log", "esc", "back")
	}
	return m.keysLine(m.signs.Enter, "change", "a", "add", "A", "director", "x", "remove", "b", "bell", "tab", "log", "esc", "back")
}

// Cursor implements layer.
func (l *thresholds) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

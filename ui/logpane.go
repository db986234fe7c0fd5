package ui

import (
	"strings"

	"lvsdeck/ops/plan"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// logLine is one step that was done or refused, as its shell command.
type logLine struct {
	command string
	state   plan.State
	err     error
}

// logMax bounds the log of this session; the journal has everything.
const logMax = 500

// logPaneMax is the lines of the log pane with its rule, where there is room.
const logPaneMax = 6

// logState is the cells of a line's state.
const logState = 10

// keepLog adds to the log the steps that changed something or were refused.
func (h *hands) keepLog(items []plan.Item, touched map[int]plan.StepResult) {
	for i, item := range items {
		if s, ok := touched[i]; ok && s.State != plan.Already {
			h.log = append(h.log, logLine{item.Step.Command(), s.State, s.Err})
		}
	}
	h.log = h.log[max(0, len(h.log)-logMax):]
}

// logHeight is the lines of the log pane under the list, or 0.
func (m *Model) logHeight() int {
	if !m.showLog {
		return 0
	}
	return min(logPaneMax, m.height-frameLines-1-listMin)
}

// logPane is the newest lines of the log under a rule.
func (m *Model) logPane(height int) []string {
	const title = "changes of this session"
	rule := m.theme.Line(paint.Ground, m.width).Space(1).Fill(paint.Rest, m.signs.Rule, 1)
	rule.Space(1).Put(paint.Rest, title).Space(1).Fill(paint.Rest, m.signs.Rule, rule.Room()-1)
	if len(m.hands.log) == 0 {
		return []string{rule.String(), m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Rest, "none yet").String()}
	}
	var lines []string
	for i := len(m.hands.log) - 1; i >= 0 && len(lines) < height-1; i-- {
		lines = append(m.hands.log[i].lines(m), lines...)
	}
	return append([]string{rule.String()}, lines[max(0, len(lines)-height+1):]...)
}

// lines is the state and the commands, and why they were refused.
func (l logLine) lines(m *Model) (lines []string) {
	state := l.state.String()
	switch l.state {
	case plan.Failed:
		state = "refused"
	case plan.NotTakenBack:
		state = "stays"
	}
	put := func(style paint.Style, s string) {
		line := m.theme.Line(paint.Ground, m.width).Space(1).Left(stateStyle(l.state), state, logState, "").Space(1)
		lines = append(lines, line.Put(style, text.Cut(text.Clean(strings.TrimSpace(s)), line.Room()-1, m.signs.Cut)).String())
		state = ""
	}
	for command := range strings.Lines(l.command) {
		put(paint.Plain, command)
	}
	if l.err != nil {
		put(paint.Bad, m.signs.Problem+" "+l.err.Error())
	}
	return lines
}

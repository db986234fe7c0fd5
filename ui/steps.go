package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"lvsdeck/ops/plan"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// stepLines are the lines of a plan's steps, made once for a screen: there can
// be thousands.
type stepLines struct {
	lines []string
	width int
	theme *paint.Theme
}

// of draws steps with their reasons and commands, and, when results are given,
// with how they went.
func (s *stepLines) of(m *Model, items []plan.Item, results []plan.StepResult) []string {
	if s.width != m.width || s.theme != m.theme {
		*s = stepLines{drawSteps(m, items, results), m.width, m.theme}
	}
	return s.lines
}

// stateField is the cells of a step's state.
const stateField = 14

func drawSteps(m *Model, items []plan.Item, results []plan.StepResult) (lines []string) {
	indent := 1
	if results != nil {
		indent += stateField + 1
	}
	reason := ""
	for i, item := range items {
		if item.Reason != reason {
			reason = item.Reason
			lines = append(lines, wrapped(m, paint.Rest, reason, 1)...)
		}
		words := fmt.Sprintf("%d  %s", i+1, item.Step)
		if results == nil {
			lines = append(lines, wrapped(m, paint.Plain, words, indent)...)
		} else {
			lines = append(lines, stateLines(m, results[i].State, words)...)
		}
		for command := range strings.Lines(item.Step.Command()) {
			lines = append(lines, commandLines(m, command, indent+3)...)
		}
		if results != nil && results[i].Err != nil {
			lines = append(lines, wrapped(m, paint.Bad, m.signs.Problem+" "+results[i].Err.Error(), indent+3)...)
		}
	}
	return lines
}

// stateLines is a step with its state before it.
func stateLines(m *Model, state plan.State, words string) (lines []string) {
	word := state.String()
	for _, part := range wrap(words, m.width-stateField-3) {
		line := m.theme.Line(paint.Ground, m.width).Space(1).Left(stateStyle(state), word, stateField, "").Space(1)
		lines = append(lines, line.Put(paint.Plain, part).String())
		word = ""
	}
	return lines
}

func stateStyle(s plan.State) paint.Style {
	switch s {
	case plan.Failed, plan.NotTakenBack:
		return paint.Bad
	case plan.Shifted, plan.TakenBack:
		return paint.Warn
	case plan.Done:
		return paint.Strong
	}
	return paint.Rest
}

// wrapped is text over as many lines as it needs.
func wrapped(m *Model, s paint.Style, str string, indent int) []string {
	var out []string
	for _, part := range wrap(str, m.width-indent-1) {
		out = append(out, m.theme.Line(paint.Ground, m.width).Space(indent).Put(s, part).String())
	}
	return out
}

// commandLines is a command over as many lines as it needs, which a shell still
// takes for one.
func commandLines(m *Model, command string, indent int) (lines []string) {
	width, part := m.width-indent-3, ""
	put := func(end string) {
		lines = append(lines, m.theme.Line(paint.Ground, m.width).Space(indent).Put(paint.Rest, part+end).String())
	}
	for word := range strings.FieldsSeq(text.Clean(command)) {
		if part != "" && text.Width(part)+1+text.Width(word) > width {
			put(" \\")
			part = "  "
		} else if part != "" {
			part += " "
		}
		part += word
	}
	if part != "" {
		put("")
	}
	return lines
}

func wrap(str string, width int) []string {
	return strings.Split(ansi.Wrap(text.Clean(strings.TrimSpace(str)), width, ""), "\n")
}

package ui

import (
	"errors"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ops/plan"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// ask shows a plan, step by step, before anything happens, and does it when the
// operator says so: with enter, or by typing a word when much is at stake.
type ask struct {
	scroll
	plan  plan.Plan
	word  string
	typed prompt
	steps stepLines

	warning string
}

// tooSoon is within which time of the key before it no hand answers: such an enter
// is of a list that the terminal pastes as keys.
const tooSoon = 5 * time.Millisecond

// askFirst asks before a plan is run.
func askFirst(m *Model, p plan.Plan) tea.Cmd { return m.ask(p, m.atStake(p), "") }

// ask asks, unless the operator has gone on to something else while the plan was
// made: the enter that is meant for that must not be the answer.
func (m *Model) ask(p plan.Plan, word, warning string) tea.Cmd {
	if !m.wentOn(p) {
		m.push(&ask{plan: p, word: word, warning: warning})
	}
	return nil
}

// wentOn tells that a plan was made too late to be asked about.
func (m *Model) wentOn(p plan.Plan) bool {
	if m.hands.late {
		m.message = "nothing was changed, you went on: " + p.Title
	}
	return m.hands.late
}

// many is from how many rows on a plan that removes most of them wants a word.
const many = 10

// atStake is the word to type before most of a table is removed, or "".
func (m *Model) atStake(p plan.Plan) string {
	if m.live == nil {
		return ""
	}
	rows := len(m.live.Services) + m.live.Servers
	if n := p.Counts().Remove; n >= many && n > rows/2 {
		return "remove"
	}
	return ""
}

// Key implements layer.
func (a *ask) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch key := k.String(); {
	case key == "esc", a.word == "" && (key == "n" || key == "q"):
		m.pop()
		m.message = "nothing was changed"
	case key == "enter" && a.typed.input.Value() != a.word && a.word != "":
		m.message = ""
	case m.sinceKey < tooSoon:
	case key == "enter", a.word == "" && key == "y":
		// Another owner of the table may have come while this was read.
		if why := cannotChange(m); why != "" {
			m.tell("Nothing was changed", errors.New(why))
			return nil
		}
		m.pop()
		return m.runPlan(a.plan)
	case a.move(key):
	case a.word != "":
		a.begin()
		a.typed.key(k)
	}
	return nil
}

// begin makes the line to type the word in.
func (a *ask) begin() {
	if a.typed.label == "" {
		a.typed = newPrompt("type "+a.word, "", "")
	}
}

// Paste implements layer: a word that is there to make one think is typed.
func (a *ask) Paste(*Model, string) {}

// Body implements layer.
func (a *ask) Body(m *Model, height int) []string {
	c := a.plan.Counts()
	lines := []string{
		m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, text.Clean(a.plan.Title)).
			Put(paint.Rest, fmt.Sprintf("   +%d ~%d -%d", c.Add, c.Change, c.Remove)).String(), "",
	}
	if a.warning != "" {
		lines = append(append(lines, wrapped(m, paint.Warn, m.signs.Problem+" "+a.warning, 1)...), "")
	}
	lines = append(lines, a.steps.of(m, a.plan.Items, nil)...)
	if n := len(a.plan.Irreversible()); n > 0 {
		lines = append(lines, "", m.theme.Line(paint.Ground, m.width).Space(1).
			Put(paint.Warn, fmt.Sprintf("%s %d of these cannot be undone.", m.signs.Problem, n)).String())
	}
	if a.plan.Note != "" {
		lines = append(append(lines, ""), wrapped(m, paint.Rest, a.plan.Note, 1)...)
	}
	return a.window(lines, height)
}

// Footer implements layer.
func (a *ask) Footer(m *Model) string {
	if a.word != "" {
		a.begin()
		return a.typed.footer(m, m.signs.Enter+" do it  esc back")
	}
	return m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Accent, m.signs.Enter).Put(paint.Rest, " do it   ").
		Put(paint.Accent, "esc").Put(paint.Rest, " back, nothing has changed"+a.hint(m)).String()
}

// Cursor implements layer.
func (a *ask) Cursor(m *Model) (x, y int, shown bool) {
	if a.word == "" {
		return 0, 0, false
	}
	return a.typed.Cursor(m)
}

// note is something the operator must read.
type note struct {
	scroll
	title string
	text  string
}

// tell shows why something did not go as it should.
func (m *Model) tell(title string, err error) { m.push(&note{title: title, text: err.Error()}) }

// Key implements layer.
func (n *note) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	if !n.move(k.String()) || n.lines <= n.height {
		m.pop()
	}
	return nil
}

// Paste implements layer.
func (n *note) Paste(*Model, string) {}

// Body implements layer.
func (n *note) Body(m *Model, height int) []string {
	lines := []string{m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Bad, m.signs.Problem+" "+n.title).String(), ""}
	for line := range strings.Lines(n.text) {
		lines = append(lines, wrapped(m, paint.Plain, line, 1)...)
	}
	return n.window(lines, height)
}

// Footer implements layer.
func (n *note) Footer(m *Model) string {
	return m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Rest, "any key goes back"+n.hint(m)).String()
}

// Cursor implements layer.
func (n *note) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

// question is a note that asks for a yes.
type question struct {
	note
	yes, no string // what enter and esc do
	do      func(*Model) tea.Cmd
}

// Key implements layer.
func (q *question) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch key := k.String(); {
	case key == "enter" || key == "y":
		m.pop()
		return q.do(m)
	case q.move(key):
	case key == "esc" || key == "n" || key == "q":
		m.pop()
	}
	return nil
}

// Footer implements layer.
func (q *question) Footer(m *Model) string {
	return m.keysLine(m.signs.Enter, q.yes, "esc", q.no+q.hint(m))
}

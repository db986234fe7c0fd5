package ui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ui/paint"
)

// costAsk says what a reading of connections costs, and asks how much to read.
type costAsk struct {
	read func(within time.Duration) tea.Cmd
}

// askCost has connections read, all or for a while, after a question unless that
// costs next to nothing.
func (m *Model) askCost(read func(within time.Duration) tea.Cmd) tea.Cmd {
	if m.connsCost() <= connsFree {
		return read(0)
	}
	m.push(&costAsk{read})
	return nil
}

// Key implements layer.
func (a *costAsk) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "esc", "q":
		m.drop(a)
	case "enter":
		m.drop(a)
		return a.read(0)
	case "s":
		m.drop(a)
		return a.read(connsSample)
	}
	return nil
}

// Paste implements layer.
func (a *costAsk) Paste(*Model, string) {}

// Body implements layer.
func (a *costAsk) Body(m *Model, height int) []string {
	title := m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, "Read connections").String()
	return append([]string{title, ""}, m.connsQuestion()...)
}

// Footer implements layer.
func (a *costAsk) Footer(m *Model) string {
	return m.keysLine(m.signs.Enter, "read all", "s", "read a sample", "esc", "back")
}

// Cursor implements layer.
func (a *costAsk) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

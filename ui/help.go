package ui

import (
	tea "charm.land/bubbletea/v2"

	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// help lists every key, by group, made from the commands.
type help struct{ scroll }

func openHelp(m *Model) { m.push(&help{}) }

// Widths of the help's columns.
const (
	helpKeys   = 14
	helpColumn = 58
)

// Key implements layer.
func (h *help) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	if !h.move(k.String()) {
		m.pop()
	}
	return nil
}

// Paste implements layer.
func (h *help) Paste(*Model, string) {}

// Body implements layer.
func (h *help) Body(m *Model, height int) []string {
	return h.window(helpLines(m), height)
}

// Footer implements layer.
func (h *help) Footer(m *Model) string {
	return m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Rest, "any other key goes back"+h.hint(m)).String()
}

// Cursor implements layer.
func (h *help) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

// helpLines is the whole help in as many columns as the screen has room for;
// groups stay whole.
func helpLines(m *Model) []string {
	columns := max(1, min(3, m.width/helpColumn))
	width := m.width / columns
	var blocks [][]string
	for _, g := range groups(m.commands) {
		block := []string{m.theme.Line(paint.Ground, width).Space(1).Put(paint.Accent, g.name).String()}
		for _, c := range g.commands {
			line := m.theme.Line(paint.Ground, width).Space(1)
			line.Left(paint.Strong, c.keysOrName(m.signs), helpKeys, m.signs.Cut).Space(1)
			block = append(block, line.Put(paint.Plain, text.Cut(c.name, line.Room()-1, m.signs.Cut)).String())
		}
		blocks = append(blocks, append(block, m.theme.Line(paint.Ground, width).String()))
	}
	return sideBySide(blocks, columns, m.theme.Line(paint.Ground, width).String())
}

// sideBySide deals blocks into columns, each to the shortest, and joins the
// columns' lines.
func sideBySide(blocks [][]string, columns int, blank string) []string {
	cols := make([][]string, columns)
	for _, b := range blocks {
		short := 0
		for i := range cols {
			if len(cols[i]) < len(cols[short]) {
				short = i
			}
		}
		cols[short] = append(cols[short], b...)
	}
	var out []string
	for i := 0; ; i++ {
		line, more := "", false
		for _, c := range cols {
			if i < len(c) {
				line, more = line+c[i], true
			} else {
				line += blank
			}
		}
		if !more {
			return out
		}
		out = append(out, line)
	}
}

// group is the commands under one heading, those without a key, too.
type group struct {
	name     string
	commands []*command
}

func groups(commands []command) []group {
	var out []group
	for i := range commands {
		c := &commands[i]
		if len(out) == 0 || out[len(out)-1].name != c.group {
			out = append(out, group{name: c.group})
		}
		g := &out[len(out)-1]
		g.commands = append(g.commands, c)
	}
	return out
}

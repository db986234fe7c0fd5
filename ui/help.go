package ui

import (
	tea "charm.land/bubbletea/v2"

	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// help lists every key, by group, made from the commands. Above them stand those of
// the screen that it was opened from, made from that screen's own line of keys.
type help struct {
	scroll
	here []string // keys and what they do, in turn
}

// helpKeys open it from every screen on which nothing is typed.
var helpKeys = []string{"?", "f1"}

func openHelp(m *Model) {
	m.offered = nil
	if top := m.top(); top != nil {
		top.Footer(m)
	}
	m.push(&help{here: m.offered})
}

// helps tells that a key opens the help. Below help and notes any key goes back,
// and the screen of modes has a question mark of its own.
func (m *Model) helps(key string) bool {
	switch m.top().(type) {
	case *help, *note:
		return false
	case *modes:
		return key != "?"
	}
	return !m.typing()
}

// Widths of the help's columns.
const (
	helpKeysWide = 14
	helpColumn   = 58
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
	return h.window(h.all(m), height)
}

// Footer implements layer.
func (h *help) Footer(m *Model) string {
	return m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Rest, "any other key goes back"+h.hint(m)).String()
}

// Cursor implements layer.
func (h *help) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

// all is the whole help in as many columns as the screen has room for; groups stay
// whole.
func (h *help) all(m *Model) []string {
	columns := max(1, min(3, m.width/helpColumn))
	width := m.width / columns
	var blocks [][]string
	head := func(name string) []string {
		return []string{m.theme.Line(paint.Ground, width).Space(1).Put(paint.Accent, name).String()}
	}
	row := func(keys, does string) string {
		line := m.theme.Line(paint.Ground, width).Space(1).Left(paint.Strong, keys, helpKeysWide, m.signs.Cut).Space(1)
		return line.Put(paint.Plain, text.Cut(does, line.Room()-1, m.signs.Cut)).String()
	}
	blank := m.theme.Line(paint.Ground, width).String()
	if len(h.here) > 0 {
		block := head("On the screen below")
		for i := 0; i+1 < len(h.here); i += 2 {
			block = append(block, row(h.here[i], h.here[i+1]))
		}
		blocks = append(blocks, append(block, blank))
	}
	for _, g := range groups(m.commands) {
		block := head(g.name)
		for _, c := range g.commands {
			block = append(block, row(c.keysOrName(m.signs), c.name))
		}
		blocks = append(blocks, append(block, blank))
	}
	return sideBySide(blocks, columns, blank)
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

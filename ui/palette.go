package ui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// palette finds a command by words of its name and does it.
type palette struct {
	prompt
	found []*command
	at    int
}

func openPalette(m *Model) {
	p := &palette{prompt: newPrompt("command", "words of what you want to do", "")}
	p.search(m)
	m.push(p)
}

// search keeps the commands in whose group and name every typed word occurs. Those
// whose name begins with what was typed come first.
func (p *palette) search(m *Model) {
	p.found, p.at = nil, 0
	words := strings.Fields(strings.ToLower(p.value()))
	for i := range m.commands {
		c := &m.commands[i]
		in := strings.ToLower(c.group + " " + c.short + " " + c.name)
		all := true
		for _, w := range words {
			all = all && strings.Contains(in, w)
		}
		if all {
			p.found = append(p.found, c)
		}
	}
	typed := strings.ToLower(strings.TrimSpace(p.value()))
	if typed == "" {
		return
	}
	begins := func(c *command) bool { return strings.HasPrefix(strings.ToLower(c.name), typed) }
	slices.SortStableFunc(p.found, func(a, b *command) int {
		switch {
		case begins(a) == begins(b):
			return 0
		case begins(a):
			return -1
		}
		return 1
	})
}

// Key implements layer.
func (p *palette) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "esc":
		m.pop()
	case "enter":
		m.pop()
		if p.at < len(p.found) {
			return m.run(p.found[p.at])
		}
	case "up", "ctrl+p":
		p.at = max(0, p.at-1)
	case "down", "ctrl+n":
		p.at = max(0, min(len(p.found)-1, p.at+1))
	default:
		p.key(k)
		p.search(m)
	}
	return nil
}

// where is the place among the commands found, for the lower rule.
func (p *palette) where() string {
	if len(p.found) == 0 {
		return ""
	}
	return fmt.Sprintf(" %d of %d ", p.at+1, len(p.found))
}

// Paste implements layer.
func (p *palette) Paste(m *Model, s string) {
	p.paste(s)
	p.search(m)
}

// Body implements layer.
func (p *palette) Body(m *Model, height int) []string {
	lines := []string{m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, "Commands").String()}
	if len(p.found) == 0 {
		return append(lines, m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Rest, "no command has these words").String())
	}
	rows := height - 1
	top := max(0, min(p.at-rows/2, len(p.found)-rows))
	for i := top; i < min(len(p.found), top+rows); i++ {
		base := paint.Ground
		if i == p.at {
			base = paint.Cursor
		}
		c := p.found[i]
		line := m.theme.Line(base, m.width).Space(1)
		line.Left(paint.Plain, c.name, min(52, m.width-40), m.signs.Cut).Space(2)
		line.Left(paint.Strong, c.keyNames(m.signs), helpKeysWide, m.signs.Cut).Space(1)
		lines = append(lines, line.Put(paint.Rest, text.Cut(c.group, line.Room()-1, m.signs.Cut)).String())
	}
	return lines
}

// Footer implements layer.
func (p *palette) Footer(m *Model) string {
	return p.footer(m, m.signs.Enter+" do it  esc back")
}

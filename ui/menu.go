package ui

import (
	tea "charm.land/bubbletea/v2"

	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// menu offers a few things to do, each explained when the cursor is on it.
type menu struct {
	pick
	title, of string // "Ending connections", "client 198.51.100.7"
	says      string // a sentence above the offers, or ""
	yes       string // what enter does
	offers    func(*Model) []offer
}

// offer is one thing to do.
type offer struct {
	name, about string
	do          func(*Model) tea.Cmd
	why         func(*Model) string // why it cannot be done now, or "", as of a command
}

// Key implements layer.
func (c *menu) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	all := c.offers(m)
	c.n = len(all)
	switch key := k.String(); {
	case key == "esc" || key == "q":
		m.drop(c)
	case key == "enter":
		at := all[min(c.at, len(all)-1)]
		return m.run(&command{run: at.do, why: at.why})
	default:
		c.move(key)
	}
	return nil
}

// Paste implements layer.
func (c *menu) Paste(*Model, string) {}

// menuAbout is the lines that are left for what is said of an offer.
const menuAbout = 5

// Body implements layer.
func (c *menu) Body(m *Model, height int) []string {
	line := m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, c.title)
	if c.of != "" {
		line.Put(paint.Rest, "  of ").Put(paint.Accent, text.Cut(text.Clean(c.of), line.Room()-5, m.signs.Cut))
	}
	lines := []string{line.String(), ""}
	if c.says != "" {
		lines = append(append(lines, wrapped(m, paint.Plain, c.says, 1)...), "")
	}
	all := c.offers(m)
	from, to := c.window(len(all), max(1, height-len(lines)-menuAbout))
	for i := from; i < to; i++ {
		base, style := paint.Ground, paint.Plain
		if i == c.at {
			base = paint.Cursor
		}
		if all[i].why != nil && all[i].why(m) != "" {
			style = paint.Rest
		}
		row := m.theme.Line(base, m.width).Space(1)
		lines = append(lines, row.Put(style, text.Cut(text.Clean(all[i].name), row.Room()-1, m.signs.Cut)).String())
	}
	at := all[c.at]
	lines = append(append(lines, ""), wrapped(m, paint.Rest, at.about, 1)...)
	if at.why != nil && at.why(m) != "" {
		lines = append(lines, wrapped(m, paint.Warn, "Not now: "+at.why(m)+".", 1)...)
	}
	return lines
}

// Footer implements layer.
func (c *menu) Footer(m *Model) string {
	return m.keysLine(m.signs.Arrows, "choose", m.signs.Enter, c.yes, "esc", "back")
}

// Cursor implements layer.
func (c *menu) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

package ui

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"lvsdeck/ui/paint"
	"lvsdeck/ui/services"
	"lvsdeck/ui/text"
)

// prompt is one line of typing in the footer.
type prompt struct {
	label string
	hint  string // shown while nothing is typed
	input textinput.Model

	column  int    // of the cursor in the last line
	problem string // stands in place of the keys
}

// What can be typed or pasted into one line, and into one for a list.
const (
	promptMax = 200
	listMax   = 16 << 10
)

func newPrompt(label, hint, value string) prompt {
	in := textinput.New()
	in.CharLimit = promptMax
	in.KeyMap.Paste.SetEnabled(false) // it would run clipboard programs; the terminal pastes by itself
	in.SetValue(value)
	in.Focus()
	return prompt{label: label, hint: hint, input: in}
}

func (p *prompt) key(k tea.KeyPressMsg) { p.input, _ = p.input.Update(k) }

func (p *prompt) paste(s string) { p.problem = pasteInto(&p.input, s) }

// pasteInto pastes all of a text, or nothing: the half of a list would be
// another list. It says why not.
func pasteInto(in *textinput.Model, s string) (problem string) {
	s = text.Clean(s)
	if n := utf8.RuneCountInString(s) + utf8.RuneCountInString(in.Value()); n > in.CharLimit {
		return fmt.Sprintf("not pasted: it would be %d characters, %d fit", n, in.CharLimit)
	}
	*in, _ = in.Update(tea.PasteMsg{Content: s})
	return ""
}

func (p *prompt) value() string { return p.input.Value() }

// footer draws the label and the end of the text that fits.
func (p *prompt) footer(m *Model, keys string) string {
	line := m.theme.Line(paint.Ground, m.width).Space(1)
	style := paint.Rest
	if p.problem != "" {
		keys, style = text.Cut(text.Clean(p.problem), m.width*2/3, m.signs.Cut), paint.Bad
	}
	line.Put(paint.Accent, p.label).Space(1)
	if p.problem == "" && text.Width(p.value())+text.Width(keys)+3 >= line.Room() {
		keys = "" // what is typed is worth more
	}
	room := max(1, line.Room()-text.Width(keys)-3)
	p.column = m.width - line.Room()
	if p.value() == "" {
		line.Left(paint.Rest, p.hint, room, "")
	} else {
		typed, at := window(p.input, room, m.signs.Cut)
		line.Left(paint.Plain, typed, room, "")
		p.column += at
	}
	line.Space(line.Room()-text.Width(keys)-1).Put(style, keys)
	return line.String()
}

// Cursor implements layer for what is typed in the last line.
func (p *prompt) Cursor(m *Model) (x, y int, shown bool) { return p.column, m.height - 1, true }

// window is the part of a typed text around its cursor that fits a width, with
// the sign for left-out text where it is cut, and the cursor's place in it.
func window(in textinput.Model, width int, sign string) (string, int) {
	typed := []rune(in.Value())
	at := min(in.Position(), len(typed))
	last := width // the cursor stands before it
	if at+1 < len(typed) {
		last -= text.Width(sign)
	}
	start, before := 0, string(typed[:at])
	for start < at && text.Width(before) >= last {
		start++
		before = sign + string(typed[start:at])
	}
	return text.Cut(text.Clean(before+string(typed[at:])), width, sign), text.Width(before)
}

// linePrompt asks for one thing and hands it on; what is wrong with it is said
// and can be mended.
type linePrompt struct {
	prompt
	done func(m *Model, typed string) (tea.Cmd, error)
}

// Key implements layer.
func (p *linePrompt) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "esc":
		m.pop()
	case "enter":
		cmd, err := p.done(m, strings.TrimSpace(p.value()))
		if err != nil {
			p.problem = err.Error()
			return nil
		}
		m.drop(p) // what it led to may stand above it
		return cmd
	default:
		p.problem = ""
		p.key(k)
	}
	return nil
}

// Paste implements layer.
func (p *linePrompt) Paste(_ *Model, s string) { p.paste(s) }

// Body implements layer.
func (p *linePrompt) Body(*Model, int) []string { return nil }

// Footer implements layer.
func (p *linePrompt) Footer(m *Model) string { return p.footer(m, m.signs.Enter+" do it  esc back") }

// filterPrompt filters while the operator types.
type filterPrompt struct {
	prompt
	before services.Filter
}

func openFilter(m *Model) {
	f := m.list.Filter()
	m.push(&filterPrompt{newPrompt("filter", services.FilterHelp, f.Text), f})
}

// Key implements layer. Up and down move among what is found.
func (p *filterPrompt) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "enter":
		m.pop()
	case "esc":
		m.list.SetFilter(p.before)
		m.pop()
	case "up":
		m.list.Move(-1)
	case "down":
		m.list.Move(1)
	default:
		p.key(k)
		m.list.SetFilter(services.ParseFilter(p.value()))
	}
	return nil
}

// Paste implements layer.
func (p *filterPrompt) Paste(m *Model, s string) {
	p.paste(s)
	m.list.SetFilter(services.ParseFilter(p.value()))
}

// Body implements layer.
func (p *filterPrompt) Body(*Model, int) []string { return nil }

// Footer implements layer.
func (p *filterPrompt) Footer(m *Model) string {
	return p.footer(m, m.signs.Enter+" keep  esc back")
}

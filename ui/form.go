package ui

import (
	"slices"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// form asks for several things at once. What is wrong stands at its field; only
// a form without anything wrong is handed on.
type form struct {
	title  string
	fields []*field
	at     int
	top    int

	// finish takes the form. It may set problems of fields instead of going on.
	finish func(m *Model, f *form) tea.Cmd
}

// field is one question: typed, or chosen among options.
type field struct {
	id, label string
	hint      string // what to type, shown while nothing is wrong
	options   []option
	choice    int
	input     textinput.Model
	problem   string
	needed    func(f *form) bool // nil: always
}

// option is one answer to choose, with when to choose it.
type option struct{ value, hint string }

// typedField makes a field to be typed in.
func typedField(id, label, value, hint string) *field {
	in := newPrompt("", "", value).input
	return &field{id: id, label: label, hint: hint, input: in}
}

// listed makes a typed field take a long list.
func (f *field) listed() *field {
	f.input.CharLimit = listMax
	return f
}

// hinted says something whatever is chosen.
func (f *field) hinted(hint string) *field {
	f.hint = hint
	return f
}

// chosenField makes a field of options; an unknown value becomes one of them.
func chosenField(id, label, value string, options ...option) *field {
	f := &field{id: id, label: label, options: options}
	for i, o := range options {
		if o.value == value {
			f.choice = i
			return f
		}
	}
	f.options = append([]option{{value, "as it is"}}, options...)
	return f
}

// only makes a field be asked only under a condition.
func (f *field) only(when func(*form) bool) *field {
	f.needed = when
	return f
}

func (f *field) value() string {
	if len(f.options) > 0 {
		return f.options[f.choice].value
	}
	return strings.TrimSpace(f.input.Value())
}

// get is the answer to a question, "" if it is not asked.
func (f *form) get(id string) string {
	for _, x := range f.fields {
		if x.id == id {
			if x.needed != nil && !x.needed(f) {
				return ""
			}
			return x.value()
		}
	}
	return ""
}

// hint is what is said about the answer that a question has now.
func (f *form) hint(id string) string {
	for _, x := range f.fields {
		if x.id == id && len(x.options) > 0 {
			return x.options[x.choice].hint
		}
	}
	return ""
}

// blame writes what is wrong at a field and goes there. A field that is not
// known or not asked leaves it to the first.
func (f *form) blame(id, problem string) {
	shown := f.shown()
	for i, x := range shown {
		if x.id == id {
			x.problem, f.at = problem, i
			return
		}
	}
	shown[0].problem, f.at = problem, 0
}

// shown is the fields that are asked.
func (f *form) shown() []*field {
	var out []*field
	for _, x := range f.fields {
		if x.needed == nil || x.needed(f) {
			out = append(out, x)
		}
	}
	return out
}

// Key implements layer.
func (f *form) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	shown := f.shown()
	f.at = min(f.at, len(shown)-1)
	x := shown[f.at]
	switch key := k.String(); {
	case key == "esc":
		m.pop()
	case key == "enter":
		for _, x := range f.fields {
			x.problem = ""
		}
		return f.finish(m, f)
	case key == "down" || key == "tab":
		f.at = (f.at + 1) % len(shown)
	case key == "up" || key == "shift+tab":
		f.at = (f.at + len(shown) - 1) % len(shown)
	case len(x.options) == 0:
		x.input, _ = x.input.Update(k)
		x.problem = ""
	case key == "left":
		x.choose(x.choice - 1)
	case key == "right" || key == "space":
		x.choose(x.choice + 1)
	case k.Text != "":
		x.chooseBy(k.Text)
	default:
		return nil
	}
	if len(x.options) > 0 && x == shown[min(f.at, len(shown)-1)] {
		f.at = slices.Index(f.shown(), x) // a choice can bring fields and take them away
	}
	return nil
}

func (f *field) choose(n int) {
	f.choice = (n + len(f.options)) % len(f.options)
	f.problem = ""
}

// chooseBy goes to the next option that begins with a letter.
func (f *field) chooseBy(letter string) {
	for i := 1; i <= len(f.options); i++ {
		n := (f.choice + i) % len(f.options)
		if strings.HasPrefix(strings.ToLower(f.options[n].value), strings.ToLower(letter)) {
			f.choose(n)
			return
		}
	}
}

// Paste implements layer.
func (f *form) Paste(_ *Model, s string) {
	shown := f.shown()
	x := shown[min(f.at, len(shown)-1)]
	if len(x.options) == 0 {
		x.problem = pasteInto(&x.input, s)
	}
}

// Widths of a form's columns.
const (
	formLabel = 13
	formValue = 28
	formRoomy = 100 // from here on hints stand at their fields, too

	formHead = 2 // lines before the first field
)

// valueWidth is the room of a field's value: the line, unless something else
// stands at the field.
func (f *form) valueWidth(m *Model, x *field) int {
	whole := m.width - 1 - formLabel - 1 - 1
	switch {
	case x.problem != "" || whole < formValue:
		return formValue
	case m.width >= formRoomy && text.Width(x.value())+3 < formValue:
		return formValue
	}
	return whole
}

// Body implements layer. What the field is about, or what is wrong with it,
// stands whole below: at the field there may not be room.
func (f *form) Body(m *Model, height int) []string {
	shown := f.shown()
	f.at = min(f.at, len(shown)-1)
	lines := []string{m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, text.Clean(f.title)).String(), ""}
	about := wrapped(m, paint.Rest, shown[f.at].says(), 1)
	if p := shown[f.at].problem; p != "" {
		about = wrapped(m, paint.Bad, m.signs.Problem+" "+p, 1)
	}
	rows := height - formHead - 1 - len(about)
	f.top = min(f.top, max(0, len(shown)-rows))
	f.top = max(min(f.top, f.at), f.at-rows+1)
	for i := f.top; i < min(len(shown), f.top+rows); i++ {
		lines = append(lines, f.line(m, shown[i], i == f.at))
	}
	return append(append(lines, ""), about...)
}

func (f *form) line(m *Model, x *field, current bool) string {
	base := paint.Ground
	if current {
		base = paint.Cursor
	}
	line := m.theme.Line(base, m.width).Space(1)
	line.Left(paint.Rest, x.label, formLabel, m.signs.Cut).Space(1)
	width := f.valueWidth(m, x)
	switch {
	case len(x.options) > 0 && current:
		line.Left(paint.Strong, "< "+text.Clean(x.value())+" >", width, m.signs.Cut)
	case len(x.options) > 0:
		line.Left(paint.Plain, "  "+text.Clean(x.value()), width, m.signs.Cut)
	default:
		shown, _ := window(x.input, width-3, m.signs.Cut)
		line.Left(paint.Strong, "  "+shown, width, m.signs.Cut)
	}
	if width > formValue {
		return line.String()
	}
	line.Space(1)
	if x.problem != "" {
		return line.Put(paint.Bad, m.signs.Problem+" "+text.Cut(text.Clean(x.problem), line.Room()-3, m.signs.Cut)).String()
	}
	return line.Put(paint.Rest, text.Cut(x.says(), line.Room()-1, m.signs.Cut)).String()
}

func (f *field) says() string {
	if len(f.options) > 0 && f.options[f.choice].hint != "" {
		return f.options[f.choice].hint
	}
	return f.hint
}

// Footer implements layer.
func (f *form) Footer(m *Model) string {
	shown := f.shown()
	x := shown[min(f.at, len(shown)-1)]
	line := m.theme.Line(paint.Ground, m.width).Space(1)
	keys := m.signs.Arrows + " field   "
	if len(x.options) > 0 {
		keys += "left right choose   "
	}
	return line.Put(paint.Rest, keys+m.signs.Enter+" go on   esc back").String()
}

// Cursor implements layer.
func (f *form) Cursor(m *Model) (x, y int, shown bool) {
	fields := f.shown()
	current := fields[min(f.at, len(fields)-1)]
	if len(current.options) > 0 {
		return 0, 0, false
	}
	_, column := window(current.input, f.valueWidth(m, current)-3, m.signs.Cut)
	return 1 + formLabel + 1 + 2 + column, headLines - 1 + formHead + f.at - f.top, true
}

package ui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ui/paint"
	"lvsdeck/ui/services"
	"lvsdeck/ui/text"
)

// layer is something above the home screen: a line of typing, help, a form. The
// topmost takes the keys.
type layer interface {
	// Key handles a key press.
	Key(m *Model, k tea.KeyPressMsg) tea.Cmd
	// Paste handles pasted text.
	Paste(m *Model, text string)
	// Body is what stands in the place of the screen, or nil to leave what is
	// below.
	Body(m *Model, height int) []string
	// Footer is the last line.
	Footer(m *Model) string
	// Cursor is where the terminal's cursor stands, if it is shown.
	Cursor(m *Model) (x, y int, shown bool)
}

func (m *Model) push(l layer) { m.layers = append(m.layers, l) }

// pop ends the topmost layer.
func (m *Model) pop() { m.layers = m.layers[:len(m.layers)-1] }

// drop ends a layer, whatever stands above it by now.
func (m *Model) drop(l layer) {
	m.layers = slices.DeleteFunc(m.layers, func(o layer) bool { return o == l })
}

// aimer is a layer with a row of its own, on which commands act while it is open.
type aimer interface {
	aim(m *Model) services.Key
}

// takeAim has commands act on the row of the topmost layer that has one.
func (m *Model) takeAim() {
	m.list.Aim(nil)
	for _, l := range slices.Backward(m.layers) {
		if a, ok := l.(aimer); ok {
			k := a.aim(m)
			m.list.Aim(&k)
			return
		}
	}
}

// refresher is a layer that shows what a plan may have changed.
type refresher interface {
	refresh(m *Model) tea.Cmd
}

// refreshLayers is told them when a plan has ended.
func (m *Model) refreshLayers() tea.Cmd {
	var all []tea.Cmd
	for _, l := range slices.Clone(m.layers) {
		if r, ok := l.(refresher); ok {
			all = append(all, r.refresh(m))
		}
	}
	return tea.Batch(all...)
}

// keysLine is the last line of a layer: the answer to the last key, or keys and
// what they do, in turn. The first and the way out stay on a narrow screen, the
// others as far as they fit; help has them all.
func (m *Model) keysLine(keys ...string) string {
	m.offered = keys
	line := m.theme.Line(paint.Ground, m.width).Space(1)
	if m.message != "" {
		return line.Put(paint.Strong, text.Cut(text.Clean(m.message), line.Room()-1, m.signs.Cut)).String()
	}
	stays := func(i int) bool { return i == 0 || keys[i] == "esc" }
	short := func(i int) string { // without what scrolls
		does, _, _ := strings.Cut(keys[i+1], "   ")
		return does
	}
	cost := func(i int) int { return text.Width(keys[i]) + 1 + text.Width(short(i)) + 3 }
	room := line.Room() + 3
	for i := 0; i+1 < len(keys); i += 2 {
		if stays(i) {
			room -= cost(i)
		}
	}
	for i := 0; i+1 < len(keys); i += 2 {
		if !stays(i) {
			if cost(i) > room {
				continue
			}
			room -= cost(i)
		}
		does := keys[i+1]
		if line.Put(paint.Accent, keys[i]); text.Width(does) >= line.Room() {
			does = short(i)
		}
		line.Put(paint.Rest, " "+does).Space(3)
	}
	return line.String()
}

// top is the topmost layer, or nil on the home screen.
func (m *Model) top() layer {
	if len(m.layers) == 0 {
		return nil
	}
	return m.layers[len(m.layers)-1]
}

// layerBody is the body of the topmost layer that has one, or nil.
func (m *Model) layerBody(height int) []string {
	for i := len(m.layers) - 1; i >= 0; i-- {
		if body := m.layers[i].Body(m, height); body != nil {
			return body
		}
	}
	return nil
}

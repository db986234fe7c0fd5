package ui

import tea "charm.land/bubbletea/v2"

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

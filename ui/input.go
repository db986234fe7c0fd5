package ui

import (
	"slices"

	tea "charm.land/bubbletea/v2"
)

func (m *Model) key(k tea.KeyPressMsg) tea.Cmd {
	now := m.now()
	m.keyAt, m.sinceKey = now, now.Sub(m.keyAt)
	if k.String() == "ctrl+c" {
		return m.quit()
	}
	if m.tooSmall() {
		return nil
	}
	m.message = ""
	if top := m.top(); top != nil && !m.aboveAll(k.String()) {
		return top.Key(m, k)
	}
	return m.dispatch(m.commands, k)
}

// aboveAll tells the keys that work whatever is on screen, or wherever nothing is
// typed.
func (m *Model) aboveAll(key string) bool {
	switch {
	case key == unlockKey, key == keepKey, key == revertKey:
		return true
	case slices.Contains(helpKeys, key):
		return m.helps(key)
	case key == exportKey, m.opts.Replay != nil && slices.Contains(replayKeys, key):
		return m.exportable()
	}
	return false
}

// dispatch runs the command of a key.
func (m *Model) dispatch(commands []command, k tea.KeyPressMsg) tea.Cmd {
	for i := range commands {
		if c := &commands[i]; slices.Contains(c.keys, k.String()) {
			return m.run(c)
		}
	}
	return nil
}

// run does a command, or says why not.
func (m *Model) run(c *command) tea.Cmd {
	if c.why != nil {
		if why := c.why(m); why != "" {
			m.message = why
			return nil
		}
	}
	return c.run(m)
}

func (m *Model) wheel(msg tea.MouseWheelMsg) {
	if m.top() != nil || m.tooSmall() {
		return
	}
	switch msg.Button {
	case tea.MouseWheelUp:
		m.list.Move(-3)
	case tea.MouseWheelDown:
		m.list.Move(3)
	}
}

// click goes to the row; a click on the cursor's row opens or closes it.
func (m *Model) click(msg tea.MouseClickMsg) {
	row := msg.Y - headLines + m.list.Top()
	if m.top() != nil || m.tooSmall() || msg.Button != tea.MouseLeft ||
		msg.Y < headLines || row >= m.list.Len() || row >= m.list.Top()+m.listHeight() {
		return
	}
	if row == m.list.Position() {
		m.list.Toggle()
		return
	}
	m.list.Move(row - m.list.Position())
}

package ui

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ops/owner"
)

// unlockKey works above every layer: each of them may be what is locked.
const unlockKey = "ctrl+g"

// guarded tells that another program manages the table and nobody has unlocked
// it. Unlocking holds for the program, not the process: a restart of it locks
// nobody out in the middle of work.
func (m *Model) guarded() bool { return m.owner != nil && m.owner.Name != m.hands.unlocked }

func managed(o *owner.Owner) string {
	return fmt.Sprintf("%s (pid %d) manages this table", o.Name, o.PID)
}

// notGuarded is why there is nothing to unlock, or "".
func notGuarded(m *Model) string {
	_, asked := m.top().(*unlock)
	switch {
	case asked:
		return "enter unlocks"
	case m.opts.Limits.ReadOnly:
		return "read-only: " + m.opts.Limits.Why
	case m.owner == nil:
		return "no other program is known to manage this table: nothing is locked"
	case !m.guarded():
		return "changing is unlocked already"
	}
	return ""
}

// unlock tells what changing a table with an owner leads to, and asks.
type unlock struct{ question }

func openUnlock(m *Model) tea.Cmd {
	o := m.owner
	m.push(&unlock{question{
		note: note{title: managed(o), text: o.Will + "\n" +
			"What you change here can be gone again soon. To change it for good, change the configuration of " + o.Name + ".\n" +
			"Unlocking holds until this console ends."},
		yes: "unlock changing", no: "leave it locked",
		do: func(m *Model) tea.Cmd {
			m.hands.unlocked = o.Name
			m.message = "changing is unlocked; " + managed(o)
			return nil
		},
	}})
	return nil
}

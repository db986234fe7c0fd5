package ui

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ops/boot"
	"lvsdeck/ops/confirm"
	"lvsdeck/ops/plan"
	"lvsdeck/ui/paint"
)

// Pending is what takes a change back that nobody confirms, as confirm.Guard.
type Pending interface {
	// Run runs a plan that is taken back unless it is confirmed in time.
	Run(ctx context.Context, r plan.Runner, p plan.Plan, within time.Duration, on func(plan.Event)) (plan.Result, error)
	Look() (confirm.State, error)
	Confirm(context.Context) (confirm.Change, error)
	Revert(context.Context, plan.Runner, func(plan.Event)) (confirm.Change, plan.Result, error)
	Seen() error
}

// These keys work above every layer: time is short.
const (
	keepKey   = "ctrl+y"
	revertKey = "ctrl+r"
)

const defaultWindow = confirm.DefaultWindow

// secondMsg redraws the time that is left.
type secondMsg struct{}

// lookPending reads beside the loop whether a change waits.
func (m *Model) lookPending() tea.Cmd {
	guard := m.opts.Pending
	if guard == nil || m.lookingPending {
		return nil
	}
	m.lookingPending = true
	return func() tea.Msg {
		state, err := guard.Look()
		return besideMsg(func(m *Model) tea.Cmd { return m.sawPending(state, err) })
	}
}

// sawPending shows the state, and once what was taken back meanwhile.
func (m *Model) sawPending(s confirm.State, err error) tea.Cmd {
	m.lookingPending = false
	if err != nil {
		return nil // the next look may do
	}
	m.pending = s
	told := slices.ContainsFunc(m.layers, func(l layer) bool { _, is := l.(*takenBack); return is })
	if len(s.Past) == 0 || told {
		return m.tick()
	}
	var stories []string
	for _, c := range s.Past {
		stories = append(stories, c.Story())
	}
	m.push(&takenBack{note{title: "A change was taken back", text: strings.Join(stories, "\n")}})
	return m.tick()
}

// takenBack tells what was taken back while nobody looked. Only a key shows that
// somebody has read it: this console may be drawn on a line that was cut.
type takenBack struct{ note }

// Key implements layer.
func (b *takenBack) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	if b.move(k.String()) && b.lines > b.height {
		return nil
	}
	m.drop(b)
	guard := m.opts.Pending
	return func() tea.Msg {
		err := guard.Seen()
		return besideMsg(func(m *Model) tea.Cmd {
			if err != nil {
				m.message = err.Error()
			}
			return m.lookPending()
		})
	}
}

// tick counts the seconds while there are any to count.
func (m *Model) tick() tea.Cmd {
	if m.opts.Tick == nil || m.pending.Pending == nil || m.ticking {
		return nil
	}
	m.ticking = true
	return m.opts.Tick(time.Second)
}

func nothingPending(m *Model) string {
	if m.pending.Pending == nil {
		return "no change waits to be confirmed"
	}
	return ""
}

// keepPending confirms.
func keepPending(m *Model) tea.Cmd {
	guard := m.opts.Pending
	return beside(guard.Confirm, func(m *Model, c confirm.Change, err error) tea.Cmd {
		switch {
		case errors.As(err, new(*boot.Unsettled)):
			m.tell("Kept, but not over a restart", err)
		case err != nil:
			m.tell("Not confirmed", err)
		default:
			m.message = "kept: " + c.Title
		}
		return m.lookPending()
	})
}

// askRevert asks before it takes back what waits.
func askRevert(m *Model) tea.Cmd {
	if _, asked := m.top().(*question); asked {
		return nil
	}
	m.push(&question{
		note: note{title: "Take it back now?", text: m.pending.Pending.String() + " waits to be confirmed. All that it changed becomes as it was before."},
		yes:  "take it back", no: "leave it", do: revertPending,
	})
	return nil
}

func revertPending(m *Model) tea.Cmd {
	guard, runner, waits := m.opts.Pending, *m.hands.runner, m.pending.Pending
	return m.runThen(plan.Plan{Title: "take back " + waits.Title}, func(ctx context.Context, on func(plan.Event)) (plan.Result, error) {
		_, result, err := guard.Revert(ctx, runner, on)
		return result, err
	}, func(m *Model, _ error) tea.Cmd { return m.lookPending() })
}

// pendingText is what waits and how long, for the lower rule.
func (m *Model) pendingText() string {
	c := m.pending.Pending
	switch {
	case c == nil:
		return ""
	case m.pending.Lost:
		return fmt.Sprintf("%q is not confirmed and has lost its timer: %s keeps it, %s takes it back", c.Title, keyName(keepKey, m.signs), keyName(revertKey, m.signs))
	case m.pending.Left == 0:
		return fmt.Sprintf("%q is being taken back", c.Title)
	}
	return fmt.Sprintf("%s keeps, %s takes back: %s", keyName(keepKey, m.signs), keyName(revertKey, m.signs), c.Title)
}

// pendingSegment is the countdown in the status line.
func (m *Model) pendingSegment() (segment, bool) {
	if m.pending.Pending == nil {
		return segment{}, false
	}
	left := fmt.Sprintf("taken back in %d s", int(math.Ceil(m.pending.Left.Seconds())))
	if m.pending.Lost {
		left = "not confirmed: no timer"
	}
	return segment{paint.Bad, left, 10}, true
}

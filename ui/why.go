package ui

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops/check"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/why"
)

func whyCommands() []command {
	return []command{
		{"Services and servers", []string{"y"}, "why the service or server does not work: the questions to ask, answered", "", openWhyHere, noWhy},
	}
}

func noWhy(m *Model) string {
	if m.opts.Why.Scene == nil {
		return m.notRecordedOr("host to look around on", "nobody can look around here")
	}
	return noRows(m)
}

// asking walks an operator's questions about a service or server beside the loop,
// and shows the answers as they come.
type asking struct {
	pick
	at      check.Place
	walk    *why.Walk
	stop    context.CancelCauseFunc // while it goes on
	answers []why.Answer
	verdict *why.Verdict // nil: it goes on, or was stopped
	before  *why.Verdict // the last there was
	err     error        // why it did not come to its end
	moved   bool         // the operator has, so the cursor stays where it is
}

// openWhyHere asks about the row under the cursor.
func openWhyHere(m *Model) tea.Cmd {
	row, _ := m.list.Current()
	var server netip.AddrPort
	if row.Server != nil {
		server = row.Server.Addr
	}
	return openWhy(m, row.Service.ServiceID, server)
}

// openWhy asks why a service does not work, or (with one) a server of it.
func openWhy(m *Model, service ipvs.ServiceID, server netip.AddrPort) tea.Cmd {
	if m.opts.Why.Scene == nil {
		m.message = noWhy(m)
		return nil
	}
	a := &asking{at: check.Place{Service: service, Server: server}}
	m.push(a)
	return a.begin(m, false)
}

// begin walks from the first question on.
func (a *asking) begin(m *Model, probing bool) tea.Cmd {
	ctx, stop := context.WithCancelCause(context.Background())
	from := m.opts.Why
	if store := m.opts.Store; store != nil {
		from.History = func() (plan.History, error) { return plan.ReadHistory(store) }
	}
	if m.canCompare() {
		from.Saved = m.savedReading()
	}
	if a.verdict != nil {
		a.before = a.verdict
	}
	a.walk, a.stop = why.Begin(from, a.at, probing).After(a.before), stop
	a.answers, a.verdict, a.err, a.moved = nil, nil, nil, false
	a.pick.at = 0
	return a.next(ctx)
}

// next asks the next question beside the loop.
func (a *asking) next(ctx context.Context) tea.Cmd {
	walk := a.walk
	return func() tea.Msg {
		answer, err := walk.Next(ctx)
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return besideMsg(func(*Model) tea.Cmd {
			if a.walk != walk {
				return nil // it began anew meanwhile
			}
			if err != nil {
				a.stop(nil)
				a.stop, a.err = nil, err
				return nil
			}
			a.answers = append(a.answers, answer)
			if walk.Asking() != "" {
				return a.next(ctx)
			}
			a.stop(nil)
			a.stop = nil
			a.judged(walk.Verdict())
			return nil
		})
	}
}

// judged shows the verdict above the answers. A cursor that was moved stays with its
// answer.
func (a *asking) judged(v why.Verdict) {
	before := len(a.rows())
	a.verdict = &v
	if a.moved {
		a.pick.at += len(a.rows()) - before - len(v.Captures)
	}
}

// refresh asks again when a plan has ended: it may have changed the answers. Packets
// are sent only when somebody says so.
func (a *asking) refresh(m *Model) tea.Cmd {
	if a.stop != nil {
		return nil
	}
	return a.begin(m, false)
}

// Key implements layer.
func (a *asking) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	rows := a.rows()
	a.n = len(rows)
	switch key := k.String(); {
	case key == "esc" && a.stop != nil:
		a.stop(errStopped)
	case key == "esc", key == "q", key == "y":
		if a.stop != nil {
			a.stop(errStopped)
		}
		m.drop(a)
	case key == "r" && a.stop == nil:
		return a.begin(m, false)
	case key == "p":
		return a.probe(m)
	case key == "u":
		return m.run(&command{run: undo, why: cannotChange})
	case a.move(key):
		a.moved = true
	case a.pick.at >= len(rows):
	case key == "enter", key == "f":
		return rows[a.pick.at].do(m)
	case key == "tab":
		m.push(&whole{row: rows[a.pick.at], of: a})
	}
	return nil
}

// probe says what is sent, and walks again with it.
func (a *asking) probe(m *Model) tea.Cmd {
	switch {
	case m.opts.Demo != "":
		m.message = madeUp
	case m.opts.Why.Probe == nil:
		m.message = "nobody can be probed from here"
	case a.at.Service.IsMark():
		m.message = "a mark has no VIP and port to probe"
	case a.stop != nil:
		m.message = "wait until the questions are answered, or stop with esc"
	case m.live == nil:
		m.message = "nothing was read yet"
	default:
		n := asked(m.live, func(id ipvs.ServiceID) bool { return id == a.at.Service })
		m.push(probeQuestion(a.at.Service.String(), n, func(m *Model) tea.Cmd { return a.begin(m, true) }))
	}
	return nil
}

// Paste implements layer.
func (a *asking) Paste(*Model, string) {}

// Cursor implements layer.
func (a *asking) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

// Footer implements layer.
func (a *asking) Footer(m *Model) string {
	if a.stop != nil {
		return m.keysLine("esc", "stop")
	}
	keys := []string{"p", "probe, too", "r", "ask again", "tab", "whole", "esc", "back"}
	if rows := a.rows(); a.pick.at < len(rows) && rows[a.pick.at].does != "" {
		keys = append([]string{m.signs.Enter, rows[a.pick.at].does}, keys...)
	}
	return m.keysLine(keys...)
}

// head says what is asked, and how far that has come or what came of it.
func (a *asking) head() (title, state string) {
	title = "Why does " + a.at.Service.String() + " not work?"
	if a.at.Server.IsValid() {
		title = "Why does " + a.at.Server.String() + " of " + a.at.Service.String() + " not work?"
	}
	switch {
	case errors.Is(a.err, errStopped):
		return title, "stopped before the end"
	case a.err != nil:
		return title, a.err.Error()
	case a.verdict == nil:
		return title, "asking: " + a.walk.Asking()
	}
	state = a.verdict.Sum()
	switch n := len(a.verdict.Unread); {
	case n == 1:
		state += "  (1 thing could not be looked at)"
	case n > 1:
		state += fmt.Sprintf("  (%d things could not be looked at)", n)
	}
	return title, state
}

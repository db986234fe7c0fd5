package ui

import (
	"context"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ops/probe"
	"lvsdeck/ops/setup"
	"lvsdeck/ui/paint"
)

// proof asks each server whether it plays its part, and shows what it says.
type proof struct {
	scroll
	draft  setup.Draft
	found  *setup.Proof
	asking bool
	err    error
}

func (p *proof) ask(m *Model) tea.Cmd {
	desk := m.opts.SetUps
	p.asking = true
	return beside(func(ctx context.Context) (setup.Proof, error) { return desk.Prove(ctx, p.draft) },
		func(_ *Model, found setup.Proof, err error) tea.Cmd {
			p.asking, p.found, p.err = false, &found, err
			return nil
		})
}

// Key implements layer.
func (p *proof) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch key := k.String(); {
	case key == "esc" || key == "q":
		m.drop(p)
	case key == "r" && !p.asking:
		return p.ask(m)
	case key == "K":
		return openKits(m, p.draft, 0)
	default:
		p.move(key)
	}
	return nil
}

// Paste implements layer.
func (p *proof) Paste(*Model, string) {}

// Body implements layer.
func (p *proof) Body(m *Model, height int) []string {
	lines := []string{heading(m, "Does "+p.draft.Wish.Service.String()+" work? Each server is asked on its way"), ""}
	switch {
	case p.err != nil:
		lines = append(append(lines, p.next(m)...), wrapped(m, paint.Warn, m.signs.Problem+" "+p.err.Error(), 1)...)
	case p.asking:
		lines = append(lines, wrapped(m, paint.Rest, "asking the servers", 1)...)
	default:
		lines = append(append(lines, p.next(m)...), p.says(m)...)
	}
	return p.window(lines, height)
}

func (p *proof) says(m *Model) (lines []string) {
	lines = verdictLines(m, "the VIP "+p.draft.Wish.Service.Addr.String(), p.found.VIP)
	for _, r := range p.found.Servers {
		lines = append(lines, verdictLines(m, r.Server.Addr.String(), r.Finding)...)
	}
	return lines
}

func verdictLines(m *Model, about string, f probe.Finding) []string {
	line := m.theme.Line(paint.Ground, m.width).Space(1).Left(verdictStyle(f.Verdict), f.Verdict.String(), 8, "").Put(paint.Strong, about)
	lines := append([]string{line.String()}, wrapped(m, paint.Plain, f.Short, 9)...)
	for _, e := range f.Evidence {
		lines = append(lines, wrapped(m, paint.Rest, e, 9)...)
	}
	if len(f.Next) > 0 {
		lines = append(lines, wrapped(m, paint.Plain, "Look further:", 9)...)
	}
	for _, n := range f.Next {
		lines = append(lines, wrapped(m, paint.Plain, n, 11)...)
	}
	return lines
}

func verdictStyle(v probe.Verdict) paint.Style {
	switch v {
	case probe.Fine:
		return paint.Good
	case probe.Fault:
		return paint.Bad
	case probe.Warning:
		return paint.Warn
	}
	return paint.Rest
}

// next says what to do now.
func (p *proof) next(m *Model) []string {
	var advice []string
	if p.err == nil {
		bad := 0
		for _, r := range p.found.Servers {
			if r.Verdict != probe.Fine {
				bad++
			}
		}
		if bad > 0 {
			advice = append(advice, fmt.Sprintf("%d of %d servers are not proven. K shows what they need; r asks again.", bad, len(p.found.Servers)))
		} else {
			advice = append(advice, "All servers play their part.")
		}
	}
	if m.pending.Pending != nil {
		advice = append(advice, "Open a new connection to the service and a new login to this host. If both work, "+
			keyName(keepKey, m.signs)+" keeps the change; else all is taken back in time.")
	}
	var lines []string
	for _, a := range advice {
		lines = append(lines, wrapped(m, paint.Plain, a, 1)...)
	}
	return append(lines, "")
}

// Footer implements layer.
func (p *proof) Footer(m *Model) string {
	keys := []string{"r", "ask again", "K", "kit", "esc", "back" + p.hint(m)}
	if m.pending.Pending != nil {
		keys = append([]string{keyName(keepKey, m.signs), "keep", keyName(revertKey, m.signs), "take back"}, keys...)
	}
	return m.keysLine(keys...)
}

// Cursor implements layer.
func (p *proof) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

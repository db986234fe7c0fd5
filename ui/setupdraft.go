package ui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ops/plan"
	"lvsdeck/ops/setup"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// draft shows a set-up before anything is changed, and does it.
type draft struct {
	scroll
	setup.Draft
	states []plan.State
	within time.Duration

	drawn []string
	width int
	theme *paint.Theme
}

// openDraft looks which steps are so already, and shows them all.
func openDraft(m *Model, d setup.Draft, within time.Duration) tea.Cmd {
	target := m.hands.runner.Target
	return beside(func(ctx context.Context) (plan.Preview, error) { return d.Plan.Preview(ctx, target) },
		func(m *Model, p plan.Preview, err error) tea.Cmd {
			if err != nil {
				m.tell("Nothing was changed", err)
				return nil
			}
			m.message = ""
			m.push(&draft{Draft: d, states: p.States, within: within})
			return nil
		})
}

func (d *draft) todo() (n int) {
	for _, s := range d.states {
		if s != plan.Already {
			n++
		}
	}
	return n
}

// Key implements layer.
func (d *draft) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch key := k.String(); {
	case key == "esc" || key == "q":
		m.drop(d)
		m.message = "nothing was changed"
	case key == "K":
		return openKits(m, d.Draft, 0)
	case key == "p" && d.todo() == 0:
		return d.prove(m)
	case key == "enter" && d.todo() == 0:
		return d.prove(m)
	case key == "enter":
		return d.apply(m)
	default:
		d.move(key)
	}
	return nil
}

// apply does it under the timer, and then proves it.
func (d *draft) apply(m *Model) tea.Cmd {
	if why := cannotChange(m); why != "" {
		m.tell("Nothing was changed", errors.New(why))
		return nil
	}
	desk := m.opts.SetUps
	return m.runThen(d.Plan, func(ctx context.Context, on func(plan.Event)) (plan.Result, error) {
		return desk.Apply(ctx, d.Draft, d.within, on)
	}, func(m *Model, err error) tea.Cmd {
		if err != nil {
			return m.lookPending()
		}
		return tea.Batch(m.lookPending(), d.prove(m))
	})
}

// prove shows the proof in place of the draft and of what was asked for it.
func (d *draft) prove(m *Model) tea.Cmd {
	m.layers = slices.DeleteFunc(m.layers, func(l layer) bool {
		switch l.(type) {
		case *modes, *form, *draft:
			return true
		}
		return false
	})
	p := &proof{draft: d.Draft}
	m.message = ""
	m.push(p)
	return p.ask(m)
}

// Paste implements layer.
func (d *draft) Paste(*Model, string) {}

// Body implements layer.
func (d *draft) Body(m *Model, height int) []string {
	if d.width != m.width || d.theme != m.theme {
		d.drawn, d.width, d.theme = d.draw(m), m.width, m.theme
	}
	return d.window(d.drawn, height)
}

func (d *draft) draw(m *Model) []string {
	lines := []string{m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, text.Clean(d.Plan.Title)).
		Put(paint.Rest, "   nothing has changed so far").String(), ""}
	for _, w := range d.Warnings {
		lines = append(lines, wrapped(m, paint.Warn, m.signs.Problem+" "+w, 1)...)
	}
	if len(d.Warnings) > 0 {
		lines = append(lines, "")
	}
	lines = append(lines, d.found(m)...)
	head := fmt.Sprintf("This director: %d to do", d.todo())
	if n := len(d.states) - d.todo(); n > 0 {
		head += fmt.Sprintf(", %d so already", n)
	}
	lines = append(lines, "", heading(m, head))
	results := make([]plan.StepResult, len(d.states))
	for i, s := range d.states {
		results[i].State = s
	}
	lines = append(lines, drawSteps(m, d.Plan.Items, results)...)
	return append(lines, kitLines(m, d.Draft)...)
}

func heading(m *Model, s string) string {
	return m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, text.Clean(s)).String()
}

// found is what was found out, and can be corrected by going back.
func (d *draft) found(m *Model) (lines []string) {
	fact := func(label, value string) {
		for _, part := range wrap(value, m.width-18) {
			lines = append(lines, m.theme.Line(paint.Ground, m.width).Space(1).Left(paint.Rest, label, 14, "").Space(1).Put(paint.Plain, part).String())
			label = ""
		}
	}
	f := d.Found
	fact("VIP goes on", f.Link+": "+f.LinkWhy)
	if f.Free.Short != "" {
		fact("is it free?", f.Free.Short)
	}
	for _, s := range f.Servers {
		way := "by " + s.Path.Link + ", on its segment"
		if s.Path.Via.IsValid() {
			way = fmt.Sprintf("by %s over the router %s", s.Path.Link, s.Path.Via)
		}
		fact("server", fmt.Sprintf("%s  %s, from %s", s.Addr, way, s.Path.Source))
	}
	if f.Session != nil {
		fact("you come from", fmt.Sprintf("%s by %s", f.Session.Client, f.Session.Link))
	}
	return lines
}

// Footer implements layer.
func (d *draft) Footer(m *Model) string {
	if d.todo() == 0 {
		return m.keysLine(m.signs.Enter, "all is so already: prove it", "K", "kit", "esc", "back"+d.hint(m))
	}
	return m.keysLine(m.signs.Enter, fmt.Sprintf("do it, to be confirmed in %s", windowText(d.within)), "K", "kit", "esc", "back"+d.hint(m))
}

// windowText is "2m" or "90s".
func windowText(d time.Duration) string {
	if d%time.Minute == 0 {
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

// Cursor implements layer.
func (d *draft) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

// proposal shows a plan that is run in a way of its own.
type proposal struct {
	scroll
	plan  plan.Plan
	notes []string
	yes   string // what enter does
	run   func(context.Context, func(plan.Event)) (plan.Result, error)
	steps stepLines
}

// Key implements layer.
func (p *proposal) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	switch key := k.String(); {
	case key == "esc" || key == "q":
		m.drop(p)
		m.message = "nothing was changed"
	case key == "enter":
		if why := cannotChange(m); why != "" {
			m.tell("Nothing was changed", errors.New(why))
			return nil
		}
		m.drop(p)
		return m.runThen(p.plan, p.run, func(m *Model, _ error) tea.Cmd { return m.lookPending() })
	default:
		p.move(key)
	}
	return nil
}

// Paste implements layer.
func (p *proposal) Paste(*Model, string) {}

// Body implements layer.
func (p *proposal) Body(m *Model, height int) []string {
	lines := []string{heading(m, p.plan.Title), ""}
	for _, n := range p.notes {
		lines = append(lines, wrapped(m, paint.Warn, m.signs.Problem+" "+n, 1)...)
	}
	if len(p.notes) > 0 {
		lines = append(lines, "")
	}
	return p.window(append(lines, p.steps.of(m, p.plan.Items, nil)...), height)
}

// Footer implements layer.
func (p *proposal) Footer(m *Model) string {
	return m.keysLine(m.signs.Enter, p.yes, "esc", "back, nothing has changed"+p.hint(m))
}

// Cursor implements layer.
func (p *proposal) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

package ui

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/services"
	"lvsdeck/ui/text"
)

// unfinished shows plans that were begun and never ended, one after the other,
// and offers what can be done about them. The choice that does nothing comes
// first: the operator may be typing when this appears.
type unfinished struct {
	scroll
	plans []plan.Unfinished
	at    int // the choice
	drawn stepLines
}

// choice is something to do about an unfinished plan.
type choice struct {
	name, hint string
	run        func(*unfinished, *Model) tea.Cmd
}

// lookBack reads beside the loop what earlier sessions have left: names, and
// plans that never ended.
func (m *Model) lookBack() tea.Cmd {
	store, runner := m.opts.Store, m.hands.runner
	if store == nil {
		return nil
	}
	type left struct {
		labels map[string]persist.Label
		plans  []plan.Unfinished
		err    error
	}
	return readThen(nil, func(ctx context.Context, _ ipvs.Table) (l left, _ error) {
		l.labels, l.err = store.Labels().Get()
		if runner == nil && errors.Is(l.err, fs.ErrPermission) {
			l.err = nil // they are root's; who may only look is told so already
		}
		if runner != nil {
			var err error
			l.plans, err = runner.Unfinished(ctx)
			l.err = errors.Join(l.err, err)
		}
		return l, nil
	}, func(m *Model, l left) {
		m.list.SetLabels(services.NewLabels(l.labels))
		if len(l.plans) > 0 {
			m.push(&unfinished{plans: l.plans})
		}
		if l.err != nil {
			m.tell("What was kept could not be read", l.err)
		}
	})
}

func (m *Model) readUnfinished(show func(*Model, []plan.Unfinished)) tea.Cmd {
	runner := *m.hands.runner
	return readThen(nil, func(ctx context.Context, _ ipvs.Table) ([]plan.Unfinished, error) {
		return runner.Unfinished(ctx)
	}, show)
}

// refresh reads the plans again after something was done; those that were left
// for now are not asked about again.
func (u *unfinished) refresh(m *Model) tea.Cmd {
	return m.readUnfinished(func(m *Model, now []plan.Unfinished) {
		asked := func(n plan.Unfinished) bool {
			return slices.ContainsFunc(u.plans, func(o plan.Unfinished) bool { return o.ID == n.ID })
		}
		u.show(m, slices.DeleteFunc(now, func(n plan.Unfinished) bool { return !asked(n) }))
	})
}

// show goes to the first of some plans, or ends when there are none.
func (u *unfinished) show(m *Model, plans []plan.Unfinished) {
	*u = unfinished{plans: plans}
	if len(plans) == 0 {
		m.drop(u)
	}
}

// choices are those for the plan on screen.
func (u *unfinished) choices() []choice {
	p := u.plans[0]
	all := []choice{{"leave it for now", "J opens it later; the next start asks again", (*unfinished).later}}
	if p.Unreadable == nil {
		done, left := 0, 0
		for _, s := range p.States {
			switch s {
			case plan.Done, plan.Shifted:
				done++
			case plan.ToDo:
				left++
			}
		}
		all = append(all,
			choice{"finish it", fmt.Sprintf("do what is left: %d of %d steps", left, len(p.States)), (*unfinished).finish},
			choice{"take it back", fmt.Sprintf("undo what was done: %d of %d steps", done, len(p.States)), (*unfinished).takeBack})
	}
	return append(all, choice{"leave it for good", "as it is, and never ask again", (*unfinished).leave})
}

func (u *unfinished) later(m *Model) tea.Cmd {
	u.show(m, u.plans[1:])
	return nil
}

func (u *unfinished) finish(m *Model) tea.Cmd {
	runner, p := *m.hands.runner, u.plans[0]
	return m.runBeside(p.Plan, func(ctx context.Context, on func(plan.Event)) (plan.Result, error) {
		return runner.Finish(ctx, p.ID, on)
	})
}

func (u *unfinished) takeBack(m *Model) tea.Cmd {
	runner, p := *m.hands.runner, u.plans[0]
	return m.runBeside(p.Plan, func(ctx context.Context, on func(plan.Event)) (plan.Result, error) {
		return runner.TakeBack(ctx, p.ID, on)
	})
}

func (u *unfinished) leave(m *Model) tea.Cmd {
	runner, p := *m.hands.runner, u.plans[0]
	return m.runBeside(p.Plan, func(context.Context, func(plan.Event)) (plan.Result, error) {
		if err := runner.Leave(p.ID); err != nil {
			return plan.Result{Plan: p.Plan, Outcome: plan.NotBegun}, err
		}
		return plan.Result{Plan: p.Plan, Outcome: plan.Left}, nil
	})
}

// Key implements layer.
func (u *unfinished) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	choices := u.choices()
	switch key := k.String(); key {
	case "esc", "q":
		return u.later(m)
	case "up", "k":
		u.at = max(0, u.at-1)
	case "down", "j", "tab":
		u.at = min(len(choices)-1, u.at+1)
	case "enter":
		if u.at > 0 {
			if why := cannotChange(m); why != "" {
				m.message = why
				return nil
			}
		}
		return choices[u.at].run(u, m)
	default:
		u.move(key)
	}
	return nil
}

// Paste implements layer.
func (u *unfinished) Paste(*Model, string) {}

// Body implements layer: what was being done and by whom, its steps as they
// stand now, and below them the choices.
func (u *unfinished) Body(m *Model, height int) []string {
	p, choices := &u.plans[0], u.choices()
	title := m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Warn, m.signs.Problem+" begun and never ended: ")
	title.Put(paint.Strong, text.Cut(text.Clean(p.Title), title.Room()-1, m.signs.Cut))
	about := begun(&p.Entry)
	if len(u.plans) > 1 {
		about += fmt.Sprintf("   1 of %d such plans", len(u.plans))
	}
	lines := append([]string{title.String()}, wrapped(m, paint.Rest, about, 1)...)
	lines = append(lines, "")

	rows := max(1, height-len(lines)-1-len(choices))
	lines = append(lines, u.window(u.steps(m), rows)...)
	for len(lines) < height-len(choices) {
		lines = append(lines, "")
	}
	for i, c := range choices {
		base := paint.Ground
		if i == u.at {
			base = paint.Cursor
		}
		line := m.theme.Line(base, m.width).Space(1).Left(paint.Strong, c.name, 18, "").Space(1)
		lines = append(lines, line.Put(paint.Rest, text.Cut(c.hint, line.Room()-1, m.signs.Cut)).String())
	}
	return lines
}

func (u *unfinished) steps(m *Model) []string {
	p := &u.plans[0]
	if p.Unreadable != nil {
		return wrapped(m, paint.Bad, p.Unreadable.Error(), 1)
	}
	results := make([]plan.StepResult, len(p.States))
	for i, s := range p.States {
		results[i].State = s
	}
	return u.drawn.of(m, p.Plan.Items, results)
}

// Footer implements layer.
func (u *unfinished) Footer(m *Model) string {
	keys := []string{m.signs.Arrows, "choose", m.signs.Enter, "do it", "esc", "later"}
	if u.lines > u.height {
		keys = append(keys, "PgUp PgDn", "steps")
	}
	return m.keysLine(keys...)
}

// Cursor implements layer.
func (u *unfinished) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

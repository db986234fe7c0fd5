package ui

import (
	"context"
	"slices"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops/check"
	"lvsdeck/ops/plan"
)

// openFix shows what ends a finding, to be done or not.
func openFix(m *Model, f check.Finding) tea.Cmd {
	return m.run(&command{run: func(m *Model) tea.Cmd { return proposeFix(m, *f.Fix) }, why: func(m *Model) string {
		switch {
		case f.Fix == nil && len(f.Lines) > 0:
			return "nothing on this director ends it: the lines are for the other host"
		case f.Fix == nil:
			return "no change is known that ends it for sure"
		}
		return cannotChange(m)
	}})
}

// proposeFix looks first whether it is so by now: the finding is some seconds old.
// What is done around the table may cut the operator off, and must be confirmed.
func proposeFix(m *Model, p plan.Plan) tea.Cmd {
	guard, runner := m.opts.Pending, *m.hands.runner
	ask := askFirst
	if guard != nil && p.AroundIPVS() {
		if m.pending.Pending != nil {
			m.message = m.pending.Pending.Title + " waits to be confirmed first"
			return nil
		}
		ask = func(m *Model, p plan.Plan) tea.Cmd {
			if !m.wentOn(p) {
				m.push(&proposal{
					plan: p, yes: "do it, to be confirmed in " + windowText(defaultWindow),
					run: func(ctx context.Context, on func(plan.Event)) (plan.Result, error) {
						return guard.Run(ctx, runner, p, defaultWindow, on)
					},
				})
			}
			return nil
		}
	}
	return m.makePlan(func(ctx context.Context, _ ipvs.Table) (plan.Plan, error) {
		now, err := p.Preview(ctx, runner.Target)
		if !slices.ContainsFunc(now.States, func(s plan.State) bool { return s != plan.Already }) {
			return plan.Plan{}, err
		}
		return p, err
	}, ask)
}

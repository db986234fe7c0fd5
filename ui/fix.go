package ui

import (
	"context"
	"slices"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/why"
)

// openFix shows what ends a finding, to be done or not; or else what takes clients
// from it.
func openFix(m *Model, f check.Finding) tea.Cmd {
	does := f.Fix
	if does == nil {
		does = m.reliefOf(f)
	}
	return m.run(&command{run: func(m *Model) tea.Cmd { return proposeFix(m, *does) }, why: func(m *Model) string {
		switch {
		case does == nil && len(f.Lines) > 0:
			return "nothing on this director ends it: the lines are for the other host"
		case does == nil:
			return "no change is known that ends it for sure"
		}
		return cannotChange(m)
	}})
}

// reliefOf drains the server that a fault is about, which nothing here ends, while
// others are left; or nil.
func (m *Model) reliefOf(f check.Finding) *plan.Plan {
	if m.live == nil || f.Fix != nil {
		return nil
	}
	i := slices.IndexFunc(m.live.Services, func(v *ops.Service) bool { return v.ServiceID == f.Service })
	if i < 0 {
		return nil
	}
	return why.Relief(m.live.Services[i], []check.Finding{f})
}

// fixWord is what openFix does, in a word; "" for nothing.
func (m *Model) fixWord(f check.Finding) string {
	switch {
	case m.opts.Limits.ReadOnly:
	case f.Fix != nil:
		return "fix"
	case m.reliefOf(f) != nil:
		return "drain"
	}
	return ""
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

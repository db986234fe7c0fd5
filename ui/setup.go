package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops/boot"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/setup"
)

// SetUps makes this host a director of a service, and takes that back.
type SetUps interface {
	// Draft looks around and drafts. Its error may be setup.Refusals.
	Draft(context.Context, setup.Wish) (setup.Draft, error)

	// Apply does what a draft has left to do. It is taken back unless it is
	// confirmed within a time.
	Apply(ctx context.Context, d setup.Draft, within time.Duration, on func(plan.Event)) (plan.Result, error)

	// Prove asks other hosts whether a set-up works.
	Prove(context.Context, setup.Draft) (setup.Proof, error)

	// Unset drafts the way back of the set-ups of services, and Go goes it.
	Unset(context.Context, ...ipvs.ServiceID) (setup.Return, error)
	Go(ctx context.Context, r setup.Return, within time.Duration, on func(plan.Event)) (plan.Result, error)

	// PlanKeep drafts what makes the set-ups of services last, and Keep does it.
	PlanKeep(context.Context, ...ipvs.ServiceID) (boot.Change, error)
	Keep(context.Context, boot.Change, func(plan.Event)) (plan.Result, error)
}

const setupGroup = "Set up"

// setupCommands lead a newcomer, and are safe for everybody.
func setupCommands() []command {
	const g = setupGroup
	return []command{
		{g, []string{"S"}, "set up a service step by step: NAT, DR, TUN, full NAT", "", openSetup, cannotSetUp},
		{g, nil, "make the set-up of the service last over restarts", "", openKeep, cannotUnset},
		{g, nil, "take back the set-up of the service", "", openUnset, cannotUnset},
		{g, []string{keepKey}, "keep the change that waits to be confirmed", "", keepPending, nothingPending},
		{g, []string{revertKey}, "take back the change that waits to be confirmed", "", askRevert, nothingPending},
	}
}

func cannotSetUp(m *Model) string {
	if why := cannotChange(m); why != "" {
		return why
	}
	if m.pending.Pending != nil {
		return m.pending.Pending.Title + " waits to be confirmed first"
	}
	if m.opts.SetUps == nil {
		return "this host cannot be set up from here"
	}
	return ""
}

func cannotUnset(m *Model) string {
	if why := cannotSetUp(m); why != "" {
		return why
	}
	return noRows(m)
}

// openUnset shows the way back from the set-up of the cursor's service.
func openUnset(m *Model) tea.Cmd {
	row, _ := m.list.Current()
	id, desk := row.Service.ServiceID, m.opts.SetUps
	return beside(func(ctx context.Context) (setup.Return, error) { return desk.Unset(ctx, id) },
		func(m *Model, back setup.Return, err error) tea.Cmd {
			if err != nil {
				m.tell("Nothing was changed", err)
				return nil
			}
			m.push(&proposal{
				plan: back.Plan, notes: back.Notes, yes: "do it, to be confirmed in " + windowText(defaultWindow),
				run: func(ctx context.Context, on func(plan.Event)) (plan.Result, error) {
					return desk.Go(ctx, back, defaultWindow, on)
				},
			})
			return nil
		})
}

// openKeep shows what makes the set-up of the cursor's service come back after a
// restart of the host.
func openKeep(m *Model) tea.Cmd {
	row, _ := m.list.Current()
	id, desk := row.Service.ServiceID, m.opts.SetUps
	return beside(func(ctx context.Context) (boot.Change, error) { return desk.PlanKeep(ctx, id) },
		func(m *Model, c boot.Change, err error) tea.Cmd {
			switch {
			case err != nil:
				m.tell("Nothing was changed", err)
			case c.Waits == nil && c.Plan.Empty():
				m.message = "it is kept already"
			default:
				if c.Waits != nil {
					c.Plan.Title = "keep " + id.String() + " as soon as it is confirmed"
				}
				m.push(&proposal{plan: c.Plan, notes: c.Notes, yes: "keep it over restarts", run: func(ctx context.Context, on func(plan.Event)) (plan.Result, error) {
					return desk.Keep(ctx, c, on)
				}})
			}
			return nil
		})
}

// beside does something slow beside the loop, and goes on with what came of it.
func beside[T any](do func(context.Context) (T, error), then func(*Model, T, error) tea.Cmd) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
		defer cancel()
		got, err := do(ctx)
		return besideMsg(func(m *Model) tea.Cmd { return then(m, got, err) })
	}
}

// lookTimeout bounds looking around, which asks other hosts and waits for them.
const lookTimeout = 60 * time.Second

package ui

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// readTimeout bounds the reading before a change.
const readTimeout = 5 * time.Second

// do at once: for changes that take no risk, since u takes them back. It asks
// when no server of a service would be left that takes new connections.
func atOnce(m *Model, p plan.Plan) tea.Cmd {
	if id, ok := m.emptied(p); ok {
		return m.ask(p, "", fmt.Sprintf("No server of %s is left that takes new connections: clients will be refused.", id))
	}
	return m.runPlan(p)
}

// emptied finds a service whose last servers with a weight lose it.
func (m *Model) emptied(p plan.Plan) (ipvs.ServiceID, bool) {
	gone := map[string]bool{}
	for _, i := range p.Items {
		if c, ok := i.Step.(plan.ChangeServer); ok && c.Before != nil && c.Before.Weight > 0 && c.After != nil && c.After.Weight == 0 {
			gone[persist.ServerKey(c.Service, c.After.Addr)] = true
		}
	}
	if len(gone) == 0 {
		return ipvs.ServiceID{}, false
	}
	for _, s := range m.live.Services {
		left, lost := 0, 0
		for _, r := range s.Servers {
			key := persist.ServerKey(s.ServiceID, r.Addr)
			weight := r.Weight
			if w, ok := m.hands.wrote[key]; ok {
				weight = w.server.Weight
			}
			if gone[key] {
				lost++
			} else if weight > 0 {
				left++
			}
		}
		if lost > 0 && left == 0 {
			return s.ServiceID, true
		}
	}
	return ipvs.ServiceID{}, false
}

const changeGroup = "Change"

// changeCommands are what the console does to services and servers.
func changeCommands() []command {
	const g = changeGroup
	weigh := func(delta int) func(*Model) tea.Cmd {
		return func(m *Model) tea.Cmd {
			return m.toServersAtOnce(func(rows []plan.Row) (plan.Plan, error) { return plan.AddWeight(rows, delta), nil })
		}
	}
	return []command{
		{g, []string{"a"}, "add servers to the service", "add", openAddServers, cannotChangeRow},
		{g, []string{"A"}, "add a service", "", openAddService, cannotChange},
		{g, []string{"c"}, "clone the service with its servers", "", openClone, cannotChangeRow},
		{g, []string{"w"}, "set the weight", "weight", openWeight, cannotChangeRow},
		{g, []string{"+", "=", "f7"}, "weight +1", "", weigh(1), lockedRow},
		{g, []string{"-", "f6"}, "weight -1", "", weigh(-1), lockedRow},
		{g, []string{"]", "f8"}, "weight +10", "", weigh(10), lockedRow},
		{g, []string{"[", "f5"}, "weight -10", "", weigh(-10), lockedRow},
		{g, []string{"d"}, "drain: no new connections; again: the weight it had", "drain", drain, lockedRow},
		{g, []string{"x", "delete"}, "remove", "remove", remove, cannotChangeRow},
		{g, []string{"z"}, "set the counters of the service to zero", "", zero, cannotChangeRow},
		{g, nil, "clear the whole table", "", flush, cannotChangeRow},
		{g, []string{"u"}, "undo the last change", "undo", undo, cannotChange},
		{g, []string{"e"}, "edit the service or server", "edit", openEdit, cannotChangeRow},
	}
}

// drain gives the chosen servers weight 0, or, when all of them have it, the
// weight they had before.
func drain(m *Model) tea.Cmd {
	store := m.hands.runner.Store
	return m.toServersAtOnce(func(rows []plan.Row) (plan.Plan, error) {
		if !allDrained(rows) {
			return plan.Drain(rows), nil
		}
		meant, err := plan.Meant(store)
		if err != nil {
			return plan.Plan{}, err
		}
		for _, r := range rows {
			if meant(r) == 0 {
				return plan.Plan{}, fmt.Errorf("the weight of %s before it was drained is not known: set one with w", r.Server.Addr)
			}
		}
		return plan.Undrain(rows, meant), nil
	})
}

func allDrained(rows []plan.Row) bool {
	return !slices.ContainsFunc(rows, func(r plan.Row) bool { return r.Server.Weight > 0 })
}

// openWeight asks for a weight in the last line.
func openWeight(m *Model) tea.Cmd {
	rows, err := m.chosenServers()
	if err != nil {
		m.message = err.Error()
		return nil
	}
	value := ""
	if len(rows) == 1 {
		value = strconv.FormatUint(uint64(rows[0].server.Weight), 10)
	}
	m.push(&linePrompt{prompt: newPrompt("weight", "0 to "+strconv.Itoa(ipvs.MaxWeight), value), done: setWeight})
	return nil
}

func setWeight(m *Model, typed string) (tea.Cmd, error) {
	n, err := strconv.ParseUint(typed, 10, 31)
	if err != nil {
		return nil, fmt.Errorf("weight %q: must be a number from 0 to %d", typed, ipvs.MaxWeight)
	}
	return m.toServersAtOnce(func(rows []plan.Row) (plan.Plan, error) { return plan.SetWeight(rows, uint32(n)), nil }), nil
}

// remove asks before servers or services leave the table.
func remove(m *Model) tea.Cmd {
	chosen := m.list.Chosen()
	if onServices(chosen) {
		ids := m.chosenServices()
		return m.makePlan(func(ctx context.Context, t ipvs.Table) (plan.Plan, error) {
			var all []ipvs.ServiceRules
			for _, id := range ids {
				s, err := plan.ReadService(ctx, t, id)
				if err != nil {
					return plan.Plan{}, err
				}
				all = append(all, s)
			}
			return plan.RemoveServices(all), nil
		}, askFirst)
	}
	if _, err := m.chosenServers(); err != nil {
		m.message = "services and servers are marked: remove one kind at a time"
		return nil
	}
	return m.toServers(func(rows []plan.Row) (plan.Plan, error) { return plan.RemoveServers(rows), nil }, askFirst)
}

func zero(m *Model) tea.Cmd {
	p := plan.Zero(m.chosenServices()...)
	return m.makePlan(func(context.Context, ipvs.Table) (plan.Plan, error) { return p, nil }, askFirst)
}

// flush takes the word "clear" to happen.
func flush(m *Model) tea.Cmd {
	return m.makePlan(func(ctx context.Context, t ipvs.Table) (plan.Plan, error) {
		rules, err := persist.ReadRules(ctx, t)
		return plan.Flush(rules), err
	}, func(m *Model, p plan.Plan) tea.Cmd {
		return m.ask(p, "clear", "")
	})
}

// undo shows the reverse of the last plan that is in force, and asks.
func undo(m *Model) tea.Cmd {
	store := m.hands.runner.Store
	return m.makePlan(func(context.Context, ipvs.Table) (plan.Plan, error) {
		h, err := plan.ReadHistory(store)
		if err != nil {
			return plan.Plan{}, err
		}
		last, passed, err := h.Last()
		if err != nil {
			return plan.Plan{}, err
		}
		p, err := plan.Undoing(last)
		p.Note = passed
		return p, err
	}, askFirst)
}

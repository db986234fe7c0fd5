package ui

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/task"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/services"
)

// drainCommands take servers out and bring them back over time.
func drainCommands() []command {
	const g = changeGroup
	return []command{
		{g, []string{"W"}, "wait until the drained server is empty, then remove it", "", openRemoval, cannotChangeRow},
		{g, []string{"b"}, "bring the server back slowly, in steps", "", openRamp, cannotChangeRow},
		{g, []string{"f"}, "end persistence's hold on drained servers", "", func(m *Model) tea.Cmd { return m.endHold(m.current()) }, cannotChangeRow},
	}
}

// current is the server under the cursor; on a service it is nobody.
func (m *Model) current() task.Key {
	row, ok := m.list.Current()
	if !ok || row.Server == nil {
		return task.Key{}
	}
	return task.Key{Service: row.Service.ServiceID, Server: row.Server.Addr}
}

// aboutDrain is what is left of the drained server under the cursor, and why.
func (m *Model) aboutDrain() []services.About {
	v, ok := m.tasks.Verdict(m.current())
	if !ok {
		return nil
	}
	left := services.About{Label: "left", Parts: []services.Part{{Style: paint.Plain, Text: v.Left}}}
	left.Parts = append(left.Parts, services.Part{Style: paint.Strong, Text: v.Estimate})
	if v.Trend != "" {
		left.Parts = append(left.Parts, services.Part{Style: paint.Plain, Text: v.Trend})
	}
	if len(v.Why) == 0 {
		return []services.About{left}
	}
	why := services.About{Label: "why", Parts: []services.Part{{Style: paint.Plain, Text: strings.Join(v.Why, "; ")}}}
	if v.Held {
		why.Parts = []services.Part{{Style: paint.Warn, Text: v.Why[0]}, {Style: paint.Accent, Text: "f ends that"}}
		if more := strings.Join(v.Why[1:], "; "); more != "" {
			why.Parts = append(why.Parts, services.Part{Style: paint.Plain, Text: more})
		}
	}
	return []services.About{left, why}
}

// endHold asks to let persistence pass drained servers over, when it holds one.
func (m *Model) endHold(server task.Key) tea.Cmd {
	if v, ok := m.tasks.Verdict(server); !ok || !v.Held {
		m.message = "persistence does not hold a drained server here"
		return nil
	}
	sysctls := m.hands.runner.Target.Sysctls
	return m.makePlan(func(context.Context, ipvs.Table) (plan.Plan, error) {
		if sysctls == nil {
			return plan.Plan{}, fmt.Errorf("the sysctls are out of reach here; as root:\nsysctl -w %s%s=1", netcfg.Prefix, task.ExpireTemplates)
		}
		now, err := sysctls.Get(task.ExpireTemplates)
		if err != nil {
			return plan.Plan{}, err
		}
		return plan.SetSysctl(netcfg.Value{Name: task.ExpireTemplates, Value: now}, "1")
	}, askFirst)
}

// forRows reads the chosen servers in full, and something more, for a form about
// them.
func forRows[T any](m *Model, more func() (T, error), show func(*Model, []plan.Row, T)) tea.Cmd {
	rows, err := m.chosenServers()
	if err != nil {
		m.message = err.Error()
		return nil
	}
	type read struct {
		rows []plan.Row
		more T
	}
	return readThen(m.hands.runner.Target.Table, func(ctx context.Context, t ipvs.Table) (r read, err error) {
		if r.rows, err = inFull(ctx, t, rows); err == nil {
			r.more, err = more()
		}
		return r, err
	}, func(m *Model, r read) { show(m, r.rows, r.more) })
}

// rowsText names servers in a title.
func rowsText(rows []plan.Row) string {
	if len(rows) == 1 {
		return ipvs.ServerTarget(rows[0].Service, rows[0].Server)
	}
	return strconv.Itoa(len(rows)) + " servers"
}

// beginAll begins a task for each row and leaves the form.
func (m *Model) beginAll(f *form, rows []plan.Row, job func(plan.Row) task.Job) {
	var errs []error
	for _, r := range rows {
		errs = append(errs, m.tasks.Begin(job(r)))
	}
	m.drop(f)
	if err := errors.Join(errs...); err != nil {
		m.tell("Not every task was begun", err)
		return
	}
	m.message = "begun; t shows how it goes"
}

// Questions of both forms.
const (
	askUntil   = "until"
	askLimit   = "limit"
	askTarget  = "target"
	askMinutes = "minutes"
	askSteps   = "steps"
)

// The answers to askUntil.
var (
	untilInactive = option{"no active connection", "inactive ones, mostly closing, may be left"}
	untilNone     = option{"no connection at all", "inactive ones count too; UDP has no others"}
)

// openRemoval asks when drained servers are to be removed.
func openRemoval(m *Model) tea.Cmd {
	return forRows(m, m.fateOfTheRest, func(m *Model, rows []plan.Row, fate string) {
		until, first := []option{untilInactive, untilNone}, untilInactive
		for _, r := range rows {
			if r.Server.Weight != 0 {
				m.message = fmt.Sprintf("%s still gets new connections: drain it first, with d", r.Server.Addr)
				return
			}
			switch r.Service.Protocol {
			case ipvs.UDP:
				until, first = []option{untilNone}, untilNone
			case ipvs.TCP, ipvs.SCTP:
			default: // a mark's packets may be UDP
				first = untilNone
			}
		}
		m.push(&form{
			title: "Remove " + rowsText(rows) + " when empty",
			fields: []*field{
				chosenField(askUntil, "wait for", first.value, until...),
				typedField(askLimit, "time limit", "", "minutes, or nothing: no limit. Then it is removed with what it has"+fate),
			},
			finish: func(m *Model, f *form) tea.Cmd {
				limit, err := minutes(f.get(askLimit), 0, 7*24*60)
				if err != nil {
					f.blame(askLimit, err.Error())
					return nil
				}
				all := f.get(askUntil) == untilNone.value
				m.beginAll(f, rows, func(r plan.Row) task.Job { return &task.Removal{Server: r, All: all, Limit: limit} })
				return nil
			},
		})
	})
}

// fateOfTheRest is what becomes of connections that a server has when it is
// removed, as far as that can be found out.
func (m *Model) fateOfTheRest() (string, error) {
	sysctls := m.hands.runner.Target.Sysctls
	if sysctls == nil {
		return "", nil
	}
	switch value, err := sysctls.Get("expire_nodest_conn"); {
	case err != nil:
		return "", nil
	case value == "0":
		return "; its clients wait in vain (expire_nodest_conn=0)", nil
	default:
		return "; its clients are cut off (expire_nodest_conn=1)", nil
	}
}

// minutes reads a time; nothing is 0 where that is allowed.
func minutes(typed string, least, most int) (time.Duration, error) {
	if typed == "" && least == 0 {
		return 0, nil
	}
	n, err := strconv.Atoi(typed)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%q: must be %d to %d minutes", typed, least, most)
	}
	return time.Duration(n) * time.Minute, nil
}

// openRamp asks how servers are brought back: to the weights they had, unless
// another is typed.
func openRamp(m *Model) tea.Cmd {
	store := m.hands.runner.Store
	return forRows(m, func() (func(plan.Row) uint32, error) { return plan.Meant(store) }, func(m *Model, rows []plan.Row, weight func(plan.Row) uint32) {
		value, hint := "", "nothing: the weight each had before it was drained"
		if len(rows) == 1 && weight(rows[0]) > 0 {
			value, hint = strconv.FormatUint(uint64(weight(rows[0])), 10), "the weight it had before it was drained"
		}
		m.push(&form{
			title: "Bring " + rowsText(rows) + " back in steps",
			fields: []*field{
				typedField(askTarget, "to weight", value, hint),
				typedField(askMinutes, "within", "5", "minutes, 1 to 60; the first step is at once"),
				typedField(askSteps, "steps", "10", "1 to 60; u takes back all of them"),
			},
			finish: func(m *Model, f *form) tea.Cmd {
				m.finishRamp(f, rows, weight)
				return nil
			},
		})
	})
}

func (m *Model) finishRamp(f *form, rows []plan.Row, had func(plan.Row) uint32) {
	target := had
	if typed := f.get(askTarget); typed != "" {
		n, err := strconv.ParseUint(typed, 10, 31)
		if err != nil {
			f.blame(askTarget, fmt.Sprintf("%q: must be a number from 1 to %d", typed, ipvs.MaxWeight))
			return
		}
		target = func(plan.Row) uint32 { return uint32(n) }
	}
	for _, r := range rows {
		switch to := target(r); {
		case to == 0:
			f.blame(askTarget, fmt.Sprintf("the weight of %s before it was drained is not known: type one", r.Server.Addr))
			return
		case to == r.Server.Weight:
			f.blame(askTarget, fmt.Sprintf("%s has weight %d already", r.Server.Addr, to))
			return
		}
	}
	over, err := minutes(f.get(askMinutes), int(task.MinRamp.Minutes()), int(task.MaxRamp.Minutes()))
	if err != nil {
		f.blame(askMinutes, err.Error())
		return
	}
	steps, err := strconv.Atoi(f.get(askSteps))
	if err != nil || steps < 1 || steps > task.MaxRampSteps {
		f.blame(askSteps, fmt.Sprintf("%q: must be 1 to %d steps", f.get(askSteps), task.MaxRampSteps))
		return
	}
	m.beginAll(f, rows, func(r plan.Row) task.Job { return &task.Ramp{Server: r, Target: target(r), Steps: steps, Over: over} })
}

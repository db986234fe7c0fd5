package ui

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// maxQueue bounds the keys that wait for the change before them.
const maxQueue = 50

// quick is what makes keys that change a row at once add up: +, +, + is three,
// however long the kernel takes and however old the screen is.
type quick struct {
	making int              // plans being made
	queue  []func() tea.Cmd // changes that wait for the one before
	wrote  map[string]wrote // rows that this console changed after they were read last
}

// wrote is a server as this console left it.
type wrote struct {
	server ipvs.Server
	at     time.Time // of the newest sample then
}

// toServersAtOnce makes a plan for the chosen servers and runs it, after those
// that are on their way. It asks first when some of the servers are out of sight.
func (m *Model) toServersAtOnce(build func([]plan.Row) (plan.Plan, error)) tea.Cmd {
	rows, err := m.chosenServers()
	if err != nil {
		m.message = err.Error()
		return nil
	}
	then := atOnce
	if m.list.Hidden() {
		then = askFirst
	}
	return m.inTurn(func() tea.Cmd { return m.planFor(m.asWritten(rows), build, then) })
}

// inTurn does something when nothing is being changed.
func (m *Model) inTurn(do func() tea.Cmd) tea.Cmd {
	q := &m.hands.quick
	if q.making == 0 && m.hands.busy == "" {
		return do()
	}
	if len(q.queue) == maxQueue {
		m.message = "too many changes are waiting: wait for them"
		return nil
	}
	q.queue = append(q.queue, do)
	m.message = fmt.Sprintf("%d waiting for the change before", len(q.queue))
	return nil
}

// next does what has waited longest, when its turn has come. What waited for a
// change that went wrong is not done: it was meant for what is not there.
func (m *Model) next(well bool) tea.Cmd {
	q := &m.hands.quick
	if q.making > 0 || m.hands.busy != "" {
		return nil
	}
	if !well || locked(m) != "" {
		q.queue = nil
	}
	if len(q.queue) == 0 {
		return nil
	}
	do := q.queue[0]
	q.queue = q.queue[1:]
	return do()
}

// keepWritten remembers how a plan has left servers.
func (m *Model) keepWritten(r plan.Result) {
	if m.hands.wrote == nil {
		m.hands.wrote = map[string]wrote{}
	}
	for i, s := range r.Steps {
		c, ok := r.Plan.Items[i].Step.(plan.ChangeServer)
		switch {
		case !ok || c.After == nil:
		case s.State == plan.Done:
			m.hands.wrote[persist.ServerKey(c.Service, c.After.Addr)] = wrote{*c.After, sampleTime(m.live)}
		default:
			delete(m.hands.wrote, persist.ServerKey(c.Service, c.After.Addr))
		}
	}
}

// forgetWritten drops rows that were read again since: by the second sample, as
// the first may have been under way.
func (m *Model) forgetWritten() {
	if m.live == nil {
		return
	}
	for key, w := range m.hands.wrote {
		if m.live.Time.After(w.at.Add(m.live.Interval)) {
			delete(m.hands.wrote, key)
		}
	}
}

func sampleTime(s *ops.Sample) time.Time {
	if s == nil {
		return time.Time{}
	}
	return s.Time
}

// asWritten is rows as they are by what this console did since they were read.
func (m *Model) asWritten(rows []seen) []seen {
	out := make([]seen, len(rows))
	for i, r := range rows {
		if w, ok := m.hands.wrote[persist.ServerKey(r.service, r.server.Addr)]; ok {
			r.server, r.partial = w.server, false
		}
		out[i] = r
	}
	return out
}

package ui

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops/plan"
	"lvsdeck/ui/services"
)

// hands is what the console is changing now and has changed.
type hands struct {
	runner   *plan.Runner // nil: nothing can be changed
	unlocked string       // the owner of the table in spite of whom it may be changed
	busy     string       // the title of what is being done, or ""
	steps    int
	at       *atomic.Int64      // steps done of those
	stop     context.CancelFunc // takes back what is being done
	running  chan struct{}      // holds one while a plan runs
	late     bool               // the operator has gone on since the plan was wished for
	log      []logLine          // newest last
	form     *form              // asks for what is being done
	quick
}

// newHands are idle.
func newHands(r *plan.Runner) hands { return hands{runner: r, running: make(chan struct{}, 1)} }

// settled waits until no plan is running, so that the process does not end under
// it, or until patience ends.
func (h *hands) settled(patience time.Duration) {
	select {
	case h.running <- struct{}{}:
		<-h.running
	case <-time.After(patience):
	}
}

// madeMsg is a plan, made from what was read, or why it could not be.
type madeMsg struct {
	plan plan.Plan
	err  error
	then func(*Model, plan.Plan) tea.Cmd
}

// lateMsg is one that was made beside the loop, with what was on top before.
type lateMsg struct {
	madeMsg
	from layer
}

// ranMsg is how a plan ended.
type ranMsg struct {
	result  plan.Result
	touched map[int]plan.StepResult // steps that this session did or tried
	err     error
	then    func(*Model, error) tea.Cmd // nil: nothing more
}

// cannotChange is why nothing can be changed, or "".
func cannotChange(m *Model) string {
	if why := locked(m); why != "" {
		return why
	}
	if m.hands.busy != "" {
		return "wait: " + m.hands.busy + " is being done"
	}
	return ""
}

// locked is the part of it that waiting does not change.
func locked(m *Model) string {
	switch {
	case m.opts.Limits.ReadOnly:
		return "read-only: " + m.opts.Limits.Why
	case m.hands.runner == nil:
		return "nothing can be changed here"
	case m.guarded():
		return fmt.Sprintf("guarded: %s manages this table; ctrl-g unlocks", m.owner.Name)
	case m.live == nil:
		return "nothing was read yet"
	case m.paused:
		return "paused: the rows are old; p goes on"
	}
	return ""
}

// cannotChangeRow is the same for commands on a row.
func cannotChangeRow(m *Model) string {
	if why := cannotChange(m); why != "" {
		return why
	}
	return noRows(m)
}

// lockedRow is the same for changes that wait for their turn.
func lockedRow(m *Model) string {
	if why := locked(m); why != "" {
		return why
	}
	return noRows(m)
}

// makePlan reads what a plan needs, makes it, and hands it to then. It runs
// beside the loop.
func (m *Model) makePlan(build func(context.Context, ipvs.Table) (plan.Plan, error), then func(*Model, plan.Plan) tea.Cmd) tea.Cmd {
	table, from := m.hands.runner.Target.Table, m.top()
	m.hands.making++
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
		defer cancel()
		p, err := build(ctx, table)
		return lateMsg{madeMsg{p, err, then}, from}
	}
}

func (m *Model) madeLate(msg lateMsg) tea.Cmd {
	m.hands.making--
	m.hands.late = m.top() != msg.from
	defer func() { m.hands.late = false }()
	return tea.Batch(m.made(msg.madeMsg), m.next(msg.err == nil))
}

func (m *Model) made(msg madeMsg) tea.Cmd {
	switch {
	case msg.err != nil:
		m.tell("Nothing was changed", msg.err)
	case msg.plan.Empty():
		m.message = "it is so already: nothing to do"
		if f, ok := m.top().(*form); ok {
			f.blame(f.shown()[f.at].id, "nothing was changed here: it is so already")
		}
	default:
		return msg.then(m, msg.plan)
	}
	return nil
}

// runPlan does a plan beside the loop.
func (m *Model) runPlan(p plan.Plan) tea.Cmd {
	runner := *m.hands.runner
	return m.runBeside(p, func(ctx context.Context, on func(plan.Event)) (plan.Result, error) {
		return runner.Run(ctx, p, on)
	})
}

// runThen is runBeside, and goes on with what came of it.
func (m *Model) runThen(p plan.Plan, do func(context.Context, func(plan.Event)) (plan.Result, error), then func(*Model, error) tea.Cmd) tea.Cmd {
	run := m.runBeside(p, do)
	if run == nil {
		return nil
	}
	return func() tea.Msg {
		msg := run().(ranMsg)
		msg.then = then
		return msg
	}
}

// runBeside does what a runner can do with a plan, beside the loop.
func (m *Model) runBeside(p plan.Plan, do func(context.Context, func(plan.Event)) (plan.Result, error)) tea.Cmd {
	if m.hands.busy != "" {
		m.message = "wait: " + m.hands.busy + " is being done; nothing else was begun"
		return nil
	}
	done, running := &atomic.Int64{}, m.hands.running
	ctx, stop := context.WithCancel(context.Background())
	m.hands.busy, m.hands.steps, m.hands.at, m.hands.stop = p.Title, len(p.Items), done, stop
	return func() tea.Msg {
		running <- struct{}{}
		defer func() { <-running; stop() }()
		touched := map[int]plan.StepResult{}
		result, err := do(ctx, func(e plan.Event) {
			if !e.Begun {
				done.Add(1)
				touched[e.Step] = plan.StepResult{State: e.State, Err: e.Err}
			}
		})
		return ranMsg{result: result, touched: touched, err: err}
	}
}

// ran says how it went and asks for a reading, so that the screen shows it.
func (m *Model) ran(msg ranMsg) tea.Cmd {
	m.hands.busy = ""
	m.keepWritten(msg.result)
	m.seekAdded(msg.result)
	m.opts.Source.ReadNow()
	m.hands.keepLog(msg.result.Plan.Items, msg.touched)
	refresh := m.refreshLayers()
	err := errors.Join(msg.err, msg.result.Warning)
	if m.hands.form != nil && msg.err == nil && m.top() == layer(m.hands.form) {
		m.pop()
		m.hands.form = nil
	}
	switch {
	case err != nil:
		m.tell(outcomeText(msg.result), err)
	case msg.result.Outcome == plan.WentBack:
		m.message = "taken back: " + msg.result.Plan.Title
	case msg.result.Outcome == plan.Left:
		m.message = "left as it is: " + msg.result.Plan.Title
	case len(msg.result.Plan.Irreversible()) > 0, msg.result.Plan.Undoes != "", m.top() != nil:
		m.message = "done: " + msg.result.Plan.Title
	default:
		m.message = "done, u takes it back: " + msg.result.Plan.Title
	}
	var then tea.Cmd
	if msg.then != nil {
		then = msg.then(m, msg.err)
	}
	return tea.Batch(refresh, m.next(err == nil), then)
}

// seekAdded puts the cursor on a service that was added: servers are added to it
// next.
func (m *Model) seekAdded(r plan.Result) {
	if len(r.Steps) == 0 || r.Plan.Undoes != "" || r.Steps[0].State != plan.Done {
		return
	}
	if c, ok := r.Plan.Items[0].Step.(plan.ChangeService); ok && c.Before == nil {
		m.list.Seek(services.Key{Service: c.After.ServiceID})
	}
}

// outcomeText is how a plan that did not go well ended.
func outcomeText(r plan.Result) string {
	switch r.Outcome {
	case plan.NotBegun:
		return "Nothing was changed"
	case plan.WentBack:
		return "Refused, and everything is as it was before"
	case plan.WentHalfBack:
		return "Refused, and not everything could be taken back"
	case plan.Partly:
		return "Done in part"
	}
	return "Done, but"
}

// seen is a server as it stands on the screen.
type seen struct {
	service ipvs.ServiceID
	server  ipvs.Server
	partial bool
}

// chosenServers is the servers that a command acts on, or why it cannot.
func (m *Model) chosenServers() ([]seen, error) {
	var out []seen
	for _, r := range m.list.Chosen() {
		if r.Server == nil {
			return nil, fmt.Errorf("%s is a service: this is done to servers; open it and go to one", r.Service.ServiceID)
		}
		out = append(out, seen{r.Service.ServiceID, r.Server.Server, r.Server.Partial})
	}
	return out, nil
}

// inFull completes rows of which the screen knew only a part, and refuses those
// that are no longer as the operator saw them.
func inFull(ctx context.Context, t ipvs.Table, rows []seen) ([]plan.Row, error) {
	out := make([]plan.Row, len(rows))
	for i, r := range rows {
		out[i] = plan.Row{Service: r.service, Server: r.server}
		if !r.partial {
			continue
		}
		full, err := plan.ReadRow(ctx, t, r.service, r.server)
		if err != nil {
			return nil, err
		}
		if full.Server.Weight != r.server.Weight || full.Server.Forward != r.server.Forward {
			return nil, fmt.Errorf("%s of %s: weight was %d and forwarding %s when you looked, is %d and %s now: look again",
				r.server.Addr, r.service, r.server.Weight, r.server.Forward, full.Server.Weight, full.Server.Forward)
		}
		out[i] = full
	}
	return out, nil
}

// toServers makes a plan for the chosen servers.
func (m *Model) toServers(build func([]plan.Row) (plan.Plan, error), then func(*Model, plan.Plan) tea.Cmd) tea.Cmd {
	rows, err := m.chosenServers()
	if err != nil {
		m.message = err.Error()
		return nil
	}
	return m.planFor(m.asWritten(rows), build, then)
}

func (m *Model) planFor(rows []seen, build func([]plan.Row) (plan.Plan, error), then func(*Model, plan.Plan) tea.Cmd) tea.Cmd {
	return m.makePlan(func(ctx context.Context, t ipvs.Table) (plan.Plan, error) {
		full, err := inFull(ctx, t, rows)
		if err != nil {
			return plan.Plan{}, err
		}
		return build(full)
	}, then)
}

// chosenServices is the services of the chosen rows, each once.
func (m *Model) chosenServices() []ipvs.ServiceID {
	var out []ipvs.ServiceID
	known := map[ipvs.ServiceID]bool{}
	for _, r := range m.list.Chosen() {
		if id := r.Service.ServiceID; !known[id] {
			known[id] = true
			out = append(out, id)
		}
	}
	return out
}

// onServices tells that services are chosen, not servers.
func onServices(rows []services.Row) bool {
	for _, r := range rows {
		if r.Server != nil {
			return false
		}
	}
	return len(rows) > 0
}

// readMsg is something read for a screen, ready to be shown.
type readMsg struct {
	show func(*Model)
	err  error
}

// readThen reads something beside the loop and then shows it.
func readThen[T any](table ipvs.Table, get func(context.Context, ipvs.Table) (T, error), show func(*Model, T)) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
		defer cancel()
		got, err := get(ctx, table)
		return readMsg{func(m *Model) { show(m, got) }, err}
	}
}

// openForm shows a form, which stays until what it asked for is done.
func (m *Model) openForm(f *form) {
	m.hands.form = f
	m.push(f)
}

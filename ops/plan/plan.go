package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/persist"
)

// Plan is ordered steps. It is bound to what was read when it was made: when
// rows have moved since, it is made again, not forced.
type Plan struct {
	Title string
	Items []Item
	Note  string // what whoever decides about it should know besides

	// Each: a step that fails does not end the plan, nor take the others back.
	Each   bool
	Undoes string // the plan that this one takes back, if it does
	Takes  []int  // for each of its steps the one of Undoes that it takes back

	// Of a plan that is one of several on the same row, which are undone as one.
	Continues string // the first of them, before which the table was kept
	Toward    uint32 // the weight to which they bring it
}

// Item is one step with its reason.
type Item struct {
	Step   Step
	Reason string // one sentence
	Host   string // where; "" is this director
}

// Empty tells that there is nothing to do.
func (p Plan) Empty() bool { return len(p.Items) == 0 }

// Counts adds up what the steps add, change and remove.
func (p Plan) Counts() (c Counts) {
	for _, i := range p.Items {
		c = c.Plus(i.Step.Counts())
	}
	return c
}

// Commands is the plan for a shell.
func (p Plan) Commands() string {
	var b strings.Builder
	for _, i := range p.Items {
		b.WriteString(i.Step.Command() + "\n")
	}
	return b.String()
}

// Irreversible lists the steps that cannot be taken back.
func (p Plan) Irreversible() (steps []Step) {
	for _, i := range p.Items {
		if i.Step.Undo() == nil {
			steps = append(steps, i.Step)
		}
	}
	return steps
}

// State is where a step stands.
type State uint8

// The states of a step.
const (
	ToDo         State = iota
	Done               // by this plan
	Already            // it was so before; taking back leaves it
	Shifted            // things are neither as before the step nor as after it
	Failed             // refused; nothing was changed
	TakenBack          // done, and undone
	NotTakenBack       // done, and could not be undone
)

var stateNames = [...]string{"to do", "done", "already so", "moved", "failed", "taken back", "not taken back"}

func (s State) String() string { return stateNames[s] }

// Preview is a plan against the table as it is now.
type Preview struct {
	Plan   Plan
	Counts Counts
	States []State // ToDo, Already or Shifted, one for each item
}

// Preview looks where each step stands.
func (p Plan) Preview(ctx context.Context, t Target) (Preview, error) {
	states, err := standing(ctx, t, p)
	for i, s := range states {
		if s == Done {
			states[i] = Already
		}
	}
	return Preview{p, p.Counts(), states}, err
}

// standing tells by the table alone where each step stands: Done, ToDo or
// Shifted. Several steps on one row (a ramp) follow each other, and only what
// the last of them did can be seen: those before it are done too, and of those
// after it all but the first can show nothing yet.
func standing(ctx context.Context, t Target, p Plan) ([]State, error) {
	t.Table = newGlance(t.Table)
	states := make([]State, len(p.Items))
	lastDone := map[string]int{}
	for i := range p.Items {
		var err error
		step := p.Items[i].Step
		if states[i], err = stand(ctx, t, step); err != nil {
			return nil, err
		}
		if states[i] == Done {
			lastDone[step.Row()] = i
		}
	}
	next := map[string]bool{} // rows whose first step to do was seen
	for i := range p.Items {
		row := p.Items[i].Step.Row()
		switch last, ok := lastDone[row]; {
		case ok && i <= last:
			states[i] = Done
		case next[row]:
			states[i] = ToDo
		default:
			next[row] = true
		}
	}
	return states, nil
}

func stand(ctx context.Context, t Target, s Step) (State, error) {
	if done, err := s.Done(ctx, t); done || err != nil {
		return Done, err
	}
	undo := s.Undo()
	if undo == nil {
		return ToDo, nil
	}
	if before, err := undo.Done(ctx, t); before || err != nil {
		return ToDo, err
	}
	return Shifted, nil
}

// glance is a table of which each row is read once, to ask it thousands of
// questions at one time.
type glance struct {
	ipvs.Table
	services map[ipvs.ServiceID]glimpse[ipvs.ServiceState]
	servers  map[ipvs.ServiceID]glimpse[[]ipvs.ServerState]
}

type glimpse[T any] struct {
	seen T
	err  error
}

func newGlance(t ipvs.Table) *glance {
	return &glance{t, map[ipvs.ServiceID]glimpse[ipvs.ServiceState]{}, map[ipvs.ServiceID]glimpse[[]ipvs.ServerState]{}}
}

func (g *glance) Service(ctx context.Context, id ipvs.ServiceID) (ipvs.ServiceState, error) {
	return look(g.services, ctx, id, g.Table.Service)
}

func (g *glance) Servers(ctx context.Context, id ipvs.ServiceID) ([]ipvs.ServerState, error) {
	return look(g.servers, ctx, id, g.Table.Servers)
}

func look[T any](known map[ipvs.ServiceID]glimpse[T], ctx context.Context, id ipvs.ServiceID,
	read func(context.Context, ipvs.ServiceID) (T, error),
) (T, error) {
	g, ok := known[id]
	if !ok {
		g.seen, g.err = read(ctx, id)
		known[id] = g
	}
	return g.seen, g.err
}

// Of reads the plan of a journal's entry.
func Of(e *persist.Entry) (Plan, error) {
	p := Plan{
		Title: e.Title, Each: e.Each, Undoes: e.Undoes, Takes: e.Takes, Continues: e.Continues, Toward: e.Toward,
	}
	if err := json.Unmarshal(e.Steps, &p.Items); err != nil {
		return p, fmt.Errorf("cannot read the steps of plan %s: %w", e.ID, err)
	}
	return p, nil
}

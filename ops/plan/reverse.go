package plan

import (
	"fmt"
	"slices"
	"strings"

	"lvsdeck/persist"
)

// Reverse makes the plan that undoes what is in effect of a journal's entry: its
// steps backwards, but for those that cannot be taken back. Rows that have moved
// meanwhile are refused one by one; the others go back.
//
// Plans on one row that belong together (a ramp) go back as one, from where the
// last has left the row to where the first has found it.
func Reverse(e *persist.Entry) (Plan, error) {
	if len(e.Parts) == 0 {
		return reverse(e)
	}
	var whole Plan
	for _, part := range slices.Backward(e.Parts) {
		if !part.InForce {
			continue
		}
		p, err := reverse(part)
		if err != nil {
			return p, err
		}
		p.Items, p.Takes = append(whole.Items, p.Items...), append(whole.Takes, p.Takes...)
		whole = p
	}
	whole.Undoes = e.Whole()
	return whole.joined(), nil
}

func reverse(e *persist.Entry) (Plan, error) {
	p, err := Of(e)
	if err != nil {
		return p, err
	}
	back := Plan{Title: "undo: " + p.Title, Each: true, Undoes: e.ID}
	if redo, ok := strings.CutPrefix(p.Title, "undo: "); ok {
		back.Title = "redo: " + redo
	}
	inEffect := e.InEffect()
	for i := len(p.Items) - 1; i >= 0; i-- {
		if undo := p.Items[i].Step.Undo(); undo != nil && inEffect(i) {
			back.Items = append(back.Items, Item{undo, "Takes back: " + p.Items[i].Step.String() + ".", p.Items[i].Host})
			back.Takes = append(back.Takes, i)
		}
	}
	return back, nil
}

// joined makes one step of steps that change one server one after the other.
func (p Plan) joined() Plan {
	var whole ChangeServer
	for i, item := range p.Items {
		next, ok := item.Step.(ChangeServer)
		switch {
		case !ok || next.Before == nil || next.After == nil:
			return p
		case i == 0:
			whole = next
		case next.Service != whole.Service || !same(next.Before, whole.After):
			return p
		}
		whole.After = next.After
	}
	if len(p.Items) > 1 {
		p.Title = "undo: " + whole.Undo().String()
		p.Items = []Item{{whole, fmt.Sprintf("Takes back %d changes, which belong together.", len(p.Items)), p.Items[0].Host}}
		p.Takes = p.Takes[:1]
	}
	return p
}

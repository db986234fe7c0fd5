package setup

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// Book is the set-ups of a director. It remembers which of its steps each of
// them did itself, and asks the journal which of those are still in force.
type Book struct {
	Runner *plan.Runner
	Timer  Timer // may be nil where nothing is to be confirmed
}

// Timer runs plans as their runner does, and takes them back when nobody confirms
// them within a time: a confirm.Guard. It lets the runner's Guard stand beside it.
type Timer interface {
	Run(ctx context.Context, r plan.Runner, p plan.Plan, within time.Duration, on func(plan.Event)) (plan.Result, error)
}

// run runs a plan under the timer, or for 0 without.
func (b Book) run(ctx context.Context, p plan.Plan, within time.Duration, g noted, on func(plan.Event)) (plan.Result, error) {
	runner := *b.Runner
	if within == 0 {
		g.Guard, runner.Guard = runner.Guard, &g
		return runner.Run(ctx, p, on)
	}
	runner.Guard = &g
	return b.Timer.Run(ctx, runner, p, within, on)
}

// Record is a set-up that is in force.
type Record struct {
	Wish  Wish
	Steps []plan.Item

	// Own tells of each step whether this set-up did it: what was so before is
	// not its to take back.
	Own []bool

	did  []string
	gone string
	keep string
}

// key is the record's place in the store.
func (r *Record) key() string { return persist.ServiceKey(r.Wish.Service) }

// find gives the place of a step that does the same, or -1.
func (r *Record) find(s plan.Step) int {
	return slices.IndexFunc(r.Steps, func(i plan.Item) bool { return effect(i.Step) == effect(s) })
}

// effect names what a step brings about: steps with one effect need each other's
// work only once.
func effect(s plan.Step) string {
	if sysctl, ok := s.(plan.ChangeSysctl); ok {
		return s.Row() + "=" + sysctl.After
	}
	return s.Row()
}

// put sets or adds a step.
func (r *Record) put(item plan.Item, did string) {
	i := r.find(item.Step)
	if i < 0 {
		r.Steps, r.did = append(r.Steps, item), append(r.did, did)
		return
	}
	r.Steps[i], r.did[i] = item, did
}

// kept is a record in the store.
type kept struct {
	Wish  Wish            `json:"wish"`
	Steps json.RawMessage `json:"steps"`

	// Did has for each step the plan that did it, or "" when it was so before.
	Did []string `json:"did"`

	// Gone is the plan that takes the set-up back: it is gone when that is in
	// force.
	Gone string `json:"gone,omitempty"`

	// Keep is the plan after which, once nothing takes it back any more, the set-up
	// shall be made to last.
	Keep string `json:"keep,omitempty"`
}

func (b Book) file() persist.Side[kept] { return persist.NewSide[kept](b.Runner.Store, "setups.json") }

// List gives the set-ups that are in force, by their services.
func (b Book) List() (all []Record, err error) {
	err = b.all(func(r Record, f Fate) {
		if f == InForce {
			all = append(all, r)
		}
	})
	slices.SortFunc(all, func(a, b Record) int { return a.Wish.Service.Compare(b.Wish.Service) })
	return all, err
}

// journal is what came of plans, by their IDs.
type journal map[string]*persist.Entry

func (b Book) journal() (journal, error) {
	entries, err := b.Runner.Store.Plans()
	if err != nil {
		return nil, err
	}
	j := journal{}
	for _, e := range entries {
		j[e.ID] = e
	}
	return j, nil
}

// stands tells that what a plan did is there: it ended well and was not undone,
// or it has not ended. The journal forgets what is old; that stands.
func (j journal) stands(id string) bool {
	e := j[id]
	return e == nil || e.Ended == nil || e.InForce
}

// inForce tells what of a record stands, and whether any of it does.
func (j journal) inForce(r *Record) bool {
	if e := j[r.gone]; r.gone != "" && (e == nil || e.InForce) {
		return false
	}
	for i, id := range r.did {
		r.Own[i] = id != "" && j.stands(id)
	}
	return slices.Contains(r.Own, true)
}

func (k kept) record() (r Record, err error) {
	if err = json.Unmarshal(k.Steps, &r.Steps); err == nil && len(k.Did) != len(r.Steps) {
		err = fmt.Errorf("%d steps, not %d", len(r.Steps), len(k.Did))
	}
	if err != nil {
		return r, fmt.Errorf("cannot read the set-up of %s: %w", k.Wish.Service, err)
	}
	r.Wish, r.Own, r.did, r.gone, r.keep = k.Wish, make([]bool, len(r.Steps)), k.Did, k.Gone, k.Keep
	return r, nil
}

func (r *Record) kept() (kept, error) {
	steps, err := plan.Written(r.Steps)
	return kept{r.Wish, steps, r.did, r.gone, r.keep}, err
}

// update writes records, and drops those that are gone for good.
func (b Book) update(change func(map[string]*Record) error) error {
	j, err := b.journal()
	if err != nil {
		return err
	}
	var failed error
	err = b.file().Update(func(file map[string]kept) {
		var after map[string]kept
		if after, failed = j.rewrite(file, change); failed == nil {
			clear(file)
			maps.Copy(file, after)
		}
	})
	return cmp.Or(failed, err)
}

// rewrite changes what stands in a file. A set-up that is gone stays in it as long
// as the journal can bring it back.
func (j journal) rewrite(file map[string]kept, change func(map[string]*Record) error) (map[string]kept, error) {
	all := map[string]*Record{}
	for key, k := range file {
		r, err := k.record()
		if err != nil {
			return nil, err
		}
		if j.inForce(&r) {
			r.gone = "" // what took it back was undone
		} else if r.gone == "" || j[r.gone] == nil {
			continue
		}
		all[key] = &r
	}
	if err := change(all); err != nil {
		return nil, err
	}
	after := map[string]kept{}
	for key, r := range all {
		k, err := r.kept()
		if err != nil {
			return nil, err
		}
		after[key] = k
	}
	return after, nil
}

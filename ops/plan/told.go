package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"lvsdeck/persist"
)

// History is every plan of the journal, newest first.
type History struct {
	Entries []*persist.Entry
	Running string // the ID of the one that runs now, of whatever process
}

// ReadHistory reads the journal. It tells a plan that runs now from one that never
// ended: who runs stays the same while a plan is open, so it is enough to ask
// between two readings in which it is open. What only the second one has was begun
// meanwhile.
func ReadHistory(s *persist.Store) (h History, err error) {
	first, err := s.Plans()
	if err != nil || !slices.ContainsFunc(first, isOpen) {
		h.Entries = first
		slices.Reverse(h.Entries)
		return h, err
	}
	holder, _, err := s.Running()
	if err != nil {
		return h, err
	}
	if h.Entries, err = s.Plans(); err != nil {
		return h, err
	}
	slices.Reverse(h.Entries)
	for _, e := range h.Entries {
		seen := func(o *persist.Entry) bool { return o.ID == e.ID && isOpen(o) }
		if isOpen(e) && (e.ID == holder.Plan || !slices.ContainsFunc(first, seen)) {
			h.Running = e.ID
		}
	}
	return h, nil
}

func isOpen(e *persist.Entry) bool { return e.Ended == nil }

// Standing is in a few words what a plan is now.
func (h History) Standing(e *persist.Entry) string {
	switch {
	case e.ID == h.Running:
		return "running"
	case e.Ended == nil:
		return "unfinished"
	case e.InForce && len(e.Undone) > 0:
		return "partly undone"
	case e.InForce && e.Ended.Outcome == persist.Partly:
		return "partly in force"
	case e.InForce && e.Ended.Outcome == persist.Applied:
		return "in force"
	case e.Ended.Outcome == persist.Applied, e.Ended.Outcome == persist.Partly, len(e.Undone) > 0:
		return "undone"
	}
	return e.Ended.Outcome
}

// Find is the plan with an ID.
func (h History) Find(id string) (*persist.Entry, error) {
	for _, e := range h.Entries {
		if e.ID == id {
			return e, nil
		}
	}
	return nil, fmt.Errorf("the journal has no plan %q", id)
}

// UndoneBy is the plan in force that undid another, the last of it, or nil.
func (h History) UndoneBy(e *persist.Entry) *persist.Entry {
	if e.InForce {
		return nil
	}
	for _, o := range h.Entries {
		if o.InForce && o.Undoes == e.Whole() {
			return o
		}
	}
	return nil
}

// Last is the newest plan that can be undone and is not itself an undoing, or one
// that never ended: that comes before all older ones. Newer ones that nothing can
// take back, or that found all as it should be, are passed over, which is said in
// passed.
func (h History) Last() (last *persist.Entry, passed string, err error) {
	var over []string
	tell := func() string {
		if len(over) == 0 {
			return ""
		}
		return "passed over, there is nothing to take back: " + strings.Join(over, "; ")
	}
	for _, e := range h.Entries {
		if isOpen(e) && e.ID != h.Running {
			return e, tell(), nil
		}
		if !e.InForce || e.Undoes != "" {
			continue
		}
		if p, err := Reverse(e); err != nil || !p.Empty() {
			return e, tell(), err
		}
		over = append(over, e.Title)
	}
	err = errors.New("no change is in force that could be undone")
	if len(over) > 0 {
		err = fmt.Errorf("%w; %s", err, tell())
	}
	return nil, "", err
}

// Told is how the steps of a plan that has ended went, as far as the journal
// tells: nil of a plan that was left, since nobody looked how far it got.
func Told(e *persist.Entry, p Plan) []StepResult {
	if e.Ended == nil || Outcome(e.Ended.Outcome) == Left {
		return nil
	}
	already, stuck, beyond := setOf(e.Ended.Already), setOf(e.Ended.Stuck), setOf(e.Ended.Beyond)
	begun := e.UpTo
	if Outcome(e.Ended.Outcome) == NotBegun {
		begun = 0
	}
	for i := range e.Ended.Failed {
		if !e.Each && !stuck[i] {
			begun = min(begun, i) // the one at which the plan turned back
		}
	}
	applied := e.Ended.Outcome == persist.Applied || e.Ended.Outcome == persist.Partly
	steps := make([]StepResult, len(p.Items))
	for i := range steps {
		why, failed := e.Ended.Failed[i]
		switch {
		case failed && stuck[i]:
			steps[i] = StepResult{NotTakenBack, errors.New(why)}
		case failed:
			steps[i] = StepResult{Failed, errors.New(why)}
		case already[i]:
			steps[i].State = Already
		case applied:
			steps[i].State = Done
		case i < begun, beyond[i]:
			steps[i].State = TakenBack
		}
	}
	return steps
}

func setOf(list []int) map[int]bool {
	set := make(map[int]bool, len(list))
	for _, n := range list {
		set[n] = true
	}
	return set
}

// Undoing is the Reverse of a plan that is in force, as far as it is, or why it
// cannot be undone.
func Undoing(e *persist.Entry) (Plan, error) {
	switch {
	case e.Ended == nil:
		return Plan{}, fmt.Errorf("%q was begun and never ended: finish it or take it back first (J in the console; lvsdeck finish, lvsdeck undo)", e.Title)
	case !e.InForce:
		return Plan{}, fmt.Errorf("%q is not in force: there is nothing to undo", e.Title)
	}
	p, err := Reverse(e)
	if err == nil && p.Empty() {
		err = fmt.Errorf("%q: %w", e.Title, ErrIrreversible)
	}
	return p, err
}

package plan

import (
	"errors"
	"fmt"
	"slices"

	"lvsdeck/persist"
)

// Told is how the steps of a plan that has ended went, as far as the journal
// tells: nil of a plan that was left, since nobody looked how far it got.
func Told(e *persist.Entry, p Plan) []StepResult {
	if e.Ended == nil || Outcome(e.Ended.Outcome) == Left {
		return nil
	}
	begun := e.UpTo
	for i := range e.Ended.Failed {
		if !e.Each && !slices.Contains(e.Ended.Stuck, i) {
			begun = min(begun, i) // the one at which the plan turned back
		}
	}
	applied := e.Ended.Outcome == persist.Applied || e.Ended.Outcome == persist.Partly
	steps := make([]StepResult, len(p.Items))
	for i := range steps {
		why, failed := e.Ended.Failed[i]
		switch {
		case failed && slices.Contains(e.Ended.Stuck, i):
			steps[i] = StepResult{NotTakenBack, errors.New(why)}
		case failed:
			steps[i] = StepResult{Failed, errors.New(why)}
		case slices.Contains(e.Ended.Already, i):
			steps[i].State = Already
		case applied:
			steps[i].State = Done
		case i < begun:
			steps[i].State = TakenBack
		}
	}
	return steps
}

// Standing is in a few words what a plan of the journal is now.
func Standing(e *persist.Entry) string {
	switch {
	case e.Ended == nil:
		return "unfinished"
	case e.InForce && e.Ended.Outcome == persist.Partly:
		return "partly in force"
	case e.InForce:
		return "in force"
	case e.Ended.Outcome == persist.Applied, e.Ended.Outcome == persist.Partly:
		return "undone"
	}
	return e.Ended.Outcome
}

// Last is the newest plan that can be undone and is not itself an undoing, or
// nil. Plans stand as the journal has them, oldest first.
func Last(all []*persist.Entry) *persist.Entry {
	for _, e := range slices.Backward(all) {
		if e.InForce && e.Undoes == "" {
			return e
		}
	}
	return nil
}

// Undoing is the Reverse of a plan that is in force, or why it cannot be undone.
func Undoing(e *persist.Entry) (Plan, error) {
	if !e.InForce {
		return Plan{}, fmt.Errorf("%q is not in force (%s): there is nothing to undo", e.Title, Standing(e))
	}
	p, err := Reverse(e)
	if err == nil && p.Empty() {
		err = fmt.Errorf("%q: %w", e.Title, ErrIrreversible)
	}
	return p, err
}

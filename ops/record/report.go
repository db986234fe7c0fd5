package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"lvsdeck/ops/check"
	"lvsdeck/ops/plan"
)

// writtenFinding is a finding as a recording has it. What ends it is there as text:
// a recording is from elsewhere, and nothing of it is done.
type writtenFinding struct {
	check.Finding
	Fix *writtenFix `json:",omitempty"`
}

type writtenFix struct {
	Title, Note string
	Steps       []Told
}

// writeReport gives a report in JSON: its findings, which seldom change, by
// themselves.
func writeReport(r *check.Report) (rest, findings []byte, err error) {
	n := 0
	findings = append(findings, '[')
	for _, f := range r.Findings[:min(len(r.Findings), maxFindings)] {
		one, err := json.Marshal(written(f))
		if err != nil {
			return nil, nil, err
		}
		if len(findings)+len(one)+2 > maxEvent {
			break
		}
		if n++; n > 1 {
			findings = append(findings, ',')
		}
		findings = append(findings, one...)
	}
	without := *r
	without.Findings = nil
	if more := len(r.Findings) - n; more > 0 {
		without.Unread = append(slices.Clone(r.Unread), fmt.Sprintf("%d more findings were not recorded: a recording has room for %d of a round", more, n))
	}
	rest, err = json.Marshal(without)
	return rest, append(findings, ']'), err
}

func written(f check.Finding) writtenFinding {
	out := writtenFinding{Finding: f}
	if f.Fix == nil {
		return out
	}
	out.Fix = &writtenFix{Title: f.Fix.Title, Note: f.Fix.Note}
	for _, item := range f.Fix.Items {
		out.Fix.Steps = append(out.Fix.Steps, Told{item.Step.String(), item.Step.Command(), item.Reason, item.Step.Row(), item.Step.Counts()})
	}
	return out
}

// readReport reads it back.
func readReport(rest []byte, findings []check.Finding) (*check.Report, error) {
	r := &check.Report{}
	if err := json.Unmarshal(rest, r); err != nil {
		return nil, fmt.Errorf("a report of checks: %w", err)
	}
	r.Findings = findings
	return r, nil
}

func readFindings(text []byte) (all []check.Finding, err error) {
	err = eachOf(text, func(f writtenFinding) error {
		switch {
		case f.Severity > check.Fault:
			return fmt.Errorf("there is no severity %d", f.Severity)
		case len(all) == maxFindings:
			return fmt.Errorf("there are more than %d", maxFindings)
		}
		one := f.Finding
		if f.Fix != nil {
			one.Fix = &plan.Plan{Title: f.Fix.Title, Note: f.Fix.Note}
			for _, s := range f.Fix.Steps {
				one.Fix.Items = append(one.Fix.Items, plan.Item{Step: s, Reason: s.Reason})
			}
		}
		all = append(all, one)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("findings of checks: %w", err)
	}
	return all, nil
}

// Told is a step of a recording: its words, which can be read and not done.
type Told struct {
	Words, Commands, Reason, On string
	Adds                        plan.Counts
}

var errTold = errors.New("this is of a recording: it can only be read")

// String implements plan.Step.
func (t Told) String() string { return t.Words }

// Command implements plan.Step.
func (t Told) Command() string { return t.Commands }

// Row implements plan.Step.
func (t Told) Row() string { return t.On }

// Counts implements plan.Step.
func (t Told) Counts() plan.Counts { return t.Adds }

// Done implements plan.Step.
func (t Told) Done(context.Context, plan.Target) (bool, error) { return false, errTold }

// Do implements plan.Step.
func (t Told) Do(context.Context, plan.Target) error { return errTold }

// Undo implements plan.Step.
func (t Told) Undo() plan.Step { return nil }

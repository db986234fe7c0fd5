package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

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
	written := make([]writtenFinding, len(r.Findings))
	for i, f := range r.Findings {
		written[i].Finding = f
		if f.Fix == nil {
			continue
		}
		fix := &writtenFix{Title: f.Fix.Title, Note: f.Fix.Note}
		for _, item := range f.Fix.Items {
			fix.Steps = append(fix.Steps, Told{item.Step.String(), item.Step.Command(), item.Reason, item.Step.Row(), item.Step.Counts()})
		}
		written[i].Fix = fix
	}
	if findings, err = json.Marshal(written); err != nil {
		return nil, nil, err
	}
	without := *r
	without.Findings = nil
	rest, err = json.Marshal(without)
	return rest, findings, err
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

func readFindings(text []byte) ([]check.Finding, error) {
	var written []writtenFinding
	if err := json.Unmarshal(text, &written); err != nil {
		return nil, fmt.Errorf("findings of checks: %w", err)
	}
	all := make([]check.Finding, len(written))
	for i, f := range written {
		if f.Severity > check.Fault {
			return nil, fmt.Errorf("findings of checks: there is no severity %d", f.Severity)
		}
		all[i] = f.Finding
		if f.Fix == nil {
			continue
		}
		fix := &plan.Plan{Title: f.Fix.Title, Note: f.Fix.Note}
		for _, s := range f.Fix.Steps {
			fix.Items = append(fix.Items, plan.Item{Step: s, Reason: s.Reason})
		}
		all[i].Fix = fix
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

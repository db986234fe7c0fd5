package incident

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"lvsdeck/ops/alarm"
	"lvsdeck/ops/check"
	"lvsdeck/persist"
)

// Kind is what an Entry tells.
type Kind string

// The kinds.
const (
	Crossed Kind = "crossed" // a threshold is crossed
	Ended   Kind = "ended"   // it is not any more
	Found   Kind = "found"   // a check found something
	Gone    Kind = "gone"    // it finds it no more
	Noted   Kind = "note"    // an operator's own words
)

var kinds = []Kind{Crossed, Ended, Found, Gone, Noted}

var severities = []string{check.Notice.String(), check.Warning.String(), check.Fault.String()}

// begins tells the kinds that another one ends.
func (k Kind) begins() bool { return k == Crossed || k == Found }

// Entry is one line of the log.
type Entry struct {
	Time time.Time   `json:"time"`
	Kind Kind        `json:"kind"`
	Row  alarm.Row   `json:"row"`          // "": the director
	ID   string      `json:"id,omitempty"` // what begins and ends; none of a note
	By   persist.Who `json:"by"`           // at whose console it was seen

	// Of thresholds.
	Threshold *alarm.Threshold `json:"threshold,omitempty"`
	Value     float64          `json:"value,omitempty"`   // in the threshold's unit
	Since     *time.Time       `json:"since,omitempty"`   // the first reading beyond it
	Left      bool             `json:"left,omitempty"`    // it ended as the row left the table
	Removed   bool             `json:"removed,omitempty"` // it ended as the threshold is no more, or another

	// Of findings and notes.
	Severity string `json:"severity,omitempty"`
	Check    string `json:"check,omitempty"`
	Text     string `json:"text,omitempty"`
}

// The bounds of a text, in letters, and of a line, in bytes.
const (
	textMost = 1000
	lineMost = 16 << 10
)

var errNoEntry = errors.New("no entry of the incident log")

// parse reads a line.
func parse(line []byte) (e Entry, err error) {
	if len(line) > lineMost {
		return e, errNoEntry
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return e, err
	}
	switch {
	case e.Severity != "" && !slices.Contains(severities, e.Severity):
		return e, errNoEntry
	case e.Time.IsZero(), !slices.Contains(kinds, e.Kind), e.Kind != Noted && e.ID == "":
		return e, errNoEntry
	case e.Kind == Crossed || e.Kind == Ended:
		if e.Threshold == nil || e.Threshold.Check() != nil {
			return e, errNoEntry
		}
	}
	e.Text = cut(e.Text)
	return e, nil
}

func cut(s string) string {
	if utf8.RuneCountInString(s) <= textMost {
		return s
	}
	return string([]rune(s)[:textMost])
}

// line is an entry as the log has it.
func (e Entry) line() []byte {
	e.Time, e.Text = e.Time.UTC(), cut(e.Text)
	text, err := json.Marshal(e)
	if err != nil || len(text) > lineMost {
		return nil // no entry of ours
	}
	return append(text, '\n')
}

// entries reads lines, and counts those that make no sense.
func entries(text []byte) (all []Entry, broken int) {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if e, err := parse(line); err != nil {
			broken++
		} else {
			all = append(all, e)
		}
	}
	return all, broken
}

// open is what began and did not end, by what it is.
func open(all []Entry) map[string]Entry {
	on := map[string]Entry{}
	for _, e := range all {
		switch {
		case e.Kind == Noted:
		case e.Kind.begins():
			on[e.ID] = e
		default:
			delete(on, e.ID)
		}
	}
	return on
}

// ofEvent is what an event of a threshold is written down as.
func ofEvent(e alarm.Event) Entry {
	t := e.Threshold
	entry := Entry{Time: e.Time, Kind: Crossed, Row: t.Row, ID: "threshold " + t.Key(), Threshold: &t, Value: e.Value}
	if !e.Since.IsZero() {
		since := e.Since.UTC()
		entry.Since = &since
	}
	if e.Ended {
		entry.Kind, entry.Left = Ended, !e.Listed
	}
	return entry
}

// ofFinding is what a finding is written down as, when it comes or goes.
func ofFinding(f check.Finding, kind Kind, now time.Time) Entry {
	return Entry{
		Time: now, Kind: kind, Row: alarm.Row{Service: f.Service, Server: f.Server}, ID: findingID(f),
		Severity: f.Severity.String(), Check: f.Check, Text: f.Short,
	}
}

// findingID is what stays the same of a finding while its figures change.
func findingID(f check.Finding) string {
	return "finding " + f.Check + ", " + alarm.Row{Service: f.Service, Server: f.Server}.String()
}

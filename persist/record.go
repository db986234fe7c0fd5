package persist

import (
	"bytes"
	"encoding/json"
	"time"
)

// Kind is what a Record tells.
type Kind string

// The records of a plan, in the order in which they are written.
const (
	Begin Kind = "begin" // the plan with all its steps
	UpTo  Kind = "upto"  // steps before UpTo may have been begun; written before them
	Back  Kind = "back"  // it is being taken back
	End   Kind = "end"   // with an Outcome
)

// Record is one line of the journal. Time, ID and By are the Writer's.
type Record struct {
	Time time.Time `json:"time"`
	ID   string    `json:"plan"`
	Kind Kind      `json:"kind"`
	By   Who       `json:"by"`

	// Of Begin.
	Title  string `json:"title,omitempty"`
	Undoes string `json:"undoes,omitempty"` // the plan that this one takes back
	Each   bool   `json:"each,omitempty"`   // a step that fails does not end it
	Steps  any    `json:"steps,omitempty"`  // what encoding/json writes

	UpTo int `json:"upto,omitempty"` // of Begin and UpTo

	// Of UpTo and End: the steps that were so already, which taking back leaves.
	Already []int `json:"already,omitempty"`

	// Of End.
	Outcome string         `json:"outcome,omitempty"`
	Failed  map[int]string `json:"failed,omitempty"` // steps that are not as they should be, and why
	Stuck   []int          `json:"stuck,omitempty"`  // those of them that were done and could not be undone
	Beyond  []int          `json:"beyond,omitempty"` // steps after the one that failed that were done with it at once, and undone
}

// Entry is a plan as its records tell it.
type Entry struct {
	Record   // of Begin
	Steps    json.RawMessage
	UpTo     int     // steps before it may have been begun
	Already  []int   // steps that were so already
	GoesBack bool    // it was being taken back
	Ended    *Record // nil: it has not ended

	// InForce: it has ended as planned, and no other plan in force undoes it.
	InForce bool
}

// told is a Record as it is read: the steps stay as they were written.
type told struct {
	Record
	Steps json.RawMessage `json:"steps"`
}

// The outcomes that package plan writes and this package knows.
const (
	Applied = "applied"
	Partly  = "partly" // some steps failed, the others stay
)

// entries makes plans of the journal's text, oldest first. Lines that are not
// whole, as a crash leaves, are passed over; so is what is told of a plan whose
// beginning went with an older file. Lines that were carried into a new file tell
// the same once more.
func entries(text []byte) []*Entry {
	var all []*Entry
	known := map[string]*Entry{}
	for line := range bytes.Lines(text) {
		var r told
		if json.Unmarshal(line, &r) != nil {
			continue
		}
		e := known[r.ID]
		switch {
		case r.Kind == Begin && e == nil:
			e = &Entry{Record: r.Record, Steps: r.Steps, UpTo: r.Record.UpTo}
			known[r.ID], all = e, append(all, e)
		case e == nil:
		case r.Kind == UpTo:
			e.UpTo, e.Already = r.UpTo, r.Already
		case r.Kind == Back:
			e.GoesBack = true
		case r.Kind == End:
			e.Already, e.Ended = r.Already, &r.Record
		}
	}
	findInForce(all)
	return all
}

// findInForce goes from the newest to the oldest: what undoes a plan is newer.
func findInForce(all []*Entry) {
	undone := map[string]bool{}
	for i := len(all) - 1; i >= 0; i-- {
		e := all[i]
		e.InForce = e.Ended != nil && (e.Ended.Outcome == Applied || e.Ended.Outcome == Partly) && !undone[e.ID]
		if e.InForce && e.Undoes != "" {
			undone[e.Undoes] = true
		}
	}
}

// unfinished gives the lines of the plans that have not ended.
func unfinished(text []byte) []byte {
	open := map[string]bool{}
	for _, e := range entries(text) {
		open[e.ID] = e.Ended == nil
	}
	var kept []byte
	for line := range bytes.Lines(text) {
		var r told
		if json.Unmarshal(line, &r) == nil && open[r.ID] {
			kept = append(append(kept, bytes.TrimRight(line, "\n")...), '\n')
		}
	}
	return kept
}

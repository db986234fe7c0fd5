package persist

import (
	"bytes"
	"cmp"
	"encoding/json"
	"iter"
	"maps"
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
	Title  string          `json:"title,omitempty"`
	Undoes string          `json:"undoes,omitempty"` // the plan that this one takes back
	Each   bool            `json:"each,omitempty"`   // a step that fails does not end it
	Takes  []int           `json:"takes,omitempty"`  // for each of its steps the one of Undoes that it takes back
	Steps  json.RawMessage `json:"steps,omitempty"`

	// Of Begin, of a plan that is one of several on the same row.
	Continues string `json:"continues,omitempty"` // the first of them
	Toward    uint32 `json:"toward,omitempty"`    // the weight to which they bring it

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
	Record           // of Begin
	UpTo     int     // steps before it may have been begun
	Already  []int   // steps that were so already
	GoesBack bool    // it was being taken back
	Ended    *Record // nil: it has not ended

	Parts []*Entry // where it is one of several that belong together: all, oldest first

	// Undone are those of its steps that other plans in force have taken back.
	Undone map[int]bool

	// InForce: it has ended, and steps of it are in effect that could be undone
	// when they were last asked for.
	InForce bool
}

// Whole is the name under which it is undone: with all that it belongs together
// with.
func (e *Entry) Whole() string { return cmp.Or(e.Continues, e.ID) }

// InEffect gives what tells of each step whether it was done and stays done; of a
// plan that has not ended, whether it may have been.
func (e *Entry) InEffect() func(step int) bool {
	already := setOf(e.Already)
	if e.Ended == nil {
		return func(i int) bool { return i < e.UpTo && !already[i] }
	}
	stuck := setOf(e.Ended.Stuck)
	whole := e.Ended.Outcome == Applied || e.Ended.Outcome == Partly
	return func(i int) bool {
		_, failed := e.Ended.Failed[i]
		return !e.Undone[i] && (stuck[i] || whole && !failed && !already[i])
	}
}

func setOf(list []int) map[int]bool {
	set := make(map[int]bool, len(list))
	for _, n := range list {
		set[n] = true
	}
	return set
}

// line is a record as the journal has it, in pieces. The steps, megabytes in a large
// plan, are one of them as they are: encoding/json would look all through them once
// more.
func (r Record) line() (pieces [][]byte, err error) {
	steps := r.Steps
	r.Steps = nil
	line, err := json.Marshal(r)
	if err != nil || len(steps) == 0 {
		return [][]byte{append(line, '\n')}, err
	}
	if bytes.IndexByte(steps, '\n') >= 0 {
		var compact bytes.Buffer
		if err := json.Compact(&compact, steps); err != nil {
			return nil, err
		}
		steps = compact.Bytes()
	}
	return [][]byte{append(line[:len(line)-1], stepsKey...), steps, []byte("}\n")}, nil
}

// The outcomes that package plan writes and this package knows.
const (
	Applied  = "applied"
	Partly   = "partly"          // some steps failed, the others stay
	HalfBack = "half taken back" // those that are stuck stay
)

var stepsKey = []byte(`,"steps":`) // in a text its quotes would be escaped

// record reads a line. Steps at its end, where line puts them, are looked through
// only once.
func record(line []byte) (r Record, err error) {
	line = bytes.TrimSuffix(line, []byte{'\n'})
	head, rest, found := bytes.Cut(line, stepsKey)
	if steps, whole := bytes.CutSuffix(rest, []byte{'}'}); found && whole && json.Valid(steps) {
		err = json.Unmarshal(append(bytes.Clone(head), '}'), &r)
		r.Steps = steps
		return r, err
	}
	return r, json.Unmarshal(line, &r)
}

// records gives each line with what it tells. Lines that are not whole, as a crash
// leaves, are passed over.
func records(text []byte) iter.Seq2[[]byte, Record] {
	return func(yield func([]byte, Record) bool) {
		for line := range bytes.Lines(text) {
			if r, err := record(line); err == nil && !yield(line, r) {
				return
			}
		}
	}
}

// entries makes plans of the journal's text, oldest first. What is told of a plan
// whose beginning went with an older file is passed over. Lines that were carried
// into a new file tell the same once more.
func entries(text []byte) []*Entry {
	var all []*Entry
	known := map[string]*Entry{}
	for _, r := range records(text) {
		e := known[r.ID]
		switch {
		case r.Kind == Begin && e == nil:
			e = &Entry{Record: r, UpTo: r.UpTo, Already: r.Already}
			known[r.ID], all = e, append(all, e)
		case e == nil:
		case r.Kind == UpTo:
			e.UpTo, e.Already = r.UpTo, r.Already
		case r.Kind == Back:
			e.GoesBack = true
		case r.Kind == End:
			e.Already, e.Ended = r.Already, &r
		}
	}
	findParts(all)
	findInForce(all)
	return all
}

func findParts(all []*Entry) {
	parts := map[string][]*Entry{}
	for _, e := range all {
		parts[e.Whole()] = append(parts[e.Whole()], e)
	}
	for _, of := range parts {
		for _, e := range of {
			if len(of) > 1 {
				e.Parts = of
			}
		}
	}
}

// undoing is what plans were to take back of another one.
type undoing struct {
	asked, done map[int]bool
	whole       bool // all of it, as plans did whose steps do not say of which they are
}

// findInForce goes from the newest to the oldest: what undoes a plan is newer.
//
// The first undoing of a plan asks for every step that is in effect and can be
// undone. So a plan is in force until all that was ever asked for is done.
func findInForce(all []*Entry) {
	undoings := map[string]undoing{}
	for i := len(all) - 1; i >= 0; i-- {
		e := all[i]
		u := undoings[e.Whole()]
		e.Undone = u.done
		e.InForce = e.ends() && !u.whole && (len(u.asked) == 0 || len(u.done) < len(u.asked))
		if e.Undoes != "" && e.ends() {
			undoings[e.Undoes] = undoings[e.Undoes].by(e)
		}
	}
}

// ends tells that a plan has ended with steps in effect.
func (e *Entry) ends() bool {
	if e.Ended == nil {
		return false
	}
	switch e.Ended.Outcome {
	case Applied, Partly:
		return true
	case HalfBack:
		return len(e.Ended.Stuck) > 0
	}
	return false
}

// by is the same with what one more plan has taken back. A step that it found
// taken back already counts, too.
func (u undoing) by(e *Entry) undoing {
	u = undoing{maps.Clone(u.asked), maps.Clone(u.done), u.whole || e.InForce && len(e.Takes) == 0}
	if u.asked == nil {
		u.asked, u.done = map[int]bool{}, map[int]bool{}
	}
	inEffect, already := e.InEffect(), setOf(e.Already)
	for i, step := range e.Takes {
		u.asked[step] = true
		if inEffect(i) || already[i] && e.Ended.Outcome != HalfBack {
			u.done[step] = true
		}
	}
	return u
}

// unfinished gives the lines of the plans that have not ended.
func unfinished(text []byte) []byte {
	open := map[string]bool{}
	for _, e := range entries(text) {
		open[e.ID] = e.Ended == nil
	}
	var kept []byte
	for line, r := range records(text) {
		if open[r.ID] {
			kept = append(append(kept, bytes.TrimRight(line, "\n")...), '\n')
		}
	}
	return kept
}

package incident

import (
	"slices"
	"time"

	"lvsdeck/ops/alarm"
	"lvsdeck/persist"
)

// fileMost is where the log's file becomes the old one: some thousand entries.
const fileMost = 1 << 20

// Log is the incident log of a store.
type Log struct {
	lines persist.Lines
	by    persist.Who
}

// OpenLog is the log of a store.
func OpenLog(s *persist.Store) *Log {
	return &Log{persist.NewLines(s, "incidents", fileMost), s.Who()}
}

// History is what the log has.
type History struct {
	Entries []Entry // newest first
	Broken  int     // lines that make no sense
}

// Read reads the log.
func (l *Log) Read() (h History, err error) {
	text, err := l.lines.Read()
	if err != nil {
		return h, err
	}
	all, broken := entries(text)
	h.Broken = broken
	// What was seen at once stays in the order in which it was written.
	slices.SortStableFunc(all, func(a, b Entry) int { return a.Time.Compare(b.Time) })
	slices.Reverse(all)
	h.Entries = all
	return h, nil
}

// Between is the entries of a span of time, newest first.
func (h History) Between(from, to time.Time) (all []Entry) {
	for _, e := range h.Entries {
		if !e.Time.Before(from) && !e.Time.After(to) {
			all = append(all, e)
		}
	}
	return all
}

// Note writes down what an operator says, of a row or of the director.
func (l *Log) Note(row alarm.Row, text string, now time.Time) error {
	return l.write([]Entry{{Time: now, Kind: Noted, Row: row, Text: text}})
}

// write writes entries down, but for those that tell what the log says already:
// another console was first.
func (l *Log) write(all []Entry) error {
	return l.lines.Append(func(before []byte) (add []byte) {
		known, _ := entries(before)
		on, named := open(known), map[string]bool{}
		for _, e := range known {
			named[e.ID] = true
		}
		for _, e := range all {
			last, began := on[e.ID]
			switch {
			case e.Kind.begins() && began && last.Severity == e.Severity && sameLimit(last, e):
				continue
			case e.Kind.begins():
				on[e.ID] = e
			case e.Kind != Noted && !began && named[e.ID], began && !sameLimit(last, e):
				continue // else the log has forgotten that it began, not that it ended
			case e.Kind != Noted:
				delete(on, e.ID)
			}
			e.By, named[e.ID] = l.by, true
			add = append(add, e.line()...)
		}
		return add
	})
}

func sameLimit(a, b Entry) bool {
	return a.Threshold == nil || b.Threshold == nil || a.Threshold.Limit == b.Threshold.Limit
}

// open is what the log says has begun and not ended.
func (l *Log) open() (map[string]Entry, error) {
	text, err := l.lines.Read()
	if err != nil {
		return nil, err
	}
	all, _ := entries(text)
	return open(all), nil
}

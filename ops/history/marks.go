package history

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"lvsdeck/ops"
	"lvsdeck/ops/check"
)

// Kind is what a mark tells of.
type Kind uint8

// The kinds.
const (
	Seen    Kind = iota // a reading found the table changed, whoever did it
	Changed             // a plan of the journal
	Found               // a check found something
	Cleared             // and finds it no more
	Crossed             // a figure went beyond a threshold of the operator's
	Ended               // and came back
)

// LastKind is the last there is.
const LastKind = Ended

func (k Kind) String() string {
	return [...]string{"seen", "changed", "found", "cleared", "crossed", "ended"}[k]
}

// Mark is something that happened, to be shown beside the figures.
type Mark struct {
	Time  time.Time
	Until time.Time // of a plan: when it ended; zero: at once
	Kind  Kind
	About []Key // the rows it was about; none: many, or something else of the director
	Text  string

	Severity check.Severity `json:",omitempty"` // of what was found, or is found no more
	Plan     string         // of a plan of the journal: its ID, and who made it
	By       string
}

// Heavier compares marks by what they tell of somebody who looks for the cause of
// something: a fault that was found or a threshold that was crossed, what was
// changed, and then the rest.
func (m Mark) Heavier(o Mark) int { return cmp.Compare(o.rank(), m.rank()) }

func (m Mark) rank() int {
	switch {
	case m.Kind == Found && m.Severity == check.Fault, m.Kind == Crossed:
		return 5
	case m.Kind == Changed:
		return 4
	case m.Kind == Seen:
		return 3
	case m.Kind == Found:
		return 1 + int(m.Severity)
	}
	return 0
}

// Touches tells whether a mark is about the service of a row, or everything.
func (m Mark) Touches(k Key) bool {
	return len(m.About) == 0 || k == (Key{}) || slices.ContainsFunc(m.About, func(a Key) bool { return a.Service == k.Service })
}

// marksMax bounds the marks; the oldest go first.
const marksMax = 2_000

// Mark adds marks. One that is there is not added twice, and a plan that has ended
// meanwhile takes the place of what it was: a journal can be handed over again and
// again.
func (s *Store) Mark(marks ...Mark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mark(marks...)
}

func (s *Store) mark(marks ...Mark) {
	if len(marks) > marksMax { // of a long recording: the others would go at once
		marks = slices.Clone(marks)
		slices.SortStableFunc(marks, Mark.before)
		marks = marks[len(marks)-marksMax:]
	}
	for _, m := range marks {
		n, _ := slices.BinarySearchFunc(s.marks, m, Mark.before)
		for n < len(s.marks) && s.marks[n].Time.Equal(m.Time) && !m.isAs(s.marks[n]) {
			n++
		}
		if n < len(s.marks) && m.isAs(s.marks[n]) {
			s.marks[n] = m
		} else {
			s.marks = slices.Insert(s.marks, n, m)
		}
	}
	if over := len(s.marks) - marksMax; over > 0 {
		s.marks = slices.Delete(s.marks, 0, over)
	}
}

func (m Mark) before(o Mark) int { return m.Time.Compare(o.Time) }

// isAs tells whether a mark is another, or what became of it.
func (m Mark) isAs(o Mark) bool {
	if !m.Time.Equal(o.Time) || m.Kind != o.Kind || m.Plan != o.Plan {
		return false
	}
	// A row that came back is one that came for who has not seen it before.
	return m.Plan != "" || m.Text == o.Text || m.Kind == Seen && slices.Equal(m.About, o.About)
}

// Once puts marks in order, each once: a plan as it was told last, and of what a
// reading saw only what no plan explains.
func Once(marks []Mark) []Mark {
	type name struct {
		at   int64
		kind Kind
		text string
	}
	plans, others := map[string]int{}, map[name]bool{}
	var out []Mark
	for _, m := range marks {
		if m.Plan != "" {
			if i, ok := plans[m.Plan]; ok {
				out[i] = m
				continue
			}
			plans[m.Plan] = len(out)
		} else if n := (name{m.Time.UnixNano(), m.Kind, m.Text}); others[n] {
			continue
		} else {
			others[n] = true
		}
		out = append(out, m)
	}
	slices.SortStableFunc(out, Mark.before)
	return untold(out)
}

// Marks are those between two times, the first included, in order. What a reading
// saw of a plan of the journal is told by the plan alone.
func (s *Store) Marks(from, to time.Time) (out []Mark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range untold(s.marks) {
		if !m.Time.Before(from) && m.Time.Before(to) {
			out = append(out, m)
		}
	}
	return out
}

// seenWithin is how long after a plan's end a reading may find what it did.
const seenWithin = 5 * time.Second

// untold leaves out what a reading saw of a plan that stands before it.
func untold(marks []Mark) (out []Mark) {
	done := map[Key]time.Time{} // until when the latest plan changed a row
	for _, m := range marks {
		switch {
		case m.Kind == Changed:
			end := m.Time
			if m.Until.After(end) {
				end = m.Until
			}
			for _, k := range m.About {
				if end.After(done[k]) {
					done[k] = end
				}
			}
		case m.Kind == Seen && len(m.About) > 0:
			if end, ok := done[m.About[0]]; ok && !m.Time.After(end.Add(seenWithin)) {
				continue
			}
		}
		out = append(out, m)
	}
	return out
}

// Watch tells of changes of the table as a Store does, and keeps no figures.
type Watch struct {
	rows   Store // but its frames
	last   int64 // when the table was looked at; 0: never
	forgot int64
}

// Add gives what was changed since the sample before.
func (w *Watch) Add(sample *ops.Sample) []Mark {
	if sample.Err != nil || sample.Time.IsZero() {
		return nil
	}
	now, last := sample.Time.UnixNano(), w.last
	if now == last {
		return nil
	}
	seen := w.rows.follow(sample, now)
	if w.last = now; now < w.forgot || now >= w.forgot+int64(time.Minute) {
		w.rows.forget(now - int64(rowStays))
		w.forgot = now
	}
	if last == 0 {
		return nil
	}
	return seen.marks(sample.Time)
}

// changes are what one sample shows of changes of the table.
type changes struct {
	counts [3]int
	few    []Mark
}

// What can have happened to a row.
const (
	came = iota
	left
	edited
)

// fewChanges are told one by one; of more only how many.
const fewChanges = 8

// add is nil-safe: what is told of a service is not told of its servers.
func (c *changes) add(what int, k Key, text string) {
	if c == nil {
		return
	}
	c.counts[what]++
	if len(c.few) < fewChanges {
		c.few = append(c.few, Mark{Kind: Seen, About: []Key{k}, Text: k.String() + ": " + text})
	}
}

// service says what of a service was edited, as far as both are known.
func (c *changes) service(was *serviceRow, is *ops.Service) {
	switch {
	case was.is.Scheduler != is.Scheduler:
		c.add(edited, Key{Service: was.id}, fmt.Sprintf("scheduler %s to %s", was.is.Scheduler, is.Scheduler))
	case !was.partial && !is.Partial:
		c.add(edited, Key{Service: was.id}, "settings changed")
	}
}

// marks are the changes, seen at a time.
func (c *changes) marks(at time.Time) []Mark {
	sum := c.counts[came] + c.counts[left] + c.counts[edited]
	if sum > len(c.few) {
		var parts []string
		for i, what := range [...]string{"came", "left", "changed"} {
			if n := c.counts[i]; n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, what))
			}
		}
		return []Mark{{Time: at, Kind: Seen, Text: "rows of the table: " + strings.Join(parts, ", ")}}
	}
	for i := range c.few {
		c.few[i].Time = at
	}
	return c.few
}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

package history

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"lvsdeck/ops"
)

// Kind is what a mark tells of.
type Kind uint8

// The kinds.
const (
	Seen    Kind = iota // a reading found the table changed, whoever did it
	Changed             // a plan of the journal
	Found               // a check found something
	Cleared             // and finds it no more
)

func (k Kind) String() string {
	return [...]string{"seen", "changed", "found", "cleared"}[k]
}

// Mark is something that happened, to be shown beside the figures.
type Mark struct {
	Time  time.Time
	Until time.Time // of a plan: when it ended; zero: at once
	Kind  Kind
	About []Key // the rows it was about; none: many, or something else of the director
	Text  string
	Plan  string // of a plan of the journal: its ID, and who made it
	By    string
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
	for _, m := range marks {
		at, _ := slices.BinarySearchFunc(s.marks, m.Time, func(o Mark, t time.Time) int { return o.Time.Compare(t) })
		same := func(o Mark) bool {
			return o.Time.Equal(m.Time) && o.Kind == m.Kind && o.Plan == m.Plan && (o.Plan != "" || o.Text == m.Text)
		}
		n := at
		for n < len(s.marks) && s.marks[n].Time.Equal(m.Time) && !same(s.marks[n]) {
			n++
		}
		if n < len(s.marks) && same(s.marks[n]) {
			s.marks[n] = m
		} else {
			s.marks = slices.Insert(s.marks, n, m)
		}
	}
	if over := len(s.marks) - marksMax; over > 0 {
		s.marks = slices.Delete(s.marks, 0, over)
	}
}

// Marks are those between two times, the first included, in order. What a reading
// saw of a plan of the journal is told by the plan alone.
func (s *Store) Marks(from, to time.Time) (out []Mark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var plans []Mark
	for _, m := range s.marks {
		if m.Kind == Changed {
			plans = append(plans, m)
		}
		if !m.Time.Before(from) && m.Time.Before(to) && !slices.ContainsFunc(plans, m.toldBy) {
			out = append(out, m)
		}
	}
	return out
}

// seenWithin is how long after a plan's end a reading may find what it did.
const seenWithin = 5 * time.Second

// toldBy tells that a plan of the journal explains what a reading saw.
func (m Mark) toldBy(plan Mark) bool {
	until := plan.Time
	if plan.Until.After(until) {
		until = plan.Until
	}
	return m.Kind == Seen && len(m.About) > 0 && !m.Time.After(until.Add(seenWithin)) && slices.Contains(plan.About, m.About[0])
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

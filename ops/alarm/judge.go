package alarm

import (
	"cmp"
	"slices"
	"time"

	"lvsdeck/ops"
)

// Status is how a threshold stands.
type Status struct {
	Threshold
	Value   float64 // in the newest sample
	Known   bool    // so is it; otherwise Value says nothing
	Listed  bool    // the table has the row
	Crossed bool
	Since   time.Time // of Crossed: the first reading beyond it
}

// Event is a threshold that begins or ends to be crossed.
type Event struct {
	Status
	Time  time.Time
	Ended bool
}

// Judge compares samples with thresholds. It is no more than a memory between
// samples: whoever has one guards it.
type Judge struct {
	all  []*watched // in order of row, figure and direction
	last time.Time  // of the newest sample
}

// watched is a threshold with what was seen of it.
type watched struct {
	Status
	run   int       // readings in a row that speak for a change
	first time.Time // of these
	calm  int       // readings in a row that were not beyond it, while not crossed
	blank int       // readings in a row in which it was not known
	told  bool      // what is told of it, here or by a console before, is that it is crossed
}

// Set replaces the thresholds. Of those that stay as they are, what was seen is
// kept. Told names by their keys those of which it was last told that they were
// crossed, by a console before this one: should they turn out not to be, that they
// ended is told, too.
func (j *Judge) Set(all []Threshold, told func(key string) bool) {
	before := j.all
	j.all = make([]*watched, 0, len(all))
	for _, t := range all {
		if i := slices.IndexFunc(before, func(w *watched) bool { return w.Threshold == t }); i >= 0 {
			j.all = append(j.all, before[i])
			continue
		}
		j.all = append(j.all, &watched{Status: Status{Threshold: t}, told: told != nil && told(t.Key())})
	}
	slices.SortFunc(j.all, func(a, b *watched) int {
		return cmp.Or(a.Row.Service.Compare(b.Row.Service), a.Row.Server.Compare(b.Row.Server), cmp.Compare(a.Figure, b.Figure), cmp.Compare(a.Direction(), b.Direction()))
	})
}

// Look takes the next sample into account, and tells what began and ended with it.
// One that was completed later, and one of a reading that failed, are no readings
// of their own.
func (j *Judge) Look(s *ops.Sample) (events []Event) {
	if s.Err != nil {
		for _, w := range j.all {
			w.miss()
		}
		return nil
	}
	if s.Time.IsZero() || s.Time.Equal(j.last) {
		return nil
	}
	j.last = s.Time
	for _, w := range j.all {
		if e, ok := w.look(s); ok {
			events = append(events, e)
		}
	}
	return events
}

func (w *watched) look(s *ops.Sample) (e Event, ok bool) {
	w.Value, w.Known, w.Listed = w.Figure.Of(w.Row, s)
	if !w.Listed {
		w.run, w.calm = 0, 0
		return w.end(s.Time)
	}
	if !w.Known {
		w.miss()
		return e, false
	}
	w.blank = 0
	speaks := w.beyond(w.Value)
	w.calm++
	if speaks {
		w.calm = 0
	}
	if w.Crossed {
		speaks = w.back(w.Value)
	}
	switch {
	case !speaks:
		w.run = 0
		if !w.Crossed && w.calm >= w.Hold {
			return w.end(s.Time)
		}
		return e, false
	case w.run == 0:
		w.first = s.Time
	}
	if w.run++; w.run < w.Hold {
		return e, false
	}
	w.run = 0
	if w.Crossed {
		return w.end(s.Time)
	}
	w.Crossed, w.Since, w.told = true, w.first, true
	return Event{Status: w.Status, Time: s.Time}, true
}

// miss takes a reading into account in which it is not known. After as many of these
// as must speak for a change, those before and after them are not in a row.
func (w *watched) miss() {
	if w.blank++; w.blank >= w.Hold {
		w.run, w.calm = 0, 0
	}
}

// end tells that it is not crossed any more, if it was told that it is.
func (w *watched) end(now time.Time) (e Event, ok bool) {
	ok = w.told
	e = Event{Status: w.Status, Time: now, Ended: true}
	w.Crossed, w.Since, w.told = false, time.Time{}, false
	return e, ok
}

// All is how the thresholds stand.
func (j *Judge) All() []Status {
	all := make([]Status, len(j.all))
	for i, w := range j.all {
		all[i] = w.Status
	}
	return all
}

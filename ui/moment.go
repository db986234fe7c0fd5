package ui

import (
	"fmt"
	"strings"
	"time"
)

// Moment understands a time as operators write it: of the day, or from now. A
// time of day is that of the day now, or of the only other day that has it.
func Moment(typed string, now, from, to time.Time) (time.Time, error) {
	t, ok := now, false
	if strings.HasPrefix(typed, "-") || strings.HasPrefix(typed, "+") {
		d, err := time.ParseDuration(typed)
		t, ok = now.Add(d), err == nil
	}
	for _, form := range []string{"15:04", time.TimeOnly} {
		if of, err := time.Parse(form, typed); err == nil {
			at := func(day time.Time) time.Time {
				return time.Date(day.Year(), day.Month(), day.Day(), of.Hour(), of.Minute(), of.Second(), 0, now.Location())
			}
			t, ok = at(now), true
			for _, day := range []time.Time{from.In(now.Location()), to.In(now.Location())} {
				if t.Before(from) || t.After(to) {
					t = at(day)
				}
			}
		}
	}
	for _, form := range []string{"2006-01-02 15:04", time.DateTime} {
		if of, err := time.ParseInLocation(form, typed, now.Location()); err == nil {
			t, ok = of, true
		}
	}
	if !ok {
		return t, fmt.Errorf("%q is no time: write 14:03, 14:03:20, -10m or +30s", typed)
	}
	if within := time.Second; t.Before(from.Add(-within)) || t.After(to) {
		from, to = from.In(now.Location()), to.In(now.Location())
		form := time.TimeOnly
		if from.Format(time.DateOnly) != to.Format(time.DateOnly) {
			form = time.DateTime
		}
		return t, fmt.Errorf("%q is not between %s and %s", typed, from.Format(form), to.Format(form))
	}
	return t, nil
}

package figure

import "time"

// Above is the smallest round number at or above n, but at least 2. Its half is
// round too: an axis that ends with it has both at its end and in its middle.
func Above(n uint64) uint64 {
	for _, top := range [...]uint64{2, 4, 6, 8} {
		if top >= n {
			return top
		}
	}
	for unit := uint64(1); ; unit *= 10 {
		for _, top := range [...]uint64{10, 12, 16, 20, 30, 40, 60, 80} {
			if top*unit >= n || top*unit >= 1<<60 {
				return top * unit
			}
		}
	}
}

// Tick is a moment that stands under a column of a time axis.
type Tick struct {
	Column int
	Text   string // in local time: 15:04, or 15:04:05
}

// tickSteps are the round distances between ticks.
var tickSteps = [...]time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// Ticks are the round moments of a span of time that is drawn in so many columns,
// as many as can be read. A tick's text fits to the right of its column. The clock
// is that of from's location.
func Ticks(from, to time.Time, columns int) (ticks []Tick) {
	span := to.Sub(from)
	if span <= 0 || columns <= 0 {
		return nil
	}
	step, form := tickSteps[len(tickSteps)-1], "15:04"
	for _, s := range tickSteps {
		f := "15:04"
		if s < time.Minute {
			f = "15:04:05"
		}
		if float64(columns)*float64(s)/float64(span) >= float64(len(f)+3) {
			step, form = s, f
			break
		}
	}
	_, zone := from.Zone()
	local := time.Duration(zone) * time.Second
	first, free := from.Add(local).Truncate(step).Add(-local), 0
	for at := first; at.Before(to); at = at.Add(min(step, time.Hour)) {
		column := int(float64(at.Sub(from)) / float64(span) * float64(columns))
		if !at.Before(from) && round(at, step) && column >= free && column+len(form) <= columns {
			ticks = append(ticks, Tick{column, at.Format(form)})
			free = column + len(form) + 1
		}
	}
	return ticks
}

// round tells that a clock shows a round time, also when it was put on or back
// within the span.
func round(at time.Time, step time.Duration) bool {
	_, zone := at.Zone()
	wall := at.Add(time.Duration(zone) * time.Second)
	return wall.Truncate(step).Equal(wall)
}

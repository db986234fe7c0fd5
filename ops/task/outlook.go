package task

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// What an outlook needs, and how far it dares to look.
const (
	outlookPoints = 4
	outlookSpan   = 10 * time.Second
	horizon       = 24 * time.Hour
	clearly       = 0.7 // how far the curve may be off, of how far the line is
)

// outlook is where a number goes, by the way it went.
type outlook struct {
	known     bool
	perMinute float64       // its change now
	steady    bool          // it does not change to speak of
	left      time.Duration // until nothing is left; 0: no end in sight
}

// outlookOf fits a straight line and an exponential curve: servers lose
// connections evenly when clients are sent away, and ever more slowly when each
// connection ends in its own time. The line decides unless the curve is clearly
// nearer to what was seen: it foretells a much longer tail. Both are medians over
// all pairs of points (Theil and Sen), so that single jumps, such as a client that
// closes a hundred at once, do not tilt them.
func outlookOf(at []time.Time, n []float64) outlook {
	last := len(n) - 1
	if len(n) < outlookPoints || at[last].Sub(at[0]) < outlookSpan {
		return outlook{}
	}
	t, logs := make([]float64, len(n)), make([]float64, len(n))
	for i := range n {
		t[i] = at[i].Sub(at[0]).Seconds()
		logs[i] = math.Log(n[i] + 0.5) // 0 when the last one is halfway gone
	}
	straight, bent := fit(t, n), fit(t, logs)
	perSecond, left := straight.slope, n[last]/-straight.slope
	curve := miss(n, func(i int) float64 { return math.Exp(bent.at(t[i])) - 0.5 })
	if curve < clearly*miss(n, func(i int) float64 { return straight.at(t[i]) }) {
		perSecond, left = bent.slope*(n[last]+0.5), logs[last]/-bent.slope
	}
	o := outlook{known: true, perMinute: perSecond * 60, steady: math.Abs(perSecond)*t[last] < 1}
	if !o.steady && perSecond < 0 && left <= horizon.Seconds() {
		o.left = time.Duration(max(left, 1) * float64(time.Second))
	}
	return o
}

// trend is "falling 4/min".
func (o outlook) trend() string {
	way := "rising"
	if o.perMinute < 0 {
		way = "falling"
	}
	switch per := math.Abs(o.perMinute); {
	case !o.known:
		return ""
	case o.steady:
		return "steady"
	case per >= 1:
		return fmt.Sprintf("%s %.0f/min", way, per)
	default:
		return fmt.Sprintf("%s %.0f/h", way, max(1, per*60))
	}
}

// estimate is "about 4 min left".
func (o outlook) estimate() string {
	switch {
	case !o.known:
		return "too early to tell"
	case o.left == 0:
		return "no end in sight"
	}
	return "about " + span(o.left) + " left"
}

// span is a time as rough as an estimate is: "40 s", "4 min", "3 h".
func span(d time.Duration) string {
	up := func(unit time.Duration) int { return int((d + unit - 1) / unit) }
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(1, up(time.Second)))
	case d < 90*time.Minute:
		return fmt.Sprintf("%d min", up(time.Minute))
	}
	return fmt.Sprintf("%d h", up(time.Hour))
}

type line struct{ slope, start float64 }

func (l line) at(t float64) float64 { return l.start + l.slope*t }

// fit is the line of Theil and Sen through points.
func fit(t, y []float64) line {
	var slopes []float64
	for i := range t {
		for j := range i {
			if t[i] > t[j] {
				slopes = append(slopes, (y[i]-y[j])/(t[i]-t[j]))
			}
		}
	}
	slope := median(slopes)
	starts := make([]float64, len(t))
	for i := range t {
		starts[i] = y[i] - slope*t[i]
	}
	return line{slope, median(starts)}
}

func median(v []float64) float64 {
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// miss is by how much a fit is off, summed up.
func miss(n []float64, at func(int) float64) (sum float64) {
	for i := range n {
		sum += math.Abs(n[i] - at(i))
	}
	return sum
}

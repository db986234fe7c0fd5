package task

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// course is a number over time, a point every 5 s.
func course(span time.Duration, n func(seconds float64) float64) outlook {
	var at []time.Time
	var y []float64
	for t := time.Duration(0); t <= span; t += watchEvery {
		at, y = append(at, noon.Add(t)), append(y, math.Round(max(0, n(t.Seconds()))))
	}
	return outlookOf(at, y)
}

func TestOutlook(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for name, c := range map[string]struct {
		span  time.Duration
		n     func(float64) float64
		trend string
		left  time.Duration // 0: no end in sight
		off   time.Duration
	}{
		"even fall":         {5 * time.Minute, func(s float64) float64 { return 1000 - s }, "falling 60/min", 700 * time.Second, 5 * time.Second},
		"even fall, noisy":  {5 * time.Minute, func(s float64) float64 { return 1000 - s + dice.Float64()*40 }, "", 700 * time.Second, 60 * time.Second},
		"each in its time":  {5 * time.Minute, func(s float64) float64 { return 4000 * math.Exp(-s/120) }, "", 120 * 6 * time.Second, 150 * time.Second},
		"a client leaves":   {5 * time.Minute, func(s float64) float64 { return 500 - 300*math.Floor(s/295) }, "steady", 0, 0},
		"a client leaves 2": {5 * time.Minute, func(s float64) float64 { return 2000 - s - 300*math.Floor(s/200) }, "", 1400 * time.Second, 300 * time.Second},
		"steady":            {5 * time.Minute, func(float64) float64 { return 12 }, "steady", 0, 0},
		"wavering":          {5 * time.Minute, func(s float64) float64 { return 100 + 3*math.Sin(s) }, "steady", 0, 0},
		"rising":            {5 * time.Minute, func(s float64) float64 { return s / 10 }, "rising 6/min", 0, 0},
		"too slow to end":   {5 * time.Minute, func(s float64) float64 { return 1e6 - s }, "falling 60/min", 0, 0},
		"a few, one by one": {5 * time.Minute, func(s float64) float64 { return 5 - math.Floor(s/100) }, "", 4 * time.Minute, 2 * time.Minute},
	} {
		got := course(c.span, c.n)
		if !got.known || c.trend != "" && got.trend() != c.trend {
			t.Errorf("%s: trend %q, want %q", name, got.trend(), c.trend)
		}
		if d := (got.left - c.left).Abs(); d > c.off || (c.left == 0) != (got.left == 0) {
			t.Errorf("%s: %v left, want %v within %v", name, got.left, c.left, c.off)
		}
	}
	if o := course(5*time.Second, func(float64) float64 { return 3 }); o.known || o.estimate() != "too early to tell" || o.trend() != "" {
		t.Errorf("two points should be too few, got %+v", o)
	}
}

func TestWordsForTimes(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "1 s", 40 * time.Second: "40 s", 61 * time.Second: "2 min", 4 * time.Minute: "4 min",
		89 * time.Minute: "89 min", 2 * time.Hour: "2 h", 150 * time.Minute: "3 h",
	} {
		if got := span(d); got != want {
			t.Errorf("%v reads %q, want %q", d, got, want)
		}
	}
	slow := outlook{known: true, perMinute: -0.1}
	if got := slow.trend(); got != "falling 6/h" {
		t.Errorf("a slow fall reads %q", got)
	}
}

// FuzzOutlook: whatever was seen, the answer is a sane one.
func FuzzOutlook(f *testing.F) {
	f.Add([]byte{9, 8, 7, 6, 5, 4}, byte(5))
	f.Add([]byte{0, 0, 0, 255, 0, 0}, byte(0))
	f.Fuzz(func(t *testing.T, n []byte, every byte) {
		var at []time.Time
		var y []float64
		for i, v := range n[:min(len(n), 60)] {
			at, y = append(at, noon.Add(time.Duration(i)*time.Duration(every)*time.Second)), append(y, float64(v))
		}
		if len(y) == 0 || y[len(y)-1] == 0 {
			return
		}
		o := outlookOf(at, y)
		if math.IsNaN(o.perMinute) || math.IsInf(o.perMinute, 0) || o.left < 0 || o.left > horizon || o.left > 0 && o.perMinute >= 0 {
			t.Errorf("%v every %d s: %+v", n, every, o)
		}
	})
}

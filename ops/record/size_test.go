package record

import (
	"fmt"
	"io"
	"testing"
	"time"

	"lvsdeck/ops"
)

// The sizes that are stated in doc.go: of 1,000 services with 10 servers each, read
// every 2 s, in bytes for each sample.
const (
	usualBytes = 42_000  // all connections move; the counters of 40 services are on screen
	worstBytes = 125_000 // all counters, too
)

// crowdSamples are samples of a crowd, all of which have one key.
func crowdSamples(t testing.TB, all bool, n int, each func(*ops.Sample)) {
	c := newCrowd(1000, 10)
	c.focus, c.all = c.ids[:40], all
	observe(t, c, n, each)
}

func TestSize(t *testing.T) {
	for _, c := range []struct {
		all  bool
		most int64
	}{{false, usualBytes}, {true, worstBytes}} {
		w, err := NewWriter(io.Discard, testHead)
		must(t, err)
		crowdSamples(t, c.all, keySamples, func(s *ops.Sample) { must(t, w.Sample(s)) })
		must(t, w.Flush())
		each := w.wrote / keySamples
		t.Logf("counters of all %v: %d bytes a sample, %.0f MB an hour", c.all, each, float64(each)*1800/1e6)
		if each > c.most {
			t.Errorf("counters of all %v: want at most %d bytes a sample, got %d", c.all, c.most, each)
		}
	}
}

// BenchmarkWrite is what recording costs for each sample, BenchmarkRead what playing
// does.
func BenchmarkWrite(b *testing.B) {
	for _, all := range []bool{false, true} {
		b.Run(fmt.Sprintf("all=%v", all), func(b *testing.B) {
			w, err := NewWriter(io.Discard, testHead)
			must(b, err)
			b.StopTimer()
			b.ReportAllocs()
			crowdSamples(b, all, b.N, func(s *ops.Sample) {
				b.StartTimer()
				must(b, w.Sample(s))
				b.StopTimer()
			})
			b.ReportMetric(float64(w.wrote)/float64(b.N), "B/sample")
		})
	}
}

func BenchmarkRead(b *testing.B) {
	var samples []*ops.Sample
	crowdSamples(b, false, 60, func(s *ops.Sample) { samples = append(samples, s) })
	f := read(b, recorded(b, samples))
	c := f.at(0, time.Time{})
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := c.Next(); err == io.EOF {
			c = f.at(0, time.Time{})
		} else {
			must(b, err)
		}
	}
}

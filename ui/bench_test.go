package ui

import (
	"slices"
	"testing"
	"time"

	uv "github.com/charmbracelet/ultraviolet"
)

// benchKeys are keys that each change the screen, in an order that comes around:
// moving, paging, sorting, turning the sort, other columns, detail, filtering.
var benchKeys = []string{
	"down", "pgdown", "pgdown", "up", ">", "r", "end", "home", "2", "1", "tab", "down", "tab",
	"/", "1", "0", ".", "2", "esc", "!", "!", "<", "o", "o",
}

// BenchmarkKey100k is a key press until its finished frame is written, through
// the whole program, at 100,000 real servers, all open.
func BenchmarkKey100k(b *testing.B) {
	p, w, stop := run(b, newFakeSource(manyServers()))
	defer stop()
	settle(p, w)
	took := make([]time.Duration, 0, b.N)
	for i := 0; b.Loop(); i++ {
		n := w.count()
		start := time.Now()
		p.Send(keyMsg(benchKeys[i%len(benchKeys)]))
		w.frame(n)
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(took[len(took)/2]), "p50-ms")
	b.ReportMetric(ms(took[len(took)*99/100]), "p99-ms")
}

// BenchmarkSample100k is a new sample of 100,000 servers, sorted by a rate.
func BenchmarkSample100k(b *testing.B) {
	samples := [2]struct{ src *fakeSource }{{newFakeSource(manyServers())}, {newFakeSource(manyServers())}}
	m, src := console(b, samples[0].src.Latest(), 80, 24, nil)
	press(m, "o", "<", "<")
	for i := 0; b.Loop(); i++ {
		src.latest.Store(samples[i%2].src.Latest())
		m.Update(sampleMsg{})
		m.View()
	}
}

// BenchmarkView is one frame drawn from scratch, at the sizes operators have.
func BenchmarkView(b *testing.B) {
	for _, size := range []struct {
		name          string
		width, height int
	}{{"80x24", 80, 24}, {"200x50", 200, 50}} {
		b.Run(size.name, func(b *testing.B) {
			m, _ := console(b, manyServers(), size.width, size.height, nil)
			press(m, "o")
			b.ReportAllocs()
			for b.Loop() {
				m.stale = true
				m.View()
			}
		})
	}
}

// BenchmarkCells is what Bubble Tea adds: the frame parsed into cells.
func BenchmarkCells(b *testing.B) {
	m, _ := console(b, manyServers(), 80, 24, nil)
	press(m, "o")
	frame := m.View().Content
	buf := uv.NewScreenBuffer(80, 24)
	for b.Loop() {
		uv.NewStyledString(frame).Draw(buf, buf.Bounds())
	}
}

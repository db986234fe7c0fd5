package record

import (
	"context"
	"testing"

	"lvsdeck/ops"
	"lvsdeck/ops/history"
)

// BenchmarkStep is what a step costs at 1,000 services with 10 servers each, all of
// which move, with the history of a replay told: on, and back.
func BenchmarkStep(b *testing.B) {
	var samples []*ops.Sample
	crowdSamples(b, false, 500, func(s *ops.Sample) { samples = append(samples, s) })
	f := read(b, recorded(b, samples))
	samples = nil
	p, err := NewPlayer(f)
	must(b, err)
	seen := history.New()
	p.Tell(seen)
	p.Play(false)
	ctx, stop := context.WithCancel(b.Context())
	go p.Run(ctx)
	defer stop()
	does := func(f func()) {
		f()
		done := make(chan struct{})
		p.order(func() { close(done) })
		<-done
		for p.State().Filling {
			<-p.Updated()
		}
	}
	does(func() { p.Step(450) })
	b.Run("on", func(b *testing.B) {
		for b.Loop() {
			does(func() { p.Step(1) })
			if p.State().Ended {
				b.StopTimer()
				does(func() { p.Step(-40) })
				b.StartTimer()
			}
		}
	})
	b.Run("back", func(b *testing.B) {
		for b.Loop() {
			does(func() { p.Step(-1) })
		}
	})
}

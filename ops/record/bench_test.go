package record

import (
	"context"
	"testing"

	"lvsdeck/ops"
	"lvsdeck/ops/history"
)

// BenchmarkStep is what a step costs at 1,000 services with 10 servers each, all of
// which move, with a history that listens: on, back as far as there are stands, and to
// the picture of a place where there are none.
func BenchmarkStep(b *testing.B) {
	var samples []*ops.Sample
	crowdSamples(b, false, 500, func(s *ops.Sample) { samples = append(samples, s) })
	f := read(b, recorded(b, samples))
	samples = nil
	p, err := NewPlayer(f)
	must(b, err)
	p.Tell(history.New())
	p.Play(false)
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	go p.Run(ctx)
	steps := func(by int) {
		p.Step(by)
		done := make(chan struct{})
		p.order(func() { close(done) })
		<-done
	}
	rest := func(b *testing.B, by int) {
		b.StopTimer()
		steps(by)
		for p.State().Filling {
			<-p.Updated()
		}
		b.StartTimer()
	}
	bench := func(name string, by, most int) { // so many, and then back to where it was
		b.Run(name, func(b *testing.B) {
			for i := 1; b.Loop(); i++ {
				if steps(by); i%most == 0 {
					rest(b, -most*by)
				}
			}
		})
	}
	rest(b, 450)
	bench("on", 1, 40)
	bench("back", -1, 80)
	bench("far", -400, 1)
}

package record

import (
	"math/rand/v2"
	"slices"
	"testing"

	"lvsdeck/ops"
)

// TestWalk goes back and forth, now and then before what was asked for is done: what
// is shown and what was heard are always as when it is played straight on.
func TestWalk(t *testing.T) {
	all := newLife(t, 20).samples(1300)
	var to []*ops.Sample // where a jump can go to: the first of their moment
	for i, s := range all {
		if i == 0 || s.Time.After(all[i-1].Time) {
			to = append(to, s)
		}
	}
	p := run(t, read(t, recorded(t, all[:700], all[700:])), all)
	r := rand.New(rand.NewPCG(5, 5))
	at := 0
	for range 300 {
		for range 1 + r.IntN(3) {
			switch by := 1 + r.IntN(12); r.IntN(12) {
			case 0:
				s := to[r.IntN(len(to))]
				p.Jump(s.Time)
				at = slices.Index(all, s)
			case 1, 2, 3:
				at = min(at+1, 1299)
				p.Step(1)
			case 4:
				at = min(at+by*20, 1299)
				p.Step(by * 20)
			case 5, 6:
				at = max(at-by*8, 0)
				p.Step(-by * 8)
			default:
				at = max(at-by%3-1, 0)
				p.Step(-by%3 - 1)
			}
		}
		p.shows(at)
		if len(p.stands) > standsMost {
			t.Fatalf("%d stands, at most %d are kept", len(p.stands), standsMost)
		}
	}
}

// TestStepsBackAreNotToldAnew: as far back as there are stands, who listens need not
// hear anew what was before.
func TestStepsBackAreNotToldAnew(t *testing.T) {
	const n = standsMost * standEvery
	p := play(t, newLife(t, 22).samples(n+200))
	for range n + 100 {
		p.Step(1)
	}
	p.shows(n + 100)
	anew := p.anew
	for i := range n - standEvery {
		p.Step(-1)
		if i%50 == 0 {
			p.shows(n + 99 - i)
		}
	}
	p.shows(100 + standEvery)
	if p.anew != anew {
		t.Errorf("it was told anew %d times", p.anew-anew)
	}
	// And after a jump once what was before is told.
	p.Step(-90)
	p.shows(10 + standEvery)
	p.Jump(p.all[n].Time)
	p.does()
	anew = p.anew
	for range 2 * standEvery {
		p.Step(-1)
	}
	p.does()
	if p.anew != anew {
		t.Errorf("after a jump it was told anew %d times", p.anew-anew)
	}
}

// TestStandsAreFew in a table that is large.
func TestStandsAreFew(t *testing.T) {
	for _, c := range []struct{ services, want int }{{0, standsMost}, {100, standsMost}, {1000, 11}, {100_000, standsLess}} {
		s := &ops.Sample{Services: make([]*ops.Service, c.services)}
		for i := range s.Services {
			s.Services[i] = &ops.Service{Servers: make([]*ops.Server, 10)}
		}
		if got := stands(s); got != c.want {
			t.Errorf("%d services with 10 servers: %d stands, want %d", c.services, got, c.want)
		}
	}
}

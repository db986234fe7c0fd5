// Package demo makes up a director with believable traffic, over a table and a host
// in memory, for people who want to look at lvsdeck without root, and for
// pictures and tests that need the same table each time.
//
// Out of scope: real packets, connections that can be followed from one reading
// to the next, and the schedulers' exact choices; new connections are shared by
// weight.
package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
)

// Kind is which director is made up.
type Kind string

// The kinds.
const (
	Steady   Kind = "steady"   // an ordinary site on an ordinary day
	Incident Kind = "incident" // the same on a bad day
	Big      Kind = "big"      // 1,000 services with 100 servers each
)

// Kinds lists the kinds.
func Kinds() []Kind { return []Kind{Steady, Incident, Big} }

// ParseKind finds a kind by its name.
func ParseKind(name string) (Kind, error) {
	var names []string
	for _, k := range Kinds() {
		if name == string(k) {
			return k, nil
		}
		names = append(names, string(k))
	}
	return "", fmt.Errorf("there is no demo %q; choose one of: %s", name, strings.Join(names, ", "))
}

// step is how far simulated time goes at once. Connections are seen to move
// between two turns of the estimator, as on a real director.
const step = time.Second

// uptime is how long the director has been counting when a demo begins.
const uptime = 9 * 24 * time.Hour

// Demo is a made-up director. Its table may be edited like any other, at any
// time: traffic follows weights, and goes to what is added. Time must pass in
// one goroutine only.
type Demo struct {
	kind    Kind
	seed    uint64
	table   *memory.Table
	host    *netcfg.Memory
	loads   map[ipvs.ServiceID]*load // outlives its service, which an undo may bring back
	servers int                      // in the beginning
	random  *rand.Rand
	turns   int // a service is brought up to date in one of so many steps

	clock  time.Duration // simulated time since the beginning
	ahead  time.Duration // what Advance was given and is not a whole step yet
	steps  int
	script []event
	calm   time.Duration // how long the script has to wait
}

// New makes up a director. Kind and seed make it the same each time.
func New(kind Kind, seed uint64) *Demo {
	d := &Demo{
		kind:   kind,
		seed:   seed,
		table:  memory.New(),
		loads:  map[ipvs.ServiceID]*load{},
		random: rand.New(rand.NewPCG(seed, 0)),
		turns:  1,
	}
	d.table.Resize(1 << 17)
	switch kind {
	case Big:
		d.turns = bigTurns
		d.table.Resize(1 << 21)
		d.buildBig()
	case Incident:
		d.buildSite()
		d.script = append(d.script, badDay...)
	default:
		d.buildSite()
	}
	d.newHost()
	return d
}

// Table is the director's table.
func (d *Demo) Table() *memory.Table { return d.table }

// Advance lets simulated time pass.
func (d *Demo) Advance(by time.Duration) {
	for d.ahead += by; d.ahead >= step; d.ahead -= step {
		d.clock += step
		d.steps++
		d.play()
		d.pass(step*time.Duration(d.turns), d.steps%d.turns)
	}
}

// Run lets time pass as it does, until the context is done.
func (d *Demo) Run(ctx context.Context) {
	tick := time.NewTicker(step)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			d.Advance(step)
		}
	}
}

// primeRows bounds what Prime costs: so many rows are read in all its readings
// together, but never fewer readings than primeLeast. The rest of primeFor is
// simulated and read at primeStep, where the bound allows it.
const (
	primeRows  = 20_000
	primeLeast = 2 * ops.TrendEvery
	primeFor   = 64 * time.Minute
	primeStep  = 10 * time.Second
)

// Prime gives a sampler a past that ends now: readings in simulated time, the last
// ones at its interval, so that trends are full in the first frame, and whoever
// hears the samples knows the last hour (a big director has only a few). A script
// waits for the end of it.
func (d *Demo) Prime(ctx context.Context, s *ops.Sampler, now time.Time) {
	most := max(primeLeast, primeRows/d.servers)
	readings := min(ops.TrendLen*ops.TrendEvery, most)
	past := time.Duration(readings) * s.Interval()
	far := int((primeFor - past) / primeStep)
	if far < 0 || readings+far > most {
		far = 0
	}
	d.calm = d.clock + time.Duration(far)*primeStep + past
	interval := s.Interval()
	s.SetInterval(primeStep)
	for i := range far {
		d.clock += primeStep
		d.play()
		d.pass(primeStep, everyTurn)
		s.Observe(ctx, now.Add(-past-time.Duration(far-1-i)*primeStep))
	}
	s.SetInterval(interval)
	d.Play(ctx, s, now.Add(-past), past)
}

// Play lets time pass from a moment on, and a sampler watch it at its interval.
func (d *Demo) Play(ctx context.Context, s *ops.Sampler, from time.Time, long time.Duration) {
	for played := s.Interval(); played <= long; played += s.Interval() {
		d.Advance(s.Interval())
		s.Observe(ctx, from.Add(played))
	}
}

package plan

import (
	"errors"
	"fmt"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
)

// fullSite is a site with two services more.
func fullSite(t testing.TB) (*memory.Table, *bench, ipvs.Rules) {
	table := memory.New()
	b := newBench(t, table)
	var rules ipvs.Rules
	for n := range uint32(3) {
		rules.Services = append(rules.Services, ipvs.ServiceRules{
			Service: ipvs.NewService(ipvs.MarkService(n+1, ipvs.IPv4)),
			Servers: []ipvs.Server{server("10.0.0.1:443", 100), server("10.0.0.2:443", 100), server("10.0.0.3:443", 50)},
		})
	}
	b.fill(rules)
	return table, b, b.rules()
}

// TestAddingSparesWhatWasThere: a service that comes with servers meets one that
// is there already, or the kernel refuses one of its servers. What was there
// before the step stays, whatever it is.
func TestAddingSparesWhatWasThere(t *testing.T) {
	refused := errors.New("refused by the test")
	for name, c := range map[string]struct {
		back    bool // the whole table, not one service
		resumed bool
		there   func(*ipvs.Rules) // cuts down what is there before
		refuse  int               // the addition
		want    error
	}{
		"live beside new ones":     {true, false, func(r *ipvs.Rules) { r.Services = r.Services[:1] }, 6, refused},
		"half done beside new":     {true, true, func(r *ipvs.Rules) { r.Services[2].Servers = r.Services[2].Servers[:1]; r.Services = r.Services[2:] }, 13, refused},
		"equal, somebody else's":   {false, false, func(r *ipvs.Rules) { r.Services[0].Servers = nil; r.Services = r.Services[:1] }, 0, ErrMoved},
		"half done by a kill":      {false, true, func(r *ipvs.Rules) { r.Services[0].Servers = r.Services[0].Servers[:1]; r.Services = r.Services[:1] }, 5, refused},
		"with servers of others":   {false, true, func(r *ipvs.Rules) { r.Services[0].Servers[2].Weight++; r.Services = r.Services[:1] }, 0, ErrMoved},
		"with other settings":      {false, true, func(r *ipvs.Rules) { r.Services[0].Scheduler = "rr"; r.Services = r.Services[:1] }, 0, ErrMoved},
		"not there":                {false, false, func(r *ipvs.Rules) { r.Services = nil }, 3, refused},
		"there with all and other": {false, false, func(r *ipvs.Rules) { r.Services[0].Servers = append(r.Services[0].Servers, server("10.9.9.9:1", 1)) }, 0, ErrAlready},
	} {
		_, b, whole := fullSite(t)
		there := b.rules()
		c.there(&there)
		table := memory.New()
		b.table = table
		b.restart(nil)
		b.fill(there)
		before := b.rules()
		if c.refuse > 0 {
			table.Inject(memory.Nth(c.refuse, memory.Fail(refused)))
		}
		var step Step = newService(whole.Services[0])
		if c.back {
			step = FlushTable{whole.Services, true}
		}
		target := b.Target
		target.Resumed = c.resumed
		if err := step.Do(ctx, target); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		table.Inject(nil)
		b.holds(name, before)
	}
}

// TestWayBackKilledAtEveryMoment: what brings services back takes many calls. It
// is killed at each, and the next start takes back the rest, or finishes after
// all.
func TestWayBackKilledAtEveryMoment(t *testing.T) {
	_, _, running := fullSite(t)
	for _, p := range []Plan{RemoveServices(running.Services[:2]), Flush(running)} {
		for _, finish := range []bool{true, false} {
			for n := 1; ; n++ {
				table, b, before := fullSite(t)
				k := &killer{n: 2 * len(p.Items)} // all is done, the end is not written
				if !survive(func() { _, _ = b.Run(ctx, p, k.event) }) {
					t.Fatal("not killed")
				}
				id := b.history().Entries[0].ID
				k = &killer{n: n}
				table.Inject(k.kernel)
				if !survive(func() { _, _ = b.TakeBack(ctx, id, nil) }) {
					break
				}
				table.Inject(nil)
				b.restart(nil)
				name := fmt.Sprintf("%s, taken back but for a kill at moment %d", p.Title, n)
				if !finish {
					_, err := b.TakeBack(ctx, id, nil)
					b.ok(err)
					b.holds(name, before)
					continue
				}
				_, err := b.Finish(ctx, id, nil)
				b.ok(err)
				if left := len(b.rules().Services); left != 3-min(3, p.Counts().Remove/4) {
					t.Errorf("%s, then finished: %d services are left", name, left)
				}
			}
		}
	}
}

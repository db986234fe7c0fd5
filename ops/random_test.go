package ops_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ops"
)

// FuzzSample lets all kinds of things happen to a table between samples, and
// checks what must hold in each of them.
func FuzzSample(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, uint16(200))
	}
	f.Fuzz(func(t *testing.T, seed uint64, steps uint16) {
		c := chaos{watch: newWatch(t, memory.New()), Rand: rand.New(rand.NewPCG(seed, 0))}
		for range steps % 500 {
			for range c.IntN(6) {
				c.step()
			}
			c.check()
		}
	})
}

type chaos struct {
	*watch
	*rand.Rand
	passed uint64      // connections ever observed
	kept   *ops.Sample // an old sample,
	copied []float32   // and what its trend was
	last   *ops.Sample
}

func (c *chaos) step() {
	ctx := c.Context()
	id := ipvs.MarkService(uint32(1+c.IntN(8)), ipvs.IPv4)
	s := rs(c.IntN(10))
	s.Weight = uint32(c.IntN(3))
	// Half of this meets a table in which it cannot be done; that is fine.
	switch c.IntN(14) {
	case 0, 1, 2:
		_ = c.AddService(ctx, ipvs.NewService(id))
	case 3:
		_ = c.DeleteService(ctx, id)
	case 4, 5, 6:
		_ = c.AddServer(ctx, id, s)
	case 7:
		_ = c.DeleteServer(ctx, id, s)
	case 8:
		_ = c.SetServer(ctx, id, s)
	case 9:
		_ = c.Zero(ctx, id)
	case 10:
		c.Focus([]ipvs.ServiceID{id})
	case 11:
		c.rare()
	default:
		n := uint64(c.IntN(50))
		c.passed += n
		c.ObserveServer(id, s.Addr, memory.Observation{Active: uint32(n), Passed: ipvs.Traffic{Conns: n}, Rate: ipvs.Traffic{Conns: n}})
	}
}

func (c *chaos) rare() {
	switch c.IntN(12) {
	case 0:
		_ = c.Flush(c.Context())
	case 1:
		_ = c.ZeroAll(c.Context())
	case 2:
		c.SetEstimator(memory.Estimator(c.IntN(3)))
	case 3:
		c.Inject(memory.Nth(1+c.IntN(9), memory.Fail(ipvs.ErrUnavailable)))
	}
}

func (c *chaos) check() {
	s := c.sample()
	if s.Err != nil {
		if s.Seq != c.Latest().Seq {
			c.Fatal("a failed sample was not handed over")
		}
		return
	}
	var active, inactive uint64
	servers := 0
	if !slices.IsSortedFunc(s.Services, func(a, b *ops.Service) int { return a.ServiceID.Compare(b.ServiceID) }) {
		c.Fatal("services are not sorted")
	}
	for _, svc := range s.Services {
		c.checkService(svc)
		active, inactive, servers = active+svc.Active, inactive+svc.Inactive, servers+len(svc.Servers)
	}
	if s.Active != active || s.Inactive != inactive || s.Servers != servers {
		c.Fatalf("the table's sums are not those of its services: %+v", s.Figures)
	}
	c.checkPast(s)
}

func (c *chaos) checkService(svc *ops.Service) {
	var active uint64
	up := 0
	if !slices.IsSortedFunc(svc.Servers, func(a, b *ops.Server) int { return a.Addr.Compare(b.Addr) }) {
		c.Fatalf("servers of %s are not sorted", svc.Name)
	}
	for _, r := range svc.Servers {
		active += r.Active
		if r.Usable() {
			up++
		}
		if r.Name != r.Addr.String() || r.Counted && r.Partial || r.Seen.Conns > c.passed {
			c.Fatalf("server cannot be so: %+v", r)
		}
		if !r.Partial && (r.Upper != 1000 || r.Lower != 500) {
			c.Fatalf("settings that the server never had: %+v", r.Server)
		}
	}
	if svc.Active != active || svc.Up != up || svc.Seen.Conns > c.passed || svc.Since.After(c.now) {
		c.Fatalf("service cannot be so: %+v", svc)
	}
	if n := len(svc.Trend.Conns); n != len(svc.Trend.Active) || n > ops.TrendLen {
		c.Fatalf("%s has a trend of %d points", svc.Name, n)
	}
	for _, p := range svc.Trend.Active {
		if p != ops.Unknown && (p < 0 || math.IsNaN(float64(p))) {
			c.Fatalf("%s has a trend point %v", svc.Name, p)
		}
	}
}

// checkPast looks at an old sample from time to time: it must not have changed.
func (c *chaos) checkPast(s *ops.Sample) {
	if c.last != nil && s.Was != c.last.Figures {
		c.Fatal("Was is not what the sample before had")
	}
	c.last = s
	if c.kept != nil && !slices.Equal(c.kept.Trend.Active, c.copied) {
		c.Fatalf("the trend of sample %d changed after it was handed over", c.kept.Seq)
	}
	if c.kept == nil || c.IntN(20) == 0 {
		c.kept, c.copied = s, slices.Clone(s.Trend.Active)
	}
}

// FuzzListOrder shuffles what a reader lists: the order makes no difference.
func FuzzListOrder(f *testing.F) {
	f.Add(uint64(1))
	f.Add(uint64(2))
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		c := newCrowd(1+r.IntN(20), 1+r.IntN(5))
		s, observe := watched(t, c)
		observe(1)
		want := names(s.Latest())
		for range 10 {
			r.Shuffle(len(c.view.Services), func(i, j int) {
				c.view.Services[i], c.view.Services[j] = c.view.Services[j], c.view.Services[i]
			})
			for _, e := range c.view.Services {
				r.Shuffle(len(e.Servers), func(i, j int) { e.Servers[i], e.Servers[j] = e.Servers[j], e.Servers[i] })
			}
			observe(1)
			if got := names(s.Latest()); !slices.Equal(got, want) {
				t.Fatalf("want %q, got %q", want, got)
			}
			for _, svc := range s.Latest().Services {
				if svc.Since.Equal(s.Latest().Time) {
					t.Fatalf("%s was taken for a new service", svc.Name)
				}
			}
		}
	})
}

func names(s *ops.Sample) []string {
	var out []string
	for _, svc := range s.Services {
		out = append(out, svc.Name)
		for _, r := range svc.Servers {
			out = append(out, r.Name)
		}
	}
	return out
}

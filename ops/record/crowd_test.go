package record

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ops"
)

// crowd is a reader of a big table in which everything moves, as it does: with
// noise, and with rates that follow the totals as the kernel's do.
type crowd struct {
	ipvs.Reader
	*rand.Rand
	view    ipvs.Overview
	details map[ipvs.ServiceID][]ipvs.ServerState
	ids     []ipvs.ServiceID

	focus []ipvs.ServiceID // on screen
	all   bool
}

// observe takes samples of a crowd.
func observe(t testing.TB, c *crowd, n int, each func(*ops.Sample)) {
	s := ops.NewSampler(c, ops.Options{})
	if s.Focus(c.focus); c.all {
		s.FocusAll()
	}
	now := testHead.Time
	for range n {
		c.move()
		now = now.Add(2 * time.Second)
		each(s.Observe(t.Context(), now))
	}
}

func newCrowd(services, servers int) *crowd {
	c := &crowd{Reader: memory.New(), Rand: rand.New(rand.NewPCG(1, 1)), details: map[ipvs.ServiceID][]ipvs.ServerState{}}
	for i := range services {
		id := ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 443))
		e := ipvs.Entry{}
		e.Service = ipvs.NewService(id)
		for j := range servers {
			s := ipvs.ServerState{Server: ipvs.Server{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 2, byte(j), byte(i)}), 443), Weight: 100}}
			s.Stats.Rate = ipvs.Traffic{Conns: 20, InPackets: 200, OutPackets: 300, InBytes: 20000, OutBytes: 400000}
			s.Active, s.Inactive = 500, 1000
			c.details[id] = append(c.details[id], s)
			s.Partial = true
			e.Servers = append(e.Servers, s)
		}
		c.view.Services = append(c.view.Services, e)
		c.ids = append(c.ids, id)
	}
	return c
}

func (c *crowd) noise(n uint64, dev float64) uint64 {
	return uint64(max(0, float64(n)*(1+dev*c.NormFloat64())))
}

func (c *crowd) tick(s *ipvs.Stats) {
	mean := ipvs.Traffic{Conns: 20, InPackets: 200, OutPackets: 300, InBytes: 20000, OutBytes: 400000}
	each := func(total, rate *uint64, mean uint64, dev float64) {
		d := c.noise(2*mean, dev)
		*total += d
		*rate = uint64(int64(*rate) + (int64(d/2)-int64(*rate))/4)
	}
	each(&s.Total.Conns, &s.Rate.Conns, mean.Conns, .15)
	each(&s.Total.InPackets, &s.Rate.InPackets, mean.InPackets, .1)
	each(&s.Total.OutPackets, &s.Rate.OutPackets, mean.OutPackets, .1)
	each(&s.Total.InBytes, &s.Rate.InBytes, mean.InBytes, .1)
	each(&s.Total.OutBytes, &s.Rate.OutBytes, mean.OutBytes, .1)
}

func (c *crowd) move() {
	for i := range c.view.Services {
		e := &c.view.Services[i]
		c.tick(&e.Stats)
		d := c.details[e.ServiceID]
		for j := range e.Servers {
			e.Servers[j].Active = uint32(c.noise(500, .02))
			e.Servers[j].Inactive = uint32(c.noise(1000, .02))
			c.tick(&d[j].Stats)
		}
	}
	c.tick(&c.view.Stats)
}

func (c *crowd) Overview(context.Context) (ipvs.Overview, error) { return c.view, nil }

func (c *crowd) Servers(_ context.Context, id ipvs.ServiceID) ([]ipvs.ServerState, error) {
	return c.details[id], nil
}

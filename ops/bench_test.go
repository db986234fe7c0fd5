package ops_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ops"
)

// crowd is a reader of a big table that costs nothing to read: every reading
// finds the same list with other figures.
type crowd struct {
	ipvs.Reader
	view ipvs.Overview
}

func newCrowd(services, servers int) *crowd {
	c := &crowd{Reader: memory.New()}
	c.view.Services = make([]ipvs.Entry, services)
	for i := range c.view.Services {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], 10<<24|uint32(i))
		e := &c.view.Services[services-1-i]
		e.Service = ipvs.NewService(ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(netip.AddrFrom4(a), 443)))
		e.Servers = make([]ipvs.ServerState, servers)
		for j := range e.Servers {
			e.Servers[servers-1-j] = ipvs.ServerState{Server: rs(j), Partial: true}
		}
	}
	return c
}

// move changes every figure of the table.
func (c *crowd) move(n int) {
	for i := range c.view.Services {
		e := &c.view.Services[i]
		e.Stats.Total.Conns += uint64(n)
		e.Stats.Rate.Conns = uint64(n % 100)
		for j := range e.Servers {
			e.Servers[j].Active = uint32(n % 1000)
		}
	}
	c.view.Stats.Total.Conns += uint64(n)
}

func BenchmarkObserve(b *testing.B) {
	for _, services := range []int{1_000, 10_000} {
		b.Run(fmt.Sprintf("%dx10", services), func(b *testing.B) {
			c := newCrowd(services, 10)
			r := c
			s := ops.NewSampler(r, ops.Options{})
			now := time.Unix(0, 0)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				b.StopTimer()
				c.move(n)
				b.StartTimer()
				now = now.Add(2 * time.Second)
				s.Observe(b.Context(), now)
			}
		})
	}
}

// rowBytes is the bound that Sampler's documentation states, for one row.
const rowBytes = 2 << 10

// watched is a sampler of a crowd that has seen so many samples.
func watched(t *testing.T, c *crowd) (s *ops.Sampler, observe func(samples int)) {
	s = ops.NewSampler(c, ops.Options{})
	now := time.Unix(0, 0)
	return s, func(samples int) {
		for range samples {
			now = now.Add(2 * time.Second)
			c.move(int(now.Unix()))
			s.Observe(t.Context(), now)
		}
	}
}

func TestMemoryPerRow(t *testing.T) {
	const services, servers = 1_000, 10
	c := newCrowd(services, servers)
	s, observe := watched(t, c)
	before := heap()
	observe(ops.TrendLen*ops.TrendEvery + 20)
	full := heap() - before
	perRow := full / (services * (servers + 1))
	t.Logf("%d bytes per row", perRow)
	if perRow > rowBytes {
		t.Errorf("want at most %d bytes per row, got %d", rowBytes, perRow)
	}
	c.view.Services = nil
	observe(1)
	if left := heap() - before; left > full/20 {
		t.Errorf("want rows that left to be forgotten, but %d of %d bytes stay", left, full)
	}
	runtime.KeepAlive(s)
}

func TestMemoryDoesNotGrow(t *testing.T) {
	s, observe := watched(t, newCrowd(50, 10))
	observe(2 * ops.TrendLen * ops.TrendEvery)
	before := heap()
	observe(3_000)
	if grown := heap() - before; grown > 64<<10 {
		t.Errorf("want no growth in 3,000 samples, got %d bytes", grown)
	}
	runtime.KeepAlive(s)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func (c *crowd) Overview(context.Context) (ipvs.Overview, error) { return c.view, nil }

// Servers knows every server's settings and counters.
func (c *crowd) Servers(_ context.Context, id ipvs.ServiceID) ([]ipvs.ServerState, error) {
	return c.view.Services[0].Servers, nil
}

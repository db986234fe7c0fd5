package record

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ops"
)

// changeable is a table in memory on which reading can fail.
type changeable struct {
	*memory.Table
	broken error
}

func (c *changeable) Overview(ctx context.Context) (ipvs.Overview, error) {
	if c.broken != nil {
		return ipvs.Overview{}, c.broken
	}
	return c.Table.Overview(ctx)
}

// life is samples of a table to which everything happens.
type life struct {
	*rand.Rand
	t       testing.TB
	table   *changeable
	sampler *ops.Sampler
	now     time.Time
}

func newLife(t testing.TB, seed uint64) *life {
	l := &life{Rand: rand.New(rand.NewPCG(seed, 0)), t: t, table: &changeable{Table: memory.New()}, now: time.Unix(1_700_000_000, 123)}
	l.sampler = ops.NewSampler(l.table, ops.Options{})
	return l
}

func (l *life) service() ipvs.ServiceID {
	n := l.IntN(12)
	if n < 3 {
		return ipvs.MarkService(uint32(1+n), ipvs.IPv6)
	}
	return ipvs.AddressService(ipvs.UDP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}), 53))
}

func (l *life) server() ipvs.Server {
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(1 + l.IntN(6))}), 53)
	return ipvs.Server{Addr: at, Forward: ipvs.TunnelFwd, Weight: uint32(l.IntN(3)), Upper: uint32(l.IntN(40)), Tunnel: ipvs.Tunnel{Type: ipvs.GUE, Port: 6080}}
}

// sample lets things happen and takes a sample; one in a while is amended, as when
// another row comes on the screen.
func (l *life) sample() *ops.Sample {
	ctx := l.t.Context()
	for range l.IntN(8) {
		switch id, r := l.service(), l.server(); l.IntN(12) {
		case 0, 1:
			s := ipvs.NewService(id)
			s.Persistence.On, s.Persistence.Timeout = l.IntN(2) > 0, uint32(l.IntN(1000))
			_ = l.table.AddService(ctx, s)
		case 2, 3, 4:
			_ = l.table.AddServer(ctx, id, r)
		case 5:
			_ = l.table.SetServer(ctx, id, r)
		case 6:
			_ = l.table.DeleteServer(ctx, id, r)
		case 7:
			if l.IntN(4) == 0 {
				_ = l.table.DeleteService(ctx, id)
			}
		case 8:
			_ = l.table.Zero(ctx, id)
		case 9:
			l.sampler.Focus([]ipvs.ServiceID{id})
		default:
			n := uint64(l.IntN(50))
			l.table.ObserveServer(id, r.Addr, memory.Observation{Active: uint32(n), Persistent: uint32(n / 3),
				Passed: ipvs.Traffic{Conns: n, InBytes: n * 1000}, Rate: ipvs.Traffic{Conns: n, OutBytes: n << 20}})
		}
	}
	if last := l.sampler.Latest(); last != nil && last.Err == nil && l.IntN(5) == 0 {
		return l.amended(last)
	}
	l.table.broken = nil
	if l.IntN(10) == 0 {
		l.table.broken = errors.New("no answer")
	}
	l.now = l.now.Add(time.Duration(2000+l.IntN(20)) * time.Millisecond)
	return l.sampler.Observe(ctx, l.now)
}

// amended is a sample of which more was read.
func (l *life) amended(of *ops.Sample) *ops.Sample {
	s := *of
	s.Seq++
	s.Services = slices.Clone(s.Services)
	for i, v := range s.Services {
		if l.IntN(3) > 0 {
			continue
		}
		svc := *v
		svc.Servers = slices.Clone(svc.Servers)
		for j, r := range svc.Servers {
			made := *r
			made.Counted, made.PersistentKnown, made.Persistent = true, true, uint64(l.IntN(9))
			made.Total, made.Rate = ipvs.Traffic{Conns: 7}, ipvs.Traffic{InBytes: 9}
			made.Seen.Conns += 7
			svc.Servers[j] = &made
		}
		svc.Sum()
		s.Services[i] = &svc
	}
	s.Sum()
	return &s
}

// alike compares all that two samples say.
func alike(t testing.TB, what string, got, want *ops.Sample) {
	t.Helper()
	if d := difference(got, want); d != "" {
		t.Fatalf("%s: %s", what, d)
	}
}

func difference(got, want *ops.Sample) string {
	g, w := *got, *want
	if words(&g) != words(&w) {
		return fmt.Sprintf("says %q, want %q", words(&g), words(&w))
	}
	if !g.Time.Equal(w.Time) || g.Time.Format(time.RFC3339) != w.Time.Format(time.RFC3339) {
		return fmt.Sprintf("is of %s, want %s", g.Time, w.Time)
	}
	if len(g.Services) != len(w.Services) {
		return fmt.Sprintf("has %d services, want %d", len(g.Services), len(w.Services))
	}
	for i := range w.Services {
		a, b := *g.Services[i], *w.Services[i]
		for j := range min(len(a.Servers), len(b.Servers)) {
			x, y := *a.Servers[j], *b.Servers[j]
			if !x.Since.Equal(y.Since) || !sameTrend(x.Trend, y.Trend) {
				return fmt.Sprintf("%s of %s is since %s, want %s, with %v, want %v", y.Name, b.Name, x.Since, y.Since, x.Trend, y.Trend)
			}
			x.Since, x.Trend, y.Since, y.Trend = time.Time{}, nil, time.Time{}, nil
			if x != y {
				return fmt.Sprintf("%s of %s:\n%+v, want\n%+v", y.Name, b.Name, x, y)
			}
		}
		if len(a.Servers) != len(b.Servers) || !a.Since.Equal(b.Since) || !sameTrend(a.Trend, b.Trend) {
			return fmt.Sprintf("%s is %+v, want %+v", b.Name, a, b)
		}
		a.Since, a.Servers, a.Trend, b.Since, b.Servers, b.Trend = time.Time{}, nil, nil, time.Time{}, nil, nil
		if !reflect.DeepEqual(a, b) {
			return fmt.Sprintf("%s:\n%+v, want\n%+v", b.Name, a, b)
		}
	}
	if !sameTrend(g.Trend, w.Trend) {
		return fmt.Sprintf("trend %v, want %v", g.Trend, w.Trend)
	}
	for _, s := range []*ops.Sample{&g, &w} {
		s.Time, s.Services, s.Trend, s.Err, s.Missed = time.Time{}, nil, nil, nil, nil
	}
	if !reflect.DeepEqual(g, w) {
		return fmt.Sprintf("\n%+v, want\n%+v", g, w)
	}
	return ""
}

// TestSamplesComeBack takes samples of a table to which everything happens through
// bytes, with keys now and then, and reads them from the beginning and from a key.
func TestSamplesComeBack(t *testing.T) {
	for seed := range uint64(20) {
		l := newLife(t, seed)
		var to, from coder
		var late *coder // begins at a key in the middle
		lateFor := 0
		for i := range 500 {
			key := i%97 == 0
			p := &pack{}
			s := l.sample()
			to.sample(p, s, key)
			b := p.appendTo(nil)
			in, err := unpack(b)
			if err != nil {
				t.Fatal(err)
			}
			got := from.sample(in, nil, key)
			if in.err != nil {
				t.Fatalf("seed %d, sample %d: %v", seed, i, in.err)
			}
			alike(t, fmt.Sprintf("seed %d, sample %d", seed, i), got, s)
			if key && i > 200 && late == nil {
				late = &coder{}
			}
			if late != nil {
				in, _ := unpack(b)
				got := late.sample(in, nil, key)
				if in.err != nil {
					t.Fatalf("seed %d, sample %d, from a key: %v", seed, i, in.err)
				}
				if late.kind == next {
					lateFor++
				}
				if lateFor > backSamples {
					alike(t, fmt.Sprintf("seed %d, sample %d, from a key", seed, i), got, s)
				}
			}
		}
	}
}

package history_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/demo"
	"lvsdeck/ops/history"
)

// midnight is where time begins in tests: a whole minute, as frames have them.
var midnight = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

const interval = 2 * time.Second

func svcID(i int) ipvs.ServiceID {
	return ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, byte(i >> 16), byte(i >> 8), byte(i)}), 443))
}

func srvAddr(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 80)
}

// figures have a number in each metric, by which they are told apart.
func figures(n uint64, counted bool) ops.Figures {
	return ops.Figures{Active: n, Inactive: 2 * n, Counted: counted,
		Rate: ipvs.Traffic{Conns: 3 * n, InBytes: 4 * n, OutBytes: 5 * n, InPackets: 6 * n, OutPackets: 7 * n}}
}

var factor = map[history.Metric]float64{history.Active: 1, history.Inactive: 2, history.Conns: 3,
	history.InBytes: 4, history.OutBytes: 5, history.InPackets: 6, history.OutPackets: 7}

func sampleAt(at time.Time, services ...*ops.Service) *ops.Sample {
	return &ops.Sample{Time: at, Interval: interval, Services: services, Figures: figures(1, true)}
}

func svc(i int, n uint64, servers ...*ops.Server) *ops.Service {
	s := ipvs.NewService(svcID(i))
	s.Scheduler = "rr"
	return &ops.Service{Service: s, Figures: figures(n, true), Servers: servers}
}

func srv(i int, n uint64, weight uint32, counted bool) *ops.Server {
	return &ops.Server{Server: ipvs.Server{Addr: srvAddr(i), Weight: weight}, Figures: figures(n, counted)}
}

func service(i int) history.Key   { return history.Key{Service: svcID(i)} }
func server(i, j int) history.Key { return history.Key{Service: svcID(i), Server: srvAddr(j)} }

// naive keeps everything there was of one row.
type naive []struct {
	from, to time.Time
	n        uint64
	counted  bool
}

// within is what a part of a series must be: its mean exactly where all of it is
// known, and in any case between the least and the most.
func (all naive) within(m history.Metric, from, to time.Time) (mean, least, most float64, whole, known bool) {
	var covered time.Duration
	least, whole = math.Inf(1), true
	for _, f := range all {
		if m > history.Inactive && !f.counted || !f.from.Before(to) || !f.to.After(from) {
			continue
		}
		v := float64(f.n) * factor[m]
		mean, covered = mean+v*f.to.Sub(f.from).Seconds(), covered+f.to.Sub(f.from)
		least, most, known = min(least, v), max(most, v), true
		whole = whole && !f.from.Before(from) // a frame belongs to the minute in which it ends
	}
	return mean / covered.Seconds(), least, most, whole && covered == to.Sub(from), known
}

// TestAgainstAll walks a table at random: rows come and leave, readings fail,
// counters are read of some servers. Each minute of hours must be what a list of
// everything says.
func TestAgainstAll(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 1))
		store, kept := history.New(), map[history.Key]naive{}
		level := map[history.Key]uint64{}
		in := map[history.Key]bool{}
		now, last := midnight, midnight
		const hours = 3
		for now.Before(midnight.Add(hours * time.Hour)) {
			now = now.Add(interval)
			for i := range 3 {
				for j := range 4 {
					if k := server(i, j); r.IntN(400) == 0 {
						in[k] = !in[k]
					}
				}
			}
			if r.IntN(300) == 0 {
				now = now.Add(time.Duration(r.IntN(90)) * time.Second / interval * interval)
				store.Add(&ops.Sample{Time: now, Err: errors.New("no reading")})
				continue
			}
			s := sampleAt(now)
			from := last
			if now.Sub(last) > 2*interval {
				from = now.Add(-interval)
			}
			last = now
			note := func(k history.Key, counted bool) uint64 {
				n := level[k]
				level[k] = uint64(max(0, int(n)+r.IntN(21)-10+r.IntN(3000)/2999*5000))
				kept[k] = append(kept[k], struct {
					from, to time.Time
					n        uint64
					counted  bool
				}{from, now, level[k], counted})
				return level[k]
			}
			for i := range 3 {
				v := svc(i, note(service(i), true))
				counted := r.IntN(3) > 0
				for j := range 4 {
					if k := server(i, j); in[k] {
						v.Servers = append(v.Servers, srv(j, note(k, counted), 1, counted))
					}
				}
				s.Services = append(s.Services, v)
			}
			store.Add(s)
		}
		recent := now.Add(-time.Hour)
		whole := 0
		for k, all := range kept {
			for m := range factor {
				got := store.Series(k, m, recent, now, 60)
				for i := range 60 {
					at := recent.Add(time.Duration(i) * time.Minute)
					mean, least, most, exact, known := all.within(m, at, at.Add(time.Minute))
					g, top := float64(got.Mean[i]), float64(got.Max[i])
					close := func(a, b float64) bool { return math.Abs(a-b) <= .3+.001*b }
					switch {
					case !known:
						if got.Mean[i] != ops.Unknown || got.Max[i] != ops.Unknown {
							t.Fatalf("seed %d: %v %v at %v: want it unknown, got %v", seed, k, m, at, g)
						}
					case exact && !close(g, mean):
						t.Fatalf("seed %d: %v %v at %v: want mean %v, got %v", seed, k, m, at, mean, g)
					case g < least-.3-.001*least || g > most+.3+.001*most:
						t.Fatalf("seed %d: %v %v at %v: want a mean of %v to %v, got %v", seed, k, m, at, least, most, g)
					case !k.Server.IsValid() && !close(top, most):
						t.Fatalf("seed %d: %v %v at %v: want at most %v, got %v", seed, k, m, at, most, top)
					}
					if exact {
						whole++
					}
				}
			}
		}
		if whole < 1000 {
			t.Errorf("seed %d: only %d minutes were compared", seed, whole)
		}
	}
}

func TestRecentReadingsAsTheyWere(t *testing.T) {
	store, now := history.New(), midnight
	for n := range 400 {
		now = now.Add(interval)
		store.Add(sampleAt(now, svc(0, uint64(n), srv(0, uint64(3*n), 1, true))))
	}
	got := store.Series(service(0), history.Active, now.Add(-10*interval), now, 10)
	own := store.Series(server(0, 0), history.InBytes, now.Add(-10*interval), now, 10)
	for i := range 10 {
		if want := float32(390 + i); got.Mean[i] != want || got.Max[i] != want {
			t.Errorf("want %v at %d, got %v and %v", want, i, got.Mean[i], got.Max[i])
		}
		if want := float32(12 * (390 + i)); math.Abs(float64(own.Mean[i]-want)) > 1 {
			t.Errorf("want %v at %d, got %v", want, i, own.Mean[i])
		}
	}
	reach := store.Reach()
	if !reach.First.Equal(midnight) || !reach.Last.Equal(now) || reach.Short {
		t.Errorf("want a reach from %v to %v, got %+v", midnight, now, reach)
	}
}

func TestAmendedSampleAddsCounters(t *testing.T) {
	store := history.New()
	at := midnight.Add(interval)
	store.Add(sampleAt(at, svc(0, 5, srv(0, 7, 1, false))))
	if got := store.Series(server(0, 0), history.Conns, midnight, at, 1).Mean[0]; got != ops.Unknown {
		t.Errorf("want unknown before it was read, got %v", got)
	}
	store.Add(sampleAt(at, svc(0, 5, srv(0, 7, 1, true))))
	if got := store.Series(server(0, 0), history.Conns, midnight, at, 1).Mean[0]; got != 21 {
		t.Errorf("want 21, got %v", got)
	}
}

// TestRowsThatLeft holds that a server's past stays an hour after it left, and that
// who comes into its column later does not inherit it.
func TestRowsThatLeft(t *testing.T) {
	store, now := history.New(), midnight
	feed := func(long time.Duration, servers ...*ops.Server) {
		for end := now.Add(long); now.Before(end); {
			now = now.Add(interval)
			store.Add(sampleAt(now, svc(0, 1, servers...)))
		}
	}
	feed(10*time.Minute, srv(1, 100, 1, true), srv(2, 200, 1, false))
	left := now
	feed(55*time.Minute, srv(1, 100, 1, false))
	if got := store.Series(server(0, 2), history.Active, left.Add(-time.Minute), left.Add(time.Minute), 2); got.Mean[0] != 200 || got.Mean[1] != ops.Unknown {
		t.Errorf("want 200 until it left and unknown after, got %v", got.Mean)
	}
	rows := store.Servers(service(0))
	if len(rows) != 2 || !rows[0].Left.IsZero() || !rows[1].Left.Equal(left) {
		t.Errorf("want both servers, the second left at %v, got %+v", left, rows)
	}
	feed(10*time.Minute, srv(1, 100, 1, false))
	if rows := store.Servers(service(0)); len(rows) != 1 {
		t.Errorf("want it forgotten after an hour, got %+v", rows)
	}
	came := now
	feed(time.Minute, srv(1, 100, 1, false), srv(3, 300, 1, false))
	got := store.Series(server(0, 3), history.Active, midnight, now, 100)
	for i, v := range got.Mean {
		at := midnight.Add(time.Duration(i+1) * now.Sub(midnight) / 100)
		if at.Before(came) && v != ops.Unknown {
			t.Fatalf("want nothing before it came at %v, got %v at %v", came, v, at)
		}
	}
	if v := got.Mean[99]; v != 300 {
		t.Errorf("want 300 at the end, got %v", v)
	}
}

func TestClockSetBack(t *testing.T) {
	store, now := history.New(), midnight
	feed := func(n uint64, long time.Duration) {
		for end := now.Add(long); now.Before(end); {
			now = now.Add(interval)
			store.Add(sampleAt(now, svc(0, n), svc(1, n)))
		}
	}
	feed(10, 20*time.Minute)
	now = midnight.Add(5 * time.Minute)
	feed(20, 5*time.Minute)
	got := store.Series(service(1), history.Active, midnight, midnight.Add(20*time.Minute), 4)
	if want := []float32{10, 20, ops.Unknown, ops.Unknown}; !near(got.Mean, want) {
		t.Errorf("want %v, got %v", want, got.Mean)
	}
	store.Reset()
	if got := store.Series(service(1), history.Active, midnight, now, 1); got.Mean[0] != ops.Unknown || !store.Reach().Last.IsZero() {
		t.Errorf("want nothing after a reset, got %v", got.Mean)
	}
}

// TestUnsortedSamples holds that a source that keeps no order makes no row twice.
func TestUnsortedSamples(t *testing.T) {
	store, now := history.New(), midnight
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		now = now.Add(interval)
		v := svc(0, 1, srv(1, 1, 1, true), srv(2, 1, 1, true), srv(2, 1, 1, true), srv(3, 1, 1, true))
		all := []*ops.Service{v, svc(1, 1), svc(2, 1), svc(2, 1)}
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		r.Shuffle(len(v.Servers), func(i, j int) { v.Servers[i], v.Servers[j] = v.Servers[j], v.Servers[i] })
		store.Add(sampleAt(now, all...))
	}
	if got := store.Series(server(0, 1), history.Active, now.Add(-time.Minute), now, 1).Mean[0]; got != 1 && got != ops.Unknown {
		t.Errorf("want 1 or unknown, got %v", got)
	}
	if services, servers := store.Columns(); services > 10 || servers > 10 {
		t.Errorf("want columns for 3 services and 3 servers, and a sample's more, got %d and %d", services, servers)
	}
}

// near allows the one reading that was cut off.
func near(got, want []float32) bool {
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > .2 {
			return false
		}
	}
	return true
}

// crowd is a large table of which every figure moves.
func crowd(services, servers int, counted bool) func(at time.Time) *ops.Sample {
	s := sampleAt(time.Time{})
	for i := range services {
		v := svc(i, 0)
		for j := range servers {
			v.Servers = append(v.Servers, srv(j, 0, 1, counted))
		}
		s.Services = append(s.Services, v)
	}
	return func(at time.Time) *ops.Sample {
		n := uint64(at.Unix() % 5000)
		s.Time = at
		for _, v := range s.Services {
			v.Active = n
			for _, r := range v.Servers {
				r.Active = n
			}
		}
		return s
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestMemory holds the bounds that Store states, with every tier full.
func TestMemory(t *testing.T) {
	for _, c := range []struct {
		services, servers int
		counted           bool
		perRow            int64 // bytes
	}{{100, 10, false, 4_000}, {20, 50, true, 16_000}} {
		read := crowd(c.services, c.servers, c.counted)
		at := midnight
		read(at)
		before := heap()
		store := history.New()
		for range 250 * 30 {
			at = at.Add(interval)
			store.Add(read(at))
		}
		rows := int64(c.services * (c.servers + 1))
		got := (heap() - before) / rows
		t.Logf("%d services with %d servers, counters read: %v: %d bytes for each row", c.services, c.servers, c.counted, got)
		if got > c.perRow {
			t.Errorf("want at most %d bytes for each row, got %d", c.perRow, got)
		}
		was := heap()
		for range 3000 {
			at = at.Add(interval)
			store.Add(read(at))
		}
		if grown := heap() - was; grown > 64<<10 {
			t.Errorf("want no growth, got %d bytes", grown)
		}
		runtime.KeepAlive(store)
	}
}

// TestMemoryIsBounded fills a store whose bound is small for its table.
func TestMemoryIsBounded(t *testing.T) {
	const bound = 256 << 10
	read := crowd(50, 20, true)
	at := midnight
	read(at)
	before := heap()
	store := history.NewBounded(bound)
	for range 5 * 1800 {
		at = at.Add(interval)
		store.Add(read(at))
	}
	if got := heap() - before; got > 3*bound+1000*300+64<<10 {
		t.Errorf("want at most three times %d bytes and the rows, got %d", bound, got)
	}
	reach := store.Reach()
	if !reach.Short || reach.Last.Sub(reach.First) < 5*time.Minute {
		t.Errorf("want a reach that is told to be short, got %+v", reach)
	}
	runtime.KeepAlive(store)
}

// TestAtOnce reads while samples come.
func TestAtOnce(t *testing.T) {
	store, d := history.New(), demo.New(demo.Incident, 1)
	sampler := ops.NewSampler(d.Table(), ops.Options{})
	sampler.Each(store.Add)
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				r := store.Reach()
				if s := sampler.Latest(); s != nil {
					for _, v := range s.Services {
						store.Series(history.Key{Service: v.ServiceID}, history.Conns, r.First, r.Last, 80)
						store.Servers(history.Key{Service: v.ServiceID})
					}
				}
				store.Marks(r.First, r.Last)
			}
		})
	}
	d.Play(t.Context(), sampler, midnight, 5*time.Minute)
	close(done)
	wg.Wait()
	if s := store.Series(history.Key{}, history.Conns, midnight, midnight.Add(5*time.Minute), 1); s.Mean[0] <= 0 {
		t.Errorf("want connections of the whole table, got %v", s.Mean)
	}
}

func BenchmarkAdd(b *testing.B) {
	for _, c := range []struct{ services, servers int }{{1_000, 10}, {1_000, 100}} {
		b.Run(fmt.Sprintf("%dx%d", c.services, c.servers), func(b *testing.B) {
			read, store, at := crowd(c.services, c.servers, false), history.New(), midnight
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				at = at.Add(interval)
				s := read(at)
				b.StartTimer()
				store.Add(s)
			}
		})
	}
}

// BenchmarkSeries is what a graph of one row costs in a frame.
func BenchmarkSeries(b *testing.B) {
	read, store, at := crowd(1_000, 10, false), history.New(), midnight
	for range 3600 {
		at = at.Add(interval)
		store.Add(read(at))
	}
	b.ReportAllocs()
	for b.Loop() {
		store.Series(server(500, 5), history.Active, at.Add(-2*time.Hour), at, 160)
	}
}

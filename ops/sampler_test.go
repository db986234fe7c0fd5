package ops_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ops"
)

// The loop runs in a bubble of synctest: its hours pass in no time, and a
// goroutine left behind fails the test.

var (
	web  = ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))
	dns  = ipvs.AddressService(ipvs.UDP, netip.MustParseAddrPort("203.0.113.53:53"))
	mark = ipvs.MarkService(7, ipvs.IPv4)
)

// fill puts services with some servers each into a new table.
func fill(t *testing.T, servers int, ids ...ipvs.ServiceID) *memory.Table {
	t.Helper()
	table := memory.New()
	for _, id := range ids {
		must(t, table.AddService(t.Context(), ipvs.NewService(id)))
		for i := range servers {
			must(t, table.AddServer(t.Context(), id, rs(i)))
		}
	}
	return table
}

// rs is the i-th real server, with thresholds that an overview does not show.
func rs(i int) ipvs.Server {
	addr := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i + 1)})
	return ipvs.Server{Addr: netip.AddrPortFrom(addr, 80), Weight: 1, Upper: 1000, Lower: 500}
}

// many are more services than one reading looks at in turn.
func many(n int) []ipvs.ServiceID {
	ids := make([]ipvs.ServiceID, n)
	for i := range ids {
		ids[i] = ipvs.MarkService(uint32(i+1), ipvs.IPv4)
	}
	return ids
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start runs a sampler until the test ends, and waits for its first sample.
func start(t *testing.T, r ipvs.Reader) *ops.Sampler {
	ctx, cancel := context.WithCancel(t.Context())
	s := ops.NewSampler(r, ops.Options{})
	ended := make(chan struct{})
	go func() { s.Run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	synctest.Wait()
	return s
}

// after lets time pass and waits until all that it sets off is done.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// seq checks how many samples there were.
func seq(t *testing.T, s *ops.Sampler, want uint64, when string) {
	t.Helper()
	if got := s.Latest().Seq; got != want {
		t.Fatalf("%s: want sample %d, got %d", when, want, got)
	}
}

func TestFirstReadingComesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, fill(t, 2, web, dns))
		first := s.Latest()
		if first.Seq != 1 || len(first.Services) != 2 || first.Servers != 4 || first.Interval != ops.DefaultInterval || !first.Time.Equal(time.Now()) {
			t.Errorf("want sample 1 of now with 2 services and 4 servers every 2 s, got %+v", first)
		}
		after(ops.DefaultInterval)
		seq(t, s, 2, "after an interval")
	})
}

func TestLatestWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, fill(t, 1, web))
		after(10 * ops.DefaultInterval)
		<-s.Updated()
		seq(t, s, 11, "who comes late")
		select {
		case <-s.Updated():
			t.Error("want one word for all that was missed")
		default:
		}
	})
}

func TestIntervalTakesEffectAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, fill(t, 1, web))
		s.SetInterval(time.Hour)
		if got := s.Interval(); got != ops.MaxInterval {
			t.Errorf("want the interval held at %v, got %v", ops.MaxInterval, got)
		}
		after(30 * time.Second)
		seq(t, s, 1, "half way through a long interval")
		s.SetInterval(time.Second)
		synctest.Wait()
		seq(t, s, 2, "when the new interval is over already")
		after(time.Second)
		seq(t, s, 3, "a short interval later")
	})
}

func TestReadNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := fill(t, 1, web)
		s := start(t, table)
		must(t, table.AddServer(t.Context(), web, rs(7)))
		s.ReadNow()
		synctest.Wait()
		if got := s.Latest().Servers; got != 2 {
			t.Errorf("want the added server at once, got %d servers", got)
		}
		after(ops.DefaultInterval - 1)
		seq(t, s, 2, "before the next interval is over")
		after(1)
		seq(t, s, 3, "after it")
	})
}

func TestFocusFillsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := many(50)
		s := start(t, fill(t, 3, ids...))
		before := s.Latest()
		if before.Services[49].Servers[0].Counted || !before.Services[15].Servers[0].Counted {
			t.Fatal("want the first reading to count the first few services only")
		}
		after(time.Second)
		s.Focus(ids[48:])
		synctest.Wait()
		now := s.Latest()
		seq(t, s, before.Seq+1, "after a new focus")
		for i, svc := range now.Services {
			if want := i < 16 || i >= 48; svc.Servers[0].Counted != want || svc.Servers[2].Partial == want {
				t.Errorf("%s: want counted %v, got %v", svc.Name, want, svc.Servers[0].Counted)
			}
		}
		if before.Services[49].Servers[0].Counted {
			t.Error("a sample that was handed over has changed")
		}
		if counting := now.Services[49].Servers[0].Since; !counting.Equal(time.Now()) {
			t.Errorf("want a server's counting to begin when it was first counted, got %v", counting)
		}
		if !now.Time.Equal(before.Time) || now.Services[49].Trend != before.Services[49].Trend || now.Services[0] != before.Services[0] {
			t.Error("want the same moment, and untouched rows shared")
		}
		s.Focus(ids[40:])
		after(time.Second)
		for _, svc := range s.Latest().Services[40:] {
			if !svc.Servers[0].Counted {
				t.Errorf("%s is in focus: want it counted in every sample", svc.Name)
			}
		}
	})
}

func TestFocusAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, fill(t, 1, many(100)...))
		s.FocusAll()
		for range 3 {
			synctest.Wait()
			for _, svc := range s.Latest().Services {
				if !svc.Servers[0].Counted {
					t.Fatalf("sample %d: %s is not counted", s.Latest().Seq, svc.Name)
				}
			}
			time.Sleep(ops.DefaultInterval)
		}
	})
}

// What is wanted whatever is on screen is read in every sample.
func TestAlso(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := many(60)
		s := start(t, fill(t, 1, ids...))
		s.Also(ids[50:51])
		s.Focus(ids[58:59])
		for range 6 {
			time.Sleep(ops.DefaultInterval)
			synctest.Wait()
			for _, i := range []int{50, 58} {
				if !s.Latest().Services[i].Servers[0].Counted {
					t.Fatalf("sample %d: service %d is not counted", s.Latest().Seq, i)
				}
			}
		}
	})
}

// Scrolling changes the focus with every key: the table must not be asked as often.
func TestFocusIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := many(300)
		s := start(t, fill(t, 1, ids...))
		for i := range 150 {
			s.Focus(ids[100+i : 101+i])
			after(10 * time.Millisecond)
		}
		if got := s.Latest().Seq; got > 13 {
			t.Errorf("want a dozen samples for 1.5 s of scrolling, got %d", got)
		}
		after(200 * time.Millisecond)
		if !s.Latest().Services[249].Servers[0].Counted {
			t.Error("want the last focus counted in the end")
		}
	})
}

// In a few readings everything is known, also what nobody looks at.
func TestEveryServiceHasItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, fill(t, 2, many(100)...))
		after(6 * ops.DefaultInterval)
		counted := 0
		for _, svc := range s.Latest().Services {
			for _, r := range svc.Servers {
				if r.Partial || r.Upper != 1000 {
					t.Fatalf("%s of %s: want its thresholds known", r.Name, svc.Name)
				}
				if r.Counted {
					counted++
				}
			}
		}
		if counted != 2*16 {
			t.Errorf("want figures only of the 16 services read this time, got those of %d servers", counted)
		}
	})
}

// On a director that answers slowly, what nobody looks at waits; the focus does not.
func TestTurnsTakeLittleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := many(60)
		table := fill(t, 1, ids...)
		table.Inject(func(_ context.Context, op ipvs.Op) error {
			if op == ipvs.OpGetServers {
				time.Sleep(40 * time.Millisecond)
			}
			return nil
		})
		s := start(t, table)
		after(time.Second)
		if got := s.Latest().Took; got != 120*time.Millisecond {
			t.Errorf("want three services read in turn, for 120 ms, got %v", got)
		}
		s.Focus(ids[40:])
		after(2 * ops.DefaultInterval)
		if got := s.Latest().Took; got != (20+3)*40*time.Millisecond {
			t.Errorf("want the 20 services in focus read as well, for 920 ms, got %v", got)
		}
	})
}

func TestErrorKeepsTheLastGoodRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := fill(t, 2, append(many(20), web)...)
		gone := errors.New("netlink is gone")
		table.Inject(memory.Fail(gone))
		s := start(t, table)
		if first := s.Latest(); !errors.Is(first.Err, gone) || !first.Time.IsZero() || first.Trend == nil {
			t.Errorf("want an empty sample with the error, got %+v", first)
		}
		table.Inject(nil)
		after(ops.DefaultInterval)
		good := s.Latest()
		if good.Err != nil || len(good.Services) != 21 || good.Was.Counted != good.Counted {
			t.Fatalf("want it to recover by itself, got %+v", good)
		}
		table.Inject(failing(ipvs.OpList, gone))
		after(ops.DefaultInterval)
		bad := s.Latest()
		if !errors.Is(bad.Err, gone) || !bad.Time.Equal(good.Time) || bad.Services[0] != good.Services[0] || bad.Seq != 3 {
			t.Errorf("want the last good rows and time with the error, got %+v", bad)
		}
		s.Focus(many(20))
		synctest.Wait()
		seq(t, s, 3, "a focus while rows are old")
	})
}

// failing is a fault of one kind of call only.
func failing(op ipvs.Op, err error) memory.Fault {
	return func(_ context.Context, asked ipvs.Op) error {
		if asked == op {
			return err
		}
		return nil
	}
}

func TestHangingTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := fill(t, 1, web)
		s := start(t, table)
		table.Inject(memory.Hang)
		after(ops.DefaultInterval + 5*time.Second - 1)
		seq(t, s, 1, "while the table hangs")
		after(1)
		if got := s.Latest(); !errors.Is(got.Err, context.DeadlineExceeded) || len(got.Services) != 1 {
			t.Errorf("want the reading given up after 5 s, got %+v", got)
		}
		table.Inject(nil)
		after(5 * time.Second)
		if err := s.Latest().Err; err != nil {
			t.Errorf("want it to recover by itself, got %v", err)
		}
	})
}

// A director that needs 3 s for a reading is left alone for 3 s after it.
func TestSlowReadingsDoNotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := fill(t, 1, web)
		busy, calls := 0, 0
		table.Inject(func(_ context.Context, op ipvs.Op) error {
			if op != ipvs.OpList {
				return nil
			}
			calls++
			busy++
			if busy > 1 {
				t.Error("two readings at once")
			}
			time.Sleep(3 * time.Second)
			busy--
			return nil
		})
		s := start(t, table)
		after(time.Minute)
		if calls < 10 || calls > 11 {
			t.Errorf("want a reading every 6 s, got %d in a minute", calls)
		}
		if got := s.Latest().Took; got != 3*time.Second {
			t.Errorf("want 3 s as the reading's cost, got %v", got)
		}
	})
}

// Servers that cannot be read in detail do not make the overview old.
func TestMissedDetails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := fill(t, 1, web)
		broken := errors.New("broken")
		table.Inject(failing(ipvs.OpGetServers, broken))
		s := start(t, table)
		if got := s.Latest(); got.Err != nil || !errors.Is(got.Missed, broken) || got.Servers != 1 || got.Services[0].Servers[0].Counted {
			t.Errorf("want a good sample that misses details, got %+v", got)
		}
		table.Inject(nil)
		after(ops.DefaultInterval)
		if got := s.Latest(); got.Missed != nil || !got.Services[0].Servers[0].Counted {
			t.Errorf("want nothing missed any more, got %+v", got)
		}
	})
}

// blind is a table read without rights: no counters, and no use asking.
type blind struct {
	*memory.Table
	t *testing.T
}

func (b blind) Overview(ctx context.Context) (ipvs.Overview, error) {
	view, err := b.Table.Overview(ctx)
	for i := range view.Services {
		view.Services[i].Partial = true
		view.Services[i].Stats = ipvs.Stats{}
	}
	return view, err
}

func (b blind) Servers(context.Context, ipvs.ServiceID) ([]ipvs.ServerState, error) {
	b.t.Error("a table read without rights was asked for its servers' counters")
	return nil, nil
}

func TestWithoutRights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := fill(t, 1, web)
		table.ObserveServer(web, rs(0).Addr, memory.Observation{Active: 5})
		s := start(t, blind{table, t})
		s.Focus([]ipvs.ServiceID{web})
		synctest.Wait()
		s.FocusAll()
		after(ops.DefaultInterval)
		got := s.Latest()
		if svc := got.Services[0]; svc.Counted || svc.Active != 5 || !svc.Partial || !svc.Servers[0].Partial || !got.Counted {
			t.Errorf("want connections and the table's own totals only, got %+v", svc)
		}
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := fill(t, 1, web)
		ctx, cancel := context.WithCancel(t.Context())
		s := ops.NewSampler(table, ops.Options{Interval: time.Minute})
		ended := make(chan struct{})
		go func() { s.Run(ctx); close(ended) }()
		synctest.Wait()
		table.Inject(memory.Hang)
		after(time.Minute)
		cancel()
		<-ended
		seq(t, s, 1, "a reading cut short by the end")
	})
}

package ops_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ops"
)

// watch is a sampler whose time the test makes pass.
type watch struct {
	*testing.T
	*memory.Table
	*ops.Sampler
	now time.Time
}

func newWatch(t *testing.T, table *memory.Table) *watch {
	return &watch{t, table, ops.NewSampler(table, ops.Options{}), time.Unix(1_700_000_000, 0)}
}

// sample takes the next sample, one interval on.
func (w *watch) sample() *ops.Sample {
	w.now = w.now.Add(w.Interval())
	return w.Observe(w.Context(), w.now)
}

// serve lets so many connections pass at a server of web.
func (w *watch) serve(i int, conns uint64) {
	w.Helper()
	passed := ipvs.Traffic{Conns: conns, InPackets: 10 * conns, InBytes: 1000 * conns}
	if !w.ObserveServer(web, rs(i).Addr, memory.Observation{Active: uint32(conns), Passed: passed, Rate: passed}) {
		w.Fatalf("server %d is not there", i)
	}
}

// Observe would be ambiguous: the sampler's is meant.
func (w *watch) Observe(ctx context.Context, now time.Time) *ops.Sample {
	return w.Sampler.Observe(ctx, now)
}

func TestFiguresAddUp(t *testing.T) {
	w := newWatch(t, fill(t, 2, web))
	w.serve(0, 5)
	w.serve(1, 7)
	first := w.sample()
	svc := first.Services[0]
	if svc.Active != 12 || svc.Total.Conns != 12 || svc.Rate.Conns != 12 || first.Active != 12 || first.Total.InBytes != 12_000 {
		t.Errorf("want the sums of both servers, got %+v and %+v", svc.Figures, first.Figures)
	}
	if svc.Was != svc.Figures || first.Was != first.Figures || svc.Servers[0].Was != svc.Servers[0].Figures {
		t.Error("want a first sample to have been the same before")
	}
	w.serve(0, 6)
	second := w.sample()
	if now, was := second.Services[0], svc; now.Was != was.Figures || second.Was != first.Figures || now.Servers[0].Was != was.Servers[0].Figures {
		t.Error("want Was to be what the sample before had")
	}
}

func TestStateOfServers(t *testing.T) {
	table := fill(t, 4, web)
	set := func(i int, change func(*ipvs.Server)) {
		s := rs(i)
		change(&s)
		must(t, table.SetServer(t.Context(), web, s))
	}
	set(1, func(s *ipvs.Server) { s.Weight = 0 })
	set(2, func(s *ipvs.Server) { s.Upper, s.Lower = 3, 0 })
	set(3, func(s *ipvs.Server) { s.Forward = ipvs.Direct })
	w := newWatch(t, table)
	w.serve(2, 3)
	svc := w.sample().Services[0]
	if svc.Up != 2 || svc.Overloaded != 1 || svc.Forwards.String() != "mixed" || svc.Forwards.CountsReplies() {
		t.Errorf("want 2 of 4 up, one overloaded, mixed ways; got %d, %d, %v", svc.Up, svc.Overloaded, svc.Forwards)
	}
}

// A full server stays out until it comes under its lower threshold.
func TestOverloadHasTwoThresholds(t *testing.T) {
	raised, single := rs(0), rs(0)
	raised.Upper, single.Lower = 2000, 0
	for _, test := range []struct {
		name  string
		set   ipvs.Server
		conns []uint32
		want  string
	}{
		{"lower", rs(0), []uint32{999, 1000, 999, 500, 499, 999}, "[false true true true false false]"},
		{"three quarters", single, []uint32{1000, 750, 749, 750}, "[true true false false]"},
		{"quick", rs(0), []uint32{1000, 1, 1}, "[true false false]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWatch(t, fill(t, 1, web))
			must(t, w.SetServer(t.Context(), web, test.set))
			var got []bool
			for _, n := range test.conns {
				w.ObserveServer(web, rs(0).Addr, memory.Observation{Active: n})
				svc := w.sample().Services[0]
				got = append(got, svc.Servers[0].Overloaded())
				if up := svc.Up == 1; up == (svc.Overloaded == 1) {
					t.Errorf("want a server up or overloaded, got %d and %d", svc.Up, svc.Overloaded)
				}
			}
			if fmt.Sprint(got) != test.want {
				t.Errorf("with %v connections: want %s, got %v", test.conns, test.want, got)
			}
		})
	}
	w := newWatch(t, fill(t, 1, web))
	w.ObserveServer(web, rs(0).Addr, memory.Observation{Active: 1000})
	w.sample()
	must(t, w.SetServer(t.Context(), web, raised))
	if w.sample().Services[0].Overloaded != 0 {
		t.Error("want a raised threshold to let the server in again")
	}
}

// Zeroing, and a service deleted and added anew between two readings, set the
// totals back; Seen goes on.
func TestSeenOverZeroAndReCreation(t *testing.T) {
	w := newWatch(t, fill(t, 1, web))
	w.serve(0, 100)
	since := w.sample().Services[0].Since
	seen := func(want uint64) {
		t.Helper()
		svc := w.sample().Services[0]
		if svc.Seen.Conns != want || svc.Servers[0].Seen.Conns != want || !svc.Since.Equal(since) {
			t.Errorf("want %d seen since %v, got %d since %v", want, since, svc.Seen.Conns, svc.Since)
		}
	}
	seen(0)
	w.serve(0, 5)
	seen(5)
	must(t, w.Zero(t.Context(), web))
	w.serve(0, 4)
	seen(9)
	must(t, w.DeleteService(t.Context(), web))
	must(t, w.AddService(t.Context(), ipvs.NewService(web)))
	must(t, w.AddServer(t.Context(), web, rs(0)))
	w.serve(0, 3)
	seen(12)
	must(t, w.ZeroAll(t.Context()))
	seen(12)
}

func TestRowsThatLeaveAreForgotten(t *testing.T) {
	w := newWatch(t, fill(t, 1, web, dns))
	w.serve(0, 100)
	w.sample()
	w.serve(0, 100)
	w.sample()
	must(t, w.DeleteService(t.Context(), web))
	if got := w.sample(); len(got.Services) != 1 || got.Services[0].ServiceID != dns || got.Servers != 1 {
		t.Errorf("want only %s, got %d services", dns, len(got.Services))
	}
	must(t, w.AddService(t.Context(), ipvs.NewService(web)))
	must(t, w.AddServer(t.Context(), web, rs(0)))
	got := w.sample()
	svc := got.Services[0]
	if svc.Seen != (ipvs.Traffic{}) || !svc.Since.Equal(w.now) || len(svc.Trend.Active) > 1 || svc.Was != svc.Figures {
		t.Errorf("want a service without a past, got %+v", svc)
	}
}

// Thresholds are learnt once; an edit that shows in the overview makes them
// unknown, and has them read again.
func TestSettingsAreRemembered(t *testing.T) {
	ids := many(80)
	w := newWatch(t, fill(t, 2, ids...))
	for range 6 {
		w.sample()
	}
	s := w.Latest()
	i := slices.IndexFunc(s.Services, func(svc *ops.Service) bool { return svc.Servers[1].Counted })
	if now := w.sample().Services[i].Servers[1]; now.Partial || now.Upper != 1000 || now.Counted {
		t.Fatalf("want settings known and figures not when others had their turn, got %+v", now)
	}
	edited := rs(1)
	edited.Weight, edited.Upper = 7, 2000
	must(t, w.SetServer(t.Context(), ids[i], edited))
	if now := w.sample().Services[i].Servers[1]; !now.Partial || now.Upper != 0 || now.Weight != 7 {
		t.Errorf("want the thresholds unknown after an edit, got %+v", now.Server)
	}
	if now := w.sample().Services[i].Servers[1]; now.Partial || now.Upper != 2000 || !now.Counted {
		t.Errorf("want the edited service read next, got %+v", now.Server)
	}
}

func TestNamesAndOrder(t *testing.T) {
	w := newWatch(t, fill(t, 3, mark, dns, web))
	got := w.sample()
	var names []string
	for _, svc := range got.Services {
		names = append(names, svc.Name)
		for _, r := range svc.Servers {
			names = append(names, r.Name)
		}
	}
	want := []string{
		"203.0.113.10:443", "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80",
		"203.0.113.53:53", "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80",
		"7", "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80",
	}
	if !slices.Equal(names, want) {
		t.Errorf("names in order:\n want %q\n got  %q", want, names)
	}
}

func TestTrend(t *testing.T) {
	w := newWatch(t, fill(t, 1, web))
	var last *ops.Sample
	for i := range uint64(3 * ops.TrendEvery) {
		w.serve(0, i)
		last = w.sample()
	}
	// The whole table's points end with every third sample: 0 1 2, 3 4 5, 6 7 8.
	if got, want := fmt.Sprint(last.Trend.Conns, last.Trend.Active), "[1 4 7] [1 4 7]"; got != want {
		t.Errorf("want points %s, got %s", want, got)
	}
	for range 2 * ops.TrendLen * ops.TrendEvery {
		last = w.sample()
	}
	if n, m := len(last.Trend.Conns), len(last.Services[0].Servers[0].Trend.Active); n != ops.TrendLen || m != ops.TrendLen {
		t.Errorf("want %d points at most, got %d and %d", ops.TrendLen, n, m)
	}
}

func TestTrendHasGaps(t *testing.T) {
	w := newWatch(t, fill(t, 1, web))
	w.serve(0, 9)
	for range ops.TrendEvery {
		w.sample()
	}
	w.Inject(memory.Fail(errors.New("gone")))
	for range 2 * ops.TrendEvery {
		w.sample()
	}
	w.Inject(nil)
	for range ops.TrendEvery {
		w.sample()
	}
	if got, want := fmt.Sprint(w.Latest().Trend.Active), "[9 -1 -1 9]"; got != want {
		t.Errorf("want unknown points while nothing was read: %s, got %s", want, got)
	}
}

// Not the whole screen moves at once: in each sample a third of the rows get a
// new point.
func TestTrendsAreStaggered(t *testing.T) {
	const rows = 30
	w := newWatch(t, fill(t, rows, many(rows)...))
	last := w.sample()
	for range 2 * ops.TrendEvery {
		now := w.sample()
		services, servers := 0, 0
		for i, svc := range now.Services {
			if svc.Trend != last.Services[i].Trend {
				services++
			}
		}
		for i, r := range now.Services[0].Servers {
			if r.Trend != last.Services[0].Servers[i].Trend {
				servers++
			}
		}
		if services != rows/ops.TrendEvery || servers != rows/ops.TrendEvery {
			t.Errorf("sample %d: want a third of %d trends to move, got those of %d services and %d servers", now.Seq, rows, services, servers)
		}
		last = now
	}
}

func TestEstimator(t *testing.T) {
	w := newWatch(t, fill(t, 1, web))
	stopped := func(samples int, want string) {
		t.Helper()
		for range samples {
			w.serve(0, 10)
			if got := w.sample().EstimatorStopped; got != want {
				t.Fatalf("want %q, got %q", want, got)
			}
		}
	}
	const (
		off   = "estimator off: set net.ipv4.vs.run_estimation=1"
		stuck = "totals stand still: check net.ipv4.vs.run_estimation"
	)
	stopped(5, "")
	w.SetEstimator(memory.Off)
	stopped(1, off)
	w.SetEstimator(memory.Running)
	stopped(2, "")
	w.SetEstimator(memory.Stuck)
	stopped(3, "") // 6 s from the first of them have not passed
	stopped(3, stuck)
	w.SetEstimator(memory.Running)
	stopped(1, "")
	for range 10 { // an idle table is no reason to worry
		if got := w.sample().EstimatorStopped; got != "" {
			t.Fatalf("want an idle table left in peace, got %q", got)
		}
	}
}

// A faster reading sees totals stand still between the estimator's turns.
func TestEstimatorAtOneSecond(t *testing.T) {
	w := newWatch(t, fill(t, 1, web))
	w.SetInterval(time.Second)
	for i := range 30 {
		w.SetEstimator(memory.Stuck)
		if i%2 == 0 {
			w.SetEstimator(memory.Running)
		}
		w.serve(0, 10)
		if got := w.sample().EstimatorStopped; got != "" {
			t.Fatalf("sample %d: want a running estimator, got %q", i+1, got)
		}
	}
}

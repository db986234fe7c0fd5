package check

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
)

// watched is a site with a Watch that sees each of its samples.
type watched struct {
	*site
	watch *Watch
	now   time.Time
}

func watchOf(t *testing.T, mode ipvs.Forward) *watched {
	s := healthy(t, mode)
	w := &watched{s, NewWatch(WatchOptions{Sources: s.from}), time.Unix(1e9, 0)}
	s.sampler.Each(w.watch.Seen)
	return w
}

// round lets time pass and makes a round that nobody asked for.
func (w *watched) round(passed time.Duration) []Finding {
	w.t.Helper()
	w.now = w.now.Add(passed)
	w.ok(w.sampler.Observe(w.t.Context(), w.now).Err)
	r, err := w.watch.round(w.t.Context(), false)
	w.ok(err)
	if len(r.Unread) > 0 || r.Services != 1 || r.Servers != 2 {
		w.t.Errorf("%+v", r)
	}
	return r.Findings
}

// TestWatch: what is found is known from round to round, is there as long as it is
// wrong, and is gone with it.
func TestWatch(t *testing.T) {
	w := watchOf(t, ipvs.Masq)
	if _, err := w.watch.LookNow(t.Context()); err == nil || w.watch.Latest() != nil {
		t.Error("a look at nothing")
	}
	if got := w.round(0); len(got) > 0 {
		t.Errorf("%q", told(got))
	}
	gate := "net/ipv4/conf/eth1/forwarding"
	w.ok(w.host.Set(gate, "0"))
	first := w.round(Pace)
	again := w.round(Pace)
	if len(first) != 1 || len(again) != 1 || first[0].Since.IsZero() || first[0].Since != again[0].Since {
		t.Errorf("%+v, then %+v", first, again)
	}
	w.ok(w.host.Set(gate, "1"))
	if got := w.round(Pace); len(got) > 0 {
		t.Errorf("%q", told(got))
	}
	w.ok(w.host.Set(gate, "0"))
	if got := w.round(Pace); len(got) != 1 || !got[0].Since.After(first[0].Since) {
		t.Errorf("%+v", got)
	}
}

// TestWatchRuns: rounds are made beside samples, and a look that is asked for is one
// of a newer sample.
func TestWatchRuns(t *testing.T) {
	s := healthy(t, ipvs.Masq)
	ctx, cancel := context.WithCancel(t.Context())
	w := NewWatch(WatchOptions{Sources: s.from, ReadNow: s.sampler.ReadNow})
	s.sampler.Each(w.Seen)
	var both sync.WaitGroup
	both.Go(func() { s.sampler.Run(ctx) })
	both.Go(func() { w.Run(ctx) })
	for w.Latest() == nil {
		runtime.Gosched()
	}
	for n := range 3 {
		s.edit(ipvs.Masq, func(r *ipvs.Server) { r.Weight = uint32(n % 2) }, 0, 1)
		r, err := w.LookNow(ctx)
		s.ok(err)
		if broken := n%2 == 0; (len(r.Findings) > 0) != broken || w.Sample().Services[0].Servers[0].Weight != uint32(n%2) {
			t.Errorf("look %d: %q", n, told(r.Findings))
		}
	}
	cancel()
	both.Wait()
	if _, err := w.LookNow(ctx); err == nil {
		t.Error("a look after the end")
	}
}

// TestWatchWavers: what may come and go by nature stays for one round more.
func TestWatchWavers(t *testing.T) {
	w := watchOf(t, ipvs.Masq)
	silent := netcfg.Neighbour{Link: "eth1", Addr: server(ipvs.Masq, 1).Addr(), Failed: true}
	w.host.PutNeighbour(silent)
	w.round(0)
	silent.Failed, silent.MAC = false, "02:00:00:00:00:01"
	w.host.PutNeighbour(silent)
	held := w.round(Pace)
	if len(held) != 1 || held[0].Check != "neighbour" || len(held[0].Evidence) != 2 {
		t.Errorf("%+v", held)
	}
	if got := w.round(Pace); len(got) > 0 {
		t.Errorf("%q", told(got))
	}
	silent.Failed, silent.MAC = true, ""
	w.host.PutNeighbour(silent)
	w.round(Pace)
	w.ok(w.table.DeleteServer(t.Context(), http, ipvs.Server{Addr: server(ipvs.Masq, 1)}))
	w.ok(w.sampler.Observe(t.Context(), w.now).Err)
	if r, err := w.watch.round(t.Context(), false); err != nil || len(r.Findings) > 0 {
		t.Errorf("of a server that is not there: %+v, %v", r, err)
	}
}

// costing is a table of connections that rounds may not read when it is dear.
type costing struct {
	lines
	cost time.Duration
}

func (c *costing) ReadCost(uint64) time.Duration { return c.cost }

// TestWatchBlind: what a round cannot see has not ended: not what goes by connections
// that are not read, nor a silent server that the kernel has forgotten.
func TestWatchBlind(t *testing.T) {
	w := watchOf(t, ipvs.Masq)
	var text strings.Builder
	for n := range 8 {
		fmt.Fprintf(&text, "TCP C633640%d 8001 CB00710A 0050 0A00030B 0050 SYN_RECV         59\n", n)
	}
	source := &costing{lines: lines(text.String())}
	w.watch.from.Conns = source
	round := func() []string {
		t.Helper()
		w.now = w.now.Add(Pace)
		w.ok(w.sampler.Observe(t.Context(), w.now).Err)
		r, err := w.watch.round(t.Context(), false)
		w.ok(err)
		var all []string
		for _, f := range r.Findings {
			all = append(all, f.Check)
		}
		return all
	}
	if got := round(); !slices.Equal(got, []string{"half-open"}) {
		t.Fatalf("%q", got)
	}
	source.cost = time.Hour
	w.watch.kept.loads.At = time.Time{} // long ago
	for range 3 {
		if got := round(); !slices.Equal(got, []string{"half-open"}) {
			t.Fatalf("not read: %q", got)
		}
	}
	if r := w.watch.Latest(); !slices.Contains(r.Blind, "half-open") || len(r.Findings[0].Evidence) != 2 || !strings.Contains(r.Findings[0].Evidence[1], "as at ") {
		t.Errorf("%+v", r)
	}
	source.cost, source.lines = 0, ""
	round()
	if got := round(); len(got) > 0 {
		t.Errorf("read, and well: %q", got)
	}

	silent := netcfg.Neighbour{Link: "eth1", Addr: server(ipvs.Masq, 1).Addr(), Failed: true}
	w.host.PutNeighbour(silent)
	round()
	silent.Failed = false // nobody asks for it any more
	w.host.PutNeighbour(silent)
	for range 3 {
		if got := round(); !slices.Equal(got, []string{"neighbour"}) {
			t.Fatalf("forgotten: %q", got)
		}
	}
	w.edit(ipvs.Masq, func(r *ipvs.Server) { r.Weight = 0 }, 1)
	round()
	if got := round(); slices.Contains(got, "neighbour") {
		t.Errorf("of a drained server: %q", got)
	}
}

// TestProbedIsKept: what a probe found is told until the next probe of the service.
func TestProbedIsKept(t *testing.T) {
	w := watchOf(t, ipvs.Masq)
	w.round(0)
	at := server(ipvs.Masq, 0)
	found := Finding{Check: "probe", Severity: Fault, Service: http, Server: at, Short: "silent", Evidence: []string{"no answer"}, Means: "."}
	w.watch.tell(*w.watch.scene, func(ipvs.ServiceID) bool { return true }, []Finding{found})
	for range 2 {
		if got := told(w.round(Pace)); !slices.Equal(got, []string{"fault probe " + at.String()}) {
			t.Errorf("%q", got)
		}
	}
	w.watch.tell(*w.watch.scene, func(id ipvs.ServiceID) bool { return id != http }, nil)
	if got := w.round(Pace); len(got) != 1 {
		t.Errorf("%q", told(got))
	}
	w.watch.tell(*w.watch.scene, func(id ipvs.ServiceID) bool { return id == http }, nil)
	if got := w.round(Pace); len(got) > 0 {
		t.Errorf("%q", told(got))
	}
}

// TestMeter: counters that are not in every sample are compared with their own last
// ones, and begin anew when they are set back or the service changes.
func TestMeter(t *testing.T) {
	var m meter
	at := netip.MustParseAddrPort("10.0.3.11:80")
	now := time.Unix(1e9, 0)
	sample := func(passed time.Duration, weight uint32, conns uint64, counted bool) Moved {
		now = now.Add(passed)
		r := &ops.Server{Server: ipvs.Server{Addr: at, Weight: weight}}
		r.Total.Conns, r.Counted = conns, counted
		m.add(&ops.Sample{Time: now, Services: []*ops.Service{{Service: ipvs.NewService(http), Servers: []*ops.Server{r}}}})
		short, _ := m.moved()
		return short[Place{http, at}]
	}
	for i, step := range []struct {
		passed  time.Duration
		weight  uint32
		conns   uint64
		counted bool
		want    uint64
		over    time.Duration
	}{
		{0, 1, 100, true, 0, 0},
		{4 * time.Second, 1, 110, true, 10, 4 * time.Second},
		{100 * time.Second, 1, 0, false, 10, 4 * time.Second},
		{0, 1, 150, true, 50, 104 * time.Second},
		{6 * time.Second, 1, 151, true, 51, 110 * time.Second}, // the while goes on until the next is long enough
		{6 * time.Second, 1, 152, true, 2, 12 * time.Second},
		{2 * time.Second, 1, 7, true, 0, 0}, // zeroed
		{2 * time.Second, 1, 9, true, 2, 2 * time.Second},
		{2 * time.Second, 2, 11, true, 0, 0}, // edited
	} {
		if got := sample(step.passed, step.weight, step.conns, step.counted); got.Conns != step.want || got.For != step.over && step.want > 0 {
			t.Errorf("step %d: %d in %v", i, got.Conns, got.For)
		}
	}
	m.add(&ops.Sample{Seq: 1, Time: now})
	if len(m.services) > 0 {
		t.Error("a service that has gone is remembered")
	}
}

package memory_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
)

var (
	web  = ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))
	mail = ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.25:25"))
	rs1  = ipvs.Server{Addr: netip.MustParseAddrPort("10.0.0.1:80"), Weight: 1, Upper: 100, Lower: 50}
	rs2  = ipvs.Server{Addr: netip.MustParseAddrPort("10.0.0.2:80"), Weight: 1}
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// busy gives a table with two services, the first with two servers, and some
// traffic at each server.
func busy(t *testing.T) *memory.Table {
	t.Helper()
	table := memory.New()
	for _, id := range []ipvs.ServiceID{web, mail} {
		must(t, table.AddService(t.Context(), ipvs.NewService(id)))
		must(t, table.AddServer(t.Context(), id, rs1))
	}
	must(t, table.AddServer(t.Context(), web, rs2))
	table.Observe(func(_ ipvs.Service, servers []ipvs.ServerState) []memory.Observation {
		return []memory.Observation{some(1), some(10)}[:len(servers)]
	})
	return table
}

func some(n uint64) memory.Observation {
	return memory.Observation{
		Active: uint32(n), Inactive: uint32(2 * n), Persistent: uint32(3 * n),
		Passed: ipvs.Traffic{Conns: n, InPackets: 2 * n, OutPackets: 3 * n, InBytes: 4 * n, OutBytes: 5 * n},
		Rate:   ipvs.Traffic{Conns: n},
	}
}

// conns gives total and rate of connections of web and of the whole table.
func conns(t *testing.T, table *memory.Table) (got [4]uint64) {
	t.Helper()
	view, err := table.Overview(t.Context())
	must(t, err)
	for _, e := range view.Services {
		if e.ServiceID == web {
			got[0], got[1] = e.Stats.Total.Conns, e.Stats.Rate.Conns
		}
	}
	got[2], got[3] = view.Stats.Total.Conns, view.Stats.Rate.Conns
	return got
}

func TestTrafficSumsUp(t *testing.T) {
	for _, test := range []struct {
		name string
		then func(*memory.Table) error
		want [4]uint64 // total and rate of web, of the table
	}{
		{"as it is", func(*memory.Table) error { return nil }, [4]uint64{11, 11, 12, 12}},
		{"more at one server", func(m *memory.Table) error {
			m.ObserveServer(web, rs1.Addr, some(4))
			return nil
		}, [4]uint64{15, 14, 16, 15}},
		{"edits", func(m *memory.Table) error {
			return errors.Join(m.SetServer(t.Context(), web, rs2), m.SetService(t.Context(), ipvs.NewService(web)))
		}, [4]uint64{11, 11, 12, 12}},
		{"server deleted", func(m *memory.Table) error { return m.DeleteServer(t.Context(), web, rs2) }, [4]uint64{11, 1, 12, 2}},
		{"server deleted and added", func(m *memory.Table) error {
			return errors.Join(m.DeleteServer(t.Context(), web, rs2), m.AddServer(t.Context(), web, rs2))
		}, [4]uint64{11, 1, 12, 2}},
		{"service deleted", func(m *memory.Table) error { return m.DeleteService(t.Context(), web) }, [4]uint64{0, 0, 12, 1}},
		{"service zeroed", func(m *memory.Table) error { return m.Zero(t.Context(), web) }, [4]uint64{0, 0, 12, 1}},
		{"all zeroed", func(m *memory.Table) error { return m.ZeroAll(t.Context()) }, [4]uint64{}},
		{"flushed", func(m *memory.Table) error { return m.Flush(t.Context()) }, [4]uint64{0, 0, 12, 0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			table := busy(t)
			must(t, test.then(table))
			if got := conns(t, table); got != test.want {
				t.Errorf("total and rate of service and table:\n want %v\n got  %v", test.want, got)
			}
		})
	}
}

// An overview shows no more of a server than /proc/net/ip_vs does.
func TestOverviewIsPartial(t *testing.T) {
	table := busy(t)
	view, err := table.Overview(t.Context())
	must(t, err)
	newest := view.Services[len(view.Services)-1].Servers[0]
	want := ipvs.ServerState{
		Server: ipvs.Server{Addr: rs2.Addr, Weight: 1}, Active: 10, Inactive: 20, Partial: true,
	}
	if newest != want {
		t.Errorf("newest server of the oldest service:\n want %+v\n got  %+v", want, newest)
	}
	servers, err := table.Servers(t.Context(), web)
	must(t, err)
	if got := servers[1]; got.Server != rs1 || got.Persistent != 3 || got.Stats.Total.OutBytes != 5 || got.Partial {
		t.Errorf("want all of the older server, got %+v", got)
	}
}

func TestEditKeepsCounters(t *testing.T) {
	table := busy(t)
	drained := rs2
	drained.Weight = 0
	must(t, table.SetServer(t.Context(), web, drained))
	servers, err := table.Servers(t.Context(), web)
	must(t, err)
	if got := servers[0]; got.Server != drained || got.Active != 10 || got.Stats.Total.Conns != 10 {
		t.Errorf("want weight 0 and the counters as they were, got %+v", got)
	}
}

func TestStoppedEstimator(t *testing.T) {
	for _, e := range []memory.Estimator{memory.Off, memory.Stuck} {
		table := busy(t)
		table.SetEstimator(e)
		before, err := table.Overview(t.Context())
		must(t, err)
		table.ObserveServer(web, rs1.Addr, some(50))
		after, err := table.Overview(t.Context())
		must(t, err)
		if after.Stats != before.Stats || after.LivePackets != before.LivePackets+250 {
			t.Errorf("want totals to stand and packets to move, got %+v, %d", after.Stats, after.LivePackets)
		}
		if got := after.Services[1].Servers[1].Active; got != 50 {
			t.Errorf("want connections to move, got %d active", got)
		}
		info, err := table.Info(t.Context())
		must(t, err)
		if info.EstimatorOff != (e == memory.Off) {
			t.Errorf("want the info to tell only an estimator that is off, got %v", info.EstimatorOff)
		}
	}
}

func TestObserveWhatIsNotThere(t *testing.T) {
	table := busy(t)
	if table.ObserveServer(mail, rs2.Addr, some(1)) || table.ObserveServer(ipvs.MarkService(1, ipvs.IPv4), rs1.Addr, some(1)) {
		t.Error("want to be told that there is no such server")
	}
}

func TestFaults(t *testing.T) {
	table := busy(t)
	broken := errors.New("broken")
	table.Inject(memory.Nth(2, memory.Fail(broken)))
	for n, want := range []error{nil, broken, nil} {
		if err := table.Flush(t.Context()); !errors.Is(err, want) {
			t.Errorf("call %d: want %v, got %v", n+1, want, err)
		}
	}
	table.Inject(memory.Hang)
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error)
	go func() {
		_, err := table.Overview(ctx)
		answer <- err
	}()
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("want a hanging call to end with its context, got %v", err)
	}
	table.Inject(nil)
	if _, err := table.Overview(t.Context()); err != nil {
		t.Errorf("want the table to answer again, got %v", err)
	}
}

package task

import (
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ops"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
	"lvsdeck/persist/adm"
)

// bench is a director in memory with a clock of its own.
type bench struct {
	*Keeper
	t       *testing.T
	table   *memory.Table
	sampler *ops.Sampler
	store   *persist.Store
	now     time.Time
	id      ipvs.ServiceID
	full    bool // the disk
}

const one = "10.0.0.1:80"

func newBench(t *testing.T) *bench {
	b := &bench{t: t, table: memory.New(), now: noon, id: ipvs.AddressService(ipvs.TCP, at("203.0.113.10:80"))}
	b.ok(b.table.AddService(t.Context(), ipvs.NewService(b.id)))
	for _, a := range []string{one, "10.0.0.2:80"} {
		b.ok(b.table.AddServer(t.Context(), b.id, ipvs.Server{Addr: at(a), Forward: ipvs.Direct, Upper: 900}))
	}
	var err error
	b.store, err = persist.Open(persist.Options{Dir: t.TempDir(), Fault: func(_ persist.Op, _ string, data []byte) (int, error) {
		if b.full {
			return 0, unix.ENOSPC
		}
		return len(data), nil
	}})
	b.ok(err)
	b.sampler = ops.NewSampler(b.table, ops.Options{})
	b.Keeper = NewKeeper(Options{
		Source: b.sampler, Now: func() time.Time { return b.now },
		Runner: &plan.Runner{Target: plan.Target{Table: b.table}, Store: b.store, Rules: persist.Language{Write: adm.WriteRules, Read: adm.ReadRules}},
	})
	b.pass(0)
	return b
}

func (b *bench) ok(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// pass lets time pass, with a sample every 2 s and a look at it.
func (b *bench) pass(d time.Duration) {
	for end := b.now.Add(d); ; b.now = b.now.Add(2 * time.Second) {
		b.sampler.Observe(b.t.Context(), b.now)
		b.Step(b.t.Context())
		if !b.now.Before(end) {
			b.now = end
			return
		}
	}
}

func (b *bench) row(addr string) plan.Row {
	b.t.Helper()
	r, err := plan.ReadRow(b.t.Context(), b.table, b.id, ipvs.Server{Addr: at(addr)})
	b.ok(err)
	return r
}

func (b *bench) weight(addr string) uint32 { return b.row(addr).Server.Weight }

func (b *bench) gone(addr string) bool {
	servers, err := b.table.Servers(b.t.Context(), b.id)
	b.ok(err)
	return !slices.ContainsFunc(servers, func(s ipvs.ServerState) bool { return s.Addr == at(addr) })
}

// conns sets the connections of the first server.
func (b *bench) conns(active, inactive uint32) {
	b.table.ObserveServer(b.id, at(one), memory.Observation{Active: active, Inactive: inactive})
}

// others change the first server behind our back.
func (b *bench) others(change func(*ipvs.Server)) {
	s := b.row(one).Server
	change(&s)
	b.ok(b.table.SetServer(b.t.Context(), b.id, s))
}

func (b *bench) is(what string, state State, words ...string) {
	b.t.Helper()
	got := b.Tasks()[0]
	for _, w := range words {
		if got.State != state || !strings.Contains(got.Word+" "+got.Progress, w) {
			b.t.Fatalf("%s: want %s with %q, got %+v", what, state, w, got)
		}
	}
}

func (b *bench) titles() (all []string) {
	plans, err := b.store.Plans()
	b.ok(err)
	for _, p := range plans {
		all = append(all, p.Title)
	}
	return all
}

package plan

import (
	"fmt"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
)

// TestRestoreRandomRules goes from random rules to others and back. Untouched
// rows keep their counters, and doing it twice changes nothing.
func TestRestoreRandomRules(t *testing.T) {
	for seed := range uint64(150) {
		r := newRandom(seed)
		table := memory.New()
		b := newGroupBench(t, table, int(seed%3))
		a, z := r.rules(8, 5), r.rules(8, 5)
		b.fill(a)
		traffic(table)
		b.thereAndBack(fmt.Sprintf("seed %d", seed), z)
	}
}

// thereAndBack restores rules, twice, and undoes that.
func (b *bench) thereAndBack(what string, wanted ipvs.Rules) {
	b.Helper()
	before := b.rules()
	counters := b.counters()
	p := Restore(before, wanted, false)
	if p.Empty() {
		b.Fatalf("%s: nothing differs", what)
	}
	for row := range p.removed() {
		delete(counters, row)
	}
	done := b.run(p)
	b.holds(what+" restored", wanted)
	if p := Restore(b.rules(), wanted, false); !p.Empty() {
		b.Fatalf("%s: restored, and still to do:\n%s", what, p.Commands())
	}
	now := b.counters()
	for row, was := range counters {
		if now[row] != was {
			b.Errorf("%s: the counters of %s, which was not removed, were %v and are %v", what, row, was, now[row])
		}
	}
	_, err := b.Undo(b.Context(), done.ID, nil)
	b.ok(err)
	b.holds(what+" undone", before)
}

// removed are the rows that a plan takes away. Edited ones keep their counters.
func (p Plan) removed() map[string]bool {
	rows := map[string]bool{}
	for _, i := range p.Items {
		if i.Step.Counts().Remove == 0 {
			continue
		}
		rows[i.Step.Row()] = true
		if s, ok := i.Step.(ChangeService); ok {
			for _, rs := range s.Servers {
				rows[ipvs.ServerTarget(s.id(), rs)] = true
			}
		}
	}
	return rows
}

// counters are the totals and active connections of every row, by its name.
func (b *bench) counters() map[string][2]uint64 {
	b.Helper()
	all := map[string][2]uint64{}
	o, err := b.table.Overview(b.Context())
	b.ok(err)
	for _, e := range o.Services {
		all[e.ServiceID.String()] = [2]uint64{e.Stats.Total.Conns}
		servers, err := b.table.Servers(b.Context(), e.ServiceID)
		b.ok(err)
		for _, s := range servers {
			all[ipvs.ServerTarget(e.ServiceID, s.Server)] = [2]uint64{s.Stats.Total.Conns, uint64(s.Active)}
		}
	}
	return all
}

// traffic gives every server of a table in memory figures of its own.
func traffic(t *memory.Table) {
	n := uint64(0)
	t.Observe(func(_ ipvs.Service, servers []ipvs.ServerState) (o []memory.Observation) {
		for range servers {
			n++
			o = append(o, memory.Observation{Active: uint32(n), Passed: ipvs.Traffic{Conns: 1000 + n}})
		}
		return o
	})
}

func TestRestoreMergeRemovesNothing(t *testing.T) {
	for seed := range uint64(50) {
		r := newRandom(1000 + seed)
		b := newBench(t, memory.New())
		a, z := r.rules(8, 5), r.rules(8, 5)
		a.Daemons, z.Daemons = nil, nil // which forbid servers of mixed families
		unmix(&a, &z)
		b.fill(a)
		p := Restore(b.rules(), z, true)
		if c := p.Counts(); c.Remove > 0 {
			t.Errorf("seed %d: merging removes %d rows", seed, c.Remove)
		}
		b.run(p)
		want := text(merged(a, z))
		if got := text(b.rules()); got != want {
			t.Fatalf("seed %d:\n%s", seed, difference(want, got))
		}
		if again := Restore(b.rules(), z, true); !again.Empty() {
			t.Errorf("seed %d: merged, and still to do:\n%s", seed, again.Commands())
		}
	}
}

// merged puts what b says over a, on its own way: row by row in a map.
func merged(a, b ipvs.Rules) ipvs.Rules {
	services, servers := map[ipvs.ServiceID]ipvs.Service{}, map[ipvs.ServiceID]map[string]ipvs.Server{}
	for _, r := range []ipvs.Rules{a, b} {
		for _, s := range r.Services {
			services[s.ServiceID] = s.Service
			if servers[s.ServiceID] == nil {
				servers[s.ServiceID] = map[string]ipvs.Server{}
			}
			for _, rs := range s.Servers {
				servers[s.ServiceID][rs.Addr.String()] = rs
			}
		}
	}
	out := ipvs.Rules{Timeouts: b.Timeouts}
	for id, s := range services {
		one := ipvs.ServiceRules{Service: s}
		for _, rs := range servers[id] {
			one.Servers = append(one.Servers, rs)
		}
		out.Services = append(out.Services, one)
	}
	return out
}

// unmix drops servers of another family than their service's.
func unmix(all ...*ipvs.Rules) {
	for _, r := range all {
		for i := range r.Services {
			s := &r.Services[i]
			var kept []ipvs.Server
			for _, rs := range s.Servers {
				if rs.Family() == s.Family {
					kept = append(kept, rs)
				}
			}
			s.Servers = kept
		}
	}
}

func TestRestoreOrder(t *testing.T) {
	b, running := site(t)
	gue := server("[2001:db8::5]:443", 1)
	gue.Forward = ipvs.TunnelFwd
	wanted := ipvs.Rules{Services: []ipvs.ServiceRules{
		{Service: running.Services[0].Service, Servers: []ipvs.Server{server("10.0.0.1:443", 1), server("10.0.0.9:443", 1)}},
		{Service: ipvs.NewService(ipvs.MarkService(7, ipvs.IPv4)), Servers: []ipvs.Server{gue}},
	}, Timeouts: &ipvs.Timeouts{UDP: 30}}
	running.Services = append(running.Services, ipvs.ServiceRules{Service: ipvs.NewService(ipvs.MarkService(8, ipvs.IPv4))})
	running.Daemons = []ipvs.Daemon{{Role: ipvs.Master, Interface: "lo"}}
	want := `stop the master sync daemon on lo, sync id 0
add 10.0.0.9:443 of TCP 203.0.113.10:443: DR, weight 1
add FWM 7: wlc
add [2001:db8::5]:443 of FWM 7: TUN, weight 1, ipip
weigh 10.0.0.1:443 of TCP 203.0.113.10:443: weight 100 to 1
remove 10.0.0.2:443 of TCP 203.0.113.10:443
remove 10.0.0.3:443 of TCP 203.0.113.10:443
remove FWM 8
set timeouts (s): udp 300 to 30
`
	p := Restore(running, wanted, false)
	var got strings.Builder
	for _, i := range p.Items {
		fmt.Fprintln(&got, i.Step)
		if !strings.HasSuffix(i.Reason, ".") {
			t.Errorf("%s has no reason: %q", i.Step, i.Reason)
		}
	}
	if got.String() != want {
		t.Errorf("the plan is\n%swant\n%s", got.String(), want)
	}
	equal(t, "counts", Counts{Add: 3, Change: 2, Remove: 4}, p.Counts())

	pre, err := p.Preview(ctx, b.Target) // where service 8 and the daemon are not
	b.ok(err)
	for i, s := range pre.States {
		want := ToDo
		if i == 0 || i == 7 {
			want = Already
		}
		equal(t, p.Items[i].Step.String(), want, s)
	}
}

func TestEqualRulesGiveAnEmptyPlan(t *testing.T) {
	b, running := site(t)
	running.Daemons = []ipvs.Daemon{{Role: ipvs.Backup, Interface: "lo", MaxLen: 500}}
	b.ok(b.table.StartDaemon(ctx, running.Daemons[0])) // which the kernel makes 1024, and fills in the rest
	p := Restore(b.rules(), running, false)
	if !p.Empty() {
		t.Errorf("nothing differs, but:\n%s", p.Commands())
	}
	r := b.run(p)
	if plans, err := b.Store.Plans(); err != nil || len(plans) > 0 || r.ID != "" {
		t.Errorf("an empty plan left a trace: %v", plans)
	}
}

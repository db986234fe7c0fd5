package persist

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
)

func TestReadRules(t *testing.T) {
	ctx := t.Context()
	one, two := ipvs.MarkService(1, ipvs.IPv4), ipvs.MarkService(2, ipvs.IPv4)
	table := memory.New()
	for _, id := range []ipvs.ServiceID{two, one} {
		ok(t, table.AddService(ctx, ipvs.NewService(id)))
		for _, addr := range []string{"10.0.0.2:80", "10.0.0.1:80"} {
			ok(t, table.AddServer(ctx, id, ipvs.Server{Addr: netip.MustParseAddrPort(addr), Upper: 9, Lower: 3}))
		}
	}
	rules, err := ReadRules(ctx, table)
	ok(t, err)
	s := rules.Services
	if len(s) != 2 || s[0].ServiceID != one || len(s[0].Servers) != 2 || s[0].Servers[0].Addr.String() != "10.0.0.1:80" ||
		s[0].Servers[0].Upper != 9 || rules.Timeouts.TCP != 900 {
		t.Errorf("read %+v", rules)
	}

	for k := range 3 {
		table.Inject(memory.Nth(k+1, memory.Fail(errors.New("refused"))))
		if _, err := ReadRules(ctx, table); err == nil {
			t.Errorf("call %d failed and nobody says so", k+1)
		}
	}
}

// counting is a table that is listed as the kernel lists one: in pieces, of which
// each begins where so many rows were passed, while others change it.
type counting struct {
	*memory.Table
	others func()
}

// pieces lists what rows gives, a piece at a time.
func pieces[T any](t counting, rows func() ([]T, error)) (all []T, err error) {
	for {
		now, err := rows()
		if err != nil || len(all) >= len(now) {
			return all, err
		}
		all = append(all, now[len(all):min(len(now), len(all)+20)]...)
		t.others()
	}
}

func (t counting) Services(ctx context.Context) ([]ipvs.ServiceState, error) {
	all, err := pieces(t, func() ([]ipvs.ServiceState, error) { return t.Table.Services(ctx) })
	known := map[ipvs.ServiceID]bool{}
	return slices.DeleteFunc(all, func(s ipvs.ServiceState) bool {
		twice := known[s.ServiceID]
		known[s.ServiceID] = true
		return twice
	}), err
}

func (t counting) Servers(ctx context.Context, id ipvs.ServiceID) ([]ipvs.ServerState, error) {
	return pieces(t, func() ([]ipvs.ServerState, error) {
		all, err := t.Table.Servers(ctx, id)
		slices.Reverse(all) // the newest first
		return all, err
	})
}

func (t counting) Rules(ctx context.Context) (rules []ipvs.ServiceRules, err error) {
	services, err := t.Services(ctx)
	for _, s := range services {
		servers, err := t.Servers(ctx, s.ServiceID)
		if err != nil {
			return nil, err
		}
		r := ipvs.ServiceRules{Service: s.Service}
		for _, rs := range servers {
			r.Servers = append(r.Servers, rs.Server)
		}
		rules = append(rules, r)
	}
	return rules, err
}

func (t counting) Overview(ctx context.Context) (o ipvs.Overview, err error) {
	services, err := t.Services(ctx)
	for _, s := range services {
		t.others()
		servers, err := t.Table.Servers(ctx, s.ServiceID)
		if err != nil {
			return o, err
		}
		o.Services = append(o.Services, ipvs.Entry{ServiceState: s, Servers: servers})
	}
	return o, err
}

// TestReadRulesWhileOthersChangeThem: what is there all the while is read, once,
// whatever comes and goes beside it.
func TestReadRulesWhileOthersChangeThem(t *testing.T) {
	ctx := t.Context()
	for name, size := range map[string][2]int{"many services": {90, 3}, "many servers": {3, 90}, "both": {40, 40}, "few": {5, 5}} {
		dice := rand.New(rand.NewPCG(1, uint64(size[0])))
		table := counting{memory.New(), func() {}}
		row := func(n int) ipvs.Server {
			return ipvs.Server{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), 80)}
		}
		id := func(n int) ipvs.ServiceID { return ipvs.MarkService(uint32(n+1), ipvs.IPv4) }
		add := func(n, servers int) {
			_ = table.AddService(ctx, ipvs.NewService(id(n)))
			for m := range servers {
				_ = table.AddServer(ctx, id(n), row(m))
			}
		}
		for n := range 10 { // they come first in the list, and go
			add(1000+n, 1)
		}
		for n := range size[0] {
			add(n, size[1])
		}
		table.others = func() {
			n, gone := dice.IntN(size[0]), 1000+dice.IntN(10)
			if dice.IntN(2) == 0 {
				_ = table.AddServer(ctx, id(n), row(500+dice.IntN(4)))
				add(gone, 1)
			} else {
				for m := range 4 {
					_ = table.DeleteServer(ctx, id(n), row(500+m))
				}
				_ = table.DeleteService(ctx, id(gone))
			}
		}
		for range 50 {
			rules, err := ReadRules(ctx, table)
			ok(t, err)
			seen := map[string]int{}
			for _, s := range rules.Services {
				seen[s.String()]++
				for _, rs := range s.Servers {
					seen[ipvs.ServerTarget(s.ServiceID, rs)]++
				}
			}
			for n := range size[0] {
				for m := range size[1] {
					if seen[id(n).String()] == 0 || seen[ipvs.ServerTarget(id(n), row(m))] == 0 {
						t.Fatalf("%s: server %d of service %d was left out", name, m, n)
					}
				}
			}
			for what, times := range seen {
				if times > 1 {
					t.Fatalf("%s: %s was read %d times", name, what, times)
				}
			}
		}
	}
}

// growing has more services at each look.
type growing struct{ *memory.Table }

func (t growing) Services(ctx context.Context) ([]ipvs.ServiceState, error) {
	all, err := t.Table.Services(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.AddService(ctx, ipvs.NewService(ipvs.MarkService(uint32(len(all)+1), ipvs.IPv4))); err != nil {
		return nil, err
	}
	return t.Table.Services(ctx)
}

func TestReadRulesGivesUp(t *testing.T) {
	table := growing{memory.New()}
	for range onePiece + 1 {
		_, err := table.Services(t.Context())
		ok(t, err)
	}
	if _, err := ReadRules(t.Context(), table); err == nil || !strings.Contains(err.Error(), "others change it too fast") {
		t.Errorf("no two looks agree: %v", err)
	}
}

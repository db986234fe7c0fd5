package setup

import (
	"context"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/netcfg"
	"lvsdeck/ops/keep"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/probe"
	"lvsdeck/ops/probe/wire"
	"lvsdeck/persist"
)

var update = flag.Bool("update", false, "write the golden files anew")

var ctx = context.Background()

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// segment answers for the addresses that others have.
type segment map[netip.Addr]bool

func (s segment) Free(_ context.Context, vip netip.Addr, _ string) probe.Finding {
	if s[vip] {
		return probe.Finding{Verdict: probe.Fault, Cause: probe.HostHasIt, Short: "it is taken: the host 02:00:00:00:00:99 has it"}
	}
	return probe.Finding{Verdict: probe.Fine, Cause: probe.Alone, Short: "free"}
}

func (s segment) WhoHas(_ context.Context, _ string, about ...netip.Addr) (map[netip.Addr][]wire.MAC, error) {
	found := map[netip.Addr][]wire.MAC{}
	for _, a := range about {
		if s[a] {
			found[a] = []wire.MAC{{2, 0, 0, 0, 0, 99}}
		}
	}
	return found, nil
}

// site is a director in memory.
type site struct {
	*testing.T
	host  *netcfg.Memory
	table *memory.Table
	Director
	Book
}

// The sites: arms is how many networks the director is on.
func newSite(t *testing.T, family ipvs.Family, arms int) *site {
	t.Helper()
	s := &site{T: t, host: netcfg.NewHost(), table: memory.New()}
	rest, gateway := "0.0.0.0/0", "203.0.113.254"
	wan, lan := "203.0.113.1/24", "10.0.3.1/24"
	if family == ipvs.IPv6 {
		rest, gateway = "::/0", "2001:db8:2::fe"
		wan, lan = "2001:db8:2::1/64", "2001:db8:3::1/64"
	}
	s.host.Plug("eth0", wan)
	if arms > 1 {
		s.host.Plug("eth1", lan)
	}
	s.ok(s.host.Add(netcfg.Route{To: netip.MustParsePrefix(rest), Via: netip.MustParseAddr(gateway), Link: "eth0"}))
	s.ok(s.host.Add(netcfg.Module{Name: "xt_ipvs"})) // modules stay loaded: states are compared
	store, err := persist.Open(persist.Options{Dir: filepath.Join(t.TempDir(), "store")})
	s.ok(err)
	neighbours := segment{}
	for _, a := range []string{"10.0.3.11", "10.0.3.12", "203.0.113.11", "203.0.113.12", "2001:db8:3::11", "2001:db8:3::12", "2001:db8:2::11", "2001:db8:2::12"} {
		neighbours[netip.MustParseAddr(a)] = true
	}
	s.Director = Director{Host: s.host, Table: s.table, Asker: neighbours}
	s.Book = Book{Runner: &plan.Runner{
		Target: plan.Target{Table: s.table, Sysctls: s.host, Host: s.host}, Store: store, Rules: keep.Language,
	}}
	return s
}

func (s *site) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// draft looks and makes.
func (s *site) draft(w Wish) (Draft, error) {
	s.Helper()
	f, err := s.Look(ctx, w)
	if err != nil {
		return Draft{}, err
	}
	return Make(w, f)
}

// wish is made of what an operator types.
func wish(t *testing.T, mode Mode, vip string, servers ...string) Wish {
	t.Helper()
	w := Wish{Mode: mode}
	var err error
	if w.Service, err = ParseService(vip); err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		server, err := ParseServer(s)
		if err != nil {
			t.Fatal(err)
		}
		w.Servers = append(w.Servers, server)
	}
	return w
}

type broken struct {
	segment
	err error
}

func (b broken) WhoHas(context.Context, string, ...netip.Addr) (map[netip.Addr][]wire.MAC, error) {
	return nil, b.err
}

type proxied struct{ segment }

func (proxied) Free(context.Context, netip.Addr, string) probe.Finding {
	return probe.Finding{Cause: probe.ProxyARP, Short: "a router answers for all"}
}

package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/persist"
)

// bench is a table with a runner on it, as one process after the other has them.
type bench struct {
	testing.TB
	table ipvs.Table
	dir   string
	marks int // 1: whole plans are done in one group
	Runner
}

func newBench(t testing.TB, table ipvs.Table) *bench {
	return newGroupBench(t, table, 0)
}

// newGroupBench is a bench whose runner does plans in so many groups.
func newGroupBench(t testing.TB, table ipvs.Table, marks int) *bench {
	b := &bench{TB: t, table: table, dir: quickDir(t), marks: marks}
	b.restart(nil)
	return b
}

// quickDir is a directory in memory if there is one: what the tests see of a
// disk is which changes it refuses, and real syncing takes them a minute.
func quickDir(t testing.TB) string {
	if dir := os.Getenv(killMe); dir != "" { // the parent's, since nobody cleans up after us
		return dir
	}
	dir, err := os.MkdirTemp("/dev/shm", "lvsdeck-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// restart is the next process, whose disk has a fault.
func (b *bench) restart(f persist.Fault) {
	b.Helper()
	store, err := persist.Open(persist.Options{
		Dir: b.dir, Who: persist.Who{User: "alice", From: "198.51.100.7"}, Now: clock(), Fault: f,
	})
	b.ok(err)
	b.Runner = Runner{Target: Target{Table: b.table}, Store: store, Rules: asJSON, marks: b.marks}
}

// clock runs a second at each look.
func clock() func() time.Time {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return func() time.Time {
		now = now.Add(time.Second)
		return now
	}
}

// asJSON is a language for rules that loses nothing.
var asJSON = persist.Language{
	Write: func(w io.Writer, r ipvs.Rules) error { return json.NewEncoder(w).Encode(r) },
	Read: func(r io.Reader) (rules ipvs.Rules, err error) {
		return rules, json.NewDecoder(r).Decode(&rules)
	},
}

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// run runs a plan that must be applied.
func (b *bench) run(p Plan) Result {
	b.Helper()
	r, err := b.Run(b.Context(), p, nil)
	b.ok(err)
	b.ok(r.Warning)
	if r.Outcome != Applied {
		b.Fatalf("%s: %s, want it applied", p.Title, r.Outcome)
	}
	return r
}

func (b *bench) rules() ipvs.Rules {
	b.Helper()
	r, err := persist.ReadRules(b.Context(), b.table)
	b.ok(err)
	return r
}

// fill puts rules into the table without a plan.
func (b *bench) fill(r ipvs.Rules) {
	b.Helper()
	for _, s := range r.Services {
		b.ok(b.table.AddService(b.Context(), s.Service))
		for _, rs := range s.Servers {
			b.ok(b.table.AddServer(b.Context(), s.ServiceID, rs))
		}
	}
	if r.Timeouts != nil {
		b.ok(b.table.SetTimeouts(b.Context(), *r.Timeouts))
	}
	for _, d := range r.Daemons {
		b.ok(b.table.StartDaemon(b.Context(), d))
	}
}

// holds compares the table with rules.
func (b *bench) holds(what string, want ipvs.Rules) {
	b.Helper()
	if w, g := text(want), text(b.rules()); w != g {
		b.Fatalf("%s: the table is not as it should be:\n%s", what, difference(w, g))
	}
}

// text writes rules as sorted lines. Daemons as the kernel shows them.
func text(r ipvs.Rules) string {
	r.Sort()
	var lines strings.Builder
	for _, s := range r.Services {
		fmt.Fprintf(&lines, "%v %+v\n", s.ServiceID, s.Service)
		for _, rs := range s.Servers {
			fmt.Fprintf(&lines, "%v -> %+v\n", s.ServiceID, rs)
		}
	}
	if r.Timeouts != nil {
		fmt.Fprintf(&lines, "timeouts %+v\n", *r.Timeouts)
	}
	for _, d := range r.Daemons {
		d = filled(d)
		fmt.Fprintf(&lines, "daemon %+v\n", d)
	}
	return lines.String()
}

func difference(want, got string) string {
	var out []string
	for line := range strings.Lines(want) {
		if !strings.Contains(got, line) {
			out = append(out, " want "+line)
		}
	}
	for line := range strings.Lines(got) {
		if !strings.Contains(want, line) {
			out = append(out, " got  "+line)
		}
	}
	return strings.Join(out, "")
}

var (
	ctx = context.Background()
	web = ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))
)

func server(addr string, weight uint32) ipvs.Server {
	return ipvs.Server{Addr: netip.MustParseAddrPort(addr), Forward: ipvs.Direct, Weight: weight}
}

// site is one service with three servers, on a fresh table.
func site(t testing.TB) (*bench, ipvs.Rules) {
	b := newBench(t, memory.New())
	b.fill(ipvs.Rules{Services: []ipvs.ServiceRules{{
		Service: ipvs.NewService(web),
		Servers: []ipvs.Server{server("10.0.0.1:443", 100), server("10.0.0.2:443", 100), server("10.0.0.3:443", 50)},
	}}})
	return b, b.rules()
}

// rows are the servers of the site's service.
func rows(r ipvs.Rules) (rows []Row) {
	for _, s := range r.Services[0].Servers {
		rows = append(rows, Row{r.Services[0].ServiceID, s})
	}
	return rows
}

package main

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ops/plan"
)

// TestUndoShowsThenDoes on a table in memory: what undo says, what it does, and
// the exit status it ends with.
func TestUndoShowsThenDoes(t *testing.T) {
	t.Parallel()
	table := memory.New()
	runner, err := newRunner(plan.Target{Table: table}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	web := ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))
	service := ipvs.ServiceRules{Service: ipvs.NewService(web)}
	for _, at := range []string{"10.0.3.11:443", "10.0.3.12:443"} {
		service.Servers = append(service.Servers, ipvs.Server{Addr: netip.MustParseAddrPort(at), Forward: ipvs.Direct, Weight: 100})
	}
	said := func(want error, yes bool, args ...string) string {
		t.Helper()
		var b strings.Builder
		if err := undo(t.Context(), runner, args, yes, &b); !errors.Is(err, want) {
			t.Fatalf("undo %v: %v, want %v; said:\n%s", args, err, want, b.String())
		}
		return b.String()
	}
	fails := func(want string, args ...string) {
		t.Helper()
		for _, yes := range []bool{false, true} {
			var b strings.Builder
			if err := undo(t.Context(), runner, args, yes, &b); err == nil || !strings.Contains(err.Error(), want) || b.Len() > 0 {
				t.Fatalf("undo %v: %v, want %q; said:\n%s", args, err, want, b.String())
			}
		}
	}
	run := func(p plan.Plan) string {
		t.Helper()
		r, err := runner.Run(t.Context(), p, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r.ID
	}
	weights := func() (all []uint32) {
		servers, err := table.Servers(t.Context(), web)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range servers {
			all = append(all, s.Weight)
		}
		return all
	}

	fails("no change is in force")
	fails(`no plan "nonsense"`, "nonsense")
	run(plan.AddService(service))
	rows := []plan.Row{{Service: web, Server: service.Servers[0]}, {Service: web, Server: service.Servers[1]}}
	drained := run(plan.Drain(rows))
	run(plan.Zero())

	shown := said(exitCode(1), false)
	for _, want := range []string{"passed over, there is nothing to take back: zero all counters", "undo: drain 2 servers", "to do: ", "ipvsadm -e -t 203.0.113.10:443 -r 10.0.3.11:443", "lvsdeck undo --yes " + drained} {
		if !strings.Contains(shown, want) {
			t.Errorf("want %q in\n%s", want, shown)
		}
	}
	if w := weights(); w[0]+w[1] != 0 {
		t.Fatalf("showing it changed the weights to %d", w)
	}
	if done := said(nil, true); !strings.Contains(done, "done: ") {
		t.Errorf("doing it says\n%s", done)
	}
	if w := weights(); w[0] != 100 || w[1] != 100 {
		t.Fatalf("undone, the weights are %d", w)
	}
	fails("is not in force", drained)

	again := run(plan.Drain(rows))
	moved := service.Servers[0]
	moved.Weight = 7
	if err := table.SetServer(t.Context(), web, moved); err != nil {
		t.Fatal(err)
	}
	if shown := said(exitCode(1), false, again); !strings.Contains(shown, "moved: ") {
		t.Errorf("a row that has changed since is shown as\n%s", shown)
	}
	if done := said(exitCode(1), true, again); !strings.Contains(done, "failed: ") || !strings.Contains(done, "weight was 0 when you looked, is 7 now") {
		t.Errorf("undone in part, it says\n%s", done)
	}
}

// TestUnfinishedIsSettled: a change without its last record, as after a kill, is
// shown, finished or taken back.
func TestUnfinishedIsSettled(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		settlement
		yes  bool
		want error
		left [2]uint32
	}{
		{finish, false, exitCode(1), [2]uint32{0, 100}},
		{finish, true, nil, [2]uint32{0, 0}},
		{takeBack, false, exitCode(1), [2]uint32{0, 100}},
		{takeBack, true, nil, [2]uint32{100, 100}},
	} {
		dir, table := t.TempDir(), memory.New()
		runner, err := newRunner(plan.Target{Table: table}, dir)
		if err != nil {
			t.Fatal(err)
		}
		web := ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))
		service := ipvs.ServiceRules{Service: ipvs.NewService(web)}
		var rows []plan.Row
		for _, at := range []string{"10.0.3.11:443", "10.0.3.12:443"} {
			s := ipvs.Server{Addr: netip.MustParseAddrPort(at), Forward: ipvs.Direct, Weight: 100}
			service.Servers, rows = append(service.Servers, s), append(rows, plan.Row{Service: web, Server: s})
		}
		var id string
		for _, p := range []plan.Plan{plan.AddService(service), plan.Drain(rows)} {
			r, err := runner.Run(t.Context(), p, nil)
			if err != nil {
				t.Fatal(err)
			}
			id = r.ID
		}
		var b strings.Builder
		if err := way.settle(t.Context(), runner, "", true, &b); err == nil || !strings.Contains(err.Error(), "every change") {
			t.Fatalf("with nothing unfinished: %v", err)
		}
		if err := table.SetServer(t.Context(), web, service.Servers[1]); err != nil {
			t.Fatal(err)
		}
		withoutEnd(t, filepath.Join(dir, "journal"))
		if way.command == "undo" {
			err = undo(t.Context(), runner, nil, way.yes, &b) // the newest, and so this one
		} else {
			err = way.settle(t.Context(), runner, id, way.yes, &b)
		}
		if !errors.Is(err, way.want) {
			t.Errorf("%s yes=%t: %v, want %v; said:\n%s", way.command, way.yes, err, way.want, b.String())
		}
		if !way.yes && !strings.Contains(b.String(), "lvsdeck finish --yes "+id) {
			t.Errorf("%s says\n%s", way.command, b.String())
		}
		servers, err := table.Servers(t.Context(), web)
		if err != nil || len(servers) != 2 {
			t.Fatal(servers, err)
		}
		slices.SortFunc(servers, func(a, b ipvs.ServerState) int { return a.Addr.Compare(b.Addr) })
		if got := [2]uint32{servers[0].Weight, servers[1].Weight}; got != way.left {
			t.Errorf("%s yes=%t leaves weights %d, want %d", way.command, way.yes, got, way.left)
		}
	}
}

// withoutEnd takes the last record out of a journal.
func withoutEnd(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = text[:bytes.LastIndexByte(bytes.TrimRight(text, "\n"), '\n')+1]
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

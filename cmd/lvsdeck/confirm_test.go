package main

import (
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ops/confirm"
	"lvsdeck/ops/plan"
)

// TestConfirmAndRevertSay on a table in memory: words and exit status of each
// answer. What a timer does is tested in ops/confirm.
func TestConfirmAndRevertSay(t *testing.T) {
	t.Parallel()
	table := memory.New()
	runner, err := newRunner(plan.Target{Table: table}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	guard, err := confirm.Inside(runner)
	if err != nil {
		t.Fatal(err)
	}
	runner.Guard = guard
	web := ipvs.NewService(ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443")))
	apply := func() {
		t.Helper()
		p := plan.AddService(ipvs.ServiceRules{Service: web})
		if _, err := guard.Run(t.Context(), *runner, p, confirm.MaxWindow, nil); err != nil {
			t.Fatal(err)
		}
	}
	said := func(do func(io.Writer) error, status error, want ...string) {
		t.Helper()
		var b strings.Builder
		if err := do(&b); !errors.Is(err, status) {
			t.Fatalf("%v, want %v", err, status)
		}
		for _, text := range want {
			if !strings.Contains(b.String(), text) {
				t.Errorf("want %q in\n%s", text, b.String())
			}
		}
	}
	keep := func(w io.Writer) error { return keepChange(t.Context(), guard, w) }
	back := func(w io.Writer) error { return revert(t.Context(), guard, *runner, w) }
	const none = "no change waits to be confirmed"

	said(keep, exitCode(1), none)
	said(back, exitCode(1), none)
	apply()
	said(keep, nil, `confirmed: "add TCP 203.0.113.10:443`, " stays")
	said(keep, exitCode(1), none)
	if err := table.DeleteService(t.Context(), web.ServiceID); err != nil {
		t.Fatal(err)
	}
	apply()
	said(back, nil, "undo: add TCP 203.0.113.10:443", "done: remove TCP 203.0.113.10:443", "ipvsadm -D -t 203.0.113.10:443", "was taken back at ", "asked for it\n")
	said(back, exitCode(1), none, "asked for it")
	said(keep, exitCode(1), none, "asked for it")

	apply()
	moved := web
	moved.Scheduler = "rr"
	if err := table.SetService(t.Context(), moved); err != nil {
		t.Fatal(err)
	}
	said(back, exitCode(1), "failed: ", "not all of it: ")
	said(keep, exitCode(1), none, "not all of it: ")
}

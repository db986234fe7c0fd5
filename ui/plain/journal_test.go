package plain

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
	"lvsdeck/persist/adm"
)

// someHistory is a journal with a plan that was undone, by somebody with a bad name.
func someHistory(t *testing.T) plan.History {
	t.Helper()
	now := time.Date(2026, 3, 1, 12, 4, 31, 0, time.Local)
	store, err := persist.Open(persist.Options{
		Dir: t.TempDir(), Who: persist.Who{User: "bob\x1b[2J\nx"}, Now: func() time.Time { now = now.Add(time.Second); return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	r := plan.Runner{
		Target: plan.Target{Table: memory.New()}, Store: store,
		Rules: persist.Language{Write: adm.WriteRules, Read: adm.ReadRules},
	}
	web := ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))
	done, err := r.Run(t.Context(), plan.AddService(ipvs.ServiceRules{Service: ipvs.NewService(web)}), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Undo(t.Context(), done.ID, nil); err != nil {
		t.Fatal(err)
	}
	h, err := plan.ReadHistory(store)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestJournalTable(t *testing.T) {
	h := someHistory(t)
	var b strings.Builder
	if err := Journal(&b, h, "table"); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 3 || strings.ContainsRune(b.String(), '\x1b') {
		t.Fatalf("want a header and two plans:\n%q", b.String())
	}
	undo, add := strings.Fields(lines[1]), strings.Fields(lines[2])
	if undo[0] != "2026-03-01" || undo[2] != "bob[2J-x" || undo[3] != "-" || undo[4] != "in-force" || undo[5] != h.Entries[0].ID {
		t.Errorf("the undoing: %q", undo)
	}
	if add[4] != "undone" || add[6] != "add" {
		t.Errorf("the plan that was undone: %q", add)
	}
	b.Reset()
	if err := Journal(&b, plan.History{}, "table"); err != nil || b.String() != "nothing was changed yet\n" {
		t.Errorf("an empty journal: %q, %v", b.String(), err)
	}
}

func TestJournalJSON(t *testing.T) {
	h := someHistory(t)
	h.Entries = append(h.Entries, &persist.Entry{Record: persist.Record{ID: "new", Steps: json.RawMessage(`[{"kind":"unheard of"}]`)}})
	var b strings.Builder
	if err := Journal(&b, h, "json"); err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil || len(got) != 3 {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	step := got[1]["steps"].([]any)[0].(map[string]any)
	if got[0]["undoes"] != got[1]["id"] || got[1]["stands"] != "undone" || got[1]["user"] != "bob\x1b[2J\nx" ||
		step["state"] != "done" || step["command"] != "ipvsadm -A -t 203.0.113.10:443 -s wlc" {
		t.Errorf("the plans are\n%s", b.String())
	}
	if problem, _ := got[2]["problem"].(string); !strings.Contains(problem, "unheard of") || got[2]["stands"] != "unfinished" {
		t.Errorf("a plan of a newer version: %v", got[2])
	}
}

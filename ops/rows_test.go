package ops

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

// Whatever comes and goes, in whatever order it is listed, each thing keeps
// what was kept for it.
func TestRowsFollow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var got rows[int, int]
	want := map[int]int{} // what was kept, by key
	for round := range 2_000 {
		list := r.Perm(12)[:r.IntN(13)]
		if round%3 == 0 { // the same list again
			list = slices.Clone(got.keys)
		}
		got.follow(len(list), func(i int) int { return list[i] }, cmp.Compare[int])
		next := map[int]int{}
		for i, key := range list {
			at, ok := got.find(key, i, cmp.Compare[int])
			if !ok || got.keys[at] != key || int(got.listed[i]) != at || got.kept[at] != want[key] {
				t.Fatalf("round %d, list %v: %d is at %d with %d, want %d", round, list, key, at, got.kept[at], want[key])
			}
			if got.kept[at] == 0 {
				got.kept[at] = round*100 + key + 1
			}
			next[key] = got.kept[at]
		}
		if want = next; len(got.keys) != len(want) || !slices.IsSorted(got.keys) {
			t.Fatalf("round %d: want the %d listed, sorted, got %v", round, len(want), got.keys)
		}
	}
}

package ops

import "slices"

// rows keeps something for each thing of a list that is read again and again:
// the services of a table, the servers of a service. What is kept stands sorted
// by key, and follows as things come and go.
//
// A reader lists in an order of its own, which hardly ever changes from one
// reading to the next. So the rows remember that order, and a list like the
// last one costs a comparison per thing: no sorting, no map.
type rows[K comparable, T any] struct {
	keys   []K     // sorted
	kept   []T     // beside keys
	listed []int32 // the place in keys of the i-th thing of the list
}

// follow lines the rows up with a list of n things. A new thing is kept as a
// zero T; what is not in the list any more is forgotten.
func (r *rows[K, T]) follow(n int, key func(int) K, compare func(K, K) int) {
	if r.listedAs(n, key) {
		return
	}
	sorted := make([]int32, n)
	for i := range sorted {
		sorted[i] = int32(i)
	}
	slices.SortFunc(sorted, func(a, b int32) int { return compare(key(int(a)), key(int(b))) })

	next := rows[K, T]{keys: make([]K, n), kept: make([]T, n), listed: make([]int32, n)}
	old := 0
	for at, i := range sorted {
		k := key(int(i))
		next.keys[at], next.listed[i] = k, int32(at)
		for old < len(r.keys) && compare(r.keys[old], k) < 0 {
			old++
		}
		if old < len(r.keys) && r.keys[old] == k {
			next.kept[at] = r.kept[old]
			old++
		}
	}
	*r = next
}

func (r *rows[K, T]) listedAs(n int, key func(int) K) bool {
	if n != len(r.listed) {
		return false
	}
	for i, at := range r.listed {
		if key(i) != r.keys[at] {
			return false
		}
	}
	return true
}

// find gives the place of a key, or false. The key is likely to be the i-th of
// the list.
func (r *rows[K, T]) find(k K, i int, compare func(K, K) int) (int, bool) {
	if i < len(r.listed) && r.keys[r.listed[i]] == k {
		return int(r.listed[i]), true
	}
	return slices.BinarySearchFunc(r.keys, k, compare)
}

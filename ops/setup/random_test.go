package setup

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ops/plan"
)

// TestRandom sets up, unsets, undoes and changes weights in any order. Whatever
// comes, each set-up that the book has is whole, and when the last is gone the
// director is as it was.
func TestRandom(t *testing.T) {
	for seed := range uint64(5) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 4))
			family := []ipvs.Family{ipvs.IPv4, ipvs.IPv6}[r.IntN(2)]
			s := newSite(t, family, 2)
			if r.IntN(2) == 0 { // some is so already
				s.ok(s.host.Set("net/ipv4/ip_forward", "1"))
				s.ok(s.host.Set("net/ipv6/conf/eth1/forwarding", "1"))
				s.ok(s.host.Set("conntrack", "1"))
			}
			before := s.state()
			var there []Wish
			for range 25 {
				s.step(r, family, &there)
				s.known(there...)
				for _, w := range there {
					d, err := s.draft(w)
					s.ok(err)
					if p, err := d.Plan.Preview(ctx, s.Runner.Target); err != nil || !nothingToDo(p.States) {
						t.Fatalf("%s lacks something: %v, %v", w.Service, p.States, err)
					}
				}
			}
			for len(there) > 0 {
				s.unsetSome(r, &there)
			}
			s.same("all are gone", before)
		})
	}
}

// step does one thing.
func (s *site) step(r *rand.Rand, family ipvs.Family, there *[]Wish) {
	s.Helper()
	if len(*there) > 0 && r.IntN(3) == 0 {
		s.unsetSome(r, there)
		return
	}
	w := usual(s.T, Modes[r.IntN(len(Modes))], family, 2, 80+r.IntN(4))
	if slices.ContainsFunc(*there, func(o Wish) bool { return o.Service == w.Service }) {
		return
	}
	done := s.setUp(w)
	s.Logf("set up %s %s: %s", w.Service, w.Mode, done.ID)
	switch r.IntN(4) {
	case 0:
		s.Logf("undo it")
		_, err := s.Runner.Undo(ctx, done.ID, nil)
		s.ok(err)
		return
	case 1:
		server := w.rules().Servers[0]
		s.ok(s.table.SetServer(ctx, w.Service, server))
	}
	*there = append(*there, w)
}

// unsetSome takes back one or two, and at times comes back to the first of them.
func (s *site) unsetSome(r *rand.Rand, there *[]Wish) {
	s.Helper()
	r.Shuffle(len(*there), func(i, j int) { (*there)[i], (*there)[j] = (*there)[j], (*there)[i] })
	n := min(1+r.IntN(2), len(*there))
	var ids []ipvs.ServiceID
	for _, w := range (*there)[:n] {
		ids = append(ids, w.Service)
	}
	back := s.unset(ids...)
	s.Logf("unset %v: %d steps, %v", ids, len(back.Plan.Items), back.Notes)
	if r.IntN(4) == 0 {
		s.Logf("undo that")
		h, err := plan.ReadHistory(s.Runner.Store)
		s.ok(err)
		_, err = s.Runner.Undo(ctx, h.Entries[0].ID, nil)
		s.ok(err)
		return
	}
	*there = (*there)[n:]
}

package record

import (
	"slices"

	"lvsdeck/ops"
)

// Reading can go on only from the sample before, as each is written as a difference:
// a step back would begin anew, some hundred samples earlier. So the player leaves
// stands behind on its way, and goes back to the last one before what is wanted.
const (
	standEvery = 8         // samples
	standsMost = 64        // however small the table is: 17 minutes at 2 s
	standRows  = 128 << 10 // of all stands together, at up to 1 KB a row
	standsLess = 2         // however large it is
)

// stand is a place to go on from: as everything is when a sample is at hand and not
// told yet.
type stand struct {
	ahead  *ops.Sample
	cursor *Cursor  // behind that; never moved
	back   []func() // brings back how those who listen stood; nil: that is not known
}

// leave leaves a stand before a sample that was just read is told. Who listens is
// remembered when they have heard all before it.
func (p *Player) leave(s *ops.Sample, number int, behind *Cursor, heard bool) {
	slot := number / standEvery
	if number%standEvery != 0 || p.stands[slot] != nil && (p.stands[slot].back != nil || !heard) {
		return
	}
	made := &stand{ahead: s, cursor: behind.clone()}
	if heard {
		made.back = make([]func(), 0, len(p.listeners))
		for _, l := range p.listeners {
			made.back = append(made.back, l.Keep())
		}
	}
	p.stands[slot] = made
	for len(p.stands) > stands(s) {
		p.drop(p.at / standEvery)
	}
}

// drop forgets the stand that is farthest from a slot.
func (p *Player) drop(here int) {
	farthest, off := 0, -1
	for slot := range p.stands {
		if d := max(slot-here, here-slot); d > off || d == off && slot > farthest {
			farthest, off = slot, d
		}
	}
	delete(p.stands, farthest)
}

// stands is how many there can be for a table as large as in a sample.
func stands(s *ops.Sample) int {
	return min(max(standRows/max(1, rowsOf(s)), standsLess), standsMost)
}

// goBack has the last stand before a sample at hand, or gives false. Who listens has
// heard all before it then, or is still being told that.
func (p *Player) goBack(number int) bool {
	number -= number % standEvery
	s := p.stands[number/standEvery]
	switch {
	case s == nil:
		return false
	case s.back != nil:
		p.fill = nil
		for _, back := range s.back {
			back()
		}
	case p.fill == nil || p.fill.number > number:
		return false
	}
	p.cursor, p.ahead, p.number = s.cursor.clone(), s.ahead, number
	p.set(func(s *PlayState) { s.Ended = false })
	return true
}

// clone is a cursor at the same place that moves by itself.
func (c *Cursor) clone() *Cursor {
	out := *c
	out.coder.services = slices.Clone(c.coder.services)
	out.coder.table.apart()
	n := 0
	for i := range c.coder.services {
		n += len(c.coder.services[i].servers)
	}
	all := make([]row, 0, n)
	for i := range out.coder.services {
		r := &out.coder.services[i]
		r.apart()
		from := len(all)
		all = append(all, r.servers...)
		r.servers = slices.Clip(all[from:])
		for j := range r.servers {
			r.servers[j].apart()
		}
	}
	return &out
}

// apart has the next points of a row written where nobody else writes his.
func (r *row) apart() {
	r.connsPast, r.activePast = slices.Clip(r.connsPast), slices.Clip(r.activePast)
}

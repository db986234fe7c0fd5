package history

import "slices"

// Keep remembers how the history stands now. What it gives brings that back, as
// often as it is called: a recording goes back and forth. Frames never change and
// are shared, so that it costs the rows and the marks.
func (s *Store) Keep() (back func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.standing.clone()
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.standing = kept.clone()
	}
}

func (s *standing) clone() standing {
	out := *s
	out.services = slices.Clone(s.services)
	all := make([]serverRow, 0, s.servers())
	for i := range out.services {
		r := &out.services[i]
		from := len(all)
		all = append(all, r.servers...)
		r.servers = slices.Clip(all[from:])
	}
	out.ofServices.free, out.ofServers.free = slices.Clone(s.ofServices.free), slices.Clone(s.ofServers.free)
	for n := range out.tiers {
		out.tiers[n].frames = slices.Clone(s.tiers[n].frames)
	}
	out.marks = slices.Clone(s.marks)
	return out
}

func (s *standing) servers() (n int) {
	for i := range s.services {
		n += len(s.services[i].servers)
	}
	return n
}

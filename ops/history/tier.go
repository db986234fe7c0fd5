package history

import (
	"slices"
	"sort"
	"time"
)

// tier is the frames of one size, oldest first.
type tier struct{ frames []*frame }

func (t *tier) last() *frame {
	if len(t.frames) == 0 {
		return nil
	}
	return t.frames[len(t.frames)-1]
}

// after is the first frame that ends after a time.
func (t *tier) after(at int64) int {
	return sort.Search(len(t.frames), func(i int) bool { return t.frames[i].to > at })
}

// append adds a frame. When it begins another of the next tier's steps, the frames
// of the step before become one there.
func (s *Store) append(n int, f *frame) {
	t := &s.tiers[n]
	for n+1 < len(tiers) {
		step := int64(tiers[n+1].step)
		slot := func(f *frame) int64 { return (f.to - 1) / step }
		open := t.frames[s.folded(n):]
		if len(open) == 0 || slot(open[0]) == slot(f) {
			break
		}
		same := 1
		for same < len(open) && slot(open[same]) == slot(open[0]) {
			same++
		}
		s.append(n+1, fold(open[:same]))
	}
	t.frames = append(t.frames, f)
	s.evict(n)
	if n == len(tiers)-1 {
		s.forget(f.to - int64(rowStays))
	}
}

// folded is how many frames of a tier are in the next one too.
func (s *Store) folded(n int) int {
	if n+1 == len(tiers) {
		return len(s.tiers[n].frames)
	}
	last := s.tiers[n+1].last()
	if last == nil {
		return 0
	}
	return s.tiers[n].after(last.to)
}

// evict drops the oldest frames beyond the bounds. What is not in the next tier yet
// stays.
func (s *Store) evict(n int) {
	t, bytes := &s.tiers[n], 0
	for _, f := range t.frames {
		bytes += f.bytes()
	}
	drop := 0
	for spare := min(s.folded(n), len(t.frames)-1); drop < spare; drop++ {
		over := bytes > s.bytes[n]
		if !over && len(t.frames)-drop <= tiers[n].keep {
			break
		}
		if n == len(tiers)-1 {
			s.short = over
		}
		bytes -= t.frames[drop].bytes()
	}
	t.frames = slices.Delete(t.frames, 0, drop)
}

// cut forgets what was not before a time.
func (s *Store) cut(now int64) {
	for i := range s.tiers {
		t := &s.tiers[i]
		n := t.after(now - 1)
		clear(t.frames[n:])
		t.frames = t.frames[:n]
	}
	for i := range s.services {
		s.services[i].cut(now)
		for j := range s.services[i].servers {
			s.services[i].servers[j].cut(now)
		}
	}
	n, _ := slices.BinarySearchFunc(s.marks, time.Unix(0, now), func(m Mark, t time.Time) int { return m.Time.Compare(t) })
	s.marks = s.marks[:n]
}

func (r *row) cut(now int64) {
	r.born = min(r.born, now)
	r.left = min(r.left, now)
}

package conns

import (
	"math/bits"
	"math/rand/v2"
)

// key names a group by up to 24 bytes: an address, and a word of more.
type key struct{ hi, lo, more uint64 }

// group is what is counted of one key: five numbers, packed so that one line of
// the table of connections costs three additions.
type group struct {
	key
	n tally
}

// tally is numbers below 2^32, two in each word.
type tally struct {
	conns, half, templates uint64 // above conns: open; above half open: idle
}

func (t *tally) add(d tally) {
	t.conns += d.conns
	t.half += d.half
	t.templates += d.templates
}

// Counts are connections, and templates beside them.
type Counts struct {
	Conns    uint64 // without templates
	Open     uint64 // of those: established
	HalfOpen uint64 // of those: the handshake is not finished
	Idle     uint64 // of those: silent for half of what their state allows

	Templates uint64 // persistence templates
}

// Add gives the sum.
func (c Counts) Add(o Counts) Counts {
	return Counts{c.Conns + o.Conns, c.Open + o.Open, c.HalfOpen + o.HalfOpen, c.Idle + o.Idle, c.Templates + o.Templates}
}

// Less gives the rest.
func (c Counts) Less(o Counts) Counts {
	return Counts{c.Conns - o.Conns, c.Open - o.Open, c.HalfOpen - o.HalfOpen, c.Idle - o.Idle, c.Templates - o.Templates}
}

func (t tally) counts() Counts {
	const low = 1<<32 - 1
	return Counts{Conns: t.conns & low, Open: t.conns >> 32, HalfOpen: t.half & low, Idle: t.half >> 32, Templates: t.templates & low}
}

// groups is a hash table of groups. It is open to addresses that clients choose,
// so its hash has a secret. The groups themselves never move.
//
// Tables that no cache holds cost little but ways to memory. Lines therefore wait
// until there is a batch of them, whose ways are gone together: see flush.
type groups struct {
	index  []entry // a power of two, a quarter of it used at the most
	shift  uint    // of a hash, for its place in the index
	pages  [][]group
	len    int
	most   int    // groups it may have, below 1<<numberBits
	beyond Counts // of those that did not get in
	seed   [2]uint64

	waiting [batch]group
	waits   int
	touched uint64 // so that flush does look
}

// entry is a piece of a group's hash, and its number plus one, or 0.
type entry uint32

// number is whose entry it is.
func (e entry) number() int { return int(e&(1<<numberBits-1)) - 1 }

const (
	numberBits = 21
	pageBits   = 8 // groups in a page
	batch      = 64
)

func newGroups(most int) *groups {
	const bits = 6
	return &groups{
		index: make([]entry, 1<<bits), shift: 64 - bits, most: min(most, 1<<numberBits-2),
		seed: [2]uint64{rand.Uint64() | 1, rand.Uint64()},
	}
}

func (g *groups) hash(k *key) uint64 {
	hi, lo := bits.Mul64(k.hi^k.more*0x9e3779b97f4a7c15^g.seed[0], k.lo^g.seed[1])
	return hi ^ lo
}

// tag is the piece of a hash that stands in its entry.
func tag(hash uint64) entry { return entry(hash) &^ (1<<numberBits - 1) }

func (g *groups) at(number int) *group { return &g.pages[number>>pageBits][number&(1<<pageBits-1)] }

// find gives the group of a key and its number, in the order they were met. The
// first time it is fresh; it is nil when there is no room for it.
func (g *groups) find(k *key) (found *group, number int, fresh bool) {
	hash := g.hash(k)
	want := tag(hash)
	for i := int(hash >> g.shift); ; i++ {
		e := g.index[i&(len(g.index)-1)]
		if e == 0 {
			break
		}
		if e&^(1<<numberBits-1) == want {
			number = e.number()
			if found = g.at(number); found.key == *k {
				return found, number, false
			}
		}
	}
	if g.len == g.most {
		return nil, 0, false
	}
	if g.len >= len(g.index)/4 {
		g.grow()
	}
	number = g.len
	g.len++
	if number>>pageBits == len(g.pages) {
		g.pages = append(g.pages, make([]group, 1<<pageBits))
	}
	found = g.at(number)
	found.key = *k
	g.enter(hash, number)
	return found, number, true
}

// enter puts a group into the first free place of the index.
func (g *groups) enter(hash uint64, number int) {
	i, mask := int(hash>>g.shift), len(g.index)-1
	for g.index[i&mask] != 0 {
		i++
	}
	g.index[i&mask] = tag(hash) | entry(number+1)
}

func (g *groups) grow() {
	g.index = make([]entry, 2*len(g.index))
	g.shift--
	for number := range g.len {
		g.enter(g.hash(&g.at(number).key), number)
	}
}

// count adds to the group of a key, or to those beyond, in a while.
func (g *groups) count(k key, d tally) {
	g.waiting[g.waits] = group{k, d}
	if g.waits++; g.waits == batch {
		g.flush()
	}
}

// flush counts what waits. It looks for all of it first, and then at what it has
// found, without any decision in between: memory brings all of it at once.
func (g *groups) flush() {
	var hashes [batch]uint64
	var near [batch]entry
	var found [batch]*group
	for i := range g.waits {
		hashes[i] = g.hash(&g.waiting[i].key)
		near[i] = g.index[hashes[i]>>g.shift&uint64(len(g.index)-1)]
	}
	if g.len > 0 {
		for i := range g.waits {
			found[i] = g.at(max(0, near[i].number()))
			g.touched += found[i].hi
		}
	}
	for i := range g.waits {
		w, s := &g.waiting[i], found[i]
		if near[i] == 0 || s.key != w.key {
			s, _, _ = g.find(&w.key)
		}
		if s != nil {
			s.n.add(w.n)
		} else {
			g.beyond = g.beyond.Add(w.n.counts())
		}
	}
	g.waits = 0
}

// all calls f for each group and its number.
func (g *groups) all(f func(int, *group)) {
	g.flush()
	for number := range g.len {
		f(number, g.at(number))
	}
}

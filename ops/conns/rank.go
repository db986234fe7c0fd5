package conns

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
)

// result makes rankings of what was counted.
func (c *counter) result() *Result {
	r := &Result{Query: c.Query, All: c.other.n.counts()}
	for _, s := range c.states {
		r.All = r.All.Add(s.n.counts())
	}
	for _, by := range c.By {
		r.Rankings = append(r.Rankings, c.ranking(by))
	}
	c.pairs.all(func(number int, g *group) {
		if c.pairInfo[number].gone {
			r.Gone = r.Gone.Add(g.n.counts())
		}
	})
	if c.PerService {
		r.Heavy = c.heavy()
	}
	return r
}

// Ranking finds the ranking of a grouping that was asked for, else nil.
func (r *Result) Ranking(by By) *Ranking {
	for i := range r.Rankings {
		if r.Rankings[i].By == by {
			return &r.Rankings[i]
		}
	}
	return nil
}

func (c *counter) ranking(by By) Ranking {
	t := &top{most: c.Top}
	switch by {
	case ByService:
		c.byService(t)
		t.beyond = c.pairs.beyond
	case ByServer:
		c.pairs.all(func(number int, g *group) {
			p := &c.pairInfo[number]
			t.add(Group{Service: p.owner, Server: p.server, Gone: p.gone, Counts: g.n.counts()})
		})
		t.beyond = c.pairs.beyond
	case ByState:
		for _, i := range c.states {
			t.add(Group{State: i.State, Counts: i.n.counts()})
		}
		t.beyond = c.other.n.counts()
	case ByOrigin:
		c.tables[by].all(func(_ int, g *group) { t.add(Group{Origin: proc.Origin(g.more), Counts: g.n.counts()}) })
	default:
		c.tables[by].all(func(_ int, g *group) {
			if n := g.n.counts(); t.wants(n) {
				t.add(Group{Client: c.prefix(by, g.key), Counts: n})
			}
		})
		t.beyond = c.tables[by].beyond
	}
	return t.ranking(by)
}

// byService puts the servers of each service together.
func (c *counter) byService(t *top) {
	sum := map[ipvs.ServiceID]Group{}
	c.pairs.all(func(number int, g *group) {
		p := &c.pairInfo[number]
		s, met := sum[p.owner]
		if !met {
			s = Group{Service: p.owner, Gone: p.gone && !c.Listed.has(p.owner)}
		}
		s.Counts = s.Counts.Add(g.n.counts())
		sum[p.owner] = s
	})
	for _, g := range sum {
		t.add(g)
	}
}

func (c *counter) prefix(by By, k key) netip.Prefix {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], k.hi)
	binary.BigEndian.PutUint64(b[8:], k.lo)
	a := netip.AddrFrom16(b).Unmap()
	switch {
	case by == ByClient:
		return netip.PrefixFrom(a, a.BitLen())
	case a.Is4():
		return netip.PrefixFrom(a, c.Net4)
	}
	return netip.PrefixFrom(a, c.Net6)
}

// top keeps the largest groups. What is not kept is counted together.
type top struct {
	most   int // 0: all
	groups []Group
	least  Counts // of those kept at the last cut: the last
	met    int
	rest   Counts
	beyond Counts
}

// wants takes a group into account, and tells whether it may be among the
// largest: of hundreds of thousands, hardly any.
func (t *top) wants(n Counts) bool {
	if len(t.groups) < t.most || t.most == 0 || !less(n, t.least) {
		return true
	}
	t.met++
	t.rest = t.rest.Add(n)
	return false
}

// add keeps a group for now.
func (t *top) add(g Group) {
	if g.Counts == (Counts{}) {
		return
	}
	t.met++
	t.groups = append(t.groups, g)
	if t.most > 0 && len(t.groups) >= 2*t.most+100 {
		t.cut()
	}
}

// cut drops the smallest groups of those kept.
func (t *top) cut() {
	slices.SortFunc(t.groups, Group.compare)
	if t.most == 0 || len(t.groups) < t.most {
		return
	}
	for _, g := range t.groups[t.most:] {
		t.rest = t.rest.Add(g.Counts)
	}
	t.groups = t.groups[:t.most]
	t.least = t.groups[t.most-1].Counts
}

func less(a, b Counts) bool {
	return a.Conns < b.Conns || a.Conns == b.Conns && a.Templates < b.Templates
}

func (t *top) ranking(by By) Ranking {
	t.cut()
	return Ranking{By: by, Groups: t.groups, Met: t.met, Rest: t.rest.Add(t.beyond), Beyond: t.beyond}
}

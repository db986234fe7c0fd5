package firewall

import (
	"cmp"
	"fmt"
	"slices"
)

// Result is what becomes of a packet.
type Result int

// The results.
const (
	Passes   Result = iota
	Drops           // without a word
	Rejects         // and the sender is told
	Rewrites        // only of Rewrites
	Unknown         // it depends on what is not known
)

// String is a verb.
func (r Result) String() string {
	return [...]string{"passes", "drops", "rejects", "rewrites", "unknown"}[r]
}

// Stops tells that the packet surely gets no further.
func (r Result) Stops() bool { return r == Drops || r == Rejects }

// Verdict is what becomes of a packet, and why: the rule that decides, or of an
// Unknown one the first that may. Who passes needs no reason.
type Verdict struct {
	Result  Result
	Backend Backend
	Table   string
	Chain   string
	Rule    string // "policy DROP" is a chain's own
}

// String is one line.
func (v Verdict) String() string {
	switch {
	case v.Result == Passes:
		return "passes"
	case v.Backend == "":
		return fmt.Sprintf("%v: %s", v.Result, v.Rule)
	}
	return fmt.Sprintf("%v: %s, table %s, chain %s: %s", v.Result, v.Backend, v.Table, v.Chain, v.Rule)
}

// Walk says what becomes of a packet at a hook, where it must pass all tables of
// all back ends. Packets are taken to be such as no nat rule has rewritten.
func (r Rules) Walk(h Hook, p Packet) Verdict {
	worst := Verdict{}
	for _, v := range r.Each(h, p) {
		if v.Result.Stops() {
			return v
		}
		if v.Result == Unknown && worst.Result == Passes {
			worst = v
		}
	}
	return worst
}

// Each says the same of every chain that the hook has for such packets, in the
// order in which the kernel asks them, and of what could not be read.
func (r Rules) Each(h Hook, p Packet) (all []Verdict) {
	for _, b := range r.bases(h, p) {
		all = append(all, b.verdict(b.walk(r, h, p)))
	}
	for _, what := range r.Unread {
		all = append(all, Verdict{Result: Unknown, Rule: what})
	}
	return all
}

// Rewrites says whether a nat rule changes the packet's addresses (Rewrites),
// leaves them (Passes), or may change them (Unknown). As in the kernel only
// packets that begin a connection are changed, and so none that conntrack does
// not track.
func (r Rules) Rewrites(h Hook, p Packet) Verdict {
	for _, b := range r.bases(h, p) {
		e := b.walk(r, h, p)
		if e.can[rewrites] {
			v := b.place(Rewrites, e.by[rewrites])
			if e.can != (ways{rewrites: true}) {
				v.Result = Unknown
			}
			return v
		}
	}
	return Verdict{}
}

// ForIPVS lists the rules of iptables that rewrite packets by -m ipvs, whatever
// they ask for: full NAT's. They never match while net.ipv4.vs.conntrack is 0.
func (r Rules) ForIPVS() (all []Verdict) {
	for i := range r.Tables {
		t := &r.Tables[i]
		for j := range t.Chains {
			c := &t.Chains[j]
			for _, rule := range c.Rules {
				if rule.ipvs && rule.action == rewrite {
					all = append(all, base{t, c}.place(Rewrites, place{c.Name, rule.Text}))
				}
			}
		}
	}
	return all
}

// base is a chain with a hook, in its table.
type base struct {
	table *Table
	chain *Chain
}

// bases are the chains that a packet meets, in their order.
func (r Rules) bases(h Hook, p Packet) (all []base) {
	is6, known := p.is6()
	for i := range r.Tables {
		t := &r.Tables[i]
		if !t.Family.routed() || known && (is6 && t.Family == IPv4 || !is6 && t.Family == IPv6) {
			continue
		}
		for j := range t.Chains {
			if t.Chains[j].Hook == h {
				all = append(all, base{t, &t.Chains[j]})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b base) int { return cmp.Compare(a.chain.Priority, b.chain.Priority) })
	return all
}

// Untracks tells whether rules take a packet out of conntrack's sight before it
// looks: then the packet is in state UNTRACKED at the hook and behind it. Of what
// may be so, sure is false.
func (r Rules) Untracks(h Hook, p Packet) (may, sure bool) {
	const conntrack = -200 // its priority
	for _, b := range r.bases(h, p) {
		if b.chain.Priority >= conntrack || b.chain.NAT {
			continue
		}
		w := walker{table: b.table, view: view{Packet: p, hook: h, marks: r.SetsMarks()}, seen: map[string]ends{}, untracking: true}
		if e := w.through(b.chain); e.can[rewrites] {
			may, sure = true, sure || e.can == (ways{rewrites: true})
		}
	}
	return may, sure
}

// SetsMarks tells whether any rule may change packets' marks, as targets may that
// nobody here knows. Where none does they are 0.
func (r Rules) SetsMarks() bool {
	for _, t := range r.Tables {
		for _, c := range t.Chains {
			for _, rule := range c.Rules {
				if rule.marks || rule.action == mystery {
					return true
				}
			}
		}
	}
	return false
}

// The ways in which a walk through a chain can end.
const (
	accepts = iota
	drops
	rejects
	rewrites
	returns
	endings
)

type ways [endings]bool

// ends are the ways in which a walk can end, as far as is known, and for each the
// first rule that leads there: one that surely matches rather than one that may.
// One way is a certainty.
type ends struct {
	can   ways
	sure  ways
	by    [endings]place
	doubt place // the first rule of which it is not known whether it matches
}

type place struct{ chain, rule string }

func (e *ends) add(way int, sure bool, by place) {
	if !e.can[way] || sure && !e.sure[way] {
		e.can[way], e.sure[way], e.by[way] = true, sure, by
	}
}

// addAll takes over how a chain that was jumped to ends, save that it returns.
func (e *ends) addAll(of ends, sure bool) {
	for way := range returns {
		if of.can[way] {
			e.add(way, sure && of.sure[way], of.by[way])
		}
	}
	e.doubts(of.doubt)
}

func (e *ends) doubts(p place) {
	if e.doubt == (place{}) {
		e.doubt = p
	}
}

// walker goes through a table with one packet. How a chain ends does not depend
// on from where it was jumped to, so each is looked at once.
type walker struct {
	table *Table
	view  view
	seen  map[string]ends

	untracking bool // a rule that untracks is an end, in the place of one that rewrites
}

func (b base) walk(r Rules, h Hook, p Packet) ends {
	skipped := no // conntrack shows nat chains only packets of its own that are new
	if b.chain.NAT {
		switch p.State {
		case New:
		case "":
			skipped = maybe
		default:
			skipped = yes
		}
	}
	policy := place{b.chain.Name, "policy ACCEPT"}
	if skipped == yes {
		return ends{can: ways{accepts: true}}
	}
	w := walker{table: b.table, view: view{Packet: p, hook: h, marks: r.SetsMarks()}, seen: map[string]ends{}}
	e := w.through(b.chain)
	if e.can[returns] {
		e.can[returns] = false
		if b.chain.Drop {
			policy.rule = "policy DROP"
			e.add(drops, true, policy)
		} else {
			e.add(accepts, true, policy)
		}
	}
	if skipped == maybe {
		e.add(accepts, true, policy)
	}
	return e
}

// through is the walk through a chain. The kernel has no chains that lead back to
// themselves; a file may.
func (w *walker) through(c *Chain) (e ends) {
	if e, ok := w.seen[c.Name]; ok {
		return e
	}
	w.seen[c.Name] = anything(place{c.Name, "it leads to itself"})
	defer func() { w.seen[c.Name] = e }()
	for _, r := range c.Rules {
		m := r.matches(&w.view)
		if m == no {
			continue
		}
		at := place{c.Name, r.Text}
		to := w.after(r, at)
		if m == maybe && to.can != (ways{returns: true}) {
			e.doubts(at)
		}
		e.addAll(to, m == yes)
		back := to.can[returns] && (r.action == goBack || r.action == jumpForGood)
		if back {
			e.add(returns, m == yes, at)
			if m == maybe {
				e.doubts(at)
			}
		}
		if m == yes && (back || !to.can[returns]) {
			return e
		}
	}
	e.add(returns, true, place{})
	return e
}

// after is what a rule that matches leads to; returns means on to the next rule.
func (w *walker) after(r Rule, at place) (e ends) {
	if w.untracking && r.untracks != no {
		e.add(rewrites, true, at)
		if r.untracks == maybe {
			e.add(returns, true, at)
		}
		return e
	}
	switch r.action {
	case goOn, goBack:
		e.add(returns, true, at)
	case accept:
		e.add(accepts, true, at)
	case drop:
		e.add(drops, true, at)
	case reject:
		e.add(rejects, true, at)
	case rewrite:
		e.add(rewrites, true, at)
	case jump, jumpForGood:
		if c := w.table.chain(r.target); c != nil {
			return w.through(c)
		}
		return anything(at)
	default:
		return anything(at)
	}
	return e
}

func anything(at place) (e ends) {
	for way := range endings {
		e.add(way, false, at)
	}
	e.doubts(at)
	return e
}

func (b base) verdict(e ends) Verdict {
	passes := e.can[accepts] || e.can[rewrites]
	switch stops := e.can[drops] || e.can[rejects]; {
	case !stops:
		return Verdict{}
	case passes:
		return b.place(Unknown, e.doubt)
	case e.can[drops]:
		return b.place(Drops, e.by[drops])
	}
	return b.place(Rejects, e.by[rejects])
}

func (b base) place(r Result, at place) Verdict {
	return Verdict{r, b.table.Backend, b.table.Name, at.chain, at.rule}
}

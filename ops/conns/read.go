package conns

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"sync/atomic"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
)

// Source is where connections come from.
type Source interface {
	// Connections opens the table at its beginning, with each connection's origin
	// or with what persistence engines know of it.
	Connections(origin bool) (io.ReadCloser, error)

	// ReadCost is about how long reading so many connections keeps a processor
	// of the director busy.
	ReadCost(n uint64) time.Duration
}

// Query is which connections are looked at, and how they are counted.
type Query struct {
	Filter
	By   []By
	Top  int // groups given for each grouping, the largest first; 0: all
	Net4 int // length of a client's network; 0: DefaultNet4
	Net6 int

	// PerService asks who has much of each service, too: Result.Heavy.
	PerService bool

	Listed   *Listed       // nil: not known what the table lists
	Timeouts ipvs.Timeouts // as they are set; 0: the kernel's own
	Progress *Progress     // nil: nobody watches

	most int // groups, for tests; 0: as many as the package says
}

// The bounds of groupings.
const (
	MostGroups = 3 << 19 // clients and networks
	MostPairs  = 3 << 16 // services with servers
	fewStates  = 3 << 8
)

// Lengths of a client's network, unless others are chosen.
const (
	DefaultNet4 = 24
	DefaultNet6 = 64
)

// Progress is how far a reading has come. It may be looked at from anywhere.
type Progress struct {
	lines, bytes atomic.Uint64
}

// Lines and Bytes are what was read so far.
func (p *Progress) Lines() uint64 { return p.lines.Load() }

// Bytes is what was read so far.
func (p *Progress) Bytes() uint64 { return p.bytes.Load() }

// Result is one reading, counted.
type Result struct {
	Query
	All   Counts // what the filter picked
	Read  proc.Count
	Took  time.Duration
	Ended error // why the reading ended before the table did, or nil

	Rankings []Ranking // one for each of Query.By
	Gone     Counts    // what is with servers that the table does not list any more
	Heavy    []Heavy   // clients and networks that have much of one service, by service
}

// Ranking is the groups of one grouping, the largest first.
type Ranking struct {
	By
	Groups []Group
	Met    int    // how many groups there are
	Rest   Counts // of the groups that are not given
	Beyond Counts // of the rest, of groups that were not told apart, see MostGroups
}

// Share is the part of all that a group has, from 0 to 1: of the connections, or
// of the templates when nothing else was picked.
func (r *Result) Share(c Counts) float64 {
	switch {
	case r.All.Conns > 0:
		return float64(c.Conns) / float64(r.All.Conns)
	case r.All.Templates > 0:
		return float64(c.Templates) / float64(r.All.Templates)
	}
	return 0
}

// Read reads connections to the end, or until the context is done, and counts
// them. An error is one of reading; a text that is no table of connections is
// one, too.
func Read(ctx context.Context, in io.Reader, q Query) (*Result, error) {
	began := time.Now()
	c := newCounter(q)
	w := newWatched(ctx, in, q.Progress)
	w.all.ClientsOnly = !c.pairing
	for conn := (proc.Conn{}); w.next(&conn); {
		c.count(&conn)
	}
	ended, err := w.outcome()
	if err != nil {
		return nil, err
	}
	r := c.result()
	r.Read, r.Ended, r.Took = w.all.Read, ended, time.Since(began)
	return r, nil
}

// watched is a reading that ends with its context and tells how far it has come.
type watched struct {
	ctx      context.Context
	in       io.Reader
	all      *proc.Conns
	progress *Progress
	good     bool // there was a connection
}

func newWatched(ctx context.Context, in io.Reader, p *Progress) *watched {
	if p == nil {
		p = &Progress{}
	}
	w := &watched{ctx: ctx, in: in, progress: p}
	w.all = proc.NewConns(w)
	return w
}

// Read implements io.Reader.
func (w *watched) Read(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	w.progress.lines.Store(w.all.Read.Lines)
	w.progress.bytes.Store(w.all.Read.Bytes)
	return w.in.Read(b)
}

func (w *watched) next(c *proc.Conn) bool {
	more := w.all.Next(c)
	w.good = w.good || more
	return more
}

// outcome is how the reading ended: because of its context, or an error of
// reading.
func (w *watched) outcome() (ended, err error) {
	read := &w.all.Read
	switch e := w.all.Err(); {
	case e != nil && w.ctx.Err() != nil:
		return context.Cause(w.ctx), nil
	case e != nil:
		return nil, fmt.Errorf("reading connections: %w", e)
	case !w.good && read.Bad > 0:
		return nil, fmt.Errorf("this is no copy of /proc/net/ip_vs_conn (nor is a listing by ipvsadm): %w", read.FirstBad)
	}
	return nil, nil
}

// picker tells which connections a filter picks. What does not change from one
// connection to the next of a state, or of a service and server, is decided once.
type picker struct {
	Query
	clients  clients
	states   map[State]*stateInfo
	byNumber [proc.MostStates + 1][kinds]*stateInfo // those of TCP, of UDP, of templates
	other    stateInfo
	services *groups // of IPv6
	pairs    *groups
	pairInfo []pairInfo // by the pair's number
	owners   map[ipvs.ServiceID]uint64
	pairing  bool
}

// stateInfo is what is known of a state, and what is counted of it.
type stateInfo struct {
	State
	picked  bool
	timeout uint32
	half    uint32 // with less to live it is idle
	each    tally  // what a connection in it counts
	n       tally
}

// pairInfo is a service and a server of it.
type pairInfo struct {
	owner  ipvs.ServiceID
	server netip.AddrPort
	number uint64 // of the owner
	gone   bool
	picked bool
}

func newPicker(q Query) picker {
	if q.Net4 == 0 {
		q.Net4 = DefaultNet4
	}
	if q.Net6 == 0 {
		q.Net6 = DefaultNet6
	}
	pairs := MostPairs
	if q.most > 0 {
		pairs = min(pairs, q.most)
	}
	return picker{
		Query: q, clients: clientsOf(q.Client), states: map[State]*stateInfo{}, services: newGroups(pairs), pairs: newGroups(pairs), owners: map[ipvs.ServiceID]uint64{},
		pairing: q.Listed != nil || q.Unlisted || q.Service != ipvs.ServiceID{} || q.Server.IsValid(),
		// Only a text that no kernel wrote has states beyond those that are told apart.
		other: stateInfo{State: State{Name: "other"}, picked: true, each: tally{conns: 1}},
	}
}

// What a state's number stands for, by what has it.
const (
	ofTCP = iota
	ofUDP
	ofTemplate
	kinds
	ofOther
)

// state gives what is known of a connection's state.
func (p *picker) state(c *proc.Conn) *stateInfo {
	kind := ofOther
	switch {
	case c.Template():
		kind = ofTemplate
	case c.Protocol == ipvs.TCP:
		kind = ofTCP
	case c.Protocol == ipvs.UDP:
		kind = ofUDP
	}
	if kind == ofOther || c.StateNumber == 0 {
		return p.stateOf(c)
	}
	known := &p.byNumber[c.StateNumber][kind]
	if *known == nil {
		*known = p.stateOf(c)
	}
	return *known
}

// stateOf is state for those met for the first time, and the rare ones.
func (p *picker) stateOf(c *proc.Conn) *stateInfo {
	s := StateOf(c)
	if known := p.states[s]; known != nil {
		return known
	}
	if len(p.states) == fewStates {
		return &p.other
	}
	i := &stateInfo{State: s, picked: p.Filter.state(s), timeout: s.Timeout(p.Timeouts), each: tally{conns: 1}}
	i.half = (i.timeout + 1) / 2
	switch {
	case s.Template:
		i.each = tally{templates: 1}
	case s.open():
		i.each.conns |= 1 << 32
	case s.halfOpen():
		i.each.half = 1
	}
	p.states[s] = i
	return i
}

// pair gives the group of a connection's service and server with its number, or
// nil when there are too many.
func (p *picker) pair(c *proc.Conn) (*group, int) {
	ports := uint64(c.Virtual.Port) | uint64(c.Server.Port)<<16 | uint64(c.Protocol)<<32
	k := key{c.Virtual.Lo<<32 | c.Server.Lo&0xffffffff, ports, 1} // of IPv4, both fit in
	if !c.Virtual.Is4() || !c.Server.Is4() {
		service, number, _ := p.services.find(&key{c.Virtual.Hi, c.Virtual.Lo, ports &^ 0xffff0000})
		if service == nil {
			return nil, 0
		}
		k = key{c.Server.Hi, c.Server.Lo, uint64(c.Server.Port)<<48 | uint64(number)<<16 | 2}
	}
	pair, number, fresh := p.pairs.find(&k)
	if fresh {
		info := p.newPair(c.Service(), c.Server.AddrPort())
		if _, met := p.owners[info.owner]; !met {
			p.owners[info.owner] = uint64(len(p.owners))
		}
		info.number = p.owners[info.owner]
		p.pairInfo = append(p.pairInfo, info)
	}
	return pair, number
}

func (p *picker) newPair(virtual ipvs.ServiceID, server netip.AddrPort) pairInfo {
	info := pairInfo{owner: virtual, server: server}
	if p.Listed != nil {
		listed := false
		info.owner, listed = p.Listed.Owner(virtual, server)
		info.gone = !listed
	}
	info.picked = p.Filter.service(virtual, info.owner) && p.Filter.server(server) && (info.gone || !p.Unlisted)
	return info
}

// picksPair tells whether the filter picks connections of a service and server. It
// looks at what is known of them only when there is something to decide.
func (p *picker) picksPair(c *proc.Conn, pair *group, number int) bool {
	switch {
	case p.Service == ipvs.ServiceID{} && !p.Server.IsValid() && !p.Unlisted:
		return true
	case pair == nil: // there was no room to know it
		info := p.newPair(c.Service(), c.Server.AddrPort())
		return info.picked
	}
	return p.pairInfo[number].picked
}

// picks tells whether the filter picks a connection.
func (p *picker) picks(c *proc.Conn, s *stateInfo) bool {
	return s.picked && p.clients.has(c.Client) && (p.Origin == proc.OriginUnknown || p.Origin == c.Origin)
}

// counter counts what a picker picks.
type counter struct {
	picker
	tables [nBy]*groups
	within [2]*groups   // clients and networks of each service, or nil
	masks  [2][2]uint64 // of networks, IPv4 and IPv6
}

func newCounter(q Query) *counter {
	c := &counter{picker: newPicker(q)}
	most := MostGroups
	if q.most > 0 {
		most = q.most
	}
	for _, by := range q.By {
		switch by {
		case ByService, ByServer:
			c.pairing = true
		case ByState:
		default:
			c.tables[by] = newGroups(most)
		}
	}
	if q.PerService {
		// Who has much is met early: when there is no room left, they have theirs.
		c.within, c.pairing = [2]*groups{newGroups(MostPairs), newGroups(MostPairs)}, true
	}
	c.masks[0][0], c.masks[0][1] = maskOf(96 + c.Net4)
	c.masks[1][0], c.masks[1][1] = maskOf(c.Net6)
	return c
}

// count counts one connection.
func (c *counter) count(conn *proc.Conn) {
	state := c.state(conn)
	if !c.picks(conn, state) {
		return
	}
	d := state.each
	var idle uint64 // added without a decision, as nobody could foresee it
	if conn.Expires < state.half {
		idle = 1 << 32
	}
	d.half += idle
	m := &c.masks[1]
	if conn.Client.Is4() {
		m = &c.masks[0]
	}
	if c.pairing {
		pair, number := c.pair(conn)
		if !c.picksPair(conn, pair, number) {
			return
		}
		if pair != nil {
			pair.n.add(d)
			if c.within[0] != nil {
				owner := c.pairInfo[number].number
				c.within[0].count(key{conn.Client.Hi, conn.Client.Lo, owner}, d)
				c.within[1].count(key{conn.Client.Hi & m[0], conn.Client.Lo & m[1], owner}, d)
			}
		} else {
			c.pairs.beyond = c.pairs.beyond.Add(d.counts())
		}
	}
	if c.tables[ByClient] != nil {
		c.tables[ByClient].count(key{conn.Client.Hi, conn.Client.Lo, 0}, d)
	}
	if c.tables[ByNet] != nil {
		c.tables[ByNet].count(key{conn.Client.Hi & m[0], conn.Client.Lo & m[1], 0}, d)
	}
	if c.tables[ByOrigin] != nil {
		c.tables[ByOrigin].count(key{0, 0, uint64(conn.Origin)}, d)
	}
	state.n.add(d)
}

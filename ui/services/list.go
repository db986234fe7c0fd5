package services

import (
	"net/netip"
	"slices"
	"sort"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/check"
)

// Key names a row: a service, or one of its servers.
type Key struct {
	Service ipvs.ServiceID
	Server  netip.AddrPort // zero: the service itself
}

// Row is one row of the tree. Server is nil on a service's own.
type Row struct {
	Service *ops.Service
	Server  *ops.Server
	Open    bool // the service's servers are shown
	Label   Label
	Found   check.Severity // the worst of what checks found about it
	Crossed bool           // a threshold is
}

// Key is the row's identity.
func (r Row) Key() Key {
	k := Key{Service: r.Service.ServiceID}
	if r.Server != nil {
		k.Server = r.Server.Addr
	}
	return k
}

// group is one service that is shown, and where its rows are.
type group struct {
	svc     *ops.Service
	rank    int // place in order of address
	first   int // row number of the service
	open    bool
	servers []*ops.Server // those that are shown, if open
	sorted  bool
	labels  *serviceLabels
}

// rows is how many rows the group takes.
func (g *group) rows() int {
	if g.open {
		return 1 + len(g.servers)
	}
	return 1
}

// List is the tree as the operator arranged it.
type List struct {
	sample *ops.Sample

	all   opening // what is open in the view of all rows
	found opening // and while searching, when services with finds open by themselves
	marks map[Key]bool

	labels  Labels
	worst   Findings
	crossed Crossed

	sort     Sort
	filter   Filter
	problems bool

	groups []group
	total  int

	cursor Key
	within int  // the cursor's place in its service, 0 for the service itself
	sought *Key // a row to go to as soon as it is there
	aim    *Key // the row that commands act on, if it is not the cursor's
	at     int  // the cursor's row number
	top    int  // the first row on screen
	height int  // rows that fit
}

// NewList gives an empty list, every service closed, in order of address.
func NewList() *List {
	return &List{all: newOpening(), found: newOpening(), marks: map[Key]bool{}, height: 1}
}

// SetSample shows a newer sample. Cursor, marks and open services stay with
// their rows; if the cursor's row is gone it takes the one in its place, after a
// server another of its service as long as there is one.
func (l *List) SetSample(s *ops.Sample) {
	l.sample = s
	l.arrange()
}

// SetHeight says how many rows fit on the screen.
func (l *List) SetHeight(n int) {
	l.height = max(1, n)
	l.reveal()
}

// Len is how many rows are shown, on screen or off.
func (l *List) Len() int { return l.total }

// Services is how many services are shown.
func (l *List) Services() int { return len(l.groups) }

// arrange makes the groups anew. It costs a look at every service, and at every
// server only under a filter; servers are sorted when they come on screen.
func (l *List) arrange() {
	l.groups = l.groups[:0]
	if l.sample == nil {
		l.total = 0
		return
	}
	for i, s := range l.sample.Services {
		if g, ok := l.pick(s); ok {
			g.rank = i
			l.groups = append(l.groups, g)
		}
	}
	l.sort.services(l.groups)
	l.total = 0
	for i := range l.groups {
		l.groups[i].first = l.total
		l.total += l.groups[i].rows()
	}
	l.follow()
}

// pick decides whether a service is shown and which of its servers.
func (l *List) pick(s *ops.Service) (group, bool) {
	g := group{svc: s, open: l.opening().has(s.ServiceID, false), labels: l.labels.service(s)}
	if !l.searching() {
		if g.open {
			g.servers = s.Servers
		}
		return g, true
	}
	if l.problems && !Troubled(s) && !l.wrong(Key{Service: s.ServiceID}) {
		return g, false
	}
	own := l.filter.service(s, g.labels)
	for _, r := range s.Servers {
		if l.filter.server(s, r, g.labels) && (!l.problems || !r.Usable() || l.wrong(Key{s.ServiceID, r.Addr})) {
			g.servers = append(g.servers, r)
		}
	}
	g.open = l.found.has(s.ServiceID, len(g.servers) > 0 && (!own || l.problems))
	return g, own || len(g.servers) > 0
}

// searching tells that not everything is shown.
func (l *List) searching() bool { return l.problems || !l.filter.Empty() }

// ordered is the group's servers in the order of the sort. The sample's own
// slice is never touched.
func (l *List) ordered(g *group) []*ops.Server {
	if !g.sorted {
		g.sorted = true
		if l.sort != (Sort{}) {
			g.servers = slices.Clone(g.servers)
			l.sort.servers(g.servers)
		}
	}
	return g.servers
}

// Row is the row with a number from 0 to Len-1.
func (l *List) Row(n int) Row {
	i := sort.Search(len(l.groups), func(i int) bool { return l.groups[i].first > n }) - 1
	g := &l.groups[i]
	row := Row{Service: g.svc, Open: g.open}
	if n > g.first {
		row.Server = l.ordered(g)[n-g.first-1]
	}
	row.Label, row.Found, row.Crossed = g.labels.label(row.Server), l.worst[row.Key()], l.crossed[row.Key()]
	return row
}

// Filter is the filter in force.
func (l *List) Filter() Filter { return l.filter }

// SetFilter shows only what the filter picks.
func (l *List) SetFilter(f Filter) {
	l.filter = f
	l.found = newOpening()
	l.arrange()
}

// Problems tells whether only troubled rows are shown.
func (l *List) Problems() bool { return l.problems }

// SetProblems shows only troubled rows, or all.
func (l *List) SetProblems(on bool) {
	l.problems = on
	l.found = newOpening()
	l.arrange()
}

// Visible gives the services on screen whose servers' own counters are worth
// reading: the open ones and the cursor's, or all when their sums are shown.
func (l *List) Visible(sums bool) []ipvs.ServiceID {
	if l.aim != nil && l.aim.Service != (ipvs.ServiceID{}) {
		return []ipvs.ServiceID{l.aim.Service}
	}
	var ids []ipvs.ServiceID
	for i := range l.groups {
		g := &l.groups[i]
		onScreen := g.first < l.top+l.height && g.first+g.rows() > l.top
		if onScreen && (sums || g.open || g.svc.ServiceID == l.cursor.Service) {
			ids = append(ids, g.svc.ServiceID)
		}
	}
	return ids
}

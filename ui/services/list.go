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

// opening is which services show their servers: a rule for all, and what the
// operator opened and closed one by one.
type opening struct {
	rule rule
	but  map[ipvs.ServiceID]bool // services that differ from the rule
}

type rule uint8

const (
	asFound rule = iota // those that a search found something in
	all
	none
)

func newOpening() opening { return opening{but: map[ipvs.ServiceID]bool{}} }

func (o *opening) has(id ipvs.ServiceID, found bool) bool {
	return (o.rule == all || o.rule == asFound && found) != o.but[id]
}

func (o *opening) toggle(id ipvs.ServiceID) {
	if o.but[id] {
		delete(o.but, id)
	} else {
		o.but[id] = true
	}
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

// Position is the cursor's row number, from 0.
func (l *List) Position() int { return l.at }

// Top is the row number of the first row on screen.
func (l *List) Top() int { return l.top }

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

// opening is that of the present view: a search starts afresh, and leaves the
// view of all rows as it was.
func (l *List) opening() *opening {
	if l.searching() {
		return &l.found
	}
	return &l.all
}

// follow finds the cursor's row in the new arrangement.
func (l *List) follow() {
	if l.total == 0 {
		l.at, l.top = 0, 0
		return
	}
	if l.sought != nil {
		if i, ok := l.find(*l.sought, 0); ok {
			l.sought = nil
			l.moveTo(i)
			return
		}
	}
	if i, ok := l.find(l.cursor, l.within); ok {
		l.at = i
	} else {
		l.at = min(l.at, l.total-1)
	}
	l.moveTo(l.at)
}

// Seek goes to a row, now or as soon as it is there.
func (l *List) Seek(k Key) {
	l.sought = &k
	l.follow()
}

// find gives the row number of a key. A server that is gone is found at the
// place in its service where it was, one that is not shown at the service.
func (l *List) find(k Key, within int) (int, bool) {
	for i := range l.groups {
		g := &l.groups[i]
		if g.svc.ServiceID != k.Service {
			continue
		}
		if k.Server.IsValid() && g.open {
			for j, r := range l.ordered(g) {
				if r.Addr == k.Server {
					return g.first + 1 + j, true
				}
			}
			if !slices.ContainsFunc(g.svc.Servers, func(r *ops.Server) bool { return r.Addr == k.Server }) {
				return g.first + min(within, len(g.servers)), true
			}
		}
		return g.first, true
	}
	return 0, false
}

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

// Current is the row under the cursor, or the one aimed at.
func (l *List) Current() (Row, bool) {
	if l.aim != nil {
		return l.Find(*l.aim)
	}
	if l.total == 0 {
		return Row{}, false
	}
	return l.Row(l.at), true
}

// Move moves the cursor by some rows and stops at the ends.
func (l *List) Move(by int) { l.moveTo(l.at + by) }

// Page moves by screens.
func (l *List) Page(by int) { l.moveTo(l.at + by*max(1, l.height-1)) }

// Home and End go to the first and the last row.
func (l *List) Home() { l.moveTo(0) }

// End goes to the last row.
func (l *List) End() { l.moveTo(l.total - 1) }

func (l *List) moveTo(n int) {
	if l.total == 0 {
		return
	}
	l.at = min(max(n, 0), l.total-1)
	row := l.Row(l.at)
	l.cursor, l.within = row.Key(), 0
	if row.Server != nil {
		i, _ := l.find(Key{Service: l.cursor.Service}, 0)
		l.within = l.at - i
	}
	l.reveal()
}

// reveal moves the window as little as needed to hold the cursor.
func (l *List) reveal() {
	l.top = min(l.top, max(0, l.total-l.height))
	l.top = max(min(l.top, l.at), l.at-l.height+1, 0)
}

// NextProblem moves to the next row below (or above) the cursor that has one,
// around the end. It says whether there was any.
func (l *List) NextProblem(step int) bool {
	for i := 1; i <= l.total; i++ {
		n := ((l.at+i*step)%l.total + l.total) % l.total
		if row := l.Row(n); row.troubled() {
			l.moveTo(n)
			return true
		}
	}
	return false
}

func (r Row) troubled() bool {
	if r.Found > check.Notice || r.Crossed {
		return true
	}
	if r.Server != nil {
		return !r.Server.Usable()
	}
	return Troubled(r.Service)
}

// Toggle opens or closes the cursor's service; from a server's row it closes
// and goes to the service.
func (l *List) Toggle() {
	if row, ok := l.Current(); ok {
		l.setOpen(row, !row.Open)
	}
}

// Open opens the cursor's service, or goes to the first server of an open one.
func (l *List) Open() {
	row, ok := l.Current()
	switch {
	case !ok:
	case !row.Open:
		l.setOpen(row, true)
	case row.Server == nil && l.at+1 < l.total && l.Row(l.at+1).Server != nil:
		l.Move(1)
	}
}

// Close closes the cursor's service and goes to it.
func (l *List) Close() {
	if row, ok := l.Current(); ok {
		l.setOpen(row, false)
	}
}

func (l *List) setOpen(row Row, open bool) {
	l.cursor = Key{Service: row.Service.ServiceID}
	if open != row.Open {
		l.opening().toggle(row.Service.ServiceID)
	}
	l.arrange()
}

// ToggleAll opens every service that is shown, or closes all when all are open.
func (l *List) ToggleAll() {
	o := l.opening()
	closed := slices.ContainsFunc(l.groups, func(g group) bool { return !g.open })
	if o.rule = none; closed || len(l.groups) == 0 {
		o.rule = all
	}
	clear(o.but)
	l.arrange()
}

// Mark marks or unmarks the cursor's row and moves on.
func (l *List) Mark() {
	if l.total == 0 {
		return
	}
	if l.marks[l.cursor] {
		delete(l.marks, l.cursor)
	} else {
		l.marks[l.cursor] = true
	}
	l.Move(1)
}

// Unmark clears all marks.
func (l *List) Unmark() { clear(l.marks) }

// Marked tells whether a row is marked.
func (l *List) Marked(k Key) bool { return l.marks[k] }

// Chosen is the rows that a command acts on: those marked, shown or not, or else
// the cursor's.
func (l *List) Chosen() []Row {
	if len(l.marks) == 0 || l.aim != nil {
		if row, ok := l.Current(); ok {
			return []Row{row}
		}
		return nil
	}
	var rows []Row
	for _, s := range l.sample.Services {
		if l.marks[Key{Service: s.ServiceID}] {
			rows = append(rows, Row{Service: s})
		}
		for _, r := range s.Servers {
			if l.marks[Key{s.ServiceID, r.Addr}] {
				rows = append(rows, Row{Service: s, Server: r})
			}
		}
	}
	return rows
}

// Hidden tells that marked rows are out of sight: their service is closed, or a
// search leaves them out.
func (l *List) Hidden() bool {
	seen := 0
	for i := range l.groups {
		g := &l.groups[i]
		if l.marks[Key{Service: g.svc.ServiceID}] {
			seen++
		}
		for _, r := range g.servers {
			if g.open && l.marks[Key{g.svc.ServiceID, r.Addr}] {
				seen++
			}
		}
	}
	return seen < len(l.Chosen()) && len(l.marks) > 0 && l.aim == nil
}

// Marks is how many rows are marked, shown or not.
func (l *List) Marks() int { return len(l.marks) }

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

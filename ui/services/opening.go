package services

import (
	"slices"

	"lvsdeck/ipvs"
)

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

// opening is that of the present view: a search starts afresh, and leaves the
// view of all rows as it was.
func (l *List) opening() *opening {
	if l.searching() {
		return &l.found
	}
	return &l.all
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

package services

import (
	"slices"

	"lvsdeck/ops"
	"lvsdeck/ops/check"
)

// Position is the cursor's row number, from 0.
func (l *List) Position() int { return l.at }

// Top is the row number of the first row on screen.
func (l *List) Top() int { return l.top }

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

package services

import (
	"cmp"
	"slices"

	"lvsdeck/ops"
)

// Sort is the order of rows: by a column, services among services and servers
// within theirs. Equal rows stay in order of address. The zero Sort is the order
// of address.
type Sort struct {
	Column *Column
	Desc   bool
}

// order gives rows of numbers: figures, larger first when descending.
type order[T any] func(a, b T) int

func (s Sort) services(groups []group) {
	by := func(a, b *ops.Service) int { return 0 }
	if s.Column != nil && s.Column.service != nil {
		by = s.Column.service
	}
	slices.SortFunc(groups, func(a, b group) int {
		return s.turn(by(a.svc, b.svc), a.rank-b.rank)
	})
}

func (s Sort) servers(servers []*ops.Server) {
	by := func(a, b *ops.Server) int { return 0 }
	if s.Column != nil && s.Column.server != nil {
		by = s.Column.server
	}
	slices.SortFunc(servers, func(a, b *ops.Server) int {
		return s.turn(by(a, b), a.Addr.Compare(b.Addr))
	})
}

// turn is the comparison by the column in its direction, else by address. Only
// the order of address itself is turned around whole.
func (s Sort) turn(c, address int) int {
	switch {
	case s.Column == nil || s.Column.service == nil:
		c = address
	case c == 0:
		return address
	}
	if s.Desc {
		return -c
	}
	return c
}

// byFigure orders by one number that both kinds of row have. Unknown comes
// below zero.
func byFigure(get func(*ops.Figures) (uint64, bool)) (order[*ops.Service], order[*ops.Server]) {
	compare := func(a, b *ops.Figures) int {
		x, okX := get(a)
		y, okY := get(b)
		if okX != okY {
			return cmp.Compare(btoi(okX), btoi(okY))
		}
		return cmp.Compare(x, y)
	}
	return func(a, b *ops.Service) int { return compare(&a.Figures, &b.Figures) },
		func(a, b *ops.Server) int { return compare(&a.Figures, &b.Figures) }
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// shown is the column that carries the arrow.
func (s Sort) shown() *Column {
	if s.Column == nil {
		return colName
	}
	return s.Column
}

// Sort is the order in force.
func (l *List) Sort() Sort { return l.sort }

// SetSort orders by another column or direction.
func (l *List) SetSort(s Sort) {
	l.sort = s
	l.arrange()
}

// StepSort sorts by the next column to the right (or left) among those on the
// screen, numbers from the largest, names from the first.
func (v View) StepSort(l *List, step, width int) {
	cols := v.columns(l, width)
	at := slices.IndexFunc(cols, func(c placed) bool { return c.Column == l.sort.shown() })
	to := cols[((at+step)%len(cols)+len(cols))%len(cols)].Column
	l.SetSort(Sort{Column: to, Desc: !to.left || to.trend})
}

// Text is the order in words: "conn/s, largest first".
func (s Sort) Text() string {
	c := s.shown()
	switch {
	case c.left && !c.trend && s.Desc:
		return c.ID + ", last first"
	case c.left && !c.trend:
		return c.ID + ", first to last"
	case s.Desc:
		return c.ID + ", largest first"
	}
	return c.ID + ", smallest first"
}

package services

import "slices"

// gutter is the cells before the name: mark, finding, open or closed, a blank.
const gutter = 4

// Widths a column may grow to when the screen has room.
const (
	nameMax  = 46
	trendMax = 60

	// nameSpare is the name's width before columns outside the set join: a full
	// IPv4 name of any kind, and most of an IPv6 one.
	nameSpare = 32

	// nameNamed is the width where rows have names of the operator's: the most
	// that leaves the scheduler and the weights on a screen of 80 columns.
	nameNamed = 31

	// trendSpare is the same for the trend: two minutes at the default interval.
	trendSpare = 20
)

// placed is a column with the width it got.
type placed struct {
	*Column
	width int
}

// layout chooses columns for a width: the name, the column of the sort, those of
// the set, then the spare ones while they fit. Each but the name costs one cell more
// for the gap before it. They stand in the order of Columns. Where rows have names
// of the operator's, the first column keeps room for them.
func layout(width int, set Set, sort *Column, named bool) []placed {
	least := colName.width
	if named {
		least = nameNamed
	}
	room := width - gutter - least - 1
	chosen := []*Column{colName}
	take := func(c *Column) {
		if c != nil && c.width+1 <= room && !slices.Contains(chosen, c) {
			chosen = append(chosen, c)
			room -= c.width + 1
		}
	}
	take(sort)
	for _, c := range set.columns {
		take(c)
	}
	reserve := nameSpare - least + trendSpare - colTrend.width
	room -= reserve
	for _, c := range spare {
		take(c)
	}
	room += reserve
	var out []placed
	for _, c := range Columns {
		if slices.Contains(chosen, c) {
			out = append(out, placed{c, c.width})
		}
	}
	out[0].width = least
	grow(out, max(0, room))
	return out
}

// grow gives spare cells to the name and the trend in turn.
func grow(cols []placed, spare int) {
	widen := func(wanted func(placed) bool, most int) {
		for i := range cols {
			if wanted(cols[i]) {
				more := max(0, min(spare, most-cols[i].width))
				cols[i].width += more
				spare -= more
			}
		}
	}
	name := func(c placed) bool { return c.Column == colName }
	trend := func(c placed) bool { return c.trend }
	widen(name, nameSpare)
	widen(trend, trendSpare)
	widen(name, nameMax)
	widen(trend, trendMax)
}

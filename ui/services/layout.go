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
)

// placed is a column with the width it got.
type placed struct {
	*Column
	width int
}

// layout chooses columns for a width: the name, the column of the sort, those of
// the set, then the spare ones while they fit. Each but the name costs one cell more
// for the gap before it. They stand in the order of Columns.
func layout(width int, set Set, sort *Column) []placed {
	room := width - gutter - colName.width - 1
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
	room -= nameSpare - colName.width
	for _, c := range spare {
		take(c)
	}
	room += nameSpare - colName.width
	var out []placed
	for _, c := range Columns {
		if slices.Contains(chosen, c) {
			out = append(out, placed{c, c.width})
		}
	}
	grow(out, max(0, room))
	return out
}

// grow gives spare cells to the name, then to the trend.
func grow(cols []placed, spare int) {
	for i := range cols {
		if cols[i].Column == colName {
			more := min(spare, nameMax-cols[i].width)
			cols[i].width += more
			spare -= more
		}
	}
	for i := range cols {
		if cols[i].trend {
			cols[i].width += min(spare, trendMax-cols[i].width)
		}
	}
}

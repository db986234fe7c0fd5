package services

import (
	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
	"slices"
)

// View is how the list is drawn.
type View struct {
	Theme *paint.Theme
	Signs *paint.Signs
	Set   int     // index into Sets
	About []About // the row under the cursor
}

// Header is the line of column titles; the sort's own is accented and has an
// arrow.
func (v View) Header(l *List, width int) string {
	line := v.Theme.Line(paint.Ground, width)
	line.Space(gutter)
	for i, c := range v.columns(l, width) {
		style, arrow := paint.Rest, ""
		if c.Column == l.sort.shown() {
			style, arrow = paint.Accent, v.arrow(l.sort)
		}
		gap := min(i, 1)
		if c.left {
			line.Space(gap).Left(style, c.Title+arrow, c.width, "")
		} else {
			line.Right(style, arrow+c.Title, c.width+gap, "") // the arrow may stand in the gap
		}
	}
	return line.String()
}

func (v View) arrow(s Sort) string {
	if s.Desc {
		return v.Signs.Down
	}
	return v.Signs.Up
}

// Rows draws the rows on screen, as many as the list's height.
func (v View) Rows(l *List, width int) []string {
	cols := v.columns(l, width)
	lines := make([]string, 0, l.height)
	for n := l.top; n < min(l.total, l.top+l.height); n++ {
		lines = append(lines, v.row(l, l.Row(n), n == l.at, cols, width))
	}
	return lines
}

// Sums tells whether a column is on screen that services add up from their
// servers' own counters.
func (v View) Sums(l *List, width int) bool {
	return slices.ContainsFunc(v.columns(l, width), func(c placed) bool { return c.Column == colPersist })
}

func (v View) columns(l *List, width int) []placed {
	return layout(width, Sets[v.Set], l.sort.Column, l.labels.any())
}

func (v View) row(l *List, r Row, current bool, cols []placed, width int) string {
	base := paint.Ground
	if current {
		base = paint.Cursor
	}
	line := v.Theme.Line(base, width)
	v.gutter(line, l, r)
	for i, c := range cols {
		if i > 0 {
			line.Space(1)
		}
		switch {
		case c.Column == colName:
			v.name(line, r, c.width)
		case c.trend:
			line.Put(paint.Rest, v.Signs.Spark(r.trend(), c.width))
		default:
			content := c.cell(r)
			if content.text == figure.Unknown {
				content.text = v.Signs.Unknown
			}
			put := line.Right
			if c.left {
				put = line.Left
			}
			put(content.style, text.Clean(content.text), c.width, v.Signs.Cut)
		}
	}
	return line.String()
}

// Sign is what stands before a row that something is wrong with, else "".
func (v View) Sign(r Row) (paint.Style, string) {
	switch {
	case r.Found == check.Fault:
		return paint.Bad, FaultSign
	case r.Crossed:
		return paint.Bad, CrossedSign
	case r.Found == check.Warning:
		return paint.Warn, WarningSign
	case r.Server == nil && r.Service.Up == 0, r.Server != nil && r.Server.Overloaded():
		return paint.Bad, v.Signs.Problem
	case r.troubled():
		return paint.Warn, v.Signs.Problem
	}
	return paint.Plain, ""
}

func (v View) gutter(line *paint.Line, l *List, r Row) {
	mark := " "
	if l.Marked(r.Key()) {
		mark = v.Signs.Marked
	}
	line.Put(paint.Mark, mark)
	if style, sign := v.Sign(r); sign != "" {
		line.Put(style, sign)
	} else {
		line.Space(1)
	}
	switch {
	case r.Server != nil:
		line.Space(2)
	case r.Open:
		line.Put(paint.Rest, v.Signs.Open).Space(1)
	default:
		line.Put(paint.Rest, v.Signs.Closed).Space(1)
	}
}

// name is the protocol in a narrow field, then the address: what is too long is
// cut in the middle, so that network and port stay readable. Where there is room
// after it, what the operators call the row.
func (v View) name(line *paint.Line, r Row, width int) {
	end := line.Room() - width
	service, server := paint.Strong, paint.Plain
	if r.Crossed {
		service, server = paint.Bad, paint.Bad
	}
	if r.Server != nil {
		line.Space(2).Put(server, text.CutMiddle(r.Server.Name, width-2, v.Signs.Cut))
	} else {
		proto := r.Service.Protocol.String()
		field := max(3, len(proto))
		line.Left(paint.Rest, proto, field, "").Space(1)
		line.Put(service, text.CutMiddle(r.Service.Name, width-field-1, v.Signs.Cut))
	}
	if room := line.Room() - end - 1; r.Label.Name != "" && room >= labelLeast {
		line.Space(1).Put(paint.Rest, text.Cut(r.Label.Name, room, v.Signs.Cut))
	}
	line.Space(line.Room() - end)
}

// labelLeast is the room below which a name would say nothing.
const labelLeast = 3

// trend is new connections per second; where those are unknown, and on a server
// that only waits for its connections to end, it is active connections.
func (r Row) trend() []float32 {
	t := r.history()
	switch {
	case t == nil:
		return nil
	case r.Server != nil && r.Server.Weight == 0, !r.counted():
		return t.Active
	}
	return t.Conns
}

func (r Row) history() *ops.Trend {
	if r.Server != nil {
		return r.Server.Trend
	}
	return r.Service.Trend
}

func (r Row) counted() bool {
	now, _ := r.figures()
	return now.Counted
}

// Nothing says why no row is shown, and what to do.
func (l *List) Nothing() []string {
	switch {
	case l.sample == nil:
		return []string{"reading the table"}
	case len(l.sample.Services) == 0:
		return []string{"The table is empty: this director has no virtual services.", "", "S sets one up step by step; A adds one to a director that is ready.", "Those that ipvsadm, keepalived or another tool adds appear by themselves."}
	case !l.filter.Empty():
		return append([]string{"Nothing matches the filter \"" + l.filter.Text + "\".", "", "esc clears it. A filter is made of:"}, filterWords...)
	}
	return []string{"No problems: every server of every service takes connections,", "and no check has found a fault or a warning about one.", "", "esc shows all services again."}
}

package ui

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"lvsdeck/ops"
	"lvsdeck/ops/history"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// metricNames are the figures in the words of their columns, by history.Metric.
var metricNames = [history.Metrics]string{"active", "inactive", "conn/s", "bit/s in", "bit/s out", "pkt/s in", "pkt/s out"}

// Sizes of the graph screen.
const (
	graphScale = 7 // cells of the figures beside a pane
	paneLeast  = 3 // lines of a pane, with its title
	marksLeast = 4 // lines of marks
	marksMost  = 10
)

// Body implements layer.
func (g *graph) Body(m *Model, height int) []string {
	g.place(m)
	lines := []string{g.title(m)}
	listed := min(marksMost, max(marksLeast, height/5))
	keys := g.keys(m)
	room := height - len(lines) - 2 - 1 - listed
	g.panes = max(1, min(len(keys), room/paneLeast))
	g.first = max(0, min(g.first, len(keys)-g.panes))
	shown := keys[g.first : g.first+g.panes]

	all := make([]history.Series, len(shown))
	var most float32
	for i, k := range shown {
		all[i] = m.opts.History.Series(k, g.metric, g.from, g.from.Add(graphSpans[g.span]), g.cells(m)*g.ink.Across())
		most = max(most, slices.Max(all[i].Max))
	}
	for i, k := range shown {
		tall := room / g.panes
		if i < room%g.panes {
			tall++
		}
		top := slices.Max(all[i].Max)
		if g.oneScale {
			top = most
		}
		lines = append(lines, g.paneTitle(m, k, all[i]))
		lines = append(lines, g.pane(m, all[i], g.top(top), tall-1)...)
	}
	marks := g.marks(m)
	lines = append(lines, g.axis(m, marks), g.clock(m))
	return append(lines, g.happened(m, marks, listed)...)
}

// cells is how wide the picture is.
func (g *graph) cells(m *Model) int { return m.width - graphScale - 2 }

// place finds out which time is shown: what is past, moved as little as needed to
// have the cursor in it. It begins at a whole number of cells, so that figures do
// not move between columns while time goes on.
func (g *graph) place(m *Model) {
	g.reach = m.opts.History.Reach()
	if g.now = g.reach.Last; m.sample != nil && m.sample.Time.Before(g.now) {
		g.now = m.sample.Time
	}
	g.now = g.now.In(m.clock().Location())
	span := graphSpans[g.span]
	g.cell = span / time.Duration(g.cells(m))
	if g.at.IsZero() || !g.end.Before(g.now) {
		g.end = time.Time{}
	}
	end := g.right()
	if cut := end.Truncate(g.cell); cut.Before(end) {
		end = cut.Add(g.cell)
	}
	if !g.at.IsZero() {
		switch cell := g.at.Truncate(g.cell); {
		case g.at.Before(end.Add(-span)):
			end = cell.Add(span).Truncate(g.cell)
			g.end = end
		case !g.at.Before(end):
			end = cell.Add(g.cell)
			g.end = end
		}
	}
	g.from = end.Add(-span)
}

// column is the cell of a moment, or false when it is not in the picture.
func (g *graph) column(m *Model, at time.Time) (int, bool) {
	if at.Before(g.from) {
		return 0, false
	}
	c := int(float64(at.Sub(g.from)) / float64(graphSpans[g.span]) * float64(g.cells(m)))
	return c, c < g.cells(m)
}

// cursor is the cell of the cursor, or false while it is on what comes.
func (g *graph) cursor(m *Model) (int, bool) {
	if g.at.IsZero() {
		return 0, false
	}
	return g.column(m, g.at)
}

// title is the figures with their keys, the chosen one in brackets. Where not all
// fit, the first ones are left out as far as it takes to have the chosen one there.
func (g *graph) title(m *Model) string {
	var names []string
	for i, name := range metricNames {
		names = append(names, fmt.Sprintf("%d %s", i+1, name))
	}
	first, chosen := 0, int(g.metric)
	for text.Width(strings.Join(names[first:chosen+1], " "))+2 > m.width {
		first++
	}
	line := m.theme.Line(paint.Ground, m.width)
	for i := first; i < len(names); i++ {
		switch i {
		case chosen:
			line.Put(paint.Accent, "["+names[i]+"]")
			continue
		case chosen + 1: // behind the bracket
		default:
			line.Space(1)
		}
		line.Put(paint.Rest, text.Cut(names[i], line.Room(), m.signs.Cut))
	}
	return line.String()
}

// bits tells that figures are bytes, which are shown as bits.
func (g *graph) bits() bool { return g.metric == history.InBytes || g.metric == history.OutBytes }

// figure writes one of the metric.
func (g *graph) figure(m *Model, v float32) string {
	switch {
	case v < 0:
		return m.signs.Unknown
	case g.bits():
		return figure.Bits(uint64(v))
	case v > 0 && v < 1:
		return "<1"
	}
	return figure.Count(uint64(v))
}

// top is the round figure at the upper end of a pane.
func (g *graph) top(most float32) float32 {
	if g.bits() {
		return float32(figure.Above(uint64(math.Ceil(float64(max(0, most))*8)))) / 8
	}
	return float32(figure.Above(uint64(math.Ceil(float64(max(0, most))))))
}

// paneTitle is whose pane of which figure it is, and what that is under the cursor,
// now, and at least and most of what is shown where there is room.
func (g *graph) paneTitle(m *Model, k history.Key, s history.Series) string {
	line := m.theme.Line(paint.Ground, m.width).Space(1)
	const each = 6
	type part struct {
		label string
		value float32
	}
	var parts []part
	if c, ok := g.cursor(m); ok {
		parts = append(parts, part{"here", valueAt(s, c, g.ink.Across())})
	}
	parts = append(parts, part{"now", g.newest(m, k)})
	room := func(parts ...part) int {
		n := line.Room() - 1
		for _, p := range parts {
			n -= len(p.label) + each + 2
		}
		return n
	}
	name, note := g.name(m, k)
	name = text.Clean(metricNames[g.metric] + "  " + name)
	most, least := part{"most", slices.Max(s.Max)}, part{"least", least(s.Mean)}
	switch {
	case room(append(parts, least, most)...) >= text.Width(name):
		parts = append(parts, least, most)
	case room(append(parts, most)...) >= text.Width(name):
		parts = append(parts, most)
	}
	width := room(parts...)
	name = text.CutMiddle(name, width, m.signs.Cut)
	line.Put(paint.Strong, name).Left(paint.Rest, note, width-text.Width(name), m.signs.Cut)
	for _, p := range parts {
		line.Space(2).Put(paint.Rest, p.label).Right(paint.Strong, g.figure(m, p.value), each, "")
	}
	return line.String()
}

// name is the row's, and what else is to be said of it. Under the pane of their
// service servers have their address alone.
func (g *graph) name(m *Model, k history.Key) (name, note string) {
	if k == (history.Key{}) {
		return k.String(), ""
	}
	row, there := m.rowOf(k)
	if row.Label.Name != "" {
		note = "  " + text.Clean(row.Label.Name)
	}
	if !there {
		note = "  not in the table now"
		for _, r := range m.opts.History.Servers(k) {
			if r.Key == k && !r.Left.IsZero() {
				note = "  last seen " + r.Left.In(g.now.Location()).Format(time.TimeOnly)
			}
		}
	}
	if (g.servers || g.bare) && k.Server.IsValid() {
		return k.Server.String(), note
	}
	return k.String(), note
}

// newest is the figure of the last reading on screen.
func (g *graph) newest(m *Model, k history.Key) float32 {
	return m.opts.History.Series(k, g.metric, g.now.Add(-time.Millisecond), g.now, 1).Mean[0]
}

// valueAt is the mean of the values in a cell.
func valueAt(s history.Series, cell, across int) float32 {
	var sum, n float32
	for _, v := range s.Mean[cell*across : (cell+1)*across] {
		if v >= 0 {
			sum, n = sum+v, n+1
		}
	}
	if n == 0 {
		return ops.Unknown
	}
	return sum / n
}

// least is the smallest known value.
func least(values []float32) float32 {
	low := ops.Unknown
	for _, v := range values {
		if v >= 0 && (low < 0 || v < low) {
			low = v
		}
	}
	return low
}

// pane draws one series, with the figures of its scale to the left and the cursor
// through it.
func (g *graph) pane(m *Model, s history.Series, top float32, height int) []string {
	var lines []string
	cursor, shown := g.cursor(m)
	for y, cells := range g.ink.Plot(s.Mean, s.Max, top, g.cells(m), height) {
		line := m.theme.Line(paint.Ground, m.width)
		line.Right(paint.Rest, g.scale(m, top, y, height), graphScale-1, "").Space(1)
		if !shown {
			lines = append(lines, line.Put(paint.Plain, string(cells)).String())
			continue
		}
		if cells[cursor] == ' ' {
			cells[cursor] = []rune(m.signs.Upright)[0]
		}
		line.Put(paint.Plain, string(cells[:cursor])).Put(paint.Accent, string(cells[cursor])).Put(paint.Plain, string(cells[cursor+1:]))
		lines = append(lines, line.String())
	}
	if slices.Max(s.Max) < 0 && len(lines) > 0 {
		says := "nothing is known of this time"
		if g.metric > history.Inactive {
			says += "; servers' rates are read while on screen"
		}
		line := m.theme.Line(paint.Ground, m.width).Space(graphScale)
		lines[len(lines)/2] = line.Put(paint.Rest, text.Cut(says, line.Room()-1, m.signs.Cut)).String()
	}
	return lines
}

// scale is the figure beside a line of a pane: its top, its half and its foot.
func (g *graph) scale(m *Model, top float32, y, height int) string {
	switch {
	case y == 0:
		return g.figure(m, top)
	case y == height-1:
		return "0"
	case height >= 5 && y == height/2:
		return g.figure(m, top/2)
	}
	return ""
}

// where is the time that is shown, for the lower rule.
func (g *graph) where() string {
	if g.now.IsZero() {
		return ""
	}
	since := ""
	if g.from.Before(g.reach.First) {
		since = " known since " + g.reach.First.In(g.now.Location()).Format(time.TimeOnly)
		if g.reach.Short {
			since += ", as far as memory goes"
		}
		since += ","
	}
	return fmt.Sprintf("%s %s to %s ", since, figure.Span(graphSpans[g.span]), g.from.Add(graphSpans[g.span]).Format(time.TimeOnly))
}

// Footer implements layer.
func (g *graph) Footer(m *Model) string {
	servers := "servers"
	if g.servers {
		servers = "rows"
	}
	keys := []string{"1-7", "figure", "Left/Right", "cursor", "+-", "span", "N n", "marks", "s", servers, "esc", "back"}
	if m.width < 80 {
		keys = slices.Delete(keys, 2, 4)
	}
	return m.keysLine(keys...)
}

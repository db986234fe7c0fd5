package ui

import (
	"fmt"
	"strings"
	"time"

	"lvsdeck/ipvs/proc"
	"lvsdeck/ops/conns"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// Widths of the columns of groups. What is left beside the longest name is for
// bars.
const (
	connsNumber = 7
	connsShare  = 7
	connsName   = 15 // at least
	connsBar    = 40 // at most

	connsBarLeast = 5
	connsAbout    = 2 // lines about the group under the cursor
)

// Body implements layer.
func (c *connections) Body(m *Model, height int) []string {
	lines := []string{c.title(m)}
	view := c.view()
	if f := view.filter; !f.Empty() {
		line := m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Rest, "of ")
		lines = append(lines, line.Put(paint.Accent, text.Cut(text.Clean(f.String()), line.Room()-1, m.signs.Cut)).String())
	}
	lines = append(lines, c.lines(m)...)
	if view.result == nil {
		if c.reading == nil {
			lines = append(append(lines, ""), m.connsQuestion()...)
		}
		return lines
	}
	lines = append(lines, view.facts(m, "4 shows them")...)
	about := c.about(m)
	if height < 13 {
		about = nil
	}
	return append(append(lines, c.table(m, height-len(lines)-len(about))...), about...)
}

// title is the groupings with their keys.
func (c *connections) title(m *Model) string {
	line := m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, "Connections by").Space(1)
	for i, by := range conns.AllBy() {
		style := paint.Rest
		if by == c.by {
			style = paint.Accent
		}
		line.Space(1).Put(style, fmt.Sprintf("%d %s", i+1, by))
	}
	return line.String()
}

// connsQuestion says what reading costs.
func (m *Model) connsQuestion() []string {
	n, cost := m.connsKnown(), m.connsCost()
	lines := wrapped(m, paint.Plain, fmt.Sprintf("Reading the kernel's list of about %s connections keeps a processor of this director busy for about %s. It is read only when you ask for it.",
		figure.Count(n), roughly(cost)), 1)
	lines = append(append(lines, ""), wrapped(m, paint.Plain, fmt.Sprintf("The list is in the order of a hash of client and port, so what stands first in it is a fair sample: %s of it shows who has most.", figure.Span(connsSample)), 1)...)
	if cost > 10*time.Minute {
		lines = append(append(lines, ""), wrapped(m, paint.Rest, "Before Linux 6.14 the kernel looks for each page of the list from its beginning, and the cost grows with the square of the connections.", 1)...)
	}
	return lines
}

// roughly is a time as rough as an estimate is.
func roughly(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return fmt.Sprintf("%d s", max(1, int(d.Round(time.Second)/time.Second)))
	case d < 90*time.Minute:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute)/time.Minute))
	}
	return fmt.Sprintf("%d h", int(d.Round(time.Hour)/time.Hour))
}

// line is how far a reading has come.
func (r *reading) line(m *Model) string {
	of := ""
	if n := m.connsKnown(); n > 0 {
		of = " of about " + figure.Count(n)
	}
	return m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Accent, fmt.Sprintf("reading: %s%s, %s", figure.Count(r.progress.Lines()), of, figure.Span(m.now().Sub(r.began)))).
		Put(paint.Rest, "   esc stops and shows what was read").String()
}

// facts are what was read, and what must be known about it; shows is which key
// tells more of servers that are gone.
func (v *connsView) facts(m *Model, shows string) (lines []string) {
	r := v.result
	line := m.theme.Line(paint.Ground, m.width).Space(1)
	put := func(n uint64, what string) {
		line.Put(paint.Strong, figure.Count(n)).Put(paint.Rest, " "+what+"  ")
	}
	put(r.All.Conns, "connections")
	put(r.All.Open, "established")
	put(r.All.HalfOpen, "half open")
	put(r.All.Templates, "templates")
	lines = append(lines, line.String())
	warn := func(format string, args ...any) {
		lines = append(lines, wrapped(m, paint.Warn, m.signs.Problem+" "+fmt.Sprintf(format, args...), 1)...)
	}
	if r.Ended != nil {
		of := ""
		if n := m.connsKnown(); n > 0 {
			of = " of about " + figure.Count(n)
		}
		warn("%v: %s%s were read. Shares hold, counts are of that part.", r.Ended, figure.Count(r.Read.Lines), of)
	}
	if r.Gone.Conns > 0 {
		warn("%s are with servers that the table does not list any more: %s.", figure.Count(r.Gone.Conns), shows)
	}
	if r.Read.Bad > 0 {
		warn("%s of %s lines could not be read: %v", figure.Count(r.Read.Bad), figure.Count(r.Read.Lines), r.Read.FirstBad)
	}
	return lines
}

// connsColumn is one number of a group.
type connsColumn struct {
	title string
	of    func(conns.Counts) uint64
}

// connsColumns stand from left to right. Where names need the room, the last ones
// go first.
var connsColumns = []connsColumn{
	{"ESTAB", func(n conns.Counts) uint64 { return n.Open }},
	{"HALF", func(n conns.Counts) uint64 { return n.HalfOpen }},
	{"TEMPL", func(n conns.Counts) uint64 { return n.Templates }},
	{"IDLE", func(n conns.Counts) uint64 { return n.Idle }},
}

// table is the groups that fit.
func (c *connections) table(m *Model, height int) []string {
	r := c.view().result
	ranking := r.Ranking(c.by)
	from, to := c.window(len(ranking.Groups), height-2)
	widest := connsName
	for _, g := range ranking.Groups[from:to] {
		widest = max(widest, text.Width(c.name(m, g)))
	}
	columns := connsColumns
	room := func() int { return m.width - 3 - connsNumber - connsShare - len(columns)*connsNumber }
	for len(columns) > 2 && room() < widest {
		columns = columns[:len(columns)-1]
	}
	widest = min(widest, room())
	bar := min(connsBar, room()-widest-1)
	if bar < connsBarLeast {
		bar = 0
	}

	head := m.theme.Line(paint.Ground, m.width).Space(1).Left(paint.Rest, strings.ToUpper(c.by.String()), widest, "")
	head.Right(paint.Rest, "CONNS", connsNumber, "").Right(paint.Rest, "SHARE", connsShare, "").Space(max(0, bar) + 1)
	for _, col := range columns {
		head.Right(paint.Rest, col.title, connsNumber, "")
	}
	lines := []string{head.String()}
	rest := r.All
	for i := from; i < to; i++ {
		base := paint.Ground
		if i == c.at {
			base = paint.Cursor
		}
		g := ranking.Groups[i]
		rest = rest.Less(g.Counts)
		style := paint.Plain
		if g.Gone {
			style = paint.Warn
		}
		line := m.theme.Line(base, m.width).Space(1)
		line.Left(style, text.CutMiddle(c.name(m, g), widest, m.signs.Cut), widest, "")
		c.numbers(m, line, g.Counts, bar, columns, false)
		lines = append(lines, line.String())
	}
	if len(ranking.Groups) == 0 {
		lines = append(lines, wrapped(m, paint.Rest, "None.", 1)...)
	}
	if rest != (conns.Counts{}) && to > from {
		others := "others" // not told apart
		if n := ranking.Met - (to - from); n > 0 {
			others = figure.Count(uint64(n)) + " others"
		}
		line := m.theme.Line(paint.Ground, m.width).Space(1).Left(paint.Rest, others, widest, "")
		c.numbers(m, line, rest, bar, columns, true)
		lines = append(lines, line.String())
	}
	for len(lines) < height {
		lines = append(lines, "")
	}
	return lines
}

// name is a group's name, with a sign before what is gone. A server's service is
// left out where all are of one.
func (c *connections) name(m *Model, g conns.Group) string {
	name := g.Name(c.by)
	if g.Gone {
		name = m.signs.Problem + " " + name
	}
	if c.by == conns.ByServer && c.view().filter.Service != g.Service {
		name += " of " + g.Service.String()
	}
	return text.Clean(name)
}

func (c *connections) numbers(m *Model, line *paint.Line, n conns.Counts, bar int, columns []connsColumn, others bool) {
	r := c.view().result
	share, style := r.Share(n), paint.Plain
	if !others && r.TooMuch(c.by, n) {
		style = paint.Warn
	}
	line.Right(paint.Strong, figure.Count(n.Conns), connsNumber, "").Right(style, fmt.Sprintf("%.1f%%", 100*share), connsShare, "").Space(1)
	full := 0
	if first := r.Share(r.Ranking(c.by).Groups[0].Counts); first > 0 && !others && bar > 0 {
		full = int(share/first*float64(bar-1) + .5)
	}
	line.Fill(paint.Accent, m.signs.Bars[len(m.signs.Bars)-1], full).Space(bar - full)
	for _, col := range columns {
		v, style := col.of(n), paint.Plain
		switch {
		case v == 0:
			style = paint.Rest
		case col.title == "HALF" && n.ManyHalfOpen():
			style = paint.Warn
		}
		line.Right(style, figure.Count(v), connsNumber, "")
	}
}

// about is a rule and what there is to know of the group under the cursor.
func (c *connections) about(m *Model) []string {
	lines := []string{m.theme.Line(paint.Ground, m.width).Space(1).Fill(paint.Rest, m.signs.Rule, m.width-2).String()}
	g, ok := c.group()
	if !ok {
		g = conns.Group{}
	}
	lines = append(lines, wrapped(m, paint.Rest, c.meaning(g), 1)...)
	for len(lines) < 1+connsAbout {
		lines = append(lines, "")
	}
	return lines[:1+connsAbout]
}

// meaning is one thing worth knowing of a group.
func (c *connections) meaning(g conns.Group) string {
	r := c.view().result
	switch {
	case c.by == conns.ByState && g.State.About() != "":
		about := g.State.Name + ": " + g.State.About() + "."
		if t := g.State.Timeout(r.Timeouts); t > 0 {
			about += " It lasts " + figure.Span(time.Duration(t)*time.Second) + " without packets."
		}
		return about
	case c.by == conns.ByOrigin && g.Origin == proc.OriginSync:
		return "sync: another director's sync daemon told of these; packets of theirs need not have passed here."
	case c.by == conns.ByOrigin:
		return "local: these began on this director."
	case g.Gone && c.by == conns.ByService:
		return "The table does not list this service any more. Its connections stay until they time out."
	case g.Gone:
		return "The table does not list this server any more: packets are dropped until its connections time out, unless expire_nodest_conn is 1, which ends them at their next packet."
	case g.ManyHalfOpen():
		return fmt.Sprintf("%.0f%% of these have not finished their handshake: a flood of SYNs, or answers that find no way back.", 100*float64(g.HalfOpen)/float64(g.Conns))
	case r.TooMuch(c.by, g.Counts):
		return fmt.Sprintf("%s has %.0f%% of these connections, more than is usual of one %s. x keeps it out.", g.Name(c.by), 100*r.Share(g.Counts), map[conns.By]string{conns.ByClient: "client", conns.ByNet: "network"}[c.by])
	case c.by == conns.ByServer && g.Templates > 0:
		return fmt.Sprintf("Clients held here by templates: %s. They come back to this server, whatever its weight, until those end.", figure.Count(g.Templates))
	}
	return "HALF: handshakes not finished. TEMPL: templates, which hold clients to servers and are no connections. IDLE: silent for half of what the state allows."
}

// where is when it was read, and the place of the cursor, for the lower rule.
func (c *connections) where() string {
	v := c.view()
	if v.result == nil {
		return ""
	}
	read := fmt.Sprintf(" read %s in %.1f s", v.at.Format(time.TimeOnly), v.took.Seconds())
	if len(c.groups()) == 0 {
		return read + " "
	}
	return read + "," + c.pick.where()
}

// Footer implements layer.
func (c *connections) Footer(m *Model) string {
	switch {
	case c.reading != nil:
		return m.keysLine("esc", "stop", "q", "leave")
	case c.view().result == nil:
		return m.keysLine(m.signs.Enter, "read all", "s", "read a sample", "esc", "back")
	}
	back, narrowed := "back", !c.view().filter.Empty()
	if len(c.views) > 1 && narrowed {
		back = "widen"
	}
	keys := []string{m.signs.Enter, "narrow", "/", "filter", "l", "list", "x", "end", "r", "again", "esc", back}
	if narrowed {
		keys = append(keys, "a", "all")
	}
	keys = append(keys, "P", "pulse")
	return m.keysLine(keys...)
}

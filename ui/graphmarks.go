package ui

import (
	"fmt"
	"strings"
	"time"

	"lvsdeck/ops/history"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/services"
	"lvsdeck/ui/text"
)

// markSigns stand on the axis, by history.Kind.
var markSigns = [...]string{history.Seen: "t", history.Changed: "J", history.Found: "!", history.Cleared: "=", history.Crossed: services.CrossedSign, history.Ended: "="}

// axis is the line of time, with the signs of what happened on it. Where several
// things happened in a cell, the weightiest stands.
func (g *graph) axis(m *Model, marks []history.Mark) string {
	cells := make([]string, g.cells(m))
	weights := make([]int, len(cells))
	for i := range cells {
		cells[i] = m.signs.Rule
	}
	for _, t := range g.ticks(m) {
		cells[t.Column] = m.signs.Tick
	}
	for _, o := range marks {
		weight := [...]int{history.Seen: 2, history.Changed: 4, history.Found: 3, history.Cleared: 1, history.Crossed: 5, history.Ended: 1}[o.Kind]
		if c, ok := g.column(m, o.Time); ok && weight > weights[c] {
			cells[c], weights[c] = markSigns[o.Kind], weight
		}
	}
	cursor, shown := g.cursor(m)
	line := m.theme.Line(paint.Ground, m.width).Space(graphScale)
	for i, c := range cells {
		switch {
		case shown && i == cursor && weights[i] == 0:
			line.Put(paint.Accent, m.signs.Up)
		case weights[i] > 0:
			line.Put(paint.Accent, c)
		default:
			line.Put(paint.Rest, c)
		}
	}
	return line.String()
}

// clock is the times under the axis; under the cursor its own.
func (g *graph) clock(m *Model) string {
	cells := []rune(fmt.Sprintf("%*s", g.cells(m), ""))
	for _, t := range g.ticks(m) {
		copy(cells[t.Column:], []rune(t.Text))
	}
	line := m.theme.Line(paint.Ground, m.width).Space(graphScale)
	c, ok := g.cursor(m)
	if !ok {
		return line.Put(paint.Rest, string(cells)).String()
	}
	at := g.at.In(g.now.Location()).Format(time.TimeOnly)
	c = min(max(0, c-len(at)/2), len(cells)-len(at))
	before, after := cells[:c], cells[c+len(at):]
	blankWord(before, len(before)-1, -1)
	blankWord(after, 0, 1)
	return line.Put(paint.Rest, string(before)).Put(paint.Accent, at).Put(paint.Rest, string(after)).String()
}

// blankWord takes away the rest of a time that another was written over.
func blankWord(cells []rune, at, step int) {
	for ; at >= 0 && at < len(cells) && cells[at] != ' '; at += step {
		cells[at] = ' '
	}
}

func (g *graph) ticks(m *Model) []figure.Tick {
	return figure.Ticks(g.from, g.from.Add(graphSpans[g.span]), g.cells(m))
}

// happened lists what happened last until the cursor, and what came next, more of
// that where there is room.
func (g *graph) happened(m *Model, marks []history.Mark, height int) []string {
	at := g.at
	if at.IsZero() {
		at = g.now
	}
	until := at.Add(g.cell) // what is in the cursor's cell is there
	n := 0
	for n < len(marks) && marks[n].Time.Before(until) {
		n++
	}
	line := m.theme.Line(paint.Ground, m.width).Space(1).Fill(paint.Rest, m.signs.Rule, 1)
	what := "what happened to these, until " + at.In(g.now.Location()).Format(time.TimeOnly)
	if g.everyMark {
		what = "what happened on the director, until " + at.In(g.now.Location()).Format(time.TimeOnly)
	}
	line.Space(1).Put(paint.Rest, what).Space(1)
	lines := []string{line.Fill(paint.Rest, m.signs.Rule, line.Room()-1).String()}
	to := min(len(marks), max(n+1, height))
	from := max(0, to-height)
	for _, o := range marks[from:to] {
		lines = append(lines, g.mark(m, o, at))
	}
	if len(marks) == 0 {
		lines = append(lines, wrapped(m, paint.Rest, "Nothing that is known.", 1)...)
	}
	return lines
}

// mark is a line of something that happened.
func (g *graph) mark(m *Model, o history.Mark, at time.Time) string {
	base, style := paint.Ground, paint.Plain
	if c, ok := g.cursor(m); ok {
		if own, in := g.column(m, o.Time); in && own == c {
			base = paint.Cursor
		}
	}
	switch o.Kind {
	case history.Crossed:
		style = paint.Bad
	case history.Found:
		style = paint.Warn
	case history.Cleared, history.Ended:
		style = paint.Rest
	}
	ago := figure.Span(at.Sub(o.Time)) + " before"
	if d := o.Time.Sub(at); d > 0 {
		ago = figure.Span(d) + " after"
	}
	line := m.theme.Line(base, m.width).Space(1)
	line.Put(paint.Rest, o.Time.In(g.now.Location()).Format(time.TimeOnly)).Space(1)
	line.Put(paint.Accent, markSigns[o.Kind]).Space(1).Left(paint.Rest, o.Kind.String(), 8, "")
	if m.width < 80 { // what happened is worth more than the sum
		ago = ""
	}
	said, what := line.Room()-2-text.Width(ago), text.Clean(o.Text)
	if g.servers || len(g.rows) == 1 { // then it goes without saying
		service := g.rows[0].Service.String()
		what = strings.TrimPrefix(strings.ReplaceAll(what, " of "+service, ""), service+": ")
	}
	if by := "  by " + text.Clean(o.By); o.By != "" && text.Width(what+by) <= said {
		what += by
	}
	return line.Left(style, text.CutMiddle(what, said, m.signs.Cut), said, "").Space(1).Put(paint.Rest, ago).String()
}

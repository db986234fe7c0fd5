package ui

import (
	"fmt"
	"strings"
	"time"

	"lvsdeck/ops/check"
	"lvsdeck/ops/pulse"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/services"
	"lvsdeck/ui/text"
)

// Widths of the pulse's columns.
const (
	pulseSince  = 6
	pulseWhere  = 18 // at least
	pulseWide   = 46 // at most
	pulseWhat   = 24
	pulseNumber = 7
	pulseTrend  = 60 // at most
	pulseBars   = 9  // at least, where there is room
	pulseNarrow = 78 // narrower screens leave out what is usual
	pulseAbout  = 4  // lines about the row under the cursor, with their rule
)

// Body implements layer.
func (p *pulseScreen) Body(m *Model, height int) []string {
	lines := append([]string{p.title(m)}, p.lines(m)...)
	if len(p.rows) == 0 {
		return append(append(lines, ""), asUsual(m)...)
	}
	room := m.width - 2 - pulseSince - 1 - 1 - pulseWhat - pulseNumber - pulseUsual(m) - 1
	where := max(pulseWhere, min(pulseWide, room-pulseBars))
	trend := min(pulseTrend, room-where)
	head := m.theme.Line(paint.Ground, m.width).Space(2).Left(paint.Rest, "SINCE", pulseSince, "").Space(1)
	head.Left(paint.Rest, "WHERE", where, "").Space(1).Left(paint.Rest, "WHAT", pulseWhat, "")
	head.Right(paint.Rest, "NOW", pulseNumber, "").Right(paint.Rest, "USUAL", pulseUsual(m), "").Space(1)
	if trend > len("TREND") {
		head.Put(paint.Rest, "TREND")
	}
	lines = append(lines, head.String())
	from, to := p.window(len(p.rows), height-len(lines)-pulseAbout)
	for i := from; i < to; i++ {
		lines = append(lines, pulseLine(m, p.rows[i], i == p.at, where, trend))
	}
	for len(lines) < height-pulseAbout {
		lines = append(lines, "")
	}
	return append(lines, p.about(m)...)
}

func pulseUsual(m *Model) int {
	if m.width < pulseNarrow {
		return 0
	}
	return pulseNumber
}

func pulseLine(m *Model, r pulse.Row, current bool, where, trend int) string {
	base := paint.Ground
	if current {
		base = paint.Cursor
	}
	style := paint.Warn
	if r.Severity == check.Fault {
		style = paint.Bad
	}
	line := m.theme.Line(base, m.width).Put(style, m.signs.Problem).Space(1)
	line.Left(paint.Rest, pulseAge(m, r), pulseSince, "").Space(1)
	line.Left(paint.Strong, text.CutMiddle(pulsePlace(r, where), where, m.signs.Cut), where, "").Space(1)
	if r.Kind == pulse.Found {
		return line.Put(paint.Plain, text.Cut(text.Clean(r.Short+": "+r.Evidence), line.Room()-1, m.signs.Cut)).String()
	}
	now, usual := pulseFigures(r)
	line.Left(paint.Plain, r.What(), pulseWhat, m.signs.Cut)
	line.Right(paint.Strong, now, pulseNumber, "").Right(paint.Rest, usual, pulseUsual(m), "").Space(1)
	return line.Put(paint.Rest, m.signs.Spark(r.Trend, trend)).String()
}

// pulseAge is since when a row is unusual.
func pulseAge(m *Model, r pulse.Row) string {
	if r.Since.IsZero() {
		return m.signs.Unknown
	}
	return figure.Span(m.clock().Sub(r.Since))
}

// pulsePlace is where it is: of a server its service, too, where there is room.
func pulsePlace(r pulse.Row, room int) string {
	switch {
	case r.Client.IsValid() && r.Client.IsSingleIP():
		return r.Client.Addr().String()
	case r.Client.IsValid():
		return r.Client.String()
	case r.OfDirector():
		return "the whole director"
	case !r.Server.IsValid():
		return r.Service.String()
	}
	if both := r.Server.String() + " of " + r.Service.String(); len(both) <= room {
		return both
	}
	return r.Server.String()
}

// pulseFigures are the figure now and its usual.
func pulseFigures(r pulse.Row) (now, usual string) {
	if r.Kind == pulse.Conns || r.Kind == pulse.Active {
		return figure.Count(uint64(r.Now)), figure.Count(uint64(r.Usual))
	}
	return percent(r.Now), ""
}

// title is how much is unusual, and against what.
func (p *pulseScreen) title(m *Model) string {
	line := m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, "Pulse").Space(2)
	if n := len(p.rows); n > 0 {
		line.Put(paint.Warn, fmt.Sprintf("%d unusual", n)).Space(2)
	}
	says := "what is usual is not known yet"
	if past := m.pulse.Past(); past > 0 {
		says = "against the last " + figure.Span(past) + ", worst first"
	}
	return line.Put(paint.Rest, says).String()
}

// where is when connections were read, and the place of the cursor, for the lower
// rule.
func (p *pulseScreen) where() string {
	read := ""
	if p.shares != nil {
		read = fmt.Sprintf(" connections read %s in %.1f s", p.shares.at.Format(time.TimeOnly), p.shares.took.Seconds())
		if p.shares.result.Ended != nil {
			read += ", in part"
		}
		if p.n == 0 {
			return read + " "
		}
		read += ","
	}
	return read + p.pick.where()
}

// asUsual says what was looked at and found to be as usual.
func asUsual(m *Model) []string {
	if m.sample == nil {
		return wrapped(m, paint.Rest, "Nothing was read yet.", 1)
	}
	says := fmt.Sprintf("Nothing is unusual: %d services and %d servers are as in the last minutes.", len(m.sample.Services), m.sample.Servers)
	if m.pulse.Past() == 0 {
		says = fmt.Sprintf("Nothing unusual was found, but %d services and %d servers have not been watched for long enough to know what is usual.", len(m.sample.Services), m.sample.Servers)
	}
	lines := wrapped(m, paint.Plain, says, 1)
	lines = append(append(lines, ""), wrapped(m, paint.Rest, "Told are new connections per second, and active connections, that are 3 times what is usual or a third of it, once 200 connections more or fewer have come, or 100 more are active; faults that checks have found, and what they found in the traffic.", 1)...)
	if m.opts.Conns == nil {
		return lines
	}
	return append(append(lines, ""), wrapped(m, paint.Rest, fmt.Sprintf("A client with more than its part, and handshakes that are not finished, show in the connections: c reads them, which keeps a processor of this director busy for about %s.", roughly(m.connsCost())), 1)...)
}

// about is a rule and the row under the cursor in a sentence.
func (p *pulseScreen) about(m *Model) []string {
	lines := []string{m.theme.Line(paint.Ground, m.width).Space(1).Fill(paint.Rest, m.signs.Rule, m.width-2).String()}
	lines = append(lines, wrapped(m, paint.Plain, p.sentence(m), 1)...)
	for len(lines) < pulseAbout {
		lines = append(lines, "")
	}
	return lines[:pulseAbout]
}

func (p *pulseScreen) sentence(m *Model) string {
	r := p.on
	where := pulsePlace(r, 1<<10)
	if row, ok := m.list.Find(services.Key{Service: r.Service, Server: r.Server}); ok && row.Label.Name != "" {
		where += " (" + row.Label.Name + ")"
	}
	says := []string{where + ":"}
	switch r.Kind {
	case pulse.Conns, pulse.Active:
		what := "new connections per second"
		if r.Kind == pulse.Active {
			what = "active connections"
		}
		says = append(says, fmt.Sprintf("%s %s; before %s it was %s, the median of some minutes.",
			figure.Exact(uint64(r.Now)), what, r.Since.Format(time.TimeOnly), figure.Exact(uint64(r.Usual))))
	case pulse.Found:
		says = append(says, r.Short+".", r.Evidence+". F tells more.")
	case pulse.HalfOpen:
		says = append(says, fmt.Sprintf("%.0f%% of %s connections have not finished their handshake: one server is broken, all are flooded or answers find no way back.", 100*r.Now, figure.Count(r.Of)))
	default:
		says = append(says, fmt.Sprintf("%.1f%% of all %s connections, more than is usual. C shows where they go.", 100*r.Now, figure.Count(r.Of)))
	}
	return strings.Join(says, " ")
}

// Footer implements layer.
func (p *pulseScreen) Footer(m *Model) string {
	switch {
	case p.reading != nil:
		return m.keysLine("esc", "stop reading", "q", "leave")
	case len(p.rows) == 0:
		return m.keysLine("c", "read connections", "esc", "back")
	}
	return m.keysLine(m.signs.Enter, "the service", "C", "its connections", "c", "read for shares", "esc", "back")
}

package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"lvsdeck/ops/check"
	"lvsdeck/ops/conns"
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
	pulseNarrow = 78 // narrower screens leave out what is usual, since when and the trend
	pulseAbout  = 4  // lines about the row under the cursor, with their rule: at least
)

// Body implements layer.
func (p *pulseScreen) Body(m *Model, height int) []string {
	lines := append([]string{p.title(m)}, p.lines(m)...)
	if len(p.rows) == 0 {
		return append(append(lines, ""), asUsual(m)...)
	}
	since, bars := pulseSince+1, pulseBars
	if m.width < pulseNarrow {
		since, bars = 0, 0
	}
	room := m.width - 2 - since - 1 - pulseWhat - pulseNumber - pulseUsual(m) - 1
	where := max(pulseWhere, min(pulseWide, room-bars))
	trend := min(pulseTrend, room-where)
	head := m.theme.Line(paint.Ground, m.width).Space(2).Left(paint.Rest, "SINCE", since, "")
	head.Left(paint.Rest, "WHERE", where, "").Space(1).Left(paint.Rest, "WHAT", pulseWhat, "")
	head.Right(paint.Rest, "NOW", pulseNumber, "").Right(paint.Rest, "USUAL", pulseUsual(m), "").Space(1)
	if trend > len("TREND") {
		head.Put(paint.Rest, "TREND")
	}
	lines = append(lines, head.String())
	about := max(pulseAbout, height/6)
	from, to := p.window(len(p.rows), height-len(lines)-about)
	for i := from; i < to; i++ {
		lines = append(lines, p.line(m, p.rows[i], i == p.at, since, where, trend))
	}
	for len(lines) < height-about {
		lines = append(lines, "")
	}
	return append(lines, p.about(m, about)...)
}

func pulseUsual(m *Model) int {
	if m.width < pulseNarrow {
		return 0
	}
	return pulseNumber
}

func (p *pulseScreen) line(m *Model, r pulse.Row, current bool, since, where, trend int) string {
	base := paint.Ground
	if current {
		base = paint.Cursor
	}
	style := paint.Warn
	if r.Severity == check.Fault {
		style = paint.Bad
	}
	line := m.theme.Line(base, m.width).Put(style, m.signs.Problem).Space(1)
	if since > 0 {
		line.Left(paint.Rest, pulseAge(m, r), since, "")
	}
	line.Left(paint.Strong, text.CutMiddle(p.place(r, where), where, m.signs.Cut), where, "").Space(1)
	if r.Kind == pulse.Found {
		return line.Put(paint.Plain, text.Cut(text.Clean(r.What()), line.Room()-1, m.signs.Cut)).String()
	}
	if r.Client.IsValid() {
		return line.Put(paint.Plain, text.Cut(pulseShare(r), line.Room()-1, m.signs.Cut)).String()
	}
	now, usual := pulseFigures(r)
	line.Left(paint.Plain, r.What(), pulseWhat, m.signs.Cut)
	line.Right(paint.Strong, now, pulseNumber, "").Right(paint.Rest, usual, pulseUsual(m), "").Space(1)
	return line.Put(paint.Rest, m.signs.Spark(r.Trend, trend)).String()
}

// pulseAge is since when a row is unusual; of a share it is when connections were
// read.
func pulseAge(m *Model, r pulse.Row) string {
	switch {
	case r.Since.IsZero():
		return m.signs.Unknown
	case r.OfReading():
		return r.Since.Format("15:04")
	}
	return figure.Span(m.clock().Sub(r.Since))
}

// place is where it is; with the protocol where another row says the same of one of
// another.
func (p *pulseScreen) place(r pulse.Row, room int) string {
	where := pulsePlace(r, room)
	twin := func(o pulse.Row) bool { return o.Service != r.Service && pulsePlace(o, room) == where }
	i := slices.IndexFunc(p.rows, twin)
	switch {
	case i < 0 || r.OfDirector() || r.Client.IsValid():
		return where
	case p.rows[i].Service.Protocol != r.Service.Protocol:
		return r.Service.Protocol.String() + " " + where
	}
	return pulsePlace(r, 1<<10)
}

// pulsePlace is where it is: of a server its service, too, where there is room.
func pulsePlace(r pulse.Row, room int) string {
	host, several := r.Host()
	switch {
	case r.Client.IsValid():
		return conns.ClientText(r.Client)
	case r.OfDirector():
		return "the whole director"
	case several:
		return host.String()
	case !r.Server.IsValid():
		return r.Service.String()
	}
	if both := r.Server.String() + " of " + r.Service.String(); len(both) <= room {
		return both
	}
	return r.Server.String()
}

// pulseShare is a client's or a network's part, and of what.
func pulseShare(r pulse.Row) string {
	of, from := "all connections", "client"
	if !r.OfDirector() {
		of = r.Service.String()
	}
	if r.Kind == pulse.Net {
		from = "network"
	}
	return fmt.Sprintf("%s of %s: one %s", percent(r.Now), of, from)
}

// pulseFigures are the figure now and its usual.
func pulseFigures(r pulse.Row) (now, usual string) {
	if r.Kind == pulse.Conns || r.Kind == pulse.Active {
		return figure.Count(uint64(r.Now)), figure.Count(uint64(r.Usual))
	}
	return percent(r.Now), ""
}

// pulseUsualOf is of what time the usual is. Little known by then, it has a part of
// what is unusual in it.
func pulseUsualOf(r pulse.Row) string {
	of := "the median of "
	if own := r.Until.Sub(r.Since); own > 0 {
		return of + figure.Span(r.Past) + ", " + figure.Span(own) + " of that since then"
	}
	return of + "the " + figure.Span(r.Past) + " before " + r.Until.Format(time.TimeOnly)
}

// title is how much is unusual, and against what.
func (p *pulseScreen) title(m *Model) string {
	line := m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, "Pulse").Space(2)
	for i, what := range []string{"figure", "finding", "share"} {
		if n := p.counts[i]; n == 1 {
			line.Put(paint.Warn, "1 "+what).Space(2)
		} else if n > 1 {
			line.Put(paint.Warn, fmt.Sprintf("%d %ss", n, what)).Space(2)
		}
	}
	says := "what is usual is not known yet"
	if past := m.pulse.Past(); past > 0 {
		says = "against the last " + figure.Span(past)
		if m.width >= pulseNarrow {
			says += ", worst first"
		}
	}
	return line.Put(paint.Rest, text.Cut(says, line.Room()-1, m.signs.Cut)).String()
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
	past, more := m.pulse.Past(), ""
	if noChecks(m) == "" {
		more += " F: what is wrong."
	}
	if noStore(m) == "" {
		more += " J: what was changed."
	}
	says := fmt.Sprintf("Nothing is unusual: %d services and %d servers are as in the last %s. What began before %s and still goes on may not show here.%s",
		len(m.sample.Services), m.sample.Servers, figure.Span(past), m.sample.Time.Add(-past).Format(time.TimeOnly), more)
	if past == 0 {
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
func (p *pulseScreen) about(m *Model, height int) []string {
	lines := []string{m.theme.Line(paint.Ground, m.width).Space(1).Fill(paint.Rest, m.signs.Rule, m.width-2).String()}
	says := p.sentence(m)
	all := wrapped(m, paint.Plain, says, 1)
	for len(all) >= height && says != "" {
		says = text.Cut(says, text.Width(says)-8, m.signs.Cut)
		all = wrapped(m, paint.Plain, says, 1)
	}
	lines = append(lines, all...)
	for len(lines) < height {
		lines = append(lines, "")
	}
	return lines
}

func (p *pulseScreen) sentence(m *Model) string {
	r := p.on
	where := pulsePlace(r, 1<<10)
	if row, ok := m.list.Find(services.Key{Service: r.Service, Server: r.Server}); ok && row.Label.Name != "" {
		where += " (" + row.Label.Name + ")"
	}
	says := []string{where + ":"}
	at := r.Since.Format(time.TimeOnly)
	switch r.Kind {
	case pulse.Conns, pulse.Active:
		what := "new connections per second"
		if r.Kind == pulse.Active {
			what = "active connections"
		}
		says = append(says, fmt.Sprintf("%s %s, unusual since %s; usual is %s, %s.",
			figure.Exact(uint64(r.Now)), what, at, figure.Exact(uint64(r.Usual)), pulseUsualOf(r)))
	case pulse.Found:
		says = append(says, r.What()+".", r.Evidence+". F tells more.")
	case pulse.HalfOpen:
		says = append(says, fmt.Sprintf("%.0f%% of %s connections, read at %s, have not finished their handshake: one server is broken, all are flooded or answers find no way back.", 100*r.Now, figure.Count(r.Of), at))
	default:
		of := "all " + figure.Count(r.Of) + " connections"
		if !r.OfDirector() {
			of = "the " + figure.Count(r.Of) + " connections of " + r.Service.String()
		}
		says = append(says, fmt.Sprintf("%.1f%% of %s, read at %s. C shows where they go.", 100*r.Now, of, at))
	}
	if others := r.Others(); len(others) > 0 {
		says = append(says, "Also: "+strings.Join(others, "; ")+".")
	}
	if _, several := r.Host(); several {
		var of []string
		for _, id := range r.Services() {
			of = append(of, id.String())
		}
		says = append(says, "It serves "+strings.Join(of, ", ")+".")
	}
	return strings.Join(says, " ")
}

// Footer implements layer.
func (p *pulseScreen) Footer(m *Model) string {
	read := noConns(m) == ""
	var keys []string
	switch {
	case p.reading != nil:
		return m.keysLine("esc", "stop reading", "q", "leave")
	case len(p.rows) > 0 && p.on.Client.IsValid():
		keys = []string{m.signs.Enter, "its connections"}
	case len(p.rows) > 0:
		if keys = []string{m.signs.Enter, "the service"}; read {
			keys = append(keys, "C", "its connections")
		}
	}
	if read {
		keys = append(keys, "c", "read for shares")
	}
	keys = append(keys, "esc", "back")
	for _, k := range []struct {
		key, does string
		why       func(*Model) string
	}{{"F", "checks", noChecks}, {"y", "why", noWhy}, {"s", "large", nil}, {"H", "graph", noHistory}, {"T", "thresholds", noThresholds}} {
		if (k.why == nil || k.why(m) == "") && (len(p.rows) > 0 || k.key == "F" || k.key == "T") {
			keys = append(keys, k.key, k.does)
		}
	}
	return m.keysLine(keys...)
}

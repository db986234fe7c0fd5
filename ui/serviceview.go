package ui

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/services"
	"lvsdeck/ui/text"
)

// Widths of the service screen.
const (
	largeName  = 22 // any server by IPv4
	largeName6 = 44
	largeBar   = 24 // at most
	barLeast   = 8
	largeTrend = 40 // at most
	trendLeast = 6
	largeFew   = 2 // findings and lines of a note, where there is little room
	largeRoomy = 30
	largeShows = 5 // rows at least
)

// Body implements layer.
func (s *serviceScreen) Body(m *Model, height int) []string {
	v := s.service(m)
	lines := s.head(m, v)
	if v == nil {
		lines = append(append(lines, ""), wrapped(m, paint.Warn, m.signs.Problem+" The table does not have this service any more.", 1)...)
		return append(append(lines, ""), s.graph(m, s.graphHeight(m, 0, height-len(lines)-1))...)
	}
	lines = append(lines, s.found(m, height)...)
	lines = append(lines, s.readings(m, height)...)
	about := services.View{Theme: m.theme, Signs: m.signs, About: slices.Concat(m.aboutCrossed(), m.aboutDrain())}.Abouts(m.width)
	graph := s.graphHeight(m, 1+len(v.Servers), height-len(lines)-len(about))
	lines = append(append(lines, s.table(m, v, height-len(lines)-len(about)-graph)...), about...)
	for len(lines) < height-graph {
		lines = append(lines, "")
	}
	return append(lines, s.graph(m, graph)...)
}

// head is the service, its settings and its note.
func (s *serviceScreen) head(m *Model, v *ops.Service) []string {
	row, _ := m.list.Find(services.Key{Service: s.id})
	line := m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, s.id.String())
	if row.Label.Name != "" {
		line.Space(2).Put(paint.Strong, row.Label.Name)
	}
	if v == nil {
		return []string{line.String()}
	}
	up, style := fmt.Sprintf("%d of %d up", v.Up, len(v.Servers)), paint.Plain
	switch {
	case v.Up == 0:
		style = paint.Bad
	case v.Up < len(v.Servers):
		style = paint.Warn
	}
	line.Space(2).Put(style, up)
	if watched := m.sample.Time.Sub(v.Since); watched > 0 {
		line.Put(paint.Rest, "  watched "+figure.Span(watched))
	}
	settings := m.theme.Line(paint.Ground, m.width).Space(1)
	settings.Put(paint.Plain, text.Cut(settingsText(v), m.width-2, m.signs.Cut))
	lines := []string{line.String(), settings.String()}
	if row.Label.Note != "" {
		note := m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Rest, "note ")
		lines = append(lines, note.Put(paint.Plain, text.Cut(row.Label.Note, note.Room()-1, m.signs.Cut)).String())
	}
	return lines
}

// settingsText is what makes the service what it is, in a line.
func settingsText(v *ops.Service) string {
	parts := []string{"scheduler " + v.Scheduler}
	if flags := v.SchedFlags.Names(v.Scheduler); len(flags) > 0 {
		parts[0] += " (" + strings.Join(flags, ", ") + ")"
	}
	if f := v.Forwards.String(); f != "" {
		parts = append(parts, "forwarding "+f)
	}
	if p := v.Persistence; p.On {
		held := fmt.Sprintf("persistent %d s", p.Timeout)
		if mask := services.MaskText(v); mask != "/32" && mask != "/128" {
			held += " per " + mask
		}
		if p.Engine != "" {
			held += ", engine " + p.Engine
		}
		parts = append(parts, held)
	} else {
		parts = append(parts, "not persistent")
	}
	if v.OnePacket {
		parts = append(parts, "one-packet")
	}
	if v.Overloaded > 0 {
		parts = append(parts, fmt.Sprintf("%d full", v.Overloaded))
	}
	return text.Clean(strings.Join(parts, ", "))
}

// found is the worst of what checks have found about the service.
func (s *serviceScreen) found(m *Model, height int) (lines []string) {
	most, more := largeFew, 0
	if height > largeRoomy {
		most *= 3
	}
	for _, f := range m.findings() {
		switch {
		case !f.About(s.id, netip.AddrPort{}):
			continue
		case len(lines) == most:
			more++
			continue
		}
		line := m.theme.Line(paint.Ground, m.width).Space(1).Put(severityStyle(f.Severity), m.signs.Problem+" "+f.Severity.String()).Space(1)
		if f.Server.IsValid() {
			line.Put(paint.Strong, f.Server.String()).Space(1)
		}
		says := f.Short + ": " + strings.Join(f.Evidence, "; ")
		lines = append(lines, line.Put(paint.Plain, text.Cut(text.Clean(says), line.Room()-1, m.signs.Cut)).String())
	}
	if more > 0 {
		lines = append(lines, m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Accent, fmt.Sprintf("F shows %d more", more)).String())
	}
	return lines
}

// readings is what is known of the connections, where states are shown.
func (s *serviceScreen) readings(m *Model, height int) (lines []string) {
	lines = s.lines(m)
	switch {
	case !s.states && height <= largeRoomy:
	case s.conns.result != nil:
		lines = append(lines, s.conns.facts(m, "C, then 4 shows them")...)
	case s.reading == nil && m.opts.Conns != nil:
		line := m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Accent, "c").Put(paint.Rest, " reads the connections, to tell their states: "+roughly(m.connsCost())+" of a processor")
		lines = append(lines, line.String())
	}
	return lines
}

// columns are those that fit, the ones asked for first, and what is left for bars
// and trends.
func (s *serviceScreen) columns(m *Model, v *ops.Service, over time.Duration) (columns []largeColumn, name, bar, trend int) {
	name = largeName
	if v.Family == ipvs.IPv6 || slices.ContainsFunc(v.Servers, func(r *ops.Server) bool { return r.Addr.Addr().Is6() }) {
		name = min(largeName6, max(largeName, m.width/4))
	}
	room := m.width - 3 - name
	take := func(all ...largeColumn) {
		for _, c := range all {
			if c.width > room {
				room = 0
				return
			}
			columns, room = append(columns, c), room-c.width
		}
	}
	load := []largeColumn{largeWeight, largeShare, largeFresh(over), largeActive, largeInactive}
	if v.Persistence.On {
		load = append(load, largeTempl)
	}
	load = append(load, largeConns)
	if s.states {
		take(largeWeight)
		take(largeStates...)
		load = load[1:]
	}
	take(load...)
	if room >= barLeast+trendLeast+2 {
		bar = min(largeBar, room-trendLeast-2)
		room -= bar + 1
	}
	keep := min(room, trendLeast+1)
	room -= keep
	if !s.states {
		take(largeStates...)
	}
	take(largeTraffic...)
	return columns, name, bar, min(largeTrend, max(0, room+keep-1))
}

// table is the service and its servers, as many as fit.
func (s *serviceScreen) table(m *Model, v *ops.Service, height int) []string {
	rows := s.rows(m, v)
	columns, name, bar, trend := s.columns(m, v, rows[0].all.over)
	head := m.theme.Line(paint.Ground, m.width).Space(3).Left(paint.Rest, "SERVER", name, "")
	for _, c := range columns {
		head.Right(paint.Rest, c.title, c.width, "")
		if bar > 0 && c.title == largeFresh(rows[0].all.over).title {
			head.Space(1).Left(paint.Rest, m.signs.Bars[len(m.signs.Bars)-1]+" new  | weight", bar, "")
		}
	}
	if trend >= trendLeast {
		head.Space(1).Left(paint.Rest, "TREND", trend, "")
	}
	lines := []string{head.String()}
	from, to := s.window(len(rows), max(largeShows, height-1))
	for i := from; i < to; i++ {
		lines = append(lines, s.line(m, &rows[i], i == s.at, columns, name, bar, trend))
	}
	return lines
}

func (s *serviceScreen) line(m *Model, r *largeRow, current bool, columns []largeColumn, name, bar, trend int) string {
	base := paint.Ground
	if current {
		base = paint.Cursor
	}
	line := m.theme.Line(base, m.width).Space(1)
	style, sign := m.services().Sign(r.Row)
	line.Left(style, sign, 1, "").Space(1)
	called := "the service"
	if r.Server != nil {
		called = text.CutMiddle(r.Server.Name, name-1, m.signs.Cut)
	}
	at := line.Room()
	line.Put(paint.Strong, called)
	if room := name - 2 - (at - line.Room()); r.Label.Name != "" && r.Server != nil && room > 3 {
		line.Space(1).Put(paint.Rest, text.Cut(r.Label.Name, room, m.signs.Cut))
	}
	line.Space(name - (at - line.Room()))
	for _, c := range columns {
		style, value := c.of(r)
		if value == figure.Unknown {
			value = m.signs.Unknown
		}
		line.Right(style, value, c.width, "")
		if bar > 0 && strings.HasPrefix(c.title, "NEW ") {
			line.Space(1)
			r.bar(m, line, bar)
		}
	}
	if trend >= trendLeast {
		line.Space(1).Put(paint.Rest, m.signs.Spark(r.trend.Conns, trend))
	}
	return line.String()
}

// bar draws a server's part of the new connections, with a mark where its part of
// the weight ends.
func (r *largeRow) bar(m *Model, line *paint.Line, width int) {
	if r.Server == nil || r.all.most <= 0 {
		line.Space(width)
		return
	}
	place := func(share float64) int { return int(max(0, share)/r.all.most*float64(width-1) + .5) }
	full, mark, sign := place(r.freshShare()), place(r.weightShare()), m.signs.Bars[len(m.signs.Bars)-1]
	line.Fill(paint.Accent, sign, min(full, mark)).Space(mark-min(full, mark)).Put(paint.Strong, "|")
	line.Fill(paint.Accent, sign, max(0, full-mark-1)).Space(width - 1 - mark - max(0, full-mark-1))
}

// where is when connections were read, and the place of the cursor, for the lower
// rule.
func (s *serviceScreen) where() string {
	read := ""
	if s.conns.result != nil {
		read = fmt.Sprintf(" connections read %s in %.1f s,", s.conns.at.Format(time.TimeOnly), s.conns.took.Seconds())
	}
	return read + s.pick.where()
}

// Footer implements layer.
func (s *serviceScreen) Footer(m *Model) string {
	if s.reading != nil {
		return m.keysLine("esc", "stop reading", "q", "leave")
	}
	other := "states"
	if s.states {
		other = "load"
	}
	keys := []string{m.signs.Enter, "connections", "tab", other, "c", "read", "esc", "back"}
	if m.hands.runner != nil {
		keys = append(keys, "w d x", "change")
	}
	if m.opts.History != nil {
		keys = append(keys, "h l", "graph")
	}
	return m.keysLine(keys...)
}

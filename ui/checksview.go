package ui

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops/check"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// Widths of the first columns of findings.
const (
	checksSeverity = len("! warning")
	checksSince    = 6 // how long it has been seen
)

// checksLeast is how many lines findings have at least above the one in full, while
// that has checksFull.
const (
	checksLeast = 5
	checksFull  = 6
)

// Body implements layer. What the cursor is on stands in full below.
func (c *checks) Body(m *Model, height int) []string {
	c.follow(m)
	lines := []string{c.title(m)}
	if c.probing != nil {
		lines = append(lines, c.probing.line(m))
	}
	if len(m.findings()) == 0 {
		return append(append(append(lines, ""), nothingFound(m)...), unread(m)...)
	}
	all := c.shown(m)
	if c.filter != "" {
		lines = append(lines, wrapped(m, paint.Accent, fmt.Sprintf("filter: %s  (%d of %d)   esc clears it", c.filter, len(all), len(m.findings())), 1)...)
	}
	if len(all) == 0 {
		return lines
	}
	room := height - len(lines) - 2
	rows := min(len(all), max(2, min(max(checksLeast, room/3), room-checksFull)))
	columns := c.columns(m, all)
	head := m.theme.Line(paint.Ground, m.width).Space(1)
	columns.put(m, head, paint.Rest, checkCells{"SEVERITY", "SEEN", columns.title, "SERVER", "FINDING"})
	lines = append(lines, head.String())
	from, to := c.window(len(all), rows)
	for i := from; i < to; i++ {
		lines = append(lines, columns.line(m, all[i], i == c.at))
	}
	lines = append(lines, m.theme.Line(paint.Ground, m.width).Space(1).Fill(paint.Rest, m.signs.Rule, m.width-2).String())
	return append(lines, inPart(m, slices.Concat(findingLines(m, c.on), reliefLines(m, c.on), unread(m)), room-rows)...)
}

// inPart is what fits of lines that tab shows whole.
func inPart(m *Model, full []string, room int) []string {
	if len(full) <= room {
		return full
	}
	left := len(full) - room + 1
	return append(full[:room-1], m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Accent, fmt.Sprintf("tab shows %d more lines", left)).String())
}

// line is how far a probe has come.
func (p *probing) line(m *Model) string {
	says := fmt.Sprintf("probing %s: %s", text.Clean(p.of), figure.Span(m.now().Sub(p.began)))
	if of := p.servers.Load(); of > 0 {
		says += fmt.Sprintf(", %d of %d servers asked", p.asked.Load(), of)
	}
	return m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Accent, says).Put(paint.Rest, "   esc stops").String()
}

// title is what the newest round came to, and cost.
func (c *checks) title(m *Model) string {
	line := m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, "Checks").Space(2)
	r := m.report
	if r == nil {
		return line.Put(paint.Rest, "the first round is under way").String()
	}
	n := check.Count(r.Findings)
	for _, s := range []check.Severity{check.Fault, check.Warning, check.Notice} {
		if n[s] > 0 {
			line.Put(severityStyle(s), amount(n[s], s)).Space(2)
		}
	}
	if len(r.Findings) == 0 {
		line.Put(paint.Good, "no finding").Space(2)
	}
	if c.looking {
		return line.Put(paint.Rest, "looking again").String()
	}
	when := fmt.Sprintf("at %s in %s", r.Time.In(m.clock().Location()).Format(time.TimeOnly), tookText(r.Took))
	if m.width >= roomy {
		when += ", of " + lookedAt(r)
	}
	return line.Put(paint.Rest, text.Cut(when, line.Room()-1, m.signs.Cut)).String()
}

// lookedAt is how much was.
func lookedAt(r *check.Report) string {
	return fmt.Sprintf("%s services with %s servers", figure.Count(uint64(r.Services)), figure.Count(uint64(r.Servers)))
}

func tookText(d time.Duration) string {
	if d < time.Millisecond {
		return "less than 1 ms"
	}
	return d.Round(time.Millisecond).String()
}

// nothingFound says that nothing is, and how to look further.
func nothingFound(m *Model) []string {
	if m.report == nil {
		return wrapped(m, paint.Rest, "Looking at the table, the host around it and the traffic's own signature. No packet is sent.", 1)
	}
	lines := append(wrapped(m, paint.Strong, "Nothing wrong is seen from here.", 1), "")
	lines = append(lines, wrapped(m, paint.Plain, fmt.Sprintf("%d checks were made of %s.", len(check.Checks), lookedAt(m.report)), 1)...)
	if m.opts.Replay == nil {
		lines = append(lines, wrapped(m, paint.Plain, "What servers do with clients' packets cannot be seen from the director without asking them: P probes all servers, each with one SYN.", 1)...)
	}
	if at := m.report.Probed; !at.IsZero() {
		lines = append(lines, wrapped(m, paint.Rest, "Servers were probed last at "+clockTime(m, at)+".", 1)...)
	}
	return lines
}

// unread is what the round could not look at.
func unread(m *Model) (lines []string) {
	if m.report == nil || len(m.report.Unread) == 0 {
		return nil
	}
	lines = append(lines, "", heading(m, "Not looked at"))
	for _, u := range m.report.Unread {
		lines = append(lines, wrapped(m, paint.Plain, u, 3)...)
	}
	return lines
}

// checkCells are the cells of a line.
type checkCells [5]string

// checkColumns are the widths of the columns that differ, which what they show
// needs up to a part of the line. A narrow screen has one for the server or, where
// it is about all of them, the service.
type checkColumns struct {
	title           string // of the first
	service, server int
}

func (c *checks) columns(m *Model, all []check.Finding) checkColumns {
	w := checkColumns{title: "SERVICE"}
	if m.width < roomy {
		w.title = "ABOUT"
	}
	most := max(len("255.255.255.255:65535"), m.width/5)
	for _, f := range all {
		cells := foundCells(m, f)
		w.service = min(max(w.service, text.Width(cells[2])), most)
		w.server = min(max(w.server, text.Width(cells[3])), most)
	}
	return w
}

func foundCells(m *Model, f check.Finding) checkCells {
	sign := m.signs.Problem + " "
	if f.Severity == check.Notice {
		sign = "  "
	}
	cells := checkCells{sign + f.Severity.String(), "", "the director", "", text.Clean(f.Short)}
	if !f.Since.IsZero() {
		cells[1] = figure.Span(max(0, m.clock().Sub(f.Since)).Truncate(time.Second))
	}
	if f.Service != (ipvs.ServiceID{}) {
		cells[2] = f.Service.String()
	}
	switch {
	case m.width < roomy && f.Server.IsValid():
		at := f.Service.Protocol.String()
		if f.Service.IsMark() {
			at = f.Service.String()
		}
		cells[2] = withoutTCP(at + " " + serverText(f.Server))
	case m.width < roomy:
		cells[2] = withoutTCP(cells[2])
	case f.Server.IsValid():
		cells[3] = serverText(f.Server)
	}
	return cells
}

// withoutTCP leaves out what goes without saying.
func withoutTCP(s string) string { return strings.TrimPrefix(s, "TCP ") }

// serverText is a server; those of a mark have no port of their own.
func serverText(at netip.AddrPort) string {
	if at.Port() == 0 {
		return at.Addr().String()
	}
	return at.String()
}

func (w checkColumns) line(m *Model, f check.Finding, current bool) string {
	base := paint.Ground
	if current {
		base = paint.Cursor
	}
	line := m.theme.Line(base, m.width).Space(1)
	w.put(m, line, severityStyle(f.Severity), foundCells(m, f))
	return line.String()
}

// put writes a line's cells. What only is good to know rests.
func (w checkColumns) put(m *Model, line *paint.Line, style paint.Style, cells checkCells) {
	rest := paint.Plain
	if style == paint.Rest {
		rest = paint.Rest
	}
	at := func(s string, width int) {
		if width > 0 {
			line.Left(rest, text.CutMiddle(s, width, m.signs.Cut), width, "").Space(1)
		}
	}
	line.Left(style, cells[0], checksSeverity, "").Space(1).Right(paint.Rest, cells[1], checksSince, "").Space(1)
	at(cells[2], w.service)
	at(cells[3], w.server)
	line.Put(rest, text.Cut(cells[4], line.Room()-1, m.signs.Cut))
}

// findingLines is a finding in full.
func findingLines(m *Model, f check.Finding) (lines []string) {
	line := m.theme.Line(paint.Ground, m.width).Space(1).Put(severityStyle(f.Severity), f.Severity.String()).Space(1)
	about := "the whole director"
	if f.Service != (ipvs.ServiceID{}) {
		about = f.Service.String()
	}
	short := f.Short
	if f.Server.IsValid() {
		short = "server " + serverText(f.Server) + ": " + short
	}
	line.Put(paint.Strong, text.Cut(about, line.Room()-1, m.signs.Cut))
	if !f.Since.IsZero() && line.Room() > len("  seen since "+time.DateTime) {
		line.Put(paint.Rest, "  seen since "+clockTime(m, f.Since))
	}
	lines = append(lines, line.String())
	lines = append(lines, wrapped(m, paint.Strong, short, 1)...)
	for _, e := range f.Evidence {
		lines = append(lines, wrapped(m, paint.Rest, e, 3)...)
	}
	lines = append(lines, wrapped(m, paint.Plain, f.Means, 1)...)
	if f.Fix != nil {
		lines = append(append(lines, heading(m, "What ends it:")), drawSteps(m, f.Fix.Items, nil)...)
	}
	if len(f.Lines) > 0 {
		there := "On the other host:"
		if f.Server.IsValid() {
			there = "On " + f.Server.Addr().String() + ":"
		}
		lines = append(lines, heading(m, there))
	}
	for _, l := range f.Lines {
		lines = append(lines, wrapped(m, paint.Plain, l, 3)...)
	}
	return lines
}

// reliefLines say what takes clients from a fault that nothing here ends.
func reliefLines(m *Model, f check.Finding) []string {
	if relief := m.reliefOf(f); relief != nil {
		return wrapped(m, paint.Strong, "Until it is mended: "+relief.Title, 1)
	}
	return nil
}

package services

import (
	"math/bits"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// fact is one thing known about a row.
type fact struct {
	label, value string
	style        paint.Style
}

// Widths of the detail pane's cells: as narrow as three side by side at 80
// columns, and wider where there is room.
const (
	labelWidth = 12
	factLeast  = 26
	factWide   = 31
)

// factCells is how many facts stand on a line of a width, and how wide each is.
func factCells(width int) (perLine, cellWidth int) {
	perLine = max(1, min(3, (width-1)/factLeast), (width-1)/factWide)
	return perLine, (width - 1) / perLine
}

// Detail draws everything known about the row under the cursor in a given number
// of lines: its name, facts in columns, and its history.
func (v View) Detail(l *List, now time.Time, width, height int) []string {
	row, ok := l.Current()
	if !ok || height < 3 {
		return nil
	}
	lines := append([]string{v.detailTitle(row, now, width)}, v.Abouts(width)...)
	lines = lines[:min(len(lines), height)]
	if note, room := v.note(row, width), height-2-len(lines); room > 0 {
		lines = append(lines, note[:min(len(note), room)]...)
	}
	facts := row.facts(v.Signs)
	perLine, cellWidth := factCells(width)
	rows := (len(facts) + perLine - 1) / perLine
	for i := range min(rows, height-1-len(lines)) {
		line := v.Theme.Line(paint.Ground, width).Space(1)
		for j := i; j < len(facts); j += rows {
			f := facts[j]
			line.Left(paint.Rest, f.label, labelWidth, v.Signs.Cut).Space(1)
			line.Left(f.style, text.Clean(f.value), cellWidth-labelWidth-3, v.Signs.Cut).Space(2)
		}
		lines = append(lines, line.String())
	}
	if t := row.history(); t != nil && len(lines) < height {
		lines = append(lines, v.graphs(row, t, width))
	}
	return lines
}

// DetailHeight is how many lines Detail can use at a width.
func (v View) DetailHeight(l *List, width int) int {
	row, ok := l.Current()
	if !ok {
		return 0
	}
	perLine, _ := factCells(width)
	return (len(row.facts(paint.ASCII))+perLine-1)/perLine + 2 + len(v.note(row, width)) + len(v.About)
}

func (v View) detailTitle(r Row, now time.Time, width int) string {
	line := v.Theme.Line(paint.Ground, width).Space(1)
	since, name := r.Service.Since, r.Service.ServiceID.String()
	if r.Server != nil {
		since, name = r.Server.Since, r.Server.Name
	}
	line.Put(paint.Strong, name)
	if r.Label.Name != "" {
		line.Put(paint.Strong, "  "+r.Label.Name)
	}
	if r.Server != nil {
		line.Put(paint.Rest, "  server of ").Put(paint.Strong, r.Service.ServiceID.String())
	}
	if watched := now.Sub(since); watched > 0 {
		line.Put(paint.Rest, "  watched "+figure.Span(watched))
	}
	return line.String()
}

// note is what operators noted about the row, whole.
func (v View) note(r Row, width int) (lines []string) {
	if r.Label.Note == "" {
		return nil
	}
	label := "note"
	for part := range strings.SplitSeq(ansi.Wrap(r.Label.Note, width-labelWidth-3, ""), "\n") {
		line := v.Theme.Line(paint.Ground, width).Space(1).Left(paint.Rest, label, labelWidth, "").Space(1)
		lines = append(lines, line.Put(paint.Plain, part).String())
		label = ""
	}
	return lines
}

// graphs puts both histories on one line, the same time axis under each, with
// the largest value of each.
func (v View) graphs(r Row, t *ops.Trend, width int) string {
	const top = 11
	bars := min(ops.TrendLen, (width-1-labelWidth-1-9)/2-top)
	line := v.Theme.Line(paint.Ground, width).Space(1)
	now, _ := r.figures()
	graph := func(points []float32, now uint64, known bool) {
		line.Put(paint.Plain, v.Signs.Spark(points, bars)).Space(1)
		line.Left(paint.Rest, "top "+peak(points, bars, now, known, v.Signs), top-1, "")
	}
	line.Left(paint.Rest, "conn/s", labelWidth, "").Space(1)
	graph(t.Conns, now.Rate.Conns, now.Counted)
	line.Left(paint.Rest, "active", 8, "").Space(1)
	graph(t.Active, now.Active, true)
	return line.String()
}

// peak is the largest of the last n points and of the figure now.
func peak(points []float32, n int, now uint64, known bool, g *paint.Signs) string {
	most := ops.Unknown
	if known {
		most = float32(now)
	}
	for _, p := range points[max(0, len(points)-n):] {
		most = max(most, p)
	}
	if most < 0 {
		return g.Unknown
	}
	return figure.Count(uint64(most))
}

func (r Row) facts(g *paint.Signs) []fact {
	var out []fact
	if r.Server != nil {
		out = r.serverFacts()
	} else {
		out = r.serviceFacts()
	}
	for i := range out {
		if out[i].value == figure.Unknown {
			out[i].value, out[i].style = g.Unknown, paint.Rest
		}
	}
	return append(out, r.trafficFacts(g)...)
}

func (r Row) serviceFacts() []fact {
	s := r.Service
	flags := strings.Join(s.SchedFlags.Names(s.Scheduler), ",")
	engine := s.Persistence.Engine
	switch {
	case s.Partial:
		flags, engine = figure.Unknown, figure.Unknown
	default:
		flags, engine = text.Or(flags, "none"), text.Or(engine, "none")
	}
	up := upCell(r)
	facts := []fact{
		{"scheduler", s.Scheduler, paint.Plain},
		{"flags", flags, paint.Plain},
		{"servers up", up.text, up.style},
		{"forwarding", text.Or(s.Forwards.String(), "none"), paint.Plain},
		{"persistent", "no", paint.Plain},
		{"client mask", MaskText(s), paint.Plain},
		{"pe", engine, paint.Plain},
		{"one-packet", text.YesNo(s.OnePacket), paint.Plain},
	}
	if s.Partial && s.Family == ipvs.IPv6 { // /proc does not show it there
		facts[7].value = figure.Unknown
	}
	if s.Persistence.On {
		facts[4].value = figure.Exact(uint64(s.Persistence.Timeout)) + " s"
	}
	return facts
}

func (r Row) serverFacts() []fact {
	s := r.Server
	upper, lower, tunnel := limitText(s.Upper), limitText(s.Lower), "none"
	if s.Lower == 0 && s.Upper > 0 {
		lower = figure.Exact(uint64(s.Upper)*3/4) + " (3/4)"
	}
	if s.Forward == ipvs.TunnelFwd {
		tunnel = tunnelText(s.Tunnel)
	}
	if s.Partial {
		upper, lower = figure.Unknown, figure.Unknown
		if s.Forward == ipvs.TunnelFwd {
			tunnel = figure.Unknown
		}
	}
	state := upCell(r)
	if state.text == "" {
		state = cell{"up", paint.Plain}
	}
	return []fact{
		{"state", state.text, state.style},
		{"weight", strconv.FormatUint(uint64(s.Weight), 10), paint.Plain},
		{"weight share", weightShare(r), paint.Plain},
		{"forwarding", s.Forward.String(), paint.Plain},
		{"tunnel", tunnel, paint.Plain},
		{"u-threshold", upper, paint.Plain},
		{"l-threshold", lower, paint.Plain},
		{"family", s.Family().String(), paint.Plain},
	}
}

// weightShare is the server's part of the weights that take connections.
func weightShare(r Row) string {
	var sum uint64
	for _, s := range r.Service.Servers {
		sum += uint64(s.Weight)
	}
	if sum == 0 {
		return "0 %"
	}
	return strconv.FormatUint(uint64(r.Server.Weight)*100/sum, 10) + " %"
}

func limitText(n uint32) string {
	if n == 0 {
		return "none"
	}
	return figure.Exact(uint64(n))
}

// trafficFacts are the figures both kinds of row have: rates, then totals.
func (r Row) trafficFacts(g *paint.Signs) []fact {
	f, _ := r.figures()
	seen := r.Service.Seen
	if r.Server != nil {
		seen = r.Server.Seen
	}
	num := func(label string, n uint64, known bool, format func(uint64) string) fact {
		if !known {
			return fact{label, g.Unknown, paint.Rest}
		}
		return fact{label, format(n), paint.Plain}
	}
	out := f.Counted && r.countsReplies()
	return []fact{
		num("active", f.Active, true, figure.Exact),
		num("inactive", f.Inactive, true, figure.Exact),
		num("templates", f.Persistent, f.PersistentKnown, figure.Exact),
		num("conn/s", f.Rate.Conns, f.Counted, exactOrShort),
		num("pkt/s in", f.Rate.InPackets, f.Counted, exactOrShort),
		num("pkt/s out", f.Rate.OutPackets, out, exactOrShort),
		num("bit/s in", f.Rate.InBytes, f.Counted, figure.Bits),
		num("bit/s out", f.Rate.OutBytes, out, figure.Bits),
		num("conns", f.Total.Conns, f.Counted, exactOrShort),
		num("packets in", f.Total.InPackets, f.Counted, exactOrShort),
		num("packets out", f.Total.OutPackets, out, exactOrShort),
		num("bytes in", f.Total.InBytes, f.Counted, exactOrShort),
		num("bytes out", f.Total.OutBytes, out, exactOrShort),
		num("new conns", seen.Conns, f.Counted, exactOrShort),
	}
}

// exactOrShort is all digits while they fit the cell.
func exactOrShort(n uint64) string {
	if s := figure.Exact(n); len(s) <= factLeast-labelWidth-3 {
		return s
	}
	return figure.Count(n)
}

// MaskText is how clients are grouped: as a prefix length where the mask is one.
func MaskText(s *ops.Service) string {
	m := s.Persistence.Mask
	switch {
	case !s.Persistence.On:
		return "none"
	case s.Family == ipvs.IPv6:
		return "/" + m.Text(s.Family)
	}
	if ones := bits.LeadingZeros32(^uint32(m)); uint32(m) == ^uint32(0)<<(32-ones) {
		return "/" + strconv.Itoa(ones)
	}
	return m.Text(s.Family)
}

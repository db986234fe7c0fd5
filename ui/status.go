package ui

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"lvsdeck/ops"
	"lvsdeck/ui/figure"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// segment is a piece of the status line. When the line is too short, pieces with a
// low keep go first.
type segment struct {
	style paint.Style
	text  string
	keep  int
}

func (m *Model) statusLine() string {
	left := []segment{{paint.Accent, "lvsdeck", 3}}
	if m.opts.Demo != "" {
		left = append(left, segment{paint.Demo, " DEMO " + m.opts.Demo + " ", 8})
	}
	if m.opts.Replay != nil {
		left = append(left, segment{paint.Demo, " REPLAY ", 8})
	}
	left = append(left, segment{paint.Strong, text.Cut(text.Clean(m.opts.Host), 24, m.signs.Cut), 9})
	if m.sample != nil && m.sample.Info.Version != 0 {
		left = append(left, segment{paint.Rest, "IPVS " + m.sample.Info.Version.String(), 1})
	}
	left = append(left, m.modeSegment())
	if m.opts.Limits.ReadOnly && m.opts.Replay == nil {
		left = append(left, segment{paint.Plain, "read-only", 6})
		if m.opts.Limits.Why != "" {
			left = append(left, segment{paint.Rest, "(" + text.Clean(m.opts.Limits.Why) + ")", 3})
		}
	}
	if m.guarded() && !m.opts.Limits.ReadOnly {
		left = append(left, segment{paint.Plain, "guarded", 6})
	}
	right := slices.Concat(m.crossedSegments(), m.foundSegments(), m.troubleSegments())
	if waits, ok := m.pendingSegment(); ok {
		right = append(right, waits)
	}
	if m.unsaved() {
		right = append(right, segment{paint.Warn, "unsaved", 6})
	}
	if n := m.list.Marks(); n > 0 {
		right = append(right, segment{paint.Mark, fmt.Sprintf("%d marked", n), 4})
	}
	if recording, on := m.recordSegment(); on {
		right = append(right, recording)
	}
	if m.live != nil && !m.live.Time.IsZero() {
		right = append(right, m.clockSegment())
	}
	return m.segments(left, right)
}

// clockSegment is when the newest reading was made. In a recording that is its clock.
func (m *Model) clockSegment() segment {
	if m.opts.Replay != nil {
		return segment{paint.Strong, m.live.Time.Format(time.DateTime), 8}
	}
	return segment{paint.Plain, m.live.Time.Format(time.TimeOnly), 2}
}

// troubleSegments is what "problems only" would show, all the time.
func (m *Model) troubleSegments() (out []segment) {
	if n := m.trouble.none; n > 0 {
		out = append(out, segment{paint.Bad, fmt.Sprintf("%s %d down", m.signs.Problem, n), 6})
	}
	if n := m.trouble.part; n > 0 {
		out = append(out, segment{paint.Warn, fmt.Sprintf("%s %d in part", m.signs.Problem, n), 5})
	}
	return out
}

// modeSegment says how fresh the picture is.
func (m *Model) modeSegment() segment {
	switch {
	case m.opts.Replay != nil:
		return m.replaySegment()
	case m.sample == nil && (m.live == nil || m.live.Err == nil):
		return segment{paint.Rest, m.signs.Live + " starting", 7}
	case m.paused:
		return segment{paint.Warn, m.signs.Paused + " paused " + figure.Span(m.live.Time.Sub(m.sample.Time)), 7}
	case m.live.Err != nil:
		return segment{paint.Bad, m.signs.Paused + " no reading", 7}
	}
	return segment{paint.Plain, m.signs.Live + " live " + figure.Span(m.interval), 7}
}

// segments puts what has room on one line, what must stay first.
func (m *Model) segments(left, right []segment) string {
	var all []*segment
	for _, side := range [][]segment{left, right} {
		for i := range side {
			all = append(all, &side[i])
		}
	}
	slices.SortStableFunc(all, func(a, b *segment) int { return cmp.Compare(b.keep, a.keep) })
	room := m.width - 2
	for _, s := range all {
		if w := text.Width(s.text) + 2; w <= room {
			room -= w
		} else {
			s.keep = 0
		}
	}
	line := m.theme.Line(paint.Ground, m.width).Space(1)
	for _, s := range left {
		if s.keep > 0 {
			line.Put(s.style, s.text).Space(2)
		}
	}
	tail := 1
	for _, s := range right {
		if s.keep > 0 {
			tail += text.Width(s.text) + 2
		}
	}
	line.Space(line.Room() - tail)
	for _, s := range right {
		if s.keep > 0 {
			line.Space(2).Put(s.style, s.text)
		}
	}
	return line.String()
}

// totalsLine is the whole table in figures of fixed width, so that they do not
// push each other about.
func (m *Model) totalsLine() string {
	line := m.theme.Line(paint.Ground, m.width).Space(1)
	s := m.sample
	if s == nil {
		return line.String()
	}
	put := func(label, value, unit string) {
		if len(label)+6+len(unit) <= line.Room() {
			line.Put(paint.Rest, label).Right(paint.Strong, value, 6, "").Put(paint.Rest, unit).Space(2)
		}
	}
	rate := func(n uint64, known bool, format func(uint64) string) string {
		if !known {
			return m.signs.Unknown
		}
		return format(n)
	}
	put("active", figure.Count(s.Active), "")
	put("inactive", figure.Count(s.Inactive), "")
	put("", rate(s.Rate.Conns, s.Counted, figure.Count), " conn/s")
	put("in", rate(s.Rate.InBytes, s.Counted, figure.Bits), "bit/s")
	put("out", rate(s.Rate.OutBytes, s.Counted && m.replies, figure.Bits), "bit/s")
	if s.Trend != nil && line.Room() > 8 {
		line.Put(paint.Rest, m.signs.Spark(totalTrend(s), min(line.Room()-1, ops.TrendLen)))
	}
	return line.String()
}

func totalTrend(s *ops.Sample) []float32 {
	if s.Counted {
		return s.Trend.Conns
	}
	return s.Trend.Active
}

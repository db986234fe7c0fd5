package ui

import (
	"slices"

	"lvsdeck/ops/history"
	"lvsdeck/ui/paint"
)

// Sizes of the graph under a service: its axis and the times below it, and how many
// lines there are for each figure.
const (
	largeAxis  = 2
	largePane  = 4 // at least
	largePanes = 9 // from where on there is another figure
	largeWide  = 132
)

// largeMetrics are the figures in the order in which they have a pane; the one that
// was chosen goes first.
var largeMetrics = []history.Metric{
	history.Conns, history.Active, history.InBytes, history.OutBytes, history.Inactive, history.InPackets, history.OutPackets,
}

// graphHeight is the lines for the graph, with so many for it and all rows.
func (s *serviceScreen) graphHeight(m *Model, rows, room int) int {
	most := room - min(1+rows, 1+largeShows)
	if m.opts.History == nil || most < largePane+largeAxis {
		return 0
	}
	return max(largePane+largeAxis, min(most, room-1-rows, len(largeMetrics)*largePanes))
}

// graph is how the figures of the row under the cursor went, on one axis of time.
func (s *serviceScreen) graph(m *Model, height int) (lines []string) {
	if height == 0 {
		return nil
	}
	k := history.Key{Service: s.id, Server: s.server}
	g := &graph{rows: []history.Key{k}, bare: true, span: 1}
	if m.width >= largeWide {
		g.span++
	}
	if m.signs == paint.ASCII {
		g.ink = paint.Letters
	}
	g.place(m)
	room := height - largeAxis
	panes := max(1, room/largePanes)
	for i := range panes {
		g.metric = largeMetrics[(s.metric+i)%len(largeMetrics)]
		tall := room / panes
		if i < room%panes {
			tall++
		}
		series := m.opts.History.Series(k, g.metric, g.from, g.from.Add(graphSpans[g.span]), g.cells(m)*g.ink.Across())
		lines = append(lines, g.paneTitle(m, k, series))
		lines = append(lines, g.pane(m, series, g.top(slices.Max(series.Max)), tall-1)...)
	}
	return append(lines, g.axis(m, g.marks(m)), g.clock(m))
}

// nextMetric puts another figure first.
func (s *serviceScreen) nextMetric(by int) {
	s.metric = (s.metric + by + len(largeMetrics)) % len(largeMetrics)
}

package ui

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops/history"
	"lvsdeck/ops/plan"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/services"
)

func graphCommands() []command {
	return []command{
		{"Services and servers", []string{"H"}, "history: graphs of the row or the marked rows, with what was changed", "", openGraph, noHistory},
	}
}

func noHistory(m *Model) string {
	if m.opts.History == nil {
		return "no history is kept here"
	}
	return ""
}

// graphSpans are the lengths of time that can be shown.
var graphSpans = []time.Duration{5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 4 * time.Hour}

// graph is the screen of how figures went: a pane for each row, one below the
// other on one axis of time, with what happened meanwhile. Its cursor is a moment,
// of which all panes tell their figures.
type graph struct {
	rows      []history.Key
	servers   bool // the servers of the first row's service, too
	metric    history.Metric
	span      int       // of graphSpans
	at        time.Time // the cursor; zero: now, and the picture moves on
	end       time.Time // the right end; zero: now
	everyMark bool      // marks of other services, too
	oneScale  bool
	bare      bool // servers have their address alone: their service stands above
	ink       paint.Ink

	first int // pane on screen
	panes int // as many fit

	// As it was drawn last:
	now   time.Time
	from  time.Time
	cell  time.Duration
	reach history.Reach
}

// openGraph shows the marked rows, or the one under the cursor, or without any the
// whole table.
func openGraph(m *Model) tea.Cmd {
	g := &graph{metric: history.Conns}
	for _, row := range m.list.Chosen() {
		if row.Server != nil {
			g.metric = history.Active // of servers it is always known
		}
		g.rows = append(g.rows, history.Key(row.Key()))
	}
	return m.openGraphOf(g)
}

func (m *Model) openGraphOf(g *graph) tea.Cmd {
	if len(g.rows) == 0 {
		g.rows = []history.Key{{}}
	}
	if m.opts.ASCII {
		g.ink = paint.Letters
	}
	m.push(g)
	return g.refresh(m)
}

// hearChanges reads the journal when samples showed a change of the table, whoever
// made it.
func (m *Model) hearChanges() tea.Cmd {
	if m.opts.History == nil || m.heard == m.opts.History.Changes() {
		return nil
	}
	return m.readPlans()
}

// refresh implements refresher.
func (g *graph) refresh(m *Model) tea.Cmd { return m.readPlans() }

// readPlans brings what the journal tells into the history.
func (m *Model) readPlans() tea.Cmd {
	m.heard = m.opts.History.Changes()
	if m.opts.Store == nil {
		return nil
	}
	return m.readHistory(func(m *Model, h plan.History) {
		m.opts.History.Mark(history.Plans(h, m.opts.History.Reach().First)...)
	})
}

// watcher is a layer that shows servers' own counters.
type watcher interface {
	watched() []ipvs.ServiceID
}

// watched implements watcher.
func (g *graph) watched() (ids []ipvs.ServiceID) {
	for _, k := range g.rows {
		if k != (history.Key{}) && !slices.Contains(ids, k.Service) {
			ids = append(ids, k.Service)
		}
	}
	return ids
}

// keys are the rows that have a pane: with servers those of the first row's
// service, also such as left it.
func (g *graph) keys(m *Model) []history.Key {
	service := g.rows[0].Service
	if !g.servers || service == (ipvs.ServiceID{}) {
		return g.rows
	}
	keys := []history.Key{{Service: service}}
	for _, r := range m.opts.History.Servers(keys[0]) {
		keys = append(keys, r.Key)
	}
	if slices.Contains(g.rows, history.Key{}) {
		keys = append(keys, history.Key{})
	}
	return keys
}

// bigStep is how many cells < and > go.
const bigStep = 10

// Key implements layer.
func (g *graph) Key(m *Model, k tea.KeyPressMsg) tea.Cmd {
	g.place(m)
	switch key := k.String(); key {
	case "esc", "q", "H":
		m.drop(g)
	case "left", "h":
		g.step(m, -1)
	case "right", "l":
		g.step(m, 1)
	case "<", "shift+left":
		g.step(m, -bigStep)
	case ">", "shift+right":
		g.step(m, bigStep)
	case "home", "g":
		g.goTo(m, m.opts.History.Reach().First)
	case "end", "G":
		g.goTo(m, time.Time{})
	case "n", "N":
		g.nextMark(m, key == "n")
	case "+", "=":
		g.zoom(m, -1)
	case "-":
		g.zoom(m, 1)
	case "up", "k":
		g.first--
	case "down", "j":
		g.first++
	case "pgup":
		g.first -= g.panes
	case "pgdown":
		g.first += g.panes
	case "tab":
		g.metric = (g.metric + 1) % history.Metrics
	case "s":
		g.servers, g.first = !g.servers, 0
	case "0":
		g.wholeTable()
	case "a":
		g.everyMark = !g.everyMark
	case "e":
		g.oneScale = !g.oneScale
	case "b":
		g.otherInk(m)
	case "p":
		m.togglePause()
	default:
		if n := key[0] - '1'; len(key) == 1 && n < byte(history.Metrics) {
			g.metric = history.Metric(n)
		}
	}
	return nil
}

// wholeTable adds the pane of the whole table, or takes it away.
func (g *graph) wholeTable() {
	whole := history.Key{}
	switch at := slices.Index(g.rows, whole); {
	case at < 0:
		g.rows = append(g.rows, whole)
	case len(g.rows) > 1:
		g.rows = slices.Delete(g.rows, at, at+1)
	}
}

// otherInk goes to bars and back, for fonts that have no dots.
func (g *graph) otherInk(m *Model) {
	switch {
	case m.opts.ASCII:
		m.message = "this terminal has ASCII only"
	case g.ink == paint.Dots:
		g.ink = paint.Blocks
	default:
		g.ink = paint.Dots
	}
}

// step moves the cursor by cells of the picture.
func (g *graph) step(m *Model, cells int) {
	at := g.at
	if at.IsZero() {
		at = g.now
	}
	g.goTo(m, at.Add(time.Duration(cells)*g.cell))
}

// goTo puts the cursor on a moment of those that are known; on the newest, or the
// zero time, it stays with what comes.
func (g *graph) goTo(m *Model, at time.Time) {
	if first := m.opts.History.Reach().First; !at.IsZero() && at.Before(first) {
		at = first
	}
	if !at.Before(g.now) {
		at = time.Time{}
	}
	g.at = at
}

// right is the moment at the right end.
func (g *graph) right() time.Time {
	if g.end.IsZero() {
		return g.now
	}
	return g.end
}

// zoom shows more or less time around the cursor.
func (g *graph) zoom(m *Model, by int) {
	was := graphSpans[g.span]
	if g.span += by; g.span < 0 || g.span == len(graphSpans) {
		g.span -= by
		m.message = "5 minutes are the shortest span, 4 hours the longest"
		return
	}
	if !g.at.IsZero() {
		right := float64(g.right().Sub(g.at))
		g.end = g.at.Add(time.Duration(right * float64(graphSpans[g.span]) / float64(was)))
	}
}

// nextMark goes to what happened next after the cursor, or last before it.
func (g *graph) nextMark(m *Model, later bool) {
	marks := g.marks(m)
	if !later {
		slices.Reverse(marks)
	}
	at := g.at
	if at.IsZero() {
		at = g.now
	}
	i := slices.IndexFunc(marks, func(o history.Mark) bool {
		if later {
			return o.Time.After(at)
		}
		return o.Time.Before(at)
	})
	switch {
	case i >= 0:
		g.goTo(m, marks[i].Time)
	case later:
		m.message = "nothing happened after this that is known"
	default:
		m.message = "nothing happened before this that is known"
	}
}

// marks are all that happened to what is shown, or to all.
func (g *graph) marks(m *Model) []history.Mark {
	reach := m.opts.History.Reach()
	all := m.opts.History.Marks(reach.First, reach.Last.Add(time.Nanosecond))
	if g.everyMark {
		return all
	}
	return slices.DeleteFunc(all, func(o history.Mark) bool { return !slices.ContainsFunc(g.rows, o.Touches) })
}

// Paste implements layer.
func (g *graph) Paste(*Model, string) {}

// Cursor implements layer.
func (g *graph) Cursor(*Model) (x, y int, shown bool) { return 0, 0, false }

// rowOf is what the table has of a row now.
func (m *Model) rowOf(k history.Key) (services.Row, bool) { return m.list.Find(services.Key(k)) }

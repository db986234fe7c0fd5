package ui

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/history"
)

var (
	graphWeb = history.Key{Service: ipvs.AddressService(ipvs.TCP, addr("203.0.113.10:443"))}
	graphRow = history.Key{Service: graphWeb.Service, Server: addr("10.0.3.12:443")}
)

// past is an hour of site until noon: clients come and go, nothing was read for two
// minutes, one server was drained and another one was removed.
func past() *history.Store {
	store := history.New()
	for back := time.Hour; back >= 0; back -= 2 * time.Second {
		if back < 22*time.Minute && back > 20*time.Minute {
			continue
		}
		s := site()
		s.Time = noon.Add(-back)
		wave := uint64(20 + int(back/time.Second)%300/15)
		if back < 90*time.Second {
			wave = 80
		}
		for _, v := range s.Services {
			v.Active, v.Rate.Conns = v.Active*wave/40, v.Rate.Conns*wave/40
			for _, r := range v.Servers {
				r.Active = r.Active * wave / 40
				r.Counted = back < 10*time.Minute
			}
		}
		sorted(s)
		web := s.Services[slices.IndexFunc(s.Services, func(v *ops.Service) bool { return v.ServiceID == graphWeb.Service })]
		if web.Servers[2].Weight = 0; back > 4*time.Minute {
			web.Servers[2].Weight, web.Servers[2].Active = 100, 4000
		}
		if back > 3*time.Minute {
			web.Servers = append(web.Servers, server("10.0.3.15:443", ipvs.Direct, 100, 3900, 12_000, 690))
		}
		store.Add(s)
	}
	drained := history.Mark{Time: noon.Add(-4*time.Minute - time.Second), Until: noon.Add(-4 * time.Minute), Kind: history.Changed, Plan: "1",
		Text: "drain 10.0.3.13:443 of TCP 203.0.113.10:443: weight 100 to 0", By: "ana from 192.0.2.7", About: []history.Key{{Service: graphWeb.Service, Server: addr("10.0.3.13:443")}}}
	store.Mark(drained,
		history.Mark{Time: noon.Add(-80 * time.Second), Kind: history.Found, Text: graphRow.String() + ": many handshakes do not end\x1b[2J", About: []history.Key{graphRow}},
		history.Mark{Time: noon.Add(-70 * time.Second), Kind: history.Changed, Plan: "2", Text: "set net.ipv4.vs.conntrack to 1", By: "root"},
		history.Mark{Time: noon.Add(-30 * time.Second), Kind: history.Cleared, Text: "UDP 203.0.113.53:53: the service has no server", About: []history.Key{{Service: site().Services[2].ServiceID}}})
	return store
}

// sorted is a sample in the order that samplers give.
func sorted(s *ops.Sample) *ops.Sample {
	slices.SortFunc(s.Services, func(a, b *ops.Service) int { return a.ServiceID.Compare(b.ServiceID) })
	return s
}

func graphConsole(t *testing.T, width, height int, keys ...string) (*Model, *fakeSource) {
	m, src := console(t, site(), width, height, func(o *Options) { o.History = past() })
	walk(m, keys...)
	return m, src
}

// walk presses keys and draws after each, as a terminal does.
func walk(m *Model, keys ...string) {
	for _, k := range keys {
		press(m, k)
		m.View()
	}
}

func sees(t *testing.T, m *Model, what string, want ...string) {
	t.Helper()
	g := grid(m)
	for _, w := range want {
		if !strings.Contains(g, w) {
			t.Errorf("%s: want %q on\n%s", what, w, g)
		}
	}
}

func TestGraphScreens(t *testing.T) {
	for _, sc := range []struct {
		name          string
		width, height int
		ascii         bool
		keys          []string
	}{
		{"graph-80x24", 80, 24, false, []string{"H"}},
		{"graph-80x24-mark", 80, 24, false, []string{"H", "N", "N", "N"}},
		{"graph-80x24-servers", 80, 24, false, []string{"H", "s", "1", "down", "down"}},
		{"graph-80x24-ascii", 80, 24, true, []string{"H", "-", "-", "s", "1"}},
		{"graph-80x24-table", 80, 24, false, []string{"/", "z", "z", "enter", "H", "a", "4"}},
		{"graph-60x16", 60, 16, false, []string{"H", "b"}},
		{"graph-200x50", 200, 50, false, []string{"space", "space", "space", "H", "a", "-", "e", "N"}},
	} {
		m, _ := console(t, site(), sc.width, sc.height, func(o *Options) { o.History, o.ASCII = past(), sc.ascii })
		walk(m, sc.keys...)
		got := grid(m)
		golden(t, sc.name, got)
		if sc.ascii {
			if i := strings.IndexFunc(got, func(r rune) bool { return r > 126 }); i >= 0 {
				t.Errorf("%s: not ASCII: %q", sc.name, got[i:i+3])
			}
		}
	}
}

// TestGraphTellsWhenItBegan is the question of the night: since when, and what was
// done before.
func TestGraphTellsWhenItBegan(t *testing.T) {
	m, _ := graphConsole(t, 80, 24, "H")
	sees(t, m, "what happened, newest last", "found   10.0.3.12:443: many handshakes do not end[2J", "12:03:21 J changed set net.ipv4.vs.conntrack to 1  by root")
	walk(m, "N", "N", "N")
	sees(t, m, "the removal that a reading saw", "12:01:31 t seen    10.0.3.15:443: left", "0s before")
	walk(m, "N")
	sees(t, m, "the plan, once", "12:00:30 J changed drain 10.0.3.13:443", "before")
	if strings.Contains(grid(m), "weight 100 to 0\n") {
		t.Error("the plan's change is told as seen, too")
	}
	walk(m, "N", "N")
	sees(t, m, "the end of it", "nothing happened before this")
	walk(m, "end", "a")
	sees(t, m, "what happened elsewhere", "cleared UDP 203.0.113.53:53: the service has no server")
}

// TestGraphCursor reads figures off, far into the past, and comes back.
func TestGraphCursor(t *testing.T) {
	m, src := graphConsole(t, 80, 24, "H", "1")
	g := m.top().(*graph)
	value := func(at time.Time) string {
		s := m.opts.History.Series(graphWeb, history.Active, at, at.Add(g.cell), 1)
		return fmt.Sprintf("here %5s", g.figure(m, s.Mean[0]))
	}
	walk(m, "left")
	if g.at.IsZero() || g.now.Sub(g.at) != g.cell {
		t.Fatalf("want the cursor a cell before now, got %v", g.at)
	}
	for range 30 {
		walk(m, "<")
		c, in := g.cursor(m)
		begin := g.from.Add(time.Duration(float64(c) * float64(graphSpans[g.span]) / float64(g.cells(m))))
		if !in {
			t.Fatalf("the cursor at %v is not on the screen from %v", g.at, g.from)
		}
		if want := value(begin); !strings.Contains(grid(m), strings.TrimSpace(want[5:])) {
			t.Fatalf("want %q at %v on\n%s", want, begin, grid(m))
		}
	}
	was := g.at
	for range 4 {
		walk(m, "-")
		if _, in := g.cursor(m); !in || !g.at.Equal(was) {
			t.Fatalf("zooming moved the cursor from %v to %v (on screen: %v)", was, g.at, in)
		}
	}
	walk(m, "-")
	sees(t, m, "the longest span", "5 minutes are the shortest span, 4 hours the longest")
	walk(m, "home")
	if !g.at.Equal(m.opts.History.Reach().First) {
		t.Errorf("want the beginning, got %v", g.at)
	}
	sees(t, m, "how far it goes back", "known since 11:04:29, 4h00m to")
	walk(m, "+", "+", "+", "+", "end")
	if !g.at.IsZero() || !g.end.IsZero() {
		t.Errorf("want to be back at now, got %v and %v", g.at, g.end)
	}
	next := sorted(site())
	next.Seq, next.Time = 2, noon.Add(2*time.Second)
	m.opts.History.Add(next)
	src.latest.Store(next)
	walk(m, "p")
	m.Update(sampleMsg{})
	if m.View(); !g.now.Equal(noon) {
		t.Errorf("want a held picture, got %v", g.now)
	}
	walk(m, "p")
	if m.View(); !g.now.Equal(next.Time) {
		t.Errorf("want to go on with %v, got %v", next.Time, g.now)
	}
}

// TestGraphSaysItsFigure holds that at each width the figure is named, and the
// chosen one marked by a sign; least and most go before the row's name does.
func TestGraphSaysItsFigure(t *testing.T) {
	for _, width := range []int{60, 80, 200} {
		m, _ := graphConsole(t, width, 16, "H", "left")
		for i, name := range metricNames {
			walk(m, fmt.Sprint(i+1))
			sees(t, m, "the chosen one", fmt.Sprintf("[%d %s]", i+1, name), name+"  TCP 203.0.113.10:443 ", "here", "now")
		}
	}
}

func TestGraphOfUnknown(t *testing.T) {
	m, src := graphConsole(t, 80, 24, "o", "down", "down", "H")
	sees(t, m, "a server's own", "10.0.3.12:443 of TCP 203.0.113.10:443", "now  8196")
	if len(src.focus) != 1 || src.focus[0] != graphWeb.Service {
		t.Errorf("want the service in focus, got %v", src.focus)
	}
	walk(m, "3", "-", "-")
	sees(t, m, "known for ten minutes", "now   699")
	walk(m, "+", "+", "home")
	sees(t, m, "not known then", "nothing is known of this time; servers' rates are read while on screen")
	walk(m, "0", "1")
	sees(t, m, "the whole table below", "10.0.3.12:443", "the whole table")
	walk(m, "0", "3")
	walk(m, "s", "end", "pgdown")
	sees(t, m, "who left", "10.0.3.15:443  last seen 12:01:29")
	walk(m, "esc")
	if m.top() != nil {
		t.Error("want the services again")
	}
	m, _ = console(t, site(), 80, 24, nil)
	walk(m, "H")
	sees(t, m, "nothing kept", "no history is kept here")
	m, _ = console(t, sample(), 80, 24, func(o *Options) { o.History = history.New() })
	walk(m, "H", "left", "N", "n", "+", "home", "s", "<")
	sees(t, m, "an empty one", "the whole table", "nothing is known of this time")
}

// TestFindingsAreMarked holds that what checks find later is a mark, and what they
// found in the first round is none: nobody knows since when.
func TestFindingsAreMarked(t *testing.T) {
	c := &told{report: reportOf(findings()[:1])}
	m, _ := console(t, site(), 80, 24, func(o *Options) { o.History, o.Checks = past(), c })
	before := len(m.opts.History.Marks(noon.Add(-time.Hour), noon.Add(time.Hour)))
	c.report = &check.Report{Time: noon, Findings: findings()[:2]}
	m.Update(sampleMsg{})
	walk(m, "H", "a")
	sees(t, m, "the second", "12:04:31 ! found   UDP 203.0.113.53:53: the service has no server")
	if got := len(m.opts.History.Marks(noon.Add(-time.Hour), noon.Add(time.Hour))); got != before+1 {
		t.Errorf("want one mark more than %d, got %d", before, got)
	}
}

// TestGraphTakesAnyKey walks at random and looks at each frame.
func TestGraphTakesAnyKey(t *testing.T) {
	keys := []string{"left", "right", "<", ">", "home", "end", "n", "N", "+", "-", "up", "down", "pgup", "pgdown", "tab", "s", "a", "e", "b", "p",
		"1", "2", "3", "4", "5", "6", "7", "8", "0", "x", "esc", "H", "down", "space", "o"}
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 2))
		m, src := graphConsole(t, 80, 24, "H")
		for i := range 600 {
			if i%20 == 0 {
				m.Update(tea.WindowSizeMsg{Width: 60 + r.IntN(150), Height: 16 + r.IntN(40)})
				m.Update(tea.ColorProfileMsg{Profile: []colorprofile.Profile{colorprofile.ASCII, colorprofile.ANSI256}[r.IntN(2)]})
			}
			if i%7 == 0 {
				s := sorted(site())
				s.Seq, s.Time = uint64(i), noon.Add(time.Duration(i)*time.Second)
				if i%70 == 0 {
					s.Services = s.Services[r.IntN(len(s.Services)):]
				}
				m.opts.History.Add(s)
				src.latest.Store(s)
				m.Update(sampleMsg{})
			}
			key := keys[r.IntN(len(keys))]
			walk(m, key)
			lines := strings.Split(m.View().Content, "\n")
			if len(lines) != m.height {
				t.Fatalf("seed %d, %s: want %d lines, got %d", seed, key, m.height, len(lines))
			}
			for _, line := range lines {
				if w := cells(line); w > m.width {
					t.Fatalf("seed %d, %s: a line of %d cells on %d: %q", seed, key, w, m.width, line)
				}
			}
		}
	}
}

package ui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/pulse"
	"lvsdeck/persist"
	"lvsdeck/ui/services"
)

// largeDirector is newDirector with connections and its service large.
func largeDirector(t *testing.T, width, height int) *director {
	t.Helper()
	d := newDirector(t)
	d.start(width, height)
	d.opts.Conns = &connSource{text: connText()}
	d.do("s")
	return d
}

func TestServiceLarge(t *testing.T) {
	d := largeDirector(t, 80, 24)
	d.sees("the service and its servers", "TCP 203.0.113.10:443  3 of 3 up", "scheduler wlc, forwarding DR, not persistent",
		"the service               303", "10.0.3.12:443             101  33.3%", "connections read 12:04:", "1 of 4")
	d.do("tab")
	d.sees("states by server", "277 connections", "137 established", "60 half open", "1 templates", "7 are with servers that the table does not list",
		"10.0.3.11:443             100     130      0      0", "10.0.3.12:443             101       0     60     40", "HELD")
	d.do("down", "down", "enter")
	d.sees("the server's connections", "of service TCP 203.0.113.10:443, server 10.0.3.12:443", "100 connections")
	d.do("q")
	d.sees("back at it", "3 of 4")
	d.do("s")
	if d.top() != nil {
		t.Errorf("s leaves:\n%s", grid(d.Model))
	}
}

// TestServiceLargeChangesItsRow: keys act on the row under the screen's cursor,
// whatever is marked, open or filtered below it.
func TestServiceLargeChangesItsRow(t *testing.T) {
	d := newDirector(t)
	d.do("enter", "down", "down", "space") // 10.0.3.12 is marked
	d.do("s", "down", "+")
	d.expect("the weight of the server under the cursor alone", "10.0.3.11:443 -g -w 100 ", "10.0.3.12:443 -g -w 101 ", "10.0.3.13:443 -g -w 103 ")
	d.do("up", "up", "d")
	d.expect("drained", "10.0.3.11:443 -g -w 0 ", "10.0.3.12:443 -g -w 101 ")
	d.sees("drained, and what is left there", "! 10.0.3.11:443", "2 of 3 up", "0.0%", "0 active")
	d.do("w")
	d.fill("50")
	d.do("enter")
	d.expect("through a question", "10.0.3.11:443 -g -w 50 ", "10.0.3.12:443 -g -w 101 ")
	d.do("x")
	d.sees("what is removed", "10.0.3.11:443")
	d.do("enter")
	d.expect("removed", "!10.0.3.11:443", "10.0.3.12:443")
	d.sees("the next one has its place", "2 of 3")
	d.do("+")
	d.expect("the next one", "10.0.3.12:443 -g -w 102 ")
	d.do("home", "d")
	d.sees("a service cannot be drained", "is a service")
	d.do("J")
	d.sees("the journal from here", "remove 10.0.3.11:443", "drain 10.0.3.11:443")
	d.do("esc", "o", "!", ">", "esc")
	if !d.list.Sort().Desc && d.list.Sort() == (services.Sort{}) && !d.list.Problems() && d.list.Marks() == 1 {
		d.do("+")
		d.expect("marks count again on the list", "10.0.3.12:443 -g -w 103 ")
		return
	}
	t.Errorf("keys about the list reach it through the screen:\n%s", grid(d.Model))
}

// TestServiceLargeLosesRows: servers and the service itself may leave the table.
func TestServiceLargeLosesRows(t *testing.T) {
	d := largeDirector(t, 80, 24)
	web := ipvs.AddressService(ipvs.TCP, addr("203.0.113.10:443"))
	d.do("end")
	d.must(d.table.DeleteServer(t.Context(), web, ipvs.Server{Addr: addr("10.0.3.13:443")}))
	d.pass(2 * time.Second)
	d.sees("the one before has its place", "3 of 3", "10.0.3.12:443")
	d.must(d.table.DeleteService(t.Context(), web))
	d.pass(2 * time.Second)
	d.sees("the service is gone", "does not have this service any more")
	d.do("d", "w", "x")
	d.sees("nothing can be done to it", "there is no row")
}

// TestServiceLargeAsks: connections that cost much are read when that was asked
// for, and said.
func TestServiceLargeAsks(t *testing.T) {
	d := newDirector(t)
	source := &connSource{text: connText(), cost: 20 * time.Minute}
	d.opts.Conns = source
	d.do("s", "tab")
	d.sees("the offer", "c reads the connections", "20 min")
	d.do("c")
	d.sees("the question", "busy for about 20 min")
	d.do("esc")
	if len(source.opens) != 0 {
		t.Fatal("it was read without being asked for")
	}
	d.do("c", "s")
	d.sees("the answer", "277 connections")
	source.err = fmt.Errorf("no such file\x1b[2J")
	d.do("c", "enter")
	d.sees("why not", "no such file[2J", "277 connections")
	d.opts.Conns = nil
	d.do("c")
	d.sees("none at all", "no connections can be read here")
}

// uneven is a service of which one server gets what is not its part.
func uneven() *ops.Sample {
	s := site()
	s.Services[0].Persistence = ipvs.Persistence{On: true, Timeout: 600, Mask: 0xffffff00}
	for i, r := range s.Services[0].Servers {
		for j := range r.Trend.Conns {
			r.Trend.Conns[j] = []float32{700, 150, 0, 900}[i]
		}
	}
	return s
}

// TestServiceLargeScreens keeps the screen as it looks, with and without much room.
func TestServiceLargeScreens(t *testing.T) {
	for _, c := range []struct {
		name          string
		width, height int
		ascii         bool
		keys          []string
	}{
		{"service-80x24", 80, 24, false, []string{"down", "down"}},
		{"service-80x24-states", 80, 24, false, []string{"tab"}},
		{"service-80x24-ascii", 80, 24, true, []string{"down"}},
		{"service-60x16", 60, 16, false, nil},
		{"service-200x50", 200, 50, false, []string{"down"}},
		{"service-200x50-ascii", 200, 50, true, nil},
	} {
		m, _ := console(t, uneven(), c.width, c.height, func(o *Options) {
			o.ASCII, o.Now = c.ascii, func() time.Time { return noon }
			o.Conns = &connSource{text: connText()}
			o.Checks, o.History = &told{report: reportOf(findings())}, past()
		})
		m.list.SetLabels(services.NewLabels(map[string]persist.Label{
			"TCP 203.0.113.10:443":                  {Name: "web shop", Note: "frontends, call Ann before draining"},
			"10.0.3.11:443 of TCP 203.0.113.10:443": {Name: "web-a"},
		}))
		m.Update(tea.ColorProfileMsg{Profile: colorprofile.ANSI256})
		finishAll(m, press(m, "s"))
		for _, k := range c.keys {
			finishAll(m, press(m, k))
		}
		text := grid(m)
		if c.ascii && strings.ContainsFunc(text, func(r rune) bool { return r > '~' }) {
			t.Errorf("%s: not ASCII:\n%s", c.name, text)
		}
		golden(t, c.name, text+"\n"+styles(m))
	}
}

// TestLargeScreensFit looks for lines that are too wide or too many, in any size of
// terminal.
func TestLargeScreensFit(t *testing.T) {
	sample := uneven()
	many := sample.Services[0]
	for i := range 60 {
		many.Servers = append(many.Servers, server(fmt.Sprintf("10.9.0.%d:443", i), ipvs.Direct, 10, 5, 5, 5))
	}
	m, _ := console(t, sample, 80, 24, func(o *Options) {
		o.Now = func() time.Time { return noon }
		o.Conns, o.Checks, o.History = &connSource{text: connText()}, &told{report: reportOf(findings())}, past()
	})
	for _, open := range []string{"s", "P"} {
		finishAll(m, press(m, open))
		for width := minWidth; width <= 220; width += 7 {
			for _, height := range []int{16, 17, 24, 50} {
				m.Update(tea.WindowSizeMsg{Width: width, Height: height})
				for _, k := range []string{"tab", "end", "home", "c"} {
					finishAll(m, press(m, k))
					lines := strings.Split(m.View().Content, "\n")
					if len(lines) != height {
						t.Fatalf("%s %dx%d: %d lines", open, width, height, len(lines))
					}
					for _, line := range lines {
						if w := cells(line); w > width {
							t.Fatalf("%s %dx%d: %d cells: %q", open, width, height, w, line)
						}
					}
				}
			}
		}
		press(m, "q")
	}
}

// TestNewOverIntervals: what is new is told of 5 minutes also where the interval was
// changed meanwhile.
func TestNewOverIntervals(t *testing.T) {
	var w pulse.Watch
	past := &ops.Trend{Conns: slices.Repeat([]float32{10}, ops.TrendLen)}
	at := noon
	for _, c := range []struct {
		seq  uint64 // 3 and 5 were overtaken
		each time.Duration
	}{{1, 2 * time.Second}, {2, 10 * time.Second}, {4, 10 * time.Second}, {6, 10 * time.Second}, {7, 10 * time.Second}} {
		at = at.Add(20 * time.Second)
		w.Look(&ops.Sample{Time: at, Seq: c.seq, Interval: c.each, Trend: &ops.Trend{}})
		if c.seq != 1 && c.seq != 4 && c.seq != 7 {
			continue // a point is under way
		}
		all := &sharing{}
		if fresh := all.begun(past, w.Times()); fresh != 3000 || all.over != lately {
			t.Errorf("sample %d: %v begun in %v, want 3000 in 5 minutes", c.seq, fresh, all.over)
		}
	}
}

// finishAll does what a key set off.
func finishAll(m *Model, cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	msg := cmd()
	if all, ok := msg.(tea.BatchMsg); ok {
		for _, c := range all {
			finishAll(m, c)
		}
		return
	}
	_, next := m.Update(msg)
	finishAll(m, next)
}

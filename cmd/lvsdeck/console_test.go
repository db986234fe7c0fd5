package main

import (
	"bytes"
	"strings"
	"testing"

	"lvsdeck/lab/screen"
)

// The keys as a terminal sends them.
const (
	enter = "\r"
	esc   = "\x1b"
	tab   = "\t"
	down  = "\x1b[B"
	ctrlC = "\x03"
	ctrlZ = "\x1a"
)

// mouseKeys turn the mouse on, which the terminal is told with mouseOn.
const (
	mouseKeys = ":use the mouse" + enter
	mouseOn   = "\x1b[?1002h"
)

func TestDemoShowsServices(t *testing.T) {
	t.Parallel()
	c := startDemo(t, ordinary())
	c.shows("DEMO steady", "live 2s", "conn/s", "TCP 203.0.113.10:443", "wlc", "FWM 7", "1 of 12")
	if f := c.Frame(); !f.Alt {
		t.Error("the console draws on the main screen")
	}
	c.understood()
}

func TestEveryDemoShows(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"steady", "incident", "big"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			c := start(t, ordinary(), program, "--demo="+kind)
			c.shows("DEMO "+kind, "SERVICE", "q quit")
		})
	}
}

func TestKeysWork(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(*console){
		"open and close": func(c *console) {
			c.press(enter, "▾ TCP 198.51.100.20:443", "10.0.7.21:8443")
			c.must(c.Send(enter))
			c.hides("10.0.7.21")
		},
		"history": func(c *console) {
			c.press(down+down+down+"H", "3 conn/s", "TCP 203.0.113.10:443", "what happened to these")
			c.press("-N", "10.0.3.13:443: weight 100 to 0", "0s before", "15m00s to")
			c.press("s", "10.0.3.11:443")
			c.press(esc, "4 of 12")
		},
		"move": func(c *console) {
			c.press(down+down, "3 of 12")
			c.press("G", "12 of 12")
			c.press("k", "11 of 12")
		},
		"filter": func(c *console) {
			c.press("/", "↵ keep", "esc back")
			c.press("sctp", "1 of 12 services", "3868")
			c.hides("FWM 7")
			c.press(enter, "filter: sctp", "q quit")
			c.press(esc, "FWM 7")
		},
		"sort": func(c *console) {
			c.press(">", "by ")
			c.must(c.Send("r"))
			c.until("the order turned round", func(f *screen.Frame) bool { return f.Has("▼") })
		},
		"detail": func(c *console) {
			rows := c.Frame().Text()
			c.must(c.Send(tab))
			c.until("the detail pane", func(f *screen.Frame) bool {
				return strings.Count(f.Text(), "──────") > strings.Count(rows, "──────")
			})
		},
		"columns": func(c *console) {
			c.press("2", "IN")
			c.hides("ACTIVE  INACT")
		},
		"help": func(c *console) {
			c.press("?", "Services and servers", "any other key goes back")
			c.press("x", "FWM 7")
		},
		"palette": func(c *console) {
			c.press(":", "Commands", "do it")
			c.press("problems only", "show only problems, or all")
			c.press(enter, "problems only", "203.0.113.10:443")
			c.hides("FWM 7")
		},
		"pause":    func(c *console) { c.press("p", "paused"); c.press("p", "live 2s") },
		"interval": func(c *console) { c.press("i", "live 1s"); c.press("II", "live 3s") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := startDemo(t, ordinary())
			do(c)
			c.understood()
			c.must(c.Send("q"))
			c.ends(0)
		})
	}
}

func TestPastedTextIsNotKeys(t *testing.T) {
	t.Parallel()
	c := startDemo(t, ordinary())
	c.must(c.Send("\x1b[200~q\x1b[201~"))
	c.press("/", "↵ keep")
	c.press("\x1b[200~sctp\x1b[201~", "filter sctp", "1 of 12 services")
}

func TestResize(t *testing.T) {
	t.Parallel()
	c := startDemo(t, ordinary())
	c.must(c.Resize(200, 50))
	c.until("a line of 200 columns", func(f *screen.Frame) bool {
		return len([]rune(f.Line(2))) > 190 && strings.Contains(f.Line(49), "quit")
	})
	c.must(c.Resize(50, 10))
	c.shows("needs 60 columns", "has 50 and 10")
	c.must(c.Resize(80, 24))
	c.shows("1 of 12", "live 2s", "q quit")
	c.understood()
}

// TestKeysDoNothingUnseen types what would turn the mouse on where only the
// notice can be seen. Keys keep their order, so ctrl-c comes after it.
func TestKeysDoNothingUnseen(t *testing.T) {
	t.Parallel()
	c := start(t, place{50, 10, ordinary().env}, program, "--demo")
	c.shows("leave with ctrl-c")
	c.must(c.Send(mouseKeys + ctrlC))
	c.ends(0)
	if bytes.Contains(c.Wire(), []byte(mouseOn)) {
		t.Error("keys act on a screen that cannot be seen")
	}
}

package main

import (
	"image/color"
	"regexp"
	"strings"
	"testing"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"

	"lvsdeck/lab/screen"
)

// tour goes through the screens a terminal has to cope with: lists, panes,
// prompts, scrolling, and every one of them redrawn.
func (c *console) tour() {
	c.Helper()
	c.press("o", "10.0.7.21:8443")
	c.press("GG", "44 of 44")
	c.press("g"+tab, "1 of 44")
	c.press("4", "4 limits")
	c.press("1?", "Services and servers")
	c.press("x:", "Commands")
	c.press(esc, "q quit")
	c.press("/53", "filter")
	c.press(enter, "filter: 53", "q quit")
}

// anyStyle tells whether some cell's style is so.
func anyStyle(f *screen.Frame, is func(uv.Style) bool) bool {
	for y := range f.Height() {
		for x := range f.Width() {
			if is(f.Cell(x, y).Style) {
				return true
			}
		}
	}
	return false
}

func TestKindsOfTerminal(t *testing.T) {
	t.Parallel()
	reference := startDemo(t, ordinary())
	reference.tour()
	for _, term := range []string{"xterm", "screen-256color", "tmux-256color", "linux", "vt100"} {
		t.Run(term, func(t *testing.T) {
			t.Parallel()
			c := startDemo(t, ordinary("TERM="+term))
			c.tour()
			c.understood()
			if got, want := shape(c.Frame()), shape(reference.Frame()); got != want && term != "linux" { // has ASCII
				t.Errorf("draws\n%s\nan xterm-256color has\n%s", got, want)
			}
			c.must(c.Send("q"))
			c.ends(0)
		})
	}
}

var figures = regexp.MustCompile(` *[0-9][0-9.:]*[kMG]?|[▁▂▃▄▅▆▇█]`)

// basic tells whether a colour is the default or one of the 16.
func basic(c color.Color) bool {
	_, is := c.(ansi.BasicColor)
	return c == nil || is
}

// shape is a frame without what moves by itself: figures and trends.
func shape(f *screen.Frame) string { return figures.ReplaceAllString(f.Text(), "#") }

func TestOtherLocalesGetASCIIOnly(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]place{
		"POSIX":         ordinary("LC_ALL=POSIX"),
		"ISO-8859-1":    ordinary("LC_ALL=", "LANG=de_DE.ISO-8859-1"),
		"none":          ordinary("LC_ALL="),
		"linux console": ordinary("TERM=linux"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asciiOnly(t, startDemo(t, in))
		})
	}
	t.Run("wanted", func(t *testing.T) {
		t.Parallel()
		asciiOnly(t, startDemo(t, ordinary(), "--ascii"))
	})
}

func asciiOnly(t *testing.T, c *console) {
	c.tour()
	c.must(c.Send("q"))
	c.ends(0)
	for i, b := range c.Wire() {
		if b >= 0x80 {
			t.Fatalf("not ASCII: %q", c.Wire()[max(0, i-40):i+4])
		}
	}
}

func TestNoColor(t *testing.T) {
	t.Parallel()
	c := startDemo(t, ordinary("NO_COLOR=1", "COLORTERM=truecolor"))
	bold := anyStyle(c.Frame(), func(s uv.Style) bool { return s.Attrs&uv.AttrBold != 0 })
	reverse := anyStyle(c.Frame(), func(s uv.Style) bool { return s.Attrs&uv.AttrReverse != 0 })
	if !bold || !reverse {
		t.Errorf("without colour: bold %t, reverse %t", bold, reverse)
	}
	c.tour()
	c.must(c.Send("q"))
	c.ends(0)
	if coloured := colourSequence(c.Wire()); coloured != "" {
		t.Errorf("sets a colour: %q", coloured)
	}
}

// colourSequence finds the first sequence that sets a colour.
func colourSequence(wire []byte) string {
	found := ""
	p := ansi.NewParser()
	p.SetHandler(ansi.Handler{HandleCsi: func(cmd ansi.Cmd, params ansi.Params) {
		var s uv.Style
		if cmd.Final() == 'm' && cmd.Prefix() == 0 {
			if uv.ReadStyle(params, &s); s.Fg != nil || s.Bg != nil {
				found = s.String()
			}
		}
	}})
	p.Parse(wire)
	return found
}

func TestSixteenColours(t *testing.T) {
	t.Parallel()
	c := startDemo(t, ordinary("TERM=xterm"))
	c.tour()
	if more := anyStyle(c.Frame(), func(s uv.Style) bool { return !basic(s.Fg) || !basic(s.Bg) }); more {
		t.Error("TERM=xterm gets more than 16 colours")
	}
	if strings.Contains(string(c.Wire()), "38;5;") {
		t.Error("TERM=xterm is sent sequences for 256 colours")
	}
}

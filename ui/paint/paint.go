// Package paint turns meaning into what a terminal shows: styles by what they
// say rather than by colour, signs with an ASCII form, and lines of exact width.
//
// Styles are SGR sequences made once: rendering one per cell through a style
// library costs fifty times as much. Bubble Tea parses them back into cells and
// sends only the cells that changed.
//
// Out of scope: which meaning a thing has.
package paint

import (
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
)

// Style is a meaning that text on the screen can have.
type Style uint8

// The styles. Colours are for findings; everything else is calm.
const (
	Plain   Style = iota
	Rest          // at rest: zero, unchanged, unknown, labels
	Moved         // changed since the last sample
	Strong        // names, titles
	Accent        // where the operator is
	Good          // findings
	Warn          //
	Bad           //
	Mark          // marked rows
	Demo          // what must not be taken for the truth
	nStyles int   = iota
)

// Base is what a whole row lies on.
type Base uint8

// The bases: nothing, and the row of the cursor.
const (
	Ground Base = iota
	Cursor
	nBases int = iota
)

// Theme is the styles for one kind of terminal.
type Theme struct {
	sgr [nBases][nStyles]string
}

// NewTheme makes the theme for what the terminal can show. The colours hold on
// dark and on light backgrounds. The cursor's row has a ground of its own;
// without colour it is reversed, and faint and bold say what they can.
func NewTheme(p colorprofile.Profile) *Theme {
	looks := mono
	switch {
	case p >= colorprofile.ANSI256:
		looks = colours256
	case p == colorprofile.ANSI:
		looks = colours16
	}
	t := &Theme{}
	for base := range looks {
		for style, look := range looks[base] {
			t.sgr[base][style], _, _ = strings.Cut(look.Render("x"), "x")
		}
	}
	return t
}

type palette [nBases][nStyles]lipgloss.Style

var (
	plain = lipgloss.NewStyle()
	bold  = plain.Bold(true)

	row256     = inks(plain, "231").Background(lipgloss.Color("24"))
	colours256 = palette{
		Ground: {
			Plain: plain, Rest: inks(plain, "244"), Moved: plain, Strong: bold, Accent: inks(bold, "33"),
			Good: inks(plain, "34"), Warn: inks(plain, "172"), Bad: inks(bold, "160"), Mark: inks(bold, "33"),
			Demo: inks(bold, "231").Background(lipgloss.Color("90")),
		},
		Cursor: {
			Plain: row256, Rest: inks(row256, "153"), Moved: row256, Strong: row256.Bold(true), Accent: row256.Bold(true),
			Good: inks(row256, "157"), Warn: inks(row256, "222"), Bad: inks(row256, "217").Bold(true), Mark: row256.Bold(true),
			Demo: inks(bold, "231").Background(lipgloss.Color("90")),
		},
	}

	// Bright black is the background of some palettes of 16, so that what rests
	// is faint instead.
	row16     = inks(plain, "15").Background(lipgloss.Color("4"))
	colours16 = palette{
		Ground: {
			Plain: plain, Rest: plain.Faint(true), Moved: plain, Strong: bold, Accent: inks(bold, "4"),
			Good: inks(plain, "2"), Warn: inks(plain, "3"), Bad: inks(bold, "1"), Mark: inks(bold, "4"),
			Demo: inks(bold, "7").Background(lipgloss.Color("5")),
		},
		Cursor: {
			Plain: row16, Rest: inks(row16, "7"), Moved: row16, Strong: row16.Bold(true), Accent: row16.Bold(true),
			Good: inks(row16, "10"), Warn: inks(row16, "11"), Bad: row16.Bold(true), Mark: row16.Bold(true),
			Demo: inks(bold, "7").Background(lipgloss.Color("5")),
		},
	}

	rowMono = plain.Reverse(true)
	mono    = palette{
		Ground: {
			Plain: plain, Rest: plain.Faint(true), Moved: plain, Strong: bold, Accent: bold,
			Good: plain, Warn: bold, Bad: bold, Mark: bold, Demo: rowMono,
		},
		Cursor: {
			Plain: rowMono, Rest: rowMono, Moved: rowMono, Strong: rowMono.Bold(true), Accent: rowMono.Bold(true),
			Good: rowMono, Warn: rowMono.Bold(true), Bad: rowMono.Bold(true), Mark: rowMono.Bold(true), Demo: rowMono,
		},
	}
)

func inks(s lipgloss.Style, colour string) lipgloss.Style {
	return s.Foreground(lipgloss.Color(colour))
}

// Signs are the few characters beyond letters, in Unicode or ASCII. Each takes
// one cell in every terminal: no emoji, nothing of ambiguous width that fonts
// draw double.
type Signs struct {
	Open, Closed string // a service with its servers shown, or not
	Marked       string
	Problem      string
	Live, Paused string
	Up, Down     string // sort directions
	Rule         string
	Tick         string // a moment on an axis
	Upright      string // a line through a plot
	Cut          string // text left out
	Unknown      string
	Enter        string
	Arrows       string   // up and down
	Bars         []string // none fills its cell, so that rows stay apart
}

// Unicode is the signs for a UTF-8 terminal.
var Unicode = &Signs{
	Open: "▾", Closed: "▸", Marked: "●", Problem: "!", Live: "●", Paused: "■",
	Up: "▲", Down: "▼", Rule: "─", Tick: "┬", Upright: "│", Cut: "…", Unknown: "·", Enter: "↵", Arrows: "↑↓",
	Bars: []string{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇"},
}

// ASCII is the signs for every other one.
var ASCII = &Signs{
	Open: "v", Closed: ">", Marked: "*", Problem: "!", Live: "o", Paused: "#",
	Up: "^", Down: "v", Rule: "-", Tick: "+", Upright: "|", Cut: "~", Unknown: ".", Enter: "Enter", Arrows: "Up/Down",
	Bars: []string{" ", "_", ".", ",", "-", "=", "+", "*"},
}

// Package paint turns meaning into what a terminal shows: styles by what they
// say rather than by colour, signs with an ASCII form, and lines of exact width.
//
// Styles are SGR sequences made once: rendering one per cell through a style
// library costs fifty times as much. Bubble Tea parses them back into cells and
// sends only the cells that changed.
//
// Out of scope: which meaning a thing has.
package paint

import "github.com/charmbracelet/colorprofile"

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
	sgr    [nBases][nStyles]string
	colour bool
}

// NewTheme makes the theme for what the terminal can show. The colours hold on
// dark and on light backgrounds; with 16 colours or none the cursor row is
// reversed; faint, bold and underlined carry what colour
// cannot.
func NewTheme(p colorprofile.Profile) *Theme {
	switch {
	case p >= colorprofile.ANSI256:
		const onCursor = "\x1b[38;5;231;48;5;24m"
		return &Theme{colour: true, sgr: [nBases][nStyles]string{
			Ground: {"", "\x1b[38;5;244m", "", "\x1b[1m", "\x1b[1;38;5;33m", "\x1b[38;5;34m", "\x1b[38;5;172m", "\x1b[1;38;5;160m", "\x1b[1;38;5;33m", "\x1b[1;38;5;231;48;5;90m"},
			Cursor: {onCursor, "\x1b[38;5;153;48;5;24m", onCursor, "\x1b[1;38;5;231;48;5;24m", "\x1b[1;38;5;231;48;5;24m", "\x1b[38;5;157;48;5;24m", "\x1b[38;5;222;48;5;24m", "\x1b[1;38;5;217;48;5;24m", "\x1b[1;38;5;231;48;5;24m", "\x1b[1;38;5;231;48;5;90m"},
		}}
	case p == colorprofile.ANSI:
		return &Theme{colour: true, sgr: [nBases][nStyles]string{
			Ground: {"", "\x1b[90m", "", "\x1b[1m", "\x1b[1;34m", "\x1b[32m", "\x1b[33m", "\x1b[1;31m", "\x1b[1;34m", "\x1b[1;37;45m"},
			Cursor: {"\x1b[97;44m", "\x1b[37;44m", "\x1b[97;44m", "\x1b[1;97;44m", "\x1b[1;97;44m", "\x1b[92;44m", "\x1b[93;44m", "\x1b[1;97;44m", "\x1b[1;97;44m", "\x1b[1;37;45m"},
		}}
	}
	return &Theme{sgr: [nBases][nStyles]string{
		Ground: {"", "\x1b[2m", "", "\x1b[1m", "\x1b[1m", "", "\x1b[1m", "\x1b[1;4m", "\x1b[1m", "\x1b[7m"},
		Cursor: {"\x1b[7m", "\x1b[7m", "\x1b[7m", "\x1b[1;7m", "\x1b[1;7m", "\x1b[7m", "\x1b[1;7m", "\x1b[1;7m", "\x1b[1;7m", "\x1b[7m"},
	}}
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
	Cut          string // text left out
	Unknown      string
	Enter        string
	Arrows       string   // up and down
	Bars         []string // none fills its cell, so that rows stay apart
}

// Unicode is the signs for a UTF-8 terminal.
var Unicode = &Signs{
	Open: "▾", Closed: "▸", Marked: "●", Problem: "!", Live: "●", Paused: "■",
	Up: "▲", Down: "▼", Rule: "─", Cut: "…", Unknown: "·", Enter: "↵", Arrows: "↑↓",
	Bars: []string{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇"},
}

// ASCII is the signs for every other one.
var ASCII = &Signs{
	Open: "v", Closed: ">", Marked: "*", Problem: "!", Live: "o", Paused: "#",
	Up: "^", Down: "v", Rule: "-", Cut: "~", Unknown: ".", Enter: "Enter", Arrows: "Up/Down",
	Bars: []string{" ", "_", ".", ",", "-", "=", "+", "*"},
}

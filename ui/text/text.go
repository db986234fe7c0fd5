// Package text makes strings fit to stand in a cell of the screen: cleaned of
// everything that could move the cursor or lie about the order of letters, and
// cut to a width.
//
// Out of scope: colour and layout.
package text

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// Clean removes what text from elsewhere must not bring to a terminal: control
// characters (C0, C1, DEL), formatting characters (zero width, bidirectional
// overrides) and invalid UTF-8. Tabs and line ends become spaces.
func Clean(s string) string {
	if plain(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case r == unicode.ReplacementChar, !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
}

// plain tells printable ASCII, which nearly everything is.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// Width is how many cells a clean string takes.
func Width(s string) int {
	if plain(s) {
		return len(s)
	}
	return ansi.StringWidth(s)
}

// Cut shortens a clean string to at most width cells, ending in the sign for
// left-out text.
func Cut(s string, width int, sign string) string {
	switch {
	case Width(s) <= width:
		return s
	case width <= 0:
		return ""
	}
	return ansi.Truncate(s, width, sign)
}

// CutMiddle shortens a clean string to at most width cells and keeps both ends:
// of an address the network and the port, which tell rows apart.
func CutMiddle(s string, width int, sign string) string {
	w := Width(s)
	switch {
	case w <= width:
		return s
	case width <= 0:
		return ""
	case width <= 2*Width(sign)+1:
		return Cut(s, width, sign)
	}
	keep := width - Width(sign)
	left := ansi.Truncate(s, keep/2, "")
	// A wide character on the cut stays whole, so the end may be one cell too long.
	drop := w - (keep - keep/2)
	right := ansi.TruncateLeft(s, drop, "")
	for ; Width(right) > keep-keep/2; drop++ {
		right = ansi.TruncateLeft(s, drop, "")
	}
	return left + sign + right
}

// CutLeft shortens a clean string to at most width cells and keeps its end: of a
// path the file's name.
func CutLeft(s string, width int, sign string) string {
	w := Width(s)
	switch {
	case w <= width:
		return s
	case width <= Width(sign):
		return Cut(s, width, sign)
	}
	drop := w - width + Width(sign)
	right := ansi.TruncateLeft(s, drop, "")
	for ; Width(right) > width-Width(sign); drop++ { // a wide character on the cut stays whole
		right = ansi.TruncateLeft(s, drop, "")
	}
	return sign + right
}

// Or is the string, or a word in place of an empty one.
func Or(s, word string) string {
	if s == "" {
		return word
	}
	return s
}

// YesNo is a truth in a word.
func YesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

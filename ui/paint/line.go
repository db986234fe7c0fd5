package paint

import (
	"strings"

	"lvsdeck/ui/text"
)

// Line builds one line of the screen from pieces of styled text and never grows
// beyond its width. Text must be clean (text.Clean).
type Line struct {
	b     strings.Builder
	sgr   *[nStyles]string
	width int
	used  int
	last  Style
	drawn bool
}

// Line starts a line of a width on a base.
func (t *Theme) Line(base Base, width int) *Line {
	l := &Line{sgr: &t.sgr[base], width: width}
	l.b.Grow(width + 64)
	return l
}

// Room is how many cells are left.
func (l *Line) Room() int { return l.width - l.used }

// Put writes text, cut at the line's end.
func (l *Line) Put(s Style, str string) *Line {
	w := text.Width(str)
	if w > l.Room() {
		str = text.Cut(str, l.Room(), "")
		w = text.Width(str)
	}
	l.put(s, str, w)
	return l
}

// Left writes text in a field of a width, cut with the sign if too long.
func (l *Line) Left(s Style, str string, width int, cut string) *Line {
	str = text.Cut(str, width, cut)
	return l.Put(s, str).Space(width - text.Width(str))
}

// Right writes text at the right end of a field.
func (l *Line) Right(s Style, str string, width int, cut string) *Line {
	str = text.Cut(str, width, cut)
	return l.Space(width-text.Width(str)).Put(s, str)
}

const blanks = "                                                                "

// Space writes blanks. They keep the style of the text before them, which no eye
// can tell on a blank, so that two changed numbers side by side need no bytes for
// styles in between. Only a style with a ground of its own ends where it ends.
func (l *Line) Space(n int) *Line {
	style := l.last
	if style == Demo {
		style = Plain
	}
	return l.blank(style, n)
}

func (l *Line) blank(s Style, n int) *Line {
	for n = min(n, l.Room()); n > 0; n -= len(blanks) {
		k := min(n, len(blanks))
		l.put(s, blanks[:k], k)
	}
	return l
}

// Fill repeats a one-cell sign over n cells.
func (l *Line) Fill(s Style, sign string, n int) *Line {
	if n = min(n, l.Room()); n > 0 {
		l.put(s, strings.Repeat(sign, n), n)
	}
	return l
}

func (l *Line) put(s Style, str string, w int) {
	if str == "" {
		return
	}
	if !l.drawn || s != l.last {
		if l.drawn && l.sgr[l.last] != "" {
			l.b.WriteString("\x1b[m")
		}
		l.b.WriteString(l.sgr[s])
		l.last, l.drawn = s, true
	}
	l.b.WriteString(str)
	l.used += w
}

// String is the line, filled with its base to the full width.
func (l *Line) String() string {
	l.blank(Plain, l.Room()) // plain, so that a terminal can erase instead
	if l.drawn && l.sgr[l.last] != "" {
		l.b.WriteString("\x1b[m")
	}
	return l.b.String()
}

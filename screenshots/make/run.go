package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	uv "github.com/charmbracelet/ultraviolet"

	"lvsdeck/lab/screen"
)

// run is neighbouring cells of one style that are drawn together: text, or signs
// drawn as shapes.
type run struct {
	x, width int
	style    uv.Style
	text     string
	cursor   bool
	signs    bool
}

// runs cuts a line where the style changes, and around what is not plain text.
func runs(f *screen.Frame, y int) []run {
	var out []run
	for x := 0; x < f.Width(); {
		c := f.Cell(x, y)
		cursor := f.CursorShown && x == f.CursorX && y == f.CursorY
		next := run{x, max(1, c.Width), c.Style, c.Content, cursor, shapes[c.Content] != nil}
		x += next.width
		if n := len(out); n > 0 && out[n-1].takes(next) {
			out[n-1].width += next.width
			out[n-1].text += next.text
		} else {
			out = append(out, next)
		}
	}
	return out
}

func (r *run) takes(next run) bool {
	return r.style == next.style && !r.cursor && !next.cursor && r.signs == next.signs &&
		(r.signs || ascii(r.text) && ascii(next.text))
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

func (r *run) draw(y int, l look) string {
	if r.signs {
		return r.drawShapes(y, l)
	}
	// Wide gaps part a text, so that each piece starts in its own column.
	var b strings.Builder
	for x, rest := r.x, r.text; ; {
		text := strings.TrimLeft(rest, " ")
		x += len(rest) - len(text)
		if text == "" {
			return b.String()
		}
		piece, _, _ := strings.Cut(text, "  ")
		width := len(piece)
		if !ascii(piece) {
			width = r.width
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" textLength="%d" lengthAdjust="spacingAndGlyphs" class="%s">%s</text>`+"\n",
			x*cellWidth, y*cellHeight+baseline, width*cellWidth, l.class, escape(piece))
		x += width
		rest = text[len(piece):]
	}
}

// drawShapes draws signs of which fonts have their own ideas: bars that must
// touch the line's foot, rules that must meet, and small figures.
func (r *run) drawShapes(y int, l look) string {
	var d strings.Builder
	x := r.x
	for _, sign := range r.text {
		d.WriteString(shapes[string(sign)](x*cellWidth, y*cellHeight))
		x++
	}
	return fmt.Sprintf(`<path d="%s" fill="%s"/>`+"\n", d.String(), l.letters)
}

// shapes draw a sign in the cell whose upper left corner is given.
var shapes = map[string]func(x, y int) string{
	"─": func(x, y int) string { return box(x, y+9, cellWidth, 1) },
	"▸": triangle(1, -4, 6, 4, 0, 8),
	"▾": triangle(0, -3, 8, 0, 4, 6),
	"▼": triangle(0, -3, 8, 0, 4, 7),
	"▲": triangle(0, 4, 8, 0, 4, -7),
	"●": func(x, y int) string { return fmt.Sprintf("M%d %da3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z", x+1, y+10) },
	"■": func(x, y int) string { return box(x+1, y+6, 7, 7) },
}

func init() {
	for i, sign := range []rune("▁▂▃▄▅▆▇█") {
		shapes[string(sign)] = func(x, y int) string {
			high := (i + 1) * cellHeight / 8
			return box(x, y+cellHeight-high, cellWidth, high)
		}
	}
}

func box(x, y, width, height int) string {
	return fmt.Sprintf("M%d %dh%dv%dh-%dz", x, y, width, height, width)
}

// triangle goes from a point relative to the left of the cell's middle along two
// sides; the end of each is relative to the first point.
func triangle(startX, startY, ax, ay, bx, by int) func(x, y int) string {
	return func(x, y int) string {
		return fmt.Sprintf("M%d %dl%d %dL%d %dz", x+startX, y+10+startY, ax, ay, x+startX+bx, y+10+startY+by)
	}
}

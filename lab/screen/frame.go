package screen

import (
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
)

// Frame is what stood on the screen at one moment. It does not change.
type Frame struct {
	cells *uv.Buffer
	// Alt tells that it is the alternate screen.
	Alt bool
	// Cursor is where the cursor is; it may be hidden.
	CursorX, CursorY int
	CursorShown      bool
}

// Width is the columns.
func (f *Frame) Width() int { return f.cells.Width() }

// Height is the lines.
func (f *Frame) Height() int { return f.cells.Height() }

// Cell is the cell at a place on the screen. The right half of a wide letter has
// the width 0.
func (f *Frame) Cell(x, y int) uv.Cell { return *f.cells.CellAt(x, y) }

// Line is a line's text without blanks at its end.
func (f *Frame) Line(y int) string {
	var b strings.Builder
	for x := range f.Width() {
		b.WriteString(f.cells.CellAt(x, y).Content)
	}
	return strings.TrimRight(b.String(), " ")
}

// Text is all lines, each ended by a newline.
func (f *Frame) Text() string {
	var b strings.Builder
	for y := range f.Height() {
		b.WriteString(f.Line(y) + "\n")
	}
	return b.String()
}

// Has tells whether every one of the texts is on the screen, each within a line.
func (f *Frame) Has(texts ...string) bool {
	all := f.Text()
	for _, t := range texts {
		if !strings.Contains(all, t) {
			return false
		}
	}
	return true
}

// frame is the newest whole frame.
func (e *emulator) frame() *Frame {
	if e.held != nil {
		return e.held
	}
	return &Frame{cells: e.cells.Clone(), Alt: e.on(modeAlt), CursorX: e.x, CursorY: e.y, CursorShown: e.on(modeCursor)}
}

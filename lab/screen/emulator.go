package screen

import (
	"fmt"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// emulator turns the bytes a program writes into cells. It behaves like xterm:
// erasing paints with the current background, and the cursor waits beyond the
// last column for the next letter before it wraps.
type emulator struct {
	parser *ansi.Parser
	modes

	width, height int
	main, alt     *uv.Buffer
	cells         *uv.Buffer // the one of the two that is shown
	held          *Frame     // the last whole frame, while one is being drawn

	x, y        int
	wrap        bool // a letter stands in the last column; the next one wraps
	top, bottom int  // scroll region, bottom excluded
	pen         uv.Style
	last        string // what REP repeats
	saved       cursor
	unknown     []string
	answer      func(string) // sends an answer to the program
}

type cursor struct {
	x, y int
	pen  uv.Style
}

func newEmulator(width, height int, answer func(string)) *emulator {
	e := &emulator{parser: ansi.NewParser(), width: width, height: height, bottom: height, answer: answer}
	e.main, e.alt = uv.NewBuffer(width, height), uv.NewBuffer(width, height)
	e.cells = e.main
	e.modes = newModes()
	e.parser.SetHandler(ansi.Handler{
		Print:     e.print,
		Execute:   e.control,
		HandleEsc: e.escape,
		HandleCsi: e.csi,
		HandleOsc: e.command,
		HandleDcs: func(cmd ansi.Cmd, _ ansi.Params, _ []byte) { e.strange("DCS %c", cmd.Final()) },
	})
	return e
}

func (e *emulator) write(p []byte) { e.parser.Parse(p) }

// resize keeps the upper left part, as a terminal that does not reflow.
func (e *emulator) resize(width, height int) {
	e.main.Resize(width, height)
	e.alt.Resize(width, height)
	e.width, e.height = width, height
	e.top, e.bottom = 0, height
	e.moveTo(e.x, e.y)
}

func (e *emulator) strange(format string, args ...any) {
	e.unknown = append(e.unknown, fmt.Sprintf(format, args...))
}

// print puts one letter where the cursor is.
func (e *emulator) print(r rune) {
	letter := string(r)
	width := ansi.StringWidth(letter)
	if width == 0 {
		e.combine(letter)
		return
	}
	if e.wrap || e.x+width > e.width {
		if e.on(modeWrap) {
			e.x = 0
			e.lineFeed()
		} else {
			e.x = e.width - width
		}
		e.wrap = false
	}
	if e.insert {
		e.cells.InsertCellArea(e.x, e.y, width, e.blank(), e.cells.Bounds())
	}
	e.cells.SetCell(e.x, e.y, &uv.Cell{Content: letter, Width: width, Style: e.pen})
	e.last = letter
	if e.x += width; e.x >= e.width {
		e.x, e.wrap = e.width-1, true
	}
}

// combine adds a mark to the letter before the cursor.
func (e *emulator) combine(mark string) {
	x := e.x - 1
	if e.wrap {
		x = e.x
	}
	for x > 0 && e.cells.CellAt(x, e.y).Width == 0 {
		x--
	}
	if x >= 0 {
		e.cells.CellAt(x, e.y).Content += mark
	}
}

func (e *emulator) control(b byte) {
	switch b {
	case '\r':
		e.moveTo(0, e.y)
	case '\n', '\v', '\f':
		e.wrap = false
		e.lineFeed()
	case '\b':
		e.moveTo(e.x-1, e.y)
	case '\t':
		e.tab(1)
	case 0, '\a':
	default:
		e.strange("control %#x", b)
	}
}

func (e *emulator) escape(cmd ansi.Cmd) {
	switch {
	case cmd.Intermediate() != 0:
		e.strange("ESC %c %c", cmd.Intermediate(), cmd.Final())
	case cmd.Final() == '7':
		e.saved = cursor{e.x, e.y, e.pen}
	case cmd.Final() == '8':
		e.restoreCursor()
	case cmd.Final() == 'D':
		e.lineFeed()
	case cmd.Final() == 'E':
		e.x = 0
		e.lineFeed()
	case cmd.Final() == 'M':
		e.reverseLineFeed()
	case cmd.Final() == '\\': // the end of a string command
	default:
		e.strange("ESC %c", cmd.Final())
	}
}

func (e *emulator) restoreCursor() {
	e.pen = e.saved.pen
	e.moveTo(e.saved.x, e.saved.y)
}

// command takes window titles; colours asked for or set have no part here.
func (e *emulator) command(cmd int, data []byte) {
	switch cmd {
	case 0, 2:
		_, e.title = splitCommand(data)
	case 8, 10, 11, 12, 22, 110, 111, 112:
	default:
		e.strange("OSC %d", cmd)
	}
}

func (e *emulator) moveTo(x, y int) {
	e.x, e.y = max(0, min(x, e.width-1)), max(0, min(y, e.height-1))
	e.wrap = false
}

// tab goes on by n tab stops, or back.
func (e *emulator) tab(n int) {
	const stop = 8
	e.moveTo((e.x/stop+n)*stop, e.y)
}

func (e *emulator) lineFeed() {
	switch {
	case e.y == e.bottom-1:
		e.scroll(1)
	case e.y < e.height-1:
		e.y++
	}
}

func (e *emulator) reverseLineFeed() {
	switch {
	case e.y == e.top:
		e.scroll(-1)
	case e.y > 0:
		e.y--
	}
	e.wrap = false
}

// region is the lines that scroll, from one of them on.
func (e *emulator) region(from int) uv.Rectangle {
	return uv.Rect(0, from, e.width, e.bottom-from)
}

// scroll moves the region's text up by n lines, or down.
func (e *emulator) scroll(n int) {
	if n > 0 {
		e.cells.DeleteLineArea(e.top, n, e.blank(), e.region(e.top))
	} else {
		e.cells.InsertLineArea(e.top, -n, e.blank(), e.region(e.top))
	}
}

// blank is what erasing leaves.
func (e *emulator) blank() *uv.Cell {
	c := uv.EmptyCell
	c.Style.Bg = e.pen.Bg
	return &c
}

// erase blanks the cells from one place to before another, in reading order.
func (e *emulator) erase(fromX, fromY, toX, toY int) {
	for y := fromY; y <= min(toY, e.height-1); y++ {
		from, to := 0, e.width
		if y == fromY {
			from = fromX
		}
		if y == toY {
			to = min(toX, e.width)
		}
		e.cells.FillArea(e.blank(), uv.Rect(from, y, to-from, 1))
	}
}

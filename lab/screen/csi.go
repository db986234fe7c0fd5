package screen

import (
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// csi obeys a control sequence.
func (e *emulator) csi(cmd ansi.Cmd, params ansi.Params) {
	known := false
	switch {
	case cmd.Prefix() == '?' && (cmd.Final() == 'h' || cmd.Final() == 'l') && cmd.Intermediate() == 0:
		known = e.setPrivate(params, cmd.Final() == 'h')
	case cmd.Prefix() != 0 || cmd.Intermediate() != 0:
		known = e.talk(cmd, params)
	case cmd.Final() == 'm':
		uv.ReadStyle(params, &e.pen)
		known = true
	default:
		known = e.move(cmd.Final(), params) || e.edit(cmd.Final(), params)
	}
	if !known {
		e.strange("CSI %q %v %q %c", cmd.Prefix(), params, cmd.Intermediate(), cmd.Final())
	}
}

// count is a parameter of which neither none nor 0 is less than 1.
func count(params ansi.Params, i int) int {
	n, _, _ := params.Param(i, 1)
	return max(1, n)
}

// choice is a parameter whose default is 0.
func choice(params ansi.Params, i int) int {
	n, _, _ := params.Param(i, 0)
	return n
}

// move moves the cursor.
func (e *emulator) move(final byte, params ansi.Params) bool {
	n := count(params, 0)
	switch final {
	case 'A':
		e.moveTo(e.x, e.upTo(n))
	case 'B', 'e':
		e.moveTo(e.x, e.downTo(n))
	case 'C', 'a':
		e.moveTo(e.x+n, e.y)
	case 'D':
		e.moveTo(e.x-n, e.y)
	case 'E':
		e.moveTo(0, e.downTo(n))
	case 'F':
		e.moveTo(0, e.upTo(n))
	case 'G', '`':
		e.moveTo(n-1, e.y)
	case 'd':
		e.moveTo(e.x, n-1)
	case 'H', 'f':
		e.moveTo(count(params, 1)-1, n-1)
	case 'I':
		e.tab(n)
	case 'Z':
		// From between two stops the first step back goes to the stop before.
		e.moveTo(((e.x+7)/8-n)*8, e.y)
	case 's':
		e.saved = cursor{e.x, e.y, e.pen}
	case 'u':
		e.restoreCursor()
	default:
		return false
	}
	return true
}

// upTo is the line n above; a cursor inside the scroll region stays in it.
func (e *emulator) upTo(n int) int {
	if e.y >= e.top {
		return max(e.top, e.y-n)
	}
	return e.y - n
}

// downTo is the line n below, likewise.
func (e *emulator) downTo(n int) int {
	if e.y < e.bottom {
		return min(e.bottom-1, e.y+n)
	}
	return e.y + n
}

// edit changes cells, or where editing takes place.
func (e *emulator) edit(final byte, params ansi.Params) bool {
	n := count(params, 0)
	switch final {
	case 'J':
		return e.eraseDisplay(choice(params, 0))
	case 'K':
		return e.eraseLine(choice(params, 0))
	case 'X':
		e.erase(e.x, e.y, e.x+n, e.y)
	case '@':
		e.cells.InsertCellArea(e.x, e.y, n, e.blank(), e.cells.Bounds())
	case 'P':
		e.cells.DeleteCellArea(e.x, e.y, n, e.blank(), e.cells.Bounds())
	case 'L':
		if e.y >= e.top {
			e.cells.InsertLineArea(e.y, n, e.blank(), e.region(e.top))
			e.moveTo(0, e.y)
		}
	case 'M':
		if e.y >= e.top {
			e.cells.DeleteLineArea(e.y, n, e.blank(), e.region(e.top))
			e.moveTo(0, e.y)
		}
	case 'S':
		e.scroll(n)
	case 'T':
		e.scroll(-n)
	case 'b':
		for _, r := range e.last {
			for range min(n, e.width*e.height) {
				e.print(r)
			}
		}
	case 'r':
		e.setRegion(params)
	case 'h', 'l':
		return e.setAnsi(params, final == 'h')
	case 'n', 'c', 't': // asks for reports, which nobody here relies on
	default:
		return false
	}
	return true
}

func (e *emulator) setRegion(params ansi.Params) {
	top, bottom := count(params, 0)-1, choice(params, 1)
	if bottom == 0 || bottom > e.height {
		bottom = e.height
	}
	if top < bottom-1 {
		e.top, e.bottom = top, bottom
		e.moveTo(0, 0)
	}
}

func (e *emulator) eraseDisplay(which int) bool {
	switch which {
	case 0:
		e.erase(e.x, e.y, e.width, e.height-1)
	case 1:
		e.erase(0, 0, e.x+1, e.y)
	case 2, 3:
		e.erase(0, 0, e.width, e.height-1)
	default:
		return false
	}
	return true
}

func (e *emulator) eraseLine(which int) bool {
	switch which {
	case 0:
		e.erase(e.x, e.y, e.width, e.y)
	case 1:
		e.erase(0, e.y, e.x+1, e.y)
	case 2:
		e.erase(0, e.y, e.width, e.y)
	default:
		return false
	}
	return true
}

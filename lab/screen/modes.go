package screen

import (
	"bytes"
	"fmt"
	"slices"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// The private modes that mean something to the emulator.
const (
	modeWrap   = 7
	modeCursor = 25
	modeAlt    = 1049
	modeSync   = 2026
)

// fromStart are the private modes that are on when a program is started.
var fromStart = []int{modeWrap, modeCursor}

// bystanders are private modes that change what the terminal sends, not what it
// shows: cursor keys, mouse, focus, paste, Unicode core.
var bystanders = []int{1, 12, 1000, 1002, 1003, 1004, 1006, 1015, 2004, 2027}

// modes is what a program can switch and has to switch back.
type modes struct {
	private   map[int]bool
	insert    bool
	title     string
	otherKeys int
	// The keyboard protocol has a stack for each of the two screens.
	kitty map[bool][]int
}

func newModes() modes {
	m := modes{private: map[int]bool{}, kitty: map[bool][]int{}}
	for _, mode := range fromStart {
		m.private[mode] = true
	}
	return m
}

func (m *modes) on(mode int) bool { return m.private[mode] }

// setPrivate switches DEC private modes.
func (e *emulator) setPrivate(params ansi.Params, on bool) bool {
	known := true
	params.ForEach(0, func(_, mode int, _ bool) {
		switch mode {
		case modeWrap, modeCursor:
		case modeAlt:
			e.switchScreen(on)
		case modeSync:
			e.synchronize(on)
		default:
			known = known && slices.Contains(bystanders, mode)
		}
		e.private[mode] = on
	})
	return known
}

func (e *emulator) switchScreen(alt bool) {
	switch {
	case alt == e.on(modeAlt):
	case alt:
		e.saved = cursor{e.x, e.y, e.pen}
		e.cells = e.alt
		e.erase(0, 0, e.width, e.height-1)
	default:
		e.cells = e.main
		e.restoreCursor()
	}
}

// synchronize holds back the frame that is being drawn until it is whole.
func (e *emulator) synchronize(on bool) {
	e.held = nil
	if on {
		e.held = e.frame()
	}
}

// setAnsi switches the public modes, of which programs use one.
func (e *emulator) setAnsi(params ansi.Params, on bool) bool {
	if choice(params, 0) != 4 {
		return false
	}
	e.insert = on
	return true
}

// talk is what programs and terminals agree on about keyboards and abilities.
func (e *emulator) talk(cmd ansi.Cmd, params ansi.Params) bool {
	alt := e.on(modeAlt)
	switch fmt.Sprintf("%s%s%c", sign(cmd.Prefix()), sign(cmd.Intermediate()), cmd.Final()) {
	case ">u":
		e.kitty[alt] = append(e.kitty[alt], choice(params, 0))
	case "<u":
		stack := e.kitty[alt]
		e.kitty[alt] = stack[:max(0, len(stack)-count(params, 0))]
	case ">m":
		e.otherKeys = 0
		if choice(params, 0) == 4 {
			e.otherKeys = choice(params, 1)
		}
	case "?$p":
		if choice(params, 0) == modeSync {
			e.answer("\x1b[?2026;2$y")
		}
	case "=u", "?u", "?m", " q", ">q", ">c", "?n", "?W": // asks, the cursor's form, usual tab stops
	default:
		return false
	}
	return true
}

func sign(b byte) string {
	if b == 0 {
		return ""
	}
	return string(b)
}

// leftovers names all that the program has switched and not switched back.
func (e *emulator) leftovers() []string {
	var out []string
	for mode, on := range e.private {
		if on != slices.Contains(fromStart, mode) {
			out = append(out, fmt.Sprintf("mode ?%d is %t", mode, on))
		}
	}
	slices.Sort(out)
	note := func(left bool, format string, args ...any) {
		if left {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	note(e.insert, "insert mode is on")
	note(e.title != "", "the title is %q", e.title)
	note(e.otherKeys != 0, "modifyOtherKeys is %d", e.otherKeys)
	note(len(e.kitty[false]) > 0, "kitty keyboard flags on the main screen: %v", e.kitty[false])
	note(len(e.kitty[true]) > 0, "kitty keyboard flags on the alternate screen: %v", e.kitty[true])
	note(e.pen != uv.Style{}, "text is styled %q", e.pen.String())
	note(e.top != 0 || e.bottom != e.height, "only lines %d to %d scroll", e.top+1, e.bottom)
	return out
}

// splitCommand parts an OSC's number from its text.
func splitCommand(data []byte) (number, text string) {
	n, t, _ := bytes.Cut(data, []byte{';'})
	return string(n), string(t)
}

package screen

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

func emulate(width, height int, text string) *emulator {
	e := newEmulator(width, height, func(string) {})
	e.write([]byte(text))
	return e
}

func TestEmulatorDraws(t *testing.T) {
	for _, c := range []struct{ name, wrote, want string }{
		{"text", "ab\r\ncd", "ab|cd|"},
		{"the last column waits", "12345\r\nx", "12345|x|"},
		{"and then wraps", "123456", "12345|6|"},
		{"unless told not to", "\x1b[?7l123456", "12346||"},
		{"wide letters wrap whole", "1234日", "1234|日|"},
		{"combining marks take no cell", "e\u0301x", "e\u0301x||"},
		{"cursor position", "\x1b[2;3Hx\x1b[1Gy\x1b[3dz", "|y x| z"},
		{"relative moves", "\x1b[2;3H\x1b[Aa\x1b[2Db\x1b[Bc", " ba|  c|"},
		{"erase", "12345\x1b[3G\x1b[2X", "12  5||"},
		{"erase to both ends", "12345\x1b[2G\x1b[1K\r\n12345\x1b[3G\x1b[K", "  345|12|"},
		{"insert and delete cells", "abcd\x1b[2G\x1b[@\r\nabcd\x1b[2G\x1b[P", "a bcd|acd|"},
		{"insert mode", "abc\x1b[1G\x1b[4hX\x1b[4lY", "XYbc||"},
		{"insert and delete lines", "a\r\nb\r\nc\x1b[1;1H\x1b[L\x1b[3;1H\x1b[M", "|a|"},
		{"repeat", "x\x1b[3b", "xxxx||"},
		{"scroll", "a\r\nb\r\nc\x1b[S", "b|c|"},
		{"scroll region", "a\r\nb\r\nc\x1b[2;3r\x1b[3;1H\nd", "a|c|d"},
		{"reverse line feed", "a\r\nb\x1b[1;1H\x1bMx", "x|a|b"},
		{"tabs", "\ta", "    a||"},
		{"alternate screen", "a\x1b[?1049hbbb\x1b[?1049lc", "ac||"},
		{"a whole frame only", "old\x1b[?2026h\rnew", "old||"},
	} {
		e := emulate(5, 3, c.wrote)
		if got := strings.ReplaceAll(strings.TrimSuffix(e.frame().Text(), "\n"), "\n", "|"); got != c.want {
			t.Errorf("%s: %q gave %q, want %q", c.name, c.wrote, got, c.want)
		}
		if len(e.unknown) > 0 {
			t.Errorf("%s: not understood: %q", c.name, e.unknown)
		}
	}
}

func TestEmulatorStyles(t *testing.T) {
	f := emulate(8, 1, "\x1b[1;31ma\x1b[38;5;244;7mb\x1b[m\x1b[48;2;1;2;3mc\x1b[K").frame()
	for x, want := range []uv.Style{
		{Fg: ansi.Red, Attrs: uv.AttrBold},
		{Fg: ansi.IndexedColor(244), Attrs: uv.AttrBold | uv.AttrReverse},
	} {
		if got := f.Cell(x, 0).Style; got != want {
			t.Errorf("cell %d is %#v, want %#v", x, got, want)
		}
	}
	if a, b := f.Cell(2, 0).Style.Bg, f.Cell(7, 0).Style.Bg; a == nil || a != b {
		t.Errorf("a line is erased with background %v, want the pen's %v", b, a)
	}
}

func TestEmulatorLeftovers(t *testing.T) {
	const on = "\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[>1u\x1b[>4;2m\x1b[2;3r\x1b]2;title\a\x1b[1m\x1b[?7l"
	const off = "\x1b[<1u\x1b[>4m\x1b[r\x1b[?1049l\x1b[?25h\x1b[?2004l\x1b]2;\a\x1b[m\x1b[?7h"
	e := emulate(5, 3, on)
	if got := e.leftovers(); len(got) != 9 {
		t.Errorf("left over are %d things: %q", len(got), got)
	}
	e.write([]byte(off))
	if got := e.leftovers(); len(got) > 0 {
		t.Errorf("still left over: %q", got)
	}
}

func TestEmulatorAdmitsWhatItDoesNotKnow(t *testing.T) {
	e := emulate(5, 3, "\x1b[5y\x1b(0\x1bPq\x1b\\")
	if len(e.unknown) != 3 {
		t.Errorf("noted %q", e.unknown)
	}
}

func TestEmulatorAnswersForWholeFrames(t *testing.T) {
	var answers []string
	e := newEmulator(5, 3, func(s string) { answers = append(answers, s) })
	e.write([]byte("\x1b[?2026$p\x1b[?2027$p"))
	if want := []string{"\x1b[?2026;2$y"}; !slices.Equal(answers, want) {
		t.Errorf("answered %q, want %q", answers, want)
	}
}

// compare names the first cell that two screens do not share. Of blanks the style
// is not compared: tmux does not tell the background of erased lines.
func compare(a, b *Frame) error {
	for y := range a.Height() {
		for x := range a.Width() {
			p, q := a.Cell(x, y), b.Cell(x, y)
			if p.Content != q.Content || p.Content != " " && p.Style != q.Style {
				return fmt.Errorf("line %d column %d: %+v and %+v", y+1, x+1, p, q)
			}
		}
	}
	return nil
}

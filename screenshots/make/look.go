package main

import (
	"fmt"
	"image/color"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// The terminal's own colours.
const (
	background = "#15181d"
	foreground = "#d5d9e0"
)

// basic is the 16 colours that every terminal chooses for itself.
var basic = [16]string{
	"#2b2f36", "#e06c6c", "#8fb573", "#d7b266", "#6ea4e0", "#b98bd4", "#63b5bd", "#c3c8d1",
	"#7d848f", "#f08a8a", "#a9cf8c", "#ecca82", "#8dbcf2", "#d0a6e8", "#7fd0d8", "#ffffff",
}

// look is how the cells of a run are painted.
type look struct {
	class           string
	letters, ground string
	bold            bool
}

// looks gives each look that occurs a class of the style sheet.
type looks struct {
	all   []look
	index map[look]string
}

func newLooks() *looks { return &looks{index: map[look]string{}} }

func (s *looks) of(r run) look {
	l := look{letters: paint(r.style.Fg, foreground), ground: paint(r.style.Bg, background), bold: r.style.Attrs&uv.AttrBold != 0}
	if (r.style.Attrs&uv.AttrReverse != 0) != r.cursor {
		l.letters, l.ground = l.ground, l.letters
	}
	key := look{letters: l.letters, bold: l.bold}
	if s.index[key] == "" {
		s.index[key] = "s" + fmt.Sprint(len(s.all))
		s.all = append(s.all, key)
	}
	l.class = s.index[key]
	return l
}

func (s *looks) css() string {
	var b strings.Builder
	for _, l := range s.all {
		fmt.Fprintf(&b, ".%s{fill:%s", s.index[l], l.letters)
		if l.bold {
			b.WriteString(";font-weight:bold")
		}
		b.WriteByte('}')
	}
	return b.String()
}

// paint is a terminal's colour on the web.
func paint(c color.Color, instead string) string {
	switch c := c.(type) {
	case nil:
		return instead
	case ansi.BasicColor:
		return basic[c]
	case ansi.IndexedColor:
		if int(c) < len(basic) {
			return basic[c]
		}
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

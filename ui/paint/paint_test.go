package paint

import (
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"lvsdeck/ui/text"
)

func TestLineHasExactlyItsWidth(t *testing.T) {
	for _, p := range []colorprofile.Profile{colorprofile.ASCII, colorprofile.ANSI, colorprofile.ANSI256, colorprofile.TrueColor} {
		for _, base := range []Base{Ground, Cursor} {
			l := NewTheme(p).Line(base, 20)
			l.Left(Strong, "left side that is long", 8, "…").Space(1).Right(Bad, "42", 5, "…").Put(Rest, "日本語日本語")
			got := ansi.Strip(l.String())
			if text.Width(got) != 20 {
				t.Errorf("profile %v base %v: %q is %d cells", p, base, got, text.Width(got))
			}
			if want := "left si…    42日本語"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	}
}

func TestSignsTakeOneCell(t *testing.T) {
	for _, g := range []*Signs{Unicode, ASCII} {
		one := []string{g.Open, g.Closed, g.Marked, g.Problem, g.Live, g.Paused, g.Up, g.Down, g.Rule, g.Cut, g.Unknown}
		for _, s := range append(one, g.Bars...) {
			if text.Width(s) != 1 {
				t.Errorf("%q takes %d cells", s, text.Width(s))
			}
		}
	}
	if len(Unicode.Bars) != len(ASCII.Bars) {
		t.Error("bars differ in number")
	}
}

func TestASCIIIsASCII(t *testing.T) {
	g := ASCII
	all := g.Open + g.Closed + g.Marked + g.Problem + g.Live + g.Paused + g.Up + g.Down + g.Rule + g.Cut + g.Unknown + g.Enter + g.Arrows + strings.Join(g.Bars, "")
	if i := strings.IndexFunc(all, func(r rune) bool { return r > '~' }); i >= 0 {
		t.Errorf("not ASCII at %d of %q", i, all)
	}
}

func TestSpark(t *testing.T) {
	for _, c := range []struct {
		points []float32
		width  int
		want   string
	}{
		{nil, 4, "    "},
		{[]float32{0, 0}, 4, "  ▁▁"},
		{[]float32{0, 1, 50, 100}, 4, "▁▂▅▇"},
		{[]float32{9, 9, 9, 0, -1, 100}, 3, "▁ ▇"},
		{[]float32{10, 10, 10, 10}, 4, "▅▅▅▅"}, // steady: half height
		{[]float32{10, 10, 10, 1}, 4, "▅▅▅▂"},  // a fall
		{[]float32{0, 0, 0, 1}, 4, "▁▁▁▅"},     // a single one is no storm
		{[]float32{5}, 0, ""},
	} {
		if got := Unicode.Spark(c.points, c.width); got != c.want {
			t.Errorf("Spark(%v, %d) = %q, want %q", c.points, c.width, got, c.want)
		}
	}
}

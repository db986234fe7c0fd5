package plain

import (
	"strings"
	"testing"

	"lvsdeck/ops/check"
	"lvsdeck/ui/text"
)

// TestPages: on a terminal no line is longer than it, what goes on stands further
// in, and nothing is lost.
func TestPages(t *testing.T) {
	const asked = "tcpdump -ni any -c 100 'host 10.0.0.1 and tcp port 443' or icmp"
	for _, c := range []struct {
		width int
		write func(*page)
		want  string
	}{
		{20, func(b *page) { b.line(5, "fault    one two three four five") }, "fault    one two\n     three four five\n"},
		{20, func(b *page) { b.line(5, "   %s", "evidence of some length here") }, "   evidence of some\n     length here\n"},
		{20, func(b *page) { b.line(5, "%s", strings.Repeat("x", 30)+" end") }, strings.Repeat("x", 30) + "\n     end\n"},
		{0, func(b *page) { b.line(5, "%s", strings.Repeat("x y ", 30)+"\x1b[2J") }, strings.Repeat("x y ", 30) + "[2J\n"},
		{30, func(b *page) { b.command(3, asked) }, "   tcpdump -ni any -c 100 \\\n     'host 10.0.0.1 and tcp port 443' \\\n     or icmp\n"},
		{80, func(b *page) { b.command(3, asked) }, "   " + asked + "\n"},
		{10, func(b *page) { b.line(5, "") }, "\n"},
	} {
		b := page{width: c.width}
		if c.write(&b); b.String() != c.want {
			t.Errorf("got\n%swant\n%s", b.String(), c.want)
		}
	}
}

// FuzzPages: whatever is written, breaking it up adds no word and loses none.
func FuzzPages(f *testing.F) {
	f.Add("fault    one two 'three four' five", uint8(12), uint8(5))
	f.Fuzz(func(t *testing.T, s string, width, hang uint8) {
		b := page{width: int(width)}
		b.line(int(hang), "%s", s)
		if got, want := strings.Fields(b.String()), strings.Fields(text.Clean(s)); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// TestCheckedOnATerminal: counts first, and no continuation that looks like a
// finding.
func TestCheckedOnATerminal(t *testing.T) {
	c := checked()
	c.Width = 60
	c.Findings[0].Short = strings.Repeat("the server does not answer ", 4)
	c.Findings[0].Means = strings.Repeat("Connections that are given to it time out. ", 3)
	var b strings.Builder
	if err := WriteChecked(&b, c, "table"); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(b.String(), "1 services, 2 servers: 1 fault, 1 warning\n") {
		t.Errorf("the counts are not first:\n%s", b.String())
	}
	for line := range strings.Lines(b.String()) {
		line = strings.TrimSuffix(line, "\n")
		known := strings.HasPrefix(line, " ")
		for _, begins := range []string{"SEVERITY", check.Fault.String(), check.Warning.String(), "!", "1 services"} {
			known = known || strings.HasPrefix(line, begins)
		}
		if !known || text.Width(line) > c.Width {
			t.Errorf("%q", line)
		}
	}
}

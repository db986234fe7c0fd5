package text

import (
	"strings"
	"testing"
	"unicode"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain 10.0.0.1:80":       "plain 10.0.0.1:80",
		"a\x1b[31mred\x1b[0m":     "a[31mred[0m",
		"bell\a back\b nul\x00":   "bell back nul",
		"line\nnext\ttab\r":       "line next tab ",
		"c1\u009bcsi":             "c1csi",
		"bidi\u202eevil\u2066x":   "bidievilx",
		"zero\u200bwidth\ufeff":   "zerowidth",
		"bad\xff\xfeutf8":         "badutf8",
		"größe 日本":                "größe 日本",
		"\x7fdel":                 "del",
		"osc\x1b]52;c;aGk=\x07 x": "osc]52;c;aGk= x",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		in    string
		width int
		want  string
	}{
		{"short", 10, "short"},
		{"exactly10!", 10, "exactly10!"},
		{"longer than that", 10, "longer th…"},
		{"日本語日本語", 5, "日本…"},
		{"x", 0, ""},
	} {
		if got := Cut(c.in, c.width, "…"); got != c.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", c.in, c.width, got, c.want)
		}
	}
}

func TestCutMiddle(t *testing.T) {
	for _, c := range []struct {
		in    string
		width int
		want  string
	}{
		{"[2001:db8::1]:80", 24, "[2001:db8::1]:80"},
		{"[2001:db8:1111:2222:3333:4444:5555:6666]:65535", 24, "[2001:db8:1…:6666]:65535"},
		{"abcdefgh", 3, "ab…"},
		{"abcdefgh", 0, ""},
	} {
		if got := CutMiddle(c.in, c.width, "…"); got != c.want {
			t.Errorf("CutMiddle(%q, %d) = %q, want %q", c.in, c.width, got, c.want)
		}
	}
}

func TestCutLeft(t *testing.T) {
	for _, c := range []struct {
		in    string
		width int
		want  string
	}{
		{"/tmp/a.txt", 10, "/tmp/a.txt"},
		{"/tmp/a.txt", 7, "…/a.txt"},
		{"/tmp/日本.txt", 8, "…本.txt"},
		{"/tmp", 1, "…"},
		{"/tmp", -1, ""},
	} {
		if got := CutLeft(c.in, c.width, "…"); got != c.want {
			t.Errorf("CutLeft(%q, %d) = %q, want %q", c.in, c.width, got, c.want)
		}
	}
}

func FuzzCut(f *testing.F) {
	f.Add("[2001:db8::1]:80", 8)
	f.Add("日本語\x1b[2J", 3)
	f.Fuzz(func(t *testing.T, s string, width int) {
		width = min(max(width, 0), 300)
		c := Clean(s)
		if strings.ContainsFunc(c, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
			t.Fatalf("Clean(%q) = %q keeps a control", s, c)
		}
		for name, cut := range map[string]func(string, int, string) string{"Cut": Cut, "CutMiddle": CutMiddle, "CutLeft": CutLeft} {
			if got := cut(c, width, "…"); Width(got) > width {
				t.Fatalf("%s(%q, %d) = %q, %d cells", name, c, width, got, Width(got))
			}
		}
	})
}

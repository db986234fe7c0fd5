package ui

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"lvsdeck/ipvs"
	"lvsdeck/ops/pulse"
	"lvsdeck/ui/paint"
)

// TestHelpFromEveryScreen: where nothing is typed the help opens, with that screen's
// own keys first, and any key goes back to it.
func TestHelpFromEveryScreen(t *testing.T) {
	for _, c := range []struct{ open, key, does string }{
		{"F", "p", "probe"},
		{"F tab", "esc", "back"},
		{"F tab", paint.Unicode.Enter, "fix"},
		{"J", "u", "undo it"},
		{"P", "esc", "back"},
		{"t", "esc", "back"},
		{"s", "tab", "states"},
		{"f7", "", ""}, // nothing on it
	} {
		d := checkedDirector(t, &told{report: reportOf(findings())}, 80, 24)
		d.do(strings.Fields(c.open)...)
		was := d.top()
		for _, key := range helpKeys {
			d.do(key)
			if _, is := d.top().(*help); !is {
				t.Fatalf("%s, %s:\n%s", c.open, key, grid(d.Model))
			}
			if was != nil {
				d.sees("the screen's own", "On the screen below", "\n "+c.key+" ", c.does)
			} else {
				d.seesNot("the list's are all there are", "On the screen below")
			}
			d.do("x")
			if d.top() != was {
				t.Errorf("%s: x leads to\n%s", c.open, grid(d.Model))
			}
		}
	}
	d := checkedDirector(t, &told{report: reportOf(findings())}, 80, 24)
	d.do("F", "/", "?")
	d.sees("a letter where something is typed", "filter ?")
	d.do("esc", "F", "?", "?")
	if d.top() != nil {
		t.Errorf("any key goes back:\n%s", grid(d.Model))
	}
}

// TestLineOfKeys: on a narrow screen the way out and the first key stay, and no key
// is cut through.
func TestLineOfKeys(t *testing.T) {
	m, _ := console(t, site(), 60, 16, nil)
	for want, keys := range map[string][]string{
		" a add   b bell   esc back":           {"a", "add", "b", "bell", "c", strings.Repeat("very ", 9), "esc", "back   scroll" + strings.Repeat(" on", 12)},
		" a add   b bell   tab log   esc back": {"a", "add", "b", "bell", "c", strings.Repeat("very ", 9), "tab", "log", "esc", "back"},
		" a add   esc back   PgUp":             {"a", "add", "esc", "back   PgUp"},
	} {
		m.message = ""
		if got := strings.TrimRight(ansi.Strip(m.keysLine(keys...)), " "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestStatusLineHasWhatFits: the counts of findings stand together, and what is
// short takes the room of what was too long.
func TestStatusLineHasWhatFits(t *testing.T) {
	d := checkedDirector(t, &told{report: reportOf(findings())}, 60, 16)
	d.opts.Limits = ipvs.Limits{ReadOnly: true, Why: "no CAP_NET_ADMIN"}
	d.opts.Demo = "incident"
	d.do("down")
	d.sees("both", "DEMO incident", "2F  2W")
	if line, _, _ := strings.Cut(grid(d.Model), "\n"); strings.Contains(line, strings.Repeat(" ", 14)) {
		t.Errorf("there is room left: %q", line)
	}
}

// TestPulseKeyIsNamedWhereItIs: on other screens P is another key, or none.
func TestPulseKeyIsNamedWhereItIs(t *testing.T) {
	d := checkedDirector(t, &told{report: reportOf(findings())}, 80, 24)
	d.unusual = []pulse.Row{{}}
	for keys, want := range map[string]string{"": "P 1 figure unusual", "s": "P 1 figure unusual", "F": "─ 1 figure unusual", "J": "─ 1 figure unusual"} {
		d.do(strings.Fields(keys)...)
		d.unusual = []pulse.Row{{}}
		d.settle()
		d.sees("the key only where it is the pulse's", want)
		d.do("esc")
	}
}

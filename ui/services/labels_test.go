package services

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/colorprofile"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/persist"
	"lvsdeck/ui/paint"
	"lvsdeck/ui/text"
)

// hostile is what a name must not do to a terminal, or a row.
const hostile = "a\x1b[2J\x07\u202eevil\u200b\nb\xff\x9b31m"

var shop = ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))

// labelled is a list of one service with two servers, which have names.
func labelled(labels map[string]persist.Label) *List {
	s := &ops.Service{Service: ipvs.NewService(shop), Name: shop.Name()}
	for _, at := range []string{"10.0.3.11:443", "10.0.3.12:443"} {
		a := netip.MustParseAddrPort(at)
		s.Servers = append(s.Servers, &ops.Server{Server: ipvs.Server{Addr: a, Weight: 1}, Name: at})
	}
	s.Up = 2
	l := NewList()
	l.SetHeight(10)
	l.SetSample(&ops.Sample{Services: []*ops.Service{s}})
	l.SetLabels(NewLabels(labels))
	return l
}

func named() map[string]persist.Label {
	return map[string]persist.Label{
		persist.ServiceKey(shop): {Name: "Shop", Note: "ask Bob first"},
		persist.ServerKey(shop, netip.MustParseAddrPort("10.0.3.12:443")): {Name: "web2"},
	}
}

func TestNamesStandWhereThereIsRoom(t *testing.T) {
	l := labelled(named())
	l.ToggleAll()
	v := View{Theme: paint.NewTheme(colorprofile.ASCII), Signs: paint.ASCII}
	elsewhere := map[string]persist.Label{"FWM 99": {Name: "another"}} // columns are as with names
	for width := 60; width < 200; width++ {
		bare := labelled(elsewhere)
		bare.ToggleAll()
		for i, row := range v.Rows(l, width) {
			without := v.Rows(bare, width)[i]
			if text.Width(plain(row)) != width || plain(row)[4+nameMax:] != plain(without)[4+nameMax:] {
				t.Fatalf("at %d columns a name pushes the others:\n%s\n%s", width, plain(without), plain(row))
			}
		}
		if width < 100 {
			continue
		}
		rows := v.Rows(l, width)
		if !strings.Contains(plain(rows[0]), "203.0.113.10:443 Shop ") || !strings.Contains(plain(rows[2]), "10.0.3.12:443 web2 ") {
			t.Fatalf("no names at %d columns:\n%s", width, strings.Join(rows, "\n"))
		}
	}
}

func plain(line string) string {
	var b strings.Builder
	for i, part := range strings.Split(line, "\x1b[") {
		if i > 0 {
			_, part, _ = strings.Cut(part, "m")
		}
		b.WriteString(part)
	}
	return b.String()
}

func TestFilterFindsNamesAndNotes(t *testing.T) {
	l := labelled(named())
	for filter, want := range map[string]string{
		"shop":       "203.0.113.10:443",
		"SHOP":       "203.0.113.10:443",
		"bob":        "203.0.113.10:443",
		"web2":       "203.0.113.10:443 10.0.3.12:443",
		"shop web2":  "203.0.113.10:443 10.0.3.12:443",
		"!shop":      "",
		"web1":       "",
		"!web2 :443": "203.0.113.10:443",
	} {
		l.SetFilter(ParseFilter(filter))
		var got []string
		for i := range l.Len() {
			if r := l.Row(i); r.Server != nil {
				got = append(got, r.Server.Name)
			} else {
				got = append(got, r.Service.Name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q finds %q, want %q", filter, got, want)
		}
	}
}

func TestNoteStandsWholeInTheDetail(t *testing.T) {
	note := strings.Repeat("do not drain before nine ", 8)
	l := labelled(map[string]persist.Label{persist.ServiceKey(shop): {Name: "shop", Note: note}})
	v := View{Theme: paint.NewTheme(colorprofile.ASCII), Signs: paint.ASCII}
	var words []string
	lines := v.Detail(l, time.Time{}, 80, v.DetailHeight(l, 80))
	for _, line := range lines[1 : 1+len(lines)-len(v.Detail(labelled(nil), time.Time{}, 80, 40))] {
		words = append(words, strings.Fields(plain(line))...)
	}
	if got := strings.Join(words, " "); got != "note "+strings.TrimSpace(note) {
		t.Errorf("the detail says %q", got)
	}
	for height := range 20 {
		if n := len(v.Detail(l, time.Time{}, 80, height)); n > height {
			t.Errorf("%d lines in a height of %d", n, height)
		}
	}
}

func TestHostileLabels(t *testing.T) {
	got := TidyLabel(persist.Label{Name: "  " + hostile + "  ", Note: strings.Repeat(hostile, 500)})
	if want := "a[2Jevil b31m"; got.Name != want {
		t.Errorf("tidied to %q, want %q", got.Name, want)
	}
	if n := len([]rune(got.Note)); n > noteLetters {
		t.Errorf("a note of %d letters", n)
	}
	l := labelled(map[string]persist.Label{ // as a file that somebody edited has it
		persist.ServiceKey(shop): {Name: strings.Repeat(hostile, 100), Note: strings.Repeat("日本\t", 1000)},
		"":                       {Name: "x"}, " of ": {Name: "y"}, hostile: {Name: "z"},
	})
	v := View{Theme: paint.NewTheme(colorprofile.ASCII), Signs: paint.ASCII}
	for width := 60; width < 160; width += 7 {
		for _, line := range append(v.Rows(l, width), v.Detail(l, time.Time{}, width, v.DetailHeight(l, width))...) {
			if text.Width(plain(line)) != width || text.Clean(plain(line)) != plain(line) {
				t.Fatalf("at %d columns: %q", width, line)
			}
		}
	}
}

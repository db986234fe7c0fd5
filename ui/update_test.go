package ui

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ui/services"
)

// next shows a sample as the source would.
func next(m *Model, src *fakeSource, s *ops.Sample) {
	src.latest.Store(s)
	m.Update(sampleMsg{})
}

func current(t *testing.T, m *Model) services.Row {
	t.Helper()
	row, ok := m.list.Current()
	if !ok {
		t.Fatal("no row under the cursor")
	}
	return row
}

// TestCursorFollowsItsRow: rows come, go and change places; the cursor stays on
// the row it was put on.
func TestCursorFollowsItsRow(t *testing.T) {
	m, src := console(t, site(), 80, 24, nil)
	press(m, "o", "down", "down")
	want := current(t, m).Key()
	for _, change := range []struct {
		name string
		make func() *ops.Sample
	}{
		{"a service before it goes", func() *ops.Sample {
			s := site()
			s.Services = append(s.Services[:0:0], s.Services[0], s.Services[2], s.Services[3])
			return s
		}},
		{"services come before it", func() *ops.Sample {
			return sample(append([]*ops.Service{service(svc(ipvs.TCP, "192.0.2.1:80", "rr"), server("10.9.9.9:80", ipvs.Masq, 1, 0, 0, 0))}, site().Services...)...)
		}},
	} {
		next(m, src, change.make())
		if got := current(t, m).Key(); got != want {
			t.Errorf("%s: cursor on %v, want %v", change.name, got, want)
		}
	}
	press(m, ">", ">", ">", ">", ">", ">")
	if got := current(t, m).Key(); got != want {
		t.Errorf("sorted: cursor on %v, want %v", got, want)
	}
}

// TestCursorTakesThePlaceOfALostRow: when its row goes, the cursor takes the row
// that stands there now and never points outside.
func TestCursorTakesThePlaceOfALostRow(t *testing.T) {
	m, src := console(t, site(), 80, 24, nil)
	press(m, "end")
	next(m, src, sample(site().Services[:2]...))
	if got, want := current(t, m).Key(), (services.Key{Service: site().Services[1].ServiceID}); got != want {
		t.Errorf("cursor on %v, want %v", got, want)
	}
	next(m, src, sample())
	if _, ok := m.list.Current(); ok {
		t.Error("a row under the cursor of an empty table")
	}
	press(m, "enter", "space", "down", "o", "n", "tab")
	next(m, src, site())
	current(t, m)
}

func TestMarksStayWithTheirRows(t *testing.T) {
	m, src := console(t, site(), 80, 24, nil)
	press(m, "o", "down", "space", "space")
	marked := []services.Key{
		{Service: site().Services[0].ServiceID, Server: addr("10.0.3.11:443")},
		{Service: site().Services[0].ServiceID, Server: addr("10.0.3.12:443")},
	}
	next(m, src, sample(site().Services[2:]...))
	next(m, src, site())
	for _, k := range marked {
		if !m.list.Marked(k) {
			t.Errorf("%v lost its mark", k)
		}
	}
	press(m, "U")
	if n := m.list.Marks(); n != 0 {
		t.Errorf("%d marks left", n)
	}
}

func TestOpenAndClose(t *testing.T) {
	m, _ := console(t, site(), 80, 24, nil)
	steps := []struct {
		key  string
		rows int
		on   string
	}{
		{"enter", 10, "203.0.113.10:443"}, {"right", 10, "10.0.3.11:443"}, {"left", 6, "203.0.113.10:443"},
		{"right", 10, "203.0.113.10:443"}, {"o", 17, "203.0.113.10:443"}, {"down", 17, "10.0.3.11:443"}, {"enter", 13, "203.0.113.10:443"},
		{"o", 17, "203.0.113.10:443"}, {"o", 6, "203.0.113.10:443"},
	}
	for i, s := range steps {
		press(m, s.key)
		row := current(t, m)
		on := row.Service.Name
		if row.Server != nil {
			on = row.Server.Name
		}
		if m.list.Len() != s.rows || on != s.on {
			t.Fatalf("step %d, %q: %d rows, cursor on %s; want %d, %s", i, s.key, m.list.Len(), on, s.rows, s.on)
		}
	}
}

func TestFilter(t *testing.T) {
	for _, c := range []struct {
		filter string
		want   string // what is shown: services, and servers in brackets
	}{
		{"", "203.0.113.10:443 203.0.113.25:25 203.0.113.53:53 203.0.113.80:80 [2001:db8:1111:2222:3333:4444:5555:6666]:8443 7"},
		{"udp", "203.0.113.53:53"},
		{"fwm", "7"},
		{":443", "203.0.113.10:443"},
		{":2525", "203.0.113.25:25 (10.0.5.12:2525)"},
		{"tun", "7"},
		{"nat :25", "203.0.113.25:25"},
		{"10.0.3.0/24 :80", "203.0.113.80:80 (10.0.3.21:80)"},
		{"DB8:AAAA", "[2001:db8:1111:2222:3333:4444:5555:6666]:8443 ([2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:8443)"},
		{"wrr", "203.0.113.25:25"},
		{"!tcp !fwm", "203.0.113.53:53"},
		{"!dr tcp", "203.0.113.25:25"},
		{"10.0.3.1 !10.0.3.13", "203.0.113.10:443 (10.0.3.11:443 10.0.3.12:443 10.0.3.14:443)"},
		{"!", "203.0.113.10:443 203.0.113.25:25 203.0.113.53:53 203.0.113.80:80 [2001:db8:1111:2222:3333:4444:5555:6666]:8443 7"},
		{"ipv6", "[2001:db8:1111:2222:3333:4444:5555:6666]:8443"},
		{"99.99", ""},
	} {
		m, _ := console(t, site(), 80, 50, nil)
		press(m, "/")
		typed(m, c.filter)
		press(m, "enter")
		if got := shown(m); got != c.want {
			t.Errorf("filter %q shows %q, want %q", c.filter, got, c.want)
		}
	}
}

func shown(m *Model) string {
	var out []string
	servers := false
	for i := range m.list.Len() {
		row := m.list.Row(i)
		switch {
		case row.Server == nil:
			if servers {
				out[len(out)-1] += ")"
			}
			servers = false
			out = append(out, row.Service.Name)
		case !servers:
			servers = true
			out = append(out, "("+row.Server.Name)
		default:
			out = append(out, row.Server.Name)
		}
	}
	if servers {
		out[len(out)-1] += ")"
	}
	return strings.Join(out, " ")
}

// TestSearchLeavesTheViewAsItWas: what was opened by hand is open after a search,
// found servers can be closed, and esc goes back step by step.
func TestSearchLeavesTheViewAsItWas(t *testing.T) {
	m, _ := console(t, site(), 80, 50, nil)
	press(m, "down", "enter")
	before := shown(m)
	press(m, "!", "/")
	typed(m, "10.0.5")
	press(m, "enter")
	if got, want := shown(m), "203.0.113.25:25 (10.0.5.11:25)"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
	press(m, "enter")
	if got, want := shown(m), "203.0.113.25:25"; got != want {
		t.Errorf("closed by hand: %q, want %q", got, want)
	}
	press(m, "esc", "esc")
	if got := shown(m); got != before {
		t.Errorf("after the search %q, before %q", got, before)
	}
}

func TestFilterPromptEscRestores(t *testing.T) {
	m, _ := console(t, site(), 80, 24, nil)
	press(m, "/")
	typed(m, "udp")
	press(m, "enter", "/")
	typed(m, " zzz")
	press(m, "esc")
	if got := m.list.Filter().Text; got != "udp" {
		t.Errorf("filter %q, want the one before", got)
	}
}

func TestPauseHoldsThePictureOnly(t *testing.T) {
	m, src := console(t, site(), 80, 24, nil)
	press(m, "p")
	later := sample(site().Services[:1]...)
	later.Time = noon.Add(12 * time.Second)
	next(m, src, later)
	if m.list.Services() != 6 {
		t.Errorf("%d services while paused, want the 6 of the pause", m.list.Services())
	}
	if !strings.Contains(grid(m), "paused 12s") {
		t.Error("the badge does not say for how long")
	}
	press(m, "p")
	if m.list.Services() != 1 {
		t.Errorf("%d services after the pause, want the newest", m.list.Services())
	}
}

func TestInterval(t *testing.T) {
	m, src := console(t, site(), 80, 24, nil)
	for range len(intervals) + 1 {
		press(m, "I")
	}
	if src.interval != time.Minute {
		t.Errorf("longest interval %v", src.interval)
	}
	for range len(intervals) + 1 {
		press(m, "i")
	}
	if src.interval != time.Second || m.message == "" {
		t.Errorf("shortest interval %v, message %q", src.interval, m.message)
	}
}

// TestFocusIsWhatIsOnScreen: only servers that can be seen cost a request.
func TestFocusIsWhatIsOnScreen(t *testing.T) {
	m, src := console(t, site(), 80, 24, nil)
	first := site().Services[0].ServiceID
	if want := []ipvs.ServiceID{first}; !slices.Equal(src.focus, want) {
		t.Errorf("all closed: focus %v, want the cursor's %v", src.focus, want)
	}
	press(m, "down", "enter")
	if want := []ipvs.ServiceID{site().Services[1].ServiceID}; !slices.Equal(src.focus, want) {
		t.Errorf("one open: focus %v, want %v", src.focus, want)
	}
	m.Update(tea.WindowSizeMsg{Width: 80, Height: 16})
	press(m, "o", "home")
	if len(src.focus) != 3 { // 10 rows: 5 of the first, 3 of the second, 2 of the third
		t.Errorf("focus %v: want the three services on the small screen", src.focus)
	}
}

func TestTooSmallNoKeyActs(t *testing.T) {
	m, _ := console(t, site(), 80, 24, nil)
	m.Update(tea.WindowSizeMsg{Width: 59, Height: 24})
	if got := grid(m); !strings.Contains(got, "needs 60 columns and 16 lines") || !strings.Contains(got, "59 and 24") {
		t.Errorf("notice:\n%s", got)
	}
	press(m, "o", "space", "!", "p", "?")
	m.Update(tea.PasteMsg{Content: "x"})
	m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	if m.list.Len() != 6 || m.list.Marks() != 0 || m.list.Problems() || m.paused || m.top() != nil {
		t.Error("a key acted on a screen that showed nothing")
	}
	m.Update(tea.WindowSizeMsg{Width: 10, Height: 2})
	grid(m)
	if cmd := press(m, "ctrl+c"); cmd == nil {
		t.Error("ctrl-c must leave in any case")
	}
}

// TestKeyTable: no key twice, every command described, the first key of every
// short name shown; docs/keys.md is this table.
func TestKeyTable(t *testing.T) {
	seen := map[string]string{}
	for _, c := range commandTable() {
		if c.name == "" || c.group == "" || c.run == nil {
			t.Errorf("incomplete command %+v", c)
		}
		for _, k := range c.keys {
			if seen[k] != "" {
				t.Errorf("key %q: %q and %q", k, seen[k], c.name)
			}
			seen[k] = c.name
		}
		if c.short != "" && len(c.keys) == 0 {
			t.Errorf("%q is in the line of keys without a key", c.name)
		}
	}
	file, err := os.ReadFile("../docs/keys.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(file) != KeysMarkdown() {
		t.Error("docs/keys.md is not the table of keys: make keys")
	}
}

func TestPaletteRunsACommand(t *testing.T) {
	m, _ := console(t, site(), 80, 24, nil)
	press(m, ":")
	typed(m, "only problems")
	press(m, "enter")
	if !m.list.Problems() || m.top() != nil {
		t.Error("the command found was not run")
	}
	press(m, ":")
	typed(m, "mouse")
	press(m, "enter")
	if m.View().MouseMode == tea.MouseModeNone {
		t.Error("the mouse was not turned on")
	}
}

func TestMouse(t *testing.T) {
	m, _ := console(t, site(), 80, 24, nil)
	click := func(y int) { m.Update(tea.MouseClickMsg{X: 10, Y: y, Button: tea.MouseLeft}) }
	click(headLines + 2)
	if got := current(t, m).Service.Name; got != "203.0.113.53:53" {
		t.Errorf("click went to %s", got)
	}
	click(headLines + 2)
	if m.list.Len() != 8 {
		t.Error("a click on the cursor's row did not open it")
	}
	click(0)
	click(headLines + 17)
	click(23)
	m.Update(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
	if m.list.Position() != 5 {
		t.Errorf("wheel went to row %d", m.list.Position())
	}
}

// TestHostileText: nothing from the kernel, the host or a paste can move the
// cursor or ring the bell.
func TestHostileText(t *testing.T) {
	s := site()
	evil := "\x1b[2J\x1b]0;x\a\u202e\x00wlc"
	s.Services[0].Scheduler, s.Services[0].Persistence.Engine = evil, evil
	s.EstimatorStopped = evil
	m, _ := console(t, s, 80, 24, func(o *Options) {
		o.Host = evil
		o.Limits = ipvs.Limits{ReadOnly: true, Why: evil, Missing: []string{evil}}
	})
	press(m, "tab", "/")
	m.Update(tea.PasteMsg{Content: evil})
	v := m.View()
	for _, s := range []string{v.Content, v.WindowTitle} {
		for _, bad := range []string{"\x1b[2J", "\x1b]", "\a", "\u202e", "\x00"} {
			if strings.Contains(s, bad) {
				t.Errorf("%q reaches the terminal in %q", bad, s)
			}
		}
	}
}

// TestRandomWalk presses keys at random while the table changes at random, and
// checks what must always hold: the cursor is on screen and on the row the list
// says, and the frame fits.
func TestRandomWalk(t *testing.T) {
	var keys []string
	for _, c := range commandTable() {
		for _, k := range c.keys {
			if k != "ctrl+c" && k != "ctrl+\\" {
				keys = append(keys, k)
			}
		}
	}
	keys = append(keys, "a", "4", "backspace", "enter")
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		m, src := console(t, site(), 80, 24, nil)
		for step := range 400 {
			switch r.IntN(6) {
			case 0:
				all := site().Services
				r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
				all = all[:r.IntN(len(all)+1)]
				slices.SortFunc(all, func(a, b *ops.Service) int { return a.ServiceID.Compare(b.ServiceID) })
				next(m, src, sample(all...))
			case 1:
				m.Update(tea.WindowSizeMsg{Width: 50 + r.IntN(150), Height: 10 + r.IntN(50)})
			default:
				press(m, keys[r.IntN(len(keys))])
			}
			if n := m.list.Len(); n > 0 {
				at, top := m.list.Position(), m.list.Top()
				if at < 0 || at >= n || at < top || at >= top+max(1, m.listHeight()) {
					t.Fatalf("seed %d step %d: cursor at %d of %d, screen from %d", seed, step, at, n, top)
				}
			}
			if lines := strings.Count(m.View().Content, "\n") + 1; !m.tooSmall() && lines != m.height {
				t.Fatalf("seed %d step %d: %d lines of %d", seed, step, lines, m.height)
			}
		}
	}
}

// TestCursorStaysWithItsService: a server that a search hides is looked for at its
// service.
func TestCursorStaysWithItsService(t *testing.T) {
	m, _ := console(t, site(), 80, 50, nil)
	press(m, "enter", "end", "up", "up", "up", "up", "up") // 10.0.3.14
	if got := current(t, m); got.Server == nil || got.Server.Name != "10.0.3.14:443" {
		t.Fatalf("cursor on %v", got.Key())
	}
	press(m, "!")
	if got, want := current(t, m).Key(), (services.Key{Service: site().Services[0].ServiceID}); got != want {
		t.Errorf("cursor on %v, want %v", got, want)
	}
}

// TestRightNeverLeavesTheService: an open service may have no servers.
func TestRightNeverLeavesTheService(t *testing.T) {
	empty := service(svc(ipvs.TCP, "192.0.2.1:80", "rr"))
	m, _ := console(t, sample(append([]*ops.Service{empty}, site().Services...)...), 80, 50, nil)
	press(m, "right", "right", "right")
	if got := current(t, m).Service.Name; got != "192.0.2.1:80" {
		t.Errorf("right went on to %s", got)
	}
}

// TestEachViewOpensForItself: what is opened while searching stays there.
func TestEachViewOpensForItself(t *testing.T) {
	m, _ := console(t, site(), 80, 50, nil)
	press(m, "enter")
	before := shown(m)
	press(m, "!", "o", "!")
	if got := shown(m); got != before {
		t.Errorf("after a search %q, before %q", got, before)
	}
}

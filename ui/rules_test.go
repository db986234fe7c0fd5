package ui

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ops/keep"
	"lvsdeck/persist"
)

// saved is the saved file.
func (d *director) saved() string {
	d.t.Helper()
	text, err := os.ReadFile(d.opts.RulesFile)
	d.must(err)
	return string(text)
}

func (d *director) seesNot(what string, texts ...string) {
	d.t.Helper()
	g := grid(d.Model)
	for _, s := range texts {
		if strings.Contains(g, s) {
			d.t.Fatalf("%s: %q must not be on the screen:\n%s", what, s, g)
		}
	}
}

// TestKeepByKeys: save, change, see the difference, load, be equal.
func TestKeepByKeys(t *testing.T) {
	d := newDirector(t)
	d.do("R")
	d.sees("nothing saved", "no such file", "2 services, 3 servers", "Nothing was saved yet", "unsaved")
	d.do("l")
	d.sees("nothing to load", "Nothing was changed", "no such file or")
	d.do("esc", "s")
	d.sees("asks for the path", "save to")
	d.do("esc")
	if _, err := os.Stat(d.opts.RulesFile); err == nil {
		t.Fatal("saved without asking")
	}
	d.do("s", "enter")
	d.sees("saved", "saved 2 services, 3 servers to /", "Running and saved are the same")
	d.seesNot("saved", "unsaved")
	if text := d.saved(); !strings.HasSuffix(text, d.rules()) || !strings.HasPrefix(text, "--set ") {
		t.Errorf("the file:\n%s", text)
	}

	before := d.rules()
	d.do("esc", "enter", "down", "d", "down", "x", "enter", "R")
	d.sees("the difference", "unsaved", "add 1, change 1 and remove 0",
		"+ add 10.0.3.12:443 of TCP 203.0.113.10:443: DR, weight 101", "~ undrain 10.0.3.11:443", "weight 0 to 100")
	d.do("l")
	d.sees("the preview", "restore /", "ipvsadm -a -t 203.0.113.10:443 -r 10.0.3.12:443")
	d.do("esc")
	d.sees("back", "nothing was changed", "+ add 10.0.3.12:443")
	d.do("l", "enter")
	if got := d.rules(); got != before {
		t.Errorf("restored:\n%s\nsaved:\n%s", got, before)
	}
	d.sees("restored", "Running and saved are the same", "done: restore /")
	d.seesNot("restored", "unsaved")
	d.do("l")
	d.sees("again", "nothing to do")
}

func TestGoBackToASnapshot(t *testing.T) {
	d := newDirector(t)
	d.do("R", "t")
	d.sees("none yet", "no snapshot yet")
	d.do("esc")
	before := d.rules()
	d.do("enter", "down", "d", "home", "x", "enter", "R", "t")
	d.sees("the list", "Snapshots", "before remove TCP 203.0.113.10:443 with 3 servers", "before drain 10.0.3.11:443")
	d.do("end", "enter")
	d.sees("the preview", "restore snapshot", "ipvsadm -A -t 203.0.113.10:443 -s wlc")
	d.do("enter")
	if got := d.rules(); got != before {
		t.Errorf("went back to:\n%s\nbefore:\n%s", got, before)
	}
	d.sees("on the rules screen", "Rules: running beside saved", "done: restore snapshot")
}

// TestUnsavedIsNoticed: what another program changes is noticed at the calm
// pace, one's own changes at once.
func TestUnsavedIsNoticed(t *testing.T) {
	d := newDirector(t)
	d.do("R", "s", "enter", "esc")
	d.seesNot("saved", "unsaved")
	web := ipvs.AddressService(ipvs.TCP, addr("203.0.113.10:443"))
	d.must(d.table.DeleteServer(t.Context(), web, ipvs.Server{Addr: addr("10.0.3.11:443")}))
	d.do("down")
	d.seesNot("not yet", "unsaved")
	d.now = d.now.Add(calm)
	d.do("down")
	d.sees("in time", "unsaved")
	d.do("R", "s", "enter")
	d.sees("asks before it drops rows", "has a row that", "2 services, 3 servers; running are 2 services, 2 servers")
	d.do("esc")
	d.sees("left", "Loading the file would add 1")
	d.do("s", "enter", "enter", "esc", "home", "enter", "down", "+")
	d.sees("at once", "unsaved")
	d.do("-")
	d.seesNot("as it was", "unsaved")
}

// TestOthersSaveForThemselves: the rules of keepalived come back with it.
func TestOthersSaveForThemselves(t *testing.T) {
	d := newDirector(t)
	d.do("R")
	d.sees("ours to save", "unsaved")
	d.owner = keeper
	d.pass(2 * time.Second)
	d.seesNot("keepalived's", "unsaved")
}

// TestComparingIsCheap: one comparison at a time, with a rest in proportion.
func TestComparingIsCheap(t *testing.T) {
	d := newDirector(t)
	first := d.compare()
	if d.compare() != nil || d.compareDue() != nil {
		t.Fatal("a second comparison begins beside the first")
	}
	_, again := d.Update(first())
	if again == nil {
		t.Fatal("what was asked for meanwhile is not looked at")
	}
	d.finish(again)
	if d.compareDue() != nil {
		t.Error("compared again at once")
	}
	d.compared(d.kept.seen, nil, time.Second)
	if rest := d.kept.due.Sub(d.live.Time); rest != compareShare*time.Second {
		t.Errorf("after a second of work a rest of %v", rest)
	}
}

// TestRulesThatCannotBeRead: neither of the file nor of the table is said more
// than is known.
func TestRulesThatCannotBeRead(t *testing.T) {
	d := newDirector(t)
	d.must(os.WriteFile(d.opts.RulesFile, []byte("-A -t 203.0.113.10:443\n-A -t nowhere:1\n"), 0o600))
	d.do("R")
	d.sees("where it is wrong", "The file cannot be restored", "ipvsadm.rules:2:7: ", "unsaved")
	d.do("l")
	d.sees("not loaded", "Nothing was changed")
	d.do("esc", "esc")
	d.table.Inject(memory.Fail(ipvs.Refused(ipvs.OpList, "", 1)))
	d.do("R")
	d.sees("no table", "not compared anew", "not permitted")
	d.do("s", "enter")
	d.sees("not saved", "The rules were not saved")
}

func TestSaveRefusesAPathThatIsNone(t *testing.T) {
	d := newDirector(t)
	d.do("R", "s")
	d.fill("rules")
	d.do("enter")
	d.sees("why", "the path must begin with /")
	d.fill(t.TempDir() + "/no/rules")
	d.do("enter")
	d.sees("the disk's word", "The rules were not saved", "no such file or directory")
}

func TestRulesWithoutRights(t *testing.T) {
	m, _ := console(t, site(), 80, 24, func(o *Options) { o.Limits = ipvs.Limits{ReadOnly: true, Why: "no CAP_NET_ADMIN"} })
	press(m, "R")
	if m.top() != nil || !strings.Contains(grid(m), "read-only: no CAP_NET_ADMIN") {
		t.Errorf("the screen:\n%s", grid(m))
	}
}

// rulesScenes are the screen in its states, by what the file has.
var rulesScenes = []struct {
	name  string
	saved func(running string) string // nil: there is no file
}{
	{"rules-none", nil},
	{"rules-equal", func(running string) string { return running }},
	{"rules-differ", func(string) string {
		return `--set 800 120 300
-A -t 203.0.113.10:443 -s wrr
-a -t 203.0.113.10:443 -r 10.0.3.11:443 -g -w 0 -x 900 -y 800
-a -t 203.0.113.10:443 -r 10.0.3.12:443 -g -w 101 -x 900 -y 800
-A -t [2001:db8:1111:2222:3333:4444:5555:6666]:8443 -s mh -p 360 -b mh-port
-a -t [2001:db8:1111:2222:3333:4444:5555:6666]:8443 -r [2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:8443 -g -w 65535
`
	}},
	{"rules-bad", func(string) string {
		return "-A -t 203.0.113.10:443 -s wrr\n-a -t 203.0.113.10:443 -r 10.0.3.11:443 -g -w -5\n"
	}},
}

// compareScene is what the scene shows, with the file where hosts have it.
func compareScene(d *director, saved func(string) string) *keep.Comparison {
	d.t.Helper()
	running, err := persist.ReadRules(d.t.Context(), d.table)
	d.must(err)
	c := &keep.Comparison{Running: running, Err: os.ErrNotExist}
	if saved == nil {
		return c
	}
	var b strings.Builder
	d.must(keep.Print(d.t.Context(), d.table, &b))
	c.Saved, c.Err = keep.Read(strings.NewReader(saved(b.String())), d.opts.RulesFile)
	c.Saved.Time = noon.Add(-time.Hour)
	if c.Err == nil {
		c.Plan = c.Saved.Plan(running, false)
	}
	return c
}

func TestRulesScreens(t *testing.T) {
	for _, sc := range rulesScenes {
		layerScenes(t, sc.name, func(d *director) {
			d.opts.RulesFile = "/etc/ipvsadm.rules"
			d.push(&rules{})
			d.compared(compareScene(d, sc.saved), nil, 0)
		})
	}
}

func TestSnapshotScreens(t *testing.T) {
	titles := []string{"drain 10.0.3.11:443 of TCP 203.0.113.10:443: weight 100 to 0", "", "undo: remove UDP [2001:db8:1111:2222:3333:4444:5555:6666]:8443 with 12 servers"}
	var all []keep.Snapshot
	for i, title := range titles {
		all = append(all, keep.Snapshot{Snapshot: persist.Snapshot{Time: noon.Add(-time.Duration(i) * time.Hour)}, Title: title})
	}
	layerScenes(t, "snapshots", func(d *director) {
		d.push(&snapshots{all: all})
		d.do("down")
	})
}

// layerScenes compares a layer with its golden files, and looks for lines that
// do not fit at sizes in between.
func layerScenes(t *testing.T, name string, open func(*director)) {
	t.Helper()
	d := newDirector(t)
	open(d)
	d.settle()
	for _, size := range sizes {
		d.Update(tea.ColorProfileMsg{Profile: colorprofile.ANSI256})
		d.Update(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
		name, plain := fmt.Sprintf("%s-%dx%d", name, size[0], size[1]), grid(d.Model)
		golden(t, name, plain+"\n"+styles(d.Model))
		d.Update(tea.ColorProfileMsg{Profile: colorprofile.ASCII})
		if mono := grid(d.Model); mono != plain {
			t.Errorf("%s: without colour the text differs:\n%s", name, mono)
		}
	}
	for width := minWidth; width <= 220; width += 7 {
		d.Update(tea.WindowSizeMsg{Width: width, Height: minHeight})
		lines := strings.Split(d.View().Content, "\n")
		if len(lines) != minHeight {
			t.Fatalf("%s, %d wide: %d lines", name, width, len(lines))
		}
		for _, line := range lines {
			if cells(line) > width {
				t.Fatalf("%s, %d wide: %q", name, width, line)
			}
		}
	}
}

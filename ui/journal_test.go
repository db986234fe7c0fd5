package ui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// Times in the journal are shown where the operator is; here that is UTC.
func init() { time.Local = time.UTC }

func TestJournalListsAndUndoes(t *testing.T) {
	d := newDirector(t)
	d.do("J")
	d.sees("before the first change", "Nothing was changed yet")
	d.do("esc", "enter", "down", "+", "d")
	before := d.rules()
	d.do("home", "x", "enter", "J")
	d.sees("the list", "in force", "alice", "remove TCP 203", "drain 10.0.3.11", "weigh 10.0.3.11", "1 of 3")
	if g := grid(d.Model); strings.Index(g, "remove TCP") > strings.Index(g, "drain 10") {
		t.Errorf("the newest is not first:\n%s", g)
	}
	d.do("enter")
	d.sees("the steps", "remove TCP 203.0.113.10:443", "alice from 198.51.100.7", "done", "ipvsadm -D -t 203.0.113.10:443")
	d.do("u")
	d.sees("asks first", "undo: remove TCP", "ipvsadm -a -t 203.0.113.10:443 -r 10.0.3.13:443")
	d.do("enter")
	if got := d.rules(); got != before {
		t.Errorf("undone:\n%s\nbefore:\n%s", got, before)
	}
	d.sees("the plan says that it is undone", "undone 2026-", "by alice", "done: undo: remove")
	d.do("esc")
	d.sees("and so does the list", "2 of 4", "undone")
	d.do("enter")
	d.do("u")
	d.sees("undone is undone", "is not in force")
	d.do("esc", "esc", "down", "down", "u", "enter")
	d.sees("a row that has moved since stays", "weight was 101 when you looked, is 0 now")
	d.do("esc")
	d.sees("and the journal has it", "taken back", "in force")
}

// TestLateAnswersOpenNothing: what was read is not shown to an operator who has
// gone on, nor twice.
func TestLateAnswersOpenNothing(t *testing.T) {
	d := newDirector(t)
	d.do("enter", "down", "+", "home")
	slow := func(keys ...string) (all []tea.Cmd) {
		for _, k := range keys {
			_, cmd := d.Update(keyMsg(k))
			all = append(all, cmd)
		}
		return all
	}
	layers := func(what string, want int, late []tea.Cmd) {
		t.Helper()
		for _, cmd := range late {
			d.finish(cmd)
		}
		if len(d.layers) != want {
			t.Fatalf("%s: %d layers, want %d:\n%s", what, len(d.layers), want, grid(d.Model))
		}
	}
	layers("J twice", 1, slow("J", "J"))
	layers("a plan opened and left", 0, slow("enter", "esc"))
	layers("undo twice", 1, slow("u", "u"))
	d.do("esc")
	layers("a form opened meanwhile", 1, slow("J", "m"))
	d.sees("the form", "Name and note")
}

// TestJournalOfManyPlans: what does not fit is not drawn.
func TestJournalOfManyPlans(t *testing.T) {
	d := newDirector(t)
	d.writeJournal(5000)
	d.do("J")
	d.sees("the newest", "1 of 5000", "plan 5000")
	d.do("end")
	d.sees("the oldest", "5000 of 5000", "plan 1")
	d.do("pgup", "home", "pgdown")
	d.sees("a page", "plan 4982")
}

// writeJournal writes plans that ended, without the pains of real ones.
func (d *director) writeJournal(n int) {
	var b strings.Builder
	at := noon.Format(time.RFC3339)
	for i := range n {
		fmt.Fprintf(&b, `{"time":%q,"plan":"p%d","kind":"begin","by":{"user":"bob\u001b[2J"},"title":"plan %d","steps":[],"upto":0}`+"\n", at, i, i+1)
		fmt.Fprintf(&b, `{"time":%q,"plan":"p%d","kind":"end","by":{},"outcome":"applied"}`+"\n", at, i)
	}
	d.must(os.WriteFile(filepath.Join(d.runner.Store.Dir(), "journal"), []byte(b.String()), 0o600))
}

// errKilled stops a plan for good at a moment, as a kill does.
var errKilled = errors.New("killed by the test")

// abandon begins to drain all three servers and dies before the last; then the
// console starts again.
func (d *director) abandon() (before string) {
	d.t.Helper()
	before = d.rules()
	d.die(plan.Drain)
	d.start(80, 24)
	return before
}

// die does two steps of a plan for all servers.
func (d *director) die(make func([]plan.Row) plan.Plan) {
	d.t.Helper()
	web := ipvs.AddressService(ipvs.TCP, addr("203.0.113.10:443"))
	servers, err := d.table.Servers(context.Background(), web)
	d.must(err)
	slices.SortFunc(servers, func(a, b ipvs.ServerState) int { return a.Addr.Compare(b.Addr) })
	var rows []plan.Row
	for _, s := range servers {
		rows = append(rows, plan.Row{Service: web, Server: s.Server})
	}
	defer func() {
		if r := recover(); r != errKilled {
			d.t.Fatalf("not killed: %v", r)
		}
	}()
	_, _ = d.runner.Run(context.Background(), make(rows), func(e plan.Event) {
		if e.Step == 1 && e.State == plan.Done {
			panic(errKilled)
		}
	})
}

func TestUnfinishedIsFinished(t *testing.T) {
	d := newDirector(t)
	d.abandon()
	half := d.rules()
	d.sees("the start says what was left", "begun and never ended: drain 3 servers", "alice from 198.51.100.7", "2026-03-01 12:04",
		"done           1  drain", "to do", "finish it", "do what is left: 1 of 3 steps", "undo what was done: 2 of 3 steps")
	if d.rules() != half {
		t.Error("showing it changed something")
	}
	d.do("down", "enter")
	d.expect("finished", "10.0.3.11:443 -g -w 0", "10.0.3.12:443 -g -w 0", "10.0.3.13:443 -g -w 0")
	if d.top() != nil {
		t.Errorf("asked again:\n%s", grid(d.Model))
	}
	d.do("L")
	d.sees("only what was done now is in the log", "changes of this session", "-r 10.0.3.13:443")
	if strings.Contains(grid(d.Model), "ipvsadm -e -t 203.0.113.10:443 -r 10.0.3.11") {
		t.Errorf("the log has what the session before did:\n%s", grid(d.Model))
	}
	d.do("u", "enter")
	d.expect("one plan, undone whole", "10.0.3.11:443 -g -w 100", "10.0.3.12:443 -g -w 101", "10.0.3.13:443 -g -w 102")
}

func TestUnfinishedIsTakenBack(t *testing.T) {
	d := newDirector(t)
	before := d.abandon()
	d.do("down", "down", "enter")
	if got := d.rules(); got != before {
		t.Errorf("taken back:\n%s\nbefore:\n%s", got, before)
	}
	d.sees("says so", "taken back: drain 3 servers")
	d.start(80, 24)
	if d.top() != nil {
		t.Errorf("asked again at the next start:\n%s", grid(d.Model))
	}
	d.do("J")
	d.sees("in the journal", "taken back", "drain 3 servers")
}

// TestUnfinishedIsLeft: for now, until the journal or the next start asks again;
// or for good.
func TestUnfinishedIsLeft(t *testing.T) {
	d := newDirector(t)
	d.abandon()
	half := d.rules()
	d.do("enter") // the operator was typing
	if d.top() != nil || d.rules() != half {
		t.Fatalf("a key that came by chance does more than leave it:\n%s", grid(d.Model))
	}
	d.do("J")
	d.sees("in the journal", "unfinished", "drain 3 servers")
	d.do("enter")
	d.sees("opened from there", "begun and never ended", "finish it")
	d.do("esc")
	d.sees("back in the journal", "unfinished")
	d.do("esc")
	d.start(80, 24)
	d.sees("the next start asks again", "begun and never ended")
	d.do("down", "down", "down", "down", "enter")
	d.start(80, 24)
	if d.top() != nil || d.rules() != half {
		t.Errorf("left for good:\n%s", grid(d.Model))
	}
	d.do("J", "enter")
	d.sees("its entry", "left as it was", "how far it got")
}

// TestUnfinishedWhereNothingMayBeChanged shows it and refuses the rest.
func TestUnfinishedWhereNothingMayBeChanged(t *testing.T) {
	d := newDirector(t)
	d.abandon()
	half := d.rules()
	d.paused = true
	d.do("down", "enter")
	d.sees("refused", "paused")
	if d.rules() != half || d.top() == nil {
		t.Error("it was done")
	}
}

func TestSeveralUnfinished(t *testing.T) {
	d := newDirector(t)
	d.die(plan.Drain)
	d.die(func(rows []plan.Row) plan.Plan { return plan.SetWeight(rows, 7) })
	d.start(80, 24)
	d.sees("the first", "1 of 2 such plans")
	d.do("esc")
	d.sees("the second", "begun and never ended")
	d.do("esc")
	if d.top() != nil {
		t.Errorf("asked again:\n%s", grid(d.Model))
	}
}

func TestLogPane(t *testing.T) {
	d := newDirector(t)
	d.do("L")
	d.sees("empty", "changes of this session", "none yet")
	d.do("enter", "down", "+")
	d.table.Inject(func(_ context.Context, op ipvs.Op) error {
		if op == ipvs.OpSetServer {
			return ipvs.Refused(op, "10.0.3.11:443", 1)
		}
		return nil
	})
	d.do("+", "esc")
	d.table.Inject(nil)
	d.sees("both", "done       ipvsadm -e -t 203.0.113.10:443 -r 10.0.3.11:443 -g -w 101",
		"refused    ipvsadm -e -t 203.0.113.10:443 -r 10.0.3.11:443 -g -w 102", "not permitted")
	d.do("tab")
	d.sees("both panes", "changes of this session")
	d.do("L")
	if strings.Contains(grid(d.Model), "changes of this session") {
		t.Errorf("it stays:\n%s", grid(d.Model))
	}
}

func TestNames(t *testing.T) {
	d := newDirector(t)
	before := d.rules()
	d.do("m")
	d.sees("the form", "Name and note of TCP 203.0.113.10:443")
	d.types("shop")
	d.do("down")
	d.types("ask bob")
	d.do("enter")
	d.sees("kept", "203.0.113.10:443 shop", "kept: name and note")
	d.do("tab")
	d.sees("in the detail", "note         ask bob")
	d.do("enter", "down", "f2")
	d.types("web1")
	d.do("enter")
	d.sees("a server's", "10.0.3.11:443 web1")
	if d.rules() != before {
		t.Error("naming changed the table")
	}

	d.do("/")
	d.types("web1")
	d.do("enter")
	d.sees("found by name", "filter: web1  (1 of 2 services)")
	d.do("esc", "home", "x", "enter", "u", "enter")
	d.start(80, 24)
	d.do("o")
	d.sees("after removing, undoing and starting again", "203.0.113.10:443 shop", "10.0.3.11:443 web1")

	d.do("home", "m")
	d.fill("")
	d.do("down")
	d.fill("")
	d.do("enter")
	all, err := d.runner.Store.Labels().Get()
	d.must(err)
	if len(all) != 1 || strings.Contains(grid(d.Model), "shop") {
		t.Errorf("an empty name is kept: %v", all)
	}
}

// TestNamesOfOthers: what another console has written meanwhile is not lost.
func TestNamesOfOthers(t *testing.T) {
	d := newDirector(t)
	d.must(d.runner.Store.Labels().Update(func(all map[string]persist.Label) {
		all["UDP 203.0.113.53:53"] = persist.Label{Name: "dns\x1b[2J\u202e"}
	}))
	d.start(132, 43)
	d.do("m")
	d.types("shop")
	d.do("enter")
	d.sees("both", "203.0.113.10:443 shop", "203.0.113.53:53 dns[2J")
	d.must(os.WriteFile(filepath.Join(d.runner.Store.Dir(), "labels.json"), []byte("{"), 0o600))
	d.do("m", "enter")
	d.sees("a broken file is not written over", "The name was not kept", "mend it or move it away")
	d.start(80, 24)
	d.sees("nor passed over in silence", "What was kept could not be read")
}

func TestWithoutStore(t *testing.T) {
	m, _ := console(t, site(), 80, 24, nil)
	for _, k := range []string{"J", "m"} {
		press(m, k)
		if m.message == "" || m.top() != nil {
			t.Errorf("%s acts or says nothing", k)
		}
	}
}

// TestReadOnlySeesTheJournal: looking needs no hands.
func TestReadOnlySeesTheJournal(t *testing.T) {
	d := newDirector(t)
	d.abandon()
	d.opts.Hands, d.hands.runner = nil, nil
	d.opts.Limits = ipvs.Limits{ReadOnly: true, Why: "--read-only"}
	d.do("esc", "J", "enter")
	d.sees("its steps", "drain 3 servers", "unfinished")
	d.do("u")
	d.sees("and no more", "read-only")
}

// TestJournalScreens keeps the screens of this file.
func TestJournalScreens(t *testing.T) {
	for _, size := range sizes {
		for name, play := range map[string]func(*director){
			"journal": func(d *director) { d.do("enter", "down", "d", "+", "J", "down") },
			"journal-entry": func(d *director) {
				d.do("enter", "down", "space", "space", "space", "d", "enter", "J", "enter")
			},
			"unfinished": func(d *director) { d.abandon(); d.start(size[0], size[1]) },
			"log":        func(d *director) { d.do("enter", "down", "d", "+", "d", "L") },
			"names": func(d *director) {
				d.do("m")
				d.types("shop")
				d.do("down")
				d.types("ask bob before you drain")
				d.do("enter", "enter", "down", "m")
				d.types("web1")
				d.do("enter", "up", "tab")
			},
			"name-form": func(d *director) { d.do("m"); d.types("shop") },
		} {
			t.Run(fmt.Sprintf("%s-%dx%d", name, size[0], size[1]), func(t *testing.T) {
				d := newDirector(t)
				d.start(size[0], size[1])
				play(d)
				got := anyPlan.ReplaceAllString(grid(d.Model)+"\n"+styles(d.Model), "plan 20260301-XXXXXX-XXXXXX")
				golden(t, fmt.Sprintf("%s-%dx%d", name, size[0], size[1]), got)
				for _, line := range strings.Split(d.View().Content, "\n") {
					if w := cells(line); w > size[0] {
						t.Errorf("%d cells: %q", w, line)
					}
				}
			})
		}
	}
}

// anyPlan is a plan's name, in which there is chance.
var anyPlan = regexp.MustCompile(`plan 2026\d{4}-\d{6}-[A-Z0-9]{6}`)

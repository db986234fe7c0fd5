package ui

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
	"lvsdeck/ops/owner"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/task"
	"lvsdeck/persist"
	"lvsdeck/persist/adm"
)

// director is a console that can change a table in memory. Commands run at once
// and readings follow them, as they do beside the loop.
type director struct {
	*Model
	t       *testing.T
	table   *memory.Table
	host    *netcfg.Memory
	owner   *owner.Owner
	runner  plan.Runner
	sampler *ops.Sampler
	now     time.Time
}

func newDirector(t *testing.T) *director {
	t.Helper()
	d := &director{t: t, table: memory.New(), host: netcfg.New(), now: noon}
	web := svc(ipvs.TCP, "203.0.113.10:443", "wlc")
	dns := svc(ipvs.UDP, "203.0.113.53:53", "rr")
	d.must(d.table.AddService(t.Context(), web))
	d.must(d.table.AddService(t.Context(), dns))
	for i, at := range []string{"10.0.3.11:443", "10.0.3.12:443", "10.0.3.13:443"} {
		d.must(d.table.AddServer(t.Context(), web.ServiceID, ipvs.Server{Addr: addr(at), Forward: ipvs.Direct, Weight: uint32(100 + i), Upper: 900, Lower: 800}))
	}
	store, err := persist.Open(persist.Options{
		Dir: t.TempDir(), Who: persist.Who{User: "alice", From: "198.51.100.7"}, Now: func() time.Time { return d.now },
	})
	d.must(err)
	d.runner = plan.Runner{
		Target: plan.Target{Table: d.table, Sysctls: d.host}, Store: store,
		Rules: persist.Language{Write: adm.WriteRules, Read: adm.ReadRules},
	}
	d.start(80, 24)
	return d
}

// start opens the console, as after the end of the one before.
func (d *director) start(width, height int) {
	d.t.Helper()
	d.sampler = ops.NewSampler(d.table, ops.Options{})
	d.sampler.Observe(d.t.Context(), d.now)
	d.Model = New(Options{
		Source: d.sampler, Host: "dir-a", Interval: 2 * time.Second, Hands: &d.runner, Store: d.runner.Store,
		RulesFile: filepath.Join(d.runner.Store.Dir(), "ipvsadm.rules"),
		Table:     d.table, System: d.host, Owner: func() *owner.Owner { return d.owner }, Now: func() time.Time { return d.now },
		Tasks: task.NewKeeper(task.Options{
			Source: d.sampler, Runner: &d.runner, Reader: d.table, Sysctls: d.host, Now: func() time.Time { return d.now },
		}),
	})
	cmd := d.Init()
	d.Update(tea.ColorProfileMsg{Profile: colorprofile.ANSI256})
	d.Update(tea.WindowSizeMsg{Width: width, Height: height})
	d.finish(cmd)
}

// finish does what was set off, to its end.
func (d *director) finish(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	msg := cmd()
	if all, ok := msg.(tea.BatchMsg); ok {
		for _, c := range all {
			d.finish(c)
		}
		return
	}
	_, next := d.Update(msg)
	d.finish(next)
}

func (d *director) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// do presses keys; what they set off is finished before the next one.
func (d *director) do(keys ...string) {
	d.t.Helper()
	for _, k := range keys {
		_, cmd := d.Update(keyMsg(k))
		d.finish(cmd)
		d.pass(2 * time.Second)
	}
}

// pass lets time pass, with a sample and a look of the tasks every 2 s.
func (d *director) pass(span time.Duration) {
	for end := d.now.Add(span); d.now.Before(end); {
		d.now = d.now.Add(2 * time.Second)
		d.sampler.Observe(d.t.Context(), d.now)
		d.tasks.Step(d.t.Context())
		_, cmd := d.Update(sampleMsg{})
		d.finish(cmd)
	}
}

// types types a text into the field or line that is open.
func (d *director) types(s string) {
	for _, r := range s {
		if r == ' ' {
			d.do("space")
		} else {
			d.do(string(r))
		}
	}
}

// fill empties the field and types into it.
func (d *director) fill(s string) {
	d.do("ctrl+u")
	d.types(s)
}

// rules is the table as text.
func (d *director) rules() string {
	d.t.Helper()
	r, err := persist.ReadRules(context.Background(), d.table)
	d.must(err)
	r.Timeouts = nil
	var b strings.Builder
	d.must(adm.WriteRules(&b, r))
	return b.String()
}

func (d *director) expect(what string, lines ...string) {
	d.t.Helper()
	got := d.rules()
	for _, line := range lines {
		not := strings.HasPrefix(line, "!")
		if strings.Contains(got, strings.TrimPrefix(line, "!")) == not {
			d.t.Fatalf("%s: want %q in\n%s\nscreen:\n%s", what, line, got, grid(d.Model))
		}
	}
}

func (d *director) sees(what string, texts ...string) {
	d.t.Helper()
	g := grid(d.Model)
	for _, s := range texts {
		if !strings.Contains(g, s) {
			d.t.Fatalf("%s: want %q on the screen:\n%s", what, s, g)
		}
	}
}

func TestWeights(t *testing.T) {
	d := newDirector(t)
	d.do("enter", "down", "+")
	d.expect("+1", "-r 10.0.3.11:443 -g -w 101 -x 900 -y 800")
	d.do("]", "]", "-", "[")
	d.expect("+10 +10 -1 -10", "10.0.3.11:443 -g -w 110 -x 900 -y 800")
	d.do("w")
	d.sees("the question", "weight", "110")
	d.fill("nine")
	d.do("enter")
	d.sees("no number", "must be a number")
	d.fill("2147483647")
	d.do("enter")
	d.expect("set", "10.0.3.11:443 -g -w 2147483647 -x 900 -y 800")
	d.do("u")
	d.sees("undo asks", "weight 2147483647 to 110")
	d.do("esc", "z", "enter", "u")
	d.sees("counters cannot be undone", "passed over, there is nothing to take back: zero the counters", "weight 2147483647 to 110")
}

func TestDrainAndBack(t *testing.T) {
	d := newDirector(t)
	d.do("enter", "down", "space", "space") // two marked
	d.do("d")
	d.expect("drained", "10.0.3.11:443 -g -w 0 -x 900", "10.0.3.12:443 -g -w 0 -x 900", "10.0.3.13:443 -g -w 102")
	d.sees("state", "off", "2 marked", "1/3", "u takes it back")
	d.do("d")
	d.expect("the weights before", "10.0.3.11:443 -g -w 100", "10.0.3.12:443 -g -w 101")
	d.do("d", "u")
	d.sees("undo shows its steps", "undo: drain 2 servers", "weight 0 to 100")
	d.do("esc")
	d.expect("nothing yet", "10.0.3.11:443 -g -w 0")
	d.do("u", "enter")
	d.expect("taken back", "10.0.3.11:443 -g -w 100", "10.0.3.12:443 -g -w 101")
}

func TestRemove(t *testing.T) {
	d := newDirector(t)
	before := d.rules()
	d.do("enter", "down", "x")
	d.sees("asks", "remove 10.0.3.11:443", "ipvsadm -d -t 203.0.113.10:443 -r 10.0.3.11:443")
	d.do("enter")
	d.expect("server gone", "!10.0.3.11:443")
	d.do("home", "x", "enter")
	d.expect("service gone", "!203.0.113.10:443")
	d.do("u", "enter")
	d.expect("service back with its servers", "10.0.3.13:443 -g -w 102 -x 900 -y 800")
	d.do("u", "enter")
	if got := d.rules(); got != before {
		t.Errorf("undone:\n%s\nbefore:\n%s", got, before)
	}
	d.do("u")
	d.sees("nothing left", "no change is in force")
}

func TestFlushNeedsItsWord(t *testing.T) {
	d := newDirector(t)
	before := d.rules()
	clear := func() { d.do(":"); d.types("clear whole"); d.do("enter") }
	clear()
	d.do("enter")
	d.expect("enter alone is not enough", "203.0.113.10:443")
	d.types("clear")
	d.do("enter")
	if got := strings.TrimSpace(d.rules()); strings.Contains(got, "-A") {
		t.Fatalf("not cleared:\n%s\n%s", got, grid(d.Model))
	}
	d.do("u", "enter")
	if got := d.rules(); got != before {
		t.Errorf("undone:\n%s\nbefore:\n%s", got, before)
	}
}

// TestMarksOutOfSight: what is done to rows that are not shown is shown first.
func TestMarksOutOfSight(t *testing.T) {
	d := newDirector(t)
	d.do("enter", "down", "space", "left")
	d.do("left", "]")
	d.sees("asks", "weight 100 to 110", "esc back")
	d.do("esc")
	d.expect("not done", "10.0.3.11:443 -g -w 100")
	d.do("right", "]")
	d.expect("in sight again", "10.0.3.11:443 -g -w 110")
}

// TestTheLastServerIsAskedFor: a key that takes a service down is no quick one.
func TestTheLastServerIsAskedFor(t *testing.T) {
	d := newDirector(t)
	d.do("enter", "down", "d", "down", "d", "down", "d")
	d.sees("asks", "No server of TCP 203.0.113.10:443 is left that takes new connections")
	d.do("esc")
	d.expect("left alone", "10.0.3.13:443 -g -w 102")
	d.do("d", "enter")
	d.expect("meant", "10.0.3.13:443 -g -w 0")
}

// TestTheCursorStaysAtWork: on the neighbour of what was removed, and on what was
// added.
func TestTheCursorStaysAtWork(t *testing.T) {
	d := newDirector(t)
	at := func(want string) {
		t.Helper()
		row, _ := d.list.Current()
		name := row.Service.Name
		if row.Server != nil {
			name = row.Server.Name
		}
		if name != want {
			t.Errorf("the cursor is on %s, want %s", name, want)
		}
	}
	d.do("enter", "down", "down", "x", "enter")
	at("10.0.3.13:443")
	d.do("x", "enter")
	at("10.0.3.11:443")
	d.do("A", "down")
	d.fill("203.0.113.5")
	d.do("down")
	d.fill("80")
	d.do("enter", "enter")
	at("203.0.113.5:80")
}

// TestAnAnswerThatComesTooSoon: the line ends of a list that the terminal pastes
// as keys answer nothing.
func TestAnAnswerThatComesTooSoon(t *testing.T) {
	d := newDirector(t)
	d.do("enter", "down", "x")
	before := d.rules()
	d.finish(tea.Batch(d.presses("down", "enter")...))
	if d.rules() != before {
		t.Error("an enter of the same moment was taken for the answer")
	}
	d.pass(2 * time.Second)
	d.do("enter")
	d.expect("meant", "!10.0.3.11:443")
}

// TestMostOfATableNeedsItsWord: one enter too many must not empty a director.
func TestMostOfATableNeedsItsWord(t *testing.T) {
	d := newDirector(t)
	d.do("a")
	d.types("10.0.4.1-20")
	d.do("enter", "enter")
	d.expect("many servers", "10.0.4.20:443")
	d.do("home", "x", "enter")
	d.sees("enter alone is not enough", "type remove")
	d.types("remove")
	d.do("enter")
	d.expect("removed", "!203.0.113.10:443")
}

// TestAnOwnerComesWhileAsking: the answer is refused, not only the question.
func TestAnOwnerComesWhileAsking(t *testing.T) {
	d := newDirector(t)
	before := d.rules()
	d.do("enter", "down", "x")
	d.owner = keeper
	d.pass(2 * time.Second)
	d.do("enter")
	d.sees("refused", "Nothing was changed", "guarded: keepalived manages this table")
	if got := d.rules(); got != before {
		t.Errorf("changed:\n%s", got)
	}
	d.do("esc", "ctrl+g", "enter", "enter")
	d.expect("unlocked, the question still stands", "!10.0.3.11:443")
}

// TestPastedLists: all of a list, or nothing.
func TestPastedLists(t *testing.T) {
	d := newDirector(t)
	d.do("a")
	var list strings.Builder
	for i := range 150 {
		fmt.Fprintf(&list, "10.0.5.%d:443\n", 100+i)
	}
	d.Update(tea.PasteMsg{Content: list.String()})
	d.do("enter")
	d.sees("all of them", "add 150 servers")
	d.do("esc")
	d.Update(tea.PasteMsg{Content: strings.Repeat(list.String(), 10)})
	d.sees("too many", "not pasted: it would be", "16384 fit")
	d.do("enter")
	d.sees("the first list still stands", "add 150 servers")
}

func TestAddServers(t *testing.T) {
	d := newDirector(t)
	d.do("a")
	d.sees("the form", "Add servers to TCP 203.0.113.10:443", "forwarding", "DR")
	d.fill("10.0.3.12-15")
	d.do("enter")
	d.sees("a known one", "10.0.3.12:443 is in the service already")
	d.fill("10.0.3.14-15 10.0.4.1:8080")
	d.do("enter")
	d.sees("the port rule of DR", "8080 must be")
	d.fill("10.0.3.14-15")
	d.do("enter")
	d.sees("the plan", "add 2 servers", "ipvsadm -a -t 203.0.113.10:443 -r 10.0.3.15:443 -g -w 102 -x 900 -y 800")
	d.do("enter")
	d.expect("added", "10.0.3.14:443 -g -w 102", "10.0.3.15:443 -g -w 102")
	if d.top() != nil {
		t.Errorf("the form stays open:\n%s", grid(d.Model))
	}
}

// TestChoiceKeepsItsField: NAT brings a field above the one it is chosen in.
func TestChoiceKeepsItsField(t *testing.T) {
	d := newDirector(t)
	d.do("a")
	d.fill("10.0.3.14")
	d.do("down", "n")
	d.sees("still there", "< NAT >", "port")
	d.do("d")
	d.sees("and back", "< DR >")
}

func TestAddService(t *testing.T) {
	d := newDirector(t)
	d.do("A", "down")
	d.fill("203.0.113.300")
	d.do("enter")
	d.sees("no address", "must be an IPv4 or IPv6 address")
	d.fill("203.0.113.10")
	d.do("down")
	d.fill("443")
	d.do("enter")
	d.sees("a known one", "TCP 203.0.113.10:443 is there already")
	d.do("down")
	d.fill("0")
	d.do("enter")
	d.sees("port 0", "needs persistence")
	d.do("down", "right", "down", "down")
	d.fill("600")
	d.do("down")
	d.fill("/24")
	d.do("enter")
	d.sees("the plan", "ipvsadm -A -t 203.0.113.10:0 -s wrr -p 600 -M 255.255.255.0")
	d.do("esc")
	d.sees("back in the form", "Add a virtual service")
	d.do("enter", "enter")
	d.expect("added", "-A -t 203.0.113.10:0 -s wrr -p 600 -M 255.255.255.0")
}

func TestEditAndClone(t *testing.T) {
	d := newDirector(t)
	d.do("e", "right", "down")
	d.do("enter", "enter")
	d.expect("scheduler changed", "-A -t 203.0.113.10:443 -s wrr")
	d.do("enter", "down", "e", "down")
	d.fill("55")
	d.do("enter", "enter")
	d.expect("server edited", "10.0.3.11:443 -g -w 55 -x 900 -y 800")
	d.do("home", "c", "down", "down")
	d.fill("8443")
	d.do("enter", "enter")
	d.expect("a clone's DR servers have its port", "-A -t 203.0.113.10:8443 -s wrr", "-t 203.0.113.10:8443 -r 10.0.3.11:8443 -g -w 55")
	d.do("end", "c", "down", "down")
	d.fill("5353")
	d.do("enter", "enter")
	d.expect("cloned", "-A -u 203.0.113.53:5353 -s rr")
}

// TestRowsThatMovedAreRefused: somebody else changes the weight between the
// reading and the key.
func TestRowsThatMovedAreRefused(t *testing.T) {
	d := newDirector(t)
	d.do("enter", "down")
	web := ipvs.AddressService(ipvs.TCP, addr("203.0.113.10:443"))
	d.must(d.table.SetServer(t.Context(), web, ipvs.Server{Addr: addr("10.0.3.11:443"), Forward: ipvs.Direct, Weight: 7, Upper: 900, Lower: 800}))
	d.do("+")
	d.sees("refused with both states", "as it was before", "100", "7")
	d.expect("untouched", "10.0.3.11:443 -g -w 7 ")
	d.do("esc", "+")
	d.expect("seen, then done", "10.0.3.11:443 -g -w 8 ")
}

func TestKernelRefuses(t *testing.T) {
	d := newDirector(t)
	d.do("enter", "down")
	d.table.Inject(func(_ context.Context, op ipvs.Op) error {
		if op == ipvs.OpSetServer {
			return ipvs.Refused(op, "10.0.3.11:443", unix.EPERM)
		}
		return nil
	})
	d.do("+")
	d.sees("the kernel's word", "as it was before", "not permitted")
	d.table.Inject(nil)
	d.do("esc", "+")
	d.expect("works again", "10.0.3.11:443 -g -w 101")
}

func TestNothingIsChangedWhereItMustNot(t *testing.T) {
	for name, change := range map[string]func(*Model){
		"read-only": func(m *Model) { m.opts.Limits = ipvs.Limits{ReadOnly: true, Why: "--read-only"} },
		"no hands":  func(m *Model) { m.hands.runner = nil },
		"paused":    func(m *Model) { m.paused = true },
		"guarded":   func(m *Model) { m.owner = &owner.Owner{Name: "keepalived", PID: 812} },
		"busy":      func(m *Model) { m.hands.busy, m.hands.at = "something", &atomic.Int64{} },
	} {
		d := newDirector(t)
		d.do("enter", "down")
		before := d.rules()
		change(d.Model)
		for _, c := range slices.Concat(changeCommands(), drainCommands()) {
			for _, k := range c.keys {
				d.Update(keyMsg(k))
				if d.message == "" || d.top() != nil {
					t.Errorf("%s: %q acts or says nothing", name, k)
				}
			}
		}
		if d.rules() != before {
			t.Errorf("%s: the table changed", name)
		}
	}
}

package boot

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops/confirm"
	"lvsdeck/ops/plan"
)

// rulesBefore is a rules file that somebody wrote.
const rulesBefore = "# ours\nipvsadm -A -t 203.0.113.20:80 -s wlc\n\n-a -t 203.0.113.20:80 -r 10.0.0.1 -m # first"

// TestKeptOverARestart: what is kept is there again after a restart, a second time
// changes nothing, and unset leaves host and files as they were before.
func TestKeptOverARestart(t *testing.T) {
	for _, rules := range []string{"", rulesBefore, rulesBefore + "\n"} {
		d := newDirector(t)
		if rules != "" {
			d.ok(os.WriteFile(d.Place.Rules, []byte(rules), 0o640))
		}
		bare, files := d.state(), d.files()
		d.setUp(nat, false, 0)
		d.setUp(full, true, 0)
		d.keeps("with the set-up", full)
		there := d.state()
		d.keepNow(nat.Service)
		d.keeps("the other, too", full, nat)
		if c := d.keepNow(); !c.Plan.Empty() {
			t.Errorf("kept twice: %s", c.Plan.Commands())
		}
		unit, err := os.ReadFile(d.Place.unit())
		d.ok(err)
		if to, err := os.Readlink(d.Place.link()); err != nil || to != "/etc/systemd/system/lvsdeck.service" || !strings.Contains(string(unit), "\nExecStart=/usr/local/sbin/lvsdeck boot\n") {
			t.Errorf("the unit: %s, %v\n%s", to, err, unit)
		}

		d.restart()
		d.same("restarted", bare, d.state())
		tally, err := d.boot(0)
		if err != nil || tally.Failed > 0 || tally.Done == 0 {
			t.Fatalf("%+v, %v: %s", tally, err, strings.Join(d.said, "\n"))
		}
		if rules != "" { // it has a service that did not run
			d.ok(d.table.DeleteService(ctx, ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.20:80"))))
		}
		d.same("booted", there, d.state())
		if rules == "" {
			d.boots(Tally{Already: 11})
		}

		d.unset(0, nat.Service)
		d.keeps("one unset", full)
		d.unset(0, full.Service)
		d.same("unset", bare, d.state())
		if rules != "" && !strings.HasSuffix(rules, "\n") {
			files = strings.Replace(files, "# first", `# first\n`, 1)
		}
		d.same("unset", files, d.files())
		d.boots(Tally{Done: strings.Count(rules, "ipvsadm") * 2})
	}
}

// TestUndoOfAKeep gives the files back and leaves the set-up.
func TestUndoOfAKeep(t *testing.T) {
	d := newDirector(t)
	d.setUp(nat, false, 0)
	files, there := d.files(), d.state()
	c, err := d.Plan(ctx, nat.Service)
	d.ok(err)
	if p, err := c.Plan.Preview(ctx, d.Book.Runner.Target); err != nil || len(p.States) != 6 {
		t.Errorf("%d steps, %v", len(p.States), err)
	}
	r, err := d.Keep(ctx, c, nil)
	d.ok(err)
	_, err = d.Book.Runner.Undo(ctx, r.ID, nil)
	d.ok(err)
	d.same("undone", files, d.files())
	d.same("undone", there, d.state())
	d.keeps("undone")
	d.keepNow()
	d.keeps("kept again", nat)
}

// TestOnlyWhatIsConfirmed: files follow when a change is confirmed, and not before.
func TestOnlyWhatIsConfirmed(t *testing.T) {
	d := newDirector(t)
	files := d.files()
	revert := func() {
		t.Helper()
		_, r, err := d.Revert(ctx, *d.Book.Runner, nil)
		if d.ok(err); r.Outcome != plan.Applied {
			t.Fatalf("reverted: %s", r.Outcome)
		}
		d.ok(d.Seen())
	}
	d.setUp(nat, true, time.Minute)
	d.same("a set-up that waits", files, d.files())
	revert()
	d.same("reverted", files, d.files())

	d.setUp(nat, true, time.Minute)
	d.confirm()
	d.keeps("confirmed", nat)
	kept := d.files()
	d.unset(time.Minute, nat.Service)
	d.same("a way back that waits", kept, d.files())
	if c := d.keepNow(); !c.Plan.Empty() {
		t.Errorf("a way back that waits lets go: %s", c.Plan.Commands())
	}
	revert()
	d.same("a way back that was reverted", kept, d.files())
	d.unset(time.Minute, nat.Service)
	d.confirm()
	d.same("unset", files, d.files())

	d.setUp(nat, false, time.Minute)
	if c := d.keepNow(nat.Service); c.Waits == nil || !c.Plan.Empty() {
		t.Errorf("kept while it waits: %+v", c)
	}
	d.same("the wish", files, d.files())
	d.confirm()
	d.keeps("the wish, confirmed", nat)
	if _, err := d.Confirm(ctx); !errors.As(err, new(*confirm.Nothing)) {
		t.Errorf("confirmed twice: %v", err)
	}
	d.setUp(full, false, time.Minute)
	d.confirm()
	d.keeps("confirmed without the wish", nat)
	if r := d.setUp(full, true, 0); r.ID != "" {
		t.Errorf("set up again: %+v", r)
	}
	d.keeps("all was so already", nat, full)
}

// TestWayBackNeverConfirmed: a restart takes it along, and the set-up that is kept
// is back and known to be.
func TestWayBackNeverConfirmed(t *testing.T) {
	d := newDirector(t)
	bare, files := d.state(), d.files()
	d.setUp(nat, true, 0)
	there := d.state()
	d.unset(time.Minute, nat.Service)
	d.restart()
	_, err := d.boot(0)
	d.ok(err)
	d.same("booted", there, d.state())
	records, err := d.Book.List()
	if err != nil || len(records) != 1 {
		t.Fatalf("the book has %d set-ups, %v", len(records), err)
	}
	d.unset(0, nat.Service)
	d.same("unset", bare, d.state())
	d.same("unset", files, d.files())
}

// TestUndoneSetUpStaysAway, and keep lets it go.
func TestUndoneSetUpStaysAway(t *testing.T) {
	d := newDirector(t)
	bare, files := d.state(), d.files()
	r := d.setUp(nat, true, 0)
	_, err := d.Book.Runner.Undo(ctx, r.ID, nil)
	d.ok(err)
	d.restart()
	d.boots(Tally{})
	d.same("booted, not half of it", bare, d.state())
	if !strings.Contains(strings.Join(d.said, "\n"), "passed over: the set-up of TCP 203.0.113.10:80 was undone") {
		t.Errorf("said %q", d.said)
	}
	d.keepNow()
	d.same("let go", files, d.files())
	d.restart()
	d.boots(Tally{})
	d.same("booted", bare, d.state())
}

// TestUndoneSetUpOfOurs: a service that the rules file had before the set-up comes
// back without the set-up.
func TestUndoneSetUpOfOurs(t *testing.T) {
	d := newDirector(t)
	d.ok(os.WriteFile(d.Place.Rules, []byte("-A -t 203.0.113.10:80 -s rr\n"), 0o640))
	service := ipvs.NewService(nat.Service)
	service.Scheduler = nat.Scheduler
	d.ok(d.table.AddService(ctx, service))
	settings, err := netcfgState(d.host)
	d.ok(err)
	r := d.setUp(nat, true, 0)
	_, err = d.Book.Runner.Undo(ctx, r.ID, nil)
	d.ok(err)
	d.restart()
	_, err = d.boot(0)
	d.ok(err)
	if state := d.state(); !strings.HasPrefix(state, settings) || !strings.Contains(state, "-A -t 203.0.113.10:80 -s") {
		t.Errorf("booted:\n%s", state)
	}
}

// TestBootGoesOn: what cannot be read or done does not keep the rest.
func TestBootGoesOn(t *testing.T) {
	for name, c := range map[string]struct {
		spoil   func(*director)
		without string // which of it
		says    string
		fails   bool
	}{
		"kept.json": {func(d *director) { d.ok(os.WriteFile(d.Place.kept(), []byte("{"), 0o600)) }, "settings", "cannot read", true},
		"a step of a newer program": {func(d *director) {
			text, err := os.ReadFile(d.Place.kept())
			d.ok(err)
			d.ok(os.WriteFile(d.Place.kept(), []byte(strings.Replace(string(text), `"kind": "module"`, `"kind": "newer"`, 1)), 0o600))
		}, "", "a newer lvsdeck may have written it", true},
		"the rules file":    {func(d *director) { d.ok(os.WriteFile(d.Place.Rules, []byte("-A -t x"), 0o600)) }, "rules", "ipvsadm.rules:1:", true},
		"no rules file":     {func(d *director) { d.ok(os.Remove(d.Place.Rules)) }, "rules", "no rules are kept", false},
		"the book":          {func(d *director) { d.ok(os.WriteFile(d.Book.Runner.Store.Dir()+"/setups.json", []byte("{"), 0o600)) }, "", "cannot be read, all that is kept is brought back", false},
		"the book, lost":    {func(d *director) { d.ok(os.Remove(d.Book.Runner.Store.Dir() + "/setups.json")) }, "", "done: add address", false},
		"the whole journal": {func(d *director) { d.ok(os.RemoveAll(d.Book.Runner.Store.Dir())) }, "", "done: add address", false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDirector(t)
			d.setUp(nat, true, 0)
			d.restart()
			c.spoil(d)
			tally, err := d.boot(0)
			said := strings.Join(d.said, "\n")
			if err != nil {
				said += err.Error()
			}
			if (err != nil) != c.fails || !strings.Contains(said, c.says) || tally.Failed > 0 {
				t.Errorf("%+v, %v:\n%s", tally, err, said)
			}
			for what, parts := range map[string][]string{
				"settings": {"eth1/forwarding=1", "203.0.113.10/32 on eth0: true"}, "rules": {"-A -t 203.0.113.10:80 -s rr"},
			} {
				for _, part := range parts {
					if has := strings.Contains(d.state(), part); has == (what == c.without) {
						t.Errorf("has %q: %t\n%s", part, has, said)
					}
				}
			}
		})
	}
}

// TestLateLinks are waited for; everything else is done before.
func TestLateLinks(t *testing.T) {
	d := newDirector(t)
	d.setUp(nat, true, 0)
	there := d.state()
	d.restart("eth1")
	if tally, err := d.boot(0); err != nil || tally.Failed == 0 || !strings.Contains(strings.Join(d.said, "\n"), "no such network interface") {
		t.Errorf("never there: %+v, %v, %q", tally, err, d.said)
	}
	if value, err := d.host.Get("net/ipv4/conf/eth1/forwarding"); value != "1" || err != nil {
		t.Errorf("the link that is there: %s, %v", value, err)
	}
	d.restart("eth1")
	plugged := sync.OnceFunc(func() { go d.plug("eth0") })
	b := Boot{Place: d.Place, Target: d.Book.Runner.Target, Wait: time.Minute, Tell: func(line string) {
		if strings.HasPrefix(line, "waiting") {
			plugged()
		}
	}}
	if tally, err := b.Run(ctx); err != nil || tally.Failed > 0 {
		t.Errorf("%+v, %v", tally, err)
	}
	d.same("booted", there, d.state())
}

// TestRefused: nothing is half kept.
func TestRefused(t *testing.T) {
	for want, spoil := range map[string]func(*director){
		"not in the table; set it up again":  func(d *director) { d.ok(d.table.Flush(ctx)) },
		"must be an absolute path":           func(d *director) { d.Place.Program, d.Keeper.Place.Program = "x", "lvsdeck" },
		"a restart removes what is in /tmp/": func(d *director) { d.Keeper.Place.Program = "/tmp/lvsdeck" },
		"cannot be changed: rules:1:":        func(d *director) { d.ok(os.WriteFile(d.Place.Rules, []byte("-A -t x"), 0o600)) },
		"it is a symbolic link, not a file":  func(d *director) { d.ok(os.Symlink("/dev/null", d.Place.unit())) },
		"mend it or move it away": func(d *director) {
			d.ok(os.MkdirAll(filepath.Dir(d.Place.kept()), 0o700))
			d.ok(os.WriteFile(d.Place.kept(), []byte("{"), 0o600))
		},
		"no set-up of TCP 203.0.113.10:80 is in force": func(d *director) { d.unset(0, nat.Service) },
	} {
		d := newDirector(t)
		d.setUp(nat, false, 0)
		spoil(d)
		files := d.files()
		if _, err := d.Plan(ctx, nat.Service); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
		d.same(want, files, d.files())
	}
}

// TestUnsettled: a change that is confirmed stays confirmed when its files cannot
// be written.
func TestUnsettled(t *testing.T) {
	d := newDirector(t)
	d.setUp(nat, true, time.Minute)
	there := d.state()
	d.ok(os.WriteFile(d.root+"/etc/lvsdeck", nil, 0o600))
	_, err := d.Confirm(ctx)
	if !errors.As(err, new(*Unsettled)) || !strings.Contains(err.Error(), "the change stays") {
		t.Errorf("%v", err)
	}
	s, err := d.Look()
	if err != nil || s.Pending != nil {
		t.Errorf("still waits: %+v, %v", s, err)
	}
	d.same("confirmed", there, d.state())
	d.ok(os.Remove(d.root + "/etc/lvsdeck"))
	d.keepNow()
	d.keeps("then", nat)
}

// TestNotes: other programs that restore rules are told of.
func TestNotes(t *testing.T) {
	d := newDirector(t)
	if n := d.Place.notes(); len(n) != 0 {
		t.Errorf("%q", n)
	}
	d.ok(os.MkdirAll(d.root+"/etc/default", 0o755))
	for text, want := range map[string]bool{"AUTO=\"true\"\n": true, "AUTO=\"false\"\n": false, "# AUTO=\"true\"\n": false, "AUTO=true\nAUTO=false\n": false} {
		d.ok(os.WriteFile(d.root+"/etc/default/ipvsadm", []byte(text), 0o644))
		if n := d.Place.notes(); (len(n) == 1) != want {
			t.Errorf("%q: %q", text, n)
		}
	}
	d.ok(os.RemoveAll(d.root + "/etc/systemd"))
	if n := strings.Join(d.Place.notes(), "\n"); !strings.Contains(n, "This host has no systemd") {
		t.Errorf("%q", n)
	}
	d.setUp(nat, true, 0)
	if strings.Contains(d.files(), "systemd") {
		t.Errorf("a unit for nobody: %s", d.files())
	}
}

package keep

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

const site = `--set 900 120 300
-A -t 203.0.113.10:443 -s wlc
-a -t 203.0.113.10:443 -r 10.0.3.11:443 -g -w 100 -x 900 -y 800
-a -t 203.0.113.10:443 -r 10.0.3.12:443 -g -w 70000
-A -f 3000000000 -s sh -b sh-port,flag-3
`

// desk is a director with its files.
type desk struct {
	testing.TB
	table  *memory.Table
	runner *plan.Runner
	path   string
}

// newDesk makes a table of rules, and a file of the same.
func newDesk(t testing.TB, rules string) *desk {
	t.Helper()
	dir := t.TempDir()
	store, err := persist.Open(persist.Options{Dir: filepath.Join(dir, "state")})
	d := &desk{TB: t, table: memory.New(), path: filepath.Join(dir, "rules")}
	d.ok(err)
	d.runner = &plan.Runner{Target: plan.Target{Table: d.table}, Store: store, Rules: Language}
	_, err = d.restore(rules, false)
	d.ok(err)
	_, err = Save(d.Context(), d.table, d.path)
	d.ok(err)
	return d
}

func (d *desk) ok(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

func (d *desk) equal(what, want, got string) {
	d.Helper()
	if want != got {
		d.Errorf("%s: want\n%s\ngot\n%s", what, want, got)
	}
}

func (d *desk) restore(rules string, merge bool) (said string, err error) {
	d.Helper()
	saved, err := Read(strings.NewReader(rules), "rules")
	d.ok(err)
	var b strings.Builder
	err = Restore(d.Context(), d.runner, saved, merge, &b)
	return b.String(), err
}

func (d *desk) diff(rules string) string {
	d.Helper()
	saved, err := Read(strings.NewReader(rules), "rules")
	d.ok(err)
	var b strings.Builder
	differs, err := Diff(d.Context(), d.table, saved, &b)
	d.ok(err)
	if differs != (b.Len() > 0) {
		d.Errorf("differs: %v, and writes %q", differs, b.String())
	}
	return b.String()
}

func (d *desk) rules() string {
	d.Helper()
	var b strings.Builder
	d.ok(Print(d.Context(), d.table, &b))
	return b.String()
}

func (d *desk) plans() int {
	d.Helper()
	all, err := d.runner.Store.Plans()
	d.ok(err)
	return len(all)
}

func TestSaveAndCompare(t *testing.T) {
	d := newDesk(t, site)
	text, err := os.ReadFile(d.path)
	d.ok(err)
	d.equal("the file", site, string(text))
	if info, _ := os.Stat(d.path); info.Mode() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	d.equal("what is printed", site, d.rules())
	d.equal("no difference", "", d.diff(site))

	changed := strings.NewReplacer("-w 100", "-w 0", "-A -f 3000000000 -s sh -b sh-port,flag-3\n", "", "--set 900", "--set 800",
		"-A -t", "-A -u 203.0.113.53:53 -s rr\n-A -t").Replace(site)
	d.equal("difference", `+ add UDP 203.0.113.53:53: rr
~ drain 10.0.3.11:443 of TCP 203.0.113.10:443: weight 100 to 0
- remove FWM 3000000000
~ set timeouts (s): tcp 900 to 800
`, d.diff(changed))
}

func TestRestore(t *testing.T) {
	d := newDesk(t, "")
	said, err := d.restore(site, false)
	d.ok(err)
	d.equal("said", "restored rules: 4 added, 0 changed, 0 removed\n", said)
	d.equal("restored", site, d.rules())
	plans := d.plans()
	said, err = d.restore(site, false)
	d.ok(err)
	d.equal("again", "nothing to do: the table is as in rules\n", said)
	if d.plans() != plans {
		t.Error("nothing was to do, and the journal has a plan of it")
	}
	_, err = d.restore("-A -u 203.0.113.53:53 -s rr\n", true)
	d.ok(err)
	if got := d.rules(); !strings.Contains(got, "-A -u 203.0.113.53:53") || !strings.Contains(got, "-A -f 3000000000") {
		t.Errorf("merged:\n%s", got)
	}
}

// TestNoRuleClearsNoTable: what a program that failed has left is no wish.
func TestNoRuleClearsNoTable(t *testing.T) {
	d := newDesk(t, site)
	for _, text := range []string{"", "# nothing\n\n"} {
		_, err := d.restore(text, false)
		if err == nil || !strings.Contains(err.Error(), "rules has no rule in it; running: 4 rows") {
			t.Errorf("%q: %v", text, err)
		}
		said, err := d.restore(text, true)
		d.ok(err)
		d.equal("merged", "nothing to do: the table is as in rules\n", said)
	}
	_, err := d.restore("--set 900 120 300\n", false)
	d.ok(err)
	d.equal("what was saved of an empty table is one", "--set 900 120 300\n", d.rules())
}

func TestDryRun(t *testing.T) {
	d := newDesk(t, site)
	saved, err := Read(strings.NewReader("-A -f 7\n-a -f 7 -r 10.0.0.1 -m\n"), "rules")
	d.ok(err)
	var b strings.Builder
	d.ok(DryRun(t.Context(), d.table, saved, false, &b))
	for _, line := range []string{"+ add FWM 7: wlc\n    ipvsadm -A -f 7 -s wlc", "- remove TCP 203.0.113.10:443 with 2 servers\n    ipvsadm -D -t 203.0.113.10:443\n"} {
		if !strings.Contains(b.String(), line) {
			t.Errorf("want %q in\n%s", line, b.String())
		}
	}
	d.equal("untouched", site, d.rules())
}

// TestFailureMidwayGoesBack: the kernel refuses each step in turn.
func TestFailureMidwayGoesBack(t *testing.T) {
	wanted := "-A -f 7\n-a -f 7 -r 10.0.0.1 -m\n-A -f 8\n"
	for step, op := range map[string]ipvs.Op{"service": ipvs.OpAddService, "server": ipvs.OpAddServer, "removal": ipvs.OpDeleteService} {
		d := newDesk(t, site)
		d.table.Inject(func(_ context.Context, o ipvs.Op) error {
			if o == op {
				d.table.Inject(nil) // once
				return ipvs.Refused(op, "it", unix.EINVAL)
			}
			return nil
		})
		said, err := d.restore(wanted, false)
		if err == nil || said != "" || !strings.Contains(err.Error(), "step ") || !strings.Contains(err.Error(), "\nall of it was taken back: the table is as it was before") {
			t.Errorf("%s: said %q, %v", step, said, err)
		}
		d.equal(step, site, d.rules())
	}
}

func TestHalfTakenBackSaysWhat(t *testing.T) {
	d := newDesk(t, site)
	d.table.Inject(func(_ context.Context, o ipvs.Op) error {
		if o == ipvs.OpAddServer || o == ipvs.OpDeleteService {
			return ipvs.Refused(o, "it", unix.EINVAL)
		}
		return nil
	})
	_, err := d.restore(site+"-A -f 7\n-a -f 7 -r 10.0.0.1 -m\n", false)
	if err == nil || !strings.Contains(err.Error(), "not all of it could be taken back:\nadd FWM 7: wlc: cannot delete service") {
		t.Errorf("%v", err)
	}
}

// TestMistakesAreNamed: by file, line and column, all of them, from a file and
// from a pipe.
func TestMistakesAreNamed(t *testing.T) {
	const bad = "-A -f 7\n-a -f 7 -r 10.0.0.1 -m -w x\n-A -f 7\n"
	want := func(name string, err error) {
		t.Helper()
		if err == nil || !strings.HasPrefix(err.Error(), name+":2:27: weight x: ") || !strings.Contains(err.Error(), "\n"+name+":3:7: ") {
			t.Errorf("%v", err)
		}
	}
	_, err := Read(strings.NewReader(bad), "standard input")
	want("standard input", err)
	path := filepath.Join(t.TempDir(), "rules")
	if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(path)
	want(path, err)
	if _, err := Open(path + "s"); err == nil || err.Error() != "cannot read "+path+"s: no such file or directory" {
		t.Errorf("no file: %v", err)
	}
	if _, err := Open(filepath.Dir(path)); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: %v", err)
	}
}

// TestWhatTheFileCannotHoldIsNoDifference: settings without meaning, which
// netlink takes, are not written; so they do not differ either, nor hide what
// does.
func TestWhatTheFileCannotHoldIsNoDifference(t *testing.T) {
	d := newDesk(t, site)
	svc := ipvs.NewService(ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443")))
	svc.Persistence.Timeout = 300
	server := ipvs.Server{Addr: netip.MustParseAddrPort("10.0.3.12:443"), Forward: ipvs.Direct, Weight: 70000, Tunnel: ipvs.Tunnel{Port: 9}}
	d.ok(d.table.SetService(t.Context(), svc))
	d.ok(d.table.SetServer(t.Context(), svc.ServiceID, server))
	d.equal("same", "", d.diff(site))

	said, err := d.restore(strings.Replace(site, "-s wlc", "-s rr", 1), false)
	d.ok(err)
	d.equal("only the scheduler", "restored rules: 0 added, 1 changed, 0 removed\n", said)
	servers, err := d.table.Servers(t.Context(), svc.ServiceID)
	d.ok(err)
	if !slices.ContainsFunc(servers, func(s ipvs.ServerState) bool { return s.Server == server }) {
		t.Errorf("the server was touched: %+v", servers)
	}
}

// TestFilesOfIpvsadm leave alone what they do not speak of.
func TestFilesOfIpvsadm(t *testing.T) {
	d := newDesk(t, site)
	d.ok(d.table.StartDaemon(t.Context(), ipvs.Daemon{Role: ipvs.Backup, Interface: "lo"}))
	silent := strings.TrimPrefix(site, "--set 900 120 300\n")
	d.equal("daemon and timeouts stay", "", d.diff(silent))
	d.equal("ours has none", "- stop the backup sync daemon on lo, sync id 0\n", d.diff(site))
	master := "--start-daemon master --mcast-interface lo --syncid 1\n"
	d.equal("this one speaks of daemons", `- stop the backup sync daemon on lo, sync id 0
+ start the master sync daemon on lo, sync id 1
`, d.diff(silent+master))
}

// TestWarningOfARestore: what could not be written down beside it is told.
func TestWarningOfARestore(t *testing.T) {
	d := newDesk(t, site)
	d.ok(os.WriteFile(filepath.Join(d.runner.Store.Dir(), "weights.json"), []byte("nonsense"), 0o600))
	saved, err := Read(strings.NewReader(strings.Replace(site, "-w 100", "-w 0", 1)), "rules")
	d.ok(err)
	var b strings.Builder
	err = Restore(t.Context(), d.runner, saved, false, &b)
	if err == nil || !strings.Contains(err.Error(), "weights.json") || b.String() != "restored rules: 0 added, 1 changed, 0 removed\n" {
		t.Errorf("said %q, %v", b.String(), err)
	}
}

func TestCompare(t *testing.T) {
	d := newDesk(t, site)
	c, err := Compare(t.Context(), d.table, d.path)
	d.ok(err)
	if !c.Equal() || c.NoFile() || Size(c.Saved.Rules) != "2 services, 2 servers" || c.Saved.Time.IsZero() {
		t.Errorf("%+v", c)
	}
	d.ok(os.Remove(d.path))
	c, err = Compare(t.Context(), d.table, d.path)
	d.ok(err)
	if c.Equal() || !c.NoFile() {
		t.Errorf("no file: %+v", c)
	}
	d.ok(os.WriteFile(d.path, []byte("nonsense\n"), 0o600))
	c, err = Compare(t.Context(), d.table, d.path)
	d.ok(err)
	if c.Equal() || c.NoFile() || c.Err == nil {
		t.Errorf("a bad file: %+v", c)
	}
	d.table.Inject(memory.Fail(ipvs.ErrPermission))
	if _, err := Compare(t.Context(), d.table, d.path); err == nil {
		t.Error("no table, and no error")
	}
}

func TestSnapshots(t *testing.T) {
	d := newDesk(t, site)
	svc := ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))
	server := ipvs.Server{Addr: netip.MustParseAddrPort("10.0.3.12:443"), Forward: ipvs.Direct, Weight: 70000}
	result, err := d.runner.Run(t.Context(), plan.Drain([]plan.Row{{Service: svc, Server: server}}), nil)
	d.ok(err)
	var b strings.Builder
	d.ok(ListSnapshots(d.runner.Store, &b))
	first, rest, _ := strings.Cut(b.String(), "\n")
	if !strings.HasPrefix(first, "TIME") || !strings.Contains(rest, result.ID+"  drain 10.0.3.12:443 of TCP 203.0.113.10:443: weight 70000 to 0") ||
		!strings.Contains(rest, "restore rules") {
		t.Errorf("listed:\n%s", b.String())
	}
	saved, err := OpenSnapshot(d.runner.Store, result.ID)
	d.ok(err)
	d.ok(Restore(t.Context(), d.runner, saved, false, &b))
	d.equal("as before", site, d.rules())
	if _, err := OpenSnapshot(d.runner.Store, "../../etc/shadow"); err == nil || !strings.Contains(err.Error(), "there is no snapshot") {
		t.Errorf("%v", err)
	}
}

package confirm

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/kernel"
	"lvsdeck/lab"
	"lvsdeck/netcfg"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// director is the site of a program that changes the host it runs on, and leaves
// the rest to the real lvsdeck.
const director = "director"

func openDirector() (s site, err error) {
	store, err := persist.Open(persist.Options{Who: persist.Who{User: "alice"}})
	if err != nil {
		return s, err
	}
	table, err := kernel.Open(context.Background(), kernel.Options{})
	if err != nil {
		return s, err
	}
	host, err := netcfg.Open()
	if err != nil {
		return s, err
	}
	s.runner = plan.Runner{Target: plan.Target{Table: table, Sysctls: host, Host: host}, Store: store, Rules: asJSON}
	s.plan = publish()
	s.guard, err = New(store, revertCommand(store.Dir()))
	return s, err
}

func revertCommand(state string) func(string, time.Duration) []string {
	return func(id string, at time.Duration) []string {
		return []string{"lvsdeck", "revert", "--pending", id, "--at", at.String(), "--state", state}
	}
}

// publish changes all that a set-up changes: a sysctl, an address and the table.
func publish() plan.Plan {
	vip := netip.MustParseAddrPort("203.0.113.77:80")
	web := ipvs.NewService(ipvs.AddressService(ipvs.TCP, vip))
	p := plan.AddService(ipvs.ServiceRules{Service: web, Servers: []ipvs.Server{{
		Addr: netip.MustParseAddrPort("10.0.3.11:80"), Forward: ipvs.Masq, Weight: 1,
	}}})
	p.Title = "publish"
	p.Items = append([]plan.Item{
		{Step: plan.ChangeSysctl{Name: "expire_nodest_conn", Before: "0", After: "1"}},
		{Step: plan.Have(netcfg.Address{Link: "eth0", Prefix: netip.PrefixFrom(vip.Addr(), 32)})},
	}, p.Items...)
	return p
}

// onDirector is a bare director, its state, and nothing in the journal.
type onDirector struct {
	*testing.T
	*lab.Host
	before string
}

func newDirector(t *testing.T) onDirector {
	lab.Require(t)
	t.Cleanup(func() { os.RemoveAll(persist.DefaultDir) }) // the next test begins with an empty journal
	n := lab.New(t)
	h := n.Host("director")
	h.Join(n.Segment("wan"), "eth0", "203.0.113.1/24")
	return onDirector{t, h, h.State()}
}

func (d onDirector) start(window time.Duration, how string) *program {
	return startProgram(d.T, d.Host.Start, director, window, how)
}

func (d onDirector) isPublished(what string) {
	d.T.Helper()
	now := d.State()
	for _, want := range []string{"ipvs: -a -t 203.0.113.77:80 -r 10.0.3.11:80", "expire_nodest_conn", "203.0.113.77/32"} {
		if !strings.Contains(now, want) {
			d.T.Fatalf("%s: want %q in\n%s", what, want, now)
		}
	}
	if now == d.before {
		d.T.Fatalf("%s: nothing has changed", what)
	}
}

func (d onDirector) isBefore(what string) {
	d.T.Helper()
	if now := d.State(); now != d.before {
		d.T.Fatalf("%s: the host was\n%s\nand is\n%s", what, d.before, now)
	}
}

// lvsdeck runs the program, which must end with a status and say a text.
func (d onDirector) lvsdeck(status int, want string, args ...string) {
	d.T.Helper()
	var out []byte
	var err error
	d.Do(func() { out, err = exec.Command("lvsdeck", args...).CombinedOutput() })
	var exit *exec.ExitError
	code := 0
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		d.T.Fatal(err)
	}
	if code != status || !strings.Contains(string(out), want) {
		d.T.Fatalf("lvsdeck %s: exit status %d, want %d and %q:\n%s", args, code, status, want, out)
	}
}

func (d onDirector) look() State {
	d.T.Helper()
	store, err := persist.Open(persist.Options{})
	if err != nil {
		d.T.Fatal(err)
	}
	g, err := newGuard(store)
	if err != nil {
		d.T.Fatal(err)
	}
	s, err := g.Look()
	if err != nil {
		d.T.Fatal(err)
	}
	return s
}

// TestLabDeadline: a real director is as before, whatever became of the process
// that changed it.
func TestLabDeadline(t *testing.T) {
	for _, c := range []struct {
		how, says string
		signal    syscall.Signal
	}{
		{"stuck", "in between", unix.SIGKILL},
		{"stuck", "in between", unix.SIGSTOP},
		{"stuck", "in between", unix.SIGHUP},
		{"done", "applied <nil>", unix.SIGHUP},
	} {
		t.Run(fmt.Sprintf("%s, %s", c.how, unix.SignalName(c.signal)), func(t *testing.T) {
			d := newDirector(t)
			p := d.start(window, c.how)
			p.says(c.says)
			if err := p.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			if c.how == "done" {
				d.isPublished("applied")
			}
			lab.Wait(t, "the change is taken back", func() error {
				if s := stateText(d.look()); s != `"publish" of alice taken back 0` {
					log, _ := os.ReadFile(persist.DefaultDir + "/" + logFile)
					return fmt.Errorf("the state is %q, the timer said %q", s, log)
				}
				return nil
			})
			d.isBefore("after the deadline")
			d.lvsdeck(1, "nobody confirmed it in 3 s", "confirm")
		})
	}
}

// TestLabDecide: the change of one process is kept or taken back by others.
func TestLabDecide(t *testing.T) {
	t.Run("confirm", func(t *testing.T) {
		d := newDirector(t)
		d.start(time.Hour, "done").says("applied <nil>")
		timer := *d.look().Pending.Timer.Process
		d.lvsdeck(0, "confirmed: \"publish\" of alice stays", "confirm")
		lab.Wait(t, "the timer ends", func() error {
			if timer.alive() {
				return errors.New("it lives")
			}
			return nil
		})
		d.isPublished("confirmed")
		d.lvsdeck(1, "no change waits", "confirm")
		d.lvsdeck(1, "no change waits", "revert")
	})
	t.Run("revert", func(t *testing.T) {
		d := newDirector(t)
		d.start(time.Hour, "done").says("applied <nil>")
		timer := *d.look().Pending.Timer.Process
		elsewhere := onDirector{t, lab.New(t).Host("elsewhere"), ""}
		elsewhere.lvsdeck(2, "another network namespace", "revert")
		d.isPublished("refused")
		d.lvsdeck(0, "\"publish\" of alice was taken back at ", "revert")
		d.isBefore("reverted")
		if timer.alive() {
			t.Error("the timer lives")
		}
		d.lvsdeck(1, "was taken back at ", "revert")
	})
	t.Run("revert what is stuck", func(t *testing.T) {
		d := newDirector(t)
		d.start(time.Hour, "stuck").says("in between")
		d.lvsdeck(2, "still being applied", "confirm")
		d.lvsdeck(0, "taken back: ", "revert")
		d.isBefore("reverted")
	})
	t.Run("undo", func(t *testing.T) {
		d := newDirector(t)
		d.start(time.Hour, "done").says("applied <nil>")
		d.lvsdeck(0, "undo: publish", "undo", "--yes")
		d.isBefore("undone")
		if s := stateText(d.look()); s != "" {
			t.Errorf("the state is %q", s)
		}
	})
}

// TestLabTimerNeedsTheTable: nothing is changed when the timer cannot reach what
// it is to take back.
func TestLabTimerNeedsTheTable(t *testing.T) {
	d := newDirector(t)
	var err error
	d.Do(func() {
		var s site
		if s, err = openDirector(); err != nil {
			t.Fatal(err)
		}
		g, wrong := New(s.runner.Store, revertCommand("/dev/null/nowhere"))
		if err = wrong; err != nil {
			t.Fatal(err)
		}
		_, err = g.Run(t.Context(), s.runner, s.plan, time.Minute, nil)
	})
	var notArmed *NotArmed
	if !errors.As(err, &notArmed) || !strings.Contains(err.Error(), "/dev/null/nowhere") {
		t.Errorf("%v", err)
	}
	d.isBefore("not armed")
}

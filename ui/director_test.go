package ui

import (
	"context"
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/ops/owner"
)

var keeper = &owner.Owner{Name: "keepalived", PID: 812, Will: "It puts its own weights back at each reload."}

// goTo moves the cursor of the director screen to a row.
func (d *director) goTo(name string) {
	d.t.Helper()
	s := d.top().(*directorScreen)
	for i, r := range s.rows {
		if r.name == name {
			s.at = i
			d.Update(sampleMsg{})
			return
		}
	}
	d.t.Fatalf("no row %q:\n%s", name, grid(d.Model))
}

func (d *director) sysctl(name, want string) {
	d.t.Helper()
	if got, err := d.host.Get(name); err != nil || got != want {
		d.t.Fatalf("%s is %q (%v), want %q\n%s", name, got, err, want, grid(d.Model))
	}
}

func TestDirectorScreens(t *testing.T) {
	scenes := map[string]func(*director){
		"director": func(d *director) {
			d.host.Put("conntrack", "1")
			d.host.Put("of_tomorrow", "7")
			d.must(d.table.StartDaemon(t.Context(), ipvs.Daemon{Role: ipvs.Master, Interface: "eth0", SyncID: 7}))
			d.do("D")
			d.goTo("conntrack")
		},
		"director-sysctl":   func(d *director) { d.do("D"); d.goTo("conn_reuse_mode"); d.do("enter") },
		"director-daemon":   func(d *director) { d.do("D"); d.goTo("backup"); d.do("enter") },
		"director-no-right": func(d *director) { d.table.Inject(noRights); d.do("D"); d.goTo("not known") },
		"guarded":           func(d *director) { d.owner = keeper; d.do("enter", "down", "+") },
		"guarded-unlock":    func(d *director) { d.owner = keeper; d.do("enter", "ctrl+g") },
	}
	for name, play := range scenes {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s-%dx%d", name, size[0], size[1]), func(t *testing.T) {
				d := newDirector(t)
				d.start(size[0], size[1])
				play(d)
				plain := grid(d.Model)
				golden(t, fmt.Sprintf("%s-%dx%d", name, size[0], size[1]), plain+"\n"+styles(d.Model))
				d.Update(tea.ColorProfileMsg{Profile: colorprofile.ASCII})
				if mono := grid(d.Model); mono != plain {
					t.Errorf("without colour the text differs:\n%s", mono)
				}
			})
		}
	}
}

func noRights(_ context.Context, op ipvs.Op) error {
	if op == ipvs.OpGetTimeouts || op == ipvs.OpGetDaemons {
		return ipvs.Refused(op, "", unix.EPERM)
	}
	return nil
}

// TestEveryRowOfTheDirectorFits walks through all rows at many sizes.
func TestEveryRowOfTheDirectorFits(t *testing.T) {
	d := newDirector(t)
	d.do("D")
	for width := minWidth; width <= 200; width += 20 {
		for _, height := range []int{16, 24, 50} {
			d.Update(tea.WindowSizeMsg{Width: width, Height: height})
			d.Update(keyMsg("home"))
			for range d.top().(*directorScreen).rows {
				lines := strings.Split(d.View().Content, "\n")
				if len(lines) != height {
					t.Fatalf("%dx%d: %d lines", width, height, len(lines))
				}
				for _, line := range lines {
					if w := cells(line); w > width {
						t.Fatalf("%dx%d: %d cells: %q", width, height, w, line)
					}
				}
				d.Update(keyMsg("down"))
			}
		}
	}
}

func TestSysctlFromTheScreen(t *testing.T) {
	d := newDirector(t)
	d.do("D")
	d.sees("the director", "IPVS", "1.2.1", "4096", "tcp", "900", "master", "not running")
	d.goTo("expire_nodest_conn")
	d.sees("what it does", "server was removed", "must be 0 or 1; default 0")
	d.do("enter", "right", "enter")
	d.sees("the plan", "set net.ipv4.vs.expire_nodest_conn: 0 to 1", "sysctl -w net.ipv4.vs.expire_nodest_conn=1")
	d.sysctl("expire_nodest_conn", "0")
	d.do("enter")
	d.sysctl("expire_nodest_conn", "1")
	d.sees("done, on the screen", "done: set net.ipv4.vs.expire_nodest_conn: 0 to 1", "default 0")
	d.do("u", "enter")
	d.sysctl("expire_nodest_conn", "0")

	d.goTo("sync_threshold")
	d.do("enter")
	d.fill("5")
	d.do("enter")
	d.sees("the rule", "must be two numbers")
	d.fill("5 100")
	d.do("enter", "enter")
	d.sysctl("sync_threshold", "5 100")
	d.do("esc")
	if d.top() != nil {
		t.Errorf("esc does not go back:\n%s", grid(d.Model))
	}
}

// TestSysctlThatMoved: somebody else sets it while the form is open.
func TestSysctlThatMoved(t *testing.T) {
	d := newDirector(t)
	d.do("D")
	d.goTo("conntrack")
	d.do("enter", "right", "enter")
	d.host.Put("conntrack", "5")
	d.do("enter")
	d.sees("both states", "0 when you looked, is 5 now")
	d.sysctl("conntrack", "5")
	d.do("esc", "esc")
	d.sees("read again", "conntrack                  5")
}

func TestTimeoutsFromTheScreen(t *testing.T) {
	d := newDirector(t)
	d.do("D")
	d.goTo("udp")
	d.do("enter")
	d.fill("0")
	d.do("enter")
	d.sees("no timeout", "must be 1 to 2678400")
	d.fill("600")
	d.do("down", "down")
	d.fill("30")
	d.do("enter")
	d.sees("the plan", "tcp 900 to 600, udp 300 to 30", "ipvsadm --set 600 120 30")
	d.do("enter")
	d.sees("done", "600")
	if got, _ := d.table.Timeouts(t.Context()); got != (ipvs.Timeouts{TCP: 600, TCPFin: 120, UDP: 30}) {
		t.Errorf("timeouts %+v", got)
	}
}

func TestDaemonsFromTheScreen(t *testing.T) {
	d := newDirector(t)
	d.do("D")
	d.goTo("backup")
	d.do("enter")
	d.sees("the host's interfaces", "eth0")
	d.do("right")
	d.sees("the next of them", "eth1")
	d.do("down")
	d.fill("256")
	d.do("enter")
	d.sees("the id's rule", "must be 0 to 255")
	d.fill("7")
	d.do("down")
	d.fill("10.0.0.1")
	d.do("enter")
	d.sees("the group's rule", "must be a multicast address")
	d.fill("")
	d.do("enter", "enter")
	d.sees("the kernel's word", "no such network interface")
	d.do("esc", "up", "up", "left", "enter", "enter")
	d.sees("it runs", "runs on eth0", "sync id 7")
	d.do("enter")
	d.sees("asks before stopping", "ipvsadm --stop-daemon backup --syncid 7")
	d.do("enter")
	d.sees("stopped", "not running")
	if got, _ := d.table.Daemons(t.Context()); len(got) != 0 {
		t.Errorf("still runs: %+v", got)
	}
}

func TestNothingToChange(t *testing.T) {
	d := newDirector(t)
	d.do("D", "enter")
	d.sees("the version", "there is nothing to change here")
	d.goTo("conntrack")
	d.opts.Limits = ipvs.Limits{ReadOnly: true, Why: "--read-only"}
	d.do("enter")
	d.sees("read-only", "read-only: --read-only")
}

func TestGuard(t *testing.T) {
	d := newDirector(t)
	d.do("ctrl+g")
	d.sees("nobody to guard against", "nothing is locked")
	before := d.rules()
	d.owner = keeper
	d.do("enter", "down", "+")
	d.sees("guarded", "guarded: keepalived manages this table; ctrl-g unlocks", "keepalived (pid 812) manages this table")
	d.do("ctrl+g")
	d.sees("what will happen", keeper.Will)
	d.do("esc", "+")
	if d.rules() != before {
		t.Fatalf("changed under guard:\n%s", d.rules())
	}
	d.do("D", "ctrl+g", "ctrl+g", "enter")
	d.sees("unlocked from any screen", "changing is unlocked", "SYSCTLS")
	d.do("esc", "+")
	d.expect("unlocked", "10.0.3.11:443 -g -w 101")
	d.owner = &owner.Owner{Name: "keepalived", PID: 999}
	d.do("down", "+")
	d.expect("unlocked for the program, not the process", "10.0.3.12:443 -g -w 102")
	d.owner = &owner.Owner{Name: "ldirectord", PID: 5}
	d.do("ctrl+l", "+")
	d.sees("another owner", "guarded: ldirectord")
	d.owner = nil
	d.do("ctrl+l", "+")
	d.expect("nobody any more", "10.0.3.12:443 -g -w 103")
}

// TestMixedFamiliesBesideADaemon: the rule is told before the kernel is asked.
func TestMixedFamiliesBesideADaemon(t *testing.T) {
	d := newDirector(t)
	d.must(d.table.StartDaemon(t.Context(), ipvs.Daemon{Role: ipvs.Master, Interface: "eth0", SyncID: 7}))
	d.do("a")
	d.fill("2001:db8::1")
	for d.top().(*form).shown()[d.top().(*form).at].id != askForward {
		d.do("down")
	}
	d.do("T", "enter")
	d.sees("refused at the field", "sync daemon")
}

func TestSchedulersOfThisKernel(t *testing.T) {
	d := newDirector(t)
	d.do("A")
	for d.top().(*form).at < 3 {
		d.do("down")
	}
	d.do("t")
	d.sees("a scheduler that is not there", "twos", "not in this kernel")
	d.do("home", "up") // what is typed goes to fields
	for d.top().(*form).at != 1 {
		d.do("down")
	}
	d.fill("203.0.113.99")
	d.do("down")
	d.fill("80")
	d.do("enter")
	d.sees("refused at the field", "twos: this kernel neither has nor can load ip_vs_twos")
	d.do("s")
	d.sees("one that is", "< s")
	if g := grid(d.Model); strings.Contains(g, "not in this kernel") {
		t.Errorf("said of a scheduler that can be loaded:\n%s", g)
	}
}

package ui

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
)

var webID = ipvs.AddressService(ipvs.TCP, addr("203.0.113.10:443"))

// conns sets the connections of a server.
func (d *director) conns(at string, active, inactive, templates uint32) {
	d.table.ObserveServer(webID, addr(at), memory.Observation{Active: active, Inactive: inactive, Persistent: templates})
}

// persistent makes the service sticky.
func (d *director) persistent() {
	s, err := d.table.Service(d.t.Context(), webID)
	d.must(err)
	s.Persistence.On, s.Persistence.Timeout = true, 360
	d.must(d.table.SetService(d.t.Context(), s.Service))
}

// quits presses a key and tells whether the console ends.
func (d *director) quits(key string) bool {
	_, cmd := d.Update(keyMsg(key))
	if cmd == nil {
		return false
	}
	_, quit := cmd().(tea.QuitMsg)
	return quit
}

// draining is a console on a drained server with its detail, whose connections
// fall evenly.
func draining(t *testing.T) *director {
	d := newDirector(t)
	d.do("enter", "down", "d", "tab")
	for i := range 30 {
		d.conns("10.0.3.11:443", uint32(150-2*i), 3, 0)
		d.pass(4 * time.Second)
	}
	return d
}

func TestDrainIsExplained(t *testing.T) {
	d := draining(t)
	d.sees("what is left", "92 active, 3 inactive   about 4 min left   falling 30/min", "active end when closed or idle 15 min; inactive end within 2 min")
	d.conns("10.0.3.11:443", 0, 3, 0)
	d.pass(4 * time.Second)
	d.sees("only closing ones", "0 active, 3 inactive", "at most 2 min left")
	d.conns("10.0.3.11:443", 0, 0, 0)
	d.pass(4 * time.Second)
	d.sees("nothing", "0 active, 0 inactive", "empty")
	d.do("d")
	if strings.Contains(grid(d.Model), "0 active, 0 inactive") {
		t.Errorf("a server with a weight is not drained:\n%s", grid(d.Model))
	}
}

func TestPersistenceIsExplainedAndEnded(t *testing.T) {
	d := newDirector(t)
	d.do("f")
	d.sees("nothing to end", "does not hold")
	d.persistent()
	d.do("enter", "down", "d", "tab")
	d.conns("10.0.3.11:443", 0, 0, 5)
	d.pass(20 * time.Second)
	d.sees("why", "0 active, 0 inactive, 5 templates", "persistence brings clients back (360 s)", "f ends that")
	d.do("f")
	d.sees("the fix is a plan", "sysctl -w net.ipv4.vs.expire_quiescent_template=1")
	d.do("enter")
	d.pass(10 * time.Second)
	if v, err := d.host.Get("expire_quiescent_template"); v != "1" || err != nil {
		t.Errorf("the sysctl is %q, %v", v, err)
	}
	if g := grid(d.Model); strings.Contains(g, "brings clients back") {
		t.Errorf("still held:\n%s", g)
	}
	d.do("u", "enter")
	if v, _ := d.host.Get("expire_quiescent_template"); v != "0" {
		t.Errorf("undone, the sysctl is %q", v)
	}
}

func TestSysctlsOutOfReach(t *testing.T) {
	d := newDirector(t)
	d.hands.runner.Target.Sysctls = nil
	d.persistent()
	d.do("enter", "down", "d")
	d.conns("10.0.3.11:443", 1, 0, 5)
	d.pass(4 * time.Second)
	d.do("f")
	d.sees("the line to type", "sysctl -w net.ipv4.vs.expire_quiescent_template=1")
}

func TestRemovedByItselfWhenEmpty(t *testing.T) {
	d := newDirector(t)
	d.do("enter", "down", "W")
	d.sees("not drained", "drain it first, with d")
	d.conns("10.0.3.11:443", 3, 1, 0)
	d.do("d", "W")
	d.sees("asks", "Remove 10.0.3.11:443 of TCP 203.0.113.10:443 when empty", "no active connection", "time limit")
	d.do("down")
	d.sees("what becomes of the rest", "expire_nodest_conn=0")
	d.fill("soon")
	d.do("enter")
	d.sees("no time", "must be 0 to")
	d.fill("30")
	d.do("enter")
	d.sees("begun", "begun; t shows how it goes")
	d.do("t")
	d.sees("the task", "running", "remove 10.0.3.11:443", "3 active connections left, waits 30 min at the most", "3 active, 1 inactive")
	d.do("esc")
	d.sees("in short", "remove 10.0.3.11:443: 3 active connections left")
	d.conns("10.0.3.11:443", 0, 1, 0)
	d.pass(8 * time.Second)
	d.expect("gone by itself", "!10.0.3.11:443")
	d.sees("told", "removed after")
	d.do("t")
	d.sees("in the list", "done", "removed after")
	d.do("esc", "u")
	d.sees("can be undone", "add 10.0.3.11:443")
	d.do("enter")
	d.expect("back", "10.0.3.11:443 -g -w 0 -x 900 -y 800")
}

func TestUDPHasNoActiveConnections(t *testing.T) {
	d := newDirector(t)
	dns := ipvs.AddressService(ipvs.UDP, addr("203.0.113.53:53"))
	d.must(d.table.AddServer(t.Context(), dns, ipvs.Server{Addr: addr("10.0.4.1:53"), Forward: ipvs.Masq}))
	d.table.ObserveServer(dns, addr("10.0.4.1:53"), memory.Observation{Inactive: 9})
	d.do("end", "enter", "down", "W")
	d.sees("one way to wait", "no connection at all")
	d.do("enter", "t")
	d.sees("waits", "9 connections left", "UDP never closes")
	d.pass(time.Minute)
	d.sees("still", "9 connections left")
}

func TestRampBack(t *testing.T) {
	d := newDirector(t)
	d.do("enter", "down", "d", "b")
	d.sees("the form", "Bring 10.0.3.11:443 of TCP 203.0.113.10:443 back in steps", "100", "the weight it had before")
	d.fill("0")
	d.do("enter")
	d.sees("its own weight", "not known: type one")
	d.fill("100")
	d.do("down")
	d.fill("61")
	d.do("enter")
	d.sees("too long", "must be 1 to 60 minutes")
	d.fill("4")
	d.do("down")
	d.fill("many")
	d.do("enter")
	d.sees("no number", "must be 1 to 60 steps")
	d.fill("5")
	d.do("enter")
	d.expect("the first step", "10.0.3.11:443 -g -w 20 -x 900 -y 800")
	d.sees("in short", "ramp 10.0.3.11:443: weight 20 of 100, step 1 of 5, 4 min left")
	d.do("b")
	d.fill("100")
	d.do("enter")
	d.sees("one task for each", "running for it already")
	d.do("esc")
	d.pass(2 * time.Minute)
	d.expect("half way", "10.0.3.11:443 -g -w 60 ")
	d.pass(3 * time.Minute)
	d.expect("there", "10.0.3.11:443 -g -w 100 ")
	d.sees("told", "has weight 100")
	d.do("L")
	d.sees("in the log", "ipvsadm -e -t 203.0.113.10:443 -r 10.0.3.11:443 -g -w 100")
}

func TestRampOfSeveral(t *testing.T) {
	d := newDirector(t)
	d.do("enter", "down", "space", "space", "d", "b")
	d.sees("many", "Bring 2 servers back in steps")
	d.do("enter")
	d.sees("two tasks", "2 tasks running")
	d.pass(6 * time.Minute)
	d.expect("each its own", "10.0.3.11:443 -g -w 100 ", "10.0.3.12:443 -g -w 101 ")
	d.do("b")
	d.do("enter")
	d.sees("no weight remembered", "not known: type one")
}

func TestCancelAndOthers(t *testing.T) {
	d := newDirector(t)
	d.do("enter", "down", "d", "b", "enter", "t", "x")
	d.sees("cancelled", "cancelled")
	d.pass(10 * time.Minute)
	d.expect("stays", "10.0.3.11:443 -g -w 10 ")
	d.do("esc", "down", "d", "b", "enter")
	d.must(d.table.SetServer(t.Context(), webID, ipvs.Server{Addr: addr("10.0.3.12:443"), Forward: ipvs.Direct, Weight: 7}))
	d.pass(4 * time.Second)
	d.sees("told", "somebody gave it weight 7")
	d.do("t")
	d.sees("both", "stopped", "cancelled")
}

func TestRefusedSteps(t *testing.T) {
	d := newDirector(t)
	d.do("enter", "down", "d")
	d.table.Inject(func(_ context.Context, op ipvs.Op) error {
		if op == ipvs.OpSetServer {
			return ipvs.Refused(op, "10.0.3.11:443", unix.EPERM)
		}
		return nil
	})
	d.do("b", "enter", "t")
	d.sees("goes on trying", "running", "not permitted")
	d.pass(2 * time.Minute)
	d.sees("gives up", "stopped", "gave up after 5 attempts")
}

func TestLeavingWithTasks(t *testing.T) {
	d := newDirector(t)
	d.do("enter", "down", "d", "b", "enter")
	if d.quits("q") {
		t.Fatal("left without a word")
	}
	d.sees("asks", "A task is running: leave it?", "ramp 10.0.3.11:443")
	if d.quits("n") || d.top() != nil {
		t.Fatalf("stays:\n%s", grid(d.Model))
	}
	if d.quits("ctrl+c") || !d.quits("enter") {
		t.Error("asked, and told to leave")
	}
	if !d.quits("ctrl+c") {
		t.Error("a second ctrl-c leaves")
	}
	d.do("esc", "t", "x", "esc")
	if !d.quits("q") {
		t.Error("nothing runs: leaves at once")
	}
}

// TestDrainScreens keeps how it looks.
func TestDrainScreens(t *testing.T) {
	for name, play := range map[string]func(*director){
		"drain-detail": func(*director) {},
		"drain-held": func(d *director) {
			d.persistent()
			d.conns("10.0.3.11:443", 90, 0, 40)
			d.pass(6 * time.Second)
		},
		"drain-remove": func(d *director) { d.do("W") },
		"drain-ramp":   func(d *director) { d.do("b") },
		"tasks": func(d *director) {
			d.do("W", "enter", "down", "d", "b", "enter")
			d.pass(time.Minute)
			d.do("t", "down")
		},
		"tasks-none": func(d *director) { d.do("t") },
		"leave":      func(d *director) { d.do("W", "enter", "q") },
	} {
		for _, size := range sizes {
			name := fmt.Sprintf("%s-%dx%d", name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				d := draining(t)
				d.Update(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
				play(d)
				plain := grid(d.Model)
				golden(t, name, plain+"\n"+styles(d.Model))
				d.Update(tea.ColorProfileMsg{Profile: colorprofile.ASCII})
				if mono := grid(d.Model); mono != plain {
					t.Errorf("without colour the text differs:\n%s", mono)
				}
			})
		}
	}
}

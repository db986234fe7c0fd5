package flow

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lvsdeck/lab"
	"lvsdeck/lab/screen"
)

// Rows of the director screen before the sysctls, from the top.
const (
	tcpRow    = 3
	masterRow = 6
	sysctlRow = 8
)

// row puts the director screen's cursor on a row and waits for what stands below
// about it.
func (c *console) row(n int, about string) {
	c.t.Helper()
	c.press("g" + strings.Repeat("j", n))
	c.waitText(about)
}

// answers waits until a command on the director says something.
func answers(t *testing.T, h *lab.Host, want string, command ...string) {
	t.Helper()
	lab.Wait(t, want, func() error {
		if got := h.Command(command[0], command[1:]...); strings.TrimSpace(got) != want {
			return fmt.Errorf("%v says %q", command, got)
		}
		return nil
	})
}

// TestDirectorFromTheConsole changes timeouts, a sync daemon and a sysctl of the
// real kernel with keys alone, and takes the last back, with ipvsadm and the
// sysctl's file as judges.
func TestDirectorFromTheConsole(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 1, false)
	c := open(t, s.Director, nil)
	c.waitText("The table is empty")
	c.press("D")
	c.waitText("TIMEOUTS", "not running", "am_droprate")

	c.row(tcpRow, "established TCP connection may be silent")
	c.press("\r")
	c.waitText("Timeouts of connections")
	c.press("\x15600\r")
	c.waitText("ipvsadm --set 600 120 300")
	c.press("\r")
	answers(t, s.Director, "Timeout (tcp tcpfin udp): 600 120 300", "ipvsadm", "-L", "--timeout")
	c.waitText("done: set timeouts", "600")

	c.row(masterRow, "tells other directors")
	c.press("\r")
	c.waitText("Start the master sync daemon")
	c.press("\x1b[B\x157\r")
	c.waitText("--start-daemon master --mcast-interface eth0 --syncid 7")
	c.press("\r")
	answers(t, s.Director, "master sync daemon (mcast=eth0, syncid=7, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)", "ipvsadm", "-L", "--daemon")
	c.waitText("runs on eth0", "sync id 7")
	c.press("\r")
	c.waitText("--stop-daemon master --syncid 7")
	c.press("\r")
	answers(t, s.Director, "", "ipvsadm", "-L", "--daemon")
	c.waitText("done: stop the master")

	const name = "expire_nodest_conn"
	file := "/proc/sys/net/ipv4/vs/" + name
	all := strings.Fields(s.Director.Command("ls", filepath.Dir(file)))
	c.row(sysctlRow+slices.Index(all, name), "whose server was removed")
	set := func() {
		c.press("\r")
		c.waitText("< 0 >")
		c.press("\x1b[C\r")
		c.waitText("sysctl -w net.ipv4.vs." + name + "=1")
		c.press("\r")
		answers(t, s.Director, "1", "cat", file)
		c.waitText("done: set net.ipv4.vs."+name, "default 0")
	}
	set()
	c.press("u")
	c.waitText("undo: set net.ipv4.vs." + name)
	c.press("\r")
	answers(t, s.Director, "0", "cat", file)
	c.wait("the value before, read again", func(f *screen.Frame) bool { return f.Has("done: undo") && number(f, name, 0) == 0 })
	set()
	c.press("\x1b")
	c.waitText("The table is empty")
	c.press("q")
	c.ended(0)
	s.Director.Command("lvsdeck", "undo", "--yes")
	answers(t, s.Director, "0", "cat", file)
}

// TestDirectorOfSomebodyElse: while a keepalived runs on the director, changing
// takes a deliberate unlock.
func TestDirectorOfSomebodyElse(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 1, false)
	serve(s, "-t", lab.HTTPPort, "1")
	keeper := standIn(t, s.Director, "keepalived")
	c := open(t, s.Director, nil)
	c.waitText("guarded", fmt.Sprintf("keepalived (pid %d) manages this table", keeper))
	before := s.Director.Ipvsadm("-Sn")
	c.press("\rj+")
	c.waitText("ctrl-g unlocks")
	if now := s.Director.Ipvsadm("-Sn"); now != before {
		t.Fatalf("changed under guard:\n%s", now)
	}
	c.press("\a")
	c.waitText("puts its own servers and weights back")
	c.press("\r")
	c.waitText("changing is unlocked")
	c.press("+")
	lab.Wait(t, "the weight", func() error {
		if now := s.Director.Ipvsadm("-Sn"); !strings.Contains(now, server(s, 0)+" -m -w 2") {
			return errors.New(now)
		}
		return nil
	})
	c.press("q")
	c.ended(0)
}

// standIn runs a program that does nothing under another's name, until the test
// ends.
func standIn(t *testing.T, h *lab.Host, name string) (pid int) {
	t.Helper()
	script := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(script, []byte("#!/bin/sh\nread end\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(script)
	in, err := cmd.StdinPipe()
	if err == nil {
		err = h.Start(cmd)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait() // read has met the end
	})
	return cmd.Process.Pid
}

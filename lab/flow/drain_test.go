package flow

import (
	"fmt"
	"net"
	"testing"

	"lvsdeck/lab"
	"lvsdeck/lab/screen"
)

// hold opens connections through the virtual address and keeps them.
func hold(t *testing.T, s *lab.Site, n int) (held []net.Conn) {
	t.Helper()
	for range n {
		c, err := s.Client.Dial("tcp", s.At(lab.TCPPort))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		held = append(held, c)
	}
	return held
}

// TestDrainedServerIsRemovedWhenEmpty: held connections end one by one, and the
// server leaves by itself with the last, with ipvsadm as judge.
func TestDrainedServerIsRemovedWhenEmpty(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 2, false)
	serve(s, "-t", lab.TCPPort, "1", "0")
	server := fmt.Sprintf("%s:%d", s.Addrs[0], lab.TCPPort)
	held := hold(t, s, 3)

	c := open(t, s.Director, nil)
	c.waitText(s.At(lab.TCPPort))
	c.press(enter + down + "\t")
	c.waitText("server of")
	c.press("d")
	c.waitText("is left that takes", "do it")
	c.press(enter)
	c.waitText("3 active, 0 inactive", "active end when closed or idle 15 min")
	c.judge(s, server+" -m -w 0")
	c.press("W")
	c.waitText("Remove " + server)
	c.press(enter)
	c.waitText("3 active connections left")
	held[0].Close()
	c.waitText("2 active connections left", "inactive end within 2 min")
	c.press("t")
	c.waitText("running", "remove "+server+" of TCP")
	held[1].Close()
	c.waitText("1 active connection left")
	c.judge(s, server+" -m -w 0")
	held[2].Close()
	c.judge(s, "!"+server, fmt.Sprintf("%s:%d", s.Addrs[1], lab.TCPPort))
	c.waitText("done", "removed after")
	c.press("q")
	c.press("q")
	c.ended(0)
}

// TestDrainUnderPersistence: clients come back to a drained server until the fix
// that the screen offers is made.
func TestDrainUnderPersistence(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 2, false)
	serve(s, "-t", lab.HTTPPort, "1", "0")
	at, drained := s.At(lab.HTTPPort), fmt.Sprintf("%s:%d", s.Addrs[0], lab.HTTPPort)
	s.Director.Ipvsadm("-E", "-t", at, "-s", "rr", "-p", "300")
	first, err := s.Client.HTTPGet(at)
	if err != nil {
		t.Fatal(err)
	}
	s.Director.Ipvsadm("-e", "-t", at, "-r", drained, "-m", "-w", "0")
	s.Director.Ipvsadm("-e", "-t", at, "-r", fmt.Sprintf("%s:%d", s.Addrs[1], lab.HTTPPort), "-m", "-w", "1")
	if again, err := s.Client.HTTPGet(at); err != nil || again != first {
		t.Fatalf("persistence should bring the client back to %q, got %q, %v", first, again, err)
	}

	c := open(t, s.Director, nil)
	c.waitText(at)
	c.press(enter + down + "\t")
	c.waitText("0 active", "1 template", "persistence brings clients back (300 s)", "f ends that")
	c.press("f")
	c.waitText("sysctl -w net.ipv4.vs.expire_quiescent_template=1")
	c.press(enter)
	answers(t, s.Director, "1", "cat", "/proc/sys/net/ipv4/vs/expire_quiescent_template")
	c.wait("persistence is no reason any more", func(f *screen.Frame) bool {
		return f.Has("server of") && !f.Has("brings clients back")
	})
	if other, err := s.Client.HTTPGet(at); err != nil || other == first {
		t.Errorf("the client should go elsewhere, got %q, %v", other, err)
	}
	c.press("q")
	c.ended(0)
}

// TestDrainedServerComesBackInSteps: a ramp on the real kernel, left alone.
func TestDrainedServerComesBackInSteps(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 2, false)
	serve(s, "-t", lab.HTTPPort, "90", "90")
	server := fmt.Sprintf("%s:%d", s.Addrs[0], lab.HTTPPort)
	c := open(t, s.Director, nil)
	c.waitText(s.At(lab.HTTPPort))
	c.press(enter + down + "d")
	c.judge(s, server+" -m -w 0")
	c.waitText("off")
	c.press("b")
	c.waitText("back in steps", "90")
	c.press(down + "\x151" + down + "\x156" + enter)
	for _, weight := range []string{"30", "60", "90"} {
		c.judge(s, server+" -m -w "+weight)
		if weight == "60" {
			c.press("q")
			c.waitText("A task is running: leave it?")
			c.press("n")
		}
	}
	c.waitText("has weight 90")
	c.press("q")
	c.ended(0)
}

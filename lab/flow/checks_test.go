package flow

import (
	"net"
	"testing"
	"time"

	"lvsdeck/lab"
	"lvsdeck/lab/screen"
)

// TestAFaultIsNamedAndEnded: a healthy director of NAT stops routing its servers'
// answers. The console says so without being asked, and what it offers ends it:
// clients are served, until it is undone.
func TestAFaultIsNamedAndEnded(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 2, false)
	serve(s, "-t", lab.HTTPPort, "1", "1")
	c := open(t, s.Director, nil)
	served := func(when string) {
		t.Helper()
		if _, err := s.Client.HTTPGet(s.At(lab.HTTPPort)); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
	}
	lost := func(when string) {
		t.Helper()
		var err error
		s.Client.Do(func() { _, err = net.DialTimeout("tcp", s.At(lab.HTTPPort), 2*time.Second) })
		if err == nil {
			t.Fatal(when + ": clients are served")
		}
	}
	c.waitText(s.At(lab.HTTPPort), "2/2")
	served("before")
	well := func(when string) {
		t.Helper()
		c.wait(when+": no fault nor warning", func(f *screen.Frame) bool {
			return f.Has("Checks", " in ") && !f.Has("! fault") && !f.Has("! warning")
		})
	}
	c.press("F")
	well("before")
	c.press("q")

	s.Director.Sysctl("net.ipv4.ip_forward", "0")
	lost("without forwarding")
	c.wait("a fault of the service, unasked", func(f *screen.Frame) bool { return f.Has(" 1F ", " F▸ TCP "+s.At(lab.HTTPPort)) })
	c.press("F")
	c.waitText("1 fault", "forwarding is off on eth1", "net.ipv4.conf.eth1.forwarding is 0", "What ends it:")
	c.press(enter)
	c.waitText("sysctl -w net.ipv4.conf.eth1.forwarding=1", "to be confirmed in 2m")
	c.press(enter)
	c.waitText("taken back in ")
	served("after the fix")
	c.press("\x19") // ctrl-y
	c.waitText("kept: ")
	well("after the fix")

	c.press("u")
	c.waitText("undo: ", "nothing has changed")
	c.press(enter)
	c.waitText("1 fault", "forwarding is off on eth1")
	lost("after undo")

	// A probe is asked for, and tells of each server.
	s.Director.Sysctl("net.ipv4.ip_forward", "1")
	s.Servers[1].Command("ip", "route", "del", "default")
	c.press("r")
	well("at last")
	c.press("P")
	c.waitText("at most one SYN to each of 2 servers")
	c.press(enter)
	c.waitText("2 servers asked: 1 answers", "! fault", server(s, 1))
	c.press("q")
	c.press("q")
	c.ended(0)
}

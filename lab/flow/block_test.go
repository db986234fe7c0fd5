package flow

import (
	"errors"
	"net"
	"strings"
	"testing"

	"lvsdeck/lab"
)

const ctrlR = "\x12"

// TestAClientIsKeptOut: the client that has most connections is kept out from its
// row, under the real timer; what it asks meanwhile waits, and is served when the
// operator takes it back. Another client is served all the while.
func TestAClientIsKeptOut(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 1, false)
	serve(s, "-t", lab.TCPPort, "1")
	const hog, other = "198.51.100.66", "198.51.100.67"
	for _, a := range []string{hog, other} {
		s.Client.AddAddr("eth0", a+"/24")
	}
	holdFrom(t, s, hog, 5)
	holdFrom(t, s, other, 1)
	before := s.Director.State()

	c := open(t, s.Director, nil)
	c.waitText(s.At(lab.TCPPort))
	c.press("C")
	c.waitText(hog, "6 connections")
	c.press("x")
	c.waitText("no call that ends a connection", "keep "+hog+" out")
	c.press(enter)
	c.waitText("Keep a client out", hog, s.VIP.String())
	c.press(enter)
	c.waitText("to be confirmed in 2m", "iptables -w -t raw -I PREROUTING -s "+hog+" -d "+s.VIP.String())
	c.press(enter)
	c.waitText("taken back in ", "waits to be confirmed first")

	asked := make(chan error, 1)
	go func() {
		s.Client.Do(func() {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(hog)}, Timeout: patience}
			c, err := d.Dial("tcp", s.At(lab.TCPPort))
			if err == nil {
				c.Close()
			}
			asked <- err
		})
	}()
	lab.Wait(t, "the hog's packets dropped", func() error {
		for line := range strings.Lines(s.Director.Command("iptables", "-t", "raw", "-L", "PREROUTING", "-n", "-v", "-x")) {
			if strings.Contains(line, hog) && !strings.HasPrefix(strings.TrimSpace(line), "0 ") {
				return nil
			}
		}
		return errors.New("none so far")
	})
	holdFrom(t, s, other, 1)
	select {
	case err := <-asked:
		t.Fatalf("the hog got an answer while it is kept out: %v", err)
	default:
	}
	c.press(ctrlR)
	c.waitText("Take it back now?")
	c.press(enter)
	c.waitText("A change was taken back", "keep "+hog)
	if err := <-asked; err != nil {
		t.Errorf("the hog is let in again: %v", err)
	}
	if d := lab.Difference(before, s.Director.State()); d != "" {
		t.Errorf("the director is not as it was:\n%s", d)
	}
	c.press("q")
	c.waitText("Ending connections")
	c.press("q")
	c.waitText("Connections by")
	c.press("q")
	c.waitText("SERVICE")
	c.press("q")
	c.ended(0)
}

package flow

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"lvsdeck/lab"
)

const (
	enter = "\r"
	down  = "\x1b[B"
	right = "\x1b[C"
)

// TestBuildADirectorFromTheConsole builds a service on the real kernel with keys
// alone, lets clients use it, drains, removes and undoes, with ipvsadm as judge
// of each state.
func TestBuildADirectorFromTheConsole(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 2, false)
	c := open(t, s.Director, nil)
	c.waitText("The table is empty")

	at := s.At(lab.HTTPPort)
	c.press("A")
	c.waitText("Add a virtual service")
	c.press(down + s.VIP.String() + down + fmt.Sprint(lab.HTTPPort) + down + right) // wlc to wrr
	c.waitText("wrr")
	c.press(enter)
	c.waitText("ipvsadm -A -t "+at+" -s wrr", "do it")
	c.press(enter)
	c.judge(s, "-A -t "+at+" -s wrr")

	c.waitText(at, "wrr", "0/0") // the new row has been read
	c.press("a")
	c.waitText("Add servers to TCP " + at)
	c.press(s.Addrs[0].String() + " " + s.Addrs[1].String() + down + "n") // forwarding, by its letter
	c.waitText("< NAT >")
	c.press(enter)
	c.waitText("add 2 servers", "-m -w 1")
	c.press(enter)
	first, second := netip.AddrPortFrom(s.Addrs[0], lab.HTTPPort), netip.AddrPortFrom(s.Addrs[1], lab.HTTPPort)
	c.judge(s, fmt.Sprintf("-a -t %s -r %s -m -w 1", at, first), fmt.Sprintf("-a -t %s -r %s -m -w 1", at, second))

	if answers, err := lab.Tally(4, func() (string, error) { return s.Client.HTTPGet(at) }); err != nil || len(answers) != 2 {
		t.Fatalf("clients of the new service: %v, %v", answers, err)
	}

	c.press(enter + down) // open, to its first server
	c.waitText(first.String())
	c.press("w")
	c.waitText("weight")
	c.press("\x1550" + enter)
	c.judge(s, first.String()+" -m -w 50")
	c.waitText("w 50")
	c.press("d")
	c.judge(s, first.String()+" -m -w 0")
	c.waitText("1/2", "w 0")
	c.press("d")
	c.judge(s, first.String()+" -m -w 50")
	c.waitText("w 50")
	c.press("x")
	c.waitText("remove " + first.String())
	c.press(enter)
	c.judge(s, "!"+first.String())
	c.press("u")
	c.waitText("undo")
	c.press(enter)
	c.judge(s, first.String()+" -m -w 50")
	c.press("q")
	c.ended(0)
}

// judge waits until ipvsadm -Sn has the lines, and not those with a "!".
func (c *console) judge(s *lab.Site, lines ...string) {
	c.t.Helper()
	lab.Wait(c.t, strings.Join(lines, ", "), func() error {
		saved := s.Director.Ipvsadm("-Sn")
		for _, line := range lines {
			text, not := strings.CutPrefix(line, "!")
			if strings.Contains(saved, text) == not {
				return fmt.Errorf("want %q in\n%s\nscreen:\n%s", line, saved, c.term.Frame().Text())
			}
		}
		return nil
	})
}

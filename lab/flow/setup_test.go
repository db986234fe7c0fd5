package flow

import (
	"fmt"
	"strings"
	"testing"

	"lvsdeck/lab"
)

const (
	clear = "\x15"
	keep  = "\x19" // ctrl-y
)

// guided is a mode as the guide is led to it, and the kit that its servers need.
type guided struct {
	mode lab.Mode
	key  string
	kit  func(s *lab.Site, i int) []string
}

var guides = []guided{
	{lab.NAT, "1", func(s *lab.Site, i int) []string {
		return []string{"nat", "--gateway", "10.0.3.1", "--port", fmt.Sprint(lab.HTTPPort), "--address", s.Addrs[i].String()}
	}},
	{lab.DR, "2", func(s *lab.Site, _ int) []string { return []string{"dr", "--vip", s.VIP.String()} }},
	{lab.TUN, "3", func(s *lab.Site, i int) []string {
		return []string{"tun", "--vip", s.VIP.String(), "--address", s.Addrs[i].String()}
	}},
}

// TestGuideFromNothing leads bare hosts to a service with keys alone: the servers
// get their part by the script, the guide proves it, a key keeps it, and clients
// are served by every server. Taking it back leaves the director as it was.
func TestGuideFromNothing(t *testing.T) {
	lab.Require(t)
	lab.Modprobe(t, "ip_vs", "ip_vs_wlc", "ipip")
	for _, g := range guides {
		t.Run(string(g.mode), func(t *testing.T) {
			s := lab.Bare(t, g.mode, false, 2, false)
			alone(s.Director)
			before := s.Director.State()
			for i, h := range s.Servers {
				h.Command("mount", "-t", "tmpfs", "none", "/run") // hosts share all other files
				script := h.Command("lvsdeck", append([]string{"realserver"}, append(g.kit(s, i), "script")...)...)
				h.Command("sh", "-c", script, "kit", "apply")
			}
			c := open(t, s.Director, nil)
			c.fill(s, g, "")
			c.waitText("nothing has changed so far", "VIP goes on", "do it, to be confirmed in 2m")
			c.press(enter)
			c.waitText("All servers play their part", "taken back in ")
			served(t, s)
			c.press(keep)
			c.waitText("kept: set up")
			c.press("\x1b")
			c.waitText(s.At(lab.HTTPPort), "2/2")
			c.press(":")
			c.waitText("command")
			c.press("take back the set-up")
			c.waitText("take back the set-up of the service")
			c.press(enter)
			c.waitText("take back the set-up of TCP " + s.At(lab.HTTPPort))
			c.press(enter)
			c.waitText("taken back in ", "The table is empty")
			c.press(keep)
			c.waitText("kept: take back")
			if d := lab.Difference(before, s.Director.State()); d != "" {
				t.Errorf("the director is not as it was:\n%s", d)
			}
			c.press("q")
			c.ended(0)
		})
	}
}

// alone gives a host a journal of its own: hosts share all files.
func alone(h *lab.Host) {
	h.Command("mkdir", "-p", "/var/lib/lvsdeck")
	h.Command("mount", "-t", "tmpfs", "-o", "mode=0700", "none", "/var/lib/lvsdeck")
}

// fill answers the guide's questions.
func (c *console) fill(s *lab.Site, g guided, within string) {
	c.t.Helper()
	c.waitText("The table is empty")
	c.press("S")
	c.waitText("how shall packets go?")
	c.press(g.key + enter)
	c.waitText("Set up a service:", "confirm in")
	c.press(s.VIP.String() + down + clear + fmt.Sprint(lab.HTTPPort) + down + down + s.Addrs[0].String() + " " + s.Addrs[1].String())
	if within != "" {
		c.press(down + down + down + down + down + clear + within)
	}
	c.press(enter)
}

func served(t *testing.T, s *lab.Site) {
	t.Helper()
	lab.Wait(t, "an answer of each server", func() error {
		answers, err := lab.Tally(4, func() (string, error) { return s.Client.HTTPGet(s.At(lab.HTTPPort)) })
		if err == nil && len(answers) != len(s.Servers) {
			err = fmt.Errorf("answers: %v", answers)
		}
		return err
	})
}

// TestNobodyConfirms: the terminal goes away, and with it the console. In time
// all is as before, and the next console says so.
func TestNobodyConfirms(t *testing.T) {
	lab.Require(t)
	lab.Modprobe(t, "ip_vs", "ip_vs_wlc")
	s := lab.Bare(t, lab.DR, false, 2, false)
	alone(s.Director)
	before := s.Director.State()
	c := open(t, s.Director, nil)
	c.fill(s, guides[1], "10")
	c.waitText("do it, to be confirmed in 10s")
	c.press(enter)
	c.waitText("taken back in ")
	if !strings.Contains(s.Director.State(), s.VIP.String()) {
		t.Fatal("nothing was done")
	}
	c.term.Close()
	lab.Wait(t, "the way back", func() error {
		if d := lab.Difference(before, s.Director.State()); d != "" {
			return fmt.Errorf("the director is not as it was:\n%s", d)
		}
		return nil
	})
	c = open(t, s.Director, nil)
	c.waitText("A change was taken back", "set up TCP "+s.At(lab.HTTPPort))
	c.press("\x1b")
	c.waitText("The table is empty")
	c.press("q")
	c.ended(0)
}

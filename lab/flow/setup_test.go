package flow

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"lvsdeck/lab"
	"lvsdeck/lab/screen"
)

const (
	clear = "\x15"
	keep  = "\x19" // ctrl-y
)

// guided is a mode as the guide is led to it, and the script that its servers are
// given; nil: the guide gives them their part itself.
type guided struct {
	mode lab.Mode
	key  string
	kit  func(s *lab.Site, i int) []string
}

var guides = []guided{
	{lab.NAT, "1", func(s *lab.Site, i int) []string {
		return []string{"nat", "--gateway", "10.0.3.1", "--port", fmt.Sprint(lab.HTTPPort), "--address", s.Addrs[i].String()}
	}},
	{lab.DR, "2", nil},
	{lab.TUN, "3", func(s *lab.Site, i int) []string {
		return []string{"tun", "--vip", s.VIP.String(), "--address", s.Addrs[i].String()}
	}},
}

// TestGuideFromNothing leads bare hosts to a service with keys alone: the servers
// get their part by the script or over ssh, the guide proves it, a key keeps it, and clients
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
				h.Own("/run")
				if g.kit != nil {
					script := h.Command("lvsdeck", append([]string{"realserver"}, append(g.kit(s, i), "script")...)...)
					h.Command("sh", "-c", script, "kit", "apply")
				}
			}
			c := open(t, s.Director, nil)
			c.fill(s, g, "")
			c.waitText("nothing has changed so far", "VIP goes on", "do it, to be confirmed in 2m")
			if g.kit == nil {
				c.kits(s)
			}
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

// alone gives a host a journal of its own.
func alone(h *lab.Host) { h.Own("/var/lib/lvsdeck") }

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

// kits gives the servers their part by the guide's keys, over ssh. Between, it is
// taken back.
func (c *console) kits(s *lab.Site) {
	c.t.Helper()
	s.Director.LogIn()
	for i, h := range s.Servers {
		h.ServeSSH()
		h.Admit(s.Director)
		s.Director.Know(h, s.Addrs[i].String())
	}
	h := s.Servers[0]
	before := h.State()
	c.press("K")
	c.waitText("as a script", "server 1 of 2")
	c.kit(s, "h", "missing")
	c.kit(s, "a", "done")
	c.kit(s, "u", "done")
	if d := lab.Difference(before, h.State()); d != "" {
		c.t.Errorf("after undo a server differs:\n%s", d)
	}
	c.kit(s, "a", "done")
	c.press("\x1b")
	c.waitText("nothing has changed so far")
}

// kit presses a key for all servers, each of which must answer with a word.
func (c *console) kit(s *lab.Site, key, word string) {
	c.t.Helper()
	c.press(key)
	c.waitText("on all servers by ssh, as")
	c.press(enter)
	for _, a := range s.Addrs {
		c.waitText(fmt.Sprintf("%-10sroot@%s", word, a))
	}
	c.press("\x1b")
	c.waitText("as a script")
}

// TestNobodyConfirms: the link to one director is lost without a word while a step is
// under way there; at another the terminal goes away, and with it the console. In time
// all is as before, and the next one who looks is told. Both wait at the same time.
func TestNobodyConfirms(t *testing.T) {
	lab.Require(t)
	lab.Modprobe(t, "ip_vs", "ip_vs_wlc", "xt_ipvs")
	left, lost := lab.Bare(t, lab.DR, false, 2, false), lab.Bare(t, lab.NAT, false, 2, false)
	alone(left.Director)
	alone(lost.Director)
	leftBefore, lostBefore := left.Director.State(), lost.Director.State()

	loseLink(t, lost)
	c := open(t, left.Director, nil)
	c.fill(left, guides[1], "10")
	c.waitText("do it, to be confirmed in 10s")
	c.press(enter)
	c.waitText("taken back in ")
	if !strings.Contains(left.Director.State(), left.VIP.String()) {
		t.Fatal("nothing was done")
	}
	c.term.Close()

	back(t, left.Director, leftBefore)
	back(t, lost.Director, lostBefore)
	c = open(t, left.Director, nil)
	c.waitText("A change was taken back", "set up TCP "+left.At(lab.HTTPPort))
	c.press("\x1b")
	c.wait("the note to go", func(f *screen.Frame) bool { return f.Has("The table is empty") && !f.Has("A change was taken back") })
	c.press("q")
	c.ended(0)
	if _, err := lost.Director.Try("lvsdeck", "confirm"); err == nil || !strings.Contains(err.Error(), "nobody confirmed it in 20 s") {
		t.Errorf("who comes to confirm is told %v", err)
	}
}

func back(t *testing.T, h *lab.Host, before string) {
	t.Helper()
	lab.Wait(t, "the way back", func() error {
		if d := lab.Difference(before, h.State()); d != "" {
			return fmt.Errorf("the director is not as it was:\n%s", d)
		}
		return nil
	})
}

// loseLink has a client log in on the director and set a service up there. In the
// middle, when iptables takes its time, the client's link goes down.
func loseLink(t *testing.T, s *lab.Site) {
	t.Helper()
	s.Director.ServeSSH()
	s.Director.Own("/run/slow")
	s.Director.Write("/run/slow/iptables", "#!/bin/sh\ncase $* in *' -I '*) echo begun >/run/slow/begun; exec sleep 600 ;; esac\nexec /usr/sbin/iptables \"$@\"\n")
	s.Director.Command("chmod", "+x", "/run/slow/iptables")
	s.Client.LogIn()
	s.Director.Admit(s.Client)
	const at = "203.0.113.1"
	s.Client.Know(s.Director, at)
	s.Director.Command("mkfifo", "/run/slow/begun")
	c := start(t, s.Client, exec.Command("ssh", "-tt", at, "PATH=/run/slow:$PATH lvsdeck setup fullnat --yes --confirm-within 20s --vip "+
		s.At(lab.HTTPPort)+" --rs "+s.Addrs[0].String()))
	if _, err := s.Director.Try("timeout", "90", "cat", "/run/slow/begun"); err != nil {
		t.Fatalf("no step under way: %v; the screen:\n%s", err, c.term.Frame().Text())
	}
	s.Client.Command("ip", "link", "set", "eth0", "down")
	if got := s.Director.Command("cat", "/proc/sys/net/ipv4/vs/conntrack"); got != "1\n" {
		t.Fatalf("the step before was not done: conntrack is %s", got)
	}
}

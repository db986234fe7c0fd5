package flow

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"lvsdeck/lab"
	"lvsdeck/lab/screen"
)

// patience is for a screen in an emulated machine: a reading comes every second
// and the estimator every two.
const patience = 60 * time.Second

// console is the program on a director, in a terminal of 80×24.
type console struct {
	t    *testing.T
	term *screen.Terminal
}

func open(t *testing.T, director *lab.Host, change func(*exec.Cmd), args ...string) *console {
	t.Helper()
	cmd := exec.Command("lvsdeck", append([]string{"--interval=1s"}, args...)...)
	if change != nil {
		change(cmd)
	}
	return start(t, director, cmd)
}

// start starts a program of a host in such a terminal.
func start(t *testing.T, h *lab.Host, cmd *exec.Cmd) *console {
	t.Helper()
	term, err := screen.Open(80, 24)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(term.Close)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LANG=C.UTF-8")
	h.Do(func() { err = term.Start(cmd) })
	if err != nil {
		t.Fatal(err)
	}
	return &console{t, term}
}

func (c *console) press(keys string) {
	c.t.Helper()
	if err := c.term.Send(keys); err != nil {
		c.t.Fatal(err)
	}
}

func (c *console) wait(what string, ok func(*screen.Frame) bool) {
	c.t.Helper()
	if err := c.term.WaitFor(patience, what, ok); err != nil {
		c.t.Fatal(err)
	}
}

func (c *console) waitText(texts ...string) {
	c.t.Helper()
	c.wait(fmt.Sprintf("%q on the screen", texts), func(f *screen.Frame) bool { return f.Has(texts...) })
}

// cells are the words of the first line that contains a text.
func cells(f *screen.Frame, text string) []string {
	for y := range f.Height() {
		if line := f.Line(y); strings.Contains(line, text) {
			return strings.Fields(line[strings.Index(line, text)+len(text):])
		}
	}
	return nil
}

// number is one of the figures after a text.
func number(f *screen.Frame, text string, place int) int {
	words := cells(f, text)
	if place >= len(words) {
		return -1
	}
	n, err := strconv.Atoi(words[place])
	if err != nil {
		return -1
	}
	return n
}

func serve(s *lab.Site, proto string, port uint16, weights ...string) {
	s.Director.Ipvsadm("-A", proto, s.At(port), "-s", "rr")
	for i, a := range s.Addrs {
		s.Director.Ipvsadm("-a", proto, s.At(port), "-r", netip.AddrPortFrom(a, port).String(), s.Mode.Flag(), "-w", weights[i])
	}
}

// TestTrafficRaisesTheCounters: real clients fetch through the virtual address
// and the screen counts every connection, of the service and of each server,
// with ipvsadm agreeing in the end.
func TestTrafficRaisesTheCounters(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 2, false)
	serve(s, "-t", lab.HTTPPort, "1", "1")
	at := s.At(lab.HTTPPort)
	c := open(t, s.Director, nil)
	c.waitText(at, "NAT", "2/2", "live 1s")

	const rounds, each = 3, 10
	c.press("o3") // servers, totals
	c.waitText("CONNS", "BYTES OUT")
	for round := 1; round <= rounds; round++ {
		if answers, err := lab.Tally(each, func() (string, error) { return s.Client.HTTPGet(at) }); err != nil {
			t.Fatalf("after %v: %v", answers, err)
		}
		want := round * each
		c.wait(fmt.Sprintf("%d connections on the screen", want), func(f *screen.Frame) bool {
			return number(f, at, 0) == want &&
				number(f, server(s, 0), 0) == want/2 && number(f, server(s, 1), 0) == want/2
		})
	}
	// The estimator hands out its last packets in its own time, to both alike.
	c.wait("the figures of ipvsadm", func(f *screen.Frame) bool {
		judge := strings.Fields(ruleLine(s.Director.Ipvsadm("-Ln", "--stats", "--exact"), at))
		shown := cells(f, at)
		return len(judge) >= 7 && len(shown) >= 3 && strings.Join(judge[2:5], " ") == strings.Join(shown[:3], " ")
	})
	c.press("q")
	c.ended(0)
}

func server(s *lab.Site, i int) string { return netip.AddrPortFrom(s.Addrs[i], lab.HTTPPort).String() }

// ruleLine is the line of ipvsadm's listing about an address.
func ruleLine(listing, at string) string {
	for line := range strings.Lines(listing) {
		if strings.Contains(line, at) {
			return line
		}
	}
	return ""
}

func (c *console) ended(code int) {
	c.t.Helper()
	state, err := c.term.Wait(patience)
	if err != nil {
		c.t.Fatal(err)
	}
	if state.ExitCode() != code {
		c.t.Errorf("exit code %d, want %d", state.ExitCode(), code)
	}
}

// TestTheTableMovesUnderTheScreen: what ipvsadm does to the table stands on the
// screen at the next reading, and the cursor stays where it was.
func TestTheTableMovesUnderTheScreen(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.DR, 2, false)
	serve(s, "-t", lab.TCPPort, "100", "7")
	at := s.At(lab.TCPPort)
	c := open(t, s.Director, nil)
	c.waitText(at)
	c.press("o")
	c.waitText("w 100", "w 7")

	held, err := s.Client.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	for i, a := range s.Addrs {
		s.Director.Ipvsadm("-e", "-t", at, "-r", netip.AddrPortFrom(a, lab.TCPPort).String(), "-g", "-w", []string{"0", "0"}[i])
	}
	c.waitText("0/2", "drain", "off")
	c.press("!n")
	c.waitText("problems only")
	s.Director.Ipvsadm("-D", "-t", at)
	c.waitText("The table is empty")
	s.Director.Ipvsadm("-A", "-f", "3000000000", "-s", "sh")
	c.waitText("FWM 3000000000")
	c.press("q")
	c.ended(0)
}

// TestEstimatorStopped: figures that stand still are never shown as live.
func TestEstimatorStopped(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 1, false)
	serve(s, "-t", lab.HTTPPort, "1")
	c := open(t, s.Director, nil)
	c.waitText(s.At(lab.HTTPPort))
	s.Director.Sysctl("net.ipv4.vs.run_estimation", "0")
	c.waitText("run_estimation")
	s.Director.Sysctl("net.ipv4.vs.run_estimation", "1")
	c.wait("no more warning", func(f *screen.Frame) bool { return !f.Has("run_estimation") })
	c.press("q")
	c.ended(0)
}

// nobody may look at /proc and nothing else.
const nobody = 65534

func asNobody(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}

// TestWithoutRights: who may not ask the kernel sees what /proc shows, and what
// it does not.
func TestWithoutRights(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 1, false)
	serve(s, "-t", lab.TCPPort, "42")
	c := open(t, s.Director, asNobody)
	c.waitText(s.At(lab.TCPPort), "read-only", "run as root to see")
	c.press("o")
	c.waitText("w 42")
	held, err := s.Client.Dial("tcp", s.At(lab.TCPPort))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	c.wait("one active connection", func(f *screen.Frame) bool {
		words := cells(f, netip.AddrPortFrom(s.Addrs[0], lab.TCPPort).String()) // w 42 NAT 1 0 …
		return len(words) > 3 && words[3] == "1"
	})
	c.press("F")
	c.waitText("Checks", "Not looked at")
	c.press("q")
	c.press("q")
	c.ended(0)
}

// TestList: one reading for programs, with ipvsadm's figures.
func TestList(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 2, false)
	serve(s, "-t", lab.HTTPPort, "3", "5")
	if _, err := lab.Tally(6, func() (string, error) { return s.Client.HTTPGet(s.At(lab.HTTPPort)) }); err != nil {
		t.Fatal(err)
	}
	lab.Wait(t, "6 connections in the list", func() error {
		var got struct {
			Services []struct {
				Address string
				Total   struct{ Connections int }
				Servers []struct {
					Weight int
					Total  struct{ Connections int }
				}
			}
		}
		out := s.Director.Command("lvsdeck", "list", "-o", "json")
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%v in:\n%s", err, out)
		}
		if len(got.Services) != 1 || got.Services[0].Address != s.VIP.String() || len(got.Services[0].Servers) != 2 ||
			got.Services[0].Servers[0].Weight != 3 || got.Services[0].Servers[1].Weight != 5 {
			t.Fatalf("the list is not the table:\n%s", out)
		}
		v := got.Services[0]
		if v.Total.Connections != 6 || v.Servers[0].Total.Connections+v.Servers[1].Total.Connections != 6 {
			return fmt.Errorf("counted:\n%s", out)
		}
		return nil
	})
}

package flow

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"lvsdeck/lab"
	"lvsdeck/lab/screen"
)

// holdFrom opens connections from one of the client's addresses and keeps them.
func holdFrom(t *testing.T, s *lab.Site, from string, n int) {
	t.Helper()
	var err error
	s.Client.Do(func() {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
		for range n {
			var c net.Conn
			if c, err = d.Dial("tcp", s.At(lab.TCPPort)); err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// listed counts the lines of ipvsadm's list of connections that have all texts.
func listed(h *lab.Host, texts ...string) (n int) {
	for line := range strings.Lines(h.Ipvsadm("-L", "-n", "-c")) {
		has := true
		for _, text := range texts {
			has = has && strings.Contains(line, text)
		}
		if has {
			n++
		}
	}
	return n
}

// TestTheHogInTwoKeys: many clients, one of which has most connections: C shows it
// first, and enter where they go, with ipvsadm's list as judge. A server that is
// dead shows by its unfinished handshakes, one that was removed by those it still
// has.
func TestTheHogInTwoKeys(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 2, false)
	serve(s, "-t", lab.TCPPort, "1", "0") // all go to the first server
	hog := "198.51.100.66"
	s.Client.AddAddr("eth0", hog+"/24")
	holdFrom(t, s, hog, 30)
	for i := range 10 {
		other := fmt.Sprintf("198.51.100.%d", 100+i)
		s.Client.AddAddr("eth0", other+"/24")
		holdFrom(t, s, other, 1)
	}
	server := netip.AddrPortFrom(s.Addrs[0], lab.TCPPort).String()

	c := open(t, s.Director, nil)
	c.waitText(s.At(lab.TCPPort))
	c.press("C")
	c.wait("the hog first", func(f *screen.Frame) bool {
		first := line(f, "CLIENT", 1)
		return strings.Contains(first, hog) && strings.Contains(first, " 30 ") && strings.Contains(first, "75.0%") &&
			f.Has("40 connections", "75% of these connections")
	})
	if n := listed(s.Director, "ESTABLISHED", hog+":"); n != 30 {
		t.Errorf("ipvsadm lists %d of the hog", n)
	}
	c.press(enter)
	c.wait("where the hog's connections go", func(f *screen.Frame) bool {
		return f.Has("of client "+hog) && number(f, server, 0) == 30
	})
	c.press("x")
	c.waitText("no call that ends a connection", "keep "+hog+" out", "drain "+server)
	c.press("q")
	c.press("l")
	c.waitText("Connections one by one", hog+":", "1 of 1-30")
	c.press("q")
	c.press("\x1b")
	c.waitText("40 connections")

	// The second server takes over, and is dead: handshakes to it never finish.
	s.Servers[1].Command("ip", "link", "set", "eth0", "down")
	dead := netip.AddrPortFrom(s.Addrs[1], lab.TCPPort).String()
	s.Director.Ipvsadm("-e", "-t", s.At(lab.TCPPort), "-r", server, "-m", "-w", "0")
	s.Director.Ipvsadm("-e", "-t", s.At(lab.TCPPort), "-r", dead, "-m", "-w", "1")
	s.Client.Do(func() {
		for i := range 25 {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(fmt.Sprintf("198.51.100.%d", 100+i%10))}, Timeout: 20 * time.Millisecond}
			if c, err := d.Dial("tcp", s.At(lab.TCPPort)); err == nil {
				c.Close()
				t.Error("a dead server answers")
			}
		}
	})
	c.press("4r")
	c.wait("half open connections to the dead server", func(f *screen.Frame) bool {
		n := listed(s.Director, "SYN_RECV", dead)
		return n > 20 && number(f, dead, 0) == n && strings.Contains(line(f, dead, 0), fmt.Sprintf(" %d ", n))
	})
	c.press("5")
	c.waitText("TCP SYN_RECV", "TCP ESTABLISHED")

	s.Director.Ipvsadm("-d", "-t", s.At(lab.TCPPort), "-r", server)
	c.press("4")
	c.wait("connections of a server that is gone", func(f *screen.Frame) bool {
		if f.Has("! "+server, "40 are with servers that the table does not list any more") {
			return true
		}
		c.press("r") // the console has to read the table before
		return false
	})
	c.press("q")
	c.press("q")
	c.ended(0)

	var got struct {
		Groups []struct {
			Server      string
			Connections int
			Listed      *bool
		}
		Gone map[string]int `json:"server_not_listed"`
	}
	cmd := exec.Command("lvsdeck", "conns", "--by", "server", "-o", "json", "--client", "198.51.100.0/24")
	asNobody(cmd)
	var out []byte
	var err error
	s.Director.Do(func() { out, err = cmd.Output() })
	if err == nil {
		err = json.Unmarshal(out, &got)
	}
	if err != nil || len(got.Groups) != 2 || got.Groups[0].Server != server || got.Groups[0].Connections != 40 || *got.Groups[0].Listed || got.Gone["connections"] != 40 {
		t.Errorf("as nobody: %v, %s", err, out)
	}
}

// line is the first line with a text, or one so many below it.
func line(f *screen.Frame, text string, below int) string {
	for y := range f.Height() - below {
		if strings.Contains(f.Line(y), text) {
			return f.Line(y + below)
		}
	}
	return ""
}

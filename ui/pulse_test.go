package ui

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ops/check"
	"lvsdeck/ui/paint"
)

// beating is a director whose web service begins to be flooded after a calm while.
func beating(t *testing.T, width, height int) *director {
	t.Helper()
	d := newDirector(t)
	d.start(width, height)
	d.opts.Conns = &connSource{text: connText()}
	d.observe(100, 1000)
	d.pass(2 * time.Minute)
	return d
}

// observe sets the web service's rate and the active connections of each server.
func (d *director) observe(conns uint64, active uint32) {
	d.table.Observe(func(s ipvs.Service, servers []ipvs.ServerState) (out []memory.Observation) {
		if s.Port != 443 {
			return nil
		}
		for range servers {
			out = append(out, memory.Observation{Active: active, Rate: ipvs.Traffic{Conns: conns / 3}})
		}
		return out
	})
}

func TestPulse(t *testing.T) {
	d := beating(t, 80, 24)
	d.do("P")
	d.sees("calm", "Nothing is unusual: 2 services and 3 servers", "as in the last 2m", "began before 12:04:33 and still goes on may not show here.", "c reads them", "about 1 s")
	d.do("enter", "C", "d", "w", "q")
	for d.top() != nil {
		d.do("q")
	}
	d.observe(1500, 1000)
	d.pass(10 * time.Second)
	d.sees("the services screen says so", "P 1 figure unusual: TCP 203.0.113.10:443 conn/s 15 times as many")
	d.do("P")
	d.sees("a flood", "Pulse  1 figure ", "TCP 203.0.113.10:443   conn/s 15 times as many", "1500     99", "1 of 1")
	d.observe(1500, 20)
	d.pass(10 * time.Second)
	d.sees("it goes on, and all active connections break off", "conn/s 15 times as many", "active down to 2 %", "60 active connections, unusual since 12:06:59; usual is", "3 000, the median of 2m36s, 8s of that since then.")
	d.observe(100, 1000)
	d.pass(7 * time.Minute)
	d.observe(1500, 1000)
	d.pass(10 * time.Second)
	d.sees("the past is known", "12:14:09; usual is 99, the median of the 5m00s before 12:14:09.")
}

// TestPulseFindsItsWay: each row leads on to where more is known.
func TestPulseFindsItsWay(t *testing.T) {
	d := beating(t, 80, 24)
	d.observe(1500, 1000)
	d.pass(10 * time.Second)
	d.opts.Checks = &told{report: reportOf(findings())}
	d.Update(sampleMsg{})
	d.do("P", "c")
	d.sees("findings, rates and shares", "the VIP 203.0.113.10 is not on this director", "conn/s 15 times as many",
		"! 12:06  198.51.100.7           32.5% of TCP 203.0.113.10:443: one client", "45.8% of TCP 203.0.113.10:443: one network", "connections read 12:0",
		"1 figure  4 findings  3 shares")
	if g := grid(d.Model); strings.Contains(g, "keepalived manages") || strings.Index(g, "the VIP") > strings.Index(g, "conn/s 15") {
		t.Errorf("faults stand first, notices not at all:\n%s", g)
	}
	d.find("much from one client")
	d.sees("the sentence", "198.51.100.7: 32.5% of the 277 connections of TCP 203.0.113.10:443, read at", "C shows where they go")
	d.do("enter")
	d.sees("the client's connections", "of client 198.51.100.7", "90 connections")
	d.do("q")
	d.find("conn/s 15 times")
	d.do("C")
	d.sees("who asks", "Connections by  1 client 2 net", "of service TCP 203.0.113.10:443", "198.51.100.0/24")
	d.do("P")
	d.sees("back to the pulse", "Pulse  1 figure")
	d.do("/")
	d.sees("a word", "the pulse shows only what is unusual")
	d.find("handshakes")
	d.sees("one row of a host", "Also: handshakes not finished (60%)", "F checks")
	d.do("enter")
	d.sees("the server in its service", "TCP 203.0.113.10:443", "3 of 4")
	d.do("q")
	d.do("d")
	d.expect("nothing is changed from the pulse", "10.0.3.12:443 -g -w 101")
	d.do("C")
	d.sees("the server's connections", "server 10.0.3.12:443")
	d.do("q")
	d.find("the VIP")
	d.do("F")
	d.sees("the finding", "What ends it:")
	d.do("q", "p")
	d.opts.Checks = &told{report: &check.Report{Time: noon}}
	d.observe(100, 1000)
	d.pass(20 * time.Second)
	d.sees("the picture is held", "the VIP 203.0.113.10 is not")
	d.do("p")
	d.sees("and goes on", "10.0.3.12:443          handshakes not finished   60.0%", "one client")
	if g := grid(d.Model); strings.Contains(g, "the VIP") || strings.Contains(g, "conn/s 15") {
		t.Errorf("what is over has gone:\n%s", g)
	}
	d.pass(11 * time.Minute)
	d.sees("shares are old by then", "Nothing is unusual")
}

// TestPulseTellsRowsApart: two rows of one address say which protocol, and a dead
// host is one.
func TestPulseTellsRowsApart(t *testing.T) {
	d := beating(t, 60, 16)
	web, dns := ipvs.AddressService(ipvs.TCP, addr("203.0.113.10:443")), ipvs.AddressService(ipvs.UDP, addr("203.0.113.53:53"))
	tcp := ipvs.AddressService(ipvs.TCP, addr("203.0.113.53:53"))
	found := func(id ipvs.ServiceID, server, short string, severity check.Severity) check.Finding {
		return check.Finding{Check: "answers", Severity: severity, Service: id, Server: addr(server), Short: short, Since: noon, Evidence: []string{"0 of 40 in 10 s"}}
	}
	d.opts.Checks = &told{report: reportOf([]check.Finding{
		found(web, "10.0.3.12:443", "does not answer", check.Fault), found(dns, "10.0.3.12:53", "does not answer", check.Fault),
		found(tcp, "10.0.3.12:53", "connections end before they begin", check.Warning),
		found(dns, "10.0.3.13:53", "does not answer", check.Fault), found(tcp, "10.0.3.13:53", "is not in the network", check.Fault)})}
	d.Update(sampleMsg{})
	d.do("P")
	d.sees("hosts", "10.0.3.12                 does not answer: 2 services", "UDP 10.0.3.13:53", "TCP 10.0.3.13:53", "1 of 3", "esc back")
	d.find("does not answer: 2")
	d.sees("all of it", "0 of 40 in 10 s.", "tells more. Also: connections end before they begin.")
}

// A recording has no connections: nothing that reads them is offered.
func TestPulseOffersWhatWorks(t *testing.T) {
	d := beating(t, 132, 43)
	d.opts.Conns = nil
	d.do("P")
	d.sees("no row", " esc back", "J: what was changed.")
	d.opts.Store = nil
	d.do("q", "P")
	if g := grid(d.Model); strings.Contains(g, "s large") || strings.Contains(g, "read for shares") || strings.Contains(g, "J: what") {
		t.Errorf("nothing to open:\n%s", g)
	}
	d.do("q")
	d.observe(1500, 1000)
	d.pass(10 * time.Second)
	d.do("P")
	d.sees("no connections", "the service   esc back   s large")
}

// find goes to the first row with a text.
func (d *director) find(text string) {
	d.t.Helper()
	d.do("home")
	for range 20 {
		if p := d.top().(*pulseScreen); strings.Contains(p.on.What()+p.on.Short, text) {
			return
		}
		d.do("down")
	}
	d.t.Fatalf("no row with %q:\n%s", text, grid(d.Model))
}

func TestPulseScreens(t *testing.T) {
	for _, c := range []struct {
		name          string
		width, height int
		ascii         bool
	}{{"pulse-80x24", 80, 24, false}, {"pulse-80x24-ascii", 80, 24, true}, {"pulse-60x16", 60, 16, false}, {"pulse-200x50", 200, 50, false}} {
		d := beating(t, c.width, c.height)
		if c.ascii {
			d.signs = paint.ASCII
		}
		d.Update(tea.ColorProfileMsg{Profile: colorprofile.ANSI256})
		d.opts.Checks = &told{report: reportOf(findings())}
		d.observe(1500, 20)
		d.pass(12 * time.Second)
		d.do("P", "c", "down", "down")
		golden(t, c.name, grid(d.Model)+"\n"+styles(d.Model))
	}
}

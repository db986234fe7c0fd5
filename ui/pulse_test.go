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
	d.sees("calm", "Nothing is unusual: 2 services and 3 servers", "c reads them", "about 1 s")
	d.do("enter", "C", "d", "w", "q")
	for d.top() != nil {
		d.do("q")
	}
	d.observe(1500, 1000)
	d.pass(10 * time.Second)
	d.sees("the services screen says so", "P 1 unusual: TCP 203.0.113.10:443 conn/s 15 times as many")
	d.do("P")
	d.sees("a flood", "1 unusual", "TCP 203.0.113.10:443   conn/s 15 times as many", "1500     99", "1 of 1")
	d.observe(1500, 20)
	d.pass(10 * time.Second)
	d.sees("it goes on, and all active connections break off", "conn/s 15 times as many", "active down to 2 %", "60 active connections; before 12:0")
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
		"198.51.100.7           much from one client      30.6%", "10.0.3.12:443          handshakes not finished   60.0%", "connections read 12:0")
	if g := grid(d.Model); strings.Contains(g, "keepalived manages") || strings.Index(g, "the VIP") > strings.Index(g, "conn/s 15") {
		t.Errorf("faults stand first, notices not at all:\n%s", g)
	}
	d.find("much from one client")
	d.sees("the sentence", "198.51.100.7: 30.6% of all 294 connections")
	d.do("enter")
	d.sees("the client's connections", "of client 198.51.100.7", "90 connections")
	d.do("q")
	d.find("handshakes not finished")
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
	d.sees("and goes on", "much from one client")
	if g := grid(d.Model); strings.Contains(g, "the VIP") || strings.Contains(g, "conn/s 15") {
		t.Errorf("what is over has gone:\n%s", g)
	}
	d.pass(11 * time.Minute)
	d.sees("shares are old by then", "Nothing is unusual")
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

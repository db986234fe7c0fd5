package flow

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"testing"

	"lvsdeck/lab"
)

// journalFile is where root's journal is.
const journalFile = "/var/lib/lvsdeck/journal"

// kill ends the console as nothing can be prepared for.
func (c *console) kill() {
	c.t.Helper()
	if err := c.term.Signal(os.Kill); err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.term.Wait(patience); err != nil {
		c.t.Fatal(err)
	}
}

// TestJournalOutlivesTheConsole: what a killed console has done stands in the
// journal, for scripts and on the screen, and can be undone from there.
func TestJournalOutlivesTheConsole(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 2, false)
	serve(s, "-t", lab.HTTPPort, "100", "70")
	first, second := netip.AddrPortFrom(s.Addrs[0], lab.HTTPPort), netip.AddrPortFrom(s.Addrs[1], lab.HTTPPort)

	c := open(t, s.Director, nil)
	c.waitText(s.At(lab.HTTPPort))
	c.press("m")
	c.waitText("Name and note")
	c.press("shop" + enter)
	c.waitText("kept: name")
	c.press(enter + down)
	c.waitText(first.String())
	c.press("  d")
	c.waitText("is left that takes", "do it")
	c.press(enter)
	c.judge(s, first.String()+" -m -w 0", second.String()+" -m -w 0")
	c.waitText("done, u takes it back: drain 2 servers")
	c.kill()

	var plans []struct{ ID, Title, Stands string }
	if err := json.Unmarshal([]byte(s.Director.Command("lvsdeck", "journal", "-o", "json")), &plans); err != nil {
		t.Fatal(err)
	}
	if plans[0].Title != "drain 2 servers" || plans[0].Stands != "in force" {
		t.Fatalf("the journal has %+v", plans)
	}

	c = open(t, s.Director, nil)
	c.waitText(s.At(lab.HTTPPort) + " shop")
	c.press("J")
	c.waitText("drain 2 servers", "in force")
	c.press(enter)
	c.waitText("weight 70 to 0", "done")
	c.press("u")
	c.waitText("undo: drain 2 servers", "do it")
	c.press(enter)
	c.judge(s, first.String()+" -m -w 100", second.String()+" -m -w 70")
	c.waitText("undone 20")
	c.press("\x1b")
	c.waitText("STANDS AT")
	c.press("\x1b")
	c.waitText("SERVICE")
	c.press("q")
	c.ended(0)

	if err := json.Unmarshal([]byte(s.Director.Command("lvsdeck", "journal", "-o", "json")), &plans); err != nil {
		t.Fatal(err)
	}
	s.Director.Command("lvsdeck", "undo", "--yes", plans[0].ID) // the undoing itself
	c.judge(s, first.String()+" -m -w 0", second.String()+" -m -w 0")
}

// TestUnfinishedAfterAKill: a console is killed in the middle of a plan. The next
// one offers to finish it or to take it back, and does.
func TestUnfinishedAfterAKill(t *testing.T) {
	lab.Require(t)
	for _, way := range []struct{ name, keys, weights string }{
		{"finish it", down + enter, "0 0"},
		{"take it back", down + down + enter, "100 70"},
	} {
		t.Run(way.name, func(t *testing.T) {
			s := lab.Director(t, lab.NAT, 2, false)
			serve(s, "-t", lab.HTTPPort, "100", "70")
			c := open(t, s.Director, nil)
			c.waitText(s.At(lab.HTTPPort))
			c.press(enter + down)
			c.waitText(s.Addrs[0].String())
			c.press("  d")
			c.waitText("is left that takes", "do it")
			c.press(enter)
			c.waitText("done, u takes it back: drain 2 servers")
			c.kill()
			forgetEnd(t)
			at := s.At(lab.HTTPPort)
			s.Director.Ipvsadm("-e", "-t", at, "-r", netip.AddrPortFrom(s.Addrs[1], lab.HTTPPort).String(), "-m", "-w", "70")

			c = open(t, s.Director, nil)
			c.waitText("begun and never ended: drain 2 servers", "do what is left: 1 of 2 steps", "undo what was done: 1 of 2 steps")
			c.press(way.keys)
			var weights [2]int
			if _, err := fmt.Sscan(way.weights, &weights[0], &weights[1]); err != nil {
				t.Fatal(err)
			}
			for i, w := range weights {
				c.judge(s, fmt.Sprintf("%s -m -w %d", netip.AddrPortFrom(s.Addrs[i], lab.HTTPPort), w))
			}
			c.waitText(at, "SERVICE")
			c.press("q")
			c.ended(0)
		})
	}
}

// forgetEnd takes the last line out of the journal, as if the kill had come
// before it was written.
func forgetEnd(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(journalFile)
	if err != nil {
		t.Fatal(err)
	}
	text = text[:bytes.LastIndexByte(bytes.TrimRight(text, "\n"), '\n')+1]
	if err := os.WriteFile(journalFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

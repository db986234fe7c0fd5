package flow

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lvsdeck/lab"
	"lvsdeck/lab/screen"
)

// TestRecordedAndReplayed: what the console has shown of a real director is shown
// again, with what was changed meanwhile to go to; and who has no rights records what
// /proc shows.
func TestRecordedAndReplayed(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 2, false)
	serve(s, "-t", lab.HTTPPort, "100", "70")
	first := netip.AddrPortFrom(s.Addrs[0], lab.HTTPPort).String()
	file := filepath.Join(t.TempDir(), "x.rec")

	c := open(t, s.Director, nil)
	c.waitText(s.At(lab.HTTPPort))
	c.press("V")
	c.waitText("record to")
	c.press("\x15" + file + enter)
	c.waitText("recording to ", " rec ")
	for range 20 {
		if _, err := s.Client.HTTPGet(s.At(lab.HTTPPort)); err != nil {
			t.Fatal(err)
		}
	}
	c.press(enter + down)
	c.wait("connections of the server", func(f *screen.Frame) bool { return f.Has(first) })
	c.press("d")
	c.waitText("done, u takes it back: drain")
	c.judge(s, first+" -m -w 0")
	var live string // the row as it was seen
	c.wait("the server drained on the screen", func(f *screen.Frame) bool {
		live = strings.Join(cells(f, first), " ")
		return strings.HasPrefix(live, "w 0 ")
	})
	c.press("V")
	c.waitText("recorded: ")
	c.press("q")
	c.ended(0)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info, err)
	}

	c = open(t, s.Director, nil, "--replay", file)
	c.waitText("REPLAY", s.At(lab.HTTPPort))
	c.press("p")
	c.waitText("paused 1x")
	c.press(enter)
	c.waitText(first)
	c.press(")")
	c.waitText("drain " + first)
	c.wait("the row as it was seen: "+live, func(f *screen.Frame) bool { return strings.Join(cells(f, first), " ") == live })
	c.press("d")
	c.waitText("a recording")
	c.press("q")
	c.ended(0)

	theirs := filepath.Join(os.TempDir(), "nobody.rec")
	cmd := exec.Command("lvsdeck", "record", theirs, "--interval=1s", "--for=2s")
	asNobody(cmd)
	var said []byte
	var err error
	s.Director.Do(func() { said, err = cmd.CombinedOutput() })
	if err != nil || !strings.Contains(string(said), "recorded ") {
		t.Fatalf("nobody records: %v, %s", err, said)
	}
	c = open(t, s.Director, asNobody, "--replay", theirs)
	c.waitText("REPLAY", s.At(lab.HTTPPort), "run as root to see")
	c.press("q")
	c.ended(0)
}

// TestRecordedThresholds: without a screen thresholds are watched, too. What is crossed
// is in the incident log, and the replay shows it.
func TestRecordedThresholds(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 2, false)
	serve(s, "-t", lab.HTTPPort, "100", "70")
	const dir = "/var/lib/lvsdeck"
	kept := filepath.Join(dir, "thresholds.json")
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = os.WriteFile(kept, []byte(`{"conn/s below, the director": {"row": "", "figure": "conn/s", "below": true, "limit": 1000, "hold": 2}}`), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(kept) })
	run := func(args ...string) string {
		var said []byte
		s.Director.Do(func() { said, err = exec.Command("lvsdeck", args...).CombinedOutput() })
		if err != nil {
			t.Fatalf("%v: %v, %s", args, err, said)
		}
		return string(said)
	}
	file := filepath.Join(t.TempDir(), "x.rec")
	run("record", file, "--interval=1s", "--for=5s")
	if log := run("incidents"); !strings.Contains(log, "conn/s is 0, below 1000") {
		t.Errorf("the incident log:\n%s", log)
	}
	c := open(t, s.Director, nil, "--replay", file)
	c.waitText("REPLAY", s.At(lab.HTTPPort))
	c.press("p")
	c.waitText("paused 1x")
	c.press(")")
	c.waitText("T 1 crossed", "the director: conn/s is 0, below 1000")
	c.press("T")
	c.waitText("1 watched, 1 crossed", "as recorded", "Crossed since")
	c.press("a")
	c.waitText("a recording has thresholds as they stood")
	c.press("q")
	c.press("q")
	c.ended(0)
}

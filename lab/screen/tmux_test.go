package screen

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestEmulatorAgreesWithTmux lets tmux, which has a terminal of its own inside,
// draw the same sequences and compares the cells.
func TestEmulatorAgreesWithTmux(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Fatal("tmux is needed as the judge; make test installs it")
	}
	const width, height = 40, 12
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			wrote := scribble(rand.New(rand.NewPCG(seed, 1)), width, height)
			mine := emulate(width, height, wrote)
			if len(mine.unknown) > 0 {
				t.Fatalf("not understood: %q", mine.unknown)
			}
			theirs := drawnByTmux(t, width, height, wrote)
			if err := compare(mine.frame(), theirs); err != nil {
				t.Errorf("%v\n%s\ntmux:\n%s\nwrote %q", err, mine.frame().Text(), theirs.Text(), wrote)
			}
		})
	}
}

// drawnByTmux shows bytes in a tmux of a size and takes its screen. tmux tells by
// its hook on titles when it has come to the end.
func drawnByTmux(t *testing.T, width, height int, wrote string) *Frame {
	dir := t.TempDir()
	file := filepath.Join(dir, "wrote")
	if err := os.WriteFile(file, []byte(wrote+"\x1b]2;end\x1b\\"), 0o600); err != nil {
		t.Fatal(err)
	}
	tmux := func(args ...string) []byte {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "tmux", append([]string{"-S", "socket", "-f", "/dev/null"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LC_ALL=C.UTF-8")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("tmux %q: %v: %s", args, err, out)
		}
		return out
	}
	t.Cleanup(func() { tmux("kill-server") })
	tmux("new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), "stty raw -echo; tmux -S socket wait-for begin; cat wrote; exec cat >/dev/null",
		";", "set-option", "-g", "status", "off",
		";", "set-hook", "-g", "pane-title-changed", "wait-for -S end",
		";", "resize-window", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height))
	tmux("wait-for", "-S", "begin", ";", "wait-for", "end")
	lines := bytes.Split(bytes.TrimSuffix(tmux("capture-pane", "-p", "-e", "-N"), []byte("\n")), []byte("\n"))
	e := newEmulator(width, height, func(string) {})
	for y, line := range lines {
		e.write(fmt.Appendf(nil, "\x1b[%dH%s", y+1, line))
	}
	return e.frame()
}

// scribble makes up what a program could write: all sequences that console
// programs use, in no order. Terminals differ, and programs keep away from, what
// becomes of a wide letter cut in half, inserting lines outside the region that
// scrolls, and repeating beyond the end of a line.
func scribble(r *rand.Rand, width, height int) string {
	var b strings.Builder
	n := func(max int) int { return 1 + r.IntN(max) }
	steps := []func(){
		func() {
			b.WriteString([]string{"abc", "▂▃▅", "x", "service 10.0.0.1:80", "e"}[r.IntN(5)])
		},
		func() { fmt.Fprintf(&b, "\x1b[%d;%dH", n(height), n(width)) },
		func() { fmt.Fprintf(&b, "\x1b[%d%c", n(6), "ABCDEFGd`@PXSTZ"[r.IntN(15)]) },
		func() { fmt.Fprintf(&b, "\x1b[%d%c", r.IntN(2), "JK"[r.IntN(2)]) },
		func() { fmt.Fprintf(&b, "\x1b[%dm", []int{0, 1, 7, 31, 44, 90, 27, 22, 39, 49}[r.IntN(10)]) },
		func() { fmt.Fprintf(&b, "\x1b[38;5;%dm\x1b[48;5;%dm", r.IntN(256), r.IntN(256)) },
		func() { b.WriteString([]string{"\r", "\n", "\b", "\t", "\x1bM", "\x1b7", "\x1b8"}[r.IntN(7)]) },
		func() { fmt.Fprintf(&b, "\r=\x1b[%db", n(5)) },
		func() { top := n(height - 2); fmt.Fprintf(&b, "\x1b[%d;%dr", top, top+n(height-top)) },
		func() {
			top := n(height - 2)
			fmt.Fprintf(&b, "\x1b[%d;%dr\x1b[%dd\r\x1b[%d%c", top, top+n(height-top), top+1, n(6), "LM"[r.IntN(2)])
		},
		func() { b.WriteString("\x1b[r") },
		func() { fmt.Fprintf(&b, "\x1b[4hins\x1b[4l") },
	}
	for range 400 {
		steps[r.IntN(len(steps))]()
	}
	return b.String()
}

package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestInTmux runs the console in a real terminal program, which again draws in
// the test's terminal.
func TestInTmux(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Fatal("tmux is not installed; make test installs it")
	}
	socket := filepath.Join(t.TempDir(), "socket")
	tmux := func(args ...string) string { return tmux(t, socket, args...) }
	t.Cleanup(func() { tmux("kill-server") })

	c := start(t, ordinary(), "tmux", "-S", socket, "-f", "/dev/null", "new-session", "env PS1='shell> ' bash --norc --noprofile -i", ";", "set-option", "-g", "status", "off")
	c.shows("shell>")
	c.press(program+" --demo"+enter, "DEMO steady", "TCP 203.0.113.10:443", "q quit")
	if pane := tmux("capture-pane", "-p"); !strings.Contains(pane, "DEMO steady") || !strings.Contains(pane, "q quit") {
		t.Errorf("tmux has in its pane:\n%s", pane)
	}
	c.press(enter, "▾ TCP 198.51.100.20:443", "10.0.7.21:8443")
	c.press("/sctp"+enter, "filter: sctp", "1 of 12 services")
	c.press(esc, "FWM 7")
	c.must(c.Resize(132, 43))
	c.shows("FWM 7", "of 15", "q quit")

	c.press("q", "shell>")
	c.press("stty -a | grep -o ' icanon\\| echo ' | wc -l"+enter, "\n2\n")
	if on := tmux("display-message", "-p", "#{alternate_on}#{mouse_any_flag}#{cursor_flag}"); on != "001\n" {
		t.Errorf("alternate screen, mouse, cursor: %q, want 001", on)
	}
}

// tmux gives the server a command.
func tmux(t *testing.T, socket string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	cmd := exec.CommandContext(ctx, "tmux", append([]string{"-S", socket}, args...)...)
	cmd.Env = ordinary().env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("tmux %q: %v: %s", args, err, out)
	}
	return string(out)
}

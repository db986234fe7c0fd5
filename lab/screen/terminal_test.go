package screen

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const soon = 20 * time.Second

// shell runs a script in a terminal.
func shell(t *testing.T, script string) *Terminal {
	t.Helper()
	term, err := Open(40, 5)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(term.Close)
	if err := term.Start(exec.Command("sh", "-c", script)); err != nil {
		t.Fatal(err)
	}
	return term
}

func await(t *testing.T, term *Terminal, text string) {
	t.Helper()
	if err := term.WaitFor(soon, text, func(f *Frame) bool { return f.Has(text) }); err != nil {
		t.Fatal(err)
	}
}

func TestTerminalCarriesAConversation(t *testing.T) {
	term := shell(t, `read -r name; echo "hello $name"; exit 3`)
	if err := term.Send("you\n"); err != nil {
		t.Fatal(err)
	}
	await(t, term, "hello you")
	state, err := term.Wait(soon)
	if err != nil || state.ExitCode() != 3 {
		t.Errorf("ended with %v, %v", state, err)
	}
	if got := string(term.Wire()); got != "you\r\nhello you\r\n" {
		t.Errorf("on the wire was %q", got)
	}
}

func TestTerminalTellsWhatCameInstead(t *testing.T) {
	term := shell(t, "echo this")
	err := term.WaitFor(soon, "that", func(f *Frame) bool { return f.Has("that") })
	if err == nil || !strings.Contains(err.Error(), "ended before that") || !strings.Contains(err.Error(), "\nthis\n") {
		t.Errorf("says %v", err)
	}
}

func TestTerminalResizes(t *testing.T) {
	term := shell(t, `trap 'stty size' WINCH; echo ready; while :; do read -r line; done`)
	await(t, term, "ready")
	if err := term.Resize(70, 9); err != nil {
		t.Fatal(err)
	}
	await(t, term, "9 70")
	if f := term.Frame(); f.Width() != 70 || f.Height() != 9 {
		t.Errorf("the frame is %d by %d", f.Width(), f.Height())
	}
}

func TestTerminalStallsAndGoesOn(t *testing.T) {
	term := shell(t, "read -r go; echo gone on")
	if err := term.Stall(true); err != nil {
		t.Fatal(err)
	}
	if err := term.Send("\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := term.Wait(200 * time.Millisecond); err == nil {
		t.Fatal("a program wrote into a stalled terminal and ended")
	}
	if err := term.Stall(false); err != nil {
		t.Fatal(err)
	}
	await(t, term, "gone on")
}

func TestTerminalHangsUp(t *testing.T) {
	term := shell(t, "echo ready; read -r line; exit 0")
	await(t, term, "ready")
	term.Hangup()
	state, err := term.Wait(soon)
	if err != nil {
		t.Fatal(err)
	}
	if got := state.Sys().(syscall.WaitStatus); !got.Signaled() || got.Signal() != syscall.SIGHUP {
		t.Errorf("ended with %v, want SIGHUP", state)
	}
}

func TestTermiosOutliveTheProgram(t *testing.T) {
	term, err := Open(40, 5)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(term.Close)
	before, err := term.Termios()
	if err != nil {
		t.Fatal(err)
	}
	if err := term.Start(exec.Command("stty", "raw")); err != nil {
		t.Fatal(err)
	}
	if _, err := term.Wait(soon); err != nil {
		t.Fatal(err)
	}
	if after, err := term.Termios(); err != nil || after == before {
		t.Errorf("stty raw is not seen: %v", err)
	}
}

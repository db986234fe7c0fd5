package main

import (
	"bytes"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"lvsdeck/lab/screen"
)

// given opens a terminal and notes its state before the program.
func given(t *testing.T) (*console, unix.Termios) {
	t.Helper()
	c := prepare(t, ordinary())
	modes, err := c.Termios()
	c.must(err)
	return c, modes
}

// givenBack checks that the terminal is as it was before the program.
func (c *console) givenBack(modes unix.Termios) {
	c.Helper()
	c.modesBack(modes)
	if left := c.Leftovers(); len(left) > 0 {
		c.Errorf("left over: %q", left)
	}
	f := c.Frame()
	if f.Alt || !f.CursorShown {
		c.Errorf("alternate screen %t, cursor shown %t", f.Alt, f.CursorShown)
	}
	if f.Has("SERVICE") {
		c.Errorf("the console is still on the screen:\n%s", f.Text())
	}
	c.understood()
}

func (c *console) modesBack(modes unix.Termios) {
	c.Helper()
	now, err := c.Termios()
	c.must(err)
	if now != modes {
		c.Errorf("the terminal's modes are %+v, were %+v", now, modes)
	}
}

func TestTerminalIsGivenBack(t *testing.T) {
	t.Parallel()
	signalled := func(s syscall.Signal) func(*console) {
		return func(c *console) { c.must(c.Signal(s)) }
	}
	mouse := func(c *console) {
		c.must(c.Send(mouseKeys))
		c.until("the mouse", func(*screen.Frame) bool { return bytes.Contains(c.Wire(), []byte(mouseOn)) })
		c.must(c.Send("q"))
	}
	for name, way := range map[string]struct {
		out    func(*console)
		status int
	}{
		"q":          {func(c *console) { c.must(c.Send("q")) }, 0},
		"ctrl-c":     {func(c *console) { c.must(c.Send(ctrlC)) }, 0},
		"with mouse": {mouse, 0},
		"in a prompt": {func(c *console) {
			c.press("/abc", "filter abc")
			c.must(c.Send(ctrlC))
		}, 0},
		"SIGINT":  {signalled(unix.SIGINT), 128 + int(unix.SIGINT)},
		"SIGTERM": {signalled(unix.SIGTERM), 128 + int(unix.SIGTERM)},
		"SIGQUIT": {signalled(unix.SIGQUIT), 128 + int(unix.SIGQUIT)},
		"SIGHUP":  {signalled(unix.SIGHUP), 128 + int(unix.SIGHUP)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, modes := given(t)
			c.must(c.Start(ordinary().command(program, "--demo")))
			c.shows("SERVICE", "q quit")
			way.out(c)
			c.ends(way.status)
			c.givenBack(modes)
		})
	}
}

func TestTerminalIsGivenBackAfterPanic(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c, modes := given(t)
	c.must(c.Start(ordinary(panicking + "=1").command(self)))
	c.shows("q quit")
	c.must(c.Send("i"))
	c.ends(2)
	c.modesBack(modes)
	if left := c.Leftovers(); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}
	if f := c.Frame(); f.Alt || !f.CursorShown {
		t.Errorf("alternate screen %t, cursor shown %t", f.Alt, f.CursorShown)
	}
	c.shows("the console failed and the terminal was given back")
}

func TestStalledTerminalDoesNotHoldTheProgram(t *testing.T) {
	t.Parallel()
	c, modes := given(t)
	c.must(c.Start(ordinary().command(program, "--demo")))
	c.shows("SERVICE", "q quit")
	c.must(c.Stall(true))
	c.must(c.Signal(unix.SIGTERM))
	c.ends(128 + int(unix.SIGTERM))
	c.modesBack(modes)
}

// TestHangupEndsTheProgram: nothing may live on without its terminal, neither as
// nohup starts it nor where no SIGHUP comes, in a session without the terminal.
func TestHangupEndsTheProgram(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"in a terminal":          `exec "$0" --demo`,
		"SIGHUP ignored":         `trap "" HUP; exec "$0" --demo`,
		"in a session of no one": `trap "" HUP; setsid --wait "$0" --demo`,
	} {
		for state, stalled := range map[string]bool{"": false, ", stalled": true} {
			t.Run(name+state, func(t *testing.T) {
				t.Parallel()
				c := start(t, ordinary(), "sh", "-c", script, program)
				c.shows("SERVICE", "q quit")
				if stalled {
					c.must(c.Stall(true))
					c.must(c.Send("?"))
				}
				c.Hangup()
				c.ends(128 + int(unix.SIGHUP))
			})
		}
	}
}

func TestSuspendAndContinue(t *testing.T) {
	t.Parallel()
	c := start(t, ordinary("PS1=shell> "), "bash", "--norc", "--noprofile", "-i")
	c.shows("shell>")
	c.press(program+" --demo\r", "q quit")
	c.press("p", "paused")
	c.press(ctrlZ, "Stopped", "shell>")
	if left := c.Leftovers(); len(left) > 1 || c.Frame().Alt {
		t.Errorf("while suspended the terminal keeps %q", left)
	}
	c.press("echo $((6*7))\r", "42")
	c.press("fg\r", "q quit", "paused", "1 of 12")
	c.press("p", "live")
	c.until("the alternate screen", func(f *screen.Frame) bool { return f.Alt })
	c.must(c.Send("q"))
	c.until("the main screen", func(f *screen.Frame) bool { return !f.Alt })
	c.press("echo left with $?\r", "left with 0")
	c.understood()
}

// TestSuspendWithoutShell: in "ssh -t host lvsdeck" nothing could continue it.
func TestSuspendWithoutShell(t *testing.T) {
	t.Parallel()
	c := startDemo(t, ordinary())
	c.press(ctrlZ, "no shell to go back to")
	c.press("?", "any other key goes back")
}

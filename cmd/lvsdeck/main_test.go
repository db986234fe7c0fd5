package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/lab/screen"
	"lvsdeck/ops"
	"lvsdeck/ui"
)

// The tests run the real program in a terminal. TestMain builds it once.
var program string

// The test binary itself stands in for a console that panics: such a switch has
// no place in the program.
const panicking = "LVSDECK_TEST_PANIC"

func TestMain(m *testing.M) {
	if os.Getenv(panicking) != "" {
		panicInConsole()
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "lvsdeck-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "lvsdeck")
	build := exec.Command("go", "build", "-trimpath", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// badSource panics in the middle of the console's loop.
type badSource struct{}

func (badSource) Latest() *ops.Sample       { return &ops.Sample{Trend: &ops.Trend{}} }
func (badSource) Updated() <-chan struct{}  { return nil }
func (badSource) SetInterval(time.Duration) { panic("made for a test") }
func (badSource) Focus([]ipvs.ServiceID)    {}
func (badSource) ReadNow()                  {}

// panicInConsole shows a console in which the key for another interval panics.
func panicInConsole() {
	err := ui.Run(context.Background(), ui.Options{Source: badSource{}, Host: "test", Interval: ops.DefaultInterval})
	fmt.Fprintln(os.Stderr, "lvsdeck:", err)
	os.Exit(2)
}

// soon is how long anything may take before the test gives up. It measures
// nothing: it ends what would hang.
const soon = 30 * time.Second

// place is a terminal and its environment.
type place struct {
	width, height int
	env           []string
}

// ordinary is an ordinary terminal, with nothing of the developer's own in it.
func ordinary(env ...string) place {
	return place{80, 24, append([]string{"TERM=xterm-256color", "LC_ALL=C.UTF-8", "HOME=/nonexistent", "PATH=" + os.Getenv("PATH")}, env...)}
}

// console is a program under test in its terminal.
type console struct {
	*testing.T
	*screen.Terminal
}

// start runs a command line in a terminal.
func start(t *testing.T, in place, name string, args ...string) *console {
	t.Helper()
	c := prepare(t, in)
	c.must(c.Start(in.command(name, args...)))
	return c
}

// prepare opens a terminal without a program.
func prepare(t *testing.T, in place) *console {
	t.Helper()
	term, err := screen.Open(in.width, in.height)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(term.Close)
	return &console{t, term}
}

func (p place) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = p.env
	return cmd
}

// startDemo shows a demo and waits for its first frame.
func startDemo(t *testing.T, in place, args ...string) *console {
	t.Helper()
	c := start(t, in, program, append([]string{"--demo"}, args...)...)
	c.shows("SERVICE", "q quit")
	return c
}

func (c *console) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// shows waits until all texts are on the screen.
func (c *console) shows(texts ...string) {
	c.Helper()
	c.until(strings.Join(texts, ", "), func(f *screen.Frame) bool { return f.Has(texts...) })
}

// hides waits until a text is not on the screen.
func (c *console) hides(text string) {
	c.Helper()
	c.until("a screen without "+text, func(f *screen.Frame) bool { return !f.Has(text) })
}

func (c *console) until(what string, ok func(*screen.Frame) bool) {
	c.Helper()
	c.must(c.WaitFor(soon, what, ok))
}

// press types keys and waits for texts.
func (c *console) press(keys string, texts ...string) {
	c.Helper()
	c.must(c.Send(keys))
	c.shows(texts...)
}

// ends waits for the program's end with an exit status.
func (c *console) ends(status int) {
	c.Helper()
	state, err := c.Wait(soon)
	c.must(err)
	if got := state.ExitCode(); got != status {
		c.Errorf("ended with %v, want exit status %d; the screen:\n%s", state, status, c.Frame().Text())
	}
}

// understood fails when the emulator cannot vouch for what it shows.
func (c *console) understood() {
	c.Helper()
	if strange := c.Unknown(); len(strange) > 0 {
		c.Errorf("sequences the emulator does not know: %q", strange)
	}
}

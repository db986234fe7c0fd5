package confirm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lvsdeck/ops/plan"
)

// The test binary is also the programs under test: what applies a change, and its
// timer.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "apply":
			exitWith(applyMain(os.Args[2], os.Args[3], os.Args[4]))
		case "timer":
			exitWith(timerMain(os.Args[2], os.Args[3], os.Args[4]))
		}
	}
	os.Exit(m.Run())
}

func exitWith(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Exit(0)
}

// timerMain is what lvsdeck revert does for a timer, on a host of files.
func timerMain(dir, id, at string) error {
	signal.Ignore(unix.SIGHUP)
	deadline, err := time.ParseDuration(at)
	if err != nil {
		return err
	}
	store, err := openStore(dir, nil)
	if err != nil {
		return err
	}
	g, err := newGuard(store)
	if err != nil {
		return err
	}
	g.Tell = func(line string) { fmt.Fprintln(os.Stderr, line) }
	return g.Watch(context.Background(), newRunner(store), id, deadline, SayReady)
}

func timerCommand(dir string) func(string, time.Duration) []string {
	return func(id string, at time.Duration) []string {
		return []string{self, "timer", dir, id, at.String()}
	}
}

var self, _ = os.Executable()

// site is what a program under test has before it.
type site struct {
	runner plan.Runner
	guard  *Guard
	plan   plan.Plan
}

func openSite(dir string) (s site, err error) {
	if dir == director {
		return openDirector()
	}
	store, err := openStore(dir, nil)
	if err != nil {
		return s, err
	}
	s.runner, s.plan = newRunner(store), renew(dir, "a", "b", "c")
	s.guard, err = New(store, timerCommand(dir))
	return s, err
}

// applyMain applies a change to a host of files or a director, as a program does
// that takes a signal for an order to go back. In between or at its end it says
// where it is, and stays there.
func applyMain(dir, window, how string) error {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGHUP)
	defer stop()
	within, err := time.ParseDuration(window)
	if err != nil {
		return err
	}
	s, err := openSite(dir)
	if err != nil {
		return err
	}
	s.guard.shortest, s.runner.Guard = 0, s.guard
	applying := make(chan context.Context, 1) // that of the plan, which ends when its alarm rings
	alarm := s.guard.clock.alarm
	s.guard.clock.alarm = func(at time.Duration) (func(context.Context) error, error) {
		wait, err := alarm(at)
		return func(ctx context.Context) error { applying <- ctx; return wait(ctx) }, err
	}
	result, err := s.guard.Run(ctx, s.runner, s.plan, within, func(e plan.Event) {
		if e.Step != 1 || e.State != plan.Done || how == "done" {
			return
		}
		fmt.Println("in between")
		switch how {
		case "stuck": // as in writing to a terminal that takes nothing
			writeForEver()
		case "slow":
			<-ctx.Done()
		case "too long":
			<-(<-applying).Done()
		}
	})
	fmt.Println(result.Outcome, err)
	_, _ = io.Copy(io.Discard, os.Stdin)
	return nil
}

// writeForEver writes to a pipe that nobody reads.
func writeForEver() {
	var pipe [2]int
	if err := unix.Pipe(pipe[:]); err != nil {
		panic(err)
	}
	for {
		_, _ = unix.Write(pipe[1], make([]byte, 4096))
	}
}

// window is the time to confirm in tests that wait for its end. It must do for
// starting two processes on a busy machine.
const window = 3 * time.Second

// program is a process under test.
type program struct {
	*exec.Cmd
	*testing.T
	lines *bufio.Scanner
}

func (b *bench) start(window time.Duration, how string) *program {
	b.Helper()
	return startProgram(b.T, (*exec.Cmd).Start, b.dir, window, how)
}

func startProgram(t *testing.T, start func(*exec.Cmd) error, dir string, window time.Duration, how string) *program {
	t.Helper()
	p := &program{T: t, Cmd: exec.Command(self, "apply", dir, window.String(), how)}
	out, err := p.StdoutPipe()
	if err == nil {
		p.Stderr = os.Stderr
		_, err = p.StdinPipe() // open for as long as the test is
	}
	if err == nil {
		err = start(p.Cmd)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	p.lines = bufio.NewScanner(out)
	return p
}

// says waits for the next line of the program.
func (p *program) says(want string) {
	p.T.Helper()
	if !p.lines.Scan() || p.lines.Text() != want {
		p.T.Fatalf("the program says %q, want %q", p.lines.Text(), want)
	}
}

// real makes a bench of the real clock.
func real(t *testing.T) *bench {
	b := newBench(t)
	g, err := New(b.Store, timerCommand(b.dir))
	b.ok(err)
	g.shortest = 0
	b.Guard, b.Runner.Guard = g, g
	return b
}

// timer is the process that the pending change is left to.
func (b *bench) timer() Process {
	b.Helper()
	c, err := b.pending()
	b.ok(err)
	if c.Timer.Process == nil || !c.Timer.Process.alive() {
		b.Fatalf("the timer %+v is not alive", c.Timer)
	}
	b.Cleanup(func() { _ = c.Timer.Process.signal(unix.SIGKILL) })
	return *c.Timer.Process
}

func (b *bench) isBack(what string, timer Process) {
	b.Helper()
	b.until(what+": the change is taken back", func() bool { return b.state() == `"renew a b c" of alice taken back 0` })
	b.until(what+": the timer ends", func() bool { return !timer.alive() })
	b.holds(what, "old old old")
	if left, err := b.Unfinished(b.Context()); err != nil || len(left) > 0 {
		b.Errorf("%s: unfinished: %v, %v", what, left, err)
	}
}

// TestProcessesThatCannotGoBack: killed, stopped, or stuck, in the middle or
// after the end. After the deadline the host is as before. They all wait for it
// at the same time.
func TestProcessesThatCannotGoBack(t *testing.T) {
	t.Parallel()
	type waiting struct {
		*bench
		*program
		what  string
		timer Process
	}
	var all []waiting
	for _, c := range []struct {
		how, says string
		signal    syscall.Signal
	}{
		{"stuck", "in between", unix.SIGKILL},
		{"stuck", "in between", unix.SIGSTOP},
		{"stuck", "in between", unix.SIGHUP}, // caught, but it cannot look
		{"too long", "in between", unix.SIGCONT},
		{"done", "applied <nil>", unix.SIGKILL},
		{"done", "applied <nil>", unix.SIGSTOP},
		{"done", "applied <nil>", unix.SIGHUP},
	} {
		b := real(t)
		p := b.start(window, c.how)
		p.says(c.says)
		all = append(all, waiting{b, p, c.how + ", " + unix.SignalName(c.signal), b.timer()})
		b.ok(p.Process.Signal(c.signal))
	}
	for _, w := range all {
		w.isBack(w.what, w.timer)
		if strings.HasPrefix(w.what, "too long") {
			w.says("taken back it was not done within the time to confirm it: 3 s")
		}
	}
}

// TestHangUpGoesBackAtOnce: a program that is well needs no timer.
func TestHangUpGoesBackAtOnce(t *testing.T) {
	t.Parallel()
	b := real(t)
	p := b.start(time.Hour, "slow")
	p.says("in between")
	timer := b.timer()
	b.ok(p.Process.Signal(unix.SIGHUP))
	p.says("taken back context canceled")
	b.holds("hung up", "old old old")
	b.stateIs("hung up", "")
	b.until("the timer ends", func() bool { return !timer.alive() })
}

// TestFromAnotherLogin: one process applies, this one decides.
func TestFromAnotherLogin(t *testing.T) {
	t.Parallel()
	b := real(t)
	p := b.start(time.Hour, "done")
	p.says("applied <nil>")
	timer := b.timer()
	if _, err := unix.Getsid(timer.PID); err != nil {
		t.Fatal(err)
	} else if sid, _ := unix.Getsid(timer.PID); sid != timer.PID {
		t.Errorf("the timer is in session %d, not in its own", sid)
	}
	_, err := b.Confirm(b.Context())
	b.ok(err)
	b.until("the timer ends", func() bool { return !timer.alive() })
	b.holds("confirmed", "new new new")

	for _, name := range []string{"a", "b", "c"} {
		b.put(name, "old")
	}
	for _, how := range []string{"slow", "stuck"} { // the one goes back when it is told to, the other is killed
		p = b.start(time.Hour, how)
		p.says("in between")
		timer = b.timer()
		if _, err := b.Confirm(b.Context()); err == nil || !strings.Contains(err.Error(), "still being applied") {
			t.Errorf("confirmed while it is being applied: %v", err)
		}
		c, r, err := b.Revert(b.Context(), b.Runner, nil)
		b.ok(err)
		if r.Outcome != plan.WentBack || !strings.HasSuffix(c.Story(), "alice asked for it") {
			t.Errorf("%s: %s, %s", how, r.Outcome, c.Story())
		}
		b.isBack(how, timer)
		b.ok(b.Seen())
	}
}

func TestTimerThatDies(t *testing.T) {
	b := real(t)
	b.applied("a", "b")
	timer := b.timer()
	b.ok(timer.signal(unix.SIGHUP)) // ignored
	if s, err := b.Look(); err != nil || s.Lost {
		t.Errorf("%+v, %v", s, err)
	}
	b.ok(timer.signal(unix.SIGKILL))
	b.until("it counts as lost", func() bool { return strings.HasSuffix(b.state(), ", lost") })
	if _, err := b.apply(b.renew("c"), nil); err == nil || !strings.Contains(err.Error(), "has lost its timer") {
		t.Errorf("a second change: %v", err)
	}
	_, _, err := b.Revert(b.Context(), b.Runner, nil)
	b.ok(err)
	b.holds("reverted", "old old old")
}

// TestTimerThatDoesNotStart: nothing is changed, and its own words are told.
func TestTimerThatDoesNotStart(t *testing.T) {
	for words, command := range map[string][]string{
		"it ended before it was ready: exit status 3: no table here": {"sh", "-c", "echo no table here >&2; exit 3"},
		"it ended before it was ready: exit status 0":                {"true"},
		`it is no timer: it says "hello", not "ready"`:               {"sh", "-c", "echo hello; exec sleep 3600"},
		"no such file or directory":                                  {"/nonexistent/lvsdeck"},
	} {
		b := real(t)
		g, err := New(b.Store, func(string, time.Duration) []string { return command })
		b.ok(err)
		_, err = g.Run(b.Context(), b.Runner, b.renew("a"), time.Minute, nil)
		var notArmed *NotArmed
		if !errors.As(err, &notArmed) || !strings.Contains(err.Error(), words) {
			t.Errorf("%v, want %q", err, words)
		}
		b.holds("not armed", "old old old")
		b.stateIs("not armed", "")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := (launcher{dir: t.TempDir()}).child(ctx, []string{"sleep", "3600"})
	if err == nil || !strings.Contains(err.Error(), "does not become ready") {
		t.Errorf("a timer that says nothing: %v", err)
	}
}

// TestSayReady: systemd is told on its socket.
func TestSayReady(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	heard, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer heard.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	SayReady()
	text := make([]byte, 64)
	if n, err := heard.Read(text); err != nil || string(text[:n]) != "READY=1" {
		t.Errorf("heard %q, %v", text[:n], err)
	}
}

// TestSystemd has a systemd-run and a systemctl that note their arguments; the
// first runs the command at once, and comes back when that is ready, as systemd's
// does.
func TestSystemd(t *testing.T) {
	b := real(t)
	bin := t.TempDir()
	script := func(name, text string) {
		b.ok(os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text), 0o700))
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	called := func(name string) []string {
		text, _ := os.ReadFile(filepath.Join(bin, name+".args"))
		return strings.Split(strings.TrimSpace(string(text)), "\n")
	}
	const note = `printf '%s\n' "$@" > "$0.args"` + "\n"
	script("systemctl", note+`kill -- -$(cat "${0%/*}/systemd-run.pid")`)
	script("systemd-run", note+`
while [ "$1" != -- ]; do shift; done; shift
rm -f "$0.said"; mkfifo "$0.said"
setsid "$@" </dev/null >"$0.said" 2>/dev/null &
echo $! > "$0.pid"
read said < "$0.said"; [ "$said" = ready ]`)

	l := launcher{dir: b.dir, systemd: func() bool { return true }}
	command := timerCommand(b.dir)
	b.Guard.arm = func(ctx context.Context, id string, at time.Duration) (Timer, error) {
		return l.launch(ctx, id, command(id, at))
	}

	r, err := b.Guard.Run(b.Context(), b.Runner, b.renew("a", "b"), window, nil)
	b.ok(err)
	unit := "lvsdeck-revert-" + r.ID
	args := called("systemd-run")
	c, err := b.pending()
	b.ok(err)
	want := append([]string{
		"--quiet", "--collect", "--unit=" + unit, "--description=take back what nobody confirms",
		"--service-type=notify", "--property=TimeoutStartSec=10", "--property=Restart=on-failure", "--property=RestartSec=5", "--",
	}, command(r.ID, c.At)...)
	if strings.Join(args, "\n") != strings.Join(want, "\n") {
		t.Errorf("systemd-run is given\n%q, want\n%q", args, want)
	}
	b.until("it is taken back", func() bool { return b.state() == `"renew a b" of alice taken back 0` })
	b.holds("after the deadline", "old old old")
	b.unlocked()

	_, err = b.Guard.Run(b.Context(), b.Runner, b.renew("c"), time.Hour, nil)
	b.ok(err)
	c, err = b.pending()
	b.ok(err)
	_, err = b.Confirm(b.Context())
	b.ok(err)
	if got := strings.Join(called("systemctl"), " "); got != "stop --no-block "+c.Timer.Unit+".service" {
		t.Errorf("systemctl is given %q", got)
	}

	// One that refuses is replaced by a child; when that fails too, both are told.
	script("systemd-run", "echo Failed to connect to bus >&2; exit 1")
	_, err = b.Guard.Run(b.Context(), b.Runner, b.renew("a"), time.Hour, nil)
	b.ok(err)
	b.timer()
	_, err = b.Confirm(b.Context())
	b.ok(err)
	command = func(string, time.Duration) []string { return []string{"false"} }
	_, err = b.Guard.Run(b.Context(), b.Runner, b.renew("b"), time.Hour, nil)
	if err == nil || !strings.Contains(err.Error(), "systemd-run: exit status 1: Failed to connect to bus\nfalse: it ended before") {
		t.Errorf("neither: %v", err)
	}
}

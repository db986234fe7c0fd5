//go:build boot

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// person is somebody at a terminal in which labrun runs.
type person struct {
	t      *testing.T
	pty    *os.File
	before unix.Termios
	cmd    *exec.Cmd
	seen   string
}

// sit starts labrun on a new terminal of 100 by 30.
func sit(t *testing.T, args ...string) *person {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := &person{t: t, pty: os.NewFile(uintptr(fd), "pty"), cmd: exec.Command(labrun, args...)}
	t.Cleanup(func() { p.pty.Close() })
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	p.before = p.termios()
	p.resize(100, 30)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = tty, tty, tty
	p.cmd.Env = append(os.Environ(), "TERM=xterm-lab")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *person) termios() unix.Termios {
	p.t.Helper()
	t, err := unix.IoctlGetTermios(int(p.pty.Fd()), unix.TCGETS)
	if err != nil {
		p.t.Fatal(err)
	}
	return *t
}

func (p *person) resize(cols, rows uint16) {
	p.t.Helper()
	if err := unix.IoctlSetWinsize(int(p.pty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: cols, Row: rows}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *person) types(text string) {
	p.t.Helper()
	if _, err := p.pty.WriteString(text); err != nil {
		p.t.Fatal(err)
	}
}

// sees waits for a text, after what was seen before.
func (p *person) sees(text string) {
	p.t.Helper()
	p.pty.SetReadDeadline(time.Now().Add(60 * time.Second))
	for buf := make([]byte, 4096); ; {
		if _, rest, ok := strings.Cut(p.seen, text); ok {
			p.seen = rest
			return
		}
		n, err := p.pty.Read(buf)
		p.seen += string(buf[:n])
		if err != nil {
			p.t.Fatalf("no %q but %q: %v", text, p.seen, err)
		}
	}
}

// leaves waits for labrun's end and looks at what it leaves of the terminal.
func (p *person) leaves(code int) {
	p.t.Helper()
	p.cmd.Wait()
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		p.t.Errorf("exit status %d, want %d", got, code)
	}
	if p.termios() != p.before {
		p.t.Errorf("the terminal is left as %+v, was %+v", p.termios(), p.before)
	}
}

func TestTerminal(t *testing.T) {
	t.Parallel()
	p := sit(t, "-t", "bash", "--norc", "--noprofile")
	p.sees("starting")
	p.resize(101, 31) // while it boots
	p.sees("# ")
	p.types("until [ \"$(stty size)\" = '31 101' ]; do :; done; echo $TERM-is-it\r")
	p.sees("xterm-lab-is-it")
	p.types(`sh -c 'trap "printf win%s ched" WINCH; printf rea%s dy; until [ "$(stty size)" = "40 120" ]; do sleep 0.1; done; printf re%s sized'` + "\r")
	p.sees("ready")
	p.resize(120, 40)
	p.sees("winched")
	p.sees("resized")
	p.types("sh -c 'printf aslee%s p; exec sleep 1000'\r")
	p.sees("asleep")
	p.types("\x03")
	p.types("echo status $?\r")
	p.sees("status 130")
	// The very last bytes must come through: a console's farewell to the screen.
	p.types("printf 'fare%s' well; exit 7\r")
	p.sees("farewell")
	p.leaves(7)
}

func TestTerminalAfterAnAccident(t *testing.T) {
	t.Parallel()
	p := sit(t, "-t", "sh", "-c", `printf '\033[?1049hfull screen'; sleep 1000`)
	p.sees("full screen")
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.sees(leaveScreens[:8])
	p.sees("terminated")
	p.leaves(exitTrouble)
}

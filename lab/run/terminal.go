package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"lvsdeck/lab/guest"
	"lvsdeck/lab/vm"
)

// leaveScreens undoes what a full-screen program may have left switched on
// when it could not end in its own way: the other screen, mouse and focus
// reports, bracketed paste, the enhanced keyboard, colours, the hidden cursor.
const leaveScreens = "\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l" +
	"\x1b[<u\x1b[>4;0m\x1b[?2026l\x1b[m\x1b[?25h\r\n"

// onTerminal connects this terminal to the program's. Every key goes there,
// ctrl-c too; the program's end is the way out.
func onTerminal(ctx context.Context, m vm.Machine) (code int, err error) {
	fd := int(os.Stdin.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return 0, fmt.Errorf("-t needs a terminal on standard input: %w", err)
	}
	m.Job.Terminal = true
	m.Job.Size = sizeOf(fd)
	for _, name := range []string{"TERM", "COLORTERM", "LANG", "LC_ALL", "LC_CTYPE", "NO_COLOR", "TERM_PROGRAM"} {
		if v, ok := os.LookupEnv(name); ok {
			m.Job.Env = append(m.Job.Env, name+"="+v)
		}
	}
	m.Stdin = os.Stdin
	m.Resize = sizes(ctx, fd)

	if err := unix.IoctlSetTermios(fd, unix.TCSETS, rawMode(*before)); err != nil {
		return 0, fmt.Errorf("set the terminal: %w", err)
	}
	defer func() {
		if err != nil {
			os.Stdout.WriteString(leaveScreens)
		}
		unix.IoctlSetTermios(fd, unix.TCSETSF, before)
	}()
	fmt.Fprint(os.Stdout, "starting the lab's machine …\r\n")
	return finish(m.Run(ctx))
}

func sizeOf(fd int) guest.Size {
	w, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ)
	if err != nil || w.Col == 0 || w.Row == 0 {
		return guest.Size{Cols: 80, Rows: 24}
	}
	return guest.Size{Cols: w.Col, Rows: w.Row}
}

// sizes tells the terminal's new size each time it changes.
func sizes(ctx context.Context, fd int) <-chan guest.Size {
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, syscall.SIGWINCH)
	to := make(chan guest.Size)
	go func() {
		defer signal.Stop(changed)
		for {
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
			select {
			case to <- sizeOf(fd):
			case <-ctx.Done():
				return
			}
		}
	}()
	return to
}

// rawMode passes every byte as it is, both ways: the guest's line does the rest.
func rawMode(t unix.Termios) *unix.Termios {
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag &^= unix.CSIZE | unix.PARENB
	t.Cflag |= unix.CS8
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return &t
}

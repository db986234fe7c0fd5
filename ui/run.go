package ui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sys/unix"
)

// Limits of the program around the model.
const (
	// framesPerSecond is how often Bubble Tea looks for something to send, so a
	// key waits 8 ms at the most. A look without a change sends nothing and costs
	// next to nothing.
	framesPerSecond = 120

	// quitGrace is how long the loop may take to end by itself. It stands still
	// while the terminal is stalled, so after this it is ended from outside.
	quitGrace = time.Second

	// planGrace is how long a plan that is running may take to end before the
	// process does. One that does not is found by the next start.
	planGrace = 30 * time.Second
)

// ErrSignal is returned by Run when a signal ended the console.
type ErrSignal struct{ Signal syscall.Signal }

func (e *ErrSignal) Error() string { return "ended by signal: " + e.Signal.String() }

// Run shows the console until the operator leaves, the context ends, a signal
// comes or the terminal goes away, and gives the terminal back in every case.
func Run(parent context.Context, opts Options) error {
	restore := saveTerminal(os.Stdin)
	defer restore()

	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	opts.Tick = func(d time.Duration) tea.Cmd { return tea.Tick(d, func(time.Time) tea.Msg { return secondMsg{} }) }
	model := New(opts)
	defer model.hands.settled(planGrace)
	p := tea.NewProgram(model, tea.WithContext(parent), tea.WithFPS(framesPerSecond), tea.WithoutSignalHandler())
	go forward(ctx, opts.Source, p)

	// From here on, before anything is drawn, no signal ends the console by itself.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT)
	defer signal.Stop(signals)
	ended := make(chan syscall.Signal, 1)
	go watch(ctx, p, signals, func() { restore(); model.hands.settled(planGrace) }, ended)

	_, err := p.Run()
	select {
	case sig := <-ended:
		return &ErrSignal{sig}
	default:
	}
	if parent.Err() != nil {
		return context.Cause(parent)
	}
	if errors.Is(err, tea.ErrProgramPanic) {
		return fmt.Errorf("the console failed and the terminal was given back: %w", err)
	}
	return err
}

// forward tells the program about new samples. Send blocks while the loop is
// busy; the source keeps only its newest sample meanwhile.
func forward(ctx context.Context, src Source, p *tea.Program) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-src.Updated():
			p.Send(sampleMsg{})
		}
	}
}

// watch ends the program on a signal or when the terminal hangs up, which Bubble
// Tea does not notice when SIGHUP is ignored (nohup): the console would live on
// as an orphan.
func watch(ctx context.Context, p *tea.Program, signals <-chan os.Signal, last func(), ended chan<- syscall.Signal) {
	hangup := make(chan struct{})
	go func() {
		if waitHangup(os.Stdin) {
			close(hangup)
		}
	}()

	var sig syscall.Signal
	select {
	case <-ctx.Done():
		return
	case s := <-signals:
		sig = s.(syscall.Signal)
	case <-hangup:
		sig = unix.SIGHUP
	}
	ended <- sig
	go p.Quit()
	select {
	case <-ctx.Done():
		return
	case <-time.After(quitGrace):
	}
	// The loop is stuck in a write to the terminal, and so would p.Kill be.
	last()
	os.Exit(128 + int(sig))
}

// noShell is why the console cannot be suspended, or "". As the first process on
// its terminal ("ssh -t host lvsdeck", a tmux window of its own) it has no shell
// to continue it; the kernel drops the signal, and Bubble Tea would wait for ever.
func noShell(*Model) string {
	if session, err := unix.Getsid(0); err == nil && session == unix.Getpgrp() {
		return "there is no shell to go back to: none started this console"
	}
	return ""
}

// waitHangup blocks until the other end of the terminal is gone. It reads
// nothing. It gives false when the file cannot be watched.
func waitHangup(f *os.File) bool {
	fds := []unix.PollFd{{Fd: int32(f.Fd())}}
	for {
		n, err := unix.Poll(fds, -1)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return false
		case n > 0:
			return fds[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
		}
	}
}

// saveTerminal keeps the terminal's modes and gives a function that puts them
// back and leaves the alternate screen, for the ways out on which Bubble Tea
// cannot. Setting modes does not wait for output, so it works on a stalled
// terminal; the escape codes are written only if they can be at once, so one that
// was stalled may come back with the last frame on it.
func saveTerminal(f *os.File) func() {
	fd := int(f.Fd())
	modes, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return func() {}
	}
	return func() {
		now, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil || *now == *modes {
			return
		}
		_ = unix.IoctlSetTermios(fd, unix.TCSETS, modes)
		out := []unix.PollFd{{Fd: int32(os.Stdout.Fd()), Events: unix.POLLOUT}}
		if n, err := unix.Poll(out, 0); err == nil && n > 0 && out[0].Revents&unix.POLLOUT != 0 {
			_, _ = os.Stdout.WriteString("\x1b[?1002l\x1b[?1006l\x1b[<u\x1b[>4m\x1b[?2004l\x1b[?1049l\x1b[?25h\x1b[m")
		}
	}
}

package screen

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Terminal is a terminal with at most one program started in it.
type Terminal struct {
	master, slave *os.File
	process       *os.Process   // nil before Start
	exited        chan struct{} // closed when the program has ended
	state         *os.ProcessState

	mu       sync.Mutex
	screen   *emulator
	wire     bytes.Buffer
	changed  chan struct{} // closed, and made anew, at every change
	hungUp   bool
	finished bool // nobody has the terminal open any more
}

// Open makes a terminal of a size. It must be closed.
func Open(width, height int) (*Terminal, error) {
	master, slave, err := openPty()
	if err != nil {
		return nil, err
	}
	t := &Terminal{master: master, slave: slave, changed: make(chan struct{}), exited: make(chan struct{})}
	t.screen = newEmulator(width, height, func(answer string) { _, _ = master.WriteString(answer) })
	if err := t.setSize(width, height); err != nil {
		master.Close()
		slave.Close()
		return nil, err
	}
	go t.read()
	return t, nil
}

// Start starts a program in the terminal, as leader of a session of its own.
// Standard streams that are set already stay as they are.
func (t *Terminal) Start(cmd *exec.Cmd) error {
	if cmd.Stdin == nil {
		cmd.Stdin = t.slave
	}
	if cmd.Stdout == nil {
		cmd.Stdout = t.slave
	}
	if cmd.Stderr == nil {
		cmd.Stderr = t.slave
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty = true, true
	err := cmd.Start()
	t.slave.Close() // or the terminal would never be seen to be left
	if err != nil {
		return err
	}
	t.process = cmd.Process
	go func() {
		_ = cmd.Wait() // its error is the state once more
		t.state = cmd.ProcessState
		close(t.exited)
	}()
	return nil
}

// read takes what the program writes until nobody has the terminal open.
func (t *Terminal) read() {
	buf := make([]byte, 1<<16)
	for {
		n, err := t.master.Read(buf)
		t.mu.Lock()
		t.wire.Write(buf[:n])
		t.screen.write(buf[:n])
		t.finished = err != nil
		t.notify()
		t.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// notify wakes everybody who waits for a change. The lock is held.
func (t *Terminal) notify() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// Send types keys: text, or the sequences a terminal sends for keys.
func (t *Terminal) Send(keys string) error {
	_, err := t.master.WriteString(keys)
	return err
}

// Signal sends a signal to the program.
func (t *Terminal) Signal(s os.Signal) error { return t.process.Signal(s) }

// Resize changes the size and lets the program know.
func (t *Terminal) Resize(width, height int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.screen.resize(width, height)
	t.notify()
	return t.setSize(width, height)
}

func (t *Terminal) setSize(width, height int) error {
	return onDescriptor(t.master, func(fd int) error {
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(height), Col: uint16(width)})
	})
}

// Stall makes every write of the program block from now on, as over a dead
// connection, or lets writes go on. Full buffers would do the same, only later.
func (t *Terminal) Stall(on bool) error {
	slave, err := openSlave(t.master)
	if err != nil {
		return err
	}
	defer slave.Close()
	flow := unix.TCOON
	if on {
		flow = unix.TCOOFF
	}
	return onDescriptor(slave, func(fd int) error { return unix.IoctlSetInt(fd, unix.TCXONC, flow) })
}

// Hangup takes the terminal away, as the end of an SSH connection does.
func (t *Terminal) Hangup() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.hungUp {
		t.hungUp = true
		t.master.Close()
		t.notify()
	}
}

// Close takes the terminal away and ends the program, whatever it does about it.
func (t *Terminal) Close() {
	t.Hangup()
	t.slave.Close()
	if t.process != nil {
		select {
		case <-t.exited:
		default:
			_ = t.process.Kill()
			<-t.exited
		}
	}
}

// Termios is the state of the program's end of the terminal. The master answers
// for it, so it can be asked for before, during and after the program.
func (t *Terminal) Termios() (unix.Termios, error) {
	var modes unix.Termios
	err := onDescriptor(t.master, func(fd int) error {
		m, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err == nil {
			modes = *m
		}
		return err
	})
	return modes, err
}

// Frame is what is on the screen.
func (t *Terminal) Frame() *Frame {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.screen.frame()
}

// Wire is every byte the program has written.
func (t *Terminal) Wire() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.wire.Bytes())
}

// Leftovers names every setting of the terminal that the program has changed and
// not put back; at the end there should be none.
func (t *Terminal) Leftovers() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.screen.leftovers()
}

// Unknown names the sequences the emulator did not understand. Where there are
// any, the frame cannot be relied on.
func (t *Terminal) Unknown() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.screen.unknown)
}

// WaitFor waits until a frame satisfies the condition. When it takes too long,
// or the program ends first, the error shows the screen.
func (t *Terminal) WaitFor(within time.Duration, what string, ok func(*Frame) bool) error {
	late := time.NewTimer(within)
	defer late.Stop()
	for {
		t.mu.Lock()
		frame, changed, finished := t.screen.frame(), t.changed, t.finished
		t.mu.Unlock()
		if ok(frame) {
			return nil
		}
		if finished {
			return fmt.Errorf("the program ended before %s; the screen:\n%s", what, frame.Text())
		}
		select {
		case <-changed:
		case <-late.C:
			return fmt.Errorf("%s did not come within %v; the screen:\n%s", what, within, frame.Text())
		}
	}
}

// Wait waits until the program has ended and everything it wrote has come.
func (t *Terminal) Wait(within time.Duration) (*os.ProcessState, error) {
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-t.exited:
	case <-late.C:
		return nil, fmt.Errorf("the program did not end within %v; the screen:\n%s", within, t.Frame().Text())
	}
	for {
		t.mu.Lock()
		changed, done := t.changed, t.finished
		t.mu.Unlock()
		if done {
			return t.state, nil
		}
		select {
		case <-changed:
		case <-late.C:
			return nil, fmt.Errorf("the program ended, but something has kept its terminal open for %v", within)
		}
	}
}

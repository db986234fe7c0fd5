package guest

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lineMode is how the kernel treats the bytes of a serial line.
type lineMode bool

const (
	raw    lineMode = true  // as they are
	cooked lineMode = false // as a terminal: echo, line editing, ctrl-c
)

func openLine(path string, mode lineMode) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if mode == raw {
		if err := makeRaw(fd); err != nil {
			unix.Close(fd)
			return nil, fmt.Errorf("make %s raw: %w", path, err)
		}
	}
	return os.NewFile(uintptr(fd), path), nil
}

func makeRaw(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

// resize also tells the line's foreground programs (SIGWINCH); the kernel does
// that by itself when the size really changes.
func resize(line *os.File, s Size) error {
	return unix.IoctlSetWinsize(int(line.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: s.Cols, Row: s.Rows})
}

// drain waits until everything written has left the machine. Without it the
// power goes off with the last lines still in the kernel.
func drain(line *os.File) { unix.IoctlSetInt(int(line.Fd()), unix.TCSBRK, 1) }

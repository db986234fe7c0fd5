package screen

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// openPty makes a pseudo-terminal. The master is left to Go's poller, which is
// what lets Close end a Read under way and a deadline interrupt it; asking for
// its Fd would undo that. The program's end blocks, as programs expect.
func openPty() (master, slave *os.File, err error) {
	master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	err = onDescriptor(master, func(fd int) error { return unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0) })
	if err == nil {
		slave, err = openSlave(master)
	}
	if err != nil {
		master.Close()
		return nil, nil, fmt.Errorf("no pseudo-terminal: %w", err)
	}
	return master, slave, nil
}

func openSlave(master *os.File) (*os.File, error) {
	var fd int
	err := onDescriptor(master, func(m int) error {
		number, err := unix.IoctlGetInt(m, unix.TIOCGPTN)
		if err != nil {
			return err
		}
		fd, err = unix.Open(fmt.Sprintf("/dev/pts/%d", number), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "pty"), nil
}

func onDescriptor(f *os.File, do func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	if err := raw.Control(func(fd uintptr) { result = do(int(fd)) }); err != nil {
		return err
	}
	return result
}

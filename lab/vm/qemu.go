package vm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// qemu is a running emulator and our ends of its serial lines.
type qemu struct {
	console, terminal, notes *os.File
	stderr                   bytes.Buffer // to be read after wait only
	ended                    chan error
}

// The kernel's settings. Its messages tell a machine that never began, which is
// worth a second try, from one that stopped on the way; a panic ends it at once; the
// timer check fails on loaded hosts for no reason of the kernel's; the rest saves time
// that emulation makes long. That the TSC is reliable must not be said: measured by a
// loaded host's PIT it has run eight times too fast, and so did the clock, until the
// kernel's own watchdog may turn to the HPET.
var kernelArgs = []string{
	"console=ttyS0", "panic=-1", "no_timer_check", "mitigations=off", "nokaslr", "cryptomgr.notests",
}

// start runs the emulator. It must not outlive us: the kernel kills it when the
// thread that started it ends, so that thread does nothing else than wait.
func (m Machine) start(ctx context.Context, image *os.File) (*qemu, error) {
	q := &qemu{ended: make(chan error, 1)}
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
	}()
	for _, ours := range []**os.File{&q.console, &q.terminal, &q.notes} {
		a, b, err := socketPair()
		if err != nil {
			q.closeLines()
			return nil, err
		}
		*ours, theirs = a, append(theirs, b)
	}
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", m.qemuArgs()...)
	cmd.ExtraFiles = slices.Concat(theirs, []*os.File{m.System.Kernel, image})
	cmd.Stderr = &q.stderr
	// Its own process group: ctrl-c at our terminal is for us to handle.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			q.ended <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		q.closeLines()
		if errors.Is(err, exec.ErrNotFound) {
			return nil, errors.New("the lab needs qemu-system-x86_64; install the package qemu-system-x86")
		}
		return nil, fmt.Errorf("start the lab's machine: %w", err)
	}
	return q, nil
}

func (q *qemu) wait() error { return <-q.ended }

func (q *qemu) closeLines() {
	for _, f := range []*os.File{q.console, q.terminal, q.notes} {
		f.Close()
	}
}

// firstFile is the number of a child's first extra file.
const firstFile = 3

// qemuArgs describes the machine: a processor, memory, three serial lines. The
// files are handed over by number, so no path has to exist or be unique.
func (m Machine) qemuArgs() []string {
	// Without cx16: QEMU 7.2 leaves wrong flags behind cmpxchg16b, over which
	// Linux 6.12 falls while it boots.
	accel, cpu := "tcg", "max,-cx16"
	if m.KVM {
		accel, cpu = "kvm", "host"
	}
	kernel := slices.Clone(kernelArgs)
	args := []string{
		"-machine", "pc,accel=" + accel, "-cpu", cpu, "-smp", "1", "-m", strconv.Itoa(m.Memory),
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
	}
	lines := []string{"console", "terminal", "notes"}
	for i, name := range lines {
		args = append(args,
			"-chardev", fmt.Sprintf("socket,id=%s,fd=%d", name, firstFile+i),
			"-device", fmt.Sprintf("isa-serial,chardev=%s,index=%d", name, i))
	}
	for i, flag := range []string{"-kernel", "-initrd"} {
		args = append(args, flag, fmt.Sprintf("/proc/self/fd/%d", firstFile+len(lines)+i))
	}
	return append(args, "-append", strings.Join(kernel, " "))
}

func socketPair() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("serial line: %w", err)
	}
	// Ours is read by several goroutines and must not hold a thread each.
	if err := unix.SetNonblock(fds[0], true); err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(fds[0]), "serial line"), os.NewFile(uintptr(fds[1]), "serial line"), nil
}

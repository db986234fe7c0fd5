package confirm

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// clock is CLOCK_BOOTTIME: nobody sets it, and it runs on while the host sleeps.
type clock struct {
	now   func() time.Duration
	sleep func(context.Context, time.Duration) error

	// alarm gives what waits for a moment, or why nothing can.
	alarm func(at time.Duration) (wait func(context.Context) error, err error)
}

var bootClock = clock{now: bootNow, sleep: sleep, alarm: bootAlarm}

func bootNow() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) // fails for clocks that are not there (before Linux 2.6.39)
	return time.Duration(t.Nano())
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func bootAlarm(at time.Duration) (func(context.Context) error, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_BOOTTIME, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("timerfd_create: %w", err)
	}
	f := os.NewFile(uintptr(fd), "timer")
	when := unix.ItimerSpec{Value: unix.NsecToTimespec(max(1, at.Nanoseconds()))} // 0 would be never
	if err := unix.TimerfdSettime(fd, unix.TFD_TIMER_ABSTIME, &when, nil); err != nil {
		f.Close()
		return nil, fmt.Errorf("timerfd_settime: %w", err)
	}
	return func(ctx context.Context) error {
		defer f.Close()
		defer context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) })()
		_, err := f.Read(make([]byte, 8))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}, nil
}

// bootID names this boot.
func bootID() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text)), err
}

// Process is one process. Its number alone may be another one's by now.
type Process struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // clock ticks since boot
}

func processOf(pid int) (Process, error) {
	start, err := startOf(pid)
	return Process{pid, start}, err
}

// startOf reads when a process was started, from proc_pid_stat(5). One that is
// dead and was not waited for counts as gone.
func startOf(pid int) (uint64, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	// The name, in brackets, may itself hold brackets and blanks.
	rest := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const state, start = 0, 19
	if len(rest) <= start || rest[state] == "Z" || rest[state] == "X" {
		return 0, os.ErrProcessDone
	}
	return strconv.ParseUint(rest[start], 10, 64)
}

func (p Process) alive() bool {
	start, err := startOf(p.PID)
	return err == nil && start == p.Start
}

// signal reaches this process and no other: where the kernel has pidfds, the
// handle is opened first and the process looked at then.
func (p Process) signal(s syscall.Signal) error {
	handle, err := os.FindProcess(p.PID)
	if err != nil {
		return err
	}
	defer handle.Release()
	if !p.alive() {
		return os.ErrProcessDone
	}
	return handle.Signal(s)
}

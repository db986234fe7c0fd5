// Command labsite shows a program a director at work: it runs inside the lab's
// machine, makes a director with services, real servers and clients that keep
// coming, and runs the program there, on the director, on this terminal.
//
//	labrun -t -add bin/lvsdeck bin/labsite lvsdeck
//	labrun -t bin/labsite bash
//
// Every host can be entered from the director: ip netns exec web1 bash.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"lvsdeck/lab"
)

func main() {
	if len(os.Args) < 2 || !lab.Inside() {
		fmt.Fprintln(os.Stderr, "usage: labrun -t [-add program] labsite program [argument ...]")
		os.Exit(2)
	}
	// Such keys are the program's. To ignore them would make it ignore them too.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP)
	s := build(stage{})
	if err := s.nameHosts(); err != nil {
		stage{}.Fatalf("labsite: %v", err)
	}
	s.open()
	go s.traffic()
	os.Exit(s.show(exec.Command(os.Args[1], os.Args[2:]...)))
}

// stage stands in for a test: it never ends but with the machine.
type stage struct{}

func (stage) Helper()                  {}
func (stage) Cleanup(func())           {}
func (stage) Context() context.Context { return context.Background() }
func (stage) Fatalf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

// show runs the program on the director and returns its exit status.
func (s *scene) show(cmd *exec.Cmd) int {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if _, err := unix.IoctlGetTermios(0, unix.TCGETS); err == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Foreground: true, Ctty: 0}
	}
	if err := s.Director.Start(cmd); err != nil {
		stage{}.Fatalf("labsite: %v", err)
	}
	resume(cmd.Process.Pid)
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		stage{}.Fatalf("labsite: %v", err)
	}
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal())
	}
	return cmd.ProcessState.ExitCode()
}

// resume continues the program whenever it is stopped (ctrl-z): there is no shell
// here that could.
func resume(pid int) {
	go func() {
		for {
			var info unix.Siginfo
			err := unix.Waitid(unix.P_PID, pid, &info, unix.WSTOPPED, nil)
			switch {
			case err == unix.EINTR:
			case err != nil:
				return // it has ended
			default:
				unix.Kill(-pid, unix.SIGCONT)
			}
		}
	}()
}

// nameHosts makes the hosts known to ip netns.
func (s *scene) nameHosts() error {
	const dir = "/run/netns"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, h := range s.hosts {
		if err := os.Symlink(h.Namespace(), filepath.Join(dir, h.Name)); err != nil {
			return err
		}
	}
	return nil
}

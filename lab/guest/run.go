package guest

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// afterlife is how long output of the job's children is still passed on when
// the job itself has ended.
const afterlife = 2 * time.Second

// run starts the job, waits for it and for its output, and returns its exit
// status.
func (j Job) run(notes *os.File) (int, error) {
	mode := raw
	if j.Terminal {
		mode = cooked
	}
	line, err := openLine(terminalLine, mode)
	if err != nil {
		return 0, err
	}
	defer drain(line)
	if j.Terminal {
		return j.runOnTerminal(line, notes)
	}
	return j.runOnPipe(line)
}

// runOnPipe gives the job a pipe to write to, as go test does: it must not
// find itself on a terminal.
func (j Job) runOnPipe(line *os.File) (int, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	pid, err := j.start([]*os.File{null, w, w}, nil)
	w.Close() // else the pipe never ends
	if err != nil {
		return 0, err
	}
	copied := make(chan error, 1)
	go func() {
		_, err := io.Copy(line, r)
		copied <- err
	}()
	code, err := reap(pid)
	if err != nil {
		return 0, err
	}
	select {
	case err = <-copied:
	case <-time.After(afterlife):
	}
	return code, err
}

func (j Job) runOnTerminal(line, notes *os.File) (int, error) {
	if err := resize(line, j.Size); err != nil {
		return 0, fmt.Errorf("set the terminal's size: %w", err)
	}
	go func() {
		for read := json.NewDecoder(notes); ; {
			var n Note
			if read.Decode(&n) != nil {
				return
			}
			if n.Size != nil {
				resize(line, *n.Size)
			}
		}
	}()
	// The guest leads the session, not the job: when a leader ends, the kernel
	// hangs its terminal up and throws away what has not left the line yet.
	if _, err := unix.Setsid(); err != nil {
		return 0, fmt.Errorf("start a session: %w", err)
	}
	if err := unix.IoctlSetInt(int(line.Fd()), unix.TIOCSCTTY, 0); err != nil {
		return 0, fmt.Errorf("make %s the session's terminal: %w", line.Name(), err)
	}
	pid, err := j.start([]*os.File{line, line, line}, &syscall.SysProcAttr{Foreground: true, Ctty: int(line.Fd())})
	if err != nil {
		return 0, err
	}
	return reap(pid)
}

func (j Job) start(files []*os.File, attr *syscall.SysProcAttr) (pid int, err error) {
	os.Setenv("PATH", ProgramDir+":/usr/sbin:/usr/bin:/sbin:/bin")
	path, err := exec.LookPath(j.Program)
	if err != nil {
		return 0, err
	}
	env := append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=/root", "USER=root", "SHELL=/bin/sh", InLab + "=1", InLab + "_OUT=" + OutDir,
	}, j.Env...)
	p, err := os.StartProcess(path, append([]string{path}, j.Args...), &os.ProcAttr{
		Dir: WorkDir, Env: env, Files: files, Sys: attr,
	})
	if err != nil {
		return 0, err
	}
	return p.Pid, nil
}

// reap waits for everybody until the job has ended: as process 1 the guest
// inherits all orphans.
func reap(job int) (int, error) {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, fmt.Errorf("wait for the job: %w", err)
		case pid != job:
		case status.Signaled():
			return 128 + int(status.Signal()), nil
		case status.Exited():
			return status.ExitStatus(), nil
		}
	}
}

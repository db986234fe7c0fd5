package confirm

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// launcher starts timers.
type launcher struct {
	dir     string // of the store, for the log of a child
	systemd func() bool
}

// logFile is what a child last said.
const logFile = "timer.log"

// unitPrefix begins the names of our transient units.
const unitPrefix = "lvsdeck-revert-"

// launch starts the command as a transient service of systemd, or else as a child.
// In both cases it runs from now on, so that it is known to be able to, and waits
// for the deadline by itself.
func (l launcher) launch(ctx context.Context, id string, command []string) (Timer, error) {
	var missing error
	if l.systemd() {
		unit := unitPrefix + id
		if missing = run(ctx, "systemd-run", unitArguments(unit, command)...); missing == nil {
			return Timer{Unit: unit}, nil
		}
		Timer{Unit: unit}.stop()
	}
	child, err := l.child(ctx, command)
	if err != nil {
		return Timer{}, errors.Join(missing, err)
	}
	return Timer{Process: &child}, nil
}

// systemdIsHere tells whether a unit of systemd would work on the same host as
// we: it runs in the network namespace of the first process.
func systemdIsHere() bool {
	if _, err := os.Stat("/run/systemd/system"); err != nil { // sd_booted(3)
		return false
	}
	ours, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		return false
	}
	first, err := os.Readlink("/proc/1/ns/net")
	return err == nil && ours == first
}

// unitArguments are those of systemd-run(1), which then comes back when the command
// has said that it is ready; when it does not, there is time left for a child. The service comes again when it is killed or cannot do
// its work.
func unitArguments(unit string, command []string) []string {
	return append([]string{
		"--quiet", "--collect", "--unit=" + unit,
		"--description=take back what nobody confirms",
		"--service-type=notify", "--property=TimeoutStartSec=" + strconv.Itoa(int(armTime.Seconds()/2)),
		"--property=Restart=on-failure", "--property=RestartSec=5",
		"--",
	}, command...)
}

// run runs a program of the system; its complaint is the error.
func run(ctx context.Context, name string, args ...string) error {
	var complaint strings.Builder
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = &complaint
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w%s", name, err, said(complaint.String()))
	}
	return nil
}

// said puts the words of a program behind an error.
func said(words string) string {
	if words = strings.Join(strings.Fields(words), " "); words == "" {
		return ""
	}
	return ": " + words
}

// readyWord is what a timer's process writes to its standard output, in a line of
// its own, when it waits.
const readyWord = "ready"

// SayReady is for a timer's process to call when it waits: it tells who started it,
// systemd in its own way (sd_notify(3)).
func SayReady() {
	fmt.Println(readyWord)
	if socket := os.Getenv("NOTIFY_SOCKET"); socket != "" {
		if c, err := net.Dial("unixgram", socket); err == nil {
			_, _ = c.Write([]byte("READY=1")) // unheard, the start fails and a child takes over
			c.Close()
		}
	}
}

var errNotReady = errors.New("it does not become ready")

// child starts the command in a session of its own, without a terminal, and
// waits until it says that it is ready.
func (l launcher) child(ctx context.Context, command []string) (Process, error) {
	log, err := os.OpenFile(filepath.Join(l.dir, logFile), os.O_CREATE|os.O_WRONLY|os.O_TRUNC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return Process{}, err
	}
	defer log.Close()
	out, in, err := os.Pipe()
	if err != nil {
		return Process{}, err
	}
	defer out.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", in, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	in.Close()
	if err != nil {
		return Process{}, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	defer context.AfterFunc(ctx, func() { _ = out.SetReadDeadline(time.Unix(1, 0)) })()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil && strings.TrimSpace(line) == readyWord {
		return processOf(cmd.Process.Pid)
	}
	if err == io.EOF { // it ended, or will never be able to say so
		select {
		case how := <-ended:
			err = fmt.Errorf("it ended before it was ready: %s", cmp.Or(how, errors.New("exit status 0")))
		case <-ctx.Done():
			err = errNotReady
		}
	} else if ctx.Err() != nil {
		err = errNotReady
	} else {
		err = fmt.Errorf("it is no timer: it says %q, not %q", strings.TrimSpace(line), readyWord)
	}
	_ = cmd.Process.Kill()
	words, _ := os.ReadFile(log.Name())
	return Process{}, fmt.Errorf("%s: %w%s", command[0], err, said(string(words)))
}

// stopTime bounds systemctl.
const stopTime = 10 * time.Second

// stop ends a timer. It may have ended by itself. Nobody waits for it: a timer may
// be the one that asks.
func (t Timer) stop() {
	if t.Unit != "" {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		_ = run(ctx, "systemctl", "stop", "--no-block", t.Unit+".service")
	}
	if t.Process != nil {
		_ = t.Process.signal(unix.SIGKILL)
	}
}

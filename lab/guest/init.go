package guest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// The serial lines, in the order in which the host wires them.
const (
	terminalLine = "/dev/ttyS1"
	notesLine    = "/dev/ttyS2"
)

// Main is the whole life of the guest. It does not return.
func Main() {
	if err := live(); err != nil {
		// Only when even the notes line is out of order: the console is the
		// one place left, and the host shows it because it got no note.
		fmt.Fprintln(os.Stderr, "lab guest:", err)
	}
	unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

// live reports everything it can over the notes line; its error is what is
// wrong with that line.
func live() error {
	if err := mountAll(); err != nil {
		return err
	}
	notes, err := openLine(notesLine, raw)
	if err != nil {
		return err
	}
	defer drain(notes)
	send := json.NewEncoder(notes).Encode
	if err := send(Note{Up: true}); err != nil {
		return err
	}
	code, err := work(notes)
	if err != nil {
		return send(Note{Fail: err.Error()})
	}
	if err := sendFiles(send); err != nil {
		return send(Note{Fail: "cannot hand over the job's files: " + err.Error()})
	}
	return send(Note{Exit: &code})
}

// work sets the machine up and runs the job.
func work(notes *os.File) (int, error) {
	text, err := os.ReadFile(JobFile)
	if err != nil {
		return 0, err
	}
	var job Job
	if err := json.Unmarshal(text, &job); err != nil {
		return 0, fmt.Errorf("%s: %w", JobFile, err)
	}
	if err := loadModules(); err != nil {
		return 0, err
	}
	if err := linkUp("lo"); err != nil {
		return 0, err
	}
	if err := unix.Sethostname([]byte("lab")); err != nil {
		return 0, fmt.Errorf("set host name: %w", err)
	}
	return job.run(notes)
}

func mountAll() error {
	for _, m := range []struct{ kind, at, options string }{
		{"proc", "/proc", ""},
		{"sysfs", "/sys", ""},
		{"devtmpfs", "/dev", ""},
		{"devpts", "/dev/pts", "ptmxmode=0666"},
		{"tmpfs", "/dev/shm", ""},
		{"tmpfs", "/run", "mode=0755"},
		{"tmpfs", "/tmp", ""},
	} {
		if err := os.MkdirAll(m.at, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, m.at, m.kind, 0, m.options); err != nil {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	for link, target := range map[string]string{
		"/dev/fd": "/proc/self/fd", "/dev/stdin": "fd/0", "/dev/stdout": "fd/1", "/dev/stderr": "fd/2",
	} {
		if err := os.Symlink(target, link); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return os.MkdirAll(OutDir, 0o755)
}

// loadModules loads what nearly every job needs; the kernel asks modprobe for
// the rest when somebody needs it.
func loadModules() error {
	list, err := os.ReadFile(BootModules)
	if err != nil {
		return err
	}
	for path := range strings.Lines(string(list)) {
		if err := loadModule(strings.TrimSpace(path)); err != nil {
			return fmt.Errorf("load module %s: %w", filepath.Base(path), err)
		}
	}
	return nil
}

func loadModule(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	err = unix.FinitModule(int(f.Fd()), "", 0)
	if errors.Is(err, unix.EEXIST) { // another one asked the kernel for it meanwhile
		return nil
	}
	return err
}

func linkUp(name string) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	req, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(s, unix.SIOCGIFFLAGS, req); err != nil {
		return fmt.Errorf("interface %s: %w", name, err)
	}
	req.SetUint16(req.Uint16() | unix.IFF_UP)
	if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, req); err != nil {
		return fmt.Errorf("switch %s on: %w", name, err)
	}
	return nil
}

// sendFiles hands over everything the job left below OutDir.
func sendFiles(send func(any) error) error {
	return filepath.WalkDir(OutDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(OutDir, path)
		if err != nil {
			return err
		}
		return send(Note{File: name, Data: data})
	})
}

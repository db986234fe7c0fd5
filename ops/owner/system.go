package owner

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs/proc"
)

// Here is this host, seen from the calling thread's network namespace.
type Here struct {
	in   *proc.Namespace
	self unix.Stat_t // the namespace's file
}

var _ System = (*Here)(nil)

// Open looks at the calling thread's network namespace.
func Open() (*Here, error) {
	in, err := proc.Here()
	if err != nil {
		return nil, fmt.Errorf("cannot tell this network namespace: %w", err)
	}
	h := &Here{in: in}
	if err := unix.Stat("/proc/thread-self/ns/net", &h.self); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot tell this network namespace: %w", err), in.Close())
	}
	return h, nil
}

// Close lets the namespace go.
func (h *Here) Close() error { return h.in.Close() }

// Processes implements System. Kernel threads and what ends meanwhile are left
// out. Command lines are read only where they are wanted: of a process that is
// stuck in the kernel that can take for ever.
func (h *Here) Processes(wanted func(name string) bool) ([]Process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("cannot list processes: %w", err)
	}
	var all []Process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		at := "/proc/" + e.Name()
		comm, err := os.ReadFile(at + "/comm")
		name := strings.TrimSpace(string(comm))
		if err != nil || !wanted(name) {
			continue
		}
		args, err := os.ReadFile(at + "/cmdline")
		if err != nil || len(args) == 0 {
			continue
		}
		all = append(all, Process{
			PID: pid, Name: name,
			Args: strings.Split(string(bytes.TrimRight(args, "\x00")), "\x00"),
			Away: h.away(at + "/ns/net"),
		})
	}
	slices.SortFunc(all, func(a, b Process) int { return a.PID - b.PID })
	return all, nil
}

// away is false too when it cannot be told, as it cannot without rights.
func (h *Here) away(file string) bool {
	var other unix.Stat_t
	return unix.Stat(file, &other) == nil && !h.same(other)
}

func (h *Here) same(other unix.Stat_t) bool {
	return other.Dev == h.self.Dev && other.Ino == h.self.Ino
}

// Inside implements System.
func (h *Here) Inside(file string) bool {
	var other unix.Stat_t
	return unix.Stat(file, &other) == nil && h.same(other)
}

// Read implements System.
func (h *Here) Read(path string) (string, error) {
	text, err := os.ReadFile(path)
	return string(text), err
}

// Match implements System.
func (h *Here) Match(pattern string) []string {
	all, err := filepath.Glob(pattern)
	if err != nil {
		return nil // the pattern is none
	}
	return all
}

// Exists implements System.
func (h *Here) Exists(path string) bool {
	err := h.in.Do(func() error {
		_, err := os.Stat(path)
		return err
	})
	return !errors.Is(err, fs.ErrNotExist)
}

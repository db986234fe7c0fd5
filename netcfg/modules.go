package netcfg

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// State is whether a module can be used.
type State uint8

// The states of a module.
const (
	Unknown  State = iota // the kernel's lists of modules are not on this host
	Loaded                // or built in
	Loadable              // the kernel loads it when it is asked for
	Missing               // neither
)

// Modules are the modules of IPVS: all whose names begin with ip_vs.
type Modules struct {
	Loaded   []string // sorted
	BuiltIn  []string
	Loadable []string // those that are on the disk, loaded or not
	Listed   bool     // BuiltIn and Loadable are known
}

// State looks a module up.
func (m Modules) State(name string) State {
	switch {
	case slices.Contains(m.Loaded, name), slices.Contains(m.BuiltIn, name):
		return Loaded
	case slices.Contains(m.Loadable, name):
		return Loadable
	case !m.Listed:
		return Unknown
	}
	return Missing
}

// Scheduler looks the module of a scheduler up.
func (m Modules) Scheduler(name string) State { return m.State("ip_vs_" + name) }

// Modules implements Host.
func (f *Files) Modules() (Modules, error) {
	return readModules(os.ReadFile, release())
}

// release is the running kernel's, as its modules' directory is called.
func release() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}

func readModules(readFile func(string) ([]byte, error), release string) (Modules, error) {
	var m Modules
	text, err := readFile("/proc/modules")
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a kernel without modules has none
		return m, err
	}
	m.Loaded = ours(text, func(line string) string { name, _, _ := strings.Cut(line, " "); return name })

	at := "/lib/modules/" + release + "/"
	builtIn, err1 := readFile(at + "modules.builtin")
	onDisk, err2 := readFile(at + "modules.dep")
	if m.Listed = err1 == nil && err2 == nil; m.Listed {
		m.BuiltIn = ours(builtIn, fileName)
		m.Loadable = ours(onDisk, func(line string) string { name, _, _ := strings.Cut(line, ":"); return fileName(name) })
	}
	return m, nil
}

// ours is the names in a list that are IPVS's.
func ours(text []byte, name func(line string) string) []string {
	var out []string
	for line := range strings.Lines(string(text)) {
		if n := name(strings.TrimSpace(line)); n == "ip_vs" || strings.HasPrefix(n, "ip_vs_") {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// fileName is a module's name by its file: kernel/net/…/ip_vs_rr.ko.zst.
func fileName(file string) string {
	name, _, _ := strings.Cut(path.Base(file), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

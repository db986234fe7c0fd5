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
func (k *Kernel) Modules() (Modules, error) {
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
	m.Loaded = ipvsModules(text, func(line string) string { name, _, _ := strings.Cut(line, " "); return name })

	at := "/lib/modules/" + release + "/"
	builtIn, err1 := readFile(at + "modules.builtin")
	onDisk, err2 := readFile(at + "modules.dep")
	if m.Listed = err1 == nil && err2 == nil; m.Listed {
		m.BuiltIn = ipvsModules(builtIn, fileName)
		m.Loadable = ipvsModules(onDisk, func(line string) string { name, _, _ := strings.Cut(line, ":"); return fileName(name) })
	}
	return m, nil
}

// ipvsModules is the names in a list that are IPVS's, sorted.
func ipvsModules(text []byte, name func(line string) string) []string {
	names := slices.DeleteFunc(moduleNames(text, name), func(n string) bool { return n != "ip_vs" && !strings.HasPrefix(n, "ip_vs_") })
	slices.Sort(names)
	return names
}

func moduleNames(text []byte, name func(line string) string) (names []string) {
	for line := range strings.Lines(string(text)) {
		names = append(names, name(strings.TrimSpace(line)))
	}
	return names
}

// fileName is a module's name by its file: kernel/net/…/ip_vs_rr.ko.zst.
func fileName(file string) string {
	name, _, _ := strings.Cut(path.Base(file), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

package vm

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// module is a kernel module by what it says of itself. Debian's packages leave
// the index files to depmod at installation time, so they are made here.
type module struct {
	name    string
	path    string // below the modules' directory
	depends []string
	aliases []string
}

// modules are all of a kernel's, by name.
type modules map[string]module

// readModules reads what the modules below dir say.
func readModules(dir string) (modules, error) {
	all := modules{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.Contains(d.Name(), ".ko") {
			return err
		}
		if !strings.HasSuffix(path, ".ko") {
			return fmt.Errorf("kernel module %s is compressed, which the lab does not understand", d.Name())
		}
		info, err := elfSection(path, ".modinfo")
		if err != nil {
			return err
		}
		m := parseModinfo(info)
		if m.path, err = filepath.Rel(dir, path); err != nil {
			return err
		}
		all[m.name] = m
		return nil
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("no kernel modules below %s", dir)
	}
	return all, err
}

func elfSection(path, name string) ([]byte, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	defer f.Close()
	s := f.Section(name)
	if s == nil {
		return nil, fmt.Errorf("%s has no section %s", filepath.Base(path), name)
	}
	return s.Data()
}

// parseModinfo reads a module's own words: key=value, each ended by a zero.
func parseModinfo(info []byte) module {
	var m module
	for entry := range bytes.SplitSeq(info, []byte{0}) {
		key, value, _ := strings.Cut(string(entry), "=")
		switch key {
		case "name":
			m.name = value
		case "alias":
			m.aliases = append(m.aliases, value)
		case "depends":
			if value != "" {
				m.depends = append(m.depends, strings.Split(value, ",")...)
			}
		}
	}
	return m
}

// Closure lists the named modules and all they depend on, each after what it
// needs.
func (all modules) Closure(names ...string) ([]module, error) {
	var ordered []module
	state := map[string]int{} // 1: being visited, 2: done
	var visit func(name, whose string) error
	visit = func(name, whose string) error {
		m, ok := all[name]
		switch {
		case !ok:
			return fmt.Errorf("this kernel has no module %s, wanted by %s", name, whose)
		case state[name] == 1:
			return fmt.Errorf("kernel module %s depends on itself", name)
		case state[name] == 2:
			return nil
		}
		state[name] = 1
		for _, d := range m.depends {
			if err := visit(d, name); err != nil {
				return err
			}
		}
		state[name] = 2
		ordered = append(ordered, m)
		return nil
	}
	for _, name := range names {
		if err := visit(name, "the lab"); err != nil {
			return nil, err
		}
	}
	return ordered, nil
}

// Below lists the names of the modules in the given directories, sorted.
func (all modules) Below(dirs ...string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, dir := range dirs {
			if strings.HasPrefix(all[name].path, dir+"/") {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

// depText is modules.dep: each file with all it needs, nearest first, as
// modprobe wants it.
func (all modules) depText(ms []module) (string, error) {
	var b strings.Builder
	for _, m := range ms {
		chain, err := all.Closure(m.name)
		if err != nil {
			return "", err
		}
		slices.Reverse(chain)
		b.WriteString(m.path + ":")
		for _, d := range chain[1:] {
			b.WriteString(" " + d.path)
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

// aliasText is modules.alias: other names under which the kernel asks.
func aliasText(ms []module) string {
	var b strings.Builder
	for _, m := range ms {
		for _, a := range m.aliases {
			fmt.Fprintf(&b, "alias %s %s\n", a, m.name)
		}
	}
	return b.String()
}

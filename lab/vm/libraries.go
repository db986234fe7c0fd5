package vm

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// libraries finds the shared libraries that programs need, in unpacked
// packages.
type libraries struct {
	root  string            // where the packages are unpacked
	found map[string]string // name to file, below root
}

// errNoLibrary says that a library is in none of the unpacked packages.
var errNoLibrary = errors.New("is in none of the packages")

// Add finds what a file needs, and what that needs. The file is below root.
func (l *libraries) Add(file string) error {
	f, err := elf.Open(filepath.Join(l.root, file))
	var notELF *elf.FormatError
	if errors.As(err, &notELF) {
		return nil // a script
	}
	if err != nil {
		return err
	}
	defer f.Close()
	names, err := f.ImportedLibraries()
	if err != nil {
		return err
	}
	if interpreter, err := loaderOf(f); err != nil {
		return err
	} else if interpreter != "" {
		names = append(names, filepath.Base(interpreter))
	}
	for _, name := range names {
		if l.found[name] != "" {
			continue
		}
		path := l.find(name)
		if path == "" {
			return fmt.Errorf("library %s, which %s needs, %w", name, file, errNoLibrary)
		}
		l.found[name] = path
		if err := l.Add(path); err != nil {
			return err
		}
	}
	return nil
}

// find looks where Debian puts libraries on this kind of machine.
func (l *libraries) find(name string) string {
	for _, dir := range []string{"usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib64", "lib64"} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(filepath.Join(l.root, path)); err == nil {
			return path
		}
	}
	return ""
}

// Names lists what was found, sorted.
func (l *libraries) Names() []string {
	names := make([]string, 0, len(l.found))
	for name := range l.found {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// loaderOf is the program loader a dynamic program asks for; "" in a static one.
func loaderOf(f *elf.File) (string, error) {
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		name := make([]byte, p.Filesz)
		if _, err := p.ReadAt(name, 0); err != nil {
			return "", err
		}
		return string(name[:len(name)-1]), nil // without the zero
	}
	return "", nil
}

// CheckStatic refuses a program that needs libraries: the guest has Debian's,
// not those the program was made with.
func CheckStatic(path string) error {
	f, err := elf.Open(path)
	var notELF *elf.FormatError
	if errors.As(err, &notELF) {
		return nil // a script
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if loader, err := loaderOf(f); err != nil || loader != "" {
		return errors.Join(fmt.Errorf("%s is linked dynamically and cannot run in the lab; build it with CGO_ENABLED=0", path), err)
	}
	return nil
}

package netcfg

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
)

// dir is where the kernel shows the sysctls of the namespace of whoever opens
// them.
const dir = "/proc/sys/net/ipv4/vs/"

// Files is this host, by its files.
type Files struct{ in *proc.Namespace }

var _ Host = (*Files)(nil)

// Open gives the host with the calling thread's network namespace.
func Open() (*Files, error) {
	here, err := proc.Here()
	if err != nil {
		return nil, fmt.Errorf("cannot tell this network namespace: %w", err)
	}
	return &Files{here}, nil
}

// Close lets the namespace go.
func (f *Files) Close() error { return f.in.Close() }

// List implements Host. A sysctl that cannot be read is left out.
func (f *Files) List() (all []Value, err error) {
	err = f.in.Do(func() error {
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return ipvs.ErrUnavailable
		}
		for _, e := range entries {
			value, err := read(e.Name())
			if err != nil {
				continue
			}
			v := Value{Name: e.Name(), Value: value}
			if info, err := e.Info(); err == nil {
				v.ReadOnly = info.Mode().Perm()&0o200 == 0
			}
			all = append(all, v)
		}
		return err
	})
	return all, err
}

// Get implements Host.
func (f *Files) Get(name string) (value string, err error) {
	if err := named(name); err != nil {
		return "", refused(Error{Name: name}, err)
	}
	err = f.in.Do(func() (err error) {
		value, err = read(name)
		return err
	})
	if err != nil {
		return "", refused(Error{Name: name}, err)
	}
	return value, nil
}

// Set implements Host. Should the kernel take only a part of the value, as of a
// list of CPUs, the old one is put back.
func (f *Files) Set(name, value string) error {
	refusal := Error{Name: name, Value: value, Set: true}
	if err := named(name); err != nil {
		return refused(refusal, err)
	}
	err := f.in.Do(func() error {
		before, err := read(name)
		if err != nil {
			return err
		}
		if err := write(name, value); err != nil {
			return err
		}
		now, err := read(name)
		if err == nil && !Same(name, now, value) {
			err = errors.Join(fmt.Errorf("the kernel makes %q of it", now), write(name, before))
		}
		return err
	})
	if err != nil {
		return refused(refusal, err)
	}
	return nil
}

// named keeps to files in dir.
func named(name string) error {
	if name == "" || strings.HasPrefix(name, ".") || strings.Contains(name, "/") {
		return ErrAbsent
	}
	return nil
}

func read(name string) (string, error) {
	text, err := os.ReadFile(dir + name)
	return tidy(string(text)), err
}

// write does it in one call: the kernel takes each for a whole value. It must
// not make a file where there is none.
func write(name, value string) error {
	f, err := os.OpenFile(dir+name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(value + "\n")
	return err
}

// tidy is a value with one blank between its numbers.
func tidy(text string) string { return strings.Join(strings.Fields(text), " ") }

package netcfg

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
)

// Kernel is this host, by its files below /proc/sys, netlink, modprobe(8) and
// iptables(8).
type Kernel struct{ in *proc.Namespace }

var _ Host = (*Kernel)(nil)

// Open gives the host with the calling thread's network namespace.
func Open() (*Kernel, error) {
	here, err := proc.Here()
	if err != nil {
		return nil, fmt.Errorf("cannot tell this network namespace: %w", err)
	}
	return &Kernel{here}, nil
}

// Close lets the namespace go.
func (k *Kernel) Close() error { return k.in.Close() }

// List implements Host. A sysctl that cannot be read is left out.
func (k *Kernel) List() (all []Value, err error) {
	err = k.in.Do(func() error {
		entries, err := os.ReadDir(root + ours)
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
func (k *Kernel) Get(name string) (value string, err error) {
	if !isName(name) {
		return "", refused(Error{Name: name}, ErrAbsent)
	}
	err = k.in.Do(func() (err error) {
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
func (k *Kernel) Set(name, value string) error {
	refusal := Error{Name: name, Value: value, Set: true}
	if !isName(name) {
		return refused(refusal, ErrAbsent)
	}
	err := k.in.Do(func() error {
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

// Along implements Host.
func (k *Kernel) Along(name string) (map[string]string, error) {
	all := map[string]string{}
	err := k.in.Do(func() error {
		for _, pattern := range along[name] {
			files, err := filepath.Glob(root + pattern)
			if err != nil {
				return err
			}
			for _, file := range files {
				led := strings.TrimPrefix(file, root)
				if !isLed(led) {
					continue
				}
				value, err := read(led)
				if errors.Is(err, fs.ErrNotExist) { // its link has gone meanwhile
					continue
				}
				if err != nil {
					return refused(Error{Name: led}, err)
				}
				all[led] = value
			}
		}
		return nil
	})
	return all, err
}

func read(name string) (string, error) {
	text, err := os.ReadFile(file(name))
	return tidy(string(text)), err
}

// write does it in one call: the kernel takes each for a whole value. It must
// not make a file where there is none.
func write(name, value string) error {
	f, err := os.OpenFile(file(name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(value + "\n")
	return err
}

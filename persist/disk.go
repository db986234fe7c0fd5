package persist

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Op is a change to a file, as a Fault is asked about it.
type Op string

// The changes.
const (
	OpCreate  Op = "create"
	OpWrite   Op = "write"
	OpSync    Op = "sync"
	OpRename  Op = "rename"
	OpSyncDir Op = "sync the directory of"
	OpRemove  Op = "remove"
)

// Fault is asked before each change and may refuse it, as a full or read-only
// disk does, or stop the caller for good, as a power cut does. Of a refused
// write the first n bytes reach the file. It is for tests; nil never refuses.
type Fault func(op Op, path string, data []byte) (n int, err error)

// disk is the one place where files are changed.
type disk struct{ fault Fault }

// change asks the fault and does the change, and names both in the error.
func (d disk) change(op Op, path string, do func() error) error {
	if d.fault != nil {
		if _, err := d.fault(op, path, nil); err != nil {
			return explain(op, path, err)
		}
	}
	return explain(op, path, do())
}

// create opens a file to write, and makes it when it is not there. It follows
// no symbolic link: in a directory of ours a link is somebody else's trap.
func (d disk) create(path string, flags int) (f *os.File, err error) {
	err = d.change(OpCreate, path, func() error {
		f, err = os.OpenFile(path, flags|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
		return err
	})
	return f, err
}

func (d disk) write(f *os.File, data []byte) error {
	if d.fault != nil {
		if n, err := d.fault(OpWrite, f.Name(), data); err != nil {
			_, _ = f.Write(data[:n]) // what a full disk still took
			return explain(OpWrite, f.Name(), err)
		}
	}
	_, err := f.Write(data)
	return explain(OpWrite, f.Name(), err)
}

func (d disk) sync(f *os.File) error { return d.change(OpSync, f.Name(), f.Sync) }

func (d disk) remove(path string) error {
	return d.change(OpRemove, path, func() error { return os.Remove(path) })
}

// rename moves a file over another and makes that last: until its directory is
// synced, a power cut can bring the old name back.
func (d disk) rename(from, to string) error {
	if err := d.change(OpRename, to, func() error { return os.Rename(from, to) }); err != nil {
		return err
	}
	return d.syncDir(to)
}

// syncDir makes the name of a file last.
func (d disk) syncDir(path string) error {
	return d.change(OpSyncDir, path, func() error {
		dir, err := os.Open(filepath.Dir(path))
		if err != nil {
			return err
		}
		defer dir.Close()
		return dir.Sync()
	})
}

// explain says what could not be done to which file, and what to do about it.
// errors.Is still finds the system's own word.
func explain(op Op, path string, err error) error {
	if err == nil {
		return nil
	}
	var named *os.PathError
	if errors.As(err, &named) {
		err = named.Err
	}
	advice := ""
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		advice = "; make room there first"
	case errors.Is(err, syscall.EROFS):
		advice = "; mount it writable, or choose another place"
	case errors.Is(err, os.ErrPermission):
		advice = "; run as root, or choose another place"
	case errors.Is(err, syscall.ELOOP):
		advice = "; it is a symbolic link, which is not followed here"
	}
	return fmt.Errorf("cannot %s %s: %w%s", op, path, err, advice)
}

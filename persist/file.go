package persist

import (
	"bufio"
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// tempMark is in the names of files that are not whole yet.
const tempMark = ".unfinished-"

// WriteFile replaces a file whole or not at all, with mode 0600. The new
// content is on disk before it gets the name, so that a reader, a kill or a
// power cut finds the old content or the new. A symbolic link, a directory or a
// device is refused: replacing it is seldom what its owner wants. What earlier
// kills have left of this file is removed, unless it is young and may be another's
// who is just writing.
func WriteFile(path string, write func(io.Writer) error) error {
	return WriteFileMode(path, 0o600, write)
}

// WriteNew writes a file as WriteFile does, but takes no other's place: where there is
// one already it answers fs.ErrExist, also when somebody was faster. What is there and
// no file is refused as by WriteFile.
func WriteNew(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return cmp.Or(replaceable(path), err)
	}
	if err != nil {
		return explain(OpWrite, path, err)
	}
	f.Close()
	if err = WriteFile(path, write); err != nil {
		os.Remove(path)
	}
	return err
}

// WriteFileMode does the same with another mode.
func WriteFileMode(path string, mode os.FileMode, write func(io.Writer) error) error {
	for _, left := range unfinishedOf(path, time.Now().Add(-time.Hour)) {
		_ = os.Remove(left)
	}
	return disk{}.replaceMode(path, mode, write)
}

// SyncName makes last that a name was made or removed.
func SyncName(path string) error { return disk{}.syncDir(path) }

// unfinishedOf lists what was never finished of a file, as far as it is older.
func unfinishedOf(path string, older time.Time) (left []string) {
	dir, mark := filepath.Dir(path), "."+filepath.Base(path)+tempMark
	files, _ := os.ReadDir(dir)
	for _, f := range files {
		if !strings.HasPrefix(f.Name(), mark) || !f.Type().IsRegular() {
			continue
		}
		if info, err := f.Info(); err == nil && info.ModTime().Before(older) {
			left = append(left, filepath.Join(dir, f.Name()))
		}
	}
	return left
}

func (d disk) replace(path string, write func(io.Writer) error) error {
	return d.replaceMode(path, 0o600, write)
}

func (d disk) replaceMode(path string, mode os.FileMode, write func(io.Writer) error) (err error) {
	if err := replaceable(path); err != nil {
		return err
	}
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+tempMark+rand.Text()[:8])
	f, err := d.create(temp, os.O_WRONLY|os.O_EXCL)
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(temp)
		}
	}()
	w := bufio.NewWriterSize(diskWriter{d, f}, 1<<16)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil {
		return explain(OpWrite, temp, err)
	}
	if err := d.sync(f); err != nil {
		return err
	}
	return d.rename(temp, path)
}

type diskWriter struct {
	disk
	f *os.File
}

func (w diskWriter) Write(data []byte) (int, error) {
	if err := w.write(w.f, data); err != nil {
		return 0, err
	}
	return len(data), nil
}

func replaceable(path string) error {
	info, err := os.Lstat(path)
	switch {
	case os.IsNotExist(err):
		return nil
	case err != nil:
		return explain(OpWrite, path, err)
	case info.Mode()&os.ModeSymlink != 0:
		to, _ := os.Readlink(path)
		return fmt.Errorf("cannot write %s: it is a symbolic link; name the file it leads to (%s) if that is meant", path, to)
	case info.IsDir():
		return fmt.Errorf("cannot write %s: it is a directory; name a file in it", path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("cannot write %s: it is not a regular file", path)
	}
	return nil
}

// sweep removes what kills have left unfinished of one name, or of all in a
// directory when base is empty. The caller makes sure that nobody is writing it.
func (d disk) sweep(dir, base string) error {
	left, err := filepath.Glob(filepath.Join(dir, "."+base+"*"+tempMark+"*"))
	if err != nil {
		return err
	}
	for _, path := range left {
		if err := d.remove(path); err != nil {
			return err
		}
	}
	return nil
}

// RulesFile is where the host keeps its rules: Red Hat's place if that exists,
// else Debian's.
func RulesFile() string { return rulesFile("/") }

func rulesFile(root string) string {
	if redHat := filepath.Join(root, "etc/sysconfig/ipvsadm"); exists(redHat) {
		return redHat
	}
	return filepath.Join(root, "etc/ipvsadm.rules")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

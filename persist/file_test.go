package persist

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func writes(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules")
	ok(t, WriteFile(path, writes("old")))
	ok(t, os.Chmod(path, 0o644))
	ok(t, WriteFile(path, writes("new")))
	if got := read(t, path); got != "new" {
		t.Errorf("the file holds %q", got)
	}
	info, err := os.Stat(path)
	ok(t, err)
	if info.Mode() != 0o600 {
		t.Errorf("its mode is %v", info.Mode())
	}
}

// TestWriteFileSweeps what kills have left of the same file long ago, and nothing
// else.
func TestWriteFileSweeps(t *testing.T) {
	dir := t.TempDir()
	const name = "rules[1]"
	long := time.Now().Add(-2 * time.Hour)
	for _, other := range []string{
		"." + name + tempMark + "OLD", "." + name + tempMark + "YOUNG", "." + name + ".bak" + tempMark + "OLD",
		".rules1" + tempMark + "OLD", name + tempMark + "OLD",
	} {
		ok(t, os.WriteFile(filepath.Join(dir, other), nil, 0o600))
		if !strings.HasSuffix(other, "YOUNG") {
			ok(t, os.Chtimes(filepath.Join(dir, other), long, long))
		}
	}
	ok(t, WriteFile(filepath.Join(dir, name), writes("new")))
	got := names(t, dir)
	if len(got) != 5 || slices.Contains(got, "."+name+tempMark+"OLD") || read(t, filepath.Join(dir, name)) != "new" {
		t.Errorf("left are %q", got)
	}
}

// TestWriteFileFails fails each change in turn: the old content stays, and
// nothing else lies about.
func TestWriteFileFails(t *testing.T) {
	for k := 1; ; k++ {
		dir := t.TempDir()
		path := filepath.Join(dir, "rules")
		ok(t, WriteFile(path, writes("old")))
		count := 0
		var failed Op
		d := disk{func(op Op, _ string, data []byte) (int, error) {
			if count++; count == k {
				failed = op
				return len(data) / 2, syscall.EROFS
			}
			return 0, nil
		}}
		err := d.replace(path, writes("new"))
		if count < k {
			ok(t, err)
			return
		}
		want := "old"
		if failed == OpSyncDir { // it has the name already, and may lose it in a power cut
			want = "new"
		}
		if got := read(t, path); got != want || !errors.Is(err, syscall.EROFS) || len(names(t, dir)) != 1 {
			t.Errorf("%s failed: %q, %v, %v", failed, got, err, names(t, dir))
		}
	}
}

func TestWriterThatFailsWritesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules")
	err := WriteFile(path, func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return io.ErrUnexpectedEOF
	})
	if err != io.ErrUnexpectedEOF || len(names(t, filepath.Dir(path))) > 0 {
		t.Errorf("%v, %v", err, names(t, filepath.Dir(path)))
	}
}

// TestWriteNew takes nobody's place, and leaves none that it has not filled.
func TestWriteNew(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report")
	if err := WriteNew(path, func(io.Writer) error { return io.ErrUnexpectedEOF }); err != io.ErrUnexpectedEOF || len(names(t, dir)) > 0 {
		t.Errorf("%v, %v", err, names(t, dir))
	}
	ok(t, WriteNew(path, writes("mine")))
	if err := WriteNew(path, writes("another")); !errors.Is(err, fs.ErrExist) || read(t, path) != "mine" {
		t.Errorf("%v, %q", err, read(t, path))
	}
	ok(t, os.Symlink("nowhere", filepath.Join(dir, "link")))
	for name, want := range map[string]string{"": "it is a directory; name a file in it", "link": "it is a symbolic link", "report/x": "not a directory"} {
		if err := WriteNew(filepath.Join(dir, name), writes("x")); err == nil || errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", name, err, want)
		}
	}
}

func TestWriteFileRefuses(t *testing.T) {
	dir := t.TempDir()
	ok(t, os.WriteFile(dir+"/real", []byte("precious"), 0o600))
	ok(t, os.Symlink("real", dir+"/link"))
	ok(t, os.Mkdir(dir+"/dir", 0o700))
	for name, want := range map[string]string{
		"link":       "it is a symbolic link; name the file it leads to (real)",
		"dir":        "it is a directory; name a file in it",
		"gone/rules": "no such file or directory",
	} {
		err := WriteFile(filepath.Join(dir, name), writes("new"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), filepath.Join(dir, filepath.Dir(name))) {
			t.Errorf("%s: %v, want %q and the path", name, err, want)
		}
	}
	if read(t, dir+"/real") != "precious" {
		t.Error("a link was followed")
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for errno, want := range map[syscall.Errno]string{
		syscall.ENOSPC: "cannot write /x/journal: no space left on device; make room there first",
		syscall.EROFS:  "cannot write /x/journal: read-only file system; mount it writable, or choose another place",
		syscall.EACCES: "cannot write /x/journal: permission denied; run as root, or choose another place",
	} {
		err := explain(OpWrite, "/x/journal", &os.PathError{Op: "write", Path: "/x/journal", Err: errno})
		if err.Error() != want || !errors.Is(err, errno) {
			t.Errorf("got %q", err)
		}
	}
}

func TestRulesFile(t *testing.T) {
	root := t.TempDir()
	if got := rulesFile(root); got != root+"/etc/ipvsadm.rules" {
		t.Error(got)
	}
	ok(t, os.MkdirAll(root+"/etc/sysconfig", 0o700))
	ok(t, os.WriteFile(root+"/etc/sysconfig/ipvsadm", nil, 0o600))
	if got := rulesFile(root); got != root+"/etc/sysconfig/ipvsadm" {
		t.Error(got)
	}
}

func TestOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a/b")
	s := store(t, Options{Dir: dir})
	info, err := os.Stat(s.Dir())
	ok(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("its mode is %v", info.Mode())
	}
	ok(t, os.Chmod(dir, 0o770))
	if _, err := Open(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "0770") {
		t.Errorf("a directory that others may write in: %v", err)
	}
	if os.Geteuid() == 0 {
		ok(t, os.Chmod(dir, 0o700))
		ok(t, os.Chown(dir, 1, 1))
		if _, err := Open(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "uid 1") {
			t.Errorf("a directory of another user: %v", err)
		}
	}
	ok(t, os.WriteFile(dir+"/file", nil, 0o600))
	if _, err := Open(Options{Dir: dir + "/file"}); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("a file as directory: %v", err)
	}
}

// TestStoreFollowsNoLinks: a link in the directory is a trap.
func TestStoreFollowsNoLinks(t *testing.T) {
	for _, name := range []string{"journal", "lock"} {
		s := store(t, Options{})
		target := filepath.Join(t.TempDir(), "target")
		ok(t, os.WriteFile(target, []byte("precious\n"), 0o600))
		ok(t, os.Symlink(target, s.path(name)))
		if _, err := s.Begin("x"); !errors.Is(err, syscall.ELOOP) {
			t.Errorf("%s: %v", name, err)
		}
		if read(t, target) != "precious\n" {
			t.Errorf("%s was followed", name)
		}
	}
}

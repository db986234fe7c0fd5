package vm

import (
	"fmt"
	"io"
	"path"
	"strings"
)

// File types of the archive, as in stat's st_mode.
const (
	typeDir  = 0o040000
	typeFile = 0o100000
	typeLink = 0o120000
)

// archive writes a cpio archive in the "newc" form that the kernel unpacks as
// its first root file system. The same calls give the same bytes: no times, no
// owners. Archives can be put one after the other.
type archive struct {
	w     io.Writer
	inode uint32
	dirs  map[string]bool
	err   error // the first one; later calls do nothing
}

func newArchive(w io.Writer) *archive {
	return &archive{w: w, dirs: map[string]bool{"": true}}
}

// inside is a path as archives have it: from the root, but without its slash.
func inside(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

// Dir adds a directory and those above it, each once.
func (a *archive) Dir(name string) {
	if name = inside(name); a.dirs[name] {
		return
	}
	a.Dir(path.Dir(name))
	a.dirs[name] = true
	a.entry(name, typeDir|0o755, nil)
}

// File adds a regular file and the directories above it.
func (a *archive) File(name string, perm uint32, data []byte) {
	a.Dir(path.Dir(name))
	a.entry(inside(name), typeFile|perm, data)
}

// Link adds a symbolic link and the directories above it.
func (a *archive) Link(name, target string) {
	a.Dir(path.Dir(name))
	a.entry(inside(name), typeLink|0o777, []byte(target))
}

// Close writes the end mark and returns the first error of all calls.
func (a *archive) Close() error {
	a.write("TRAILER!!!", 0, 0, nil)
	return a.err
}

func (a *archive) entry(name string, mode uint32, data []byte) {
	a.inode++
	a.write(name, a.inode, mode, data)
}

// write follows the kernel's Documentation/driver-api/early-userspace/
// buffer-format.rst: name and data are each padded to four bytes, the name
// together with the 110 bytes of the header.
func (a *archive) write(name string, inode, mode uint32, data []byte) {
	if a.err != nil {
		return
	}
	header := "070701"
	for _, field := range []uint32{
		inode, mode, 0, 0, 1, 0, uint32(len(data)), 0, 0, 0, 0, uint32(len(name) + 1), 0,
	} {
		header += fmt.Sprintf("%08X", field)
	}
	head := header + name + "\x00"
	for _, part := range [][]byte{[]byte(head), padding(len(head)), data, padding(len(data))} {
		if _, err := a.w.Write(part); err != nil {
			a.err = err
			return
		}
	}
}

func padding(n int) []byte { return make([]byte, -n&3) }

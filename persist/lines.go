package persist

import (
	"bytes"
	"io"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// Lines is a file of the store that grows line by line. It and the one before it
// (NAME.1) hold no more than twice its bound: a file in which there is no room
// becomes the old one, and the old one goes. Of lines that are more at once than the
// bound the last are kept, and one in any case.
type Lines struct {
	store *Store
	name  string
	most  int64 // bytes of one file
}

// NewLines is a file of the store, for what a package writes in a form of its own.
func NewLines(s *Store, name string, most int64) Lines { return Lines{s, name, most} }

// Append adds lines, each with its line end, after those of other processes and
// before theirs. They are made of what the file has by then, which may end in a
// torn line; without any, nothing is written. They are on disk when the call
// returns, or not there at all.
func (l Lines) Append(lines func(before []byte) []byte) error {
	s := l.store
	lock, err := s.lockFile(l.name+".lock", unix.F_OFD_SETLKW)
	if err != nil {
		return err
	}
	defer release(lock)
	before, err := l.Read()
	if err != nil {
		return err
	}
	add := lines(before)
	if len(add) == 0 {
		return nil
	}
	add = l.last(add)
	path := s.path(l.name)
	if info, err := os.Lstat(path); err == nil && info.Size() > 0 && info.Size()+int64(len(add)) >= l.most { // the end of a torn line may come between
		if err := s.disk.rename(path, path+".1"); err != nil {
			return err
		}
	}
	f, err := s.disk.create(path, os.O_RDWR|os.O_APPEND)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return explain("read", path, err)
	}
	last := []byte{'\n'}
	if end := info.Size(); end > 0 {
		if _, err := f.ReadAt(last, end-1); err != nil {
			return explain("read", path, err)
		}
	}
	if last[0] != '\n' { // torn by a crash: what follows begins a line of its own
		add = append([]byte{'\n'}, add...)
	}
	if err = s.disk.write(f, add); err == nil {
		err = s.disk.sync(f)
	}
	if err != nil {
		_ = f.Truncate(info.Size())
		return err
	}
	if info.Size() == 0 {
		return s.disk.syncDir(path)
	}
	return nil
}

// last is the last of some lines, as far as one file takes them.
func (l Lines) last(lines []byte) []byte {
	over := len(lines) - int(l.most)
	if over <= 0 {
		return lines
	}
	from := over + bytes.IndexByte(lines[over-1:], '\n')
	if from == len(lines) {
		from = 1 + bytes.LastIndexByte(lines[:len(lines)-1], '\n')
	}
	return lines[from:]
}

// Read gives the lines of both files, the oldest first; there need be none. Of a
// file that is larger than it should be only the end is read. The young one is read
// first: should it become the old one in between, lines are there twice rather than
// not at all.
func (l Lines) Read() ([]byte, error) {
	young, err := l.end(l.name)
	if err != nil {
		return nil, err
	}
	old, err := l.end(l.name + ".1")
	if err != nil || len(old) == 0 {
		return young, err
	}
	return slices.Concat(old, []byte{'\n'}, young), nil
}

// end is the last bytes of a file, somewhat more than the bound.
func (l Lines) end(name string) ([]byte, error) {
	path := l.store.path(name)
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, explain("read", path, err)
	}
	defer f.Close()
	most := 2 * l.most
	if info, err := f.Stat(); err == nil && info.Size() > most {
		if _, err := f.Seek(-most, io.SeekEnd); err != nil {
			return nil, explain("read", path, err)
		}
	}
	text, err := io.ReadAll(io.LimitReader(f, most))
	return text, explain("read", path, err)
}

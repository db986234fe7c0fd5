package plan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unicode/utf8"

	"lvsdeck/persist"
)

// ChangeFile makes, replaces or removes what is at a path: a file, or as Mode says
// a symbolic link or a directory. It refuses when something else is there than was
// read.
//
// A restart does not take it back, so it must not be in a plan that waits to be
// confirmed.
type ChangeFile struct {
	Path string

	// Before and After are the file's text, a link's target, and nothing of a
	// directory; nil: it is not there.
	Before, After *string

	// Mode is the file's before and after.
	Mode fs.FileMode
}

func init() { Register("file", ChangeFile{}) }

// MaxFile is how long a file may be that a plan changes: the journal has it whole,
// as it was and as it will be.
const MaxFile = 4 << 20

// ReadFile makes the step that makes a file's text another, or with nil removes
// it. A file that is there keeps its mode; a new one gets the mode given.
func ReadFile(path string, after *string, mode fs.FileMode) (ChangeFile, error) {
	s := ChangeFile{Path: path, After: after, Mode: mode}
	before, is, err := readPath(path)
	switch {
	case err != nil:
		return s, err
	case before != nil && is.Type() != mode.Type():
		return s, fmt.Errorf("%s: it is %s, not %s; move it away", path, kindOf(is), kindOf(mode))
	case before != nil && !utf8.ValidString(*before):
		return s, fmt.Errorf("%s: it is not UTF-8 text, which the journal could not give back", path)
	case after != nil && len(*after) > MaxFile:
		return s, fmt.Errorf("%s: %d bytes: must be at most %d", path, len(*after), MaxFile)
	}
	if s.Before = before; before != nil && mode.IsRegular() {
		s.Mode = is
	}
	return s, nil
}

// Same tells that the step changes nothing.
func (s ChangeFile) Same() bool { return equalText(s.Before, s.After) }

// Row is the path.
func (s ChangeFile) Row() string { return s.Path }

// String says what becomes of it.
func (s ChangeFile) String() string {
	what := strings.TrimPrefix(strings.TrimPrefix(kindOf(s.Mode), "a "), "symbolic ") + " " + s.Path
	switch {
	case s.After == nil:
		return "remove " + what
	case s.Before != nil:
		return "write " + what
	case s.Mode&fs.ModeSymlink != 0:
		return "make " + what + " to " + *s.After
	}
	return "make " + what
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return "a file"
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	}
	return "neither file, link nor directory"
}

// Command shows a file's text, too.
func (s ChangeFile) Command() string {
	path := Quoted(s.Path)
	switch {
	case s.After == nil && s.Mode.IsDir():
		return "rmdir " + path
	case s.After == nil:
		return "rm " + path
	case s.Mode.IsDir():
		return fmt.Sprintf("mkdir -m %o %s", s.Mode.Perm(), path)
	case s.Mode&fs.ModeSymlink != 0:
		return "ln -s " + Quoted(*s.After) + " " + path
	}
	end := "EOF"
	for strings.Contains("\n"+*s.After, "\n"+end+"\n") {
		end += "F"
	}
	return fmt.Sprintf("install -m %o /dev/stdin %s <<'%s'\n%s\n%s", s.Mode.Perm(), path, end, strings.TrimSuffix(*s.After, "\n"), end)
}

// Counts is one row.
func (s ChangeFile) Counts() Counts { return countOne(s.Before == nil, s.After == nil) }

// Undo swaps before and after.
func (s ChangeFile) Undo() Step {
	s.Before, s.After = s.After, s.Before
	return s
}

// Done compares with what is there. A directory in which others have put something
// by now stays: when it should be gone, all is done that ever will be.
func (s ChangeFile) Done(context.Context, Target) (bool, error) {
	now, is, err := readPath(s.Path)
	switch {
	case err != nil:
		return false, err
	case s.After == nil && now != nil && s.Mode.IsDir() && is.IsDir():
		entries, err := os.ReadDir(s.Path)
		return len(entries) > 0, err
	case now == nil || s.After == nil:
		return now == nil && s.After == nil, nil
	}
	return is.Type() == s.Mode.Type() && *now == *s.After, nil
}

// Do changes what is at the path, whole or not at all.
func (s ChangeFile) Do(ctx context.Context, t Target) error {
	if done, err := s.Done(ctx, t); done || err != nil {
		if err == nil {
			err = ErrAlready
		}
		return err
	}
	now, is, err := readPath(s.Path)
	if err != nil {
		return err
	}
	if moved := s.moved(now, is); moved != nil {
		return moved
	}
	switch {
	case s.After == nil:
		err = os.Remove(s.Path)
	case s.Mode.IsDir():
		err = os.Mkdir(s.Path, s.Mode.Perm())
	case s.Mode&fs.ModeSymlink != 0 && now != nil:
		err = errors.New("a link is not changed in place")
	case s.Mode&fs.ModeSymlink != 0:
		err = os.Symlink(*s.After, s.Path)
	default:
		return persist.WriteFileMode(s.Path, s.Mode.Perm(), func(w io.Writer) error {
			_, err := io.WriteString(w, *s.After)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("cannot %s: %w", s, plainly(err))
	}
	return persist.SyncName(s.Path)
}

// moved tells what is at the path in place of what was read, or nil.
func (s ChangeFile) moved(now *string, is fs.FileMode) error {
	switch {
	case now == nil && s.Before == nil:
		return nil
	case now == nil:
		return &Moved{Row: s.Path, Gone: true}
	case s.Before == nil:
		return &Moved{Row: s.Path, Appeared: true}
	case is.Type() != s.Mode.Type():
		return &Moved{Row: s.Path, Differences: []Difference{{"it", kindOf(s.Mode), kindOf(is)}}}
	case *now != *s.Before:
		return &Moved{Row: s.Path, Differences: []Difference{{"its text", sizeOf(*s.Before), sizeOf(*now)}}}
	}
	return nil
}

// sizeOf tells texts apart without showing them.
func sizeOf(text string) string {
	return fmt.Sprintf("%s of %d bytes", count(strings.Count(text, "\n"), "line"), len(text))
}

func equalText(a, b *string) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// readPath reads what is at a path, following no link; nil: nothing is there.
func readPath(path string) (*string, fs.FileMode, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, nil
	case errors.Is(err, syscall.ENOTDIR):
		return nil, 0, fmt.Errorf("cannot read %s: a part of the path is no directory", path)
	case err != nil:
		return nil, 0, fmt.Errorf("cannot read %s: %w", path, plainly(err))
	}
	var text []byte
	switch mode := info.Mode(); {
	case mode.IsRegular():
		text, err = readBounded(path)
	case mode&fs.ModeSymlink != 0:
		var to string
		to, err = os.Readlink(path)
		text = []byte(to)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("cannot read %s: %w", path, plainly(err))
	}
	said := string(text)
	return &said, info.Mode(), nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var text bytes.Buffer
	n, err := io.Copy(&text, io.LimitReader(f, MaxFile+1))
	if err == nil && n > MaxFile {
		err = fmt.Errorf("it is longer than %d bytes", MaxFile)
	}
	return text.Bytes(), err
}

// plainly is the system's word alone: the path is said already.
func plainly(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &link):
		err = link.Err
	}
	return err
}

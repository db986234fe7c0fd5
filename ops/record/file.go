package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"lvsdeck/ops/check"
	"lvsdeck/ops/history"
)

// Bounds on what a reader keeps of a file: months of recording.
const (
	maxBlocks   = 1 << 20
	maxMarks    = 100_000
	maxSessions = 10_000
	maxText     = 4 << 20  // bytes of a block of JSON
	maxEvent    = 16 << 20 // of JSON among samples
	maxFindings = 10_000   // of a report
)

// File is a recording that is read. What is kept of it in memory are the places of
// its blocks, about 80 bytes for 5 s of recording, and its marks.
type File struct {
	name   string
	in     io.ReaderAt
	closer io.Closer
	size   int64

	heads  []Head
	blocks []place
	marks  []history.Mark
	lost   int   // marks beyond the bound
	end    int64 // of the last whole block
	cut    error // why what follows cannot be read; nil: nothing follows
	torn   bool  // what follows is the beginning of a block, as a kill leaves it
}

// place is a block of events in a file.
type place struct {
	block
	at       int64
	before   int  // samples before its first
	readings int  // readings before it
	start    bool // it begins a session
	head     int  // of heads
}

// Error says what is wrong with a recording, and where.
type Error struct {
	File string
	At   int64 // byte
	What error
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: byte %d: %v", e.File, e.At, e.What)
}

// Unwrap gives what is wrong.
func (e *Error) Unwrap() error { return e.What }

// Open opens a recording and finds its blocks. What cannot be read at its end is
// told by Cut: the rest plays. One that is being written is read as far as it is.
func Open(name string) (*File, error) {
	in, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not hold us
	if err != nil {
		return nil, err
	}
	f, err := openFile(name, in)
	if err == nil && len(f.blocks) == 0 {
		err = f.wrong(f.end, errors.New("no reading was recorded"))
		if f.cut != nil {
			err = f.cut
		}
	}
	if err != nil {
		in.Close()
		return nil, err
	}
	f.closer = in
	return f, nil
}

func openFile(name string, in *os.File) (*File, error) {
	info, err := in.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: is no regular file: a recording is one", name)
	}
	return newFile(name, in, info.Size())
}

// newFile finds the blocks of a recording.
func newFile(name string, in io.ReaderAt, size int64) (*File, error) {
	f := &File{name: name, in: in, size: size}
	if err := f.checkTitle(); err != nil {
		return nil, err
	}
	f.end = int64(len(magic))
	for f.end < size {
		n, err := f.scan(f.end)
		if err != nil {
			f.cut = f.wrong(f.end, err)
			break
		}
		f.end += n
	}
	f.dropMarks(maxMarks)
	return f, nil
}

func (f *File) wrong(at int64, what error) error { return &Error{f.name, at, what} }

// checkTitle reads the first line.
func (f *File) checkTitle() error {
	line := make([]byte, len(magic)+8)
	n, err := f.in.ReadAt(line, 0)
	if err != nil && err != io.EOF {
		return err
	}
	line = line[:n]
	if strings.HasPrefix(string(line), magic) {
		return nil
	}
	number, _, _ := strings.Cut(strings.TrimPrefix(string(line), title), "\n")
	if v, err := strconv.Atoi(number); strings.HasPrefix(string(line), title) && err == nil && v != version {
		return f.wrong(0, fmt.Errorf("the recording is of version %d, which this lvsdeck does not read; it reads %d", v, version))
	}
	return f.wrong(0, fmt.Errorf("this is no recording: one begins with the line %q", strings.TrimSpace(magic)))
}

var errTorn = errors.New("the file ends within a block: what was recorded last is lost")

// scan takes the block at a place in, and gives its length.
func (f *File) scan(at int64) (int64, error) {
	if f.torn = f.size-at < blockHead; f.torn {
		return 0, errTorn
	}
	var head [blockHead]byte
	if _, err := f.in.ReadAt(head[:], at); err != nil {
		return 0, err
	}
	b, err := parseBlock(head[:])
	if err != nil {
		return 0, err
	}
	length := blockHead + int64(b.packed)
	if f.torn = at+length > f.size; f.torn {
		return 0, errTorn
	}
	switch b.kind {
	case headBlock:
		var h Head
		text, err := f.text(at, b)
		if err == nil {
			err = json.Unmarshal(text, &h)
		}
		if err != nil {
			return 0, err
		}
		if f.heads = append(f.heads, h); len(f.heads) > maxSessions {
			return 0, fmt.Errorf("it has more than %d beginnings", maxSessions)
		}
	case markBlock:
		text, err := f.text(at, b)
		if err == nil {
			err = eachOf(text, f.mark)
		}
		if err != nil {
			return 0, err
		}
	default:
		return length, f.place(at, b)
	}
	return length, nil
}

// place takes a block of events in.
func (f *File) place(at int64, b block) error {
	p := place{block: b, at: at, head: len(f.heads) - 1}
	if n := len(f.blocks); n > 0 {
		last := f.blocks[n-1]
		p.before, p.readings = last.before+int(last.samples), last.readings+int(last.block.readings)
		p.start = last.head != p.head
	} else {
		p.start = true
	}
	switch {
	case p.head < 0:
		return errors.New("the recording does not say of which host it is")
	case p.start && b.kind != keyBlock:
		return errLost
	case b.samples == 0 || b.samples > b.raw:
		return fmt.Errorf("a block says it has %d samples", b.samples)
	case len(f.blocks) == maxBlocks:
		return fmt.Errorf("it has more than %d blocks", maxBlocks)
	}
	f.blocks = append(f.blocks, p)
	return nil
}

// mark takes a mark in. Of too many the oldest are dropped, some at a time.
func (f *File) mark(m history.Mark) error {
	if m.Kind > history.LastKind {
		return fmt.Errorf("there is no kind of mark %d", m.Kind)
	}
	if m.Severity > check.Fault {
		return fmt.Errorf("there is no severity %d", m.Severity)
	}
	if f.marks = append(f.marks, m); len(f.marks) >= 2*maxMarks {
		f.dropMarks(maxMarks)
	}
	return nil
}

func (f *File) dropMarks(keep int) {
	if over := len(f.marks) - keep; over > 0 {
		f.marks, f.lost = slices.Clone(f.marks[over:]), f.lost+over
	}
}

// text reads a block of JSON.
func (f *File) text(at int64, b block) ([]byte, error) {
	if b.packed > maxText {
		return nil, fmt.Errorf("a block of text has %d bytes; the most is %d", b.packed, maxText)
	}
	return f.bytes(at, b)
}

// eachOf takes a list in JSON one by one: as many as fit into a text would be far
// more memory than it.
func eachOf[T any](text []byte, take func(T) error) error {
	d := json.NewDecoder(bytes.NewReader(text))
	begin, err := d.Token()
	if err == nil && begin != json.Delim('[') {
		err = errors.New("it is no list")
	}
	for err == nil && d.More() {
		var v T
		if err = d.Decode(&v); err == nil {
			err = take(v)
		}
	}
	if err == nil {
		_, err = d.Token()
	}
	return err
}

// bytes reads what follows a block's head.
func (f *File) bytes(at int64, b block) ([]byte, error) {
	text := make([]byte, b.packed) // which the file has: scan has looked
	if _, err := f.in.ReadAt(text, at+blockHead); err != nil {
		return nil, err
	}
	if crc32.Checksum(text, castagnoli) != b.sum {
		return nil, errors.New("a block is damaged: its checksum is another")
	}
	return text, nil
}

// Close closes the file.
func (f *File) Close() error { return f.closer.Close() }

// Name is the file's name.
func (f *File) Name() string { return f.name }

// Head is what the first session begins with.
func (f *File) Head() Head { return f.heads[f.blocks[0].head] }

// Span is the times of the first sample and of the last.
func (f *File) Span() (from, to time.Time) {
	last := len(f.blocks) - 1
	return time.Unix(0, f.blocks[0].first), time.Unix(0, f.blocks[last].last)
}

// Samples is how many there are.
func (f *File) Samples() int {
	last := f.blocks[len(f.blocks)-1]
	return last.before + int(last.samples)
}

// Marks are those of all sessions, as they were written: a plan stands there when it
// began, and again when it ended.
func (f *File) Marks() []history.Mark { return f.marks }

// LostMarks is how many of the oldest marks were more than can be kept.
func (f *File) LostMarks() int { return f.lost }

// Cut is why the end of the file cannot be read, or nil.
func (f *File) Cut() error { return f.cut }

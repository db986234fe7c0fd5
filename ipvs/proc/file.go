package proc

import (
	"io"
	"os"
)

// file is one text file of a network namespace, kept open: reads stay bound to
// that namespace, whichever thread they come from.
type file struct {
	path   string
	handle *os.File // nil: not open
	buffer []byte   // used again by each read
}

// read gives the whole text, good until the next read. A file whose module was
// unloaded (EIO, or ENOENT for a sysctl) is opened again once: the module may be
// back.
func (f *file) read(in *Namespace) ([]byte, error) {
	if f.handle != nil {
		if text, err := f.readOpen(); err == nil {
			return text, nil
		}
		f.close()
	}
	if err := in.Do(f.open); err != nil {
		return nil, err
	}
	return f.readOpen()
}

func (f *file) open() (err error) {
	f.handle, err = os.Open(f.path)
	return err
}

func (f *file) close() {
	f.handle.Close()
	f.handle = nil
}

// pageSize is how much is read at once. When more is asked for, the kernel fills
// its own buffer, which is as large as the largest record needs, with as many
// records as fit, and makes the one that does not fit twice (seq_read_iter): where
// services have many servers, that is each of them.
const pageSize = 4 << 10

func (f *file) readOpen() ([]byte, error) {
	if f.buffer == nil {
		f.buffer = make([]byte, pageSize)
	}
	for n := 0; ; {
		got, err := f.handle.ReadAt(f.buffer[n:min(n+pageSize, len(f.buffer))], int64(n))
		n += got
		if err == io.EOF {
			return f.buffer[:n], nil
		}
		if err != nil {
			return nil, err
		}
		if n == len(f.buffer) {
			f.buffer = append(f.buffer, make([]byte, len(f.buffer))...)
		}
	}
}

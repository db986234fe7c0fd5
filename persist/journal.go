package persist

import (
	"io"
	"os"
	"slices"
	"time"
)

// The journal is these two files: what is written to, and the one before.
const (
	journalFile = "journal"
	journalOld  = "journal.1"
)

// Plans reads the journal, oldest first. It may be called while another process
// writes: a line that is being written is not there yet. The file that is written
// to is read first: should it become the old one in between, it is read twice,
// which tells nothing new, rather than not at all.
func (s *Store) Plans() ([]*Entry, error) {
	young, err := s.read(journalFile)
	if err != nil {
		return nil, err
	}
	old, err := s.read(journalOld)
	if err != nil {
		return nil, err
	}
	return entries(slices.Concat(old, []byte{'\n'}, young)), nil
}

// Stamp tells whether the journal has grown: as long as it is the same, so are the
// plans.
type Stamp struct {
	bytes   int64
	written time.Time
}

// Stamp looks at the journal without reading it.
func (s *Store) Stamp() (stamp Stamp) {
	if info, err := os.Stat(s.path(journalFile)); err == nil {
		stamp = Stamp{info.Size(), info.ModTime()}
	}
	return stamp
}

// read reads one of the journal's files, which need not be there.
func (s *Store) read(name string) ([]byte, error) {
	text, err := os.ReadFile(s.path(name))
	if os.IsNotExist(err) {
		return nil, nil
	}
	return text, explain("read", s.path(name), err)
}

// Plan finds one plan.
func (s *Store) Plan(id string) (*Entry, error) {
	all, err := s.Plans()
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if e.ID == id {
			return e, nil
		}
	}
	return nil, explain("find in the journal the plan", id, os.ErrNotExist)
}

// Writer writes the records of one plan. Whoever has it has the lock of plans.
type Writer struct {
	ID string

	store *Store
	lock  *os.File
	file  *os.File
	end   int64 // of the last whole line
}

// Begin takes the lock, or says with *Busy who has it, and makes the journal
// ready for a new plan.
func (s *Store) Begin(title string) (*Writer, error) { return s.Resume(s.newID(), title) }

// Resume does the same for a plan that the journal has.
func (s *Store) Resume(id, title string) (*Writer, error) {
	lock, err := s.lock()
	if err != nil {
		return nil, err
	}
	w := &Writer{ID: id, store: s, lock: lock}
	ready := false
	defer func() {
		if !ready { // nor after a panic is anybody locked out
			w.Close()
		}
	}()
	if err := s.sign(lock, Holder{By: s.who, PID: os.Getpid(), Plan: id, Title: title, Since: s.now()}); err != nil {
		return nil, err
	}
	if err := w.open(); err != nil {
		return nil, err
	}
	ready = true
	return w, nil
}

// open opens the journal to append, after a new file was begun if it is time.
func (w *Writer) open() (err error) {
	s := w.store
	if err := s.rotate(); err != nil {
		return err
	}
	made := !exists(s.path(journalFile))
	if w.file, err = s.disk.create(s.path(journalFile), os.O_RDWR|os.O_APPEND); err != nil {
		return err
	}
	if made {
		if err := s.disk.syncDir(w.file.Name()); err != nil {
			return err
		}
	}
	info, err := w.file.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	w.end = info.Size()
	last := make([]byte, 1)
	if _, err := w.file.ReadAt(last, w.end-1); err != nil {
		return explain("read", w.file.Name(), err)
	}
	if last[0] != '\n' { // torn by a crash: what follows begins a line of its own
		err = s.disk.write(w.file, []byte{'\n'})
		w.end++
	}
	return err
}

// Append writes one record, and returns when it is on disk. A record that could
// not be written whole is taken out again, so that it will not be believed.
func (w *Writer) Append(r Record) error {
	r.Time, r.ID, r.By = w.store.now().UTC(), w.ID, w.store.who
	line, err := r.line()
	if err != nil {
		return err
	}
	end := w.end
	for _, piece := range line {
		if err == nil {
			err = w.store.disk.write(w.file, piece)
		}
		end += int64(len(piece))
	}
	if err == nil {
		err = w.store.disk.sync(w.file)
	}
	if err != nil {
		_ = w.file.Truncate(w.end)
		return err
	}
	w.end = end
	return nil
}

// Close lets the lock go.
func (w *Writer) Close() error {
	if w.file != nil {
		w.file.Close()
	}
	_ = w.lock.Truncate(0) // who comes next is not to be mistaken for us
	return release(w.lock)
}

// rotate begins a new file when the journal has grown, with the plans that are
// unfinished. The order of steps leaves a whole journal at every moment: the
// lines to carry are taken from the file that becomes the old one, which
// readers still see should the new one not come to be.
func (s *Store) rotate() error {
	if err := s.disk.sweep(s.dir, journalFile); err != nil {
		return err
	}
	young, old := s.path(journalFile), s.path(journalOld)
	grown, err := s.grown(young)
	switch {
	case err != nil:
		return err
	case grown:
		if err := s.disk.rename(young, old); err != nil {
			return err
		}
	case exists(young), !exists(old): // the first plan ever
		return nil
	}
	text, err := os.ReadFile(old)
	if err != nil {
		return explain("read", old, err)
	}
	return s.disk.replace(young, func(w io.Writer) error {
		_, err := w.Write(unfinished(text))
		return err
	})
}

// grown tells whether a new file would be so much smaller. What it would have to
// carry does not count: one large plan that never ended must not push out the
// history at each beginning of another.
func (s *Store) grown(path string) (bool, error) {
	info, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		return false, nil
	case err != nil:
		return false, explain("read", path, err)
	case info.Size() < s.journalSize:
		return false, nil
	}
	text, err := os.ReadFile(path)
	return int64(len(text)-len(unfinished(text))) >= s.journalSize, explain("read", path, err)
}

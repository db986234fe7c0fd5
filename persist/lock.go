package persist

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Holder is who runs a plan at the moment.
type Holder struct {
	By    Who       `json:"by"`
	PID   int       `json:"pid"`
	Plan  string    `json:"plan"`
	Title string    `json:"title"`
	Since time.Time `json:"since"`
}

// Busy says that another plan is running, of this process or another.
type Busy struct{ Holder }

func (b *Busy) Error() string {
	if b.PID == 0 {
		return "another plan is running; wait for it to end"
	}
	return fmt.Sprintf("another plan is running since %s: %q of %s (process %d); wait for it to end",
		b.Since.Format("15:04:05"), b.Title, b.By, b.PID)
}

// lock takes the lock of plans, or says who has it. The kernel lets it go when
// its holder dies, however that happens; what stands in the file is only for
// people.
func (s *Store) lock() (*os.File, error) {
	f, err := s.lockFile("lock", unix.F_OFD_SETLK)
	if errors.Is(err, unix.EAGAIN) {
		return nil, &Busy{s.holder()}
	}
	return f, err
}

// sign writes who has the lock.
func (s *Store) sign(lock *os.File, h Holder) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := lock.Truncate(0); err != nil {
		return explain(OpWrite, lock.Name(), err)
	}
	return s.disk.write(lock, text)
}

// holder reads who has the lock. It is nobody known while they are writing it.
func (s *Store) holder() (h Holder) {
	if text, err := os.ReadFile(s.path("lock")); err == nil {
		_ = json.Unmarshal(text, &h)
	}
	return h
}

// Running tells which plan is running now, of whatever process. It only reads:
// the disk may be read-only.
func (s *Store) Running() (h Holder, running bool, err error) {
	f, err := os.Open(s.path("lock"))
	if os.IsNotExist(err) {
		return h, false, nil
	}
	if err != nil {
		return h, false, explain("read", s.path("lock"), err)
	}
	defer f.Close()
	ask := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &ask); err != nil {
		return h, false, explain("ask for the lock of", f.Name(), err)
	}
	if ask.Type == unix.F_UNLCK {
		return h, false, nil
	}
	return s.holder(), true, nil
}

// release lets a lock go. Closing alone would not while a program that is just
// being started still has a copy of the open file.
func release(lock *os.File) error {
	_ = unix.FcntlFlock(lock.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_UNLCK})
	return lock.Close()
}

// lockFile opens a file and locks it, until release or the end of the process. The lock belongs to
// the open file (as flock's does), so two users in one process exclude each
// other too; and unlike flock's it can be asked about without taking it.
func (s *Store) lockFile(name string, how int) (*os.File, error) {
	f, err := s.disk.create(s.path(name), os.O_RDWR)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.FcntlFlock(f.Fd(), how, &unix.Flock_t{Type: unix.F_WRLCK})
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, explain("lock", f.Name(), err)
	}
	return f, nil
}

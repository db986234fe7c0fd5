package persist

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// DefaultDir is where root keeps everything.
const DefaultDir = "/var/lib/lvsdeck"

// Options are choices at Open. The zero value is root's.
type Options struct {
	Dir   string           // DefaultDir when empty
	Who   Who              // stands in the journal
	Now   func() time.Time // time.Now when nil
	Fault Fault

	// JournalSize is where the journal begins a new file, keeping one old one;
	// 8 MiB when 0. The largest plan may go beyond.
	JournalSize int64
}

// Store is the directory. It is safe for use by several processes.
type Store struct {
	dir         string
	who         Who
	now         func() time.Time
	disk        disk
	journalSize int64
}

// Open opens the directory and makes it when it is not there.
func Open(o Options) (*Store, error) {
	s := &Store{dir: o.Dir, who: o.Who, now: o.Now, disk: disk{o.Fault}, journalSize: o.JournalSize}
	if s.dir == "" {
		s.dir = DefaultDir
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.journalSize == 0 {
		s.journalSize = 8 << 20
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, explain(OpCreate, s.dir, err)
	}
	return s, private(s.dir)
}

// private refuses a directory in which another user could plant or swap files:
// what lies there decides what root does to the table.
func private(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return explain("read", dir, err)
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	if me := os.Geteuid(); me != 0 && int(owner) != me {
		return fmt.Errorf("cannot use %s: it belongs to another user (uid %d); run as root", dir, owner)
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 || int(owner) != os.Geteuid() {
		return fmt.Errorf("cannot trust %s: it belongs to uid %d with mode %04o; it must be yours alone (chown, chmod 0700)", dir, owner, mode)
	}
	return nil
}

// Dir is where the store is.
func (s *Store) Dir() string { return s.dir }

// Who is the person it was opened for.
func (s *Store) Who() Who { return s.who }

func (s *Store) path(name string) string { return filepath.Join(s.dir, name) }

// newID names a plan: when it began, and enough chance for two in one second.
func (s *Store) newID() string {
	return s.now().UTC().Format("20060102-150405-") + rand.Text()[:6]
}

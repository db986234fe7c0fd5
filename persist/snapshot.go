package persist

import (
	"cmp"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lvsdeck/ipvs"
)

// keptSnapshots bounds the snapshots; at 11,000 rows one is about 700 KB.
const keptSnapshots = 50

const snapshotSuffix = ".rules"

// Language writes rules to a file and reads them back.
type Language struct {
	Write func(io.Writer, ipvs.Rules) error
	Read  func(io.Reader) (ipvs.Rules, error)
}

// ReadFile reads rules from a file, and tells when it was written. An error
// names the file; where the language tells a place in it, place and name stand
// together.
func (l Language) ReadFile(path string) (rules ipvs.Rules, written time.Time, err error) {
	f, err := os.Open(path)
	if err != nil {
		return rules, written, explain("read", path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return rules, written, explain("read", path, err)
	}
	rules, err = l.Read(f)
	var placed interface{ In(file string) error }
	switch {
	case errors.As(err, &placed):
		err = placed.In(path)
	case err != nil:
		err = explain("read", path, err)
	}
	return rules, info.ModTime(), err
}

// Snapshot is the table as it was before a plan.
type Snapshot struct {
	Plan string // its id, which the journal knows
	Time time.Time
	Path string
}

// Snapshot keeps the rules as they are before the Writer's plan, and drops the
// oldest of more than 50.
func (w *Writer) Snapshot(l Language, rules ipvs.Rules) error {
	s := w.store
	dir := s.path("snapshots")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return explain(OpCreate, dir, err)
	}
	if err := s.disk.sweep(dir, ""); err != nil {
		return err
	}
	err := s.disk.replace(filepath.Join(dir, w.ID+snapshotSuffix), func(to io.Writer) error {
		return l.Write(to, rules)
	})
	if err != nil {
		return err
	}
	all, err := s.Snapshots()
	if err != nil {
		return err
	}
	for _, old := range all[min(len(all), keptSnapshots):] {
		if err := s.disk.remove(old.Path); err != nil {
			return err
		}
	}
	return nil
}

// Snapshots lists what is kept, newest first.
func (s *Store) Snapshots() ([]Snapshot, error) {
	dir := s.path("snapshots")
	files, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		return nil, explain("read", dir, err)
	}
	var all []Snapshot
	for _, f := range files {
		id, ours := strings.CutSuffix(f.Name(), snapshotSuffix)
		info, err := f.Info()
		if !ours || strings.HasPrefix(id, ".") || err != nil { // or dropped meanwhile
			continue
		}
		all = append(all, Snapshot{Plan: id, Time: info.ModTime(), Path: filepath.Join(dir, f.Name())})
	}
	slices.SortFunc(all, func(a, b Snapshot) int { return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(b.Plan, a.Plan)) })
	return all, nil
}

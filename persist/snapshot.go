package persist

import (
	"cmp"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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

	number int // counts up: clocks can be set back
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
	all, err := s.Snapshots()
	if err != nil {
		return err
	}
	number := 1
	if len(all) > 0 {
		number = all[0].number + 1
	}
	name := w.ID + "." + strconv.Itoa(number) + snapshotSuffix
	err = s.disk.replace(filepath.Join(dir, name), func(to io.Writer) error { return l.Write(to, rules) })
	if err != nil {
		return err
	}
	for _, old := range all[min(len(all), keptSnapshots-1):] {
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
		name, ours := strings.CutSuffix(f.Name(), snapshotSuffix)
		info, err := f.Info()
		if !ours || strings.HasPrefix(name, ".") || err != nil { // or dropped meanwhile
			continue
		}
		id, count, _ := strings.Cut(name, ".")
		number, _ := strconv.Atoi(count)
		all = append(all, Snapshot{Plan: id, Time: info.ModTime(), Path: filepath.Join(dir, f.Name()), number: number})
	}
	slices.SortFunc(all, func(a, b Snapshot) int {
		return cmp.Or(cmp.Compare(b.number, a.number), b.Time.Compare(a.Time), cmp.Compare(b.Plan, a.Plan))
	})
	return all, nil
}

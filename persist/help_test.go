package persist

import (
	"encoding/json"
	"io"
	"os"
	"testing"
	"time"

	"lvsdeck/ipvs"
)

// store opens a store in a directory, as one process after the other does.
func store(t testing.TB, o Options) *Store {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	o.Now = func() time.Time { now = now.Add(time.Second); return now }
	s, err := Open(o)
	ok(t, err)
	return s
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	ok(t, err)
	return string(text)
}

// names lists a directory.
func names(t testing.TB, dir string) (names []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	ok(t, err)
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}

// asJSON is a language for rules.
var asJSON = Language{
	Write: func(w io.Writer, r ipvs.Rules) error { return json.NewEncoder(w).Encode(r) },
	Read: func(r io.Reader) (rules ipvs.Rules, err error) {
		return rules, json.NewDecoder(r).Decode(&rules)
	},
}

// plan writes a whole plan, and gives its id.
func (s *Store) plan(t testing.TB, begin Record, ended bool) string {
	t.Helper()
	w, err := s.Begin(begin.Title)
	ok(t, err)
	defer w.Close()
	begin.Kind = Begin
	if begin.Steps == nil {
		begin.Steps = json.RawMessage(`[1,2,3]`)
	}
	ok(t, w.Append(begin))
	ok(t, w.Append(Record{Kind: UpTo, UpTo: 2, Already: []int{1}}))
	if ended {
		ok(t, w.Append(Record{Kind: End, Outcome: Applied, Already: []int{1}}))
	}
	return w.ID
}

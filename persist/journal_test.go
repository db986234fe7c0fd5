package persist

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestJournal(t *testing.T) {
	s := store(t, Options{Who: Who{User: "alice", From: "198.51.100.7"}})
	if plans, err := s.Plans(); err != nil || len(plans) > 0 {
		t.Fatalf("before the first plan: %v, %v", plans, err)
	}
	first := s.plan(t, Record{Title: "first", UpTo: 1}, true)
	second := s.plan(t, Record{Title: "second", UpTo: 1, Undoes: first, Each: true}, false)

	plans, err := s.Plans()
	ok(t, err)
	if len(plans) != 2 || plans[0].ID != first || plans[1].ID != second {
		t.Fatalf("the journal has %+v", plans)
	}
	a, b := plans[0], plans[1]
	if a.Title != "first" || a.By.User != "alice" || a.By.From != "198.51.100.7" || string(a.Steps) != "[1,2,3]" || a.Time.IsZero() {
		t.Errorf("the first begins as %+v", a.Record)
	}
	if a.UpTo != 2 || !slices.Equal(a.Already, []int{1}) || a.Ended == nil || a.Ended.Outcome != Applied || !a.InForce {
		t.Errorf("the first is %+v", a)
	}
	if b.Undoes != first || !b.Each || b.Ended != nil || b.InForce {
		t.Errorf("the second is %+v", b)
	}
	if e, err := s.Plan(second); err != nil || e.Title != "second" {
		t.Errorf("%v, %v", e, err)
	}
	if _, err := s.Plan("none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a plan that is not there: %v", err)
	}
}

func TestInForce(t *testing.T) {
	s := store(t, Options{})
	first := s.plan(t, Record{Title: "first"}, true)
	want := func(forces ...bool) {
		t.Helper()
		plans, err := s.Plans()
		ok(t, err)
		var got []bool
		for _, e := range plans {
			got = append(got, e.InForce)
		}
		if !slices.Equal(got, forces) {
			t.Errorf("in force are %v, want %v", got, forces)
		}
	}
	want(true)
	undo := s.plan(t, Record{Title: "undo", Undoes: first}, true)
	want(false, true)
	s.plan(t, Record{Title: "redo", Undoes: undo}, true)
	want(true, false, true)
	s.plan(t, Record{Title: "undo again", Undoes: first}, false)
	want(true, false, true, false)
}

// TestAppendFails fails each change of each append in turn: what failed is not
// believed, and the next record is whole.
func TestAppendFails(t *testing.T) {
	for k := 1; k < 20; k++ {
		dir := store(t, Options{}).Dir()
		count := 0
		s := store(t, Options{Dir: dir, Fault: func(op Op, path string, data []byte) (int, error) {
			if count++; count == k {
				return len(data) / 2, syscall.ENOSPC
			}
			return 0, nil
		}})
		failed := 0
		for range 3 {
			w, err := s.Begin("full")
			if err == nil {
				err = w.Append(Record{Kind: Begin, Title: "full"})
				w.Close()
			}
			if err != nil {
				failed++
				if !errors.Is(err, syscall.ENOSPC) {
					t.Errorf("change %d failed: %v", k, err)
				}
			}
		}
		store(t, Options{Dir: dir}).plan(t, Record{Title: "room again"}, true)
		plans, err := s.Plans()
		ok(t, err)
		if want := 4 - failed; len(plans) != want || plans[want-1].Title != "room again" {
			t.Errorf("change %d failed, and %d of 3 plans; the journal has %d", k, failed, len(plans))
		}
		if count >= k && failed == 0 {
			t.Errorf("change %d failed and nobody says so", k)
		}
	}
}

// FuzzTornJournal cuts the journal anywhere, or puts anything at its end: whole
// lines before are read, and plans after are.
func FuzzTornJournal(f *testing.F) {
	f.Add(0, []byte(nil))
	f.Add(1, []byte("{"))
	f.Add(300, []byte("\x00\x00\n{}\n"))
	f.Add(1<<20, []byte(`{"plan":"x","kind":"end"}`))
	f.Fuzz(func(t *testing.T, cut int, junk []byte) {
		s := store(t, Options{})
		s.plan(t, Record{Title: "first"}, true)
		s.plan(t, Record{Title: "second"}, true)
		text := read(t, s.path(journalFile))
		cut = min(max(cut, 0), len(text))
		ok(t, os.WriteFile(s.path(journalFile), append([]byte(text[:cut]), junk...), 0o600))

		whole := 0
		for line := range strings.Lines(text[:cut]) {
			if strings.Contains(line, `"begin"`) && strings.HasSuffix(line, "\n") {
				whole++
			}
		}
		before, err := s.Plans()
		ok(t, err)
		if len(before) < whole {
			t.Errorf("%d plans are whole, %d are read", whole, len(before))
		}
		s.plan(t, Record{Title: "third"}, true)
		after, err := s.Plans()
		ok(t, err)
		if last := after[len(after)-1]; len(after) != len(before)+1 || last.Title != "third" || last.Ended == nil {
			t.Errorf("after the cut %d plans, with one more %d", len(before), len(after))
		}
	})
}

func TestRotation(t *testing.T) {
	s := store(t, Options{JournalSize: 2000})
	open := s.plan(t, Record{Title: "unfinished"}, false)
	for range 100 {
		s.plan(t, Record{Title: "ended"}, true)
		e, err := s.Plan(open)
		ok(t, err)
		if e.Ended != nil || e.UpTo != 2 || !slices.Equal(e.Already, []int{1}) {
			t.Fatalf("the unfinished plan is %+v", e)
		}
	}
	for _, name := range []string{journalFile, journalOld} {
		if n := len(read(t, s.path(name))); n > 3000 {
			t.Errorf("%s has grown to %d bytes", name, n)
		}
	}
	plans, err := s.Plans()
	ok(t, err)
	if len(plans) < 4 {
		t.Errorf("%d plans are left", len(plans))
	}
	seen := map[string]bool{}
	for _, e := range plans {
		if seen[e.ID] {
			t.Errorf("plan %s is there twice", e.ID)
		}
		seen[e.ID] = true
	}

	w, err := s.Resume(open, "end it")
	ok(t, err)
	ok(t, w.Append(Record{Kind: End, Outcome: Applied}))
	ok(t, w.Close())
	for range 40 {
		s.plan(t, Record{Title: "ended"}, true)
	}
	if _, err := s.Plan(open); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a plan that has ended is kept for ever: %v", err)
	}
}

// TestRotationWithALargeUnfinishedPlan: history stays beside it as ever.
func TestRotationWithALargeUnfinishedPlan(t *testing.T) {
	s := store(t, Options{JournalSize: 2000})
	large := s.plan(t, Record{Title: strings.Repeat("unfinished", 500)}, false)
	for range 40 {
		s.plan(t, Record{Title: "ended"}, true)
		plans, err := s.Plans()
		ok(t, err)
		if n := slices.IndexFunc(plans, func(e *Entry) bool { return e.ID == large }); n < 0 || plans[n].Ended != nil {
			t.Fatal("the unfinished plan is lost")
		}
	}
	plans, err := s.Plans()
	ok(t, err)
	if len(plans) < 5 {
		t.Errorf("%d plans are left", len(plans))
	}
	for _, name := range []string{journalFile, journalOld} {
		if n := len(read(t, s.path(name))); n > 9000 {
			t.Errorf("%s has grown to %d bytes", name, n)
		}
	}
}

// TestRotationInterrupted stops each change of a rotation: no plan that is
// unfinished is lost, then or after the next rotation.
func TestRotationInterrupted(t *testing.T) {
	for k := 1; k < 15; k++ {
		s := store(t, Options{JournalSize: 1})
		open := s.plan(t, Record{Title: "unfinished"}, false)
		count := 0
		broken := store(t, Options{Dir: s.Dir(), JournalSize: 1, Fault: func(Op, string, []byte) (int, error) {
			if count++; count >= k {
				return 0, errors.New("power cut")
			}
			return 0, nil
		}})
		if w, err := broken.Begin("x"); err == nil {
			w.Close()
		}
		for range 3 {
			if e, err := s.Plan(open); err != nil || e.Ended != nil || e.UpTo != 2 {
				t.Fatalf("stopped at change %d: %+v, %v", k, e, err)
			}
			s.plan(t, Record{Title: "next"}, true)
		}
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	s := store(t, Options{Dir: dir, Who: Who{User: "alice"}})
	if h, running, err := s.Running(); err != nil || running {
		t.Errorf("nobody runs a plan, but %+v, %v", h, err)
	}
	w, err := s.Begin("drain")
	ok(t, err)
	other := store(t, Options{Dir: dir})
	var busy *Busy
	if _, err := other.Begin("mine"); !errors.As(err, &busy) || busy.Plan != w.ID ||
		!strings.HasPrefix(err.Error(), `another plan is running since 03:04:07: "drain" of alice (process `) {
		t.Errorf("the second is told %v", err)
	}
	if h, running, err := other.Running(); err != nil || !running || h.Plan != w.ID || h.PID != os.Getpid() {
		t.Errorf("running is %+v, %v, %v", h, running, err)
	}
	ok(t, w.Close())
	if text := read(t, s.path("lock")); text != "" {
		t.Errorf("the lock is signed when nobody has it: %s", text)
	}
	if _, running, err := other.Running(); err != nil || running {
		t.Errorf("the lock is held after its end (%v)", err)
	}
	other.plan(t, Record{Title: "mine"}, true)
}

// TestRunningOnlyReads: who asks what runs needs no disk to write on.
func TestRunningOnlyReads(t *testing.T) {
	s := store(t, Options{})
	readOnly := store(t, Options{Dir: s.Dir(), Fault: func(Op, string, []byte) (int, error) { return 0, syscall.EROFS }})
	if _, running, err := readOnly.Running(); err != nil || running || exists(s.path("lock")) {
		t.Errorf("before the first plan: %v, %v", running, err)
	}
	w, err := s.Begin("drain")
	ok(t, err)
	defer w.Close()
	if h, running, err := readOnly.Running(); err != nil || !running || h.Plan != w.ID {
		t.Errorf("while one runs: %+v, %v, %v", h, running, err)
	}
}

func TestRecordsAreLines(t *testing.T) {
	s := store(t, Options{})
	s.plan(t, Record{Title: "two\nlines", Steps: json.RawMessage("[1,\n2]")}, true)
	for line := range strings.Lines(read(t, s.path(journalFile))) {
		var r Record
		ok(t, json.Unmarshal([]byte(line), &r))
		if reflect.DeepEqual(r, Record{}) {
			t.Errorf("a line says nothing: %s", line)
		}
	}
}

// TestReadEitherOrder: steps stand at the end of a line, and once stood within.
func TestReadEitherOrder(t *testing.T) {
	want := Record{ID: "x", Kind: Begin, Title: `,"steps":[9]}`, Steps: json.RawMessage(`[{"a":"]}"},2]`), UpTo: 3}
	pieces, err := want.line()
	ok(t, err)
	line := string(slices.Concat(pieces...))
	head, _, _ := strings.Cut(line, `,"upto":3`)
	for _, text := range []string{line, head + `,"steps":[{"a":"]}"},2],"upto":3}` + "\n"} {
		got, err := record([]byte(text))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as\n %+v, %v\nwant\n %+v", text, got, err, want)
		}
	}
	for _, torn := range []string{`,"steps":[1,`, `,"steps":[1]`, `,"steps":}`, `,"steps":[1],"upto":}`} {
		if r, err := record([]byte(head + torn)); err == nil {
			t.Errorf("%s is read as %+v", torn, r)
		}
	}
}

// TestOnDiskBeforeItCounts holds the order of changes without which a power cut
// could leave less than was promised.
func TestOnDiskBeforeItCounts(t *testing.T) {
	var ops []string
	s := store(t, Options{Fault: func(op Op, path string, _ []byte) (int, error) {
		ops = append(ops, string(op)+" "+filepath.Base(path))
		return 0, nil
	}})
	w, err := s.Begin("x")
	ok(t, err)
	defer w.Close()
	ops = nil
	ok(t, w.Append(Record{Kind: Begin}))
	if want := []string{"write journal", "sync journal"}; !slices.Equal(ops, want) {
		t.Errorf("a record is on disk by %q, want %q", ops, want)
	}
	ops = nil
	ok(t, s.disk.replace(s.path("rules"), writes("x")))
	for i, o := range ops {
		if strings.Contains(o, tempMark) {
			ops[i], _, _ = strings.Cut(o, " ")
		}
	}
	if want := []string{"create", "write", "sync", "rename rules", "sync the directory of rules"}; !slices.Equal(ops, want) {
		t.Errorf("a file is replaced by %q, want %q", ops, want)
	}
}

// TestReadWhileOthersWrite reads a journal that another writes and rotates: an
// unfinished plan is always there, and none is there twice.
func TestReadWhileOthersWrite(t *testing.T) {
	s := store(t, Options{JournalSize: 2000})
	open := s.plan(t, Record{Title: "unfinished"}, false)
	stop := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() {
		defer close(stop)
		for range 300 {
			w, err := s.Begin("other")
			if err == nil {
				err = errors.Join(w.Append(Record{Kind: Begin, Title: "other"}), w.Append(Record{Kind: End, Outcome: Applied}), w.Close())
			}
			if err != nil {
				t.Error(err)
			}
		}
	})
	for running := true; running; {
		select {
		case <-stop:
			running = false
		default:
		}
		plans, err := s.Plans()
		ok(t, err)
		times := map[string]int{}
		for _, e := range plans {
			if times[e.ID]++; times[e.ID] > 1 {
				t.Errorf("%s is there twice", e.Title)
			}
			if e.ID == open && (e.Ended != nil || e.UpTo != 2) {
				t.Errorf("the unfinished plan is %+v", e)
			}
		}
		if times[open] != 1 {
			t.Fatal("the unfinished plan is lost")
		}
	}
	others.Wait()
}

// TestOpenPlansHaveDoneWhatTheyMayHaveBegun, and no more.
func TestOpenPlansHaveDoneWhatTheyMayHaveBegun(t *testing.T) {
	e := Entry{UpTo: 2, Already: []int{0}}
	in := e.InEffect()
	if in(0) || !in(1) || in(2) {
		t.Errorf("in effect: %v %v %v", in(0), in(1), in(2))
	}
}

// TestLockIsLetGo: also while a copy of the open file is still there, as in a
// program that is just being started.
func TestLockIsLetGo(t *testing.T) {
	s := store(t, Options{})
	w, err := s.Begin("one")
	if err != nil {
		t.Fatal(err)
	}
	copied, err := unix.Dup(int(w.lock.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(copied)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w, err = s.Begin("two")
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
}

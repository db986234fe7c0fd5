package confirm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// errKilled is how a test stops a process for good: nothing after it runs but
// what the kernel does too, the closing of files.
var errKilled = errors.New("killed by the test")

func survive(f func()) (dead bool) {
	defer func() {
		if r := recover(); r == errKilled {
			dead = true
		} else if r != nil {
			panic(r)
		}
	}()
	f()
	return false
}

// killed runs a plan and dies when its first step is done.
func (b *bench) killed(names ...string) (id string) {
	b.Helper()
	dead := survive(func() {
		_, _ = b.apply(b.renew(names...), func(e plan.Event) {
			if e.State == plan.Done {
				panic(errKilled)
			}
		})
	})
	if !dead {
		b.Fatal("not killed")
	}
	all, err := b.Store.Plans()
	b.ok(err)
	return all[len(all)-1].ID
}

// faults counts the changes to files, and does something at some of them.
type faults struct {
	count int
	at    func(n int, path string) error
}

func (f *faults) fault(_ persist.Op, path string, _ []byte) (int, error) {
	f.count++
	return 0, f.at(f.count, path)
}

func full(when func(n int) bool) *faults {
	return &faults{at: func(n int, _ string) error {
		if when(n) {
			return syscall.ENOSPC
		}
		return nil
	}}
}

// TestKilledAtEveryMoment kills the process that applies a change at each change
// to a file. After the deadline the host is as before, and says so.
func TestKilledAtEveryMoment(t *testing.T) {
	for n := 1; ; n++ {
		b := newBench(t)
		b.restart((&faults{at: func(i int, _ string) error {
			if i == n {
				panic(errKilled)
			}
			return nil
		}}).fault)
		dead := survive(func() { _, _ = b.apply(b.renew("a", "b"), nil) })
		if !dead {
			break
		}
		b.restart(nil)
		if all, err := b.Store.Plans(); err == nil && len(all) > 0 {
			b.expire(all[0].ID)
		}
		what := fmt.Sprintf("killed at change %d", n)
		b.holds(what, "old old old")
		if s, err := b.Look(); err != nil || s.Pending != nil {
			t.Errorf("%s: %v still waits, %v", what, s.Pending, err)
		}
	}
}

// TestFullDisk lets each change to a file fail in turn, and all from there on.
// Nothing is ever changed that is not under a timer, and what is answered is so.
func TestFullDisk(t *testing.T) {
	for _, forGood := range []bool{false, true} {
		fails := func(n int) *faults { return full(func(i int) bool { return i == n || forGood && i > n }) }
		for n := 1; ; n++ { // applying
			b := newBench(t)
			f := fails(n)
			b.restart(f.fault)
			r, err := b.apply(b.renew("a", "b"), nil)
			what := fmt.Sprintf("change %d of applying fails (for good: %t): %s, %v", n, forGood, r.Outcome, err)
			b.restart(nil)
			s, lookErr := b.Look()
			b.ok(lookErr)
			switch r.Outcome {
			case plan.Applied:
				if s.Pending == nil {
					t.Errorf("%s: it does not wait", what)
				}
				b.holds(what, "new new old")
			default:
				b.holds(what, "old old old")
			}
			if s.Pending != nil {
				b.expire(s.Pending.ID)
				b.holds(what+", after the deadline", "old old old")
			}
			if f.count < n {
				break
			}
		}
		for n := 1; ; n++ { // confirming
			b := newBench(t)
			id := b.applied("a", "b").ID
			f := fails(n)
			b.restart(f.fault)
			_, err := b.Confirm(b.Context())
			what := fmt.Sprintf("change %d of confirming fails (for good: %t): %v", n, forGood, err)
			b.restart(nil)
			s, lookErr := b.Look()
			b.ok(lookErr)
			if err == nil && s.Pending != nil {
				t.Errorf("%s: it still waits", what)
			}
			want := "new new old"
			if s.Pending != nil {
				want = "old old old"
			}
			b.expire(id)
			b.holds(what, want)
			if f.count < n {
				break
			}
		}
		for n := 1; ; n++ { // reverting
			b := newBench(t)
			id := b.applied("a", "b").ID
			f := fails(n)
			b.restart(f.fault)
			_, r, err := b.Revert(b.Context(), b.Runner, nil)
			what := fmt.Sprintf("change %d of reverting fails (for good: %t): %s, %v", n, forGood, r.Outcome, err)
			if r.Outcome == plan.Applied {
				b.holds(what, "old old old")
			} else if err == nil {
				t.Errorf("%s: but all is said to be well", what)
			}
			b.restart(nil)
			b.expire(id)
			b.holds(what+", after the deadline", "old old old")
			b.stateIs(what, `"renew a b" of alice taken back 0`)
			if f.count < n {
				break
			}
		}
	}
}

// TestTimerOnAFullDisk: the host goes back although nothing can be written, and
// the journal and the record follow when there is room.
func TestTimerOnAFullDisk(t *testing.T) {
	for n := range 40 {
		b := newBench(t)
		id := b.applied("a", "b").ID
		after := 0 // changes refused since the host is as before
		b.restart(func(persist.Op, string, []byte) (int, error) {
			if host(b.dir) == "old old old" {
				after++
			}
			if after <= n {
				return 0, syscall.ENOSPC
			}
			return 0, nil
		})
		b.expire(id)
		what := fmt.Sprintf("a disk that takes nothing, and %d times more", n)
		b.holds(what, "old old old")
		b.stateIs(what, `"renew a b" of alice taken back 0`)
		if got := b.standing(id); got != "undone" {
			t.Errorf("%s: the journal has it as %s", what, got)
		}
		if left, err := b.Unfinished(b.Context()); err != nil || len(left) > 0 {
			t.Errorf("%s: unfinished for ever: %v, %v", what, left, err)
		}
	}
}

// TestLockOfAnother: a process that was stopped in the middle of another plan does
// not keep the host as it is, nor does it lose the record.
func TestLockOfAnother(t *testing.T) {
	b := newBench(t)
	id := b.applied("a", "b").ID
	w, err := b.Store.Begin("something else")
	b.ok(err)
	when := b.clock.now()
	freed := func() {
		if waited := b.clock.now() - when; host(b.dir) == "old old old" && waited > 4*patience {
			w.Close()
		} else if host(b.dir) == "old old old" && waited < 2*patience { // one is the window
			t.Errorf("the lock is disregarded after %s", waited)
		}
	}
	b.clock.moved = freed
	b.expire(id)
	b.holds("at last", "old old old")
	b.stateIs("at last", `"renew a b" of alice taken back 0`)
	if got := b.standing(id); got != "undone" {
		t.Errorf("the journal has it as %s", got)
	}
}

// TestUnkillable: a process that applies a change and cannot be ended, as one that
// hangs in the kernel or is in another PID namespace, does not keep the host as it
// is, nor whoever asks.
func TestUnkillable(t *testing.T) {
	b := newBench(t)
	id := b.killed("a", "b")
	w, err := b.Store.Resume(id, "renew a b")
	b.ok(err)
	c, err := b.pending()
	b.ok(err)
	nobody := c.Applier
	nobody.PID, nobody.Start = 1<<22+1, 1 // beyond the largest: signals get nowhere
	b.ok(b.changes.Update(func(all map[string]Change) {
		c.Applier = nobody
		all[id] = *c
	}))
	b.ok(os.WriteFile(b.file("store/lock"), fmt.Appendf(nil, `{"pid": %d, "plan": %q}`, nobody.PID, id), 0o600))

	began := b.clock.now()
	_, r, err := b.Revert(b.Context(), b.Runner, nil)
	if busy := (*persist.Busy)(nil); !errors.As(err, &busy) || busy.PID != nobody.PID || r.Outcome != plan.NotBegun {
		t.Errorf("reverted: %s, %v", r.Outcome, err)
	}
	if took := b.clock.now() - began; took <= killAfter || took > 2*killAfter {
		t.Errorf("gave up after %s", took)
	}
	b.holds("asked for", "new old old")
	b.clock.moved = func() {
		if host(b.dir) == "old old old" {
			w.Close() // at last it ends
		} else if waited := b.clock.now() - began; waited > time.Hour {
			panic("it waits for ever")
		}
	}
	b.expire(id)
	b.holds("at last", "old old old")
	b.stateIs("at last", `"renew a b" of alice taken back 0`)
}

// TestDamagedFile: nobody guesses what waits.
func TestDamagedFile(t *testing.T) {
	b := newBench(t)
	b.applied("a", "b")
	b.put(filepath.Join("store", changesFile), "{")
	_, lookErr := b.Look()
	_, confirmErr := b.Confirm(b.Context())
	_, _, revertErr := b.Revert(b.Context(), b.Runner, nil)
	_, runErr := b.apply(b.renew("c"), nil)
	for _, err := range []error{lookErr, confirmErr, revertErr, runErr} {
		if err == nil || !strings.Contains(err.Error(), "mend it or move it away") {
			t.Errorf("with a damaged file: %v", err)
		}
	}
	b.holds("damaged", "new new old")
}

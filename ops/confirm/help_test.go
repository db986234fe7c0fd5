package confirm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// write is a step on a file, which stands in for a host: all processes see it.
type write struct{ Path, Before, After string }

func init() { plan.Register("test file", write{}) }

func (w write) String() string      { return "write " + filepath.Base(w.Path) + " " + w.After }
func (w write) Command() string     { return w.String() }
func (w write) Row() string         { return w.Path }
func (w write) Counts() plan.Counts { return plan.Counts{Change: 1} }
func (w write) Undo() plan.Step {
	if strings.HasSuffix(w.Path, "once") {
		return nil
	}
	return write{w.Path, w.After, w.Before}
}

func (w write) Done(context.Context, plan.Target) (bool, error) {
	now, err := os.ReadFile(w.Path)
	return string(now) == w.After, err
}

func (w write) Do(context.Context, plan.Target) error {
	now, err := os.ReadFile(w.Path)
	switch string(now) {
	case w.After:
		return plan.ErrAlready
	case w.Before:
		return os.WriteFile(w.Path, []byte(w.After), 0o600)
	}
	return errors.Join(err, &plan.Moved{Row: w.Path})
}

// fakeClock stands still until it is moved.
type fakeClock struct {
	mu     sync.Mutex
	time   time.Duration
	alarms map[chan struct{}]time.Duration
	moved  func() // after a sleep
}

func (c *fakeClock) now() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.time
}

func (c *fakeClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.time += d
	for ring, at := range c.alarms {
		if at <= c.time {
			close(ring)
			delete(c.alarms, ring)
		}
	}
}

func (c *fakeClock) sleep(ctx context.Context, d time.Duration) error {
	c.move(d)
	if c.moved != nil {
		c.moved()
	}
	return ctx.Err()
}

func (c *fakeClock) alarm(at time.Duration) (func(context.Context) error, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ring := make(chan struct{})
	if at <= c.time {
		close(ring)
	} else {
		c.alarms[ring] = at
	}
	return func(ctx context.Context) error {
		select {
		case <-ring:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}, nil
}

// bench is a host of files, with a runner and a guard as one process after the
// other has them. No timer is started: the tests are the timer (expire).
type bench struct {
	*testing.T
	dir   string // with the host's files, and the store
	clock *fakeClock
	boot  string
	armed error // what starting a timer answers
	log   []string

	plan.Runner
	*Guard
}

func newBench(t *testing.T) *bench {
	dir, err := os.MkdirTemp("/dev/shm", "lvsdeck-test-") // real syncing takes many tests a minute
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b := &bench{T: t, dir: dir, boot: "first", clock: &fakeClock{time: time.Hour, alarms: map[chan struct{}]time.Duration{}}}
	for _, name := range []string{"a", "b", "c", "once"} {
		b.put(name, "old")
	}
	b.restart(nil)
	return b
}

func (b *bench) put(name, text string)   { b.ok(os.WriteFile(b.file(name), []byte(text), 0o600)) }
func (b *bench) file(name string) string { return filepath.Join(b.dir, name) }

// restart is the next process, whose disk has a fault.
func (b *bench) restart(f persist.Fault) {
	b.Helper()
	store, err := openStore(b.dir, f)
	b.ok(err)
	b.Runner = newRunner(store)
	g, err := newGuard(store)
	b.ok(err)
	g.boot, g.clock = b.boot, clock{b.clock.now, b.clock.sleep, b.clock.alarm}
	g.Tell = func(line string) { b.log = append(b.log, line) }
	g.arm = func(context.Context, string, time.Duration) (Timer, error) { return Timer{}, b.armed }
	b.Guard, b.Runner.Guard = g, g
}

func openStore(dir string, f persist.Fault) (*persist.Store, error) {
	return persist.Open(persist.Options{Dir: filepath.Join(dir, "store"), Who: persist.Who{User: "alice"}, Fault: f})
}

func newRunner(store *persist.Store) plan.Runner {
	return plan.Runner{Target: plan.Target{Table: memory.New()}, Store: store, Rules: asJSON}
}

// asJSON is a language for rules that loses nothing.
var asJSON = persist.Language{
	Write: func(w io.Writer, r ipvs.Rules) error { return json.NewEncoder(w).Encode(r) },
	Read: func(r io.Reader) (rules ipvs.Rules, err error) {
		return rules, json.NewDecoder(r).Decode(&rules)
	},
}

// renew is a plan that changes files from old to new.
func renew(dir string, names ...string) plan.Plan {
	p := plan.Plan{Title: "renew " + strings.Join(names, " ")}
	for _, name := range names {
		p.Items = append(p.Items, plan.Item{Step: write{filepath.Join(dir, name), "old", "new"}, Reason: "It is old."})
	}
	return p
}

func (b *bench) renew(names ...string) plan.Plan { return renew(b.dir, names...) }

// apply runs a plan under the timer.
func (b *bench) apply(p plan.Plan, on func(plan.Event)) (plan.Result, error) {
	return b.Guard.Run(b.Context(), b.Runner, p, time.Minute, on)
}

// applied runs one that must be applied.
func (b *bench) applied(names ...string) plan.Result {
	b.Helper()
	r, err := b.apply(b.renew(names...), nil)
	b.ok(err)
	return r
}

// expire is the timer at the deadline of a change.
func (b *bench) expire(id string) {
	b.Helper()
	b.clock.move(time.Minute)
	ready := false
	b.ok(b.Watch(b.Context(), b.Runner, id, b.clock.now(), func() { ready = true }))
	if !ready {
		b.Error("the timer never was ready")
	}
}

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// holds compares the host's files: "new old old".
func (b *bench) holds(what, want string) {
	b.Helper()
	if got := host(b.dir); got != want {
		b.Errorf("%s: the host is %q, want %q", what, got, want)
	}
}

func host(dir string) string {
	var all []string
	for _, name := range []string{"a", "b", "c"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			text = []byte(err.Error())
		}
		all = append(all, string(text))
	}
	return strings.Join(all, " ")
}

// state says in words what an operator is told.
func (b *bench) state() string {
	b.Helper()
	s, err := b.Look()
	b.ok(err)
	return stateText(s)
}

func stateText(s State) string {
	var all []string
	if s.Pending != nil {
		all = append(all, fmt.Sprintf("%s waits %s", s.Pending, seconds(s.Left)))
	}
	if s.Lost {
		all = append(all, "lost")
	}
	for _, c := range s.Past {
		all = append(all, fmt.Sprintf("%s %s %d", c, c.Reverted.Outcome, len(c.Reverted.Failures)))
	}
	return strings.Join(all, ", ")
}

func (b *bench) stateIs(what, want string) {
	b.Helper()
	if got := b.state(); got != want {
		b.Errorf("%s: the state is %q, want %q", what, got, want)
	}
}

// nothing checks for the answer that nothing is pending, which says a text.
func (b *bench) nothing(err error, text string) {
	b.Helper()
	var none *Nothing
	if !errors.As(err, &none) || !strings.Contains(none.Error(), text) {
		b.Errorf("%v, want that nothing is pending and %q", err, text)
	}
}

// standing is what the journal has of a plan.
func (b *bench) standing(id string) string {
	b.Helper()
	h, err := plan.ReadHistory(b.Store)
	b.ok(err)
	e, err := h.Find(id)
	b.ok(err)
	return h.Standing(e)
}

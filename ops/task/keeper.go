package task

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
	"lvsdeck/ops/owner"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// Source is where samples come from; *ops.Sampler is one.
type Source interface {
	Latest() *ops.Sample
	ReadNow()
}

// Options say what a Keeper works with.
type Options struct {
	Source  Source
	Runner  *plan.Runner     // nil: nothing can be begun
	Reader  ipvs.Reader      // for the timeouts; nil: they stay unknown
	Sysctls netcfg.Sysctls   // nil: they stay unknown
	Now     func() time.Time // time.Now when nil

	// Owner tells who else manages the table: as far as is known, or found out at
	// this moment. nil: nobody looks.
	Owner func(now bool) *owner.Owner
}

// How often the Keeper looks for a new sample, reads settings, and tries a plan
// again that failed; and how often in a row.
const (
	beat          = time.Second
	settingsEvery = 5 * time.Second
	settingsTime  = 3 * time.Second
	retryAfter    = 10 * time.Second
	retries       = 5
)

// What is kept of ended tasks and of news that nobody asks for, as when the
// terminal is stalled; the journal has what was done.
const (
	endedMax = 50
	newsMax  = 50
)

// State is where a task stands.
type State uint8

// The states of a task.
const (
	Running   State = iota
	Done            // it did what it was for
	Stopped         // it could not go on
	Cancelled       // by the operator
)

var stateNames = [...]string{"running", "done", "stopped", "cancelled"}

func (s State) String() string { return stateNames[s] }

// task is a job and how it goes.
type task struct {
	id           int
	job          Job
	state        State
	word         string // how it ended, or what went wrong last
	began, ended time.Time

	owner  string             // who managed the table when it began
	first  string             // its first plan, which the others continue
	cancel context.CancelFunc // ends the plan that runs, between two steps

	failures int       // in a row
	retry    time.Time // not before
	changed  time.Time // when its last plan ended
}

func (t *task) key() Key { return keyOf(t.job.Row()) }

// News is what happened since it was last asked for.
type News struct {
	Ran   []plan.Result
	Ended []string // "remove 10.0.3.13:443: removed after 3 min"
}

// Keeper has the tasks and drives them. Everything but Run and Step returns at
// once.
type Keeper struct {
	opts  Options
	watch watch

	mu    sync.Mutex
	tasks []*task // oldest first
	last  int     // the newest id
	news  News
	seen  *ops.Sample

	read time.Time // settings, last
}

// NewKeeper makes a Keeper without tasks.
func NewKeeper(o Options) *Keeper {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Keeper{opts: o}
}

// Run drives the tasks until the context is done.
func (k *Keeper) Run(ctx context.Context) {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		k.Step(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Step looks once at the newest sample and does what is due.
func (k *Keeper) Step(ctx context.Context) {
	s := k.opts.Source.Latest()
	if s == nil || s.Err != nil {
		return // without a picture nothing is decided
	}
	k.Look(s)
	k.readSettings(ctx)
	for _, t := range k.running() {
		if m := k.ask(t, s); !m.plan.Empty() && ctx.Err() == nil {
			k.run(ctx, t, m.plan)
		}
	}
}

// run runs a task's plan, unless the task was cancelled or the table has got
// another owner since it was asked.
func (k *Keeper) run(ctx context.Context, t *task, p plan.Plan) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o := k.owner(true)
	k.mu.Lock()
	k.yield(t, o)
	goes := t.state == Running
	t.cancel, p.Continues = cancel, t.first
	k.mu.Unlock()
	if goes {
		result, err := k.opts.Runner.Run(ctx, p, nil)
		k.ran(t, result, err)
		k.opts.Source.ReadNow()
	}
}

func (k *Keeper) owner(now bool) *owner.Owner {
	if k.opts.Owner == nil {
		return nil
	}
	return k.opts.Owner(now)
}

// yield ends a task when another program manages the table than when it began.
func (k *Keeper) yield(t *task, o *owner.Owner) {
	if o != nil && o.Name != t.owner && t.state == Running {
		k.end(t, Stopped, fmt.Sprintf("%s (pid %d) manages this table now", o.Name, o.PID))
	}
}

// Look takes a sample into account without doing anything.
func (k *Keeper) Look(s *ops.Sample) {
	if s == nil || s.Err != nil {
		return
	}
	k.watch.add(s)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.seen == nil || s.Seq > k.seen.Seq || s.Time.After(k.seen.Time) {
		k.seen = s
	}
}

// Keep remembers what was seen. What it gives brings that back, as often as it is
// called: a recording goes back and forth.
func (k *Keeper) Keep() (back func()) {
	drains := k.watch.keep()
	k.mu.Lock()
	defer k.mu.Unlock()
	last := k.seen
	return func() { k.see(drains, last) }
}

// Forget forgets what was seen, before another time is told.
func (k *Keeper) Forget() { k.see(seen{}, nil) }

func (k *Keeper) see(drains seen, last *ops.Sample) {
	k.watch.restore(drains)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen = last
}

func (k *Keeper) running() (all []*task) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, t := range k.tasks {
		if t.state == Running {
			all = append(all, t)
		}
	}
	return all
}

// ask shows a task the sample, unless that was taken before the task's last
// change had ended.
func (k *Keeper) ask(t *task, s *ops.Sample) move {
	o := k.owner(false)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.yield(t, o)
	now := k.opts.Now()
	if t.state != Running || now.Before(t.retry) || !s.Time.After(t.changed) {
		return move{}
	}
	m := t.job.next(now, sightOf(s, t.key()))
	if m.stop != "" {
		k.end(t, Stopped, m.stop)
	}
	return m
}

// ran takes how a task's plan went. A row that has moved belongs to somebody
// else now; everything else may pass and is tried again.
func (k *Keeper) ran(t *task, result plan.Result, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.opts.Now()
	t.changed = now
	k.news.Ran = newest(append(k.news.Ran, result))
	var moved *plan.Moved
	var busy *persist.Busy
	switch {
	case err == nil:
		t.failures, t.word = 0, warning(result)
		t.first = cmp.Or(t.first, result.ID)
		if word := t.job.applied(now); word != "" {
			k.end(t, Done, word+t.word)
		}
	case t.state != Running:
	case errors.As(err, &moved):
		k.end(t, Stopped, byOthers(moved))
	case errors.As(err, &busy):
		t.word = "waits: " + err.Error()
	default:
		t.word, t.retry = err.Error(), now.Add(retryAfter)
		if t.failures++; t.failures == retries {
			k.end(t, Stopped, fmt.Sprintf("gave up after %d attempts: %v", retries, err))
		}
	}
}

func warning(r plan.Result) string {
	if r.Warning == nil {
		return ""
	}
	return "; done, but: " + r.Warning.Error()
}

// end ends a task, also one that was cancelled while its last plan ran: what was
// done is said.
func (k *Keeper) end(t *task, s State, word string) {
	t.state, t.word, t.ended = s, word, k.opts.Now()
	k.news.Ended = newest(append(k.news.Ended, t.job.short()+": "+word))
	ended := 0
	for _, t := range k.tasks {
		if t.state != Running {
			ended++
		}
	}
	if ended > endedMax {
		oldest := slices.IndexFunc(k.tasks, func(t *task) bool { return t.state != Running })
		k.tasks = slices.Delete(k.tasks, oldest, oldest+1)
	}
}

func newest[T any](news []T) []T { return news[max(0, len(news)-newsMax):] }

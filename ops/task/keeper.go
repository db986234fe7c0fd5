package task

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
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

// endedMax bounds the list of ended tasks; the journal has what they did.
const endedMax = 50

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
			result, err := k.opts.Runner.Run(ctx, m.plan, nil)
			k.ran(t, result, err)
			k.opts.Source.ReadNow()
		}
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
	if k.seen == nil || s.Seq > k.seen.Seq {
		k.seen = s
	}
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
	k.mu.Lock()
	defer k.mu.Unlock()
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
	k.news.Ran = append(k.news.Ran, result)
	var moved *plan.Moved
	var busy *persist.Busy
	switch {
	case err == nil:
		t.failures, t.word = 0, warning(result)
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
	k.news.Ended = append(k.news.Ended, t.job.short()+": "+word)
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

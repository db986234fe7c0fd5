package task

import (
	"fmt"
	"time"

	"lvsdeck/ops"
)

// Task is how a task stands, for a screen.
type Task struct {
	ID           int
	Key          Key
	Title        string // "remove 10.0.3.13:443 of TCP 203.0.113.10:443 when empty"
	State        State
	Progress     string // of a running one: "weight 40 of 100, step 4 of 10, 3 min left"
	Short        string // the same with the server, for one line among others
	Word         string // how it ended, or what went wrong last
	Began, Ended time.Time
}

// Tasks are the running ones, then those that have ended, each the newest first.
func (k *Keeper) Tasks() []Task {
	k.mu.Lock()
	defer k.mu.Unlock()
	var running, ended []Task
	for i := len(k.tasks) - 1; i >= 0; i-- {
		if t := k.tasks[i]; t.state == Running {
			running = append(running, k.picture(t))
		} else {
			ended = append(ended, k.picture(t))
		}
	}
	return append(running, ended...)
}

// Running are the tasks that are under way.
func (k *Keeper) Running() []Task {
	all := k.Tasks()
	for i, t := range all {
		if t.State != Running {
			return all[:i]
		}
	}
	return all
}

func (k *Keeper) picture(t *task) Task {
	p := Task{
		ID: t.id, Key: t.key(), Title: t.job.String(), State: t.state,
		Word: t.word, Began: t.began, Ended: t.ended,
	}
	if t.state == Running {
		p.Progress = t.job.progress(k.opts.Now())
		p.Short = fmt.Sprintf("%s: %s", t.job.short(), p.Progress)
	}
	return p
}

// Verdict judges a drained server, or gives false when it is not being drained.
func (k *Keeper) Verdict(key Key) (Verdict, bool) {
	k.mu.Lock()
	seen := k.seen
	k.mu.Unlock()
	svc, s := find(seen, key)
	if s == nil {
		return Verdict{}, false
	}
	return k.watch.verdict(svc, s)
}

// Begin begins a task, unless its server has one.
func (k *Keeper) Begin(j Job) error {
	began := &task{job: j}
	if o := k.owner(false); o != nil {
		began.owner = o.Name
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, t := range k.tasks {
		if t.state == Running && t.key() == keyOf(j.Row()) {
			return fmt.Errorf("a task is running for it already: %s", t.job)
		}
	}
	now := k.opts.Now()
	j.begin(now)
	k.last++
	began.id, began.began = k.last, now
	k.tasks = append(k.tasks, began)
	return nil
}

// Cancel ends a task where it stands: no step of it begins after this.
func (k *Keeper) Cancel(id int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, t := range k.tasks {
		if t.id == id && t.state == Running {
			k.end(t, Cancelled, "cancelled")
			if t.cancel != nil {
				t.cancel()
			}
		}
	}
}

// News hands over what happened, once.
func (k *Keeper) News() News {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.news
	k.news = News{}
	return n
}

// find gives a server of a sample with its service, or nil.
func find(s *ops.Sample, k Key) (*ops.Service, *ops.Server) {
	if s == nil {
		return nil, nil
	}
	for _, svc := range s.Services {
		if svc.ServiceID != k.Service {
			continue
		}
		for _, r := range svc.Servers {
			if r.Addr == k.Server {
				return svc, r
			}
		}
	}
	return nil, nil
}

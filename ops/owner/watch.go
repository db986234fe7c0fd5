package owner

import (
	"context"
	"sync/atomic"
	"time"
)

// Pace is how often a Watch looks: owners come and go with the services of a
// host, and looking costs two small files for each process.
const Pace = 10 * time.Second

// Watch keeps looking for the owner. The zero value has found none.
type Watch struct{ latest atomic.Pointer[Owner] }

// Latest is the owner when last looked for, or nil.
func (w *Watch) Latest() *Owner { return w.latest.Load() }

// Look looks once. What cannot be read leaves what was known.
func (w *Watch) Look(s System) {
	if o, err := Find(s); err == nil {
		w.latest.Store(o)
	}
}

// Run looks until the context ends.
func (w *Watch) Run(ctx context.Context, s System) {
	tick := time.NewTicker(Pace)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.Look(s)
		}
	}
}

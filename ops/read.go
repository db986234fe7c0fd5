package ops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"lvsdeck/ipvs"
)

// Observe takes one reading, as of now, and hands over its sample. Run does so
// at every interval; a caller with a time of its own (a demo that fills the
// trends, a test) can do so instead. When ctx ends, nothing is handed over.
func (s *Sampler) Observe(ctx context.Context, now time.Time) *Sample {
	s.reading.Lock()
	defer s.reading.Unlock()
	interval := s.Interval()
	limit := max(patience, interval)
	deadline, cancel := context.WithTimeout(ctx, limit)
	defer cancel()

	began := time.Now()
	r, err := s.read(deadline, interval)
	if ctx.Err() != nil {
		return s.Latest()
	}
	var sample *Sample
	if err != nil {
		sample = s.history.failed(inWords(err, limit), interval)
	} else {
		r.at, r.took, r.interval, r.missed = now, time.Since(began), interval, inWords(r.missed, limit)
		sample = s.history.sample(r)
	}
	s.publish(sample)
	return sample
}

// tooLate is a deadline that passed, in the operator's words.
type tooLate time.Duration

func (e tooLate) Error() string {
	return fmt.Sprintf("no answer from the kernel within %v", time.Duration(e))
}

// Is makes it what it was.
func (e tooLate) Is(target error) bool { return target == context.DeadlineExceeded }

func inWords(err error, limit time.Duration) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return tooLate(limit)
	}
	return err
}

func (s *Sampler) read(ctx context.Context, interval time.Duration) (r *reading, err error) {
	r = &reading{}
	if r.info, err = s.reader.Info(ctx); err != nil {
		return nil, err
	}
	if r.view, err = s.reader.Overview(ctx); err != nil {
		return nil, err
	}
	s.history.follow(&r.view)
	s.readDetails(ctx, r, interval)
	return r, nil
}

// readDetails reads the servers of the services in focus, and of others in turn
// while its limits last. The overview stands without them, so what fails here
// is only missed.
func (s *Sampler) readDetails(ctx context.Context, r *reading, interval time.Duration) {
	focus, all := s.inFocus()
	for _, id := range focus {
		if s.history.take(id) {
			s.readServers(ctx, r, id)
		}
	}
	services, until := turnServices, time.Now().Add(turnTime)
	if all {
		services, until = len(r.view.Services), time.Now().Add(interval)
	}
	for range services {
		if time.Now().After(until) || ctx.Err() != nil {
			return
		}
		id, ok := s.history.nextInTurn()
		if !ok {
			return
		}
		s.readServers(ctx, r, id)
	}
}

func (s *Sampler) readServers(ctx context.Context, r *reading, id ipvs.ServiceID) {
	servers, err := s.reader.Servers(ctx, id)
	if err != nil {
		r.missed = err
		return
	}
	r.details = append(r.details, detail{id, servers})
}

func (s *Sampler) inFocus() (ids []ipvs.ServiceID, all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.focus, s.also), s.all
}

// amend reads what a new focus wants and the latest sample does not have.
func (s *Sampler) amend(ctx context.Context, now time.Time) {
	s.reading.Lock()
	defer s.reading.Unlock()
	last := s.Latest()
	if last == nil || last.Err != nil {
		return // the next whole reading will do
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	focus, all := s.inFocus()
	if all {
		focus = s.history.services.keys
	}
	r := reading{at: now}
	for _, id := range focus {
		if ctx.Err() != nil {
			break
		}
		if s.history.lacks(id) {
			s.readServers(ctx, &r, id)
		}
	}
	if len(r.details) > 0 {
		s.publish(s.history.amend(&r))
	}
}

// lacks tells whether counters of a service's servers are missing in the last
// sample and can be had.
func (h *history) lacks(id ipvs.ServiceID) bool {
	at, ok := h.services.find(id, 0, ipvs.ServiceID.Compare)
	if !ok || h.services.kept[at].blind {
		return false
	}
	return slices.ContainsFunc(h.services.kept[at].last.Servers, func(s *Server) bool { return !s.Counted })
}

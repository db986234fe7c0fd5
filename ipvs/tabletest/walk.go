package tabletest

import (
	"fmt"
	"maps"
	"slices"

	"lvsdeck/ipvs"
)

func testRandomFields(t *table) {
	r := newRandom(2)
	want := map[ipvs.ServiceID]entry{}
	for range 60 {
		s := r.service()
		if _, there := want[s.ServiceID]; there {
			continue
		}
		t.ok(t.AddService(t.ctx, s))
		e := entry{s, map[string]ipvs.Server{}}
		for range 4 {
			rs := r.server(s.Family)
			t.ok(t.AddServer(t.ctx, s.ServiceID, rs))
			e.servers[rs.Addr.String()] = rs
		}
		want[s.ServiceID] = e
	}
	t.same("the whole table", stateText(want), t.read())
	for id, e := range want {
		s := r.service()
		s.ServiceID, s.Persistence.Mask = id, r.mask(id.Family)
		t.ok(t.SetService(t.ctx, s))
		for key, old := range e.servers {
			rs := r.server(id.Family)
			rs.Addr = old.Addr
			if rs.Family() != id.Family {
				rs.Forward = ipvs.TunnelFwd
			}
			t.ok(t.SetServer(t.ctx, id, rs))
			e.servers[key] = rs
		}
		want[id] = entry{s, e.servers}
	}
	t.same("the whole table after edits", stateText(want), t.read())
}

// testRandomWalk takes steps of all kinds over a few services and servers, so
// that most steps meet a table in which they cannot be taken, and compares each
// answer and the table in between with a model. Steps are taken alone or many at
// once.
func testRandomWalk(t *table) {
	w := walk{table: t, random: newRandom(3), model: map[ipvs.ServiceID]entry{}}
	for range 5 {
		s := w.service()
		if s.Persistence.On {
			s.Port = 80 + uint16(len(w.services))
		}
		w.services = append(w.services, s.ServiceID)
	}
	for round := range 120 {
		w.round()
		if round%10 == 9 {
			t.same(fmt.Sprintf("the table after %d rounds", round+1), stateText(w.model), t.read())
		}
		if t.Failed() {
			return
		}
	}
}

type walk struct {
	*table
	random
	services []ipvs.ServiceID
	model    map[ipvs.ServiceID]entry
}

// step is a change and the kind of error that the model answers with.
type step struct {
	ipvs.Change
	want error
}

// round takes one to nine steps.
func (w *walk) round() {
	var steps []step
	for range 1 + w.IntN(9) {
		steps = append(steps, w.step())
	}
	var errs []error
	if w.chance(2) {
		for _, s := range steps {
			errs = append(errs, s.On(w.ctx, w.Table))
		}
	} else {
		changes := make([]ipvs.Change, len(steps))
		for i, s := range steps {
			changes[i] = s.Change
		}
		errs = w.apply(changes)
	}
	for i, err := range errs {
		if s := steps[i]; !is(err, s.want) {
			w.Errorf("%s %s:\n want %v\n got  %v", s.Op, s.Target(), s.want, err)
		}
	}
	if w.chance(30) {
		w.ok(w.Flush(w.ctx))
		clear(w.model)
	}
}

// step makes the model take a step.
func (w *walk) step() step {
	id := w.services[w.IntN(len(w.services))]
	e, there := w.model[id]
	switch w.IntN(7) {
	case 0, 1:
		return w.stepService(id, e, there)
	case 2:
		if w.chance(3) {
			delete(w.model, id)
			return step{ipvs.Change{Op: ipvs.OpDeleteService, Service: ipvs.Service{ServiceID: id}}, unless(there, ipvs.ErrNoService)}
		}
	}
	return w.stepServer(id, e, there)
}

// unless is the error of a step that needs something to be so.
func unless(good bool, kind error) error {
	if good {
		return nil
	}
	return kind
}

func (w *walk) stepService(id ipvs.ServiceID, e entry, there bool) step {
	s := w.service()
	s.ServiceID, s.Persistence.Mask = id, w.mask(id.Family)
	if w.chance(2) {
		if !there {
			w.model[id] = entry{s, map[string]ipvs.Server{}}
		}
		return step{ipvs.Change{Op: ipvs.OpAddService, Service: s}, unless(!there, ipvs.ErrServiceExists)}
	}
	if there {
		w.model[id] = entry{s, e.servers}
	}
	return step{ipvs.Change{Op: ipvs.OpSetService, Service: s}, unless(there, ipvs.ErrNoService)}
}

func (w *walk) stepServer(id ipvs.ServiceID, e entry, service bool) step {
	s := w.server(id.Family)
	for s.Family() != id.Family { // tried elsewhere
		s = w.server(id.Family)
	}
	known := slices.Sorted(maps.Keys(e.servers))
	if len(known) > 0 && !w.chance(3) {
		s.Addr = e.servers[known[w.IntN(len(known))]].Addr
	}
	key := s.Addr.String()
	_, there := e.servers[key]
	op, want := ipvs.OpAddServer, unless(!there, ipvs.ErrServerExists)
	switch w.IntN(4) {
	case 0:
		op, want = ipvs.OpDeleteServer, unless(there, ipvs.ErrNoServer)
	case 1:
		op, want = ipvs.OpSetServer, unless(there, ipvs.ErrNoServer)
	}
	switch {
	case !service:
		want = ipvs.ErrNoService
	case op == ipvs.OpDeleteServer:
		delete(e.servers, key)
	case want == nil:
		e.servers[key] = s
	}
	return step{ipvs.ChangeServer(op, id, s), want}
}

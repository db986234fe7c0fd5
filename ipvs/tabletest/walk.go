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
// answer and the table in between with a model.
func testRandomWalk(t *table) {
	w := walk{table: t, random: newRandom(3), model: map[ipvs.ServiceID]entry{}}
	for range 5 {
		s := w.service()
		if s.Persistence.On {
			s.Port = 80 + uint16(len(w.services))
		}
		w.services = append(w.services, s.ServiceID)
	}
	for step := range 600 {
		w.step()
		if step%50 == 49 {
			t.same(fmt.Sprintf("the table after %d steps", step+1), stateText(w.model), t.read())
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

func (w *walk) step() {
	id := w.services[w.IntN(len(w.services))]
	e, there := w.model[id]
	switch w.IntN(7) {
	case 0, 1:
		w.stepService(id, e, there)
	case 2:
		if w.chance(3) {
			err := w.DeleteService(w.ctx, id)
			w.expect(err, there, ipvs.ErrNoService, "delete "+id.String())
			delete(w.model, id)
		}
	default:
		w.stepServer(id, e, there)
	}
	if w.chance(150) {
		w.ok(w.Flush(w.ctx))
		clear(w.model)
	}
}

func (w *walk) stepService(id ipvs.ServiceID, e entry, there bool) {
	s := w.service()
	s.ServiceID, s.Persistence.Mask = id, w.mask(id.Family)
	if w.chance(2) {
		w.expect(w.AddService(w.ctx, s), !there, ipvs.ErrServiceExists, "add "+id.String())
		if !there {
			w.model[id] = entry{s, map[string]ipvs.Server{}}
		}
		return
	}
	w.expect(w.SetService(w.ctx, s), there, ipvs.ErrNoService, "set "+id.String())
	if there {
		w.model[id] = entry{s, e.servers}
	}
}

func (w *walk) stepServer(id ipvs.ServiceID, e entry, service bool) {
	s := w.server(id.Family)
	if s.Family() != id.Family {
		return // tried elsewhere
	}
	known := slices.Sorted(maps.Keys(e.servers))
	if len(known) > 0 && !w.chance(3) {
		s.Addr = e.servers[known[w.IntN(len(known))]].Addr
	}
	key := s.Addr.String()
	_, there := e.servers[key]
	what := ipvs.ServerTarget(id, s)
	if !service {
		w.expect(w.AddServer(w.ctx, id, s), false, ipvs.ErrNoService, what)
		return
	}
	switch w.IntN(4) {
	case 0:
		w.expect(w.DeleteServer(w.ctx, id, s), there, ipvs.ErrNoServer, "delete "+what)
		delete(e.servers, key)
	case 1:
		w.expect(w.SetServer(w.ctx, id, s), there, ipvs.ErrNoServer, "set "+what)
		if there {
			e.servers[key] = s
		}
	default:
		w.expect(w.AddServer(w.ctx, id, s), !there, ipvs.ErrServerExists, "add "+what)
		if !there {
			e.servers[key] = s
		}
	}
}

// expect checks that a step went well, or else was refused for that reason.
func (w *walk) expect(err error, good bool, kind error, what string) {
	w.Helper()
	if good {
		kind = nil
	}
	if !is(err, kind) {
		w.Errorf("%s:\n want %v\n got  %v", what, kind, err)
	}
}

package plan

import (
	"lvsdeck/ipvs"
	"lvsdeck/persist"
)

// Meant gives what tells the weight that a server is meant to have: that from
// before it was drained, or the one it is on its way to. It is 0 where that is not
// known, as when others have given the server another weight since.
func Meant(s *persist.Store) (func(Row) uint32, error) {
	all, err := s.Weights().Get()
	return func(r Row) uint32 {
		w := all[persist.ServerKey(r.Service, r.Server.Addr)]
		if r.Server.Weight != 0 && r.Server.Weight != w.Now {
			return 0
		}
		return w.Meant
	}, err
}

// remember keeps the weights that servers are meant to have which this plan has
// drained or brought a part of the way, as far as that is in effect, and forgets
// those of servers that have got there or are gone.
func (x *run) remember() error {
	var steps []Step
	for i, s := range x.Steps {
		if s.State != Done && s.State != NotTakenBack {
			continue
		}
		switch step := x.Plan.Items[i].Step.(type) {
		case ChangeServer, ChangeService, FlushTable:
			steps = append(steps, step)
		}
	}
	if len(steps) == 0 {
		return nil
	}
	return x.runner.Store.Weights().Update(func(all map[string]persist.Weight) {
		for _, step := range steps {
			switch step := step.(type) {
			case ChangeServer:
				x.weigh(all, step)
			case ChangeService:
				if step.After == nil {
					forget(all, step.id(), step.Servers...)
				}
			case FlushTable:
				if !step.Back {
					clear(all)
				}
			}
		}
	})
}

func forget(all map[string]persist.Weight, id ipvs.ServiceID, servers ...ipvs.Server) {
	if len(all) == 0 {
		return // and spare the names of thousands
	}
	for _, s := range servers {
		delete(all, persist.ServerKey(id, s.Addr))
	}
}

// weigh takes into account that a server has another weight now. What it was meant
// to have counts while it is where we left it: others may have given it another
// weight since.
func (x *run) weigh(all map[string]persist.Weight, step ChangeServer) {
	switch {
	case step.Before == nil:
		forget(all, step.Service, *step.After)
		return
	case step.After == nil:
		forget(all, step.Service, *step.Before)
		return
	}
	key, before, after := persist.ServerKey(step.Service, step.Before.Addr), step.Before.Weight, step.After.Weight
	if before == after {
		return
	}
	meant := x.Plan.Toward
	switch w, known := all[key]; {
	case meant > 0:
	case known && (w.Now == before || before == 0):
		meant = w.Meant
	case after == 0:
		meant = before
	}
	if onItsWay := after == 0 || x.Plan.Toward > 0 || x.Plan.Undoes != ""; onItsWay && meant > 0 && meant != after {
		all[key] = persist.Weight{Meant: meant, Now: after}
	} else {
		delete(all, key)
	}
}

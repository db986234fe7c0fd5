package plan

import "lvsdeck/persist"

// remember keeps the weights of the servers that this plan has drained, as far as
// that is in effect, and forgets those of servers that have a weight again or are
// gone.
func (x *run) remember() error {
	change := map[string]uint32{} // 0: forget
	for i, s := range x.Steps {
		step, ok := x.Plan.Items[i].Step.(ChangeServer)
		if !ok || s.State != Done && s.State != NotTakenBack || step.Before == nil {
			continue
		}
		key := persist.ServerKey(step.Service, step.Before.Addr)
		switch {
		case step.After == nil || step.After.Weight > 0:
			change[key] = 0
		case step.Before.Weight > 0:
			change[key] = step.Before.Weight
		}
	}
	if len(change) == 0 {
		return nil
	}
	return x.runner.Store.Drained().Update(func(all map[string]uint32) {
		for key, weight := range change {
			if all[key] = weight; weight == 0 {
				delete(all, key)
			}
		}
	})
}

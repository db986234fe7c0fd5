package setup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

// Return is the way back from set-ups, ready to be gone.
type Return struct {
	Services []ipvs.ServiceID
	Plan     plan.Plan

	// Notes are sentences: that a session may be cut, what is not as set-up left it,
	// and what stays.
	Notes []string
}

// Unset makes the plan that takes back what the set-ups of some services did, and
// nothing else. What another set-up needs stays and is that one's from then on.
// Services go as they are now, however they were changed meanwhile: the notes say
// how. A setting of the host that somebody has changed since stays, too. The session
// of whoever asks, with its link, may be nil.
func (b Book) Unset(ctx context.Context, session *Session, ids ...ipvs.ServiceID) (Return, error) {
	records, err := b.List()
	if err != nil {
		return Return{}, err
	}
	back := returning{Return: Return{Services: ids}, target: b.Runner.Target}
	for _, id := range ids {
		i := slices.IndexFunc(records, func(r Record) bool { return r.Wish.Service == id })
		if i < 0 {
			return Return{}, fmt.Errorf("no set-up of %s is known here; lvsdeck journal lists every change, and undo takes one back", id)
		}
		back.leaving = append(back.leaving, records[i])
		records = slices.Delete(records, i, i+1)
	}
	back.staying = records
	if back.running, err = persist.ReadRules(ctx, b.Runner.Target.Table); err != nil {
		return Return{}, err
	}
	back.Plan.Title = "take back the set-up of " + listed(ids)
	err = back.collect(ctx)
	back.tellServers()
	if cuts := touches(back.Plan, session); cuts != "" {
		back.Notes = append([]string{cuts}, back.Notes...)
	}
	return back.Return, err
}

// tellServers says what is not undone here: modes that need something of the real
// servers left it there.
func (r *returning) tellServers() {
	var modes []string
	for _, record := range r.leaving {
		if m := string(record.Wish.Mode); record.Wish.Mode != FullNAT && !slices.Contains(modes, m) {
			modes = append(modes, m)
			r.note("Real servers stay as they are. To undo their part, on each of them: lvsdeck realserver %s … undo, or the script's own undo.", m)
		}
	}
}

func listed(ids []ipvs.ServiceID) string {
	if len(ids) == 1 {
		return ids[0].String()
	}
	return fmt.Sprintf("%d services", len(ids))
}

// Go takes the set-ups back, or, when a step fails, leaves all as it was. The way
// back is itself taken back unless it is confirmed within a time; 0 is without a
// timer.
func (b Book) Go(ctx context.Context, r Return, within time.Duration, on func(plan.Event)) (plan.Result, error) {
	if r.Plan.Empty() { // nothing is left of them
		return plan.Result{Plan: r.Plan, Outcome: plan.Applied}, b.forget(r.Services)
	}
	return b.run(ctx, r.Plan, within, noted{begun: func(id string) error { return b.leave(r.Services, id) }}, on)
}

func (b Book) forget(ids []ipvs.ServiceID) error {
	return b.update(func(all map[string]*Record) error {
		for _, id := range ids {
			delete(all, persist.ServiceKey(id))
		}
		return nil
	})
}

// leave marks set-ups as gone with a plan, and hands what others need to those.
// Should the plan be taken back, both have it, which does no harm: it goes with
// the last of them.
func (b Book) leave(ids []ipvs.ServiceID, plan string) error {
	return b.update(func(all map[string]*Record) error {
		for _, id := range ids {
			r := all[persist.ServiceKey(id)]
			if r == nil {
				return fmt.Errorf("the set-up of %s went meanwhile; look again", id)
			}
			r.gone = plan
			for i, own := range r.Own {
				for _, heir := range all {
					if own && heir.gone == "" && heir.find(r.Steps[i].Step) >= 0 {
						heir.put(r.Steps[i], r.did[i])
					}
				}
			}
		}
		return nil
	})
}

// returning collects the steps of a way back.
type returning struct {
	Return
	target           plan.Target
	leaving, staying []Record
	running          ipvs.Rules
}

func (r *returning) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

func (r *returning) collect(ctx context.Context) error {
	for _, record := range slices.Backward(r.leaving) {
		for i, item := range slices.Backward(record.Steps) {
			if !record.Own[i] {
				continue
			}
			if err := r.takeBack(ctx, record, item.Step); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *returning) takeBack(ctx context.Context, record Record, s plan.Step) error {
	switch s := s.(type) {
	case plan.ChangeServer:
		r.server(record, s)
	case plan.ChangeService:
		r.service(record)
	case plan.ChangeSetting[netcfg.Module]: // another may use it by now
	default:
		return r.setting(ctx, s)
	}
	return nil
}

// neededBy names who needs what a step did: another set-up, or a service that
// others made at an address.
func (r *returning) neededBy(s plan.Step) string {
	for _, other := range r.staying {
		if other.find(s) >= 0 {
			return "the set-up of " + other.Wish.Service.String()
		}
	}
	if a, ok := s.(plan.ChangeSetting[netcfg.Address]); ok {
		for _, other := range r.running.Services {
			if other.Addr == a.Setting.Prefix.Addr() && !slices.Contains(r.Services, other.ServiceID) {
				return other.ServiceID.String()
			}
		}
	}
	return ""
}

func (r *returning) setting(ctx context.Context, s plan.Step) error {
	if who := r.neededBy(s); who != "" {
		r.note("%s stays: %s needs it.", s.Row(), who)
		return nil
	}
	if slices.ContainsFunc(r.Plan.Items, func(i plan.Item) bool { return i.Step.Row() == s.Row() }) {
		return nil // two of those that leave have it
	}
	undo := plan.Plan{Items: []plan.Item{{Step: s.Undo(), Reason: "Takes back: " + s.String() + "."}}}
	preview, err := undo.Preview(ctx, r.target)
	switch {
	case errors.Is(err, ipvs.ErrNoDevice), errors.Is(err, netcfg.ErrAbsent):
		return nil // it went with its link
	case err != nil:
		return err
	}
	switch preview.States[0] {
	case plan.ToDo:
		r.Plan.Items = append(r.Plan.Items, undo.Items...)
	case plan.Shifted:
		r.note("%s stays: somebody has changed it since.", s.Row())
	}
	return nil
}

func (r *returning) now(id ipvs.ServiceID) *ipvs.ServiceRules {
	for i := range r.running.Services {
		if r.running.Services[i].ServiceID == id {
			return &r.running.Services[i]
		}
	}
	return nil
}

// server goes with its service when that goes, else alone.
func (r *returning) server(record Record, s plan.ChangeServer) {
	service := record.Wish.rules().Service
	if i := record.find(plan.ChangeService{After: &service}); i >= 0 && record.Own[i] {
		return
	}
	now := r.now(s.Service)
	if now == nil {
		return
	}
	if i := slices.IndexFunc(now.Servers, sameAddr(*s.After)); i >= 0 {
		r.Plan.Items = append(r.Plan.Items, plan.RemoveServers([]plan.Row{{Service: s.Service, Server: now.Servers[i]}}).Items...)
	}
}

// service goes with the servers it has now.
func (r *returning) service(record Record) {
	now := r.now(record.Wish.Service)
	if now == nil {
		r.note("%s is gone already.", record.Wish.Service)
		return
	}
	was := ipvs.Rules{Services: []ipvs.ServiceRules{record.Wish.rules()}}
	for _, i := range plan.Restore(was, ipvs.Rules{Services: []ipvs.ServiceRules{*now}}, false).Items {
		r.note("Changed since it was set up: %s. It goes as it is now.", i.Step)
	}
	r.Plan.Items = append(r.Plan.Items, plan.RemoveServices([]ipvs.ServiceRules{*now}).Items...)
}

package boot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/keep"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/setup"
	"lvsdeck/persist"
)

// Boot brings about what is kept: the host's settings and then the rules file, of
// which it removes nothing that runs. What is so already stays, so that it can be
// run at any time. It needs neither journal nor lock: a disk that is full or
// read-only does not keep a director from its work.
type Boot struct {
	Place  Place
	Target plan.Target

	// Book tells of set-ups that were undone since; nil: nobody is asked.
	Book *setup.Book

	// Wait is how long links that are not there yet are waited for, all together.
	// Everything else is done before.
	Wait time.Duration

	Tell func(line string) // what happens, a line each
}

// Tally is how the steps ended.
type Tally struct{ Done, Already, Failed int }

// lookEvery is between two looks for links.
const lookEvery = 250 * time.Millisecond

// Run does it all, each step on its own. The error is what kept it from trying:
// files that cannot be read. Failed steps are told and counted.
func (b Boot) Run(ctx context.Context) (t Tally, err error) {
	k, keptErr := b.Place.read()
	undone := b.undone(k)
	items, unreadable := b.settings(k, undone)
	late := b.do(ctx, items, &t)
	rules, rulesErr := b.rules(ctx, k, undone)
	late = append(late, b.do(ctx, rules, &t)...)
	b.await(ctx, late, &t)
	return t, errors.Join(keptErr, unreadable, rulesErr)
}

// settings are the steps on the host, of all set-ups in their order; what several
// need is done once. One that cannot be read does not keep the others.
func (b Boot) settings(k kept, undone map[ipvs.ServiceID]bool) (items []plan.Item, err error) {
	seen := map[string]bool{}
	for _, e := range k.Setups {
		if undone[e.Service] {
			b.Tell(fmt.Sprintf("passed over: the set-up of %s was undone since it was kept; lvsdeck keep lets it go for good", e.Service))
			continue
		}
		all, unreadable := e.items()
		err = errors.Join(err, unreadable)
		for _, i := range all {
			does := i.Step.String()
			if s, ok := i.Step.(plan.ChangeSysctl); ok {
				does = s.Row() + "=" + s.After // from wherever
			}
			if !seen[does] {
				seen[does] = true
				items = append(items, i)
			}
		}
	}
	return items, err
}

// undone asks the book. A set-up whose way back was never confirmed comes back: the
// restart took that with it.
func (b Boot) undone(k kept) map[ipvs.ServiceID]bool {
	if b.Book == nil || len(k.Setups) == 0 {
		return nil
	}
	fates, err := b.Book.Fates()
	if err != nil {
		b.Tell("the book of set-ups cannot be read, all that is kept is brought back: " + err.Error())
		return nil
	}
	undone := map[ipvs.ServiceID]bool{}
	var back []ipvs.ServiceID
	for _, id := range k.services() {
		switch fates[id] {
		case setup.Undone:
			undone[id] = true
		case setup.Left:
			back = append(back, id)
		}
	}
	if len(back) > 0 {
		if err := b.Book.CameBack(back...); err != nil {
			b.Tell("the book of set-ups cannot be written: " + err.Error())
		}
	}
	return undone
}

// rules are the steps from what runs to the rules file. The service of a set-up that
// was undone stays away with it, unless the file had it before.
func (b Boot) rules(ctx context.Context, k kept, undone map[ipvs.ServiceID]bool) ([]plan.Item, error) {
	if _, err := os.Stat(b.Place.Rules); errors.Is(err, fs.ErrNotExist) {
		b.Tell("no rules are kept: there is no " + b.Place.Rules)
		return nil, nil
	}
	saved, err := keep.Open(b.Place.Rules)
	if err != nil {
		return nil, err
	}
	saved.Rules.Services = slices.DeleteFunc(saved.Rules.Services, func(s ipvs.ServiceRules) bool {
		return undone[s.ServiceID] && !k.Setups[k.find(s.ServiceID)].InRules
	})
	running, err := persist.ReadRules(ctx, b.Target.Table)
	return plan.Restore(running, saved.Rules, true).Items, err
}

// tooEarly is a step that fails as long as a link is not there.
type tooEarly struct {
	plan.Item
	why error
}

// do does steps and gives back those that may only come too early.
func (b Boot) do(ctx context.Context, items []plan.Item, t *Tally) (late []tooEarly) {
	p := plan.Plan{Items: slices.Clone(items)}
	for i := range p.Items {
		p.Items[i].Step = b.renewed(p.Items[i].Step)
	}
	for i, s := range plan.Each(ctx, b.Target, p).Steps {
		words := p.Items[i].Step.String()
		switch {
		case s.State == plan.Already:
			t.Already++
		case s.State == plan.Done:
			t.Done++
			b.Tell("done: " + words)
		case isEarly(s.Err):
			late = append(late, tooEarly{items[i], s.Err})
		default:
			t.Failed++
			b.Tell(fmt.Sprintf("failed: %s: %v", words, s.Err))
		}
	}
	return late
}

// renewed is a step from what is now: after a restart a sysctl has its first value,
// which need not be the one that set-up found.
func (b Boot) renewed(s plan.Step) plan.Step {
	if sysctl, ok := s.(plan.ChangeSysctl); ok && b.Target.Sysctls != nil {
		if now, err := plan.ReadSysctl(b.Target.Sysctls, sysctl.Name, sysctl.After); err == nil {
			return now
		}
	}
	return s
}

func isEarly(err error) bool {
	return errors.Is(err, ipvs.ErrNoDevice) || errors.Is(err, netcfg.ErrAbsent) || errors.Is(err, netcfg.ErrGateway)
}

// await tries again what came too early, until its time is over.
func (b Boot) await(ctx context.Context, late []tooEarly, t *Tally) {
	for _, l := range late {
		b.Tell(fmt.Sprintf("waiting, up to %s: %v", b.Wait, l.why))
	}
	over := time.After(b.Wait)
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for len(late) > 0 {
		last := false
		select {
		case <-look.C:
		case <-over:
			last = true
		case <-ctx.Done():
			last = true
		}
		items := make([]plan.Item, len(late))
		for i := range late {
			items[i] = late[i].Item
		}
		if late = b.do(context.WithoutCancel(ctx), items, t); last {
			break
		}
	}
	for _, l := range late {
		t.Failed++
		b.Tell(fmt.Sprintf("failed: %s: %v", l.Step, l.why))
	}
}

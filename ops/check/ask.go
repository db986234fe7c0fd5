package check

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
	"lvsdeck/ops/probe"
)

// batch is how many servers are asked before it is told how far that has come: as
// many as are asked at the same time.
const batch = 16

// Probe asks the servers of services by packets, each once, and each VIP's segment
// who else has it. What is found is told in reports for a while. Progress, which
// may be nil, hears how many of all servers were asked. The error is the context's,
// probe.ErrPermission, or that there is nothing to ask about yet.
func (w *Watch) Probe(ctx context.Context, only func(ipvs.ServiceID) bool, progress func(asked, of int)) error {
	scene, err := w.lastScene(ctx)
	if err != nil {
		return err
	}
	found, err := ask(ctx, w.from.Host, scene, only, progress)
	if err != nil {
		return err
	}
	w.tell(scene, only, found)
	return nil
}

// tell puts what probes found in the place of what they found before.
func (w *Watch) tell(scene Scene, only func(ipvs.ServiceID) bool, found []Finding) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for _, v := range scene.Sample.Services {
		if only(v.ServiceID) {
			w.probed[v.ServiceID] = probeAnswers{at: now}
		}
	}
	for _, f := range found {
		f.Evidence = append(slices.Clone(f.Evidence), "probed at "+now.Format(time.TimeOnly))
		a := w.probed[f.Service]
		a.findings = append(a.findings, f)
		w.probed[f.Service] = a
	}
	w.report.Probed = now
	w.publish()
}

// SceneOf looks anew at one service and the host around it, which on a big director
// is a fraction of a round. Connections are read for a while only (see Sources);
// whether the rules are saved is as the last round found it. The error is the
// context's, or that there is no sample.
func (w *Watch) SceneOf(ctx context.Context, id ipvs.ServiceID) (Scene, error) {
	sample, err := w.freshSample(ctx)
	if err != nil {
		return Scene{}, err
	}
	only, from := *sample, w.from
	only.Services = slices.DeleteFunc(slices.Clone(sample.Services), func(v *ops.Service) bool { return v.ServiceID != id })
	from.RulesFile = ""
	scene, err := gather(ctx, from, &only, &kept{}, false)
	if err != nil {
		return Scene{}, err
	}
	scene.Unread = append(scene.Unread, notRead(sample)...)
	scene.Lately, scene.Longer = w.meter.moved()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.scene != nil {
		scene.Saved = w.scene.Saved
	}
	return scene, nil
}

// lastScene is that of the last round, of which there is one at least.
func (w *Watch) lastScene(ctx context.Context) (Scene, error) {
	w.mu.Lock()
	scene := w.scene
	w.mu.Unlock()
	if scene == nil {
		if _, err := w.round(ctx, true); err != nil {
			return Scene{}, err
		}
		return w.lastScene(ctx)
	}
	return *scene, nil
}

// ask sends the probes.
func ask(ctx context.Context, host netcfg.Surroundings, s Scene, only func(ipvs.ServiceID) bool, progress func(asked, of int)) (all []Finding, err error) {
	var o probe.Options
	for _, v := range s.Sample.Services {
		o.Services = append(o.Services, v.ServiceID)
	}
	prober, err := probe.Open(host, o)
	if err != nil {
		return nil, err
	}
	defer prober.Close()
	asked := map[netip.Addr]bool{}
	for _, v := range s.Sample.Services {
		if v.IsMark() || !only(v.ServiceID) || !s.Ways[v.Addr].Local || asked[v.Addr] {
			continue
		}
		asked[v.Addr] = true
		all = append(all, Claimed(v.ServiceID, prober.VIP(ctx, v.Addr, serversOf(s.Sample, v.Addr)))...)
	}
	targets, done := Targets(s, only), 0
	for some := range slices.Chunk(targets, batch) {
		all = append(all, Probed(prober.Servers(ctx, some...))...)
		if done += len(some); progress != nil {
			progress(done, len(targets))
		}
	}
	return all, ctx.Err()
}

// serversOf are the servers of all services of a VIP.
func serversOf(s *ops.Sample, vip netip.Addr) (all []netip.Addr) {
	for _, v := range s.Services {
		for _, r := range v.Servers {
			if a := r.Addr.Addr(); v.Addr == vip && !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all
}

package check

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
	"lvsdeck/ops/probe"
)

// batch is how many servers are asked before it is told how far that has come: as
// many as are asked at the same time.
const batch = 16

// prober is who asks; *probe.Prober is one.
type prober interface {
	VIP(ctx context.Context, vip netip.Addr, servers []netip.Addr) probe.Finding
	Free(ctx context.Context, vip netip.Addr, link string) probe.Finding
	Servers(context.Context, ...probe.Target) []probe.Result
	Close() error
}

func openProber(host netcfg.Surroundings, o probe.Options) (prober, error) {
	return probe.Open(host, o)
}

// Asked is what came of asking servers, and segments for VIPs.
type Asked struct {
	Servers []probe.Result
	VIPs    []AskedVIP // of those that are here
}

// AskedVIP is what came of asking for the VIP of a service, which may have others.
type AskedVIP struct {
	Service ipvs.ServiceID
	probe.Finding
}

// Findings are what is not as it should be, or cannot be told.
func (a Asked) Findings() (all []Finding) {
	for _, v := range a.VIPs {
		all = append(all, Claimed(v.Service, v.Finding)...)
	}
	return append(all, Probed(a.Servers)...)
}

// String says in a line what came of it.
func (a Asked) String() string {
	if len(a.Servers)+len(a.VIPs) == 0 {
		return "there is nobody to ask"
	}
	var answer, ping, fail, unknown int
	for _, r := range a.Servers {
		switch {
		case r.Verdict == probe.Unknown:
			unknown++
		case r.Verdict != probe.Fine:
			fail++
		case r.Protocol != ipvs.TCP:
			ping++
		default:
			answer++
		}
	}
	var parts []string
	part := func(n int, one, several string) {
		switch {
		case n == 1:
			parts = append(parts, "1 "+one)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", n, several))
		}
	}
	part(answer, "answers", "answer")
	part(ping, "answers pings", "answer pings")
	part(fail, "does not as it should", "do not as they should")
	part(unknown, "cannot be told", "cannot be told")
	says := "1 server asked"
	if n := len(a.Servers); n != 1 {
		says = fmt.Sprintf("%d servers asked", n)
	}
	if len(parts) > 0 {
		says += ": " + strings.Join(parts, ", ")
	}
	return says + a.claims()
}

// claims says who else has the VIPs.
func (a Asked) claims() string {
	others, unknown := 0, 0
	for _, v := range a.VIPs {
		switch {
		case v.Verdict == probe.Unknown:
			unknown++
		case v.Verdict != probe.Fine:
			others++
		}
	}
	switch n := len(a.VIPs); {
	case n == 0:
		return ""
	case n == 1 && others == 1:
		return "; the VIP is not this director's alone"
	case n == 1 && unknown == 1:
		return "; who has the VIP cannot be told"
	case n == 1:
		return "; nobody else has the VIP"
	case others > 0:
		return fmt.Sprintf("; %d of %d VIPs are not this director's alone", others, n)
	case unknown > 0:
		return fmt.Sprintf("; who has %d of %d VIPs cannot be told", unknown, n)
	default:
		return fmt.Sprintf("; nobody else has one of %d VIPs", n)
	}
}

// Probe asks the servers of services by packets, each once, and each VIP's segment
// who else has it. What is found is told in reports for a while. Progress, which
// may be nil, hears how many of all servers were asked. The error is the context's,
// probe.ErrPermission, or that there is nothing to ask about yet.
func (w *Watch) Probe(ctx context.Context, only func(ipvs.ServiceID) bool, progress func(asked, of int)) (Asked, error) {
	scene, err := w.lastScene(ctx)
	if err != nil {
		return Asked{}, err
	}
	return w.ProbeIn(ctx, scene, only, progress)
}

// ProbeIn is Probe of the services of a scene.
func (w *Watch) ProbeIn(ctx context.Context, scene Scene, only func(ipvs.ServiceID) bool, progress func(asked, of int)) (Asked, error) {
	asked, away, err := w.ask(ctx, scene, only, progress)
	if err != nil {
		return Asked{}, err
	}
	w.learn(away)
	w.tell(scene, only, asked.Findings())
	return asked, nil
}

// learn has checks judge VIPs that are not here by what their segments answered.
func (w *Watch) learn(away map[netip.Addr]Elsewhere) {
	if len(away) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	all := maps.Clone(w.kept.elsewhere)
	if all == nil {
		all = map[netip.Addr]Elsewhere{}
	}
	maps.Copy(all, away)
	w.kept.elsewhere = all
	if w.scene != nil {
		scene := *w.scene
		scene.Elsewhere = all
		w.scene, w.found = &scene, Run(scene)
	}
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
	if w.scene != nil {
		w.publish()
	}
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
	scene.Elsewhere = w.kept.elsewhere
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

// ask sends the probes. No packet comes from the VIP of any service, so all count,
// and not those of the scene alone.
func (w *Watch) ask(ctx context.Context, s Scene, only func(ipvs.ServiceID) bool, progress func(asked, of int)) (all Asked, away map[netip.Addr]Elsewhere, err error) {
	every := s.Sample.Services
	if latest := w.sample.Load(); latest != nil {
		every = slices.Concat(every, latest.Services)
	}
	var o probe.Options
	for _, v := range every {
		o.Services = append(o.Services, v.ServiceID)
	}
	prober, err := w.open(w.from.Host, o)
	if err != nil {
		return all, nil, err
	}
	defer prober.Close()
	away = elsewhere(ctx, prober, s, only)
	asked := map[netip.Addr]bool{}
	for _, v := range s.Sample.Services {
		if v.IsMark() || !only(v.ServiceID) || !s.Ways[v.Addr].Local || asked[v.Addr] {
			continue
		}
		asked[v.Addr] = true
		all.VIPs = append(all.VIPs, AskedVIP{v.ServiceID, prober.VIP(ctx, v.Addr, serversOf(every, v.Addr))})
	}
	targets := Targets(s, only)
	for some := range slices.Chunk(targets, batch) {
		all.Servers = append(all.Servers, prober.Servers(ctx, some...)...)
		if progress != nil {
			progress(len(all.Servers), len(targets))
		}
	}
	return all, away, ctx.Err()
}

// elsewhere asks segments for the VIPs that are not here.
func elsewhere(ctx context.Context, asker prober, s Scene, only func(ipvs.ServiceID) bool) map[netip.Addr]Elsewhere {
	all := map[netip.Addr]Elsewhere{}
	for _, v := range s.Sample.Services {
		way, known := s.Ways[v.Addr]
		if _, asked := all[v.Addr]; asked || v.IsMark() || !only(v.ServiceID) || !known || way.Local {
			continue
		}
		if link := s.linkFor(v.Addr); link != "" {
			found := asker.Free(ctx, v.Addr, link)
			all[v.Addr] = Elsewhere{At: time.Now(), Free: found.Verdict == probe.Fine, Has: found.Verdict == probe.Fault, Says: found.Short}
		}
	}
	return all
}

// serversOf are the servers of all services of a VIP.
func serversOf(services []*ops.Service, vip netip.Addr) (all []netip.Addr) {
	for _, v := range services {
		for _, r := range v.Servers {
			if a := r.Addr.Addr(); v.Addr == vip && !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all
}

package why

import (
	"fmt"
	"slices"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/plan"
)

// Sum says in a line what follows it: findings, or where to look.
func (v *Verdict) Sum() string {
	n := check.Count(v.Findings)
	switch {
	case n[check.Fault] > 0:
		return "This is why:"
	case n[check.Warning] > 0:
		return "This may be why:"
	}
	switch {
	case v.Relieved && len(v.Findings) > 1:
		return "Relieved: no new clients go there. Still broken:"
	case v.Relieved:
		return "Relieved: no new clients go to it. Still broken:"
	case v.Mended:
		return "Mended: what was found before is not seen any more, and nothing else is wrong."
	}
	return "Nothing that explains it is seen from here. Look next:"
}

// relief is Relief of the walk's service.
func (w *Walk) relief(found []check.Finding) *plan.Plan { return Relief(w.service, found) }

// Relief drains the servers of a service that fail and for which nothing better is
// known, as long as others are left to serve; nil when that cannot be done.
func Relief(v *ops.Service, found []check.Finding) *plan.Plan {
	var rows []plan.Row
	left := 0
	for _, r := range v.Servers {
		fails := slices.ContainsFunc(found, func(f check.Finding) bool {
			return f.Severity == check.Fault && f.Fix == nil && f.Service == v.ServiceID && f.Server == r.Addr
		})
		switch {
		case fails && r.Weight > 0 && !r.Partial:
			rows = append(rows, plan.Row{Service: v.ServiceID, Server: r.Server})
		case !fails && r.Usable():
			left++
		}
	}
	if len(rows) == 0 || left == 0 {
		return nil
	}
	p := plan.Drain(rows)
	return &p
}

// unasked are what probes found the last time, where nobody was asked again since.
func (w *Walk) unasked() (all []check.Finding) {
	if w.verdict.Probed {
		return nil
	}
	const since = "nobody was asked again since"
	for _, f := range w.before {
		if f.Check != check.OfServer && f.Check != check.OfVIP || f.Server.IsValid() && w.server(f) == nil {
			continue
		}
		if !slices.Contains(f.Evidence, since) {
			f.Evidence = append(slices.Clone(f.Evidence), since)
		}
		all = append(all, f)
	}
	return all
}

// server is the one that a finding about the service is about, or nil.
func (w *Walk) server(f check.Finding) *ops.Server {
	i := slices.IndexFunc(w.service.Servers, func(r *ops.Server) bool { return f.Service == w.at.Service && r.Addr == f.Server })
	if i < 0 {
		return nil
	}
	return w.service.Servers[i]
}

// relieved are faults of servers that get no new clients: what is known to be wrong
// with them now, and what was before. Those of before say how bad they were.
func (w *Walk) relieved(now []check.Finding) (told, before []check.Finding) {
	drained := func(f check.Finding) bool {
		r := w.server(f)
		return r != nil && r.Weight == 0
	}
	for _, f := range now {
		if drained(f) && slices.Contains([]string{"route", "neighbour", check.OfServer}, f.Check) {
			told = append(told, f)
		}
	}
	for _, f := range w.before {
		if !drained(f) || f.Fix != nil || f.Check == check.OfServer && w.verdict.Probed {
			continue
		}
		before = append(before, f)
		if !slices.ContainsFunc(told, func(o check.Finding) bool { return o.Server == f.Server }) {
			f.Severity = check.Notice
			told = append(told, f)
		}
	}
	return told, before
}

// next is what to look at where nothing is wrong that can be seen from here.
func (w *Walk) next() (all []string) {
	switch {
	case w.verdict.Relieved:
		return []string{"Once it is mended, give it its weight again."}
	case w.verdict.Mended:
		return nil
	}
	if w.service.Counted && w.scene.Sample.EstimatorStopped == "" && w.service.Rate.InPackets == 0 && !w.service.IsMark() {
		says := fmt.Sprintf("No packet comes in: does the router before this director send %s here?", w.service.Addr)
		if l, known := w.front(); known && l.MAC != "" {
			says += fmt.Sprintf(" There, ip neigh show %s must say %s.", w.service.Addr, l.MAC)
		}
		all = append(all, says, "Do clients ask for this address and port at all? Look at their DNS.")
	}
	if w.crowded() {
		all = append(all, "Far more connections come than usual: see who makes them (C in the console, lvsdeck conns).")
	}
	if w.service.Protocol == ipvs.UDP && !w.service.IsMark() {
		all = append(all, "A probe does not speak UDP: ask the program on each server itself.")
	}
	return append(all, "Have a client try while packets are captured: where the last one is seen is the place to look at.")
}

// capture is about one server: the one asked about, or that fails, or that takes
// connections.
func (w *Walk) capture(found []check.Finding) capture {
	c := capture{service: w.service}
	if !w.service.IsMark() {
		c.front = w.scene.Front(w.service.Addr)
	}
	if c.server = w.suspect(found); c.server == nil {
		return c
	}
	way := w.scene.Ways[c.server.Addr.Addr()]
	hop := c.server.Addr.Addr()
	if way.Via.IsValid() {
		hop = way.Via
	}
	c.back, c.own, c.local = way.Link, way.Source, way.Local
	c.mac = w.mac(hop, way.Link)
	return c
}

func (w *Walk) suspect(found []check.Finding) *ops.Server {
	if len(w.servers) == 0 {
		return nil
	}
	for _, f := range found {
		if i := slices.IndexFunc(w.servers, func(r *ops.Server) bool { return f.Service == w.at.Service && r.Addr == f.Server }); i >= 0 {
			return w.servers[i]
		}
	}
	if i := slices.IndexFunc(w.servers, (*ops.Server).Usable); i >= 0 {
		return w.servers[i]
	}
	return w.servers[0]
}

package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/keep"
	"lvsdeck/ops/plan"
)

// unserved: a service that gives clients to nobody.
func unserved(s *Scene) (all []Finding) {
	const refused = "Clients are refused: the director answers that the port is unreachable."
	for _, v := range s.Sample.Services {
		switch {
		case len(v.Servers) == 0:
			all = append(all, Finding{
				Severity: Fault, Service: v.ServiceID, Short: "the service has no server", Evidence: evidence("0 servers"), Means: refused,
			})
		case !weighty(v):
			f := Finding{
				Severity: Fault, Service: v.ServiceID, Short: "no server takes new connections",
				Evidence: evidence("%d servers, all of weight 0", len(v.Servers)), Means: refused,
			}
			if o := s.Owner; o != nil {
				f.Evidence = append(f.Evidence, fmt.Sprintf("%s (pid %d) manages the table: it may have taken the weights away because its checks fail", o.Name, o.PID))
				f.Means += fmt.Sprintf(" Look at the servers, and at what %s says of them: a weight given here sends clients to servers that fail.", o.Name)
			} else {
				f.Fix = s.undrain(v)
			}
			all = append(all, f)
		}
	}
	return all
}

// weighty tells that a service has a server with a weight.
func weighty(v *ops.Service) bool {
	return slices.ContainsFunc(v.Servers, func(r *ops.Server) bool { return r.Weight > 0 })
}

// unmarked: a service of a mark that nobody gives to packets.
func unmarked(s *Scene) (all []Finding) {
	if s.Firewall == nil || s.FirewallPartly || s.Firewall.SetsMarks() {
		return nil
	}
	for _, v := range s.Sample.Services {
		if !v.IsMark() || v.Rate.InPackets > 0 {
			continue
		}
		all = append(all, Finding{
			Severity: Warning, Service: v.ServiceID, Short: "no rule marks packets for the service",
			Evidence: evidence("no rule of iptables or nft on this host sets a mark; the service takes packets with mark %d", v.Mark),
			Means:    "Unless tc or eBPF marks them, clients' packets never come to the service.",
		})
	}
	return all
}

// unsaved: what a restart of the host would change. The rules of a table that
// another program manages come back with it.
func unsaved(s *Scene) []Finding {
	c := s.Saved
	if c == nil || !c.Unsaved(s.Owner != nil) {
		return nil
	}
	f := Finding{
		Short: "the running rules are not saved", Means: "Nothing for clients now; after a restart of this host they are not there.",
	}
	advice := " To save those that run: lvsdeck save."
	if slices.ContainsFunc(s.Sample.Services, func(v *ops.Service) bool { return !weighty(v) }) ||
		slices.ContainsFunc(c.Running.Services, idle) { // a scene may have one service of them
		advice = " Do not save them before every service has a server with a weight again."
	}
	switch {
	case c.NoFile():
		f.Evidence = evidence("there is no file %s; %d services run", c.Saved.Name, len(c.Running.Services))
	case c.Err != nil:
		f.Short = "the saved rules cannot be restored"
		if s.Owner == nil {
			f.Severity = Warning
		}
		f.Evidence = strings.Split(c.Err.Error(), "\n")
		f.Means = "Nothing for clients now; after a restart of this host no rule is there."
	default:
		changes := keep.Changes(c.Plan)
		f.Evidence = evidence("%s, of %s, differs in %d lines", c.Saved.Name, c.Saved.Time.Format(time.DateTime), len(changes))
		for _, change := range changes[:min(3, len(changes))] {
			f.Evidence = append(f.Evidence, "a restart would: "+change.Sign+" "+change.Text)
		}
		f.Short = "the saved rules are not those that run"
		f.Means = "Nothing for clients now. After a restart of this host the saved rules run instead."
	}
	f.Means += advice
	return []Finding{f}
}

// idle tells that a service was read without a server of a weight.
func idle(v ipvs.ServiceRules) bool {
	return !slices.ContainsFunc(v.Servers, func(r ipvs.Server) bool { return r.Weight > 0 })
}

// undrain gives servers the weights they had before they were drained here, or else
// those that are saved; of those that are not known whole nothing can be written back.
func (s *Scene) undrain(v *ops.Service) *plan.Plan {
	saved := s.savedWeights(v.ServiceID)
	weight := map[netip.AddrPort]uint32{}
	var rows []plan.Row
	var reasons []string
	for _, r := range v.Servers {
		if r.Partial {
			return nil
		}
		n, reason := s.Meant[Place{v.ServiceID, r.Addr}], "It is the weight that it had before it was drained here."
		if n == 0 {
			n, reason = saved[r.Addr], "It is the weight that is saved."
		}
		if n == 0 {
			n, reason = 1, "Which weight it had is not known: 1 lets it take new connections."
		}
		weight[r.Addr] = n
		rows, reasons = append(rows, plan.Row{Service: v.ServiceID, Server: r.Server}), append(reasons, reason)
	}
	p := plan.Undrain(rows, func(r plan.Row) uint32 { return weight[r.Server.Addr] })
	for i := range p.Items {
		p.Items[i].Reason = reasons[i]
	}
	return &p
}

// savedWeights are those of a service's servers in the file of rules.
func (s *Scene) savedWeights(id ipvs.ServiceID) map[netip.AddrPort]uint32 {
	all := map[netip.AddrPort]uint32{}
	if s.Saved == nil || s.Saved.Err != nil {
		return all
	}
	for _, v := range s.Saved.Saved.Rules.Services {
		if v.ServiceID != id {
			continue
		}
		for _, r := range v.Servers {
			all[r.Addr] = r.Weight
		}
	}
	return all
}

// schedulers: a service that has none gives clients to nobody.
func schedulers(s *Scene) (all []Finding) {
	for _, v := range s.Sample.Services {
		if v.Scheduler != "none" && v.Scheduler != "" {
			continue
		}
		f := Finding{
			Severity: Fault, Service: v.ServiceID, Short: "the service has no scheduler", Evidence: evidence("scheduler: %q", v.Scheduler),
			Means: "Clients are refused: nothing picks a server for them.",
		}
		if after := v.Service; !v.Partial {
			after.Scheduler = "wlc"
			if p, err := plan.EditService(v.Service, after); err == nil {
				f.Fix = &p
			}
		}
		all = append(all, f)
	}
	return all
}

// thresholds: servers that are left out because they are full.
func thresholds(s *Scene) (all []Finding) {
	for _, v := range s.Sample.Services {
		usable := slices.ContainsFunc(v.Servers, (*ops.Server).Usable)
		for _, r := range v.Servers {
			if r.Weight == 0 || r.Upper == 0 {
				continue
			}
			if !r.Overloaded() {
				all = append(all, nearlyFull(v, r)...)
				continue
			}
			f := Finding{
				Severity: Warning, Service: v.ServiceID, Server: r.Addr, Short: "the server is full",
				Evidence: []string{fmt.Sprintf("%d active + %d inactive connections; upper threshold %d, back below %s", r.Active, r.Inactive, r.Upper, back(r.Server))},
				Means:    "It gets no new connections, others get more. Connections that are over count until they time out.",
			}
			if !usable {
				f.Severity = Fault
				f.Means = "Every server of the service is full or has no weight: clients are refused."
			}
			all = append(all, f)
		}
	}
	return all
}

func nearlyFull(v *ops.Service, r *ops.Server) []Finding {
	n := r.Active + r.Inactive
	if 10*n < 9*uint64(r.Upper) {
		return nil
	}
	return []Finding{{
		Service: v.ServiceID, Server: r.Addr, Short: "the server is nearly full",
		Evidence: evidence("%d active + %d inactive connections; upper threshold %d: %d %%", r.Active, r.Inactive, r.Upper, 100*n/uint64(r.Upper)),
		Means:    "At the threshold it gets no new connections, and others get more.",
	}}
}

func back(r ipvs.Server) string {
	if r.Lower > 0 {
		return fmt.Sprint(r.Lower)
	}
	return "three quarters of that"
}

// drains: persistence keeps clients on a server that should get none. While there
// are fewer and fewer of them that is a gentle drain.
func drains(s *Scene) (all []Finding) {
	const name = "expire_quiescent_template"
	if s.sysctl(name) != "0" {
		return nil
	}
	s.each(func(v *ops.Service, r *ops.Server) {
		if !v.Persistence.On || r.Weight != 0 || !r.PersistentKnown || r.Persistent == 0 {
			return
		}
		f := Finding{
			Service: v.ServiceID, Server: r.Addr, Short: "persistence keeps clients on a drained server",
			Evidence: []string{
				fmt.Sprintf("weight 0, %d persistence templates of %d s, %d active connections", r.Persistent, v.Persistence.Timeout, r.Active),
				"net.ipv4.vs." + name + " is 0",
			},
			Means: "New connections of those clients still go there, and each keeps its client there longer: a gentle drain, and a long one.",
		}
		first, known := s.Drains[Place{v.ServiceID, r.Addr}]
		if took := s.Sample.Time.Sub(first.Since); known && took > time.Duration(v.Persistence.Timeout)*time.Second && r.Persistent >= first.Templates {
			f.Severity = Warning
			f.Evidence = append(f.Evidence, fmt.Sprintf("there were %d templates %v ago: they do not get fewer", first.Templates, took.Round(time.Second)))
			f.Means = "New connections of those clients still go there, and each keeps its client there longer: the drain does not end."
		}
		reason := "Persistent clients leave a server as soon as its weight is 0."
		if others := s.persistent(v.ServiceID); len(others) > 0 {
			reason += " That holds for all services, also for " + names(others) + "."
			f.Evidence = append(f.Evidence, "the setting is one for all services; persistent are also "+names(others))
		}
		f.Fix = fix("", s.set(name, "1", reason))
		all = append(all, f)
	})
	return all
}

// persistent are the services with persistence but one.
func (s *Scene) persistent(but ipvs.ServiceID) (all []ipvs.ServiceID) {
	for _, v := range s.Sample.Services {
		if v.Persistence.On && v.ServiceID != but {
			all = append(all, v.ServiceID)
		}
	}
	return all
}

// partly is a note on figures from Loads.
func (l *Loads) partly() string {
	switch age := time.Since(l.At).Round(time.Second); {
	case l.Partly:
		return " (of those that were read)"
	case !l.At.IsZero() && age > Pace:
		return fmt.Sprintf(" (%v ago)", age)
	}
	return ""
}

// shortcuts: clients that servers of NAT reach without the director.
func shortcuts(s *Scene) (all []Finding) {
	if s.Loads == nil {
		return nil
	}
	s.each(func(v *ops.Service, r *ops.Server) {
		n := s.Loads.Servers[Place{v.ServiceID, r.Addr}]
		f, ok := s.Flow(v, r)
		if !ok || r.Forward != ipvs.Masq || f.Hidden || n.Near < fewHalfOpen || n.NearOpen > 0 {
			return
		}
		all = append(all, Finding{
			Severity: Fault, Service: v.ServiceID, Server: r.Addr, Short: "clients in the server's own network are answered past the director",
			Evidence: evidence("%d half-open connections of clients in %s, the server's network%s", n.Near, s.network(r.Addr.Addr()).Prefix.Masked(), s.Loads.partly()),
			Means:    "Those clients time out: they get answers from the server, which they did not ask. Full NAT helps.",
			Lines:    []string{fmt.Sprintf("ip route add CLIENT/32 via %s  # for each such client", f.Own)},
		})
	})
	return all
}

package check

import (
	"fmt"
	"net/netip"
	"slices"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/probe"
)

// The names under which findings of probes stand: about servers, and about who else
// answers for a VIP.
const (
	OfServer = "probe"
	OfVIP    = "probe of VIP"
)

// ofNeighbour is the check of who does not answer on a segment.
const ofNeighbour = "neighbour"

// Targets are the servers that may be probed, each once: a server that has several
// services is asked about the first of them that is TCP, so that it gets one SYN.
// With only, those of one service are.
func Targets(s Scene, only func(ipvs.ServiceID) bool) (all []probe.Target) {
	index := map[netip.Addr]int{}
	s.each(func(v *ops.Service, r *ops.Server) {
		if v.IsMark() || !only(v.ServiceID) {
			return
		}
		f, _ := s.Flow(v, r)
		t := probe.Target{VIP: netip.AddrPortFrom(v.Addr, v.Port), Protocol: v.Protocol, Server: r.Server, FullNAT: f.Hidden}
		at, asked := index[r.Addr.Addr()]
		switch {
		case !asked:
			index[r.Addr.Addr()] = len(all)
			all = append(all, t)
		case all[at].Protocol != ipvs.TCP && v.Protocol == ipvs.TCP:
			all[at] = t
		}
	})
	return all
}

// Probed makes findings of what probes found out.
func Probed(results []probe.Result) (all []Finding) {
	for _, r := range results {
		f := Finding{
			Check: OfServer, explains: true, Service: ipvs.AddressService(r.Protocol, r.VIP), Server: r.Server.Addr,
			Short: r.Short, Evidence: r.Evidence, Lines: r.Next,
		}
		switch r.Verdict {
		case probe.Fault:
			f.Severity, f.Means = Fault, "Connections that are given to this server fail."
		case probe.Warning:
			f.Severity, f.Means = Warning, "Some of the connections that are given to this server fail."
		case probe.Unknown:
			f.Means = "The probe cannot tell."
		default:
			continue
		}
		if r.Server.Weight == 0 && f.Severity > Notice {
			f.Severity, f.Means = Notice, "No new connection is given to this server; it would fail."
		}
		if len(f.Evidence) == 0 {
			f.Evidence = []string{fmt.Sprintf("probe of %s: %s", r.Target, r.Cause)}
		}
		all = append(all, f)
	}
	return all
}

// Claimed makes findings of what was found out about who else answers for the VIP
// of a service: one for each server that does.
func Claimed(id ipvs.ServiceID, p probe.Finding) (all []Finding) {
	f := Finding{Check: OfVIP, Service: id, Short: p.Short, Evidence: p.Evidence, Lines: p.Next}
	switch p.Verdict {
	case probe.Fault:
		f.Severity, f.Means = Fault, "Clients' packets go past the director, sooner or later or at once."
	case probe.Warning:
		f.Severity, f.Means = Warning, "Some clients' packets may go past the director."
	case probe.Unknown:
		f.Means = "The probe cannot tell whether clients' packets come here."
	default:
		return nil
	}
	if len(f.Evidence) == 0 {
		f.Evidence = []string{fmt.Sprintf("probe of %s: %s", id.Addr, p.Cause)}
	}
	if len(p.Servers) == 0 {
		return []Finding{f}
	}
	for _, a := range p.Servers {
		f.Server = netip.AddrPortFrom(a, id.Port)
		all = append(all, f)
	}
	return all
}

// Merge adds what probes found to what was found before, without the symptoms that
// it explains. A server that a probe found silent is told of once: what the table of
// neighbours knows of it is evidence, too.
func Merge(found, probed []Finding) (all []Finding) {
	all = slices.Clone(probed)
	for _, f := range found {
		told := slices.IndexFunc(all[:len(probed)], f.toldBy)
		switch {
		case told >= 0:
			all[told].Evidence = slices.Concat(all[told].Evidence, f.Evidence)
		case !isSymptom(f.Check) || !slices.ContainsFunc(probed, f.explainedBy):
			all = append(all, f)
		}
	}
	Sort(all)
	return all
}

// toldBy tells that a probe found out of itself what the table of neighbours says.
func (f Finding) toldBy(p Finding) bool {
	return f.Check == ofNeighbour && p.Check == OfServer && p.Severity >= f.Severity && p.Service == f.Service && p.Server == f.Server
}

func isSymptom(name string) bool { return byName(name).Symptom }

func (f Finding) wavers() bool { c := byName(f.Check); return c.Symptom || c.Wavers }

// byName is the check of a name; that of probes is none of Checks.
func byName(name string) (c Check) {
	if i := slices.IndexFunc(Checks, func(c Check) bool { return c.Name == name }); i >= 0 {
		c = Checks[i]
	}
	return c
}

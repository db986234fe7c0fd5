package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/netcfg/firewall"
	"lvsdeck/ops"
	"lvsdeck/ops/path"
	"lvsdeck/ops/plan"
)

// stop is a rule that stops packets of a service, or may.
type stop struct {
	firewall.Verdict
	leg     path.Leg // the first it stops
	untrack bool     // only because conntrack sees what IPVS balances
	servers []netip.AddrPort
	opens   []netcfg.Filter
}

// firewalls names the rules that drop what a mode needs.
func firewalls(s *Scene) (all []Finding) {
	doubts := map[string]bool{}
	for _, v := range s.Sample.Services {
		stops, walked := s.stops(v)
		for _, st := range stops {
			switch {
			case st.untrack:
			case st.Result.Stops():
				all = append(all, st.findings(v, walked)...)
			case !doubts[st.Verdict.String()]:
				doubts[st.Verdict.String()] = true
				all = append(all, Finding{
					Severity: Notice, Service: v.ServiceID, Short: "whether the firewall lets all through is not known",
					Evidence: evidence("%v, where %s", st.Verdict, st.leg.Why), Means: "The rule asks for what is not known here: look at it.",
				})
			}
		}
	}
	return all
}

// stops are those of a service, and how many of its servers were looked at.
func (s *Scene) stops(v *ops.Service) (all []*stop, walked int) {
	if s.Firewall == nil || len(s.Firewall.Backends()) == 0 {
		return nil, 0
	}
	for _, r := range v.Servers {
		f, ok := s.Flow(v, r)
		if !ok {
			continue
		}
		walked++
		found := s.walked().Stops(f)
		if len(found) == 0 {
			continue
		}
		legs := f.Legs()
		for _, at := range found {
			leg := legs[at.Leg]
			untrack := f.Conntrack && r.Forward != ipvs.Masq && at.Result.Stops() && s.passesFreely(f, at.Leg)
			st := find(&all, at.Verdict, untrack, leg)
			if !slices.Contains(st.servers, r.Addr) {
				st.servers = append(st.servers, r.Addr)
			}
			if o, ok := path.Opens(leg, at.Verdict, s.Firewall.Default); ok && !slices.Contains(st.opens, o) {
				st.opens = append(st.opens, o)
			}
		}
	}
	return all, walked
}

// passesFreely tells that the packet of a leg would get on if conntrack did not see
// what is balanced.
func (s *Scene) passesFreely(f path.Flow, leg int) bool {
	f.Conntrack = false
	return !slices.ContainsFunc(s.walked().Stops(f), func(at path.Stop) bool { return at.Leg == leg && at.Result.Stops() })
}

func find(all *[]*stop, v firewall.Verdict, untrack bool, leg path.Leg) *stop {
	for _, st := range *all {
		if st.Verdict == v && st.untrack == untrack {
			return st
		}
	}
	st := &stop{Verdict: v, leg: leg, untrack: untrack}
	*all = append(*all, st)
	return st
}

// findings are one for the service, or one for each server when others are let
// through.
func (st *stop) findings(v *ops.Service, walked int) (all []Finding) {
	f := Finding{
		Severity: Fault, Service: v.ServiceID, Short: fmt.Sprintf("the firewall %s packets in %s", st.Result, st.Chain),
		Evidence: evidence("%s, table %s, chain %s: %s", st.Backend, st.Table, st.Chain, st.Rule),
		Means:    fmt.Sprintf("Lost is where %s.", st.leg.Why),
	}
	servers := st.servers
	if len(servers) == walked {
		servers = []netip.AddrPort{{}}
	}
	for _, server := range servers {
		one := f
		one.Server = server
		var items []plan.Item
		for _, o := range st.opens {
			if !server.IsValid() || len(servers) == 1 || strings.Contains(" "+o.Match+" ", " "+server.Addr().String()+" ") {
				items = append(items, plan.Item{Step: plan.Have(o), Reason: "Goes before the rule that stops these packets, and lets them alone through."})
			}
		}
		if one.Fix = fix("let the service's packets through", items...); one.Fix == nil {
			one.Means += " Allow it where the rule is."
		}
		all = append(all, one)
	}
	return all
}

// untrack is what ends conntrack's part in balanced connections, unless full NAT
// needs it.
func (s *Scene) untrack() *plan.Plan {
	if s.Firewall != nil && len(s.Firewall.ForIPVS()) > 0 {
		return nil
	}
	return fix("", s.set("conntrack", "0", "Conntrack sees one side only of what DR and TUN balance."))
}

// conntracked: what conntrack does to connections of which it sees one side.
func conntracked(s *Scene) (all []Finding) {
	if !s.conntrack() {
		return nil
	}
	for _, v := range s.Sample.Services {
		stops, _ := s.stops(v)
		for _, st := range stops {
			if st.untrack {
				all = append(all, Finding{
					Severity: Fault, Service: v.ServiceID, Short: "conntrack takes later packets for invalid, and a rule stops those",
					Evidence: []string{
						"net.ipv4.vs.conntrack is 1; under DR and TUN servers answer past the director",
						fmt.Sprintf("%s, table %s, chain %s: %s", st.Backend, st.Table, st.Chain, st.Rule),
					},
					Means: "Clients connect, and then hang.", Fix: s.untrack(),
				})
			}
		}
		all = append(all, s.rewritten(v)...)
	}
	return all
}

// rewritten: with conntrack, rules that masquerade take hold of what is balanced.
func (s *Scene) rewritten(v *ops.Service) (all []Finding) {
	for _, r := range v.Servers {
		f, ok := s.Flow(v, r)
		if !ok || r.Forward == ipvs.TunnelFwd {
			continue
		}
		verdict := s.rewrites(f)
		meant := slices.ContainsFunc(s.forIPVS(), func(m firewall.Verdict) bool { return m.Rule == verdict.Rule }) ||
			strings.Contains(verdict.Rule, v.Addr.String())
		if verdict.Result != firewall.Rewrites || meant {
			continue
		}
		is := []string{
			"net.ipv4.vs.conntrack is 1",
			fmt.Sprintf("%s, table %s, chain %s: %s", verdict.Backend, verdict.Table, verdict.Chain, verdict.Rule),
		}
		if r.Forward == ipvs.Direct {
			return append(all, Finding{
				Severity: Fault, Service: v.ServiceID, Short: "a rule of nat rewrites what DR hands on", Evidence: is,
				Means: "Servers answer the director instead of the client: connections time out.", Fix: s.untrack(),
			})
		}
		return append(all, Finding{
			Severity: Warning, Service: v.ServiceID, Short: "a rule of nat hides clients from servers", Evidence: is,
			Means: "Servers see the director as their only client. Narrow the rule if that is not meant.", Fix: s.untrack(),
		})
	}
	return all
}

func (s *Scene) forIPVS() []firewall.Verdict {
	if s.Firewall == nil {
		return nil
	}
	return s.Firewall.ForIPVS()
}

// fullNAT: its rules match nothing while conntrack does not see what is balanced.
func fullNAT(s *Scene) (all []Finding) {
	if s.sysctl("conntrack") != "0" || len(s.forIPVS()) == 0 {
		return nil
	}
	for _, v := range s.Sample.Services {
		for _, r := range v.Servers {
			f, ok := s.Flow(v, r)
			if !ok || r.Forward != ipvs.Masq {
				continue
			}
			f.Conntrack = true
			verdict := s.rewrites(f)
			if verdict.Result == firewall.Rewrites && slices.ContainsFunc(s.forIPVS(), func(m firewall.Verdict) bool { return m.Rule == verdict.Rule }) {
				all = append(all, Finding{
					Severity: Fault, Service: v.ServiceID, Short: "the rule of full NAT matches nothing",
					Evidence: []string{
						"net.ipv4.vs.conntrack is 0",
						fmt.Sprintf("%s, table %s, chain %s: %s", verdict.Backend, verdict.Table, verdict.Chain, verdict.Rule),
					},
					Means: "Servers see the clients themselves, and answer past the director unless it is their gateway: connections time out.",
					Fix:   fix("", s.set("conntrack", "1", "Rules of nat then see what is balanced.")),
				})
				break
			}
		}
	}
	return all
}

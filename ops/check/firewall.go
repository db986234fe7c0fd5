package check

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

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
	refuted string   // what tells that it does not
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
			case st.Result.Stops() && st.refuted != "":
				all = append(all, Finding{
					Severity: Warning, Service: v.ServiceID, Short: fmt.Sprintf("a rule %s packets in %s, and not all of them", st.Result, st.Chain),
					Evidence: []string{st.evidence(), st.refuted},
					Means:    "Either it stops some clients only, or it is new: then all time out. Look again in a minute.",
				})
			case st.untrack:
			case st.Result.Stops():
				all = append(all, st.findings(v, walked)...)
			case !doubts[st.Verdict.String()]:
				doubts[st.Verdict.String()] = true
				all = append(all, Finding{
					Severity: Notice, Service: v.ServiceID, Short: "whether the firewall lets all through is not known",
					Evidence: evidence("%v, where %s", st.Verdict, st.leg.Why()), Means: unsure(v),
				})
			}
		}
	}
	return all
}

// unsure says what to do about a rule that may stop packets.
func unsure(v *ops.Service) string {
	if v.IsMark() {
		return "Which addresses and ports have the mark is not known here, so the rule may stop its packets: look at it."
	}
	return "The rule asks for what is not known here: look at it."
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
			if half := len(legs) / 2; at.Leg%half < 2 && st.refuted == "" { // it is on its way to IPVS
				st.refuted = s.comesIn(v, at.Leg >= half)
			}
			if !slices.Contains(st.servers, r.Addr) {
				st.servers = append(st.servers, r.Addr)
			}
			if o, ok := path.Opens(leg, at.Verdict, s.Firewall.Default); ok && !slices.Contains(st.opens, o) && (!v.IsMark() || strings.Contains(o.Match, r.Addr.Addr().String())) {
				st.opens = append(st.opens, o)
			}
		}
	}
	return all, walked
}

// fewComing are so many connections as show that a rule does not stop them: some of
// before it came are seen for a while.
const fewComing = 20

// comesIn tells what shows that clients' packets come to IPVS, first or later ones,
// or "".
func (s *Scene) comesIn(v *ops.Service, later bool) string {
	var moved Moved
	var load Load
	for _, r := range v.Servers {
		at := Place{v.ServiceID, r.Addr}
		n := s.Lately[at]
		moved = Moved{moved.Add(n.Traffic), max(moved.For, n.For)}
		if s.Loads != nil {
			n := s.Loads.Servers[at]
			load.Open, load.Fresh, load.HalfOpen = load.Open+n.Open, load.Fresh+n.Fresh, load.HalfOpen+n.HalfOpen
		}
	}
	switch {
	case later && v.Protocol != ipvs.UDP:
		if load.Open > 0 && load.Fresh >= load.HalfOpen+fewComing {
			return fmt.Sprintf("%d connections are established, and %d had a packet in the last %d s%s", load.Open, load.Fresh-load.HalfOpen, freshFor, s.Loads.partly())
		}
	case moved.Conns >= fewComing:
		return fmt.Sprintf("%d new connections came in the last %v", moved.Conns, moved.For.Round(time.Second))
	case moved.For == 0 && v.Rate.Conns > 0:
		return fmt.Sprintf("%d new connections a second come in", v.Rate.Conns)
	}
	return ""
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

func (st *stop) evidence() string {
	return fmt.Sprintf("%s, table %s, chain %s: %s", st.Backend, st.Table, st.Chain, st.Rule)
}

// findings are one for the service, or one for each server when others are let
// through.
func (st *stop) findings(v *ops.Service, walked int) (all []Finding) {
	f := Finding{
		Severity: Fault, Service: v.ServiceID, Short: fmt.Sprintf("the firewall %s packets in %s", st.Result, st.Chain),
		Evidence: []string{st.evidence()}, Means: fmt.Sprintf("Lost: %s, as it %s.", st.leg.What, st.leg.Does),
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

// untrack is what ends conntrack's part in balanced connections, unless another
// service lives by it, as full NAT does.
func (s *Scene) untrack() *plan.Plan {
	if len(s.forIPVS()) > 0 || s.breaks("0") {
		return nil
	}
	return fix("", s.set("conntrack", "0", "Conntrack sees one side only of what DR and TUN balance."))
}

// track is the other way round.
func (s *Scene) track() *plan.Plan {
	if s.breaks("1") {
		return nil
	}
	return fix("", s.set("conntrack", "1", "Rules of nat then see what is balanced."))
}

// breaks tells that another value of net.ipv4.vs.conntrack would take something from
// clients that they have now.
func (s *Scene) breaks(value string) bool {
	if s.trial {
		return true
	}
	if breaks, known := s.trials[value]; known {
		return breaks
	}
	with := *s
	with.Sysctls, with.flows = maps.Clone(s.Sysctls), nil
	step := s.Sysctls["conntrack"]
	step.Before = value
	with.Sysctls["conntrack"] = step
	with.prepare()
	shows := false // clients to servers, which then answer them past the director
	for r, f := range s.flows {
		shows = shows || f.Hidden && !with.flows[r].Hidden
	}
	if s.trials == nil {
		s.trials = map[string]bool{}
	}
	now := s.faults()
	s.trials[value] = shows || slices.ContainsFunc(with.faults(), func(f Finding) bool {
		return !slices.ContainsFunc(now, func(o Finding) bool { return o.Service == f.Service && o.Server == f.Server && o.Short == f.Short })
	})
	return s.trials[value]
}

// faults are those that depend on net.ipv4.vs.conntrack, with nothing to end them.
func (s Scene) faults() (all []Finding) {
	s.trial = true
	for _, look := range []func(*Scene) []Finding{firewalls, conntracked, fullNAT} {
		all = append(all, look(&s)...)
	}
	return slices.DeleteFunc(all, func(f Finding) bool { return f.Severity < Fault })
}

// conntracked: what conntrack does to connections of which it sees one side.
func conntracked(s *Scene) (all []Finding) {
	if !s.conntrack() {
		return nil
	}
	for _, v := range s.Sample.Services {
		stops, _ := s.stops(v)
		for _, st := range stops {
			if st.untrack && st.refuted == "" {
				all = append(all, Finding{
					Severity: Fault, Service: v.ServiceID, Short: "conntrack takes later packets for invalid, and a rule stops those",
					Evidence: []string{
						"net.ipv4.vs.conntrack is 1; under DR and TUN servers answer past the director",
						st.evidence(),
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
		if verdict.Result != firewall.Rewrites || s.meant(verdict, v) {
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
			Service: v.ServiceID, Short: "a rule of nat hides clients from servers", Evidence: is,
			Means: "Servers see the director as their only client. If that is not meant, narrow the rule, once the director is their gateway.",
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

// fullNAT: its rules match nothing while conntrack does not see what is balanced. Of
// a rule that is not for IPVS alone it is not known whether that is meant, unless
// nobody is served.
func fullNAT(s *Scene) (all []Finding) {
	if s.sysctl("conntrack") != "0" {
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
			if verdict.Result != firewall.Rewrites {
				continue
			}
			found := Finding{
				Severity: Fault, Service: v.ServiceID, Short: "the rule of full NAT matches nothing",
				Evidence: []string{
					"net.ipv4.vs.conntrack is 0",
					fmt.Sprintf("%s, table %s, chain %s: %s", verdict.Backend, verdict.Table, verdict.Chain, verdict.Rule),
				},
				Means: "Servers see the clients themselves, and answer past the director unless it is their gateway: connections time out.",
			}
			if n := s.halfOpen(v); !s.meant(verdict, v) {
				if n.HalfOpen < fewHalfOpen || n.HalfOpen < n.Fresh {
					break
				}
				found.Evidence = append(found.Evidence, fmt.Sprintf("all %d connections with a packet in the last %d s are in SYN_RECV%s", n.Fresh, freshFor, s.Loads.partly()))
			}
			found.Fix = s.track()
			all = append(all, found)
			break
		}
	}
	return all
}

// meant tells a rule of nat that is about what a service balances.
func (s *Scene) meant(rule firewall.Verdict, v *ops.Service) bool {
	return slices.ContainsFunc(s.forIPVS(), func(m firewall.Verdict) bool { return m.Rule == rule.Rule }) ||
		!v.IsMark() && strings.Contains(rule.Rule, v.Addr.String())
}

// halfOpen sums up a service's fresh connections.
func (s *Scene) halfOpen(v *ops.Service) (sum Load) {
	if s.Loads == nil {
		return sum
	}
	for _, r := range v.Servers {
		n := s.Loads.Servers[Place{v.ServiceID, r.Addr}]
		sum.Fresh, sum.HalfOpen = sum.Fresh+n.Fresh, sum.HalfOpen+n.HalfOpen
	}
	return sum
}

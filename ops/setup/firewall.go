package setup

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"lvsdeck/netcfg"
	"lvsdeck/netcfg/firewall"
	"lvsdeck/ops/path"
	"lvsdeck/ops/plan"
)

// others are a firewall's rules without ours: what another set-up has let through
// may be shut when that goes.
func others(r firewall.Rules) firewall.Rules {
	isOurs := func(rule firewall.Rule) bool { return strings.Contains(rule.Text, "--comment "+netcfg.Comment+" ") }
	r.Tables = slices.Clone(r.Tables)
	for i := range r.Tables {
		t := &r.Tables[i]
		t.Chains = slices.Clone(t.Chains)
		for j := range t.Chains {
			t.Chains[j].Rules = slices.DeleteFunc(slices.Clone(t.Chains[j].Rules), isOurs)
		}
	}
	return r
}

// legs are the hooks that packets of a set-up pass once it is there.
func (f *Found) legs(w Wish) (all []path.Leg) {
	walks := path.NewWalks(f.Firewall)
	for i, s := range w.rules().Servers {
		p := f.Servers[i].Path
		all = append(all, walks.Legs(path.Flow{
			Service: w.Service, Server: s, Hidden: w.Mode == FullNAT, Conntrack: w.Mode == FullNAT || f.sysctl(conntrack) == "1",
			Front: f.Link, Back: p.Link, Own: p.Source,
		})...)
	}
	if w.SNAT.IsValid() {
		for _, lan := range f.lans() {
			all = append(all, outbound(w, lan, f.Out.Link)...)
		}
	}
	return all
}

// outbound is what a server starts through the director, and what is answered.
func outbound(w Wish, lan, wan string) []path.Leg {
	server := netip.AddrPortFrom(w.SNAT.Addr(), 0)
	ask := firewall.Packet{In: lan, Out: wan, Src: server, State: firewall.New}
	answer := firewall.Packet{In: wan, Out: lan, Dst: server, State: firewall.Established}
	return []path.Leg{
		{Hook: firewall.Forward, Packet: ask, What: "what a server asks of the world", Does: "goes through the director"},
		{Hook: firewall.Forward, Packet: answer, What: "what the world answers a server", Does: "goes through the director"},
	}
}

// stop is where a firewall stops packets, or may.
type stop struct {
	path.Leg
	firewall.Verdict
}

func (f *Found) stops(w Wish) (all []stop) {
	for _, leg := range f.legs(w) {
		for _, v := range f.Firewall.Each(leg.Hook, leg.Packet) {
			if v.Result != firewall.Passes {
				all = append(all, stop{leg, v})
			}
		}
	}
	return all
}

// opens is the rule of ours that lets a packet through, where one can.
func (f *Found) opens(w Wish, s stop) (netcfg.Filter, bool) {
	rule, ok := path.Opens(s.Leg, s.Verdict, f.Firewall.Default)
	if s.Packet.Proto == 0 {
		rule.Match = w.outboundMatch(s.Packet)
	}
	return rule, ok
}

// letThrough opens what is shut.
func (s *steps) letThrough() {
	done := map[netcfg.Filter]bool{}
	for _, stop := range s.f.stops(s.w) {
		if f, ok := s.f.opens(s.w, stop); ok && !done[f] {
			done[f] = true
			s.add(plan.Have(f), fmt.Sprintf("Here %s, and would be lost: %s in %s of %s.", stop.Why(), stop.Rule, stop.Chain, stop.Backend))
		}
	}
}

// outboundMatch is a packet that a server starts or gets an answer with, for
// iptables(8).
func (w Wish) outboundMatch(p firewall.Packet) string {
	if p.State == firewall.New {
		return fmt.Sprintf("-i %s -o %s -s %s", p.In, p.Out, w.SNAT)
	}
	return fmt.Sprintf("-i %s -o %s -d %s -m conntrack --ctstate RELATED,ESTABLISHED", p.In, p.Out, w.SNAT)
}

// firewallWarnings tell where packets are lost that no step can save, and where
// that is not known; and which rules rewrite what they should leave alone.
func (f *Found) firewallWarnings(w Wish) (all []string) {
	add := func(format string, args ...any) {
		if line := fmt.Sprintf(format, args...); !slices.Contains(all, line) {
			all = append(all, line)
		}
	}
	for _, s := range f.stops(w) {
		switch _, ok := f.opens(w, s); {
		case ok:
		case s.Result.Stops():
			add("The firewall stops what set-up cannot let through: here %s, and %v. Allow it there.", s.Why(), s.Verdict)
		default:
			add("Whether the firewall lets all through is not known: %v.", s.Verdict)
		}
	}
	if w.Mode == FullNAT {
		return all
	}
	for _, leg := range f.legs(w) {
		if v := f.Firewall.Rewrites(firewall.Postrouting, leg.Packet); leg.Hook == firewall.Postrouting && v.Result == firewall.Rewrites {
			add("With net.ipv4.vs.conntrack=1 a rule changes whom servers see as their client: %s in %s of %s. Narrow it, or DR and TUN fail and NAT hides the clients.",
				v.Rule, v.Chain, v.Backend)
		}
	}
	return all
}

package setup

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/plan"
)

// Sysctls by netcfg's names.
const (
	conntrack = "conntrack" // of IPVS
	forwardV6 = plan.ForwardV6
)

func acceptRA(link string) string { return plan.AcceptRA(link) }

// lans are the links by which the servers are reached.
func (f *Found) lans() (links []string) {
	for _, s := range f.Servers {
		if l := s.Path.Link; l != "" && !s.Path.Local && !slices.Contains(links, l) {
			links = append(links, l)
		}
	}
	return links
}

// routed are the links by which packets come in that the director must route
// on: the servers' answers, and answers to what the servers ask.
func (f *Found) routed(w Wish) []string {
	links := f.lans()
	if w.SNAT.IsValid() && f.Out.Link != "" && !slices.Contains(links, f.Out.Link) {
		links = append(links, f.Out.Link)
	}
	return links
}

// matter names the sysctls that a set-up looks at.
func (f *Found) matter(w Wish) []string {
	names := []string{conntrack}
	if !w.Mode.translates() {
		return names
	}
	if w.Service.Family == ipvs.IPv6 {
		names = append(names, forwardV6)
		if f.Out.Link != "" {
			names = append(names, acceptRA(f.Out.Link))
		}
		return names
	}
	names = append(names, netcfg.Conf("all", "send_redirects"))
	for _, l := range f.lans() {
		names = append(names, netcfg.Conf(l, "send_redirects"))
	}
	for _, l := range f.routed(w) {
		names = append(names, netcfg.Conf(l, "forwarding"))
	}
	return names
}

// steps collects the director's steps.
type steps struct {
	w     Wish
	f     Found
	items []plan.Item
}

// directorSteps are all of them, in their order: what lets packets through
// before what attracts them, and the service last.
func directorSteps(w Wish, f Found) []plan.Item {
	s := steps{w: w, f: f}
	s.modules()
	if w.Mode == FullNAT {
		s.hideClients()
	}
	if w.Mode.translates() {
		s.routeAnswers()
	}
	if w.SNAT.IsValid() {
		s.letServersOut()
	}
	s.letThrough()
	s.bindVIP()
	return append(s.items, plan.AddService(w.rules()).Items...)
}

func (s *steps) add(step plan.Step, reason string) {
	s.items = append(s.items, plan.Item{Step: step, Reason: reason})
}

// sysctl is left out where this kernel has no such thing: the host then does not
// do what it would switch.
func (s *steps) sysctl(name, value, reason string) {
	if step, ok := s.f.Sysctls[name]; ok {
		step.After = value
		s.add(step, reason)
	}
}

func (s *steps) modules() {
	s.add(plan.Have(netcfg.Module{Name: "ip_vs"}), "It is the balancer itself.")
	scheduler := s.w.rules().Scheduler
	s.add(plan.Have(netcfg.Module{Name: schedulerModule(scheduler)}),
		fmt.Sprintf("It is the scheduler %s, which picks a server for each new connection.", scheduler))
	if s.w.Mode == FullNAT {
		s.add(plan.Have(netcfg.Module{Name: "xt_ipvs"}), "It lets a firewall rule know which packets are balanced.")
	}
}

func schedulerModule(name string) string { return "ip_vs_" + name }

// hideClients has the source of balanced packets changed, too.
func (s *steps) hideClients() {
	s.sysctl(conntrack, "1", "Without it the firewall does not see balanced connections, and the next rule would match none.")
	id := s.w.Service
	jump, as := "MASQUERADE", "the director's own address"
	if !s.w.Sources.IsZero() {
		jump, as = "SNAT --to-source "+s.w.Sources.String(), s.w.Sources.String()
	}
	s.add(plan.Have(netcfg.Filter{
		IPv6: id.Family == ipvs.IPv6, Table: "nat", Chain: "POSTROUTING", First: true, Jump: jump,
		Match: fmt.Sprintf("-m ipvs --vproto %s --vaddr %s --vport %d --vdir ORIGINAL --vmethod MASQ", lower(id.Protocol), id.Addr, id.Port),
	}), fmt.Sprintf("Servers see the clients of this service as %s, and answer to it whatever their gateway is.", as))
}

func lower(p ipvs.Protocol) string { return strings.ToLower(p.String()) }

// routeAnswers lets the servers' answers through.
func (s *steps) routeAnswers() {
	if s.w.Service.Family == ipvs.IPv6 {
		s.routeAnswersV6()
		return
	}
	const redirects = "Else the director tells servers of a shorter way to a client, past itself, where answers get lost."
	s.sysctl(netcfg.Conf("all", "send_redirects"), "0", redirects)
	for _, l := range s.f.lans() {
		s.sysctl(netcfg.Conf(l, "send_redirects"), "0", "It counts beside the setting for all: redirects are off when both are.")
	}
	for _, l := range s.f.routed(s.w) {
		s.sysctl(netcfg.Conf(l, "forwarding"), "1", fmt.Sprintf(
			"Answers that come in by %s are routed on; net.ipv4.ip_forward=1 would do so on every interface.", l))
	}
}

// routeAnswersV6: IPv6 forwards on all interfaces or on none, and has no setting
// for redirects.
func (s *steps) routeAnswersV6() {
	s.items = append(s.items, plan.RouteV6(s.f.Sysctls, s.f.Out.Link)...)
	if s.f.OneArm() {
		s.add(plan.Have(netcfg.Filter{
			IPv6: true, Table: "filter", Chain: "OUTPUT", First: true, Jump: "DROP",
			Match: "-o " + s.f.Link + " -p ipv6-icmp -m icmp6 --icmpv6-type 137",
		}), "Else the director tells servers of a shorter way to a client, past itself, where answers get lost.")
	}
}

func (s *steps) letServersOut() {
	s.add(plan.Have(netcfg.Filter{
		IPv6: s.w.Service.Family == ipvs.IPv6, Table: "nat", Chain: "POSTROUTING",
		Match: fmt.Sprintf("-s %v -o %s", s.w.SNAT, s.f.Out.Link), Jump: "SNAT --to-source " + s.f.Out.Source.String(),
	}), "Servers reach the world for updates and names; balanced connections do not need it.")
}

func (s *steps) bindVIP() {
	a := netcfg.Address{Link: s.f.Link, Prefix: netip.PrefixFrom(s.w.Service.Addr, s.w.Service.Addr.BitLen()), NotSource: s.w.Service.Family == ipvs.IPv6}
	reason := "The director takes packets for the VIP only when it has the address."
	if b := s.f.Bound; b != nil {
		a = netcfg.Address{Link: b.Link, Prefix: b.Prefix, NotSource: b.NotSource}
	}
	if s.w.Mode == TUN && a.NotSource {
		reason += " It must not speak with it of its own accord: servers drop tunnels that come from the VIP, which they have."
	}
	s.add(plan.Have(a), reason)
}

package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
	"lvsdeck/ops/plan"
)

// freeFor is how long it counts that a segment was asked for a VIP in vain, before
// it is bound here.
const freeFor = 2 * time.Minute

// vips: packets for an address that is not local never come to IPVS. On a director
// that stands by that is as it should be.
func vips(s *Scene) (all []Finding) {
	told := map[netip.Addr]int{}
	for _, v := range s.Sample.Services {
		way, known := s.Ways[v.Addr]
		if v.IsMark() || !known || way.Local || s.bound(v.Addr) {
			continue
		}
		if i, before := told[v.Addr]; before {
			all[i].Also = append(all[i].Also, v.ServiceID)
			continue
		}
		told[v.Addr] = len(all)
		f := Finding{
			Severity: Fault, Service: v.ServiceID, Short: fmt.Sprintf("the VIP %s is not on this director", v.Addr),
			Evidence: s.notLocal(v.Addr, way), Means: "Clients' packets never come to the balancer: connections time out.",
		}
		if by := s.standby(); by != "" {
			f.Severity, f.Means = Notice, "This director may stand by for another one: then all is well."
			f.Evidence = append(f.Evidence, by)
		} else if e := s.Elsewhere[v.Addr]; e.Has && s.Sample.Time.Sub(e.At) < probedFor {
			f.Severity, f.Means = Notice, "If that host has it by right, this director stands by, and all is well. Else clients go there."
			f.Evidence = append(f.Evidence, fmt.Sprintf("the segment was asked at %s: %s", e.At.Format(time.TimeOnly), e.Says))
		} else if s.MoverUnknown || !e.Free || s.Sample.Time.Sub(e.At) > freeFor {
			f.Means += " If another host has it by right, all is well: a probe asks the segment, and where nobody has it, offers to bind it here."
		} else if link := s.linkFor(v.Addr); link != "" {
			f.Evidence = append(f.Evidence, fmt.Sprintf("the segment was asked at %s: nobody has it", e.At.Format(time.TimeOnly)))
			address := netcfg.Address{Link: link, Prefix: netip.PrefixFrom(v.Addr, v.Addr.BitLen()), NotSource: v.Family == ipvs.IPv6}
			f.Fix = fix("", plan.Item{Step: plan.Have(address), Reason: "Packets for the VIP must be for this host."})
		}
		all = append(all, f)
	}
	return all
}

func (s *Scene) notLocal(vip netip.Addr, way Way) []string {
	if way.None != "" {
		return evidence("ip route get %s: %s", vip, way.None)
	}
	return evidence("ip route get %s: not local, but out by %s", vip, way.Link)
}

// unplugged: a card with a VIP that no packet comes in by. While it is switched off
// the kernel does not take packets for the VIP at all; while it has no carrier, they
// may come by another card.
func unplugged(s *Scene) (all []Finding) {
	told := map[netip.Addr]bool{}
	for _, v := range s.Sample.Services {
		l, known := s.link(s.Front(v.Addr))
		if v.IsMark() || !known || l.Up && (l.Carrier || v.Rate.InPackets > 0) || told[v.Addr] {
			continue
		}
		told[v.Addr] = true
		f := Finding{
			Severity: Fault, Service: v.ServiceID, Short: fmt.Sprintf("%s, by which clients come, is switched off", l.Name),
			Evidence: evidence("ip link show %s: not UP", l.Name), Means: "No packet comes in: connections time out.",
		}
		switch {
		case !l.Up:
			f.Fix = fix("", plan.Item{Step: plan.Have(netcfg.Up{Link: l.Name}), Reason: "Clients' packets come in by it."})
		case s.Out[v.Family].Link == l.Name:
			f.Short, f.Evidence = fmt.Sprintf("%s, by which clients come, has no carrier", l.Name), evidence("ip link show %s: NO-CARRIER", l.Name)
		default:
			f.Severity, f.Short, f.Evidence = Notice, fmt.Sprintf("%s, which has the VIP, has no carrier", l.Name), evidence("ip link show %s: NO-CARRIER", l.Name)
			f.Means = "Clients' packets must come in by another card."
		}
		all = append(all, f)
	}
	return all
}

// bound tells that a VIP is on a card of ours.
func (s *Scene) bound(vip netip.Addr) bool { return s.fronts[vip] != "" }

// standby says why this director may stand by, or "".
func (s *Scene) standby() string {
	if s.Owner != nil && s.Owner.Name == "keepalived" {
		return fmt.Sprintf("keepalived (pid %d) runs, which moves VIPs", s.Owner.PID)
	}
	if s.Mover != "" {
		return s.Mover + " runs, which may move VIPs"
	}
	for _, d := range s.Daemons {
		if d.Role == ipvs.Backup {
			return fmt.Sprintf("the backup sync daemon runs on %s", d.Interface)
		}
	}
	return ""
}

// linkFor is where a VIP belongs.
func (s *Scene) linkFor(vip netip.Addr) string {
	if a := s.network(vip); a.Link != "" {
		return a.Link
	}
	return s.Out[ipvs.FamilyOf(vip)].Link
}

// forwarding: answers of NAT servers are routed on, if the link lets them.
func forwarding(s *Scene) (all []Finding) {
	told := map[string]int{}
	s.each(func(v *ops.Service, r *ops.Server) {
		way := s.Ways[r.Addr.Addr()]
		if r.Forward != ipvs.Masq || way.Local || way.Link == "" {
			return
		}
		name := Gate(v.Family, way.Link)
		if s.sysctl(name) != "0" {
			return
		}
		if i, before := told[name]; before {
			if f := &all[i]; !f.isOf(v.ServiceID) {
				f.Also = append(f.Also, v.ServiceID)
			}
			return
		}
		told[name] = len(all)
		f := Finding{
			Severity: Fault, Service: v.ServiceID, Short: fmt.Sprintf("forwarding is off on %s: servers' answers end here", way.Link),
			Evidence: []string{
				fmt.Sprintf("%s is 0", netcfg.Dotted(name)),
				fmt.Sprintf("NAT server %s answers by %s", r.Addr, way.Link),
			},
			Means: "Servers' answers are not routed on to clients: connections time out.",
		}
		if v.Family == ipvs.IPv6 {
			f.Short = "forwarding of IPv6 is off: servers' answers end here"
			f.Fix = fix("let servers' answers through", plan.RouteV6(s.Sysctls, s.Out[ipvs.IPv6].Link)...)
		} else {
			if s.sysctl(forwardAll) == "0" {
				f.Evidence = slices.Insert(f.Evidence, 1, netcfg.Dotted(forwardAll)+" is 0, too")
			}
			f.Fix = fix("", s.set(name, "1", fmt.Sprintf("Answers that come in by %s are routed on.", way.Link)))
		}
		all = append(all, f)
	})
	for i := range all {
		if also := all[i].Also; len(also) > 0 {
			all[i].Evidence = append(all[i].Evidence, "as for "+names(also))
		}
	}
	return all
}

// names are a few services, for evidence.
func names(all []ipvs.ServiceID) string {
	const few = 3
	var words []string
	for _, id := range all[:min(few, len(all))] {
		words = append(words, id.String())
	}
	if more := len(all) - few; more > 0 {
		words = append(words, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(words, ", ")
}

// redirects: where clients' packets and answers use one link, the director tells
// servers of a way past itself.
func redirects(s *Scene) (all []Finding) {
	told := map[string]bool{}
	s.each(func(v *ops.Service, r *ops.Server) {
		f, ok := s.Flow(v, r)
		if !ok || r.Forward != ipvs.Masq || f.Hidden || v.Family != ipvs.IPv4 || f.Back != f.Front || !s.Redirect[f.Back] || told[f.Back] {
			return
		}
		told[f.Back] = true
		var items []plan.Item
		var is []string
		for _, link := range []string{"all", f.Back} {
			name := netcfg.Conf(link, "send_redirects")
			is = append(is, fmt.Sprintf("%s is %s", netcfg.Dotted(name), s.sysctl(name)))
			if s.sysctl(name) != "0" {
				items = append(items, s.set(name, "0", "Redirects are off when both settings are 0: that for all and that of the link."))
			}
		}
		all = append(all, Finding{
			Severity: Warning, Service: v.ServiceID, Short: fmt.Sprintf("servers on %s are told of a way past the director", f.Back),
			Evidence: append(is, fmt.Sprintf("clients and NAT server %s are both reached by %s", r.Addr, f.Back)),
			Means:    "A server that takes the advice answers past the director: that client's connections break for minutes.",
			Fix:      fix("send no redirects on "+f.Back, items...),
			Lines:    []string{"ip route flush cache  # advice that was taken before is forgotten"},
		})
	})
	return all
}

// routes: whom no route leads to, and DR, which cannot pass a router.
func routes(s *Scene) (all []Finding) {
	s.each(func(v *ops.Service, r *ops.Server) {
		way, known := s.Ways[r.Addr.Addr()]
		f := Finding{Severity: Fault, Service: v.ServiceID, Server: r.Addr}
		switch {
		case !known:
			return
		case way.None != "":
			f.Short = "no route leads to the server"
			f.Evidence = evidence("ip route get %s: %s", r.Addr.Addr(), way.None)
			f.Means = "Connections that are given to it fail."
		case r.Forward == ipvs.Direct && way.Via.IsValid():
			if s.Loads != nil && s.Loads.Servers[Place{v.ServiceID, r.Addr}].Open > 0 {
				return // it is served: the next hop is the server itself, by another address
			}
			f.Severity, f.Short = Warning, "a DR server is reached through another host"
			f.Evidence = evidence("ip route get %s: via %s on %s", r.Addr.Addr(), way.Via, way.Link)
			f.Means = "If that is a router and not the server itself, it sends packets for the VIP back here, round and round: no route to host. Then use TUN, or put the server on the director's segment. A probe tells."
		default:
			return
		}
		if r.Weight == 0 {
			f.Severity = Notice
		}
		all = append(all, f)
	})
	return all
}

// neighbours: who does not answer when asked for a hardware address. What the
// kernel remembers of a server that gets no packets may be old; while packets wait
// for one, the kernel asks again and again, and has not failed yet.
func neighbours(s *Scene) (all []Finding) {
	type place struct {
		link string
		addr netip.Addr
	}
	unknown := map[place]netcfg.Neighbour{}
	for _, n := range s.Neighbours {
		if n.Failed || n.MAC == "" {
			unknown[place{n.Link, n.Addr}] = n
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	s.each(func(v *ops.Service, r *ops.Server) {
		way := s.Ways[r.Addr.Addr()]
		hop := way.Via
		if !hop.IsValid() {
			hop = r.Addr.Addr()
		}
		silent, there := unknown[place{way.Link, hop}]
		if !there || !silent.Failed && !(wanted(r.Figures) && wanted(r.Was)) {
			return
		}
		state := "INCOMPLETE"
		if silent.Failed {
			state = "FAILED"
		}
		f := Finding{
			Severity: Warning, Service: v.ServiceID, Server: r.Addr, Short: "the server does not answer on its segment",
			Evidence: evidence("ip neighbour: %s on %s is %s", hop, way.Link, state),
			Means:    "The kernel asked for it last time in vain. If that is still so, connections that are given to it time out.",
			Lines:    []string{"ip address; ip link  # is it up, and does it have " + hop.String() + "?"},
		}
		if way.Via.IsValid() {
			f.Short, f.Lines = "the router to the server does not answer", nil
		}
		switch {
		case r.Weight == 0:
			f.Severity = Notice
		case wanted(r.Figures):
			f.Severity = Fault
			f.Evidence = append(f.Evidence, queued(r.Figures))
			f.Means = "Connections that are given to it time out."
		}
		all = append(all, f)
	})
	return all
}

// queued says what a server that does not answer has, and is given.
func queued(f ops.Figures) string {
	has, given := fmt.Sprintf("%d active connections wait for it", f.Active), f.Rate.Conns
	switch {
	case f.Active == 0:
		return fmt.Sprintf("%d new connections/s are given to it", given)
	case given == 0:
		return has
	}
	return fmt.Sprintf("%s, and %d new ones/s are given to it", has, given)
}

// notHeardOf: the kernel forgets neighbours that nobody asks for; who has answered
// has a hardware address.
func notHeardOf(s *Scene, f Finding) bool {
	way, known := s.Ways[f.Server.Addr()]
	hop := way.Via
	if !hop.IsValid() {
		hop = f.Server.Addr()
	}
	return known && way.None == "" && !slices.ContainsFunc(s.Neighbours, func(n netcfg.Neighbour) bool {
		return n.Link == way.Link && n.Addr == hop && n.MAC != "" && !n.Failed
	})
}

// wanted tells a server that clients come to. Those that it does not answer are not
// active, and UDP has no active ones.
func wanted(f ops.Figures) bool { return f.Active > 0 || f.Rate.Conns > 0 }

// ports: DR and TUN leave the port as it is, whatever the table says.
func ports(s *Scene) (all []Finding) {
	s.each(func(v *ops.Service, r *ops.Server) {
		if r.Forward != ipvs.Direct && r.Forward != ipvs.TunnelFwd || v.IsMark() || v.Port == 0 || r.Addr.Port() == v.Port {
			return
		}
		all = append(all, Finding{
			Severity: Warning, Service: v.ServiceID, Server: r.Addr, Short: fmt.Sprintf("port %d has no effect under %s", r.Addr.Port(), r.Forward),
			Evidence: evidence("the service's port is %d, the server's %d; %s does not change ports", v.Port, r.Addr.Port(), r.Forward),
			Means:    fmt.Sprintf("Clients come to the server's port %d. What listens on %d only gets none of them.", v.Port, r.Addr.Port()),
		})
	})
	return all
}

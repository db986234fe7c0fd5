package check

import (
	"fmt"
	"net/netip"
	"slices"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/netcfg/firewall"
	"lvsdeck/ops"
	"lvsdeck/ops/path"
	"lvsdeck/ops/plan"
)

// daemons: a sync daemon whose packets do not get through.
func daemons(s *Scene) (all []Finding) {
	for _, d := range s.Daemons {
		if f, ok := s.cutOff(d); ok {
			all = append(all, f)
		} else if f, ok := s.syncStopped(d); ok {
			all = append(all, f)
		}
	}
	return append(all, pingPong(s)...)
}

const cutOffMeans = "Nothing now; when the other director takes over, connections break."

// cutOff: the daemon's interface cannot carry its packets.
func (s *Scene) cutOff(d ipvs.Daemon) (f Finding, ok bool) {
	if len(s.Links) == 0 {
		return f, false
	}
	l, there := s.link(d.Interface)
	var is string
	switch {
	case !there:
		is = "there is no interface " + d.Interface
	case !l.Up:
		is = d.Interface + " is switched off"
	case !l.Carrier:
		is = d.Interface + " has no carrier"
	default:
		return f, false
	}
	f = Finding{
		Severity: Warning, Short: fmt.Sprintf("the %s sync daemon is cut off", d.Role),
		Evidence: evidence("it runs on %s: %s", d.Interface, is), Means: cutOffMeans,
	}
	if there && !l.Up {
		f.Fix = fix("", plan.Item{Step: plan.Have(netcfg.Up{Link: d.Interface}), Reason: "The daemon's packets go by it."})
	}
	return f, true
}

// syncStopped: a firewall drops the daemon's packets.
func (s *Scene) syncStopped(d ipvs.Daemon) (f Finding, ok bool) {
	if s.Firewall == nil || !d.Group.IsValid() {
		return f, false
	}
	const udp = 17
	leg := path.Leg{Hook: firewall.Input, Packet: firewall.Packet{In: d.Interface, Proto: udp, Dst: netip.AddrPortFrom(d.Group, d.Port), State: firewall.New}}
	if d.Role == ipvs.Master {
		leg.Hook, leg.Packet.In, leg.Packet.Out = firewall.Output, "", d.Interface
	}
	v := s.Firewall.Walk(leg.Hook, leg.Packet)
	if !v.Result.Stops() {
		return f, false
	}
	f = Finding{
		Severity: Warning, Short: fmt.Sprintf("the firewall %s the %s sync daemon's packets", v.Result, d.Role),
		Evidence: evidence("UDP for %s on %s: %s, table %s, chain %s: %s", leg.Packet.Dst, d.Interface, v.Backend, v.Table, v.Chain, v.Rule), Means: cutOffMeans,
	}
	if o, ok := path.Opens(leg, v, s.Firewall.Default); ok {
		f.Fix = fix("", plan.Item{Step: plan.Have(o), Reason: "Lets the daemon's packets through, and no others."})
	}
	return f, true
}

// pingPong: a director that stands by, and that is a server of the active one's,
// balances what it should serve, and sends it back.
func pingPong(s *Scene) []Finding {
	const name = "backup_only"
	role := func(r ipvs.DaemonRole) bool {
		return slices.ContainsFunc(s.Daemons, func(d ipvs.Daemon) bool { return d.Role == r })
	}
	handsOn := slices.ContainsFunc(s.Sample.Services, func(v *ops.Service) bool { return v.Forwards.Has(ipvs.Direct) || v.Forwards.Has(ipvs.TunnelFwd) })
	if s.sysctl(name) != "0" || !role(ipvs.Backup) || role(ipvs.Master) || !handsOn {
		return nil
	}
	return []Finding{{
		Short:    "a director that stands by balances what it gets",
		Evidence: evidence("the backup sync daemon runs, and net.ipv4.vs.%s is 0", name),
		Means:    "Where it is also a server of the active director's, packets go back and forth between both. If it never balances while it stands by, set it to 1.",
	}}
}

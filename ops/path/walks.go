package path

import (
	"fmt"
	"slices"

	"lvsdeck/netcfg"
	"lvsdeck/netcfg/firewall"
)

// Walks are the ways of flows through a firewall. Flows between which no rule
// makes a difference are walked once for all. It is not safe for concurrent use.
type Walks struct {
	rules   firewall.Rules
	classes firewall.Classes
	stops   map[Flow][]Stop
	rewrite map[Flow]firewall.Verdict
}

// Stop is where a firewall stops packets, or may.
type Stop struct {
	firewall.Verdict
	Leg int // its place in Flow.Legs
}

// NewWalks gives walks through the rules of a host.
func NewWalks(r firewall.Rules) *Walks {
	return &Walks{rules: r, classes: r.Classes(), stops: map[Flow][]Stop{}, rewrite: map[Flow]firewall.Verdict{}}
}

// alike is the flow that stands for all that rules do not tell from it.
func (w *Walks) alike(f Flow) Flow {
	c := &w.classes
	f.Service.Addr, f.Service.Port = c.Addr(f.Service.Addr), c.Port(f.Service.Port)
	f.Server.Addr = c.AddrPort(f.Server.Addr)
	f.Server.Tunnel.Port = c.Port(f.Server.Tunnel.Port)
	f.Server.Weight, f.Server.Upper, f.Server.Lower = 0, 0, 0
	f.Client, f.Own = c.AddrPort(f.Client), c.Addr(f.Own)
	return f
}

// Legs are a flow's, where rules may take packets out of conntrack's sight before it
// looks. IPVS leaves such packets alone, whatever net.ipv4.vs.conntrack is.
func (w *Walks) Legs(f Flow) []Leg {
	legs := f.Legs()
	if may, sure := w.rules.Untracks(legs[0].Hook, legs[0].Packet); may && f.Conntrack {
		f.Conntrack = false // it does not see the connection begin
		for i, other := range f.Legs() {
			legs[i].Packet.State = either(legs[i].Packet.State, other.Packet.State, sure)
		}
	}
	var may, sure bool
	for i := range legs {
		p := &legs[i].Packet
		// What IPVS sends has been seen by conntrack before, but for tunnels.
		if tunnel := p.Balanced == (firewall.Balanced{}); legs[i].Hook == firewall.Prerouting || legs[i].Hook == firewall.Output && tunnel {
			may, sure = w.rules.Untracks(legs[i].Hook, *p)
		}
		if may {
			p.State = either(p.State, firewall.Untracked, sure)
		}
	}
	return legs
}

// either is the second state, or what is known when it may be the first.
func either(one, other firewall.State, sure bool) firewall.State {
	if one == other || sure {
		return other
	}
	return ""
}

// Stops are the places where packets of a flow do not surely pass, in their order.
func (w *Walks) Stops(f Flow) []Stop {
	f = w.alike(f)
	all, known := w.stops[f]
	if !known {
		for i, leg := range w.Legs(f) {
			for _, v := range w.rules.Each(leg.Hook, leg.Packet) {
				if v.Result != firewall.Passes {
					all = append(all, Stop{v, i})
				}
			}
		}
		w.stops[f] = all
	}
	return all
}

// Rewrites is what nat rules make of a flow's request on its way to the server.
// They see what conntrack sees.
func (w *Walks) Rewrites(f Flow) (v firewall.Verdict) {
	if !f.Conntrack {
		return v
	}
	f = w.alike(f)
	v, known := w.rewrite[f]
	if !known {
		legs := w.Legs(f)
		if i := slices.IndexFunc(legs, func(l Leg) bool { return l.Hook == firewall.Postrouting }); i >= 0 {
			v = w.rules.Rewrites(firewall.Postrouting, legs[i].Packet)
		}
		w.rewrite[f] = v
	}
	return v
}

// Opens is the rule that goes before all others of its chain and lets a leg's
// packets through; ok is false where none can: only filters of iptables that the
// host's own program writes to are opened.
func Opens(l Leg, v firewall.Verdict, own firewall.Backend) (f netcfg.Filter, ok bool) {
	ok = v.Result.Stops() && v.Backend == own && v.Table == "filter" &&
		slices.Contains([]firewall.Hook{firewall.Input, firewall.Forward, firewall.Output}, l.Hook)
	v6 := l.Packet.Src.Addr().Is6() || l.Packet.Dst.Addr().Is6() // a tunnel's may differ from the VIP's
	return netcfg.Filter{IPv6: v6, Table: "filter", Chain: string(l.Hook), First: true, Match: match(l), Jump: "ACCEPT"}, ok
}

// match is a leg's packet, and the like of it, for iptables(8): where it goes to,
// or where the answers of NAT come from.
func match(l Leg) string {
	p := l.Packet
	side, port, at := "-d", "--dport", p.Dst
	if l.Hook == firewall.Forward {
		side, port, at = "-s", "--sport", p.Src
	}
	name := map[uint8]string{6: "tcp", 17: "udp", 132: "sctp"}[p.Proto]
	switch {
	case p.Proto == 0:
		return fmt.Sprintf("%s %s", side, at.Addr())
	case name == "": // a tunnel
		return fmt.Sprintf("%s %s -p %d", side, at.Addr(), p.Proto)
	case at.Port() == 0:
		return fmt.Sprintf("%s %s -p %s", side, at.Addr(), name)
	}
	return fmt.Sprintf("%s %s -p %s %s %d", side, at.Addr(), name, port, at.Port())
}

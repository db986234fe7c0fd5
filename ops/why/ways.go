package why

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
	"lvsdeck/ops/check"
)

// masq tells that there is a server whose answers must come back this way.
func (w *Walk) masq() bool {
	return slices.ContainsFunc(w.servers, func(r *ops.Server) bool { return r.Forward == ipvs.Masq && !w.scene.Ways[r.Addr.Addr()].Local })
}

// wayThere tells by which ways the servers are reached.
func wayThere(w *Walk) Answer {
	ways := map[string]int{}
	var a Answer
	for i, r := range w.servers {
		to := r.Addr.Addr()
		way, known := w.scene.Ways[to]
		if !known || way.None != "" {
			continue
		}
		by := "by " + way.Link
		switch {
		case way.Local:
			by = "on this director itself"
		case way.Via.IsValid():
			by += " over the router " + way.Via.String()
		default:
			by += ", on its segment"
		}
		ways[by]++
		if i < few {
			a.because("%s: %s%s", to, by, w.neighbour(to, way))
		}
	}
	switch {
	case len(w.servers) == 0:
		return notHere("there is no server")
	case len(ways) == 0:
		return unknown("the ways to the servers are not known")
	case len(ways) == 1:
		for by := range ways {
			a.Says = by
		}
	default:
		a.Says = fmt.Sprintf("by %d ways", len(ways))
	}
	a.Mark = Fine
	return a
}

// neighbour is what the kernel knows of the next hop.
func (w *Walk) neighbour(to netip.Addr, way check.Way) string {
	if way.Local {
		return ""
	}
	if way.Via.IsValid() {
		to = way.Via
	}
	if mac := w.mac(to, way.Link); mac != "" {
		return "; its hardware address is " + mac
	}
	return "; its hardware address is not known now"
}

// mac is the hardware address of a neighbour, or "".
func (w *Walk) mac(of netip.Addr, link string) string {
	for _, n := range w.scene.Neighbours {
		if n.Addr == of && n.Link == link {
			return n.MAC
		}
	}
	return ""
}

// wayBack tells whether the director routes what NAT's servers answer.
func wayBack(w *Walk) Answer {
	switch {
	case len(w.servers) == 0:
		return notHere("there is no server")
	case !w.masq():
		return notHere("servers of %s answer clients themselves", w.service.Forwards)
	}
	a := fine("this director routes answers on")
	known := false
	for _, name := range w.gates() {
		if value := w.scene.Sysctls[name].Before; value != "" {
			known = true
			a.because("%s is %s", netcfg.Dotted(name), value)
		}
	}
	if !known {
		return unknown("whether this director forwards could not be read")
	}
	return a
}

// gates are the sysctls that let answers of NAT pass.
func (w *Walk) gates() (names []string) {
	for _, r := range w.servers {
		way := w.scene.Ways[r.Addr.Addr()]
		if r.Forward != ipvs.Masq || way.Local || way.Link == "" {
			continue
		}
		if name := check.Gate(w.service.Family, way.Link); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// filtered tells which firewalls were walked through.
func filtered(w *Walk) Answer {
	if w.scene.Firewall == nil {
		return unknown("the firewall could not be read")
	}
	var names []string
	for _, b := range w.scene.Firewall.Backends() {
		names = append(names, string(b))
	}
	a := fine("no rule stops its packets")
	switch {
	case len(names) == 0:
		a = fine("there are no rules of a firewall")
	case w.service.IsMark():
		a = fine("no rule stops its packets, whatever addresses and ports have the mark")
		a.because("rules of %s were tried with packets of which the servers' addresses alone are known", strings.Join(names, ", "))
	}
	if len(names) > 0 && !w.service.IsMark() {
		a.because("rules of %s were tried with packets of clients and answers", strings.Join(names, ", "))
	}
	if value := w.scene.Sysctls["conntrack"].Before; value != "" {
		a.because("net.ipv4.vs.conntrack is %s", value)
	}
	return a
}

package probe

import (
	"net/netip"
	"slices"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/probe/wire"
)

// host is the director as it was when a probe began: where it is connected, and
// which addresses it has to ask from.
type host struct {
	links     map[string]netcfg.Link
	addresses []netcfg.LinkAddress
	services  []ipvs.ServiceID
}

func look(around netcfg.Surroundings, services []ipvs.ServiceID) (host, error) {
	links, err := around.Links()
	if err != nil {
		return host{}, err
	}
	h := host{links: map[string]netcfg.Link{}, services: services}
	for _, l := range links {
		h.links[l.Name] = l
	}
	h.addresses, err = around.Addresses()
	return h, err
}

// linkName is a link's, by its index.
func (h host) linkName(index int) string {
	for _, l := range h.links {
		if l.Index == index {
			return l.Name
		}
	}
	return "?"
}

// has tells that an address is the host's own.
func (h host) has(a netip.Addr) bool {
	return slices.ContainsFunc(h.addresses, func(own netcfg.LinkAddress) bool { return own.Prefix.Addr() == a })
}

// isVIP tells addresses of services. Servers have them too, and take no packet
// that comes from one.
func (h host) isVIP(a netip.Addr) bool {
	return slices.ContainsFunc(h.services, func(id ipvs.ServiceID) bool { return id.Addr == a })
}

// schedules tells that IPVS takes a packet to this address and port for the
// beginning of a connection: an answer with SYN would make one. Which packets a
// mark is put on is not known; the VIP of one is likely to be.
func (h host) schedules(at netip.AddrPort, vip bool) bool {
	return slices.ContainsFunc(h.services, func(id ipvs.ServiceID) bool {
		if id.IsMark() {
			return vip && id.Family == ipvs.FamilyOf(at.Addr())
		}
		return id.Protocol == ipvs.TCP && id.Addr == at.Addr() && (id.Port == 0 || id.Port == at.Port())
	})
}

// source is the address to ask from on a link: the kernel's choice, but never a
// VIP. It prefers addresses of the network that to is in; the zero Addr is none.
func (h host) source(link string, to, choice, vip netip.Addr) netip.Addr {
	fit := func(a netip.Addr) bool {
		return a.IsValid() && a.Is4() == to.Is4() && a != vip && !h.isVIP(a) && !a.IsLoopback() && !a.IsLinkLocalUnicast()
	}
	if fit(choice) {
		return choice
	}
	var best netip.Addr
	worth := 0
	for _, own := range h.addresses {
		a := own.Prefix.Addr()
		n := 1
		switch {
		case !fit(a) || own.NotSource:
			n = 0
		case own.Link == link && own.Prefix.Contains(to):
			n = 3
		case own.Link == link:
			n = 2
		}
		if n > worth {
			best, worth = a, n
		}
	}
	return best
}

// networks are those of a link's addresses.
func (h host) networks(link string, v4 bool) (all []netip.Prefix) {
	for _, own := range h.addresses {
		if own.Link == link && own.Prefix.Addr().Is4() == v4 && !own.Prefix.IsSingleIP() {
			all = append(all, own.Prefix.Masked())
		}
	}
	return all
}

// beyond is an address of ours that a server reaches through its gateway only,
// and that no service takes packets for. It is one of the VIP's network, or the
// VIP, which a server may have kept from other days, or any other, which it may
// have as well: every Docker has 172.17.0.1. The zero Addr is none.
func (h host) beyond(server, vip netip.Addr) netip.Addr {
	near := func(a netip.Addr) bool {
		return slices.ContainsFunc(h.addresses, func(own netcfg.LinkAddress) bool {
			return own.Prefix.Contains(server) && own.Prefix.Contains(a)
		})
	}
	var best netip.Addr
	worth := 0
	for _, own := range h.addresses {
		a := own.Prefix.Addr()
		n := 1
		switch {
		case a.Is4() != server.Is4(), a.IsLoopback(), a.IsLinkLocalUnicast(), near(a), h.schedules(netip.AddrPortFrom(a, 0), a == vip):
			n = 0
		case a == vip:
			n = 2
		case own.Prefix.Contains(vip):
			n = 3
		}
		if n > worth {
			best, worth = a, n
		}
	}
	return best
}

// segment is the link where an address is asked for: the one it is on, or the
// one whose network it is in.
func (h host) segment(a netip.Addr) (netcfg.Link, bool) {
	for _, alone := range []bool{true, false} {
		for _, own := range h.addresses {
			l := h.links[own.Link]
			there := own.Prefix.Addr() == a
			if !alone {
				there = own.Prefix.Contains(a)
			}
			if there && l.MAC != "" && l.Kind != "dummy" {
				return l, true
			}
		}
	}
	return netcfg.Link{}, false
}

// isOwn tells hardware addresses of ours.
func (h host) isOwn(m wire.MAC) bool {
	for _, l := range h.links {
		if l.MAC == m.String() {
			return true
		}
	}
	return false
}

// asker is who asks on a link for an address. Without a fitting address it is
// one without.
func (h host) asker(l netcfg.Link, about, source netip.Addr) wire.Claim {
	mac, _ := wire.ParseMAC(l.MAC)
	if !source.IsValid() || source.Is4() != about.Is4() {
		source = netip.Addr{}
	}
	return wire.Claim{Addr: source, MAC: mac}
}

package netcfg

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Has implements Settings.
func (m *Memory) Has(s Setting) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return ask(s, m.change(s))
}

// Add implements Settings.
func (m *Memory) Add(s Setting) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return give(s, m.change(s))
}

// Remove implements Settings.
func (m *Memory) Remove(s Setting) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return take(s, m.change(s))
}

func (m *Memory) change(s Setting) change {
	switch s := s.(type) {
	case Address:
		return memoryAddress{m, s}
	case Up:
		return memoryUp{m, s}
	case Dummy:
		return memoryDummy{m, s}
	case Route:
		return memoryRoute{memoryOther{m, s}, s}
	case Filter:
		return memoryFilter{memoryOther{m, s}, s}
	case AnyInside:
		return memoryAnyInside{memoryOther{m, s}, s}
	case GUE:
		return memoryGUE{memoryOther{m, s}}
	case Module:
		return memoryModule{m, s}
	}
	return memoryOther{m, s}
}

// memoryOther is what stands for itself.
type memoryOther struct {
	*Memory
	s Setting
}

func (o memoryOther) has() (bool, error) { return slices.Contains(o.others, o.s), nil }

func (o memoryOther) add() error {
	o.others = append(o.others, o.s)
	return nil
}

func (o memoryOther) remove() error {
	o.lose(func(s Setting) bool { return s == o.s })
	return nil
}

func (m *Memory) lose(gone func(Setting) bool) { m.others = slices.DeleteFunc(m.others, gone) }

type memoryAddress struct {
	*Memory
	a Address
}

func (a memoryAddress) at() int {
	return slices.IndexFunc(a.addresses, func(now Address) bool { return now.Link == a.a.Link && now.Prefix == a.a.Prefix })
}

func (a memoryAddress) has() (bool, error) {
	i := a.at()
	return i >= 0 && (a.addresses[i].NotSource || !a.a.NotSource), nil
}

func (a memoryAddress) add() error {
	if a.link(a.a.Link) == nil {
		return meaning(unix.ENODEV)
	}
	if a.a.Prefix.Addr().Is6() && a.sysctls["net/ipv6/conf/"+a.a.Link+"/disable_ipv6"] != "0" {
		return meaning(unix.EACCES)
	}
	sameAddr := func(now Address) bool { return now.Link == a.a.Link && now.Prefix.Addr() == a.a.Prefix.Addr() }
	if a.at() >= 0 || a.a.Prefix.Addr().Is6() && slices.ContainsFunc(a.addresses, sameAddr) {
		return meaning(unix.EEXIST)
	}
	a.addresses = append(a.addresses, a.a)
	return nil
}

// remove takes the link's IPv4 routes along with its last IPv4 address.
func (a memoryAddress) remove() error {
	a.addresses = slices.Delete(a.addresses, a.at(), a.at()+1)
	isV4 := func(now Address) bool { return now.Link == a.a.Link && now.Prefix.Addr().Is4() }
	if !slices.ContainsFunc(a.addresses, isV4) {
		a.lose(func(s Setting) bool {
			r, ok := s.(Route)
			return ok && r.Link == a.a.Link && r.Via.Is4()
		})
	}
	return nil
}

type memoryUp struct {
	*Memory
	u Up
}

func (u memoryUp) has() (bool, error) {
	l := u.link(u.u.Link)
	return l != nil && l.Up, nil
}

func (u memoryUp) add() error {
	l := u.link(u.u.Link)
	if l == nil {
		return meaning(unix.ENODEV)
	}
	l.Up, l.Carrier = true, true
	return nil
}

// remove loses what the kernel forgets about a link that is switched off: its
// routes and its IPv6 addresses.
func (u memoryUp) remove() error {
	l := u.link(u.u.Link)
	l.Up, l.Carrier = false, false
	u.forget(l.Name, func(a netip.Addr) bool { return a.Is6() })
	return nil
}

func (m *Memory) forget(link string, which func(netip.Addr) bool) {
	m.lose(func(s Setting) bool {
		r, ok := s.(Route)
		return ok && r.Link == link
	})
	m.addresses = slices.DeleteFunc(m.addresses, func(a Address) bool { return a.Link == link && which(a.Prefix.Addr()) })
}

type memoryDummy struct {
	*Memory
	d Dummy
}

func (d memoryDummy) has() (bool, error) {
	l := d.link(d.d.Name)
	return l != nil && l.Kind == "dummy", nil
}

func (d memoryDummy) add() error {
	if d.link(d.d.Name) != nil {
		return meaning(unix.EEXIST)
	}
	d.putLink(Link{Name: d.d.Name, Kind: "dummy", MTU: 1500})
	return nil
}

func (d memoryDummy) remove() error {
	d.forget(d.d.Name, netip.Addr.IsValid)
	d.links = slices.DeleteFunc(d.links, func(l Link) bool { return l.Name == d.d.Name })
	maps.DeleteFunc(d.sysctls, func(name, _ string) bool { return strings.Contains(name, "/conf/"+d.d.Name+"/") })
	return nil
}

type memoryAnyInside struct {
	memoryOther
	a AnyInside
}

func (a memoryAnyInside) add() error {
	switch l := a.link(a.a.Link); {
	case l == nil:
		return meaning(unix.ENODEV)
	case l.Kind != "ip6tnl":
		return meaning(unix.EOPNOTSUPP)
	}
	return a.memoryOther.add()
}

type memoryRoute struct {
	memoryOther
	r Route
}

// has finds a route on any link when none is named.
func (r memoryRoute) has() (bool, error) { return slices.ContainsFunc(r.others, r.is), nil }

func (r memoryRoute) remove() error {
	r.lose(r.is)
	return nil
}

func (r memoryRoute) is(s Setting) bool {
	now, ok := s.(Route)
	if r.r.Link == "" {
		now.Link = ""
	}
	return ok && now == r.r
}

// add finds the link by the gateway when none is named.
func (r memoryRoute) add() error {
	if r.r.Link == "" {
		for _, l := range r.links {
			if l.Up && r.onLink(l.Name, r.r.Via) {
				r.r.Link = l.Name
			}
		}
		r.s = r.r
	}
	switch {
	case r.r.Link == "":
		return meaning(unreachable(r.r.Via))
	case r.link(r.r.Link) == nil:
		return meaning(unix.ENODEV)
	case slices.ContainsFunc(r.others, func(s Setting) bool {
		now, ok := s.(Route)
		return ok && now.To == r.r.To && now.Table == r.r.Table
	}):
		return meaning(unix.EEXIST)
	case !r.link(r.r.Link).Up || !r.onLink(r.r.Link, r.r.Via):
		return meaning(unreachable(r.r.Via))
	}
	return r.memoryOther.add()
}

// unreachable is the kernel's errno for a gateway that is on no network of ours.
func unreachable(via netip.Addr) error {
	if via.Is6() {
		return unix.EHOSTUNREACH
	}
	return unix.ENETUNREACH
}

type memoryFilter struct {
	memoryOther
	f Filter
}

// chains are what every host has.
var chains = map[string][]string{
	"filter": {"INPUT", "FORWARD", "OUTPUT"},
	"nat":    {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"},
	"mangle": {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"},
	"raw":    {"PREROUTING", "OUTPUT"},
}

func (f memoryFilter) add() error {
	if !slices.Contains(chains[f.f.Table], f.f.Chain) {
		return fmt.Errorf("%w (iptables: No chain/target/match by that name.)", ErrRefused)
	}
	if f.f.First {
		f.others = slices.Insert(f.others, 0, f.s)
		return nil
	}
	return f.memoryOther.add()
}

type memoryGUE struct{ memoryOther }

func (g memoryGUE) add() error {
	if !slices.Contains(g.loaded, "fou") {
		return errNoFou
	}
	return g.memoryOther.add()
}

type memoryModule struct {
	*Memory
	m Module
}

// tunnels are the links that come with modules.
var tunnels = map[string]Link{
	"ipip":       {Name: "tunl0", Kind: "ipip", MTU: 1480},
	"ip_gre":     {Name: "gre0", Kind: "gre", MTU: 1476},
	"sit":        {Name: "sit0", Kind: "sit", MTU: 1480},
	"ip6_tunnel": {Name: "ip6tnl0", Kind: "ip6tnl", MTU: 1452},
}

// onDisk are modules of the kernel's besides IPVS's.
var onDisk = []string{
	"dummy", "fou", "fou6", "ip6_gre", "ip6_tunnel", "ip_gre", "ipip", "nf_conntrack", "nf_conntrack_ftp", "nf_nat", "sit", "xt_ipvs",
}

func (m memoryModule) has() (bool, error) {
	return m.modules.State(m.m.Name) == Loaded || slices.Contains(m.loaded, m.m.Name), nil
}

func (m memoryModule) add() error {
	name := m.m.Name
	switch {
	case m.modules.State(name) == Loadable:
		m.modules.Loaded = slices.Sorted(slices.Values(append(slices.Clone(m.modules.Loaded), name)))
	case slices.Contains(onDisk, name):
		m.loaded = append(m.loaded, name)
		if l, ok := tunnels[name]; ok {
			m.putLink(l)
		}
	default:
		return ErrNoModule
	}
	return nil
}

func (memoryModule) remove() error { return nil }

func (m *Memory) link(name string) *Link {
	i := slices.IndexFunc(m.links, func(l Link) bool { return l.Name == name })
	if i < 0 {
		return nil
	}
	return &m.links[i]
}

// onLink tells that an address is on a network of a link.
func (m *Memory) onLink(link string, to netip.Addr) bool {
	return to.IsLinkLocalUnicast() || slices.ContainsFunc(m.addresses, func(a Address) bool {
		return a.Link == link && a.Prefix.Contains(to) && a.Prefix.Addr() != to
	})
}

package firewall

import (
	"net/netip"
	"slices"
)

// Classes tells addresses and ports apart as far as rules do. Of packets that
// differ in nothing else than in addresses and ports of the same class, all or none
// pass.
type Classes struct {
	addrs [2][]netip.Addr // of IPv4 and of IPv6, where classes begin, by rising address
	ports []uint16        // likewise
}

// Classes are those of all rules.
func (r Rules) Classes() Classes {
	var b bounds
	v := view{hook: Forward, bounds: &b}
	for _, t := range r.Tables {
		for _, c := range t.Chains {
			for _, rule := range c.Rules {
				rule.matches(&v)
			}
		}
	}
	var c Classes
	for a := range b.addrAt {
		c.addrs[number(a)] = append(c.addrs[number(a)], a)
	}
	for p := range b.portAt {
		c.ports = append(c.ports, p)
	}
	for _, all := range c.addrs {
		slices.SortFunc(all, netip.Addr.Compare)
	}
	slices.Sort(c.ports)
	return c
}

func number(a netip.Addr) int {
	if a.Is6() {
		return 1
	}
	return 0
}

// Addr stands for all addresses of an address's class. What is not known stays so.
func (c Classes) Addr(a netip.Addr) netip.Addr {
	if !a.IsValid() {
		return a
	}
	begins := c.addrs[number(a)]
	at, exact := slices.BinarySearchFunc(begins, a, netip.Addr.Compare)
	switch {
	case exact:
		return a
	case at > 0:
		return begins[at-1]
	case a.Is6():
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// Port is the same for ports, of which 0 is not known.
func (c Classes) Port(p uint16) uint16 {
	if p == 0 {
		return 0
	}
	at, exact := slices.BinarySearch(c.ports, p)
	switch {
	case exact:
		return p
	case at > 0:
		return max(1, c.ports[at-1])
	}
	return 1
}

// AddrPort is both.
func (c Classes) AddrPort(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(c.Addr(a.Addr()), c.Port(a.Port()))
}

// bounds collects where what rules ask of addresses and ports may be answered
// another way. A nil one collects nothing: a packet is looked at.
type bounds struct {
	addrAt map[netip.Addr]bool
	portAt map[uint16]bool
}

func (b *bounds) addrs(first, last netip.Addr) {
	if b == nil {
		return
	}
	if b.addrAt == nil {
		b.addrAt = map[netip.Addr]bool{}
	}
	b.addrAt[first] = true
	if after := last.Next(); after.IsValid() {
		b.addrAt[after] = true
	}
}

func (b *bounds) network(p netip.Prefix) {
	if b == nil || !p.IsValid() {
		return
	}
	last := p.Masked().Addr().AsSlice()
	for bit := p.Bits(); bit < 8*len(last); bit++ {
		last[bit/8] |= 0x80 >> (bit % 8)
	}
	to, _ := netip.AddrFromSlice(last)
	b.addrs(p.Masked().Addr(), to)
}

func (b *bounds) ports(first, last uint16) {
	if b == nil {
		return
	}
	if b.portAt == nil {
		b.portAt = map[uint16]bool{}
	}
	b.portAt[first] = true
	if last < 65535 {
		b.portAt[last+1] = true
	}
}

// kinds are those that typeIs tells apart.
func (b *bounds) kinds() {
	if b == nil {
		return
	}
	for _, p := range []string{"224.0.0.0/4", "255.255.255.255/32", "ff00::/8"} {
		b.network(netip.MustParsePrefix(p))
	}
}

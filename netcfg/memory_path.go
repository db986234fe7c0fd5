package netcfg

import (
	"cmp"
	"math/bits"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// Links implements Surroundings.
func (m *Memory) Links() ([]Link, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.links), nil
}

// Addresses implements Surroundings.
func (m *Memory) Addresses() (all []LinkAddress, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.addresses {
		all = append(all, LinkAddress(a))
	}
	return all, nil
}

// Neighbours implements Surroundings.
func (m *Memory) Neighbours() ([]Neighbour, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.neighbours), nil
}

// Path implements Surroundings.
func (m *Memory) Path(to, from netip.Addr) (Path, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if from.IsValid() && (!m.own(from).IsValid() || from.Is4() != to.Is4()) {
		return Path{}, foreign(to, from)
	}
	if own := m.own(to); own.IsValid() {
		return Path{Local: true, Link: "lo", Source: cmp.Or(from, own)}, nil
	}
	for _, rule := range m.rules(from) {
		if r, ok := m.lookUp(rule.Table, to); ok && (!rule.Near || r.To.Bits() > 0) {
			return Path{Link: r.Link, Via: r.Via, Source: cmp.Or(from, m.source(r, to))}, nil
		}
	}
	return Path{}, noPath(to, unix.ENETUNREACH)
}

// own is the host's address by which it takes packets to an address: the same,
// or for all of 127.0.0.0/8 that of lo.
func (m *Memory) own(to netip.Addr) netip.Addr {
	for _, a := range m.addresses {
		if addr := a.Prefix.Addr(); addr == to || addr.Is4() && addr.IsLoopback() && a.Prefix.Contains(to) {
			return addr
		}
	}
	return netip.Addr{}
}

// rules are those for a sender, in their order, the last for the main table. Rules
// for a port do not count: Path asks for none.
func (m *Memory) rules(from netip.Addr) (rules []Rule) {
	for _, s := range m.others {
		if r, ok := s.(Rule); ok && r.Port == 0 && r.From.Contains(from) {
			rules = append(rules, r)
		}
	}
	slices.SortStableFunc(rules, func(a, b Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	return append(rules, Rule{})
}

// lookUp finds the route with the longest prefix. Those of the links' own
// networks, in the main table, have no gateway.
func (m *Memory) lookUp(table int, to netip.Addr) (best Route, ok bool) {
	try := func(r Route) {
		if l := m.link(r.Link); l.Up && r.To.Contains(to) && (!ok || r.To.Bits() > best.To.Bits()) {
			best, ok = r, true
		}
	}
	if table == 0 {
		for _, a := range m.addresses {
			if !a.Prefix.IsSingleIP() {
				try(Route{To: a.Prefix.Masked(), Link: a.Link})
			}
		}
	}
	for _, s := range m.others {
		if r, is := s.(Route); is && r.Table == table {
			try(r)
		}
	}
	return best, ok
}

// source is the address that a packet gets: one on the network of the next hop,
// else the first of the link, for IPv6 the one most like the destination.
func (m *Memory) source(r Route, to netip.Addr) netip.Addr {
	next := cmp.Or(r.Via, to)
	var best netip.Addr
	most := -1
	for _, a := range m.addresses {
		own := a.Prefix.Addr()
		if own.Is4() != to.Is4() || a.Link != r.Link {
			continue
		}
		like := 0
		switch {
		case own.Is6() && a.NotSource:
		case own.Is6():
			like = 1 + common(own, to)
		case a.Prefix.Contains(next) && !a.Prefix.IsSingleIP():
			like = 1
		}
		if like > most {
			best, most = own, like
		}
	}
	return best
}

// common is how many bits two IPv6 addresses begin with together.
func common(a, b netip.Addr) (n int) {
	x, y := a.As16(), b.As16()
	for i := range x {
		if d := x[i] ^ y[i]; d != 0 {
			return n + bits.LeadingZeros8(d)
		}
		n += 8
	}
	return n
}

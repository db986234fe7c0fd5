package firewall

import (
	"net/netip"
	"strings"
)

// answer is to a question about a packet.
type answer int8

const (
	no answer = iota
	maybe
	yes
)

// condition is one thing that a rule asks for.
type condition func(*view) answer

// view is a packet as a rule sees it.
type view struct {
	Packet
	hook  Hook
	marks bool // some rule may have marked it

	bounds *bounds // not a packet, but what is asked for is wanted
}

// matches is the least of its conditions: one that says no is enough.
func (r Rule) matches(v *view) answer { return all(r.when...)(v) }

func all(when ...condition) condition {
	return func(v *view) answer {
		least := yes
		for _, c := range when {
			if least = min(least, c(v)); least == no && v.bounds == nil {
				break
			}
		}
		return least
	}
}

// some is the most of its conditions: one that says yes is enough.
func some(when ...condition) condition {
	return func(v *view) answer {
		most := no
		for _, c := range when {
			if most = max(most, c(v)); most == yes && v.bounds == nil {
				break
			}
		}
		return most
	}
}

func not(c condition) condition { return func(v *view) answer { return yes - c(v) } }

func always(*view) answer     { return yes }
func mysterious(*view) answer { return maybe }

func is(b bool) answer {
	if b {
		return yes
	}
	return no
}

type side bool

const (
	source      side = false
	destination side = true
)

func (s side) of(v *view) netip.AddrPort {
	if s == destination {
		return v.Dst
	}
	return v.Src
}

// within asks for an address from first to last.
func within(s side, first, last netip.Addr) condition {
	return func(v *view) answer { return v.addrWithin(s.of(v).Addr(), first, last) }
}

func (v *view) addrWithin(a, first, last netip.Addr) answer {
	v.bounds.addrs(first, last)
	if !a.IsValid() {
		return maybe
	}
	return is(a.BitLen() == first.BitLen() && !a.Less(first) && !last.Less(a))
}

func inNetwork(s side, p netip.Prefix) condition {
	return func(v *view) answer { return v.addrIn(s.of(v).Addr(), p) }
}

func (v *view) addrIn(a netip.Addr, p netip.Prefix) answer {
	v.bounds.network(p)
	if !a.IsValid() {
		if p.Bits() == 0 {
			return yes
		}
		return maybe
	}
	return is(p.Contains(a))
}

// portWithin asks for a port; a packet of a protocol without any has none.
func portWithin(s side, first, last uint16) condition {
	return func(v *view) answer { return numberWithin(v, s.of(v).Port(), first, last) }
}

func numberWithin(v *view, port, first, last uint16) answer {
	v.bounds.ports(first, last)
	switch {
	case v.Proto == 0 || port == 0 && withPorts(v.Proto) && (first > 1 || last < 65535):
		return maybe
	case !withPorts(v.Proto):
		return no
	case port == 0:
		return yes
	}
	return is(first <= port && port <= last)
}

func protoIs(proto uint8) condition {
	return func(v *view) answer {
		if v.Proto == 0 {
			return maybe
		}
		return is(v.Proto == proto)
	}
}

// linkIs asks for a link's name; one that ends with the wildcard stands for all
// that begin so. A hook without such a link has the name "".
func linkIs(s side, name, wildcard string) condition {
	return func(v *view) answer {
		link, has := v.In, v.hook != Output
		if s == destination {
			link, has = v.Out, v.hook != Input && v.hook != Prerouting
		}
		begin, wild := strings.CutSuffix(name, wildcard)
		switch {
		case wild && begin == "":
			return yes
		case has && link == "":
			return maybe
		case wild:
			return is(strings.HasPrefix(link, begin))
		}
		return is(link == name)
	}
}

func flagsAre(mask, want Flags) condition {
	return func(v *view) answer {
		switch {
		case v.Proto != 0 && v.Proto != protoTCP:
			return no
		case v.Flags == 0:
			return maybe
		}
		return is(v.Flags&mask == want)
	}
}

// stateIs asks conntrack. DNAT and SNAT are no states of packets that no nat rule
// has rewritten.
func stateIs(name string) condition {
	return func(v *view) answer {
		switch want := State(strings.ToUpper(name)); want {
		case New, Established, Related, Invalid, Untracked:
			if v.State == "" {
				return maybe
			}
			return is(v.State == want)
		case "DNAT":
			return no
		}
		return maybe
	}
}

// typeIs asks what kind of address it is, of which the hook tells a part: what
// comes in is for this host, what is forwarded is not.
func typeIs(s side, kind string) condition {
	kind = strings.ToUpper(kind)
	return func(v *view) answer {
		a := s.of(v).Addr()
		v.bounds.kinds()
		switch {
		case !a.IsValid():
			return maybe
		case kind == "MULTICAST":
			return is(a.IsMulticast())
		case a.IsMulticast():
			return no
		case s == destination && v.hook == Input && kind == "LOCAL":
			return is(a != netip.AddrFrom4([4]byte{255, 255, 255, 255}))
		case s == destination && v.hook == Forward && (kind == "LOCAL" || kind == "BROADCAST"):
			return no
		}
		return maybe
	}
}

// markIs asks for a mark, which is 0 where no rule sets one.
func markIs(value uint32) condition {
	return func(v *view) answer {
		if v.marks {
			return maybe
		}
		return is(value == 0)
	}
}

// balanced asks whether IPVS has handled the packet, and how.
func balanced(ask func(Balanced) bool) condition {
	return func(v *view) answer { return is(v.Balanced != Balanced{} && ask(v.Balanced)) }
}

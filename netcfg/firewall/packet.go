package firewall

import "net/netip"

// Packet is what is known of a packet at a hook. What is left zero is not known,
// and rules that ask for it leave the verdict open. The family is that of its
// addresses; without any it must be told.
type Packet struct {
	Family   Family // IPv4 or IPv6
	In, Out  string // links
	Proto    uint8  // of IP: 6 is TCP
	Src, Dst netip.AddrPort
	Flags    Flags // of TCP
	State    State
	Balanced Balanced // when it is IPVS's
}

// Flags are TCP's flags as in its header; 0 is not known.
type Flags uint8

// The flags.
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
)

// State is a packet's state for conntrack, as rules see it.
type State string

// The states.
const (
	New         State = "NEW"
	Established State = "ESTABLISHED"
	Related     State = "RELATED"
	Invalid     State = "INVALID"
	Untracked   State = "UNTRACKED"
)

// Method is how IPVS hands a packet on, in the words of -m ipvs.
type Method string

// The methods.
const (
	Gate Method = "GATE"
	IPIP Method = "IPIP"
	Masq Method = "MASQ"
)

// Balanced is what -m ipvs sees of a packet that IPVS has handled.
type Balanced struct {
	VIP    netip.AddrPort
	Method Method
	Reply  bool
}

// Protocols of IP that rules name.
const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
)

var protocols = map[string]uint8{
	"icmp": protoICMP, "igmp": 2, "ipencap": 4, "tcp": protoTCP, "udp": protoUDP, "dccp": 33, "ipv6": 41, "gre": 47,
	"esp": 50, "ipv6-crypt": 50, "ah": 51, "ipv6-auth": 51, "ipv6-icmp": protoICMPv6, "icmpv6": protoICMPv6, "icmp6": protoICMPv6,
	"ospf": 89, "pim": 103, "vrrp": 112, "sctp": 132, "udplite": 136, "mptcp": 6,
}

// withPorts are the protocols that have ports at one place.
func withPorts(proto uint8) bool {
	switch proto {
	case protoTCP, protoUDP, 33, 132, 136:
		return true
	}
	return false
}

// is6 tells the family; ok is false when no address is known.
func (p Packet) is6() (is6, ok bool) {
	for _, a := range []netip.Addr{p.Src.Addr(), p.Dst.Addr()} {
		if a.IsValid() {
			return a.Is6(), true
		}
	}
	return p.Family == IPv6, p.Family.routed() && p.Family != Both
}

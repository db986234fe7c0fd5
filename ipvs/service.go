package ipvs

import (
	"cmp"
	"fmt"
	"net/netip"
	"strconv"
)

// Family is an address family with the kernel's numbers (AF_INET, AF_INET6).
type Family uint8

// The families a service can have.
const (
	IPv4 Family = 2
	IPv6 Family = 10
)

func (f Family) String() string {
	switch f {
	case IPv4:
		return "IPv4"
	case IPv6:
		return "IPv6"
	}
	return "family " + strconv.Itoa(int(f))
}

// FamilyOf tells the family of a valid address; an IPv4-mapped one is IPv6.
func FamilyOf(a netip.Addr) Family {
	if a.Is4() {
		return IPv4
	}
	return IPv6
}

// Protocol is an IP protocol number. A firewall mark service has none (0).
type Protocol uint8

// The protocols IPVS can balance.
const (
	TCP  Protocol = 6
	UDP  Protocol = 17
	SCTP Protocol = 132
)

func (p Protocol) String() string {
	switch p {
	case 0:
		return "FWM"
	case TCP:
		return "TCP"
	case UDP:
		return "UDP"
	case SCTP:
		return "SCTP"
	}
	return "proto " + strconv.Itoa(int(p))
}

// ServiceID names one virtual service: protocol, address and port, or a
// firewall mark and a family. It is comparable; use the constructors, which
// keep one spelling for each service.
type ServiceID struct {
	Family   Family
	Protocol Protocol   // 0 with a mark
	Addr     netip.Addr // the zero Addr with a mark
	Port     uint16     // 0: every port (needs persistence)
	Mark     uint32     // 0: not a mark service
}

// AddressService names the service at an address and port.
func AddressService(p Protocol, at netip.AddrPort) ServiceID {
	addr := at.Addr().Unmap().WithZone("")
	return ServiceID{Family: FamilyOf(addr), Protocol: p, Addr: addr, Port: at.Port()}
}

// MarkService names the service for packets that carry a firewall mark.
func MarkService(mark uint32, f Family) ServiceID {
	return ServiceID{Family: f, Mark: mark}
}

// IsMark tells a firewall mark service from an address service.
func (id ServiceID) IsMark() bool { return id.Mark != 0 }

// Name is the service without its protocol: "203.0.113.10:443", "7",
// "7 IPv6".
func (id ServiceID) Name() string {
	if id.IsMark() {
		n := strconv.FormatUint(uint64(id.Mark), 10)
		if id.Family == IPv6 {
			n += " IPv6"
		}
		return n
	}
	return netip.AddrPortFrom(id.Addr, id.Port).String()
}

// String is the service as operators write it: "TCP 203.0.113.10:443",
// "UDP [2001:db8::1]:53", "FWM 7 IPv6".
func (id ServiceID) String() string { return id.Protocol.String() + " " + id.Name() }

// Compare orders address services before marks, IPv4 before IPv6, then by
// protocol, address and port: the order ipvsadm means to print.
func (id ServiceID) Compare(o ServiceID) int {
	switch { // not cmp.Or, which would compare all: tables are sorted by this
	case id.Mark != o.Mark:
		return cmp.Compare(id.Mark, o.Mark)
	case id.Family != o.Family:
		return cmp.Compare(id.Family, o.Family)
	case id.Protocol != o.Protocol:
		return cmp.Compare(id.Protocol, o.Protocol)
	case id.Addr != o.Addr:
		return id.Addr.Compare(o.Addr)
	}
	return cmp.Compare(id.Port, o.Port)
}

// SchedFlags are the three bits a scheduler may give a meaning of its own:
// for sh and mh the first is "fallback", the second "port".
type SchedFlags uint8

// Scheduler flags, in ipvsadm's numbering (IP_VS_SVC_F_SCHED1..3).
const (
	SchedFlag1 SchedFlags = 1 << iota
	SchedFlag2
	SchedFlag3
)

// Names lists the set flags as ipvsadm spells them for this scheduler.
func (f SchedFlags) Names(scheduler string) []string {
	var names []string
	for i, flag := range []SchedFlags{SchedFlag1, SchedFlag2, SchedFlag3} {
		if f&flag == 0 {
			continue
		}
		name := fmt.Sprintf("flag-%d", i+1)
		if hashes := scheduler == "sh" || scheduler == "mh"; hashes && i < 2 {
			name = scheduler + []string{"-fallback", "-port"}[i]
		}
		names = append(names, name)
	}
	return names
}

// Mask groups clients for persistence. For IPv4 it is the netmask as a number
// (255.255.255.0 is 0xffffff00, and the kernel takes masks with holes); for
// IPv6 it is the prefix length, 1 to 128.
type Mask uint32

// FullMask is the mask under which every client stands alone: the default.
func FullMask(f Family) Mask {
	if f == IPv6 {
		return 128
	}
	return 0xffffffff
}

// Text is the mask as ipvsadm writes it: "255.255.255.0", or "64" for IPv6.
func (m Mask) Text(f Family) string {
	if f == IPv6 {
		return strconv.FormatUint(uint64(m), 10)
	}
	return netip.AddrFrom4([4]byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)}).String()
}

// Persistence keeps a client (or the clients of one Mask) on one real server.
// The kernel stores timeout and mask even when it is off.
type Persistence struct {
	On      bool
	Timeout uint32 // seconds; ipvsadm's default when on is 360
	Mask    Mask
	Engine  string // "" or a persistence engine such as "sip"
}

// Service is everything an operator can set on a virtual service.
type Service struct {
	ServiceID
	Scheduler   string // "wlc", …; "none" is the kernel's word for no scheduler
	SchedFlags  SchedFlags
	OnePacket   bool // every UDP packet is scheduled anew (-o)
	Persistence Persistence
}

// NewService gives a service with ipvsadm's defaults: wlc, no persistence.
func NewService(id ServiceID) Service {
	return Service{
		ServiceID:   id,
		Scheduler:   "wlc",
		Persistence: Persistence{Mask: FullMask(id.Family)},
	}
}

package tabletest

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"

	"lvsdeck/ipvs"
)

// schedulers are those every kernel of today brings.
var schedulers = []string{"rr", "wrr", "lc", "wlc", "fo", "ovf", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq"}

// random makes services and servers from all that is legal, the limits more
// often than chance would. One seed gives one series.
type random struct{ *rand.Rand }

func newRandom(seed uint64) random { return random{rand.New(rand.NewPCG(seed, seed))} }

func (r random) chance(oneIn int) bool { return r.IntN(oneIn) == 0 }

func pick[T any](r random, from ...T) T { return from[r.IntN(len(from))] }

// number is from 0 to max.
func (r random) number(max uint32) uint32 {
	switch r.IntN(4) {
	case 0:
		return min(max, pick(r, 0, 1, max))
	case 1:
		return min(max, r.Uint32N(1<<16))
	}
	return uint32(r.Uint64N(uint64(max) + 1))
}

func (r random) port() uint16 { return uint16(r.number(65535)) }

// address is one that may be a server's: unicast, and no host's broadcast.
func (r random) address(f ipvs.Family) netip.Addr {
	if f == ipvs.IPv4 {
		return netip.AddrFrom4([4]byte{10, byte(r.Uint32()), byte(r.Uint32()), byte(1 + r.IntN(254))})
	}
	b := [16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8}
	binary.BigEndian.PutUint64(b[8:], r.Uint64()|1)
	return netip.AddrFrom16(b)
}

func (r random) family() ipvs.Family { return pick(r, ipvs.IPv4, ipvs.IPv6) }

func (r random) service() ipvs.Service {
	f := r.family()
	id := ipvs.AddressService(pick(r, ipvs.TCP, ipvs.UDP, ipvs.SCTP), netip.AddrPortFrom(r.address(f), uint16(1+r.IntN(65535))))
	if r.chance(3) {
		id = ipvs.MarkService(1+r.number(1<<32-2), f)
	}
	s := ipvs.Service{ServiceID: id, Scheduler: pick(r, schedulers...)}
	s.SchedFlags = ipvs.SchedFlags(r.IntN(8))
	s.OnePacket = (id.IsMark() || id.Protocol == ipvs.UDP) && r.chance(3)
	s.Persistence = ipvs.Persistence{On: r.chance(2), Mask: r.mask(f)}
	if s.Persistence.On || r.chance(2) {
		s.Persistence.Timeout = max(1, r.number(2678400))
	}
	if s.Persistence.On && r.chance(3) {
		s.Persistence.Engine = "sip"
	}
	if s.Persistence.On && !id.IsMark() && r.chance(4) {
		s.Port = 0
	}
	return s
}

func (r random) mask(f ipvs.Family) ipvs.Mask {
	if f == ipvs.IPv6 {
		return ipvs.Mask(1 + r.IntN(128))
	}
	return pick(r, ipvs.FullMask(f), 0xffffff00, 0x80000000, ipvs.Mask(r.Uint32()))
}

// server is one for a service of that family.
func (r random) server(f ipvs.Family) ipvs.Server {
	s := ipvs.Server{Forward: pick(r, ipvs.Masq, ipvs.TunnelFwd, ipvs.Direct), Weight: r.number(ipvs.MaxWeight)}
	if s.Forward == ipvs.TunnelFwd {
		s.Tunnel = r.tunnel()
		if r.chance(3) {
			f = r.family()
		}
	}
	s.Addr = netip.AddrPortFrom(r.address(f), r.port())
	s.Upper = r.number(ipvs.MaxWeight)
	s.Lower = r.number(s.Upper)
	return s
}

func (r random) tunnel() ipvs.Tunnel {
	switch t := pick(r, ipvs.IPIP, ipvs.GUE, ipvs.GRE); t {
	case ipvs.GUE:
		return ipvs.Tunnel{Type: t, Port: max(1, r.port()), Flags: pick(r, 0, ipvs.TunnelChecksum, ipvs.TunnelRemoteChecksum)}
	case ipvs.GRE:
		return ipvs.Tunnel{Type: t, Flags: pick(r, 0, ipvs.TunnelChecksum)}
	}
	return ipvs.Tunnel{}
}

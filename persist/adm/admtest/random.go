// Package admtest makes rules for tests.
package admtest

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"

	"lvsdeck/ipvs"
)

// Rules makes sorted rules from all that is legal, limits more often than
// chance would. One seed gives one set.
func Rules(seed uint64) ipvs.Rules { return random{rand.New(rand.NewPCG(seed, 1))}.rules() }

type random struct{ *rand.Rand }

func pick[T any](r random, from ...T) T { return from[r.IntN(len(from))] }

func (r random) number(least, most uint32) uint32 {
	if r.IntN(2) == 0 {
		return pick(r, least, least+1, most)
	}
	return least + uint32(r.Uint64N(uint64(most-least)+1))
}

func (r random) port() uint16 { return uint16(r.number(1, 65535)) }

func (r random) addr(f ipvs.Family) netip.Addr {
	if f == ipvs.IPv4 {
		return netip.AddrFrom4([4]byte{pick(r, byte(10), 192, 127, 240), byte(r.Uint32()), byte(r.Uint32()), byte(1 + r.IntN(254))})
	}
	b := [16]byte{0: 0x20, 1: 0x01}
	if r.IntN(8) == 0 {
		b = [16]byte{}
	}
	binary.BigEndian.PutUint64(b[8:], r.Uint64()>>r.IntN(60)|1)
	return netip.AddrFrom16(b)
}

func (r random) rules() ipvs.Rules {
	var rules ipvs.Rules
	if r.IntN(2) == 0 {
		rules.Timeouts = &ipvs.Timeouts{TCP: r.number(0, 2678400), TCPFin: r.number(0, 2678400), UDP: r.number(0, 2678400)}
	}
	for _, role := range []ipvs.DaemonRole{ipvs.Master, ipvs.Backup} {
		if r.IntN(3) == 0 {
			rules.Daemons = append(rules.Daemons, r.daemon(role))
		}
	}
	known := map[ipvs.ServiceID]bool{}
	for range r.IntN(12) {
		s := ipvs.ServiceRules{Service: r.service()}
		if known[s.ServiceID] {
			continue
		}
		known[s.ServiceID] = true
		there := map[netip.AddrPort]bool{}
		for range r.IntN(6) {
			server := r.server(s.ServiceID, len(rules.Daemons) > 0)
			if !there[server.Addr] {
				there[server.Addr] = true
				s.Servers = append(s.Servers, server)
			}
		}
		rules.Services = append(rules.Services, s)
	}
	rules.Sort()
	return rules
}

func (r random) daemon(role ipvs.DaemonRole) ipvs.Daemon {
	d := ipvs.Daemon{Role: role, Interface: pick(r, "eth0", "lo", "bond0.100", "a-name_of_15chr"), SyncID: uint8(r.number(0, 255))}
	if r.IntN(2) == 0 {
		d.MaxLen, d.Port, d.TTL = uint16(r.number(1, 65507)), r.port(), uint8(r.number(1, 255))
		d.Group = netip.MustParseAddr(pick(r, "224.0.0.81", "239.1.2.3", "ff02::81"))
	}
	return d
}

func (r random) service() ipvs.Service {
	f := pick(r, ipvs.IPv4, ipvs.IPv6)
	id := ipvs.AddressService(pick(r, ipvs.TCP, ipvs.UDP, ipvs.SCTP), netip.AddrPortFrom(r.addr(f), r.port()))
	if r.IntN(3) == 0 {
		id = ipvs.MarkService(r.number(1, 1<<32-1), f)
	}
	s := ipvs.NewService(id)
	s.Scheduler = pick(r, "rr", "wlc", "sh", "mh", "none", "a_15_chars.name")
	s.SchedFlags = ipvs.SchedFlags(r.IntN(8))
	s.OnePacket = (id.IsMark() || id.Protocol == ipvs.UDP) && r.IntN(3) == 0
	p := &s.Persistence
	if r.IntN(2) == 0 {
		p.On, p.Timeout = true, r.number(1, 2678400)
		if !id.IsMark() && r.IntN(4) == 0 {
			s.Port = 0
		}
	}
	if r.IntN(2) == 0 {
		p.Mask = ipvs.Mask(r.Uint32())
		if f == ipvs.IPv6 {
			p.Mask = ipvs.Mask(r.number(1, 128))
		}
	}
	p.Engine = pick(r, "", "", "sip")
	return s
}

func (r random) server(id ipvs.ServiceID, beside bool) ipvs.Server {
	s := ipvs.Server{Forward: pick(r, ipvs.Masq, ipvs.TunnelFwd, ipvs.Direct), Weight: r.number(0, ipvs.MaxWeight)}
	f := id.Family
	if s.Forward == ipvs.TunnelFwd {
		s.Tunnel = r.tunnel()
		if !beside {
			f = pick(r, ipvs.IPv4, ipvs.IPv6)
		}
	}
	port := id.Port
	if s.Forward == ipvs.Masq || id.IsMark() {
		port = uint16(r.number(0, 65535))
	}
	s.Addr = netip.AddrPortFrom(r.addr(f), port)
	if r.IntN(2) == 0 {
		s.Upper = r.number(0, ipvs.MaxWeight)
		s.Lower = r.Uint32N(s.Upper + 1)
	}
	return s
}

func (r random) tunnel() ipvs.Tunnel {
	switch t := pick(r, ipvs.IPIP, ipvs.GUE, ipvs.GRE); t {
	case ipvs.GUE:
		return ipvs.Tunnel{Type: t, Port: r.port(), Flags: pick(r, 0, ipvs.TunnelChecksum, ipvs.TunnelRemoteChecksum)}
	case ipvs.GRE:
		return ipvs.Tunnel{Type: t, Flags: pick(r, 0, ipvs.TunnelChecksum)}
	}
	return ipvs.Tunnel{}
}

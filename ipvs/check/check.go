package check

import (
	"net/netip"
	"strings"

	"lvsdeck/ipvs"
)

// The limits of ipvsadm's language and of the kernel's attributes.
const (
	MaxTimeout       = 31 * 24 * 3600 // seconds, of persistence and of connections
	MaxSchedulerName = 15
	MaxEngineName    = 16
	MaxInterfaceName = 15
	MaxSyncMessage   = 65507 // what fits a UDP packet
	DefaultTimeout   = 360   // of persistence, in seconds
)

const (
	timeoutRule = "must be 0 to 2678400 seconds (31 days)"
	nameRule    = "must be of letters, digits and _ . -, at most %d"
	syncRule    = "must be %v as its service is: families may not differ beside a sync daemon"
)

// OfService lists what is wrong with a service.
func OfService(s ipvs.Service) []Problem {
	var p problems
	p.service(s)
	return p.all
}

// OfServer lists what is wrong with a server of a service. beside tells that a
// sync daemon runs or shall run.
func OfServer(id ipvs.ServiceID, s ipvs.Server, beside bool) []Problem {
	var p problems
	p.server(id, s, beside)
	return p.all
}

// OfTimeouts lists what is wrong with timeouts.
func OfTimeouts(t ipvs.Timeouts) []Problem {
	var p problems
	for _, seconds := range []uint32{t.TCP, t.TCPFin, t.UDP} {
		odd(&p, seconds > MaxTimeout, Timeouts, seconds, timeoutRule)
	}
	return p.all
}

// OfDaemon lists what is wrong with a sync daemon to be started.
func OfDaemon(d ipvs.Daemon) []Problem {
	var p problems
	add(&p, d.Role != ipvs.Master && d.Role != ipvs.Backup, Role, d.Role, "must be master or backup")
	add(&p, !isInterface(d.Interface), Interface, d.Interface, "must be an interface's name of 1 to 15 characters")
	add(&p, d.MaxLen > MaxSyncMessage, MaxLen, d.MaxLen, "must be 1 to 65507 bytes")
	add(&p, d.Group.IsValid() && (!d.Group.IsMulticast() || d.Group.Zone() != "" || d.Group.Is4In6()),
		Group, d.Group, "must be a multicast address")
	return p.all
}

// OfRules lists what is wrong with a whole image of a table.
func OfRules(r ipvs.Rules) []Problem {
	var p problems
	services, servers := map[ipvs.ServiceID]bool{}, map[netip.AddrPort]bool{}
	for i := range r.Services {
		s := &r.Services[i]
		p.ofService, p.ofServer = &s.ServiceID, nil
		add(&p, services[s.ServiceID], Service, s.Name(), ServiceTwice)
		services[s.ServiceID] = true
		p.service(s.Service)
		clear(servers)
		once := ascending(s.Servers)
		for j := range s.Servers {
			server := &s.Servers[j]
			p.ofServer = server
			if !once {
				add(&p, servers[server.Addr], Server, server.Addr, ServerTwice)
				servers[server.Addr] = true
			}
			p.server(s.ServiceID, *server, len(r.Daemons) > 0)
		}
	}
	p.ofService = nil
	if r.Timeouts != nil {
		p.all = append(p.all, OfTimeouts(*r.Timeouts)...)
	}
	roles := map[ipvs.DaemonRole]bool{}
	for _, d := range r.Daemons {
		add(&p, roles[d.Role], Role, d.Role, DaemonTwice)
		roles[d.Role] = true
		p.all = append(p.all, OfDaemon(d)...)
	}
	return p.all
}

// ascending tells of servers in order, as most are, that none is there twice.
func ascending(servers []ipvs.Server) bool {
	for i := 1; i < len(servers); i++ {
		if servers[i-1].Addr.Compare(servers[i].Addr) >= 0 {
			return false
		}
	}
	return true
}

// Rules that others tell, too: of things of one name, and of a server of
// another family than its service, which is to be filled in.
const (
	MixedRule    = "must be %v as its service is: families may differ only in tunnels"
	ServiceTwice = "must be there only once"
	ServerTwice  = "must be there only once in its service"
	DaemonTwice  = "must be there only once of each role"
)

func (p *problems) service(s ipvs.Service) {
	p.identity(s.ServiceID)
	odd(p, !s.IsMark() && s.Port == 0 && !s.Persistence.On, Port, s.Port,
		"must be 1 to 65535; 0, which is every port, needs persistence")
	odd(p, s.OnePacket && !s.IsMark() && s.Protocol != ipvs.UDP, OnePacket, "",
		"only for UDP and firewall mark services")
	addf(p, !isName(s.Scheduler, MaxSchedulerName), Scheduler, s.Scheduler, nameRule, MaxSchedulerName)
	add(p, s.SchedFlags > 7, SchedFlags, int(s.SchedFlags), "must be some of the three flags")
	odd(p, s.Persistence.On && (s.Persistence.Timeout < 1 || s.Persistence.Timeout > MaxTimeout),
		Persistence, s.Persistence.Timeout, "must be 1 to 2678400 seconds (31 days)")
	add(p, s.Family == ipvs.IPv6 && (s.Persistence.Mask < 1 || s.Persistence.Mask > 128),
		Mask, uint32(s.Persistence.Mask), "must be a prefix length of 1 to 128")
	addf(p, s.Persistence.Engine != "" && !isName(s.Persistence.Engine, MaxEngineName),
		Engine, s.Persistence.Engine, nameRule, MaxEngineName)
}

// identity checks that an ID is one that the constructors of ipvs make.
func (p *problems) identity(id ipvs.ServiceID) {
	if id.IsMark() {
		add(p, id != ipvs.MarkService(id.Mark, id.Family), Mark, id.Mark, "must be without address, port and protocol")
		add(p, id.Family != ipvs.IPv4 && id.Family != ipvs.IPv6, Family, id.Family, "must be IPv4 or IPv6")
		return
	}
	add(p, id.Protocol != ipvs.TCP && id.Protocol != ipvs.UDP && id.Protocol != ipvs.SCTP,
		Protocol, id.Protocol, "must be TCP, UDP or SCTP")
	mapped := id.Family == ipvs.IPv6 && id.Addr.Is4In6() && id.Mark == 0
	odd(p, mapped, Service, id.Addr, "must be an IPv4 or IPv6 address, not one as the other")
	add(p, !mapped && (!id.Addr.IsValid() || id != ipvs.AddressService(id.Protocol, netip.AddrPortFrom(id.Addr, id.Port))),
		Service, id.Addr, "must be an IPv4 or IPv6 address")
}

func (p *problems) server(id ipvs.ServiceID, s ipvs.Server, beside bool) {
	add(p, !unicast(s.Addr.Addr()), Server, s.Addr.Addr(), "must be one host's address, not link-local")
	mixed := s.Addr.IsValid() && s.Family() != id.Family
	addf(p, mixed && s.Forward != ipvs.TunnelFwd, Server, s.Addr.Addr(), MixedRule, id.Family)
	addf(p, mixed && s.Forward == ipvs.TunnelFwd && beside, Server, s.Addr.Addr(), syncRule, id.Family)

	keepsPort := s.Forward == ipvs.Direct || s.Forward == ipvs.TunnelFwd
	add(p, !keepsPort && s.Forward != ipvs.Masq, Forward, s.Forward, "must be NAT, DR or TUN")
	oddf(p, keepsPort && !id.IsMark() && s.Addr.Port() != id.Port, ServerPort, s.Addr.Port(),
		"must be the service's, %d: DR and TUN do not change ports", id.Port)

	add(p, s.Weight > ipvs.MaxWeight, Weight, s.Weight, "must be 0 to 2147483647")
	add(p, s.Upper > ipvs.MaxWeight, Upper, s.Upper, "must be 0 to 2147483647")
	addf(p, s.Lower > s.Upper, Lower, s.Lower, "must not be above the upper threshold, %d", s.Upper)
	p.tunnel(s)
}

func (p *problems) tunnel(s ipvs.Server) {
	t := s.Tunnel
	if s.Forward != ipvs.TunnelFwd {
		odd(p, t != ipvs.Tunnel{}, TunnelType, t.Type, "only for TUN servers")
		return
	}
	switch t.Type {
	case ipvs.IPIP:
		odd(p, t.Port != 0, TunnelPort, t.Port, "only for GUE tunnels")
		odd(p, t.Flags != 0, TunnelFlags, int(t.Flags), "only for GUE and GRE tunnels")
	case ipvs.GUE:
		add(p, t.Port == 0, TunnelPort, t.Port, "must be 1 to 65535 for a GUE tunnel")
		add(p, t.Flags > ipvs.TunnelRemoteChecksum, TunnelFlags, int(t.Flags), "must be none, csum or remcsum")
	case ipvs.GRE:
		odd(p, t.Port != 0, TunnelPort, t.Port, "only for GUE tunnels")
		add(p, t.Flags > ipvs.TunnelChecksum, TunnelFlags, int(t.Flags), "must be none or csum for a GRE tunnel")
	default:
		add(p, true, TunnelType, t.Type, "must be ipip, gue or gre")
	}
}

// unicast follows inet_addr_type and ipv6_addr_type, for what needs no routing
// table: loopback and even 240.0.0.0/4 are fine. The kernel takes a link-local
// IPv6 address if it is the director's own, which nobody wants.
func unicast(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" || a.IsMulticast() || a.IsUnspecified() {
		return false
	}
	if a.Is4() {
		return a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
	}
	return !a.Is4In6() && !a.IsLinkLocalUnicast()
}

// isName tells what can be part of a kernel module's name.
func isName(s string, most int) bool {
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_.-", r)
	}
	return s != "" && len(s) <= most && !strings.ContainsFunc(s, odd)
}

// isInterface follows dev_valid_name, and leaves out what a rules file could
// not hold: a name that looks like a comment.
func isInterface(s string) bool {
	odd := func(r rune) bool { return r <= ' ' || r > '~' || r == '/' || r == ':' }
	return s != "" && len(s) <= MaxInterfaceName && s != "." && s != ".." && s[0] != '#' && !strings.ContainsFunc(s, odd)
}

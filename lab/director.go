package lab

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// Mode is how a director hands packets on.
type Mode string

// The modes.
const (
	NAT Mode = "NAT"
	DR  Mode = "DR"
	TUN Mode = "TUN" // ipip, or IPv6 in IPv6
)

// Flag is ipvsadm's for a real server in this mode.
func (m Mode) Flag() string {
	return map[Mode]string{NAT: "--masquerading", DR: "--gatewaying", TUN: "--ipip"}[m]
}

// What every real server of a Site serves.
const (
	HTTPPort = 80
	TCPPort  = 7
	UDPPort  = 53
)

// Site is a director with a client before and real servers behind it, all set
// up for one mode, but for the services themselves.
//
//	client -- router -- director -- servers     NAT: their gateway is the director
//	client -- router -- director and servers    DR:  on one segment
//	client -- router -- director                TUN: the servers on a third
//	             \----- servers                      segment of the router's
type Site struct {
	*Net
	Mode                     Mode
	Client, Router, Director *Host
	Servers                  []*Host
	VIP                      netip.Addr
	Addrs                    []netip.Addr // the servers', in their order
	Outside, Wan, Lan        *Segment     // of the client, the director, the servers (DR: Wan)

	rest netip.Prefix // all addresses
}

// plan is a family's networks.
type plan struct{ outside, wan, lan, rest netip.Prefix }

var (
	planV4 = plan{
		netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
		netip.MustParsePrefix("10.0.3.0/24"), netip.MustParsePrefix("0.0.0.0/0"),
	}
	planV6 = plan{
		netip.MustParsePrefix("2001:db8:1::/64"), netip.MustParsePrefix("2001:db8:2::/64"),
		netip.MustParsePrefix("2001:db8:3::/64"), netip.MustParsePrefix("::/0"),
	}
)

// The last byte of the addresses in each network.
const (
	directorNumber = 1
	clientNumber   = 2
	vipNumber      = 10
	serverNumber   = 11 // of the first
	routerNumber   = 254
)

// Director makes a site with some servers, named rs1, rs2, …, for IPv4 or IPv6.
func Director(t TB, mode Mode, servers int, v6 bool) *Site {
	t.Helper()
	s, p := outline(t, mode, v6)
	s.Director.AddVIP("eth0", s.VIP)
	lan, gateway := s.behind(p)
	s.addServers(servers, lan, gateway)
	for i, h := range s.Servers {
		h.AcceptVIP(mode, s.VIP)
		asked := s.VIP
		if mode == NAT {
			asked = s.Addrs[i]
		}
		h.ServeUDP(netip.AddrPortFrom(asked, UDPPort).String())
	}
	return s
}

// Bare makes the same site before anybody has set anything up: the director is
// no director yet, and the servers do not know the VIP. Their gateway is the
// router, in NAT too, where it is on their segment beside the director. With
// oneArm the servers of NAT are on the director's only segment. They serve HTTP
// and TCP on all their addresses, and no UDP.
func Bare(t TB, mode Mode, oneArm bool, servers int, v6 bool) *Site {
	t.Helper()
	s, p := outline(t, mode, v6)
	lan := p.lan
	switch {
	case mode == DR || mode == NAT && oneArm:
		s.Lan, lan = s.Wan, p.wan
	default:
		s.Lan = s.Segment("lan")
		s.Router.Join(s.Lan, "eth2", cidr(p.lan, routerNumber))
		if mode == NAT {
			s.Director.Join(s.Lan, "eth1", cidr(p.lan, directorNumber))
		}
	}
	s.addServers(servers, lan, number(lan, routerNumber))
	return s
}

// outline makes all but the servers' side.
func outline(t TB, mode Mode, v6 bool) (*Site, plan) {
	t.Helper()
	p := planV4
	if v6 {
		p = planV6
	}
	s := &Site{Net: New(t), Mode: mode, VIP: number(p.wan, vipNumber), rest: p.rest}
	s.Client, s.Router, s.Director = s.Host("client"), s.Host("router"), s.Host("director")
	s.Outside, s.Wan = s.Segment("outside"), s.Segment("wan")

	s.Client.Join(s.Outside, "eth0", cidr(p.outside, clientNumber))
	s.Client.AddRoute(p.rest.String(), number(p.outside, routerNumber).String())
	s.Router.Join(s.Outside, "eth0", cidr(p.outside, routerNumber))
	s.Router.Join(s.Wan, "eth1", cidr(p.wan, routerNumber))
	s.Router.forward()
	s.Director.Join(s.Wan, "eth0", cidr(p.wan, directorNumber))
	s.Director.AddRoute(p.rest.String(), number(p.wan, routerNumber).String())
	return s, p
}

// behind connects the servers' side, and says its network and gateway.
func (s *Site) behind(p plan) (lan netip.Prefix, gateway netip.Addr) {
	switch s.Mode {
	case DR:
		s.Lan = s.Wan
		return p.wan, number(p.wan, routerNumber)
	case TUN:
		s.Lan = s.Segment("lan")
		s.Router.Join(s.Lan, "eth2", cidr(p.lan, routerNumber))
		Modprobe(s.t, tunnelFor(s.VIP).module)
		return p.lan, number(p.lan, routerNumber)
	}
	s.Lan = s.Segment("lan")
	s.Director.Join(s.Lan, "eth1", cidr(p.lan, directorNumber))
	s.Director.forward()
	return p.lan, number(p.lan, directorNumber)
}

// addServers adds servers that serve on all their addresses.
func (s *Site) addServers(n int, lan netip.Prefix, gateway netip.Addr) {
	s.t.Helper()
	for i := range n {
		h := s.Host(fmt.Sprintf("rs%d", i+1))
		h.Join(s.Lan, "eth0", cidr(lan, serverNumber+i))
		h.AddRoute(s.rest.String(), gateway.String())
		h.ServeHTTP(port(HTTPPort))
		h.ServeTCP(port(TCPPort))
		s.Servers, s.Addrs = append(s.Servers, h), append(s.Addrs, number(lan, serverNumber+i))
	}
}

// AcceptVIP lets a real server take the VIP's packets without claiming the VIP.
// TUN wants its module loaded before (see Modprobe).
func (h *Host) AcceptVIP(m Mode, vip netip.Addr) {
	h.net.t.Helper()
	switch m {
	case DR:
		// First be silent, then have the address: between the two, a single
		// answer would lead the router astray.
		h.Sysctl("net.ipv4.conf.all.arp_ignore", "1")
		h.Sysctl("net.ipv4.conf.all.arp_announce", "2")
		h.AddVIP("lo", vip)
	case TUN:
		device := tunnelFor(vip).device
		if vip.Is4() {
			h.Sysctl("net.ipv4.conf."+device+".rp_filter", "0")
		}
		h.Up(device)
		h.AddVIP(device, vip)
	}
}

// tunnel is what unpacks packets: its module brings a device to every host.
type tunnel struct{ module, device string }

func tunnelFor(vip netip.Addr) tunnel {
	if vip.Is6() {
		return tunnel{"ip6_tunnel", "ip6tnl0"}
	}
	return tunnel{"ipip", "tunl0"}
}

func port(n int) string { return net.JoinHostPort("", strconv.Itoa(n)) }

// At is a port of the VIP, as an address.
func (s *Site) At(port uint16) string { return netip.AddrPortFrom(s.VIP, port).String() }

// forward makes a router of the host.
func (h *Host) forward() {
	h.net.t.Helper()
	h.Sysctl("net.ipv4.ip_forward", "1")
	h.Sysctl("net.ipv6.conf.all.forwarding", "1")
}

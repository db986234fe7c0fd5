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
	p := planV4
	if v6 {
		p = planV6
	}
	s := &Site{Net: New(t), Mode: mode, VIP: number(p.wan, vipNumber)}
	s.Client, s.Router, s.Director = s.Host("client"), s.Host("router"), s.Host("director")
	s.Outside, s.Wan = s.Segment("outside"), s.Segment("wan")

	s.Client.Join(s.Outside, "eth0", cidr(p.outside, clientNumber))
	s.Client.AddRoute(p.rest.String(), number(p.outside, routerNumber).String())
	s.Router.Join(s.Outside, "eth0", cidr(p.outside, routerNumber))
	s.Router.Join(s.Wan, "eth1", cidr(p.wan, routerNumber))
	s.Router.forward()
	s.Director.Join(s.Wan, "eth0", cidr(p.wan, directorNumber))
	s.Director.AddVIP("eth0", s.VIP)
	s.Director.AddRoute(p.rest.String(), number(p.wan, routerNumber).String())

	lan, gateway := s.behind(p)
	for i := range servers {
		h := s.Host(fmt.Sprintf("rs%d", i+1))
		n := serverNumber + i
		h.Join(s.Lan, "eth0", cidr(lan, n))
		h.AddRoute(p.rest.String(), gateway.String())
		s.Servers, s.Addrs = append(s.Servers, h), append(s.Addrs, number(lan, n))
		h.AcceptVIP(mode, s.VIP)
		s.serve(h, number(lan, n))
	}
	return s
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

func (s *Site) serve(h *Host, own netip.Addr) {
	asked := s.VIP
	if s.Mode == NAT {
		asked = own
	}
	h.ServeHTTP(port(HTTPPort))
	h.ServeTCP(port(TCPPort))
	h.ServeUDP(netip.AddrPortFrom(asked, UDPPort).String())
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

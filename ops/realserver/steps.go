package realserver

import (
	"fmt"
	"net/netip"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/setup"
)

// Step is one thing that a real server must have: a setting, or a sysctl.
type Step struct {
	Setting netcfg.Setting

	// Sysctl is a file below /proc/sys, with * for every interface; Value is what
	// it shall be.
	Sysctl, Value string

	Reason string // one sentence

	// Needs is a program without which the step is passed over.
	Needs string
}

// Steps are all that a real server must have, in their order. They are none for
// full NAT: a way to the director is all it takes.
func Steps(w Want) ([]Step, error) {
	if err := w.Check(); err != nil {
		return nil, err
	}
	var s steps
	switch w.Mode {
	case setup.DR:
		s.quiet(w)
		s.loose(w)
		s.vip(w, "lo", "It takes packets for the VIP as its own; on lo nobody is told of it.")
	case setup.TUN:
		s.tunnel(w)
	case setup.NAT:
		s.gateway(w)
	}
	return s, nil
}

type steps []Step

func (s *steps) have(x netcfg.Setting, reason string) {
	*s = append(*s, Step{Setting: x, Reason: reason})
}

func (s *steps) sysctl(name, value, reason string) {
	*s = append(*s, Step{Sysctl: name, Value: value, Reason: reason})
}

// quiet keeps an IPv4 server from being found under the VIP. It comes before the
// VIP: a single answer between the two would lead the router astray. IPv6 never
// answers on one interface for addresses of another.
func (s *steps) quiet(w Want) {
	if w.VIP.Is6() {
		return
	}
	s.sysctl(netcfg.Conf("all", "arp_ignore"), "1", "It does not answer who has the VIP: the director does.")
	s.sysctl(netcfg.Conf("all", "arp_announce"), "2", "When it asks for its router it does so under its own address: under the VIP the router would send it everything.")
}

func (s *steps) loose(w Want) {
	if w.Loose != "" && w.VIP.Is4() {
		s.sysctl(netcfg.Conf(w.Loose, "rp_filter"), "2", "Clients' packets come in by "+w.Loose+" and answers leave by another interface: the strict filter drops that.")
	}
}

func (s *steps) vip(w Want, link, reason string) {
	s.have(netcfg.Address{Link: link, Prefix: netip.PrefixFrom(w.VIP, w.VIP.BitLen())}, reason)
}

// device is what unpacks a tunnel: the device that a module brings, whatever the
// sender.
func device(w Want) (modules []string, link string) {
	v6, outer6 := w.VIP.Is6(), w.Server.Is6()
	switch {
	case w.Tunnel.Type == ipvs.GRE && outer6:
		modules, link = []string{"ip6_gre"}, "ip6gre0"
	case w.Tunnel.Type == ipvs.GRE:
		modules, link = []string{"ip_gre"}, "gre0"
	case outer6:
		modules, link = []string{"ip6_tunnel"}, "ip6tnl0"
	case v6:
		modules, link = []string{"sit"}, "sit0"
	default:
		modules, link = []string{"ipip"}, "tunl0"
	}
	if w.Tunnel.Type == ipvs.GUE {
		fou := "fou"
		if outer6 {
			fou = "fou6"
		}
		modules = append([]string{fou}, modules...)
	}
	return modules, link
}

func (s *steps) tunnel(w Want) {
	modules, link := device(w)
	for _, m := range modules {
		s.have(netcfg.Module{Name: m}, map[bool]string{
			true: "It takes packets out of UDP.", false: "It brings " + link + ", which unpacks tunnels from any sender.",
		}[strings.HasPrefix(m, "fou")])
	}
	if w.Shares {
		s.quiet(w)
	}
	if w.VIP.Is4() {
		s.sysctl(netcfg.Conf(link, "rp_filter"), "2",
			"Clients come out of "+link+" but answers leave elsewhere: the strict filter drops that, and the loose one counts even where it is strict for all.")
	}
	if w.Tunnel.Type == ipvs.GUE {
		s.have(netcfg.GUE{Port: w.Tunnel.Port, IPv6: w.Server.Is6()}, "The director's tunnel packets are unpacked on this port.")
	}
	s.have(netcfg.Up{Link: link}, "A tunnel device that is down answers that nobody is there.")
	s.vip(w, link, "It takes packets for the VIP as its own; the loose filter needs an address on "+link+".")
	if w.ClampMSS {
		s.clamp(w)
	}
}

// clamp tells clients of smaller packets in the only place that sees the answer
// to their SYN: this server.
func (s *steps) clamp(w Want) {
	*s = append(*s, Step{
		Setting: netcfg.Filter{
			IPv6: w.VIP.Is6(), Table: "mangle", Chain: "OUTPUT",
			Match: fmt.Sprintf("-s %s -p tcp -m tcp --tcp-flags SYN,RST SYN", netip.PrefixFrom(w.VIP, w.VIP.BitLen())),
			Jump:  fmt.Sprintf("TCPMSS --set-mss %d", 1500-overhead(w)-inner(w)),
		},
		Reason: "Clients send packets that fit into the tunnel, so that large requests do not hang where ICMP is lost.",
		Needs:  map[bool]string{false: "iptables", true: "ip6tables"}[w.VIP.Is6()],
	})
}

// overhead is the bytes that a tunnel adds outside of a packet.
func overhead(w Want) int {
	outer := 20
	if w.Server.Is6() {
		outer = 40
	}
	switch w.Tunnel.Type {
	case ipvs.GUE:
		return outer + 8 + 4 // UDP and GUE
	case ipvs.GRE:
		return outer + 4
	}
	return outer
}

// inner is the headers of a packet inside: IP and TCP.
func inner(w Want) int {
	if w.VIP.Is6() {
		return 60
	}
	return 40
}

// The tables of routes that lead answers to the director are one for each port,
// so that services do not share what one of them may take away. Rules have the
// same number.
const firstTable = 10000

// gateway sends answers by the director, and leaves the server's own gateway as
// it is: whoever is logged in stays so.
func (s *steps) gateway(w Want) {
	table := firstTable + int(w.Port)
	whole := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	conf := "net/ipv4/conf/"
	if w.Server.Is6() {
		whole, conf = netip.PrefixFrom(netip.IPv6Unspecified(), 0), "net/ipv6/conf/"
	}
	s.sysctl(conf+"*/accept_redirects", "0", "A redirect would lead answers past the director, where clients do not know them.")
	s.have(netcfg.Route{To: whole, Via: w.Gateway, Table: table}, fmt.Sprintf("Table %d leads to the director; the server's own routes stay.", table))
	rule := netcfg.Rule{From: netip.PrefixFrom(w.Server, w.Server.BitLen()), Table: table, Priority: table}
	reason := "All that this address sends goes by the director, which translates the service's answers."
	if w.Port != 0 {
		rule.Protocol, rule.Port = strings.ToLower(w.Protocol.String()), w.Port
		reason = "Only the service's answers go by the director, which translates them; nothing else changes its way."
	}
	s.have(rule, reason)
}

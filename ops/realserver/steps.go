package realserver

import (
	"fmt"
	"hash/fnv"
	"net/netip"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/setup"
)

// Step is one thing that a real server must have: a setting, or a sysctl.
type Step struct {
	Setting netcfg.Setting
	Sysctl  Sysctl // without a Setting

	Reason string // one sentence

	// The step is passed over where this program is not, if one is named, or where
	// this address is the default gateway, if one is given.
	Needs  string
	Unless netip.Addr
}

// Sysctl is a setting of network interfaces, below net.ipv4.conf or net.ipv6.conf.
type Sysctl struct {
	IPv6  bool
	Link  string // "all", "*" for each, all included, or one interface
	Name  string
	Value string

	// Fine are the effects that do as well (max of all and the interface, see
	// netcfg.Effective): of Link, or when that is "all" of each but lo. Without
	// any, only Value does.
	Fine []int
}

// path is its file below /proc/sys, a pattern for "*".
func (s Sysctl) path() string {
	if s.IPv6 {
		return "net/ipv6/conf/" + s.Link + "/" + s.Name
	}
	return netcfg.Conf(s.Link, s.Name)
}

// String names the step by what shall be so. It has no sign in it that means
// anything between single quotes.
func (s Step) String() string {
	if s.Setting != nil {
		return s.Setting.String()
	}
	return netcfg.Dotted(s.Sysctl.path()) + " = " + s.Sysctl.Value
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

func (s *steps) sysctl(x Sysctl, reason string) {
	*s = append(*s, Step{Sysctl: x, Reason: reason})
}

// quiet keeps an IPv4 server from being found under the VIP. It comes before the
// VIP: a single answer between the two would lead the router astray. IPv6 never
// answers on one interface for addresses of another.
//
// arp_ignore 3 answers for addresses like the VIP, and 4 to 7 do as 0 does.
func (s *steps) quiet(w Want) {
	if w.VIP.Is6() {
		return
	}
	s.sysctl(Sysctl{Link: "all", Name: "arp_ignore", Value: "1", Fine: []int{1, 2, 8}},
		"It does not answer who has the VIP: the director does.")
	s.sysctl(Sysctl{Link: "all", Name: "arp_announce", Value: "2", Fine: []int{2}},
		"When it asks for its router it does so under its own address: under the VIP the router would send it everything.")
}

// unstrict keeps the reverse path filter from being strict.
func unstrict(link string) Sysctl {
	return Sysctl{Link: link, Name: "rp_filter", Value: "2", Fine: []int{0, 2}}
}

func (s *steps) loose(w Want) {
	if w.Loose != "" && w.VIP.Is4() {
		s.sysctl(unstrict(w.Loose), "Clients' packets come in by "+w.Loose+" and answers leave by another interface: the strict filter drops that.")
	}
}

func (s *steps) vip(w Want, link, reason string) {
	s.have(netcfg.Address{Link: link, Prefix: netip.PrefixFrom(w.VIP, w.VIP.BitLen())}, reason)
}

// device is what unpacks a tunnel: the device that a module brings, whatever the
// sender.
func device(w Want) (modules []string, link string) {
	v6, outer6 := w.VIP.Is6(), w.outer6()
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
		if outer6 {
			modules = append([]string{"fou6"}, modules...)
		}
		modules = append([]string{"fou"}, modules...)
	}
	return modules, link
}

func (s *steps) tunnel(w Want) {
	modules, link := device(w)
	for _, m := range modules {
		reason := "It brings " + link + ", which unpacks tunnels from any sender."
		if strings.HasPrefix(m, "fou") {
			reason = "It takes packets out of UDP."
		}
		s.have(netcfg.Module{Name: m}, reason)
	}
	if w.Shares {
		s.quiet(w)
	}
	if w.VIP.Is4() {
		s.sysctl(unstrict(link),
			"Clients come out of "+link+" but answers leave elsewhere: the strict filter drops that, and the loose one counts even where it is strict for all.")
	}
	if w.Tunnel.Type == ipvs.GUE {
		s.have(netcfg.GUE{Port: w.Tunnel.Port, IPv6: w.outer6()}, "The director's tunnel packets are unpacked on this port.")
	}
	if link == "ip6tnl0" && w.VIP.Is4() {
		s.have(netcfg.AnyInside{Link: link}, "A fresh one takes only IPv6 packets out of IPv6.")
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
	program := "iptables"
	if w.VIP.Is6() {
		program = "ip6tables"
	}
	*s = append(*s, Step{
		Setting: netcfg.Filter{
			IPv6: w.VIP.Is6(), Table: "mangle", Chain: "OUTPUT",
			Match: fmt.Sprintf("-s %s -p tcp -m tcp --tcp-flags SYN,RST SYN", netip.PrefixFrom(w.VIP, w.VIP.BitLen())),
			Jump:  fmt.Sprintf("TCPMSS --set-mss %d", ethernet-overhead(w)-inner(w)),
		},
		Reason: "Clients send packets that fit into the tunnel, so that large requests do not hang where ICMP is lost.",
		Needs:  program,
	})
}

// ethernet is the packet that nearly every network takes.
const ethernet = 1500

// overhead is the bytes that a tunnel adds outside of a packet.
func overhead(w Want) int {
	outer := 20
	if w.outer6() {
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

// Rules for a port come before those for all that a server sends.
const (
	portRule  = 10000
	nearRule  = 10001
	wholeRule = 10002
)

// table is that of the routes to a director, of a number that its address makes:
// services of several directors share none. It is far from those that people give.
func table(director netip.Addr) int {
	h := fnv.New32a()
	_, _ = h.Write(director.AsSlice())
	return int(h.Sum32()>>2 | 1<<30)
}

// gateway sends answers by the director, and leaves the server's own gateway as
// it is: whoever is logged in stays so.
func (s *steps) gateway(w Want) {
	table := table(w.Gateway)
	v6 := w.Server.Is6()
	whole := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if v6 {
		whole = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	s.sysctl(Sysctl{IPv6: v6, Link: "*", Name: "accept_redirects", Value: "0"},
		"A redirect would lead answers past the director, where clients do not know them.")
	s.have(netcfg.Route{To: whole, Via: w.Gateway, Table: table}, fmt.Sprintf("Table %d leads to the director; the server's own routes stay.", table))
	rule := netcfg.Rule{From: netip.PrefixFrom(w.Server, w.Server.BitLen()), Table: table, Priority: wholeRule}
	reason := "All that this address sends goes by the director, which translates the service's answers."
	if w.Port == 0 {
		s.have(netcfg.Rule{From: rule.From, Near: true, Priority: nearRule},
			"Those nearer than the default gateway are answered as before: a login from this network does not go by the director.")
	} else {
		rule.Protocol, rule.Port, rule.Priority = lower(w.Protocol), w.Port, portRule
		reason = "Only the service's answers go by the director, which translates them; nothing else changes its way."
	}
	s.have(rule, reason)
	for i := range *s {
		if (*s)[i].Setting != nil {
			(*s)[i].Unless = w.Gateway
		}
	}
}

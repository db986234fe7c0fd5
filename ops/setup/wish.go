package setup

import (
	"fmt"
	"net/netip"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/check"
	"lvsdeck/netcfg"
)

// Mode is how a director hands packets on.
type Mode string

// The modes. FullNAT is NAT that hides the clients too, so that the servers
// answer to the director whatever their gateway is.
const (
	NAT     Mode = "nat"
	DR      Mode = "dr"
	TUN     Mode = "tun"
	FullNAT Mode = "fullnat"
)

// Modes are all of them, in the order in which they are offered.
var Modes = []Mode{NAT, DR, TUN, FullNAT}

// String is the name operators use.
func (m Mode) String() string {
	switch m {
	case NAT:
		return "NAT"
	case DR:
		return "DR"
	case TUN:
		return "TUN"
	case FullNAT:
		return "full NAT"
	}
	return "mode " + string(m)
}

// Forward is the kernel's method: it knows full NAT as NAT.
func (m Mode) Forward() ipvs.Forward {
	switch m {
	case DR:
		return ipvs.Direct
	case TUN:
		return ipvs.TunnelFwd
	}
	return ipvs.Masq
}

// translates tells that the servers' answers come back through the director.
func (m Mode) translates() bool { return m == NAT || m == FullNAT }

// Wish is what an operator says. Everything else is found out.
type Wish struct {
	Mode      Mode
	Service   ipvs.ServiceID // protocol, VIP and port
	Scheduler string         // "" is wlc
	Servers   []Server
	Tunnel    ipvs.Tunnel // of TUN

	// Link is where the VIP goes; "": it is found out.
	Link string

	// SNAT is the network whose hosts may start traffic of their own through the
	// director (NAT). Balanced traffic does not need it.
	SNAT netip.Prefix

	// Sources are the addresses as which the servers see all clients (full NAT);
	// none: the director's own.
	Sources Range
}

// Server is a real server to be.
type Server struct {
	Addr   netip.AddrPort // port 0: the service's
	Weight uint32
}

// Range is addresses from First to Last; the zero Range has none.
type Range struct{ First, Last netip.Addr }

// IsZero tells that there is no address in it.
func (r Range) IsZero() bool { return r == Range{} }

// String is "10.0.0.1" or "10.0.0.1-10.0.0.4", as iptables has it.
func (r Range) String() string {
	if r.First == r.Last {
		return r.First.String()
	}
	return r.First.String() + "-" + r.Last.String()
}

// rules is the service with its servers as the table shall have it.
func (w Wish) rules() ipvs.ServiceRules {
	s := ipvs.ServiceRules{Service: ipvs.NewService(w.Service)}
	if w.Scheduler != "" {
		s.Scheduler = w.Scheduler
	}
	for _, rs := range w.Servers {
		if rs.Addr.Port() == 0 {
			rs.Addr = netip.AddrPortFrom(rs.Addr.Addr(), w.Service.Port)
		}
		server := ipvs.Server{Addr: rs.Addr, Forward: w.Mode.Forward(), Weight: rs.Weight}
		if w.Mode == TUN {
			server.Tunnel = w.Tunnel
		}
		s.Servers = append(s.Servers, server)
	}
	return s
}

// Fields of a wish that the table's own rules do not know.
const (
	FieldMode      check.Field = "mode"
	FieldVIP       check.Field = "VIP"
	FieldInterface check.Field = "interface"
	FieldSNAT      check.Field = "SNAT"
	FieldSources   check.Field = "source addresses"
)

// Check refuses, with Refusals, what no director can do.
func (w Wish) Check() error {
	var r refusing
	r.add(w.Mode != NAT && w.Mode != DR && w.Mode != TUN && w.Mode != FullNAT, FieldMode, string(w.Mode), "must be nat, dr, tun or fullnat", "")
	r.add(w.Service.IsMark(), check.Service, w.Service, "must be an address, port and protocol", "a firewall mark service needs rules of its own: add it in the console")
	if len(r) > 0 {
		return Refusals(r)
	}
	r.vip(w.Service.Addr)
	r.servers(w)
	r.link(w.Link)
	r.sources(w)
	if len(r) == 0 {
		return nil
	}
	return Refusals(r)
}

func (r *refusing) vip(a netip.Addr) {
	r.add(a.IsValid() && (a.IsMulticast() || a.IsUnspecified() || a.IsLoopback() || a.IsLinkLocalUnicast() || a == broadcast),
		FieldVIP, a, "must be one host's address that clients can reach", "")
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// servers asks the table's own rules.
func (r *refusing) servers(w Wish) {
	r.add(len(w.Servers) == 0, check.Server, "", "must be at least one", "name each server with its address")
	for _, p := range check.OfRules(ipvs.Rules{Services: []ipvs.ServiceRules{w.rules()}}) {
		*r = append(*r, Refusal{p, adviceFor(p, w)})
	}
	for _, s := range w.Servers {
		r.add(s.Addr.Addr() == w.Service.Addr, check.Server, s.Addr.Addr(), "must not be the VIP", "name the server by its own address")
		r.add(s.Addr.Addr().IsLoopback(), check.Server, s.Addr.Addr(), "must be another host",
			"for a service on the director itself, add it in the console")
	}
	r.add(w.Mode != TUN && w.Tunnel != ipvs.Tunnel{}, check.TunnelType, w.Tunnel.Type, "only for TUN", "")
}

// adviceFor says what to do instead of what the table refuses.
func adviceFor(p check.Problem, w Wish) string {
	switch {
	case p.Field == check.ServerPort:
		return "let the server listen on that port, or use NAT or full NAT"
	case p.Rule == fmt.Sprintf(check.MixedRule, w.Service.Family):
		return fmt.Sprintf("name the server by an %v address, or use TUN", w.Service.Family)
	}
	return ""
}

func (r *refusing) link(name string) {
	r.add(name != "" && netcfg.Up{Link: name}.Check() != nil, FieldInterface, name,
		"must be a name of 1 to 15 letters, digits and _.@-", "ip link lists them")
}

func (r *refusing) sources(w Wish) {
	if w.SNAT.IsValid() {
		r.add(w.Mode != NAT, FieldSNAT, w.SNAT, "only for NAT", "in the other modes servers have a gateway of their own")
		r.add(ipvs.FamilyOf(w.SNAT.Addr()) != w.Service.Family, FieldSNAT, w.SNAT, fmt.Sprintf("must be %v as the service is", w.Service.Family), "")
		r.add(w.SNAT != w.SNAT.Masked(), FieldSNAT, w.SNAT, fmt.Sprintf("must be a network: %v", w.SNAT.Masked()), "")
		r.add(w.SNAT.Bits() == 0, FieldSNAT, w.SNAT, "must be the servers' network, not everything", "")
	}
	if !w.Sources.IsZero() {
		first, last := w.Sources.First, w.Sources.Last
		r.add(w.Mode != FullNAT, FieldSources, w.Sources, "only for full NAT", "")
		r.add(!first.IsValid() || !last.IsValid() || first.BitLen() != last.BitLen() || last.Less(first),
			FieldSources, w.Sources, "must be an address, or the first and the last of some", "")
		r.add(first.IsValid() && ipvs.FamilyOf(first) != w.Service.Family, FieldSources, w.Sources,
			fmt.Sprintf("must be %v as the service is", w.Service.Family), "")
	}
}

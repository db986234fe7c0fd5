package check

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/netcfg/firewall"
	"lvsdeck/ops"
	"lvsdeck/ops/keep"
	"lvsdeck/ops/owner"
	"lvsdeck/ops/path"
	"lvsdeck/ops/plan"
)

// Scene is all that checks look at, as it was in one pass. What could not be read
// is empty, and told in Unread.
type Scene struct {
	Sample  *ops.Sample // with the servers' own counters
	Daemons []ipvs.Daemon

	Links      []netcfg.Link
	Addresses  []netcfg.LinkAddress
	Neighbours []netcfg.Neighbour
	Ways       map[netip.Addr]Way          // to VIPs and servers
	Out        map[ipvs.Family]netcfg.Path // to the rest of the world, where there is a way
	OutOf      map[netip.Addr]netcfg.Path  // likewise from VIPs that are here

	Sysctls        map[string]plan.ChangeSysctl // by netcfg's names: each would keep its value
	Redirect       map[string]bool              // links that send redirects of IPv4, all settings taken together
	Firewall       *firewall.Rules
	FirewallPartly bool // some of it could not be read
	Owner          *owner.Owner
	Mover          string // a program that may move VIPs, as it is looked for where one is not here; "": none
	MoverUnknown   bool   // it could not be looked for
	Kernel         Release
	Loads          *Loads
	Saved          *keep.Comparison // nil: not compared

	// What servers have counted lately, and over two minutes and more in which
	// nothing was changed about their service; only those that have.
	Lately, Longer map[Place]Moved

	Meant     map[Place]uint32         // weights from before servers were drained here, of services without any
	Drains    map[Place]Drain          // of drained servers whom persistence gives clients
	Elsewhere map[netip.Addr]Elsewhere // VIPs that are not here, when their segment was asked for them

	Unread []string // each a sentence

	// What many checks ask of each server, found out once in Run.
	fronts map[netip.Addr]string // links by their addresses
	flows  map[*ops.Server]flow
	walks  *path.Walks // through Firewall, once it was asked for

	// A trial is what would be with another setting; nothing is offered in it.
	trial  bool
	trials map[string]bool // by values of net.ipv4.vs.conntrack: whether they make new faults
}

// flow is a path.Flow, unless it is not known.
type flow struct {
	path.Flow
	known bool
}

// Way is where packets to an address go.
type Way struct {
	netcfg.Path
	None string // why there is none: the kernel's word
}

// Release is a kernel's version; zero is not known.
type Release struct{ Major, Minor int }

// Before tells an older kernel.
func (r Release) Before(major, minor int) bool {
	return r != Release{} && (r.Major < major || r.Major == major && r.Minor < minor)
}

// Place is a server in a service.
type Place struct {
	Service ipvs.ServiceID
	Server  netip.AddrPort
}

// Loads are the connections of each server, as the kernel lists them.
type Loads struct {
	Servers map[Place]Load
	Gone    map[Place]Load // of servers that the table does not list any more; of many together without their names
	Partly  bool           // a sample: not all were read
	At      time.Time      // when they were read

	Asking map[ipvs.ServiceID]Clients // of half open connections that are fresh
	Held   map[ipvs.ServiceID]Clients // of all connections, where persistence holds them
}

// Load is connections. Fresh are those that had a packet a short while ago, of
// which some are half open: a client that waits sends its first packet again and
// again, and what has gone wrong before is forgotten. Near are the half open ones of
// clients in the server's own network, NearOpen the established ones of such clients.
type Load struct{ Conns, Open, Fresh, HalfOpen, Near, NearOpen uint64 }

// Elsewhere is what came of asking a segment for a VIP that is not here.
type Elsewhere struct {
	At   time.Time
	Free bool // nobody has it
	Has  bool // another host does
	Says string
}

// Drain is how a drained server's persistence templates began, as far as was seen.
type Drain struct {
	Since     time.Time
	Templates uint64
}

// Clients are those of some connections.
type Clients struct {
	Number  int
	Busiest netip.Addr
	Most    uint64 // connections of the busiest
}

// each calls f for every server.
func (s *Scene) each(f func(*ops.Service, *ops.Server)) {
	for _, v := range s.Sample.Services {
		for _, r := range v.Servers {
			f(v, r)
		}
	}
}

// sysctl is a value, or "" where it is not known.
func (s *Scene) sysctl(name string) string { return s.Sysctls[name].Before }

func (s *Scene) number(name string) (n uint64, known bool) {
	n, err := strconv.ParseUint(s.sysctl(name), 10, 64)
	return n, err == nil
}

func (s *Scene) conntrack() bool { return s.sysctl("conntrack") == "1" }

// set is the step that gives a sysctl a value.
func (s *Scene) set(name, value, reason string) plan.Item {
	step := s.Sysctls[name]
	step.After = value
	return plan.Item{Step: step, Reason: reason}
}

// Names of sysctls.
const (
	forwardV6  = plan.ForwardV6
	forwardAll = "net/ipv4/ip_forward"
	trackNow   = "net/netfilter/nf_conntrack_count"
	trackMax   = "net/netfilter/nf_conntrack_max"
)

// Gate names the sysctl that lets packets which come in by a link be routed on:
// IPv6 has one for all (kernel: ip_route_input_slow, ip6_forward).
func Gate(f ipvs.Family, link string) string {
	if f == ipvs.IPv6 {
		return forwardV6
	}
	return netcfg.Conf(link, "forwarding")
}

func (s *Scene) link(name string) (netcfg.Link, bool) {
	i := slices.IndexFunc(s.Links, func(l netcfg.Link) bool { return l.Name == name })
	if i < 0 {
		return netcfg.Link{}, false
	}
	return s.Links[i], true
}

// prepare finds out what many checks ask.
func (s *Scene) prepare() {
	s.fronts = map[netip.Addr]string{}
	for _, a := range s.Addresses {
		if l, _ := s.link(a.Link); !l.Loopback && l.Kind != "dummy" && s.fronts[a.Prefix.Addr()] == "" {
			s.fronts[a.Prefix.Addr()] = a.Link
		}
	}
	flows := make(map[*ops.Server]flow, s.Sample.Servers)
	s.each(func(v *ops.Service, r *ops.Server) {
		f, known := s.Flow(v, r)
		flows[r] = flow{f, known}
	})
	s.flows = flows
}

// Front is the link by which clients' packets come in, as far as that can be told:
// the card that has the VIP, or else the one toward the world. It is a guess, for
// words; what surely is so goes by front.
func (s *Scene) Front(vip netip.Addr) string {
	if s.fronts == nil {
		s.prepare()
	}
	return cmp.Or(s.fronts[vip], s.out(vip))
}

// out is the link by which answers of a VIP leave for the world.
func (s *Scene) out(vip netip.Addr) string {
	return cmp.Or(s.OutOf[vip].Link, s.Out[ipvs.FamilyOf(vip)].Link)
}

// front is the link by which clients' packets come in, or "" where another may bring
// some: the card that has the VIP is also the way to the world, or it is the only one.
func (s *Scene) front(vip netip.Addr) string {
	var cards []string
	for _, l := range s.Links {
		if l.Up && !l.Loopback && l.Kind != "dummy" {
			cards = append(cards, l.Name)
		}
	}
	link := s.Front(vip)
	if len(cards) == 1 && cards[0] == link || link == s.fronts[vip] && link == s.out(vip) {
		return link
	}
	return ""
}

// network is the network of ours in which an address is: of several the smallest.
func (s *Scene) network(addr netip.Addr) (best netcfg.LinkAddress) {
	for _, a := range s.Addresses {
		if a.Prefix.Contains(addr) && !a.Prefix.IsSingleIP() && (best.Link == "" || a.Prefix.Bits() > best.Prefix.Bits()) {
			best = a
		}
	}
	return best
}

// Flow is a client's connection to a server; ok is false where that is not known: of
// a server without a way or on this host. Of a mark the servers' side is known.
func (s *Scene) Flow(v *ops.Service, r *ops.Server) (f path.Flow, ok bool) {
	if known, met := s.flows[r]; met {
		return known.Flow, known.known
	}
	way := s.Ways[r.Addr.Addr()]
	if way.Link == "" || way.Local {
		return f, false
	}
	f = path.Flow{
		Service: v.ServiceID, Server: r.Server, Conntrack: s.conntrack(),
		Back: way.Link, Own: way.Source,
	}
	if !v.IsMark() {
		f.Front = s.front(v.Addr)
	}
	f.Hidden = r.Forward == ipvs.Masq && s.rewrites(f).Result == firewall.Rewrites
	return f, true
}

// rewrites is what nat rules make of a request on its way to the server.
func (s *Scene) rewrites(f path.Flow) firewall.Verdict { return s.walked().Rewrites(f) }

// walked are the ways through the firewall; of one that is not known, nothing is.
func (s *Scene) walked() *path.Walks {
	if s.walks == nil {
		var rules firewall.Rules
		if s.Firewall != nil {
			rules = *s.Firewall
		}
		s.walks = path.NewWalks(rules)
	}
	return s.walks
}

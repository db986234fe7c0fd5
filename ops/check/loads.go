package check

import (
	"net/netip"
	"slices"

	"lvsdeck/ipvs"
	"lvsdeck/ops/conns"
)

// freshFor is how many seconds a connection is fresh after a packet. Clients send
// their first packet again after 1, 2, 4 and 8 s (RFC 6298).
const freshFor = 10

// loading counts connections by server.
type loading struct {
	Loads
	listed   conns.Listed
	servers  map[ipvs.ServiceID][]netip.AddrPort
	networks map[netip.Addr]netip.Prefix // in which servers of NAT have their clients near
	scene    *Scene
	places   map[Place]owned // by what a connection names
	asking   tally           // with handshakes that do not end
	held     tally           // by persistence
	holds    map[ipvs.ServiceID]bool
}

// tally counts connections of a service by client.
type tally map[visitor]uint64

type visitor struct {
	service ipvs.ServiceID
	client  netip.Addr
}

// As many clients, places, and servers that have gone are told apart.
const (
	manyVisitors = 1 << 16
	manyPlaces   = 1 << 16
	manyGone     = 1 << 12
)

func (t tally) add(v visitor) {
	if t[v] > 0 || len(t) < manyVisitors {
		t[v]++
	}
}

// clients are those of each service.
func (t tally) clients() map[ipvs.ServiceID]Clients {
	all := map[ipvs.ServiceID]Clients{}
	for who, n := range t {
		c := all[who.service]
		if c.Number++; n > c.Most || n == c.Most && who.client.Less(c.Busiest) {
			c.Busiest, c.Most = who.client, n
		}
		all[who.service] = c
	}
	return all
}

type owned struct {
	Place
	listed bool
}

func newLoads(s *Scene) *loading {
	l := &loading{
		Loads: Loads{Servers: map[Place]Load{}, Gone: map[Place]Load{}}, scene: s,
		networks: map[netip.Addr]netip.Prefix{}, places: map[Place]owned{}, asking: tally{},
		held: tally{}, holds: map[ipvs.ServiceID]bool{}, servers: map[ipvs.ServiceID][]netip.AddrPort{},
	}
	for _, v := range s.Sample.Services {
		l.holds[v.ServiceID] = v.Persistence.On
		var servers []netip.AddrPort
		for _, r := range v.Servers {
			servers = append(servers, r.Addr)
		}
		l.servers[v.ServiceID] = servers
		l.listed.Add(v.ServiceID, servers)
	}
	return l
}

func (l *loading) add(c conns.Row) bool {
	named := Place{c.Service, c.Server}
	at, known := l.places[named]
	if !known {
		at.Place = named
		if at.Service, at.listed = l.listed.Owner(c.Service, c.Server); at.listed {
			at.Server = l.server(at.Service, c.Server)
		}
		if len(l.places) < manyPlaces {
			l.places[named] = at
		}
	}
	in := l.Servers
	if !at.listed {
		in, at.Place = l.Gone, l.gone(at.Place)
	}
	n := in[at.Place]
	n.Conns++
	if at.listed && l.holds[at.Service] {
		l.held.add(visitor{at.Service, c.Client.Addr()})
	}
	if c.State.Name == "ESTABLISHED" {
		n.Open++
		if at.listed && l.near(c) {
			n.NearOpen++
		}
	}
	if idle, known := c.Idle(); known && idle <= freshFor {
		n.Fresh++
		if c.State.Name == "SYN_RECV" {
			n.HalfOpen++
			l.asking.add(visitor{at.Service, c.Client.Addr()})
			if l.near(c) {
				n.Near++
			}
		}
	}
	in[at.Place] = n
	return true
}

// server is the listed one that a connection is with: a service of a mark, or of every
// port, lists its servers without the connection's port.
func (l *loading) server(of ipvs.ServiceID, named netip.AddrPort) netip.AddrPort {
	if servers := l.servers[of]; !slices.Contains(servers, named) {
		if i := slices.IndexFunc(servers, func(s netip.AddrPort) bool { return s.Addr() == named.Addr() }); i >= 0 {
			return servers[i]
		}
	}
	return named
}

// gone is where connections of a place that is not listed are counted: of many
// servers together, and of many services, too.
func (l *loading) gone(at Place) Place {
	if _, met := l.Gone[at]; met || len(l.Gone) < manyGone {
		return at
	}
	at.Server = netip.AddrPort{}
	if _, met := l.Gone[at]; met || len(l.Gone) < 2*manyGone {
		return at
	}
	return Place{}
}

// loads is what was counted. It does not keep what it took to count.
func (l *loading) loads() *Loads {
	all := l.Loads
	all.Asking, all.Held = l.asking.clients(), l.held.clients()
	return &all
}

// near tells a client that its server reaches without the director.
func (l *loading) near(c conns.Row) bool {
	server := c.Server.Addr()
	network, known := l.networks[server]
	if !known {
		if way := l.scene.Ways[server]; way.OnLink() && way.Link != "" {
			network = l.scene.network(server).Prefix.Masked()
		}
		l.networks[server] = network
	}
	return network.Contains(c.Client.Addr())
}

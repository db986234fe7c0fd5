package check

import (
	"net/netip"

	"lvsdeck/ops/conns"
)

// freshFor is how many seconds a connection is fresh after a packet. Clients send
// their first packet again after 1, 2, 4 and 8 s (RFC 6298).
const freshFor = 10

// loading counts connections by server.
type loading struct {
	Loads
	listed   conns.Listed
	networks map[netip.Addr]netip.Prefix // in which servers of NAT have their clients near
	scene    *Scene
	places   map[Place]owned // by what a connection names
}

type owned struct {
	Place
	listed bool
}

func newLoads(s *Scene) *loading {
	l := &loading{
		Loads: Loads{Servers: map[Place]Load{}, Gone: map[Place]Load{}}, scene: s,
		networks: map[netip.Addr]netip.Prefix{}, places: map[Place]owned{},
	}
	for _, v := range s.Sample.Services {
		var servers []netip.AddrPort
		for _, r := range v.Servers {
			servers = append(servers, r.Addr)
		}
		l.listed.Add(v.ServiceID, servers)
	}
	return l
}

func (l *loading) add(c conns.Row) bool {
	named := Place{c.Service, c.Server}
	at, known := l.places[named]
	if !known {
		at.Place = named
		at.Service, at.listed = l.listed.Owner(c.Service, c.Server)
		l.places[named] = at
	}
	in := l.Servers
	if !at.listed {
		in = l.Gone
	}
	n := in[at.Place]
	n.Conns++
	if c.State.Name == "ESTABLISHED" {
		n.Open++
	}
	if idle, known := c.Idle(); known && idle <= freshFor {
		n.Fresh++
		if c.State.Name == "SYN_RECV" {
			n.HalfOpen++
			if l.near(c) {
				n.Near++
			}
		}
	}
	in[at.Place] = n
	return true
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

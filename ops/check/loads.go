package check

import (
	"net/netip"

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
	networks map[netip.Addr]netip.Prefix // in which servers of NAT have their clients near
	scene    *Scene
	places   map[Place]owned // by what a connection names
	asking   map[asking]uint64
}

// asking is a client with handshakes that do not end.
type asking struct {
	service ipvs.ServiceID
	client  netip.Addr
}

// manyAsking are as many clients as are told apart.
const manyAsking = 1 << 16

type owned struct {
	Place
	listed bool
}

func newLoads(s *Scene) *loading {
	l := &loading{
		Loads: Loads{Servers: map[Place]Load{}, Gone: map[Place]Load{}}, scene: s,
		networks: map[netip.Addr]netip.Prefix{}, places: map[Place]owned{}, asking: map[asking]uint64{},
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
			who := asking{at.Service, c.Client.Addr()}
			if l.asking[who] > 0 || len(l.asking) < manyAsking {
				l.asking[who]++
			}
			if l.near(c) {
				n.Near++
			}
		}
	}
	in[at.Place] = n
	return true
}

// loads is what was counted.
func (l *loading) loads() *Loads {
	l.Asking = map[ipvs.ServiceID]Asking{}
	for who, n := range l.asking {
		a := l.Asking[who.service]
		if a.Clients++; n > a.Most || n == a.Most && who.client.Less(a.Busiest) {
			a.Busiest, a.Most = who.client, n
		}
		l.Asking[who.service] = a
	}
	return &l.Loads
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

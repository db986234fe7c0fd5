package demo

import (
	"context"
	"io"
	"math"
	"math/rand/v2"
	"net/netip"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
)

// Connections makes up connections as the kernel would list them: of every server
// as many as the table says now, in no order.
func (d *Demo) Connections(origin bool) (io.ReadCloser, error) {
	ctx := context.Background()
	overview, err := d.table.Overview(ctx)
	if err != nil {
		return nil, err
	}
	timeouts, err := d.table.Timeouts(ctx)
	if err != nil {
		return nil, err
	}
	l := &listing{random: rand.New(rand.NewPCG(d.seed, 1)), kind: d.kind, origin: origin, timeouts: timeouts}
	for _, e := range overview.Services {
		servers, err := d.table.Servers(ctx, e.ServiceID)
		if err != nil {
			return nil, err
		}
		for i, s := range servers {
			l.add(crowd{service: e.Service, server: s, place: i, of: len(servers)})
		}
	}
	l.random.Shuffle(len(l.order), func(i, j int) { l.order[i], l.order[j] = l.order[j], l.order[i] })
	l.rest = []byte(proc.ConnTitle)
	if origin {
		l.rest = []byte(proc.ConnSyncTitle)
	}
	return l, nil
}

// ReadCost is what making them up costs.
func (d *Demo) ReadCost(n uint64) time.Duration { return time.Duration(n) * 2 * time.Microsecond }

// crowd is the connections of one server.
type crowd struct {
	service   ipvs.Service
	server    ipvs.ServerState
	place, of int // the server's among those of its service
}

// what a line of a crowd is.
const (
	established = iota
	ending
	template
)

// listing is a made-up table while it is read.
type listing struct {
	random   *rand.Rand
	kind     Kind
	origin   bool
	timeouts ipvs.Timeouts
	crowds   []crowd
	order    []uint32 // of each line to come: four times the crowd's number, and what it is
	rest     []byte   // of the line being read
	buffer   []byte   // of it, used again by the next
}

func (l *listing) add(c crowd) {
	number := uint32(len(l.crowds))
	l.crowds = append(l.crowds, c)
	for what, n := range []uint32{established: c.server.Active, ending: c.server.Inactive, template: c.server.Persistent} {
		for range n {
			l.order = append(l.order, number<<2|uint32(what))
		}
	}
}

// Close implements io.Closer.
func (l *listing) Close() error { return nil }

// Read implements io.Reader: like the kernel, with a few lines at a time.
func (l *listing) Read(b []byte) (n int, err error) {
	for n < len(b) {
		if len(l.rest) == 0 {
			if len(l.order) == 0 {
				break
			}
			l.buffer = l.line(l.buffer[:0], l.order[0])
			l.rest = l.buffer
			l.order = l.order[1:]
		}
		k := copy(b[n:], l.rest)
		l.rest = l.rest[k:]
		n += k
	}
	if n == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (l *listing) line(to []byte, place uint32) []byte {
	crowd, what := &l.crowds[place>>2], place&3
	virtual := netip.AddrPortFrom(crowd.service.Addr, crowd.service.Port)
	if crowd.service.IsMark() {
		virtual = markedAt
	}
	server := crowd.server.Addr
	if server.Port() == 0 {
		server = netip.AddrPortFrom(server.Addr(), virtual.Port())
	}
	c := proc.Conn{Protocol: crowd.service.Protocol, Client: l.client(crowd), Virtual: proc.EndpointOf(virtual), Server: proc.EndpointOf(server)}
	if c.Protocol == 0 {
		c.Protocol = ipvs.TCP
	}
	state, timeout := l.state(crowd, &c, what)
	c.State, c.Expires = proc.WordOf(state), l.left(state, timeout)
	if what == template {
		l.toTemplate(crowd, &c)
	}
	if l.origin {
		c.Origin = proc.OriginLocal
	}
	return proc.AppendConn(to, &c)
}

// markedAt is what the firewall marks in the demo.
var markedAt = netip.MustParseAddrPort("192.0.2.70:8080")

// state gives a state and how long it lasts.
func (l *listing) state(crowd *crowd, c *proc.Conn, what uint32) (string, uint32) {
	s := &crowd.server
	dead := s.Weight > 0 && s.Inactive > 40*s.Active+50
	switch {
	case what == template:
		return "ASSURED", max(1, crowd.service.Persistence.Timeout)
	case c.Protocol == ipvs.UDP:
		return "UDP", or(l.timeouts.UDP, 300)
	case what == established && (c.Protocol != ipvs.TCP || l.random.IntN(60) > 0):
		return "ESTABLISHED", or(l.timeouts.TCP, 900)
	case c.Protocol == ipvs.SCTP:
		return "S-ACK-SENT", 30
	case what == established || dead:
		return "SYN_RECV", halfOpen
	}
	switch n := l.random.IntN(100); {
	case n < 70:
		return "FIN_WAIT", or(l.timeouts.TCPFin, 120)
	case n < 95:
		return "TIME_WAIT", 120
	}
	return "CLOSE", 10
}

func or(n, usual uint32) uint32 {
	if n == 0 {
		return usual
	}
	return n
}

// left is how long a connection has to live: what is established is used now and
// then, everything else just ages.
func (l *listing) left(state string, timeout uint32) uint32 {
	idle := l.random.Float64() * float64(timeout)
	if state == "ESTABLISHED" {
		idle = min(idle, l.random.ExpFloat64()*20)
	}
	return timeout - uint32(idle)
}

// toTemplate makes of a connection the template it would have.
func (l *listing) toTemplate(crowd *crowd, c *proc.Conn) {
	p := crowd.service.Persistence
	c.Client.Port = 0
	if c.Client.Is4() {
		c.Client.Lo = c.Client.Lo&^0xffffffff | c.Client.Lo&uint64(p.Mask)
	}
	if crowd.service.IsMark() {
		c.Protocol, c.Server.Port = 0, 0
		c.Virtual = proc.EndpointOf(netip.AddrPortFrom(netip.AddrFrom4([4]byte{2: byte(crowd.service.Mark >> 8), 3: byte(crowd.service.Mark)}), 0))
	}
	if p.Engine != "" && !l.origin {
		c.Engine, c.Data = []byte(p.Engine), []byte(netip.AddrFrom4([4]byte{10, 1, byte(l.random.IntN(256)), byte(l.random.IntN(256))}).String()+"-call")
	}
}

// Of the clients: how many there are of a service, and how much more often the
// busiest come than the others.
const (
	population = 40_000
	faithfully = 3.2
)

// The clients that make an incident, and the office that is heard from every day.
var (
	surging = [4]byte{100, 66, 77, 0}  // a network: of the name service
	hog     = [4]byte{100, 70, 12, 34} // one client: of the API
	office  = [4]byte{100, 64, 4, 20}
)

// client gives one of a service's clients, who are of networks that nobody else
// has: those kept for carriers (RFC 6598), and for documentation.
func (l *listing) client(crowd *crowd) proc.Endpoint {
	r := l.random
	port := uint16(1024 + r.IntN(64512))
	n := int(population * math.Pow(r.Float64(), faithfully))
	if crowd.service.Persistence.On {
		n = n/crowd.of*crowd.of + crowd.place // each client keeps to its server
	}
	at := func(b [4]byte) proc.Endpoint {
		return proc.EndpointOf(netip.AddrPortFrom(netip.AddrFrom4(b), port))
	}
	if crowd.service.Family == ipvs.IPv6 {
		b := [16]byte{0x20, 0x01, 0x0d, 0xb8, 5: byte(16 + n%7), 6: byte(n >> 8), 7: byte(n), 15: byte(1 + n%40)}
		return proc.EndpointOf(netip.AddrPortFrom(netip.AddrFrom16(b), port))
	}
	switch chance := r.IntN(100); {
	case l.kind == Incident && crowd.service.ServiceID == dnsID && chance < 70:
		b := surging
		b[3] = byte(r.IntN(256))
		return at(b)
	case l.kind == Incident && crowd.service.ServiceID == apiID && crowd.place == 0 && chance < 80:
		return at(hog)
	case chance < 3 && !crowd.service.Persistence.On:
		return at(office)
	}
	return at([4]byte{100, byte(64 + n%61), byte(n * 7 >> 3), byte(1 + n*13%254)})
}

// Package conntest makes up tables of connections in the kernel's own format, for
// tests and measurements: the same one each time.
//
// Out of scope: believable traffic, which package demo makes up.
package conntest

import (
	"bufio"
	"io"
	"math/rand/v2"
	"net/netip"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
)

// Spec is what a table is like. Zero values give a table of TCP over IPv4.
type Spec struct {
	Conns    int
	Clients  int // different addresses at the most; 0: a fifth of Conns
	Services int // 0: 200
	Servers  int // of each service; 0: 10
	V6       int // per cent of the lines
	UDP      int // per cent of the services
	Template int // per cent of the lines
	Origin   bool
}

// hogged is the part of the connections that one client has: a 50th.
const hogged = 50

// Hog is the client that has more connections than any other.
var Hog = netip.MustParseAddr("198.18.7.7")

// Service is one of a table's services: every second of those in IPv6 tables.
func (s Spec) Service(i int, v6 bool) ipvs.ServiceID {
	proto := ipvs.TCP
	if i%100 < s.UDP {
		proto = ipvs.UDP
	}
	return ipvs.AddressService(proto, netip.AddrPortFrom(spread("203.0.113.0", "2001:db8:f::", i, v6), 443))
}

// Server is one of a service's servers.
func (s Spec) Server(service, i int, v6 bool) netip.AddrPort {
	return netip.AddrPortFrom(spread("10.0.0.0", "2001:db8:a::", service<<6+i, v6), 8443)
}

// spread adds a number to an address.
func spread(v4, v6 string, n int, is6 bool) netip.Addr {
	if is6 {
		b := netip.MustParseAddr(v6).As16()
		b[12], b[13], b[14], b[15] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
		b[7] = byte(n >> 4) // networks of some clients each
		return netip.AddrFrom16(b)
	}
	b := netip.MustParseAddr(v4).As4()
	b[1], b[2], b[3] = b[1]+byte(n>>16), b[2]+byte(n>>8), b[3]+byte(n)
	return netip.AddrFrom4(b)
}

var tcpStates = []string{"ESTABLISHED", "ESTABLISHED", "ESTABLISHED", "ESTABLISHED", "FIN_WAIT", "FIN_WAIT", "TIME_WAIT", "SYN_RECV", "CLOSE_WAIT", "CLOSE"}

// Write writes a table.
func Write(to io.Writer, s Spec) error {
	set := func(n *int, usual int) {
		if *n == 0 {
			*n = usual
		}
	}
	set(&s.Clients, max(1, s.Conns/5))
	set(&s.Services, 200)
	set(&s.Servers, 10)
	r := rand.New(rand.NewPCG(1, uint64(s.Conns)))
	w := bufio.NewWriterSize(to, 1<<20)
	title := proc.ConnTitle
	if s.Origin {
		title = proc.ConnSyncTitle
	}
	w.WriteString(title)
	var line []byte
	for range s.Conns {
		c := s.conn(r)
		line = proc.AppendConn(line[:0], &c)
		w.Write(line)
	}
	return w.Flush()
}

func (s Spec) conn(r *rand.Rand) (c proc.Conn) {
	v6 := r.IntN(100) < s.V6
	service := r.IntN(s.Services)
	id := s.Service(service, v6)
	server := s.Server(service, r.IntN(s.Servers), v6)
	client := spread("198.18.0.0", "2001:db8:c::", r.IntN(s.Clients), v6)
	if !v6 && r.IntN(hogged) == 0 {
		client = Hog
	}
	c = proc.Conn{
		Protocol: id.Protocol,
		Client:   proc.EndpointOf(netip.AddrPortFrom(client, uint16(1024+r.IntN(64512)))),
		Virtual:  proc.EndpointOf(netip.AddrPortFrom(id.Addr, id.Port)),
		Server:   proc.EndpointOf(server),
		Expires:  uint32(r.IntN(120)),
	}
	state := "UDP"
	if id.Protocol == ipvs.TCP {
		if state = tcpStates[r.IntN(len(tcpStates))]; state == "ESTABLISHED" {
			c.Expires = uint32(r.IntN(901))
		}
	}
	if r.IntN(100) < s.Template {
		c.Client.Port = 0
		state = []string{"NONE", "ASSURED"}[r.IntN(2)]
	}
	c.State = proc.WordOf(state)
	if s.Origin {
		c.Origin = proc.OriginLocal
		if r.IntN(3) == 0 {
			c.Origin = proc.OriginSync
		}
	}
	return c
}

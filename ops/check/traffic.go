package check

import (
	"fmt"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
)

// How much there must be before figures mean something.
const (
	fewHalfOpen = 5   // connections
	fewConns    = 20  // new connections between two samples
	manyConns   = 100 // the same, of which some may fail for no reason of ours
	fewPackets  = 50  // packets between two samples
)

// A flood is so many handshakes that do not end, and so many for each new connection
// in a second: where clients are served there are about as many as connections come
// while a packet goes there and back.
const (
	floodHalfOpen = 100
	floodSeconds  = 5
)

// flooded are the connections of a service, if they look like a flood: handshakes
// that do not end on every server, while others do, or while whoever asks does not
// ask again, as clients do.
func (s *Scene) flooded(v *ops.Service) (sum Load, ok bool) {
	if s.Loads == nil || v.Protocol != ipvs.TCP {
		return sum, false
	}
	var moved ipvs.Traffic
	ok = true
	for _, r := range v.Servers {
		at := Place{v.ServiceID, r.Addr}
		n := s.Loads.Servers[at]
		moved = moved.Add(s.Lately[at].Traffic)
		sum.Fresh, sum.HalfOpen = sum.Fresh+n.Fresh, sum.HalfOpen+n.HalfOpen
		ok = ok && (!r.Usable() || 4*n.HalfOpen >= n.Fresh && n.HalfOpen > 0)
	}
	asksOnce := moved.Conns > 0 && 2*moved.InPackets < 3*moved.Conns
	return sum, ok && sum.HalfOpen >= max(floodHalfOpen, floodSeconds*v.Rate.Conns) && (sum.HalfOpen < sum.Fresh || asksOnce)
}

// floods: connections that are begun by those who do not mean to use them.
func floods(s *Scene) (all []Finding) {
	for _, v := range s.Sample.Services {
		n, ok := s.flooded(v)
		if !ok {
			continue
		}
		who := s.Loads.Asking[v.ServiceID]
		all = append(all, Finding{
			Severity: Warning, Service: v.ServiceID, Short: "handshakes that do not end, on every server: a SYN flood",
			Evidence: []string{
				fmt.Sprintf("of %d connections with a packet in the last %d s, %d are in SYN_RECV: %d %%%s", n.Fresh, freshFor, n.HalfOpen, 100*n.HalfOpen/n.Fresh, s.Loads.partly()),
				fmt.Sprintf("they are from %d clients, %d of them from %s", who.Number, who.Most, who.Busiest),
			},
			Means: "Clients are served as long as servers' backlogs and the director's table hold. SYN cookies on servers, net.ipv4.vs.drop_entry=3 here, or a block of the clients defend.",
		})
	}
	return all
}

// noLoads: what goes by the connections is not known where they were not read.
func noLoads(s *Scene, _ Finding) bool { return s.Loads == nil }

// halfOpen: handshakes that do not end, by server.
func halfOpen(s *Scene) (all []Finding) {
	if s.Loads == nil {
		return nil
	}
	s.each(func(v *ops.Service, r *ops.Server) {
		n := s.Loads.Servers[Place{v.ServiceID, r.Addr}]
		if n.HalfOpen < fewHalfOpen || 4*n.HalfOpen < n.Fresh {
			return
		}
		f := Finding{
			Severity: Warning, Service: v.ServiceID, Server: r.Addr, Short: "many handshakes do not end",
			Evidence: evidence("of %d connections with a packet in the last %d s, %d are in SYN_RECV: %d %%%s", n.Fresh, freshFor, n.HalfOpen, 100*n.HalfOpen/n.Fresh, s.Loads.partly()),
			Means:    "The server or its way back does not answer, or clients ask without meaning it (a flood). A probe tells which.",
		}
		if n.HalfOpen == n.Fresh && s.askAgain(v, r) {
			f.Severity, f.Short = Fault, "no handshake ends"
			f.Means = "Clients time out: the server does not answer, or its answers do not come back. A probe tells more."
		}
		all = append(all, f)
	})
	return all
}

// answered tells that what is sent to a server is answered by nature: TCP always is,
// and of others only what was answered before.
func answered(v *ops.Service, r *ops.Server, lately Moved) bool {
	if v.Protocol == ipvs.TCP || v.Protocol == ipvs.SCTP {
		return true
	}
	out := r.Total.OutPackets - min(lately.OutPackets, r.Total.OutPackets)
	in := r.Total.InPackets - min(lately.InPackets, r.Total.InPackets)
	return out >= fewPackets && 20*out >= in
}

// askAgain tells that several clients ask a server, and again, as those do that wait
// for an answer and not those that only knock.
func (s *Scene) askAgain(v *ops.Service, r *ops.Server) bool {
	n := s.Lately[Place{v.ServiceID, r.Addr}]
	return s.Loads.Asking[v.ServiceID].Number > 1 && n.InPackets > 0 && 2*n.InPackets >= 3*n.Conns
}

// Messages of ICMP quote what they are about (RFC 1812, 4.3.2.3): one about a packet
// that is too big has nearly 576 bytes, one about the beginning of a connection less
// than half of it.
const (
	icmpSize  = 600
	icmpShort = 288
)

// answers: those that should pass the director and do not, or the other way round.
func answers(s *Scene) (all []Finding) {
	s.each(func(v *ops.Service, r *ops.Server) {
		n, ok := s.Lately[Place{v.ServiceID, r.Addr}]
		if !ok {
			return
		}
		f := Finding{
			Severity: Warning, Service: v.ServiceID, Server: r.Addr,
			Evidence: evidence("%d packets in and %d out in %v", n.InPackets, n.OutPackets, n.For.Round(time.Second)),
		}
		switch {
		case r.Forward == ipvs.Masq && !v.OnePacket && n.InPackets >= fewPackets && 20*n.OutPackets < n.InPackets && answered(v, r, n):
			f.Short = "the server's answers do not come back"
			f.Means = "Clients time out: the server does not answer, or not by way of the director. A probe tells which."
		case r.Forward == ipvs.TunnelFwd && n.OutPackets > 0 && n.OutBytes/n.OutPackets < icmpShort:
			f.Short = "the server refuses what comes by the tunnel"
			f.Evidence = append(f.Evidence, fmt.Sprintf("%d bytes each on average: the server's messages that it cannot take them, which clients get", n.OutBytes/n.OutPackets))
			f.Means = "Clients time out: the server does not know the tunnel, or its device is down or its port closed. A probe tells which."
			f.Lines = []string{"lsmod; ip -br link  # is the tunnel's module loaded, and its device up?"}
		case r.Forward == ipvs.TunnelFwd && n.OutPackets > 0 && n.OutBytes/n.OutPackets < icmpSize:
			f.Short = "packets are too big for the tunnel"
			f.Evidence = append(f.Evidence, fmt.Sprintf("%d bytes each on average: the director's own messages that they do not fit", n.OutBytes/n.OutPackets))
			f.Means = "Clients that do not get these messages connect, and hang with long requests."
			f.Lines = []string{"ip route show default  # write it again with: advmss 1440 (IPv4 in ipip)"}
		case r.Forward == ipvs.Direct && n.OutPackets >= fewPackets:
			f.Short = "a DR server answers by way of the director"
			f.Means = "It works while the director takes such packets, and costs it the answers' bandwidth."
			f.Lines = []string{"ip route get CLIENT from " + v.Addr.String() + "  # must not go via the director"}
		default:
			return
		}
		all = append(all, f)
	})
	return all
}

// handshakes: a connection takes four packets of a client at least, and a loop
// makes dozens of one. Where answers come, or no connection is half open, somebody
// tries whether the port is open, and gets to know.
func handshakes(s *Scene) (all []Finding) {
	s.each(func(v *ops.Service, r *ops.Server) {
		n, ok := s.Lately[Place{v.ServiceID, r.Addr}]
		if !ok || v.Protocol != ipvs.TCP || n.Conns < manyConns || 2*n.InPackets >= 5*n.Conns {
			return
		}
		if n.OutPackets >= n.Conns || s.Loads != nil && s.Loads.Servers[Place{v.ServiceID, r.Addr}].HalfOpen < fewHalfOpen {
			return
		}
		all = append(all, Finding{
			Severity: Warning, Service: v.ServiceID, Server: r.Addr, Short: "connections end before they begin",
			Evidence: evidence("%d packets in for %d new connections in %v: %.1f each", n.InPackets, n.Conns, n.For.Round(time.Second), float64(n.InPackets)/float64(n.Conns)),
			Means:    "Handshakes fail, or somebody only knocks.",
		})
	})
	return all
}

package probe

import (
	"net/netip"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/probe/wire"
)

// facts is all that was found out about a server: what the verdict is made of.
// Questions that were not asked are nil.
type facts struct {
	Target
	Wait    time.Duration
	Err     error // what kept us from asking
	NoRoute error // the kernel's word

	Path   netcfg.Path // to the server
	Link   netcfg.Link // by which it goes
	Hop    hop
	Source netip.Addr // we, to the server
	From   netip.Addr // we, to the VIP
	Beyond netip.Addr // we, where a NAT server needs its gateway to answer

	SYN, Ping *question // for the service, as clients' packets come to the server
	Far       *question // the same ping from beyond the segment
	Alive     *question // a ping to the server itself
	Outside   *question // the same from beyond the segment
	Inside    *question // the same inside the tunnel
	Toggled   *question // the same, its tunnel's packet with a checksum where IPVS sends none, and without where it does
	Long      *question // a ping through the tunnel, as long as clients' packets are
	Direct    *question // a SYN to the server's own address
	Other     *question // the same at the server's port, where it is not the VIP's

	Local      error // of a connection to a server that is this host
	LocalAfter time.Duration
}

// hasPort tells that there is a port to connect to.
func (f *facts) hasPort() bool {
	return f.Protocol == ipvs.TCP && f.VIP.Port() != 0 && f.Server.Addr.Port() != 0
}

// service is the question for the service itself.
func (f *facts) service() *question {
	if f.SYN != nil {
		return f.SYN
	}
	return f.Ping
}

func (f *facts) serviceAnswered() bool { return f.service().Reply.Outcome != silence }

// silent tells that nothing was answered at all.
func (f *facts) silent() bool { return !f.serviceAnswered() && f.Ping.Reply.Outcome == silence }

// forwarded tells that the server did not take the SYN, but would send it on.
func (f *facts) forwarded() bool { return f.SYN != nil && f.SYN.Reply.failed(wire.Expired) }

// early tells that nothing needs to be asked, as the finding is there already.
func (f *facts) early() bool { _, ok := f.beforehand(); return ok }

// unreached tells that there is nobody to send to.
func (f *facts) unreached() bool { _, ok := f.neighbour(); return ok }

// route sends a question to the next hop.
func (f *facts) route(q *question) *question {
	q.Link, q.To = f.Link.Index, f.Hop.MAC
	return q
}

// through is the same as IPVS sends: for a TUN server in its tunnel, from the
// kernel's own choice of address.
func (f *facts) through(q *question) *question {
	if f.Server.Forward == ipvs.TunnelFwd {
		outer := wire.Header{Src: f.Path.Source, Dst: f.Server.Addr.Addr(), TTL: 64, ID: q.Header.ID}
		q.Tunnel = &tunnel{Outer: outer, Kind: f.Server.Tunnel}
	}
	return f.route(q)
}

// summing tells tunnels whose silence may be about checksums: GRE's ends must
// agree on them (Linux: ip_tunnel_rcv), and without one a closed port of GUE is
// silent over IPv6 (RFC 8200, 8.1).
func (f *facts) summing() bool {
	t := f.Server.Tunnel
	return t.Type == ipvs.GRE || t.Type == ipvs.GUE && t.Flags&ipvs.TunnelChecksum == 0 && f.Server.Addr.Addr().Is6()
}

// pathMTU is how long packets to the server may be, as far as it was found out.
func (f *facts) pathMTU() int {
	if f.Long != nil && f.Long.Reply.failed(wire.TooBig) {
		return f.Long.Reply.MTU
	}
	return f.Link.MTU
}

// fullSize is how long clients' packets get: as long as the server said it takes.
func (f *facts) fullSize() int {
	const ethernet, sizeTCP = 1500, 20
	if f.SYN.Reply.MSS == 0 {
		return ethernet
	}
	return int(f.SYN.Reply.MSS) + wire.Overhead(f.VIP.Addr()) + sizeTCP
}

package ipvs

import (
	"net/netip"
	"strconv"
)

// Forward is how packets reach a real server, with the kernel's numbers
// (IP_VS_CONN_F_*).
type Forward uint8

// The forwarding methods. LocalNode and Bypass are rarely seen: current kernels
// keep what was asked for, and show Direct for a local address.
const (
	Masq      Forward = 0 // NAT
	LocalNode Forward = 1
	TunnelFwd Forward = 2 // TUN
	Direct    Forward = 3 // DR
	Bypass    Forward = 4
)

// String is the short name operators use: NAT, DR, TUN.
func (f Forward) String() string {
	switch f {
	case Masq:
		return "NAT"
	case LocalNode:
		return "LOCAL"
	case TunnelFwd:
		return "TUN"
	case Direct:
		return "DR"
	case Bypass:
		return "BYPASS"
	}
	return "fwd " + strconv.Itoa(int(f))
}

// CountsReplies tells whether the director sees the servers' answers. Under DR
// and TUN it does not, so packets and bytes out mean nothing there.
func (f Forward) CountsReplies() bool { return f == Masq || f == LocalNode }

// TunnelType is the encapsulation of a TUN server (IP_VS_CONN_F_TUNNEL_TYPE_*).
type TunnelType uint8

// The encapsulations.
const (
	IPIP TunnelType = 0
	GUE  TunnelType = 1
	GRE  TunnelType = 2
)

func (t TunnelType) String() string {
	switch t {
	case IPIP:
		return "ipip"
	case GUE:
		return "gue"
	case GRE:
		return "gre"
	}
	return "tunnel " + strconv.Itoa(int(t))
}

// TunnelFlags say how a GUE or GRE tunnel is checksummed.
type TunnelFlags uint16

// Tunnel checksum flags (IP_VS_TUNNEL_ENCAP_FLAG_*); 0 is no checksum.
const (
	TunnelChecksum       TunnelFlags = 1
	TunnelRemoteChecksum TunnelFlags = 2
)

// Tunnel is the encapsulation toward one TUN server. The kernel stores it for
// other methods too, where it means nothing.
type Tunnel struct {
	Type  TunnelType
	Port  uint16 // the UDP port of GUE, else 0
	Flags TunnelFlags
}

// MaxWeight is the largest weight the kernel takes.
const MaxWeight = 1<<31 - 1

// Server is everything an operator can set on a real server. Its Addr is its
// identity within a service.
type Server struct {
	Addr    netip.AddrPort
	Forward Forward
	Weight  uint32 // 0 takes no new connections; at most MaxWeight
	Upper   uint32 // connections at which it is left out; 0: never
	Lower   uint32 // connections at which it comes back; 0: three quarters of Upper
	Tunnel  Tunnel
}

// Family is the server's own, which differs from its service's only in tunnels.
func (s Server) Family() Family { return FamilyOf(s.Addr.Addr()) }

// ServerTarget names a server of a service, as errors do: "10.0.0.1:80 of TCP
// 203.0.113.10:443".
func ServerTarget(id ServiceID, s Server) string {
	return s.Addr.String() + " of " + id.String()
}

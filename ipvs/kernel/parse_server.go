package kernel

import (
	"net/netip"

	libipvs "github.com/moby/ipvs"

	"lvsdeck/ipvs"
)

// parseServer reads a message that holds a real server into s.
func parseServer(message []byte, s *ipvs.ServerState) error {
	stats, err := parseServerNow(message, s)
	if err == nil {
		s.Stats, err = parseStats(stats)
	}
	return err
}

// parseServerNow reads all but the statistics, and gives those unread.
func parseServerNow(message []byte, s *ipvs.ServerState) ([]byte, error) {
	a := find(message, attrDest)
	var family ipvs.Family
	var addr, stats, stats64 []byte
	var port uint16
	for a.next() {
		switch a.kind {
		case destAddr:
			addr = a.value
		case destPort:
			port = a.port()
		case destForward:
			s.Forward = ipvs.Forward(a.number() & libipvs.ConnFwdMask)
		case destWeight:
			s.Weight = uint32(a.number())
		case destUpper:
			s.Upper = uint32(a.number())
		case destLower:
			s.Lower = uint32(a.number())
		case destActive:
			s.Active = uint32(a.number())
		case destInactive:
			s.Inactive = uint32(a.number())
		case destPersistent:
			s.Persistent = uint32(a.number())
		case destStats:
			stats = a.value
		case destFamily:
			family = ipvs.Family(a.number())
		case destStats64:
			stats64 = a.value
		case destTunnelType:
			s.Tunnel.Type = ipvs.TunnelType(a.number())
		case destTunnelPort:
			s.Tunnel.Port = a.port()
		case destTunnelFlags:
			s.Tunnel.Flags = ipvs.TunnelFlags(a.number())
		}
	}
	if a.err == nil {
		s.Addr = netip.AddrPortFrom(a.addr(addr, family), port)
	}
	return wider(stats, stats64), a.err
}

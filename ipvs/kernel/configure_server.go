package kernel

import (
	"github.com/vishvananda/netlink/nl"

	"lvsdeck/ipvs"
)

// configureAddr is the attribute that names a server within its service. Without
// the family the kernel would take it to be the service's.
func configureAddr(s ipvs.Server) *nl.RtAttr {
	a := nl.NewRtAttr(attrDest, nil)
	a.AddRtAttr(destFamily, nl.Uint16Attr(uint16(s.Family())))
	a.AddRtAttr(destAddr, s.Addr.Addr().AsSlice())
	a.AddRtAttr(destPort, nl.BEUint16Attr(s.Addr.Port()))
	return a
}

// configureServer is the attribute that holds all of a server. The tunnel is
// always there: left out of an edit, it would turn into ipip.
func configureServer(s ipvs.Server) *nl.RtAttr {
	a := configureAddr(s)
	a.AddRtAttr(destForward, nl.Uint32Attr(uint32(s.Forward)))
	a.AddRtAttr(destWeight, nl.Uint32Attr(s.Weight))
	a.AddRtAttr(destUpper, nl.Uint32Attr(s.Upper))
	a.AddRtAttr(destLower, nl.Uint32Attr(s.Lower))
	a.AddRtAttr(destTunnelType, nl.Uint8Attr(uint8(s.Tunnel.Type)))
	a.AddRtAttr(destTunnelPort, nl.BEUint16Attr(s.Tunnel.Port))
	a.AddRtAttr(destTunnelFlags, nl.Uint16Attr(uint16(s.Tunnel.Flags)))
	return a
}

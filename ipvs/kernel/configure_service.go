package kernel

import (
	"github.com/vishvananda/netlink/nl"

	"lvsdeck/ipvs"
)

// configureID is the attribute that names a service.
func configureID(id ipvs.ServiceID) *nl.RtAttr {
	a := nl.NewRtAttr(attrService, nil)
	a.AddRtAttr(svcFamily, nl.Uint16Attr(uint16(id.Family)))
	if id.IsMark() {
		a.AddRtAttr(svcMark, nl.Uint32Attr(id.Mark))
		return a
	}
	a.AddRtAttr(svcProtocol, nl.Uint16Attr(uint16(id.Protocol)))
	a.AddRtAttr(svcAddr, id.Addr.AsSlice())
	a.AddRtAttr(svcPort, nl.BEUint16Attr(id.Port))
	return a
}

// configureService is the attribute that holds all of a service. An engine left
// out is none, also on an edit.
func configureService(s ipvs.Service) *nl.RtAttr {
	flags := uint32(s.SchedFlags&schedFlagMask) << schedFlagShift
	if s.Persistence.On {
		flags |= flagPersistent
	}
	if s.OnePacket {
		flags |= flagOnePacket
	}
	a := configureID(s.ServiceID)
	a.AddRtAttr(svcScheduler, nl.ZeroTerminated(s.Scheduler))
	a.AddRtAttr(svcFlags, append(nl.Uint32Attr(flags), nl.Uint32Attr(flagsOurs)...))
	a.AddRtAttr(svcTimeout, nl.Uint32Attr(s.Persistence.Timeout))
	a.AddRtAttr(svcNetmask, configureMask(s.Persistence.Mask, s.Family))
	if s.Persistence.Engine != "" {
		a.AddRtAttr(svcEngine, nl.ZeroTerminated(s.Persistence.Engine))
	}
	return a
}

// configureMask: an IPv4 netmask goes in network order like any address, an
// IPv6 prefix length as a plain number.
func configureMask(m ipvs.Mask, f ipvs.Family) []byte {
	if f == ipvs.IPv6 {
		return nl.Uint32Attr(uint32(m))
	}
	return nl.BEUint32Attr(uint32(m))
}

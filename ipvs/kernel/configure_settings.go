package kernel

import (
	"github.com/vishvananda/netlink/nl"

	"lvsdeck/ipvs"
)

// configureTimeouts are the attributes of all three; the kernel keeps what is 0.
func configureTimeouts(t ipvs.Timeouts) []*nl.RtAttr {
	return []*nl.RtAttr{
		nl.NewRtAttr(attrTimeoutTCP, nl.Uint32Attr(t.TCP)),
		nl.NewRtAttr(attrTimeoutTCPFin, nl.Uint32Attr(t.TCPFin)),
		nl.NewRtAttr(attrTimeoutUDP, nl.Uint32Attr(t.UDP)),
	}
}

// configureDaemon is the attribute that holds a sync daemon. What is left out
// gets the kernel's default. The port goes in host order, unlike all others.
func configureDaemon(d ipvs.Daemon) *nl.RtAttr {
	a := nl.NewRtAttr(attrDaemon, nil)
	a.AddRtAttr(daemonRole, nl.Uint32Attr(uint32(d.Role)))
	a.AddRtAttr(daemonInterface, nl.ZeroTerminated(d.Interface))
	a.AddRtAttr(daemonSyncID, nl.Uint32Attr(uint32(d.SyncID)))
	if d.MaxLen != 0 {
		a.AddRtAttr(daemonMaxLen, nl.Uint16Attr(d.MaxLen))
	}
	if d.Group.IsValid() {
		kind := daemonGroup
		if d.Group.Is6() {
			kind = daemonGroup6
		}
		a.AddRtAttr(kind, d.Group.AsSlice())
	}
	if d.Port != 0 {
		a.AddRtAttr(daemonPort, nl.Uint16Attr(d.Port))
	}
	if d.TTL != 0 {
		a.AddRtAttr(daemonTTL, nl.Uint8Attr(d.TTL))
	}
	return a
}

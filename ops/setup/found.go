package setup

import (
	"net/netip"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/owner"
)

// Found is what was found out for a wish: plain data, to be shown and to make the
// draft of. Finding out changes nothing on the host.
type Found struct {
	// Link is where the VIP goes, and why there, as a clause: "the default route
	// leaves by it".
	Link, LinkWhy string
	Links         []netcfg.Link

	// Bound is the VIP, should this host have it already.
	Bound *netcfg.LinkAddress

	// Answers is the hardware address of another host that has the VIP: "" when
	// nobody answered for it, or, with Asked false, nobody was asked.
	Answers string
	Asked   bool

	// Out is the way to the rest of the world, for the VIP's family. Without a
	// default route its Link is "".
	Out netcfg.Path

	Servers []FoundServer // as in the wish

	// Sysctls has the values of those that matter, by netcfg's names.
	Sysctls map[string]string
	Modules netcfg.Modules

	Service *ipvs.ServiceRules  // the wished one, should it be there already
	Others  []ipvs.ServiceRules // all others; their servers lack thresholds and tunnels
	Owner   *owner.Owner        // who else manages the table, or nil
	Session *Session            // who is logged in over which path, or nil: not over SSH
}

// FoundServer is the way to one server.
type FoundServer struct {
	Addr netip.Addr
	Path netcfg.Path

	// Unreachable is the host's word when there is no way, else "".
	Unreachable string
}

// Session is the SSH session of whoever asks, which a change may cut.
type Session struct {
	Client netip.Addr     // where they sit
	Server netip.AddrPort // the address and port of this host that they came to
	Link   string         // by which packets go to them
}

// OneArm tells that servers are reached by the link that the VIP is on.
func (f Found) OneArm() bool {
	for _, s := range f.Servers {
		if s.Path.Link == f.Link {
			return true
		}
	}
	return false
}

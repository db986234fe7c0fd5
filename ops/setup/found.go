package setup

import (
	"net/netip"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/netcfg/firewall"
	"lvsdeck/ops/owner"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/probe"
)

// Found is what was found out for a wish: plain data, to be shown and to make the
// draft of. Finding out changes nothing on the host.
type Found struct {
	Links     []netcfg.Link
	Addresses []netcfg.LinkAddress

	// Link is where the VIP goes, and why there, as a clause: "the default route
	// leaves by it". Without one it is "".
	Link, LinkWhy string

	// Bound is the VIP, should this host have it already.
	Bound *netcfg.LinkAddress

	// Free is what came of asking the link who has the VIP, unless this host has it.
	// Without a Cause nobody was asked.
	Free probe.Finding

	// Out is the way to the rest of the world, for the VIP's family. Without a
	// default route its Link is "".
	Out netcfg.Path

	Servers []FoundServer // as in the wish

	// Sysctls are those that matter, by netcfg's names, each as the step that
	// would leave it as it is.
	Sysctls map[string]plan.ChangeSysctl
	Modules netcfg.Modules

	Firewall firewall.Rules // without ours

	Table   ipvs.Rules
	Owner   *owner.Owner // who else manages the table, or nil
	Session *Session     // of whoever asks, or nil: not over SSH
}

// FoundServer is the way to one server.
type FoundServer struct {
	Addr netip.Addr
	Path netcfg.Path

	Unreachable string // the host's word when there is no way, else ""
	Silent      bool   // it is on a segment of ours, was asked for, and did not answer
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

// sysctl is the value of one that matters, or "" where there is none.
func (f Found) sysctl(name string) string { return f.Sysctls[name].Before }

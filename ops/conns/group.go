package conns

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
)

// By is what connections are grouped by.
type By uint8

// The groupings.
const (
	ByClient By = iota
	ByNet
	ByService
	ByServer
	ByState
	ByOrigin
	nBy
)

var byNames = [nBy]string{"client", "net", "service", "server", "state", "origin"}

func (b By) String() string { return byNames[b] }

// AllBy is every grouping, in the order of their keys.
func AllBy() []By { return []By{ByClient, ByNet, ByService, ByServer, ByState, ByOrigin} }

// ParseBy finds a grouping by its name.
func ParseBy(name string) (By, error) {
	for b, n := range byNames {
		if name == n {
			return By(b), nil
		}
	}
	return 0, fmt.Errorf("there is no grouping %q; choose one of: %s", name, strings.Join(byNames[:], ", "))
}

// Group is the connections that have something in common.
type Group struct {
	Client  netip.Prefix   // by client, by network
	Service ipvs.ServiceID // by service, by server
	Server  netip.AddrPort // by server
	State   State          // by state
	Origin  proc.Origin    // by origin

	// Gone: by server, the table does not list the server any more; by service,
	// it does not list the service. Only known with Query.Listed.
	Gone bool

	Counts
}

// Name is what a group has in common, in words.
func (g Group) Name(by By) string {
	switch by {
	case ByService:
		return serviceText(g.Service)
	case ByServer:
		return g.Server.String()
	case ByState:
		return g.State.String()
	case ByOrigin:
		return g.Origin.String()
	}
	return ClientText(g.Client)
}

// Narrow is the filter for the connections of a group, among those of f.
func (f Filter) Narrow(by By, g Group) Filter {
	switch by {
	case ByClient, ByNet:
		f.Client = g.Client
	case ByService:
		f.Service = g.Service
	case ByServer:
		f.Service, f.Server = g.Service, g.Server
	case ByState:
		f.State, f.Templates = g.State.Name, NoTemplates
		if g.State.Template {
			f.Templates = OnlyTemplates
		}
	case ByOrigin:
		f.Origin = g.Origin
	}
	return f
}

// compare puts the largest group first; those of one size are in order of name.
func (g Group) compare(o Group) int {
	return cmp.Or(cmp.Compare(o.Conns, g.Conns), cmp.Compare(o.Templates, g.Templates),
		g.Client.Addr().Compare(o.Client.Addr()), g.Service.Compare(o.Service), g.Server.Compare(o.Server),
		cmp.Compare(g.State.Protocol, o.State.Protocol), cmp.Compare(g.State.Name, o.State.Name), cmp.Compare(g.Origin, o.Origin))
}

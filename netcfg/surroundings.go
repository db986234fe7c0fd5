package netcfg

import (
	"errors"
	"net/netip"
)

// Surroundings is what there is around a host, to be found out and not asked.
// Reading changes nothing and sends no packet.
type Surroundings interface {
	// Links lists the network interfaces, by their index.
	Links() ([]Link, error)

	// Addresses lists the addresses of all links.
	Addresses() ([]LinkAddress, error)

	// Path asks the kernel which way a packet to an address goes, from an address
	// of this host or (the zero Addr) from any. It answers ErrNoRoute when there
	// is none. Rules for ports do not count.
	Path(to, from netip.Addr) (Path, error)

	// Neighbours lists what the host knows about its neighbours' hardware
	// addresses.
	Neighbours() ([]Neighbour, error)
}

// ErrNoRoute is the answer of Path when packets go nowhere.
var ErrNoRoute = errors.New("no route leads there")

// Link is a network interface.
type Link struct {
	Index    int
	Name     string
	Kind     string // "device" for a real card; "veth", "bridge", "vlan", "ipip", …
	MAC      string // "" where there is none
	MTU      int
	Up       bool
	Carrier  bool
	Loopback bool
	Master   string // the bridge or bond it is part of
}

// LinkAddress is an address of a link.
type LinkAddress struct {
	Link      string
	Prefix    netip.Prefix // the address with its network's length
	NotSource bool         // deprecated: not used of the host's own accord
}

// Path is where a packet goes.
type Path struct {
	Local  bool       // to this host itself
	Link   string     // out of which link
	Via    netip.Addr // the gateway; invalid when the address is on-link
	Source netip.Addr // the address it goes out with
}

// OnLink tells that the address is reached without a gateway.
func (p Path) OnLink() bool { return !p.Local && !p.Via.IsValid() }

// Neighbour is a host on a segment of ours.
type Neighbour struct {
	Link   string
	Addr   netip.Addr
	MAC    string // "" while it is not known
	Failed bool   // it was asked for and did not answer
}

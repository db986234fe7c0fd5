package netcfg

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Links implements Surroundings.
func (k *Kernel) Links() (links []Link, err error) {
	err = k.in.Do(func() error {
		all, err := whole(netlink.LinkList)
		if err != nil {
			return fmt.Errorf("cannot list the network interfaces: %w", meaning(err))
		}
		names := namesOf(all)
		for _, l := range all {
			a := l.Attrs()
			link := Link{
				Index: a.Index, Name: a.Name, Kind: l.Type(), MTU: a.MTU, Master: names[a.MasterIndex],
				Up: a.RawFlags&unix.IFF_UP != 0, Carrier: a.RawFlags&unix.IFF_LOWER_UP != 0, Loopback: a.RawFlags&unix.IFF_LOOPBACK != 0,
			}
			if a.EncapType == "ether" {
				link.MAC = a.HardwareAddr.String()
			}
			links = append(links, link)
		}
		return nil
	})
	return links, err
}

func namesOf(links []netlink.Link) map[int]string {
	names := map[int]string{}
	for _, l := range links {
		names[l.Attrs().Index] = l.Attrs().Name
	}
	return names
}

// Addresses implements Surroundings.
func (k *Kernel) Addresses() (addresses []LinkAddress, err error) {
	err = k.in.Do(func() error {
		links, err := whole(netlink.LinkList)
		if err != nil {
			return fmt.Errorf("cannot list the network interfaces: %w", meaning(err))
		}
		all, err := whole(func() ([]netlink.Addr, error) { return netlink.AddrList(nil, netlink.FAMILY_ALL) })
		if err != nil {
			return fmt.Errorf("cannot list the addresses: %w", meaning(err))
		}
		names := namesOf(links)
		for _, a := range all {
			addresses = append(addresses, LinkAddress{
				Link: names[a.LinkIndex], Prefix: prefixOf(a.IPNet), NotSource: a.Flags&unix.IFA_F_DEPRECATED != 0,
			})
		}
		return nil
	})
	return addresses, err
}

// Path implements Surroundings.
func (k *Kernel) Path(to, from netip.Addr) (path Path, err error) {
	err = k.in.Do(func() error {
		var options netlink.RouteGetOptions
		if from.IsValid() {
			home, err := netlink.RouteGet(from.AsSlice())
			if err != nil || home[0].Type != unix.RTN_LOCAL || from.Is4() != to.Is4() {
				return foreign(to, from)
			}
			options.SrcAddr = from.AsSlice()
		}
		routes, err := netlink.RouteGetWithOptions(to.AsSlice(), &options)
		if err != nil {
			return noPath(to, err)
		}
		link, err := netlink.LinkByIndex(routes[0].LinkIndex)
		if err != nil {
			return noPath(to, err)
		}
		path = pathOf(routes[0], link.Attrs().Name)
		path.Source = cmp.Or(from, path.Source)
		return nil
	})
	return path, err
}

func pathOf(r netlink.Route, link string) Path {
	path := Path{Local: r.Type == unix.RTN_LOCAL, Link: link, Via: addrOf(r.Gw), Source: addrOf(r.Src)}
	if via, ok := r.Via.(*netlink.Via); ok { // IPv4 over a gateway of IPv6
		path.Via = addrOf(via.Addr)
	}
	return path
}

// noPath tells that there is none from that there was another error.
func noPath(to netip.Addr, err error) error {
	switch {
	// The last two are routes that forbid: of kinds prohibit and blackhole.
	case errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.EACCES), errors.Is(err, unix.EINVAL):
		err = fmt.Errorf("%w (kernel: %w)", ErrNoRoute, err)
	default:
		err = meaning(err)
	}
	return fmt.Errorf("cannot find the way to %s: %w", to, err)
}

func foreign(to, from netip.Addr) error {
	return fmt.Errorf("cannot find the way to %s from %s: it must be an address of this host, of the same family", to, from)
}

// Neighbours implements Surroundings.
func (k *Kernel) Neighbours() (neighbours []Neighbour, err error) {
	err = k.in.Do(func() error {
		links, err := whole(netlink.LinkList)
		if err != nil {
			return fmt.Errorf("cannot list the network interfaces: %w", meaning(err))
		}
		all, err := whole(func() ([]netlink.Neigh, error) { return netlink.NeighList(0, netlink.FAMILY_ALL) })
		if err != nil {
			return fmt.Errorf("cannot list the neighbours: %w", meaning(err))
		}
		names := namesOf(links)
		for _, n := range all {
			if n.State&unix.NUD_NOARP != 0 { // broadcast and multicast
				continue
			}
			neighbours = append(neighbours, Neighbour{
				Link: names[n.LinkIndex], Addr: addrOf(n.IP), MAC: n.HardwareAddr.String(), Failed: n.State&unix.NUD_FAILED != 0,
			})
		}
		return nil
	})
	return neighbours, err
}

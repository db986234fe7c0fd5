package netcfg

import (
	"errors"
	"math"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
)

type kernelAddress Address

func (a kernelAddress) has() (bool, error) {
	link, err := netlink.LinkByName(a.Link)
	if err != nil {
		return false, butAbsent(err)
	}
	all, err := whole(func() ([]netlink.Addr, error) { return netlink.AddrList(link, familyOf(a.Prefix.Addr())) })
	if err != nil {
		return false, meaning(err)
	}
	return slices.ContainsFunc(all, func(now netlink.Addr) bool {
		return prefixOf(now.IPNet) == a.Prefix && (!a.NotSource || now.Flags&unix.IFA_F_DEPRECATED != 0)
	}), nil
}

func (a kernelAddress) add() error {
	addr := &netlink.Addr{IPNet: netOf(a.Prefix)}
	if a.Prefix.Addr().Is6() {
		addr.Flags = unix.IFA_F_NODAD
	}
	if a.NotSource {
		addr.PreferedLft, addr.ValidLft = 0, math.MaxUint32
	}
	return a.ask(netlink.AddrAdd, addr)
}

func (a kernelAddress) remove() error {
	return a.ask(netlink.AddrDel, &netlink.Addr{IPNet: netOf(a.Prefix)})
}

func (a kernelAddress) ask(do func(netlink.Link, *netlink.Addr) error, addr *netlink.Addr) error {
	link, err := netlink.LinkByName(a.Link)
	if err == nil {
		err = do(link, addr)
	}
	return meaning(err)
}

type kernelUp Up

func (u kernelUp) has() (bool, error) {
	link, err := netlink.LinkByName(u.Link)
	if err != nil {
		return false, butAbsent(err)
	}
	return link.Attrs().RawFlags&unix.IFF_UP != 0, nil
}

func (u kernelUp) add() error    { return u.ask(netlink.LinkSetUp) }
func (u kernelUp) remove() error { return u.ask(netlink.LinkSetDown) }

func (u kernelUp) ask(do func(netlink.Link) error) error {
	link, err := netlink.LinkByName(u.Link)
	if err == nil {
		err = do(link)
	}
	return meaning(err)
}

type kernelDummy Dummy

func (d kernelDummy) has() (bool, error) {
	link, err := netlink.LinkByName(d.Name)
	if err != nil {
		return false, butAbsent(err)
	}
	return link.Type() == "dummy", nil
}

func (d kernelDummy) add() error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = d.Name
	return meaning(netlink.LinkAdd(&netlink.Dummy{LinkAttrs: attrs}))
}

func (d kernelDummy) remove() error {
	link, err := netlink.LinkByName(d.Name)
	if err == nil {
		err = netlink.LinkDel(link)
	}
	return meaning(err)
}

// butAbsent lets an absent link pass: what would be on it is not there.
func butAbsent(err error) error {
	if err = meaning(err); errors.Is(err, ipvs.ErrNoDevice) {
		return nil
	}
	return err
}

func familyOf(a netip.Addr) int {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

func netOf(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// prefixOf is the other way round; no network is the zero Prefix.
func prefixOf(n *net.IPNet) netip.Prefix {
	if n == nil {
		return netip.Prefix{}
	}
	bits, _ := n.Mask.Size()
	return netip.PrefixFrom(addrOf(n.IP), bits)
}

func addrOf(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

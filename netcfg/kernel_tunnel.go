package netcfg

import (
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

type kernelAnyInside AnyInside

// Linux: include/uapi/linux/if_tunnel.h
const (
	getTunnel    = 0x89F0 // SIOCGETTUNNEL
	changeTunnel = 0x89F3 // SIOCCHGTUNNEL
)

// tunnelParameters is struct ip6_tnl_parm (include/uapi/linux/ip6_tunnel.h).
type tunnelParameters struct {
	name          [unix.IFNAMSIZ]byte
	link          int32
	inside        uint8
	_             [15]byte // limits, label, flags
	local, remote [16]byte
}

// ask speaks ioctl: netlink changes no device that came with the module.
func (a kernelAnyInside) ask(request uintptr, p *tunnelParameters) error {
	socket, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return meaning(err)
	}
	defer unix.Close(socket)
	var interfaceRequest struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte
	}
	copy(interfaceRequest.name[:unix.IFNAMSIZ-1], a.Link)
	interfaceRequest.data = unsafe.Pointer(p)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(socket), request, uintptr(unsafe.Pointer(&interfaceRequest))); errno != 0 {
		return meaning(errno)
	}
	return nil
}

func (a kernelAnyInside) has() (bool, error) {
	link, err := netlink.LinkByName(a.Link)
	if err != nil {
		return false, butAbsent(err)
	}
	if link.Type() != "ip6tnl" {
		return false, nil
	}
	var p tunnelParameters
	err = a.ask(getTunnel, &p)
	return p.inside == 0, err
}

func (a kernelAnyInside) add() error    { return a.change(0) }
func (a kernelAnyInside) remove() error { return a.change(unix.IPPROTO_IPV6) }

func (a kernelAnyInside) change(inside uint8) error {
	link, err := netlink.LinkByName(a.Link)
	if err != nil {
		return meaning(err)
	}
	if link.Type() != "ip6tnl" {
		return meaning(unix.EOPNOTSUPP)
	}
	var p tunnelParameters
	if err := a.ask(getTunnel, &p); err != nil {
		return err
	}
	p.inside = inside
	return a.ask(changeTunnel, &p)
}

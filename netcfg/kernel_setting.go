package netcfg

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
)

// The kernel's own words come with its errors.
func init() { nl.EnableErrorMessageReporting = true }

// Has implements Settings.
func (k *Kernel) Has(s Setting) (has bool, err error) {
	err = k.in.Do(func() (err error) {
		has, err = ask(s, kernelChange(s))
		return err
	})
	return has, err
}

// Add implements Settings.
func (k *Kernel) Add(s Setting) error {
	return k.in.Do(func() error { return give(s, kernelChange(s)) })
}

// Remove implements Settings.
func (k *Kernel) Remove(s Setting) error {
	return k.in.Do(func() error { return take(s, kernelChange(s)) })
}

// kernelChange works in the namespace of the calling thread.
func kernelChange(s Setting) change {
	switch s := s.(type) {
	case Address:
		return kernelAddress(s)
	case Up:
		return kernelUp(s)
	case Dummy:
		return kernelDummy(s)
	case AnyInside:
		return kernelAnyInside(s)
	case GUE:
		return kernelGUE(s)
	case Route:
		return kernelRoute(s)
	case Rule:
		return kernelRule(s)
	case Module:
		return kernelModule(s)
	case Filter:
		return kernelFilter(s)
	}
	panic(fmt.Sprintf("netcfg: %T is no setting of the kernel's", s))
}

// meaning translates the kernel's errno and keeps its word.
func meaning(err error) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		var absent netlink.LinkNotFoundError
		if errors.As(err, &absent) {
			return ipvs.ErrNoDevice
		}
		return err
	}
	kind := ErrRefused
	switch errno {
	case unix.EPERM:
		kind = ipvs.ErrPermission
	case unix.EACCES: // which nobody but IPv6 answers to CAP_NET_ADMIN
		kind = ErrNoIPv6
	case unix.ENODEV:
		kind = ipvs.ErrNoDevice
	case unix.EEXIST, unix.EADDRINUSE:
		kind = ErrOther
	case unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ENETDOWN:
		kind = ErrGateway
	case unix.ESRCH, unix.EADDRNOTAVAIL:
		kind = ErrMissing
	case unix.EAFNOSUPPORT, unix.EOPNOTSUPP:
		kind = ipvs.ErrFamily
	}
	return fmt.Errorf("%w (kernel: %w, %s)", kind, err, unix.ErrnoName(errno))
}

// whole asks for a list again when it changed while the kernel told it.
func whole[T any](list func() ([]T, error)) (all []T, err error) {
	for range 5 {
		if all, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return all, err
}

package kernel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
)

var errMalformed = errors.New("the kernel's answer cannot be understood")

var native = binary.NativeEndian

// attributes walks over netlink attributes without allocating: an overview of a
// large table has tens of thousands of them. The first thing that is not as it
// must be ends the walk and stays in err.
type attributes struct {
	rest  []byte
	kind  uint16
	value []byte
	err   error
}

// next goes to the next attribute. Fewer bytes than a header are padding.
func (a *attributes) next() bool {
	if a.err != nil || len(a.rest) < unix.SizeofRtAttr {
		return false
	}
	length := int(native.Uint16(a.rest))
	if length < unix.SizeofRtAttr || length > len(a.rest) {
		a.err = errMalformed
		return false
	}
	a.kind = native.Uint16(a.rest[2:]) & nl.NLA_TYPE_MASK
	a.value = a.rest[unix.SizeofRtAttr:length]
	a.rest = a.rest[min(aligned(length), len(a.rest)):]
	return true
}

// number reads the current attribute as a number in host order, of the size the
// kernel gave it.
func (a *attributes) number() uint64 {
	switch len(a.value) {
	case 1:
		return uint64(a.value[0])
	case 2:
		return uint64(native.Uint16(a.value))
	case 4:
		return uint64(native.Uint32(a.value))
	case 8:
		return native.Uint64(a.value)
	}
	a.err = errMalformed
	return 0
}

// port reads a 16-bit number in network order.
func (a *attributes) port() uint16 {
	if len(a.value) != 2 {
		a.err = errMalformed
		return 0
	}
	return binary.BigEndian.Uint16(a.value)
}

// text reads a string up to its NUL.
func (a *attributes) text() string {
	s, _, _ := bytes.Cut(a.value, []byte{0})
	return string(s)
}

// addr reads raw as an address of that family: an IPv4 address stands in the
// first 4 of 16 bytes.
func (a *attributes) addr(raw []byte, f ipvs.Family) netip.Addr {
	switch {
	case f == ipvs.IPv4 && len(raw) >= 4:
		return netip.AddrFrom4([4]byte(raw))
	case f == ipvs.IPv6 && len(raw) >= 16:
		return netip.AddrFrom16([16]byte(raw))
	}
	a.err = errMalformed
	return netip.Addr{}
}

// find goes to the first attribute of that kind and gives a walk through what
// is nested in it.
func find(message []byte, kind uint16) attributes {
	a := attributes{rest: message}
	for a.next() {
		if a.kind == kind {
			return attributes{rest: a.value}
		}
	}
	return attributes{err: errMalformed}
}

// aligned rounds up to where the next message or attribute begins.
func aligned(n int) int { return (n + 3) &^ 3 }

package record

import (
	"errors"
	"net/netip"

	"lvsdeck/ipvs"
)

// errOrder guards the readers' order, by which rows are found.
var errOrder = errors.New("rows are not in their order")

// list is rows by their identities, in order.
type list[K comparable] struct {
	n  int
	id func(int) K
}

// isAs tells whether two lists have the same rows.
func (l list[K]) isAs(o list[K]) bool {
	if l.n != o.n {
		return false
	}
	for i := range l.n {
		if l.id(i) != o.id(i) {
			return false
		}
	}
	return true
}

// aligned is a list whose rows know their places in the one before, or -1. With
// places nil, nothing changed.
type aligned[K comparable] struct {
	ids    []K
	places []int32
}

// align takes a list through that is another than the one before. In a key all
// identities are given, and who has the list before finds the rows in it.
func align[K comparable](p *pack, key bool, now, before list[K], compare func(K, K) int, take func(*pack, *K)) aligned[K] {
	n := now.n
	p.count(&n, maxRows, sMask)
	a := aligned[K]{make([]K, 0, n), make([]int32, 0, n)}
	scan, next := 0, 0 // places in the list before
	find := func(id K) int {
		for scan < before.n && compare(before.id(scan), id) < 0 {
			scan++
		}
		if scan < before.n && before.id(scan) == id {
			return scan
		}
		return -1
	}
	for i := range n {
		var id K
		place := -1
		if !p.reading {
			id = now.id(i)
		}
		switch {
		case key:
			take(p, &id)
			place = find(id)
		case !p.reading:
			step := uint32(0) // a new row
			if place = find(id); place >= 0 {
				step = uint32(place-next) + 1
			}
			num(p, sMisc, &step, 1)
			if place < 0 {
				take(p, &id)
			}
		default:
			var step uint32
			num(p, sMisc, &step, 1)
			if step == 0 {
				take(p, &id)
			} else if place = next + int(step-1); place < before.n {
				id = before.id(place)
			} else {
				p.fail(errLost)
			}
		}
		if p.reading && i > 0 && compare(a.ids[i-1], id) >= 0 {
			p.fail(errOrder)
		}
		if p.err != nil {
			return aligned[K]{}
		}
		if place >= 0 {
			next = place + 1
		}
		a.ids, a.places = append(a.ids, id), append(a.places, int32(place))
	}
	return a
}

// place is where the i-th row was before, or -1.
func (a aligned[K]) place(i int) int {
	if a.places == nil {
		return i
	}
	return int(a.places[i])
}

// takeID takes a service's identity through.
func takeID(p *pack, id *ipvs.ServiceID) {
	num(p, sMisc, &id.Family, ipvs.IPv4)
	num(p, sMisc, &id.Protocol, ipvs.TCP)
	takeAddr(p, &id.Addr)
	num(p, sMisc, &id.Port, 0)
	num(p, sMisc, &id.Mark, 0)
}

// takeAddrPort takes a server's identity through.
func takeAddrPort(p *pack, at *netip.AddrPort) {
	addr, port := at.Addr(), at.Port()
	takeAddr(p, &addr)
	num(p, sMisc, &port, 0)
	*at = netip.AddrPortFrom(addr, port)
}

func takeAddr(p *pack, a *netip.Addr) {
	b := a.AsSlice()
	p.bytes(&b)
	if !p.reading {
		return
	}
	*a = netip.Addr{}
	if ok := len(b) == 0; !ok {
		if *a, ok = netip.AddrFromSlice(b); !ok {
			p.fail(errors.New("an address is none"))
		}
	}
}

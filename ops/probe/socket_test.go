package probe

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/ops/probe/wire"
)

// passes runs a filter on a packet, as the kernel does with the instructions
// that ours are made of.
func passes(t *testing.T, filter []unix.SockFilter, packet []byte) bool {
	t.Helper()
	var a, x uint32
	load := func(at uint32, size int) bool {
		if int(at)+size > len(packet) {
			return false
		}
		a = 0
		for _, b := range packet[at : int(at)+size] {
			a = a<<8 | uint32(b)
		}
		return true
	}
	for pc := 0; pc < len(filter); pc++ {
		i, ok, jump := filter[pc], true, false
		switch i.Code {
		case loadByte:
			ok = load(i.K, 1)
		case loadHalf:
			ok = load(i.K, 2)
		case loadByteX:
			ok = load(x+i.K, 1)
		case loadHalfX:
			ok = load(x+i.K, 2)
		case sizeIPv4toX:
			x = uint32(packet[i.K]&0xf) * 4
		case isEqual:
			jump = a == i.K
		case isGreater:
			jump = a > i.K
		case hasBits:
			jump = a&i.K != 0
		case finish:
			return i.K != 0
		default:
			t.Fatalf("instruction %#x", i.Code)
		}
		if !ok { // beyond the end: the packet is dropped
			return false
		}
		if i.Code&unix.BPF_JMP == unix.BPF_JMP && i.Code&0x7 == unix.BPF_JMP {
			if jump {
				pc += int(i.Jt)
			} else {
				pc += int(i.Jf)
			}
		}
	}
	t.Fatal("a filter without an end")
	return false
}

func TestFilters(t *testing.T) {
	const port = 40001
	v4 := wire.Header{Src: vip4, Dst: dip4, TTL: 64}
	v6 := wire.Header{Src: netip.MustParseAddr("2001:db8::10"), Dst: netip.MustParseAddr("2001:db8::1"), TTL: 64}
	of := func(h wire.Header, to uint16) []byte {
		return h.Segment(wire.Segment{SrcPort: 80, DstPort: to, Flags: wire.SYN | wire.ACK})
	}
	// ICMP of a type is an echo request with another one.
	icmp := func(h wire.Header, kind byte) []byte {
		b := h.Echo(wire.Echo{}, wire.SmallEcho)
		b[wire.Overhead(h.Src)] = kind
		return b
	}
	fragment := of(v4, port)
	fragment[7] = 8
	options := append(append([]byte{0x46}, of(v4, port)[1:20]...), append([]byte{1, 1, 1, 1}, of(v4, port)[20:]...)...)
	for _, c := range []struct {
		what   string
		filter []unix.SockFilter
		packet []byte
		want   bool
	}{
		{"TCP to our port", answers4(port), of(v4, port), true},
		{"TCP to another", answers4(port), of(v4, port+1), false},
		{"with options", answers4(port), options, true},
		{"a later fragment", answers4(port), fragment, false},
		{"echo reply", answers4(port), icmp(v4, 0), true},
		{"unreachable", answers4(port), icmp(v4, 3), true},
		{"time exceeded", answers4(port), icmp(v4, 11), true},
		{"echo request", answers4(port), icmp(v4, 8), false},
		{"a tunnel's packet", answers4(port), v4.Wrap(of(v4, port), ipvs.Tunnel{}, 0), false},
		{"cut short", answers4(port), of(v4, port)[:21], false},
		{"TCP to our port", answers6(port), of(v6, port), true},
		{"TCP to another", answers6(port), of(v6, port+1), false},
		{"echo reply", answers6(port), icmp(v6, 129), true},
		{"unreachable", answers6(port), icmp(v6, 1), true},
		{"parameter problem", answers6(port), icmp(v6, 4), true},
		{"echo request", answers6(port), icmp(v6, 128), false},
		{"advertisement", answers6(port), icmp(v6, 136), false},
		{"advertisement", advertisements(), icmp(v6, 136), true},
		{"solicitation", advertisements(), icmp(v6, 135), false},
		{"TCP", advertisements(), of(v6, port), false},
	} {
		if got := passes(t, c.filter, c.packet); got != c.want {
			t.Errorf("%s from %v: passes %v", c.what, c.packet[0]>>4, got)
		}
	}
}

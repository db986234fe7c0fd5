package setup

import (
	"net/netip"

	"lvsdeck/ops/plan"
)

// Draft is a set-up ready to be applied. Nothing has changed so far.
type Draft struct {
	Wish    Wish
	Found   Found
	Plan    plan.Plan // of this director
	Servers []RealServer

	// Warnings are sentences to be read before.
	Warnings []string
}

// RealServer is what one server's own steps must know.
type RealServer struct {
	Addr   netip.AddrPort
	OnLink bool // without a router between

	// Director is the address under which the server sees the director: the
	// gateway it needs for NAT, the sender of tunnels.
	Director netip.Addr

	// Shares tells that the server is on the VIP's own segment, where it must not
	// answer for the VIP.
	Shares bool
}

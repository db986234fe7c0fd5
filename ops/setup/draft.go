package setup

import (
	"fmt"
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

	// Keep is the wish that it be made to last, once nothing takes it back any more.
	Keep bool
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

// Make drafts the set-up, or says with Refusals why it cannot be.
func Make(w Wish, f Found) (Draft, error) {
	if err := w.Check(); err != nil {
		return Draft{}, err
	}
	if len(f.Servers) != len(w.Servers) {
		return Draft{}, fmt.Errorf("what was found out is of another wish: %d servers, not %d", len(f.Servers), len(w.Servers))
	}
	if err := refuse(w, f); err != nil {
		return Draft{}, err
	}
	d := Draft{
		Wish: w, Found: f, Warnings: warnings(w, f),
		Plan: plan.Plan{Title: fmt.Sprintf("set up %s: %s", w.Service, w.Mode), Items: directorSteps(w, f)},
	}
	for i, s := range w.rules().Servers {
		path := f.Servers[i].Path
		d.Servers = append(d.Servers, RealServer{
			Addr: s.Addr, OnLink: path.OnLink(), Director: path.Source, Shares: path.OnLink() && path.Link == f.Link,
		})
	}
	if cuts := touches(d.Plan, f.Session); cuts != "" {
		d.Warnings = append([]string{cuts}, d.Warnings...)
	}
	return d, nil
}

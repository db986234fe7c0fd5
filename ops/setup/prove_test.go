package setup

import (
	"context"
	"net/netip"
	"slices"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ops/probe"
)

// prober notes what it is asked, and finds what it is told to.
type prober struct {
	said        []string
	vip, server probe.Verdict
}

func (p *prober) Announce(_ context.Context, a netip.Addr, link string) error {
	p.said = append(p.said, "announce "+a.String()+" on "+link)
	return nil
}

func (p *prober) VIP(_ context.Context, vip netip.Addr, servers []netip.Addr) probe.Finding {
	p.said = append(p.said, "VIP "+vip.String())
	return probe.Finding{Verdict: p.vip}
}

func (p *prober) Servers(_ context.Context, targets ...probe.Target) (all []probe.Result) {
	for _, t := range targets {
		p.said = append(p.said, t.String())
		all = append(all, probe.Result{Target: t, Finding: probe.Finding{Verdict: p.server}})
	}
	return all
}

// TestProve: the segment is told, then asked, then each server.
func TestProve(t *testing.T) {
	s := newSite(t, ipvs.IPv4, 2)
	d, err := s.draft(wish(t, FullNAT, "203.0.113.10:80", "10.0.3.11:8080"))
	s.ok(err)
	for _, c := range []struct {
		vip, server probe.Verdict
		fine        bool
	}{
		{probe.Fine, probe.Fine, true}, {probe.Unknown, probe.Fine, true}, {probe.Fine, probe.Unknown, false},
		{probe.Fault, probe.Fine, false}, {probe.Fine, probe.Warning, false},
	} {
		p := &prober{vip: c.vip, server: c.server}
		proof, err := Prove(ctx, p, d)
		s.ok(err)
		if want := []string{"announce 203.0.113.10 on eth0", "VIP 203.0.113.10", "10.0.3.11:8080 of TCP 203.0.113.10:80 (full NAT)"}; !slices.Equal(p.said, want) {
			t.Errorf("asked %q", p.said)
		}
		if proof.Fine() != c.fine {
			t.Errorf("%v: fine is %t", proof, proof.Fine())
		}
	}
}

// TestProveAsksAllServers: clients meet those that were there before, too.
func TestProveAsksAllServers(t *testing.T) {
	s := newSite(t, ipvs.IPv4, 2)
	w := wish(t, NAT, "203.0.113.10:80", "10.0.3.11")
	s.ok(s.table.AddService(ctx, ipvs.NewService(w.Service)))
	for _, at := range []string{"10.0.3.11:80", "10.0.3.12:8080"} {
		s.ok(s.table.AddServer(ctx, w.Service, ipvs.Server{Addr: netip.MustParseAddrPort(at), Weight: 1}))
	}
	d, err := s.draft(w)
	s.ok(err)
	p := &prober{vip: probe.Fine, server: probe.Fine}
	_, err = Prove(ctx, p, d)
	s.ok(err)
	if want := []string{"10.0.3.11:80 of TCP 203.0.113.10:80 (NAT)", "10.0.3.12:8080 of TCP 203.0.113.10:80 (NAT)"}; !slices.Equal(p.said[2:], want) {
		t.Errorf("asked %q", p.said[2:])
	}
}

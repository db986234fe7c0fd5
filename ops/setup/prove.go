package setup

import (
	"context"
	"net/netip"
	"slices"

	"lvsdeck/ipvs"
	"lvsdeck/ops/probe"
)

// Prober is what asks other hosts once a draft was applied: a probe.Prober.
type Prober interface {
	Announce(ctx context.Context, a netip.Addr, link string) error
	VIP(ctx context.Context, vip netip.Addr, servers []netip.Addr) probe.Finding
	Servers(ctx context.Context, targets ...probe.Target) []probe.Result
}

// Proof is what was seen of a set-up from the director.
type Proof struct {
	VIP     probe.Finding // who else answers for it
	Servers []probe.Result
}

// Prove tells the VIP's segment that it is here now, and sees whether nobody else
// claims it and each server plays its part.
func Prove(ctx context.Context, p Prober, d Draft) (Proof, error) {
	link := d.Found.Link
	if d.Found.canAsk(link) {
		if err := p.Announce(ctx, d.Wish.Service.Addr, link); err != nil {
			return Proof{}, err
		}
	}
	var servers []netip.Addr
	var targets []probe.Target
	for _, s := range d.all() {
		servers = append(servers, s.Addr.Addr())
		targets = append(targets, probe.Target{
			VIP: netip.AddrPortFrom(d.Wish.Service.Addr, d.Wish.Service.Port), Protocol: d.Wish.Service.Protocol,
			Server: s, FullNAT: d.Wish.Mode == FullNAT,
		})
	}
	return Proof{VIP: p.VIP(ctx, d.Wish.Service.Addr, servers), Servers: p.Servers(ctx, targets...)}, nil
}

// all is the servers that the service has now: those of the wish, and those that
// it had before. Clients meet them all.
func (d Draft) all() []ipvs.Server {
	all := d.Wish.rules().Servers
	for _, s := range d.Found.Table.Services {
		if s.ServiceID != d.Wish.Service {
			continue
		}
		for _, old := range s.Servers {
			if !slices.ContainsFunc(all, sameAddr(old)) {
				all = append(all, old)
			}
		}
	}
	return all
}

// Fine tells that it is proven: each server plays its part, and nobody is known who
// else has the VIP. Whether somebody has it cannot be asked everywhere.
func (p Proof) Fine() bool { return len(p.Unproven()) == 0 && p.VIP.Verdict < probe.Warning }

// Unproven are the servers of which it is not known that they play their part.
func (p Proof) Unproven() (all []probe.Result) {
	for _, s := range p.Servers {
		if s.Verdict != probe.Fine {
			all = append(all, s)
		}
	}
	return all
}

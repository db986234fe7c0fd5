package probe

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"lvsdeck/netcfg"
	"lvsdeck/ops/probe/wire"
)

// VIP asks who else answers for a VIP on its segment, by ARP or neighbour
// discovery. What answers is told by the servers' and the kernel's knowledge of
// hardware addresses; who answers for an address that is likely to be unused as
// well proves nothing.
func (p *Prober) VIP(ctx context.Context, vip netip.Addr, servers []netip.Addr) Finding {
	c := census{VIP: vip}
	return c.judge(p.take(ctx, &c, "", servers))
}

// Free asks whether an address may be bound on a link (""; the link whose network
// it is in): nobody must have it. The question names no address of ours, as
// RFC 5227 wants it.
func (p *Prober) Free(ctx context.Context, vip netip.Addr, link string) Finding {
	c := census{VIP: vip, Free: true}
	return c.judge(p.take(ctx, &c, link, nil))
}

// WhoHas asks a link for the hardware addresses of neighbours. Addresses that
// nobody answers for are left out; this host itself does not answer.
func (p *Prober) WhoHas(ctx context.Context, link string, about ...netip.Addr) (map[netip.Addr][]wire.MAC, error) {
	h, err := look(p.around, p.options.Services)
	if err != nil {
		return nil, err
	}
	return p.whoHas(ctx, h, inquiry{link: h.links[link], about: about, from: h.askerOn(h.links[link], netip.Addr{}), first: true, wait: p.options.Wait})
}

// askerOn gives who asks on a link: this host, but never as the VIP.
func (h host) askerOn(l netcfg.Link, vip netip.Addr) func(netip.Addr, int) wire.Claim {
	return func(about netip.Addr, _ int) wire.Claim {
		return h.asker(l, about, h.source(l.Name, about, netip.Addr{}, vip))
	}
}

// slowest is how long routers with proxy ARP may take: up to 0.8 s on purpose
// (Linux: proxy_delay), so that the true owner is first.
const slowest = time.Second

// take gets the facts for a census.
func (p *Prober) take(ctx context.Context, c *census, link string, servers []netip.Addr) error {
	h, err := look(p.around, p.options.Services)
	if err != nil {
		return err
	}
	c.Here = h.has(c.VIP)
	l, ok := h.links[link]
	if link == "" {
		l, ok = h.segment(c.VIP)
	}
	if !ok || l.MAC == "" {
		return nil
	}
	c.Link = l.Name

	known, asks := h.askerOn(l, c.VIP), h.askerOn(l, c.VIP)
	nameless := func(about netip.Addr, _ int) wire.Claim { return h.asker(l, about, netip.Addr{}) }
	switch {
	case c.Free:
		asks = nameless
	case c.VIP.Is4(): // servers may answer one and not the other
		asks = func(about netip.Addr, try int) wire.Claim {
			if try%2 == 1 {
				return nameless(about, try)
			}
			return known(about, try)
		}
	}
	found, err := p.whoHas(ctx, h, inquiry{link: l, about: []netip.Addr{c.VIP}, from: asks, wait: p.options.Wait})
	c.Claims = found[c.VIP]
	if err != nil || len(c.Claims) == 0 {
		return err
	}

	neighbours, err := p.around.Neighbours()
	if err != nil {
		return err
	}
	c.known(neighbours, l.Name)
	c.Controls = h.controls(c.VIP, l.Name, append(slices.Clone(servers), c.addresses()...))
	control := inquiry{link: l, about: c.Controls, from: asks, wait: max(p.options.Wait, slowest)}
	if c.Controlled, err = p.whoHas(ctx, h, control); err != nil || len(servers) == 0 {
		return err
	}
	c.Servers, err = p.whoHas(ctx, h, inquiry{link: l, about: servers, from: known, first: true, wait: p.options.Wait})
	return err
}

// controls are addresses that are likely to be unused: of the VIP's network, not
// ours and not known. There may be none.
func (h host) controls(vip netip.Addr, link string, used []netip.Addr) (controls []netip.Addr) {
	network, _ := vip.Prefix(map[bool]int{true: 24, false: 64}[vip.Is4()])
	for _, n := range h.networks(link, vip.Is4()) {
		if n.Contains(vip) {
			network = n
		}
	}
	const wanted, patience = 2, 100
	for range patience {
		a := somewhere(network)
		taken := a == vip || h.has(a) || h.isVIP(a) || slices.Contains(used, a) || slices.Contains(controls, a)
		if !taken && a != network.Addr() && network.Contains(a.Next()) && a.Next().IsValid() {
			controls = append(controls, a)
		}
		if len(controls) == wanted {
			break
		}
	}
	return controls
}

// somewhere is any address of a network.
func somewhere(n netip.Prefix) netip.Addr {
	b := n.Addr().AsSlice()
	for i := n.Bits(); i < len(b)*8; i++ {
		b[i/8] |= byte(rand.Uint32N(2)) << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

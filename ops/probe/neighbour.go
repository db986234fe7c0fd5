package probe

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"lvsdeck/netcfg"
	"lvsdeck/ops/probe/wire"
)

// tries is how often a question is put that costs nobody anything.
const tries = 3

// inquiry asks a link for neighbours.
type inquiry struct {
	link    netcfg.Link
	about   []netip.Addr
	from    func(about netip.Addr, try int) wire.Claim // who asks
	wait    time.Duration
	first   bool // one claim for each address is enough
	answers bool // who only asks or announces does not count
}

// whoHas gives all hardware addresses that claim each address. Those of this host
// itself are left out: they may be on the same segment twice.
func (p *Prober) whoHas(ctx context.Context, h host, q inquiry) (map[netip.Addr][]wire.MAC, error) {
	e, err := p.listenFor(q.about, q.link.Index)
	if err != nil {
		return nil, err
	}
	defer e.close()

	found := map[netip.Addr][]wire.MAC{}
	pace := time.NewTicker(q.wait / tries)
	defer pace.Stop()
	for try := range tries {
		for _, a := range q.about {
			if q.first && len(found[a]) > 0 {
				continue
			}
			f := wire.WhoHas(a, q.from(a, try))
			if err := e.send(q.link.Index, f); err != nil {
				return nil, fmt.Errorf("cannot ask on %s: %w", q.link.Name, err)
			}
		}
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-pace.C:
				waiting = false
			case f := <-e.heard:
				c, answer, ok := wire.ParseClaim(f.Type, f.Payload)
				ok = ok && (answer || !q.answers)
				if c.MAC == (wire.MAC{}) {
					c.MAC = f.From
				}
				if ok && slices.Contains(q.about, c.Addr) && !h.isOwn(c.MAC) && !slices.Contains(found[c.Addr], c.MAC) {
					found[c.Addr] = append(found[c.Addr], c.MAC)
				}
				if q.first && len(found) == len(q.about) {
					return found, nil
				}
			}
		}
	}
	return found, nil
}

// listenFor listens on a link for claims of addresses.
func (p *Prober) listenFor(about []netip.Addr, link int) (*ears, error) {
	var want []ear
	v6 := func(a netip.Addr) bool { return a.Is6() }
	v4 := func(a netip.Addr) bool { return a.Is4() }
	if slices.ContainsFunc(about, v4) {
		want = append(want, ear{wire.EtherARP, nil})
	}
	if slices.ContainsFunc(about, v6) {
		want = append(want, ear{wire.EtherIPv6, advertisements()})
	}
	return p.listen(link, want...)
}

// hop is the neighbour that packets for a server go to first: itself, or the
// gateway to it.
type hop struct {
	Addr   netip.Addr
	MAC    wire.MAC
	Silent bool // it did not answer; MAC is then what the kernel knows, or none

	// Deaf tells that it answers only those who ask without an address: it drops
	// what comes from ours, as its own.
	Deaf  bool
	After time.Duration
}

// resolve asks for a neighbour, as the kernel's own table may be out of date.
// Links without hardware addresses need none.
func (p *Prober) resolve(ctx context.Context, h host, link netcfg.Link, a, source netip.Addr) (hop, error) {
	n := hop{Addr: a}
	if link.MAC == "" {
		return n, nil
	}
	start := time.Now()
	ask := func(source netip.Addr) (bool, error) {
		from := func(about netip.Addr, _ int) wire.Claim { return h.asker(link, about, source) }
		found, err := p.whoHas(ctx, h, inquiry{link: link, about: []netip.Addr{a}, from: from, first: true, answers: true, wait: p.options.Wait})
		if macs := found[a]; len(macs) > 0 {
			n.MAC, n.After = macs[0], time.Since(start)
		}
		return len(found) > 0, err
	}
	if answered, err := ask(source); err != nil || answered {
		return n, err
	}
	if source.IsValid() {
		answered, err := ask(netip.Addr{})
		if err != nil {
			return n, err
		}
		if answered { // and not only too late before
			answered, err = ask(source)
			n.Deaf = !answered
			return n, err
		}
	}
	n.Silent = true
	known, err := p.around.Neighbours()
	for _, k := range known {
		if k.Link == link.Name && k.Addr == a && !k.Failed {
			n.MAC, _ = wire.ParseMAC(k.MAC)
		}
	}
	return n, err
}

package probe

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"lvsdeck/ops/probe/wire"
)

// announcePause is between announcements: RFC 5227 has 2 s, but who waits for
// them is an operator.
const announcePause = 200 * time.Millisecond

// Announce tells a link's segment that an address of this host is here. Routers
// may have known it elsewhere, and would send its packets there for minutes. A
// link without hardware addresses needs none.
func (p *Prober) Announce(ctx context.Context, a netip.Addr, link string) error {
	h, err := look(p.around, p.options.Services)
	if err != nil {
		return err
	}
	mac, ok := wire.ParseMAC(h.links[link].MAC)
	switch {
	case !h.has(a):
		return fmt.Errorf("cannot announce %s: this host does not have it", a)
	case !ok:
		return nil
	}
	e, err := p.listen(h.links[link].Index, ear{wire.EtherARP, nil})
	if err != nil {
		return err
	}
	defer e.close()
	for n := range tries {
		if n > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(announcePause):
			}
		}
		if err := e.send(h.links[link].Index, wire.Announce(wire.Claim{Addr: a, MAC: mac})); err != nil {
			return err
		}
	}
	return nil
}

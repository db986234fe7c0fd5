package setup

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/owner"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/probe"
	"lvsdeck/ops/probe/wire"
	"lvsdeck/persist"
)

// Host is what is asked of the director.
type Host interface {
	netcfg.Sysctls
	netcfg.Surroundings
	netcfg.Firewalls
	Modules() (netcfg.Modules, error)
}

// Asker asks the segments of this host who has an address, as probe.Prober does.
type Asker interface {
	Free(ctx context.Context, vip netip.Addr, link string) probe.Finding
	WhoHas(ctx context.Context, link string, about ...netip.Addr) (map[netip.Addr][]wire.MAC, error)
}

// Director is where a set-up is looked at.
type Director struct {
	Host  Host
	Table ipvs.Table

	Asker   Asker                        // nil: nobody is asked for anything
	Owner   func() (*owner.Owner, error) // nil: nobody else manages the table
	Session *Session                     // nil: not over SSH; its Link is found out
}

// The rest of the world, to be asked the way to: a root name server.
var (
	far4 = netip.MustParseAddr("198.41.0.4")
	far6 = netip.MustParseAddr("2001:503:ba3e::2:30")
)

// Look finds out what a wish needs to know, and changes nothing. It wants a wish
// that Check lets pass.
func (d Director) Look(ctx context.Context, w Wish) (f Found, err error) {
	if err := w.Check(); err != nil {
		return f, err
	}
	for _, look := range []func(context.Context, Wish, *Found) error{
		d.lookAround, d.lookForLink, d.lookForServers, d.lookInside, d.lookForOthers,
	} {
		if err := look(ctx, w, &f); err != nil {
			return f, fmt.Errorf("cannot look around on this director: %w", err)
		}
	}
	return f, nil
}

// lookAround finds links, addresses, and the ways out and back.
func (d Director) lookAround(_ context.Context, w Wish, f *Found) (err error) {
	if f.Links, err = d.Host.Links(); err != nil {
		return err
	}
	if f.Addresses, err = d.Host.Addresses(); err != nil {
		return err
	}
	for _, a := range f.Addresses {
		if a.Prefix.Addr() == w.Service.Addr {
			f.Bound = &a
		}
	}
	far := far4
	if w.Service.Family == ipvs.IPv6 {
		far = far6
	}
	if f.Out, err = d.Host.Path(far, netip.Addr{}); errors.Is(err, netcfg.ErrNoRoute) {
		f.Out, err = netcfg.Path{}, nil
	}
	f.Session = d.Session.On(d.Host)
	return err
}

// lookForLink chooses the link for the VIP.
func (d Director) lookForLink(ctx context.Context, w Wish, f *Found) error {
	f.Link, f.LinkWhy = f.linkFor(w)
	if d.Asker != nil && f.Bound == nil && f.canAsk(f.Link) {
		f.Free = d.Asker.Free(ctx, w.Service.Addr, f.Link)
	}
	return nil
}

func (f *Found) linkFor(w Wish) (link, why string) {
	if w.Link != "" {
		return w.Link, "you named it"
	}
	if f.Bound != nil {
		return f.Bound.Link, "it has the VIP already"
	}
	if a := f.network(w.Service.Addr); a.Link != "" {
		return a.Link, fmt.Sprintf("its network, %v, holds the VIP", a.Prefix.Masked())
	}
	if f.Out.Link != "" {
		return f.Out.Link, "the default route leaves by it"
	}
	return "", ""
}

// network is the address of ours in whose network another one is: of several in
// the smallest. Its Link is "" when there is none.
func (f *Found) network(addr netip.Addr) (best netcfg.LinkAddress) {
	for _, a := range f.Addresses {
		if a.Prefix.Contains(addr) && a.Prefix.Bits() < addr.BitLen() && (best.Link == "" || a.Prefix.Bits() > best.Prefix.Bits()) {
			best = a
		}
	}
	return best
}

// canAsk tells that a link leads to a segment with neighbours.
func (f *Found) canAsk(name string) bool {
	l, ok := f.link(name)
	return ok && l.Up && !l.Loopback && l.MAC != ""
}

func (f *Found) link(name string) (netcfg.Link, bool) {
	for _, l := range f.Links {
		if l.Name == name {
			return l, true
		}
	}
	return netcfg.Link{}, false
}

// lookForServers finds the way to each server.
func (d Director) lookForServers(ctx context.Context, w Wish, f *Found) error {
	for _, s := range w.Servers {
		found := FoundServer{Addr: s.Addr.Addr()}
		var err error
		if found.Path, err = d.Host.Path(found.Addr, netip.Addr{}); err != nil {
			found.Unreachable = err.Error()
		} else if d.Asker != nil && found.Path.OnLink() && f.canAsk(found.Path.Link) {
			known, err := d.Asker.WhoHas(ctx, found.Path.Link, found.Addr)
			if err != nil {
				return err
			}
			found.Silent = len(known[found.Addr]) == 0
		}
		f.Servers = append(f.Servers, found)
	}
	return nil
}

// lookInside reads what may have to be changed. A sysctl that this kernel lacks
// is left out.
func (d Director) lookInside(_ context.Context, w Wish, f *Found) (err error) {
	if f.Modules, err = d.Host.Modules(); err != nil {
		return err
	}
	rules, err := d.Host.Firewall()
	if err != nil {
		return err
	}
	f.Firewall = others(rules)
	f.Sysctls = map[string]plan.ChangeSysctl{}
	for _, name := range f.matter(w) {
		step, err := plan.ReadSysctl(d.Host, name, "")
		if errors.Is(err, netcfg.ErrAbsent) {
			continue
		}
		if err != nil {
			return err
		}
		step.After = step.Before
		f.Sysctls[name] = step
	}
	return nil
}

// lookForOthers reads the table, and who else changes it.
func (d Director) lookForOthers(ctx context.Context, _ Wish, f *Found) (err error) {
	if f.Table, err = persist.ReadRules(ctx, d.Table); err != nil || d.Owner == nil {
		return err
	}
	f.Owner, err = d.Owner()
	return err
}

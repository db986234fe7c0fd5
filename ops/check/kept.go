package check

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/netcfg/firewall"
	"lvsdeck/ops/conns"
	"lvsdeck/ops/keep"
)

// What a sparing round may spend on things that cost with the size of a site. What
// there was no time for is as it was in the rounds before.
const (
	waysTime    = 30 * time.Millisecond
	connsTime   = 50 * time.Millisecond
	seldom      = 30 * time.Second // what costs more is read again after this, or after
	seldomTimes = 100              // so many times what it took
	loadsFor    = time.Minute      // connections that were read because somebody asked
)

// kept is what rounds take over from those before.
type kept struct {
	links     []netcfg.Link
	addresses []netcfg.LinkAddress
	ways      map[netip.Addr]Way
	turn      int // of the server whose way is asked next

	firewall *firewall.Rules
	partly   bool
	version  uint32
	rules    *keep.Comparison
	loads    *Loads

	drains map[Place]Drain

	elsewhere map[netip.Addr]Elsewhere // by probes

	firewallRead, rulesRead costly
}

// anew is what is kept even when everything is read again: what a single look cannot
// find out.
func (k kept) anew() kept { return kept{drains: k.drains, elsewhere: k.elsewhere} }

// costly is something that is not read in every round.
type costly struct {
	at     time.Time
	took   time.Duration
	unread []string // what was lacking then
}

// read reads it when it is time to, and tells what is lacking of it.
func (g *gathering) read(c *costly, read func()) {
	if began := time.Now(); c.at.IsZero() || began.Sub(c.at) > max(seldom, seldomTimes*c.took) {
		before := len(g.Unread)
		read()
		*c = costly{began, time.Since(began), slices.Clone(g.Unread[before:])}
		return
	}
	g.Unread = append(g.Unread, c.unread...)
}

// ways asks where packets to VIPs and servers go: to VIPs every time, to servers
// that are new, and to the others in turn. When the host's links or addresses have
// changed, all are asked.
func (g *gathering) ways() {
	k := g.kept
	if !slices.Equal(k.links, g.Links) || !slices.Equal(k.addresses, g.Addresses) {
		k.ways = nil
	}
	var known []netip.Addr
	for _, v := range g.Sample.Services {
		if !v.IsMark() {
			if _, asked := g.Ways[v.Addr]; !asked {
				g.way(v.Addr)
			}
		}
	}
	for _, v := range g.Sample.Services {
		for _, r := range v.Servers {
			to := r.Addr.Addr()
			if _, asked := g.Ways[to]; asked {
				continue
			}
			way, before := k.ways[to]
			if before {
				g.Ways[to] = way
				known = append(known, to)
			} else {
				g.way(to)
			}
		}
	}
	began := time.Now()
	for range known {
		if g.sparing && time.Since(began) > waysTime {
			break
		}
		g.way(known[k.turn%len(known)])
		k.turn++
	}
	k.links, k.addresses, k.ways = g.Links, g.Addresses, g.Ways
}

// firewall reads the rules, which starts programs, when they have changed; those of
// the old iptables, which change without a word, now and then.
func (g *gathering) firewall() {
	k := g.kept
	if version, err := g.from.Host.FirewallVersion(); err != nil || version != k.version {
		k.firewallRead, k.version = costly{}, version
	}
	g.read(&k.firewallRead, func() {
		k.firewall = nil
		rules, err := g.from.Host.Firewall()
		g.lacks("the firewall", err)
		if err != nil {
			return
		}
		for _, what := range rules.Unread {
			g.Unread = append(g.Unread, "the firewall: "+what)
		}
		k.partly = len(rules.Unread) > 0
		rules.Unread = nil // told once, not for every packet
		k.firewall = &rules
	})
	g.Firewall, g.FirewallPartly = k.firewall, k.partly
}

// saved compares what runs with the file of rules.
func (g *gathering) saved() {
	table, whole := g.from.Table.(ipvs.Table)
	if g.from.RulesFile == "" || !whole {
		return
	}
	k := g.kept
	g.read(&k.rulesRead, func() {
		var err error
		k.rules, err = keep.Compare(g.ctx, table, g.from.RulesFile)
		g.lacks("whether the rules are saved", err)
	})
	g.Saved = k.rules
}

// connections reads the connections once, unless they are too many for a round
// that nobody asked for.
func (g *gathering) connections() {
	if g.from.Conns == nil {
		return
	}
	n := g.Sample.Active + g.Sample.Inactive + g.Sample.Persistent
	if cost := g.from.Conns.ReadCost(n); g.sparing && cost > connsTime {
		if g.Loads = g.kept.loads; g.Loads == nil || time.Since(g.Loads.At) > loadsFor {
			g.Loads = nil
			g.Unread = append(g.Unread, fmt.Sprintf("connections: to read %d takes a processor about %v, which is too long for every round; they are read when a look is asked for", n, cost.Round(10*time.Millisecond)))
		}
		return
	}
	g.readConns()
	g.kept.loads = g.Loads
}

func (g *gathering) readConns() {
	in, err := g.from.Conns.Connections(false)
	if err != nil {
		g.lacks("connections", err)
		return
	}
	defer in.Close()
	limit := g.from.ConnTime
	if limit == 0 {
		limit = time.Second
	}
	ctx, cancel := context.WithTimeout(g.ctx, limit)
	defer cancel()
	count := newLoads(&g.Scene)
	q := conns.Query{Filter: conns.Filter{Templates: conns.NoTemplates}}
	if q.Timeouts, err = g.from.Table.Timeouts(g.ctx); err != nil && !errors.Is(err, ipvs.ErrPermission) {
		g.lacks("timeouts", err)
	}
	_, ended, err := conns.Each(ctx, in, q, count.add)
	if err != nil {
		g.lacks("connections", err)
		return
	}
	count.Partly, count.At = ended != nil, time.Now()
	g.Loads = count.loads()
}

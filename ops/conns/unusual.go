package conns

import (
	"cmp"
	"slices"

	"lvsdeck/ipvs"
)

// What is more than usual: a share of one client, of one network, and of unfinished
// handshakes, where there are some.
const (
	MuchOfClient = .10
	MuchOfNet    = .30
	MuchHalfOpen = .25
	someHalfOpen = 20
)

// ManyHalfOpen tells more handshakes on their way than connections should have.
func (c Counts) ManyHalfOpen() bool {
	return c.HalfOpen > someHalfOpen && float64(c.HalfOpen) > MuchHalfOpen*float64(c.Conns)
}

// Of one service: so much, and so many times what each would have if all had as much.
const (
	muchOfService = .25
	timesEven     = 2
)

// Heavy is a client or a network that has much of a service.
type Heavy struct {
	By
	Group
	Of Counts // all of the service
}

// Share is its part of the service's connections.
func (h Heavy) Share() float64 { return float64(h.Conns) / float64(h.Of.Conns) }

// Has tells that a client is of a network, and most of what the network has.
func (g Group) Has(client Group) bool {
	return g.Client.Contains(client.Client.Addr()) && 2*client.Conns > g.Conns
}

// heavy finds who has much of each service, the services with the most connections
// first. A network is left out for a client that has most of it.
func (c *counter) heavy() (all []Heavy) {
	services := make([]ipvs.ServiceID, len(c.owners))
	for id, number := range c.owners {
		services[number] = id
	}
	of := make([]Counts, len(services))
	c.pairs.all(func(number int, g *group) {
		i := c.pairInfo[number].number
		of[i] = of[i].Add(g.n.counts())
	})
	for _, by := range []By{ByClient, ByNet} {
		table, met := c.within[by], make([]int, len(services))
		table.all(func(_ int, g *group) { met[g.more]++ })
		table.all(func(_ int, g *group) {
			h := Heavy{by, Group{Client: c.prefix(by, g.key), Service: services[g.more], Counts: g.n.counts()}, of[g.more]}
			much := max(muchOfService, timesEven/float64(met[g.more]))
			if h.Conns == 0 || h.Conns == h.Of.Conns || h.Share() < much {
				return
			}
			if by == ByNet && slices.ContainsFunc(all, func(o Heavy) bool {
				return o.By == ByClient && o.Service == h.Service && h.Has(o.Group)
			}) {
				return
			}
			all = append(all, h)
		})
	}
	slices.SortFunc(all, func(a, b Heavy) int {
		return cmp.Or(cmp.Compare(b.Of.Conns, a.Of.Conns), a.Service.Compare(b.Service), a.Group.compare(b.Group))
	})
	return all
}

// TooMuch tells a client or a network that has more than its part. One that was
// picked by the filter has all, and that means nothing; so does one that all are of.
func (r *Result) TooMuch(by By, c Counts) bool {
	share := r.Share(c)
	return !r.Filter.Client.IsValid() && share < 1 && (by == ByClient && share > MuchOfClient || by == ByNet && share > MuchOfNet)
}

package check

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	"lvsdeck/ops"
)

// What it takes to speak of a server's share: so many new connections of the
// service, in so many whole turns of a scheduler that works by weights.
const (
	fewShared = 200
	fewTurns  = 5
)

// chance is how many times the root of what is due a figure may be off by accident
// (with 4, one of some 15,000 servers is), and fewNamed how many servers a finding
// names.
const (
	chance   = 4
	fewNamed = 5
)

// A client that persistence holds is heavy with such a part of so many connections.
const (
	fewHeld    = 100
	heavyShare = 30 // of 100
)

// shares: servers that get more or less of the new connections than their weights
// ask for, by more than chance: a service of many servers has some far off at any
// time. Nothing is known where clients are kept on a server or the scheduler goes by
// addresses; where it goes by connections, only that a server gets next to nothing.
func shares(s *Scene) (all []Finding) {
	for _, v := range s.Sample.Services {
		byWeight := v.Scheduler == "rr" || v.Scheduler == "wrr"
		if !byWeight && v.Scheduler != "lc" && v.Scheduler != "wlc" || v.Persistence.On || v.OnePacket || v.Overloaded > 0 {
			continue
		}
		sum, took, ok := s.shared(v)
		if !ok {
			continue
		}
		weights, _ := turn(v)
		f := Finding{Severity: Warning, Service: v.ServiceID, Means: "Load is not shared as the weights say. A server that was full, or whose weight changed, for a while gets less."}
		if !byWeight {
			f.Means = "Others do its work. Connections that nobody uses, or that hang, keep new ones away from it."
		}
		off := 0
		for _, r := range v.Servers {
			got := s.Longer[Place{v.ServiceID, r.Addr}].Conns
			due := float64(sum) * float64(Weighs(v, r)) / float64(weights)
			play := max(due/5, chance*math.Sqrt(due))
			less, more := float64(got) < due-play && (byWeight || 10*float64(got) < due), float64(got) > due+play && byWeight
			if !less && !more {
				continue
			}
			f.Server, f.Short = r.Addr, "the server gets fewer new connections than its weight asks for"
			if more {
				f.Short = "the server gets more new connections than its weight asks for"
			}
			if off++; off > fewNamed {
				continue
			}
			says := fmt.Sprintf("%s: %d of %d new connections in %v, where weight %d of %d asks for about %.0f", r.Addr, got, sum, took.Round(time.Second), Weighs(v, r), weights, due)
			if !byWeight {
				says += fmt.Sprintf("; %s goes by connections, of which it has %d active and %d inactive", v.Scheduler, r.Active, r.Inactive)
			}
			f.Evidence = append(f.Evidence, says)
		}
		switch {
		case off == 0:
			continue
		case off > 1:
			f.Server, f.Short = netip.AddrPort{}, fmt.Sprintf("%d of %d servers do not get the new connections that their weights ask for", off, len(v.Servers))
		}
		if off > fewNamed {
			f.Evidence = append(f.Evidence, fmt.Sprintf("and %d servers more", off-fewNamed))
		}
		all = append(all, f)
	}
	return all
}

// OneLook names what a single look leaves out, however often it reads.
func OneLook(s *ops.Sample) []string {
	for _, v := range s.Services {
		if len(v.Servers) > 1 && v.Rate.Conns > 0 {
			return []string{"how new connections are shared among servers: that takes two minutes of watching, as the console does"}
		}
	}
	return nil
}

// heavy: many clients behind one address are one to persistence, and it puts them all
// on one server.
func heavy(s *Scene) (all []Finding) {
	if s.Loads == nil {
		return nil
	}
	for _, v := range s.Sample.Services {
		var conns uint64
		for _, r := range v.Servers {
			conns += s.Loads.Servers[Place{v.ServiceID, r.Addr}].Conns
		}
		who := s.Loads.Held[v.ServiceID]
		if conns < fewHeld || len(v.Servers) < 2 || 100*who.Most < heavyShare*conns {
			continue
		}
		all = append(all, Finding{
			Service: v.ServiceID, Short: "persistence holds a large part of the clients on one server",
			Evidence: evidence("%d of %d connections (%d %%) are from %s, and go to one server for %d s after the last%s", who.Most, conns, 100*who.Most/conns, who.Busiest, v.Persistence.Timeout, s.Loads.partly()),
			Means:    "That server has more to do than its weight says. Many clients may be behind the one address.",
		})
	}
	return all
}

// shared are the new connections of a service, if they are enough.
func (s *Scene) shared(v *ops.Service) (sum uint64, took time.Duration, ok bool) {
	for _, r := range v.Servers {
		n := s.Longer[Place{v.ServiceID, r.Addr}]
		sum, took = sum+n.Conns, max(took, n.For)
	}
	_, conns := turn(v)
	return sum, took, sum >= fewShared && sum >= fewTurns*conns
}

// Weighs is a server's weight for its service's scheduler: to some all are alike.
func Weighs(v *ops.Service, r *ops.Server) uint64 {
	if r.Weight > 0 && (v.Scheduler == "rr" || v.Scheduler == "lc") {
		return 1
	}
	return uint64(r.Weight)
}

// turn is the sum of all weights, and in how many connections each server comes as
// often as its weight says: weights are first divided by what divides them all
// (ip_vs_wrr.c).
func turn(v *ops.Service) (weights, conns uint64) {
	var divisor uint64
	for _, r := range v.Servers {
		w := Weighs(v, r)
		weights += w
		for w > 0 {
			divisor, w = w, divisor%w
		}
	}
	return weights, weights / max(1, divisor)
}

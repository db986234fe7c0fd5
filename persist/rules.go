package persist

import (
	"context"
	"errors"
	"net/netip"
	"slices"

	"lvsdeck/ipvs"
)

// ReadRules reads what a table is told, in its one order: every service and server
// that is there all the while, each once, and of those that come or go meanwhile
// whichever it meets.
func ReadRules(ctx context.Context, t ipvs.Table) (ipvs.Rules, error) {
	services, err := t.Rules(ctx)
	if err != nil {
		return ipvs.Rules{}, err
	}
	r := reading{table: t, rules: ipvs.Rules{Services: services}}
	if err := r.complete(ctx); err != nil {
		return ipvs.Rules{}, err
	}
	timeouts, err := t.Timeouts(ctx)
	if err != nil {
		return ipvs.Rules{}, err
	}
	r.rules.Timeouts = &timeouts
	if r.rules.Daemons, err = t.Daemons(ctx); err != nil {
		return ipvs.Rules{}, err
	}
	r.rules.Sort()
	return r.rules, nil
}

// reading is rules on their way out of a table that others may be changing. The
// kernel answers long lists in pieces, and finds where the next begins by counting
// (ip_vs_genl_dump_services, ip_vs_genl_dump_dests): a row that comes in between
// makes it give another one twice, and one that goes makes it leave one out.
//
// So what is longer than a piece is compared with a second look. For servers that
// is /proc/net/ip_vs, where those of one service are a single walk, which misses
// none (ip_vs_info_seq_show).
type reading struct {
	table ipvs.Table
	rules ipvs.Rules

	// place is where a service is in the rules, or gone. before are the servers that
	// were seen when a service was last found to lack some; nil when it is whole.
	place  map[ipvs.ServiceID]int
	before map[ipvs.ServiceID][]netip.AddrPort
}

// gone is the place of a service that was there at one look only.
const gone = -1

const (
	// onePiece is how many services, or servers of one, come in one piece: twenty
	// and more of some 390 bytes in 8 KiB.
	onePiece = 16

	// looks is how often a table is compared that changes all the time.
	looks = 20
)

var errTooFast = errors.New("the table cannot be read whole: others change it too fast; try again when they are done")

// complete adds what was left out.
func (r *reading) complete(ctx context.Context) error {
	long, wide := r.size()
	if !long && !wide {
		return nil
	}
	r.rules.Sort()
	r.place, r.before = make(map[ipvs.ServiceID]int, len(r.rules.Services)), map[ipvs.ServiceID][]netip.AddrPort{}
	for i := range r.rules.Services {
		s := &r.rules.Services[i]
		r.place[s.ServiceID] = i
		if len(s.Servers) > onePiece {
			s.Servers = once(s.Servers)
		}
	}
	for range looks {
		lacking, err := r.lacking(ctx, wide)
		if err != nil || len(lacking) == 0 {
			return err
		}
		for _, s := range lacking {
			if err := r.again(ctx, s); err != nil {
				return err
			}
		}
		_, wide = r.size()
	}
	return errTooFast
}

// size tells whether there are more services than come in one piece, and whether
// one has more servers.
func (r *reading) size() (long, wide bool) {
	for i := range r.rules.Services {
		wide = wide || len(r.rules.Services[i].Servers) > onePiece
	}
	return len(r.rules.Services) > onePiece, wide
}

// lacking looks once more, and gives the services that were left out, or lack a
// server.
func (r *reading) lacking(ctx context.Context, wide bool) (lacking []ipvs.Service, err error) {
	if !wide {
		services, err := r.table.Services(ctx)
		for _, s := range services {
			if _, known := r.place[s.ServiceID]; !known {
				lacking = append(lacking, s.Service)
			}
		}
		return lacking, err
	}
	now, err := r.table.Overview(ctx)
	for _, e := range now.Services {
		if r.lacks(e) {
			lacking = append(lacking, e.Service)
		}
	}
	return lacking, err
}

// lacks tells whether a service must be read, or read again: it lacks a server that
// is there now, and was at the look before. Once it does not it is whole.
func (r *reading) lacks(e ipvs.Entry) bool {
	i, known := r.place[e.ServiceID]
	if !known {
		r.before[e.ServiceID] = addresses(e.Servers)
		return true
	}
	before, again := r.before[e.ServiceID]
	if i == gone || again && before == nil || max(len(e.Servers), len(r.rules.Services[i].Servers)) <= onePiece {
		return false
	}
	now := addresses(e.Servers)
	must := now
	if again {
		must = slices.DeleteFunc(slices.Clone(now), func(a netip.AddrPort) bool {
			_, was := slices.BinarySearchFunc(before, a, netip.AddrPort.Compare)
			return !was
		})
	}
	lacks := !has(r.rules.Services[i].Servers, must)
	if !lacks {
		now = nil
	}
	r.before[e.ServiceID] = now
	return lacks
}

// again reads the servers of a service anew.
func (r *reading) again(ctx context.Context, s ipvs.Service) error {
	states, err := r.table.Servers(ctx, s.ServiceID)
	if err != nil {
		return err
	}
	i, known := r.place[s.ServiceID]
	if len(states) == 0 { // there are none, or the service is gone
		switch _, err := r.table.Service(ctx, s.ServiceID); {
		case errors.Is(err, ipvs.ErrNoService):
			if !known {
				r.place[s.ServiceID] = gone
			}
			return nil
		case err != nil:
			return err
		}
	}
	var servers []ipvs.Server // nil for none, so that rules compare
	for j := range states {
		servers = append(servers, states[j].Server)
	}
	if !known {
		i = len(r.rules.Services)
		r.place[s.ServiceID] = i
		r.rules.Services = append(r.rules.Services, ipvs.ServiceRules{})
	}
	one := ipvs.Rules{Services: []ipvs.ServiceRules{{Service: s, Servers: servers}}}
	one.Sort()
	one.Services[0].Servers = once(one.Services[0].Servers)
	r.rules.Services[i] = one.Services[0]
	return nil
}

// once leaves each server in a sorted list once.
func once(servers []ipvs.Server) []ipvs.Server {
	return slices.CompactFunc(servers, func(a, b ipvs.Server) bool { return a.Addr == b.Addr })
}

// addresses are those of servers, sorted.
func addresses(servers []ipvs.ServerState) []netip.AddrPort {
	all := make([]netip.AddrPort, len(servers))
	for i := range servers {
		all[len(all)-1-i] = servers[i].Addr // the newest come first
	}
	slices.SortFunc(all, netip.AddrPort.Compare)
	return all
}

// has tells whether a sorted list of servers has all of some sorted addresses.
func has(servers []ipvs.Server, all []netip.AddrPort) bool {
	for _, s := range servers {
		if len(all) > 0 && s.Addr == all[0] {
			all = all[1:]
		}
	}
	return len(all) == 0
}

package check

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"lvsdeck/ipvs"
)

// removed: connections with servers that are not listed any more. A service is told
// of once, and of many services that have gone all at once.
func removed(s *Scene) (all []Finding) {
	const name = "expire_nodest_conn"
	if s.Loads == nil || s.sysctl(name) != "0" {
		return nil
	}
	hanging := map[ipvs.ServiceID]map[netip.AddrPort]uint64{}
	tell := func(id ipvs.ServiceID, server netip.AddrPort, n uint64) {
		if hanging[id] == nil {
			hanging[id] = map[netip.AddrPort]uint64{}
		}
		hanging[id][server] += n
	}
	unlisted := map[ipvs.ServiceID]bool{}
	for at, n := range s.Loads.Gone {
		if n.Open > 0 && !listed(s.Sample, Place{Service: at.Service}) {
			unlisted[at.Service] = true
		}
	}
	for at, n := range s.Loads.Gone {
		switch {
		case n.Open == 0 || at.Server.IsValid() && listed(s.Sample, at): // it was added again since
		case unlisted[at.Service] && len(unlisted) > fewUnlisted:
			tell(ipvs.ServiceID{}, netip.AddrPort{}, n.Open)
		default:
			tell(at.Service, at.Server, n.Open)
		}
	}
	for id, servers := range hanging {
		f := Finding{
			Severity: Warning, Service: id, Short: "connections hang on servers that were removed",
			Means: "Their packets are dropped in silence: clients wait until they give up.",
			Fix:   fix("", s.set(name, "1", "The next packet ends such a connection.")),
		}
		var sum uint64
		for server, n := range servers {
			sum, f.Server = sum+n, server
		}
		with := fmt.Sprintf("%d servers", len(servers))
		switch _, many := servers[netip.AddrPort{}]; {
		case id == (ipvs.ServiceID{}):
			f.Short, with = "connections hang on services that were removed", "servers of many services"
		case many:
			f.Server, with = netip.AddrPort{}, "many servers"
		case len(servers) == 1:
			f.Short, with = "connections hang on a server that was removed", "a server"
		default:
			f.Server = netip.AddrPort{}
		}
		f.Evidence = []string{fmt.Sprintf("%d established connections with %s that the table does not list%s", sum, with, s.Loads.partly())}
		if !f.Server.IsValid() {
			f.Evidence = append(f.Evidence, busiest(servers)...)
		}
		f.Evidence = append(f.Evidence, "net.ipv4.vs."+name+" is 0")
		all = append(all, f)
	}
	return all
}

// fewUnlisted are as many removed services as are told one by one.
const fewUnlisted = 8

// busiest names some of the servers with the most connections.
func busiest(servers map[netip.AddrPort]uint64) (lines []string) {
	most := slices.SortedFunc(maps.Keys(servers), func(a, b netip.AddrPort) int {
		return cmp.Or(cmp.Compare(servers[b], servers[a]), a.Compare(b))
	})
	for _, server := range most[:min(3, len(most))] {
		if server.IsValid() {
			lines = append(lines, fmt.Sprintf("%d of them with %s", servers[server], server))
		}
	}
	return lines
}

package ipvs

import (
	"cmp"
	"slices"
)

// Rules is what a table is told, without anything it counts: what is saved,
// restored and compared. Timeouts and Daemons belong to it; sysctls do not.
type Rules struct {
	Services []ServiceRules
	Timeouts *Timeouts // nil: not known, or not said
	Daemons  []Daemon
}

// ServiceRules is one service with its servers.
type ServiceRules struct {
	Service
	Servers []Server
}

// Sort puts services, servers and daemons into their one order.
func (r *Rules) Sort() {
	slices.SortFunc(r.Services, byID)
	for i := range r.Services {
		servers := r.Services[i].Servers
		if n := len(servers); n > 1 && servers[0].Addr.Compare(servers[n-1].Addr) > 0 {
			slices.Reverse(servers) // the newest first, as the kernel lists them
		}
		if !inOrder(servers) {
			slices.SortFunc(servers, func(a, b Server) int { return a.Addr.Compare(b.Addr) })
		}
	}
	slices.SortFunc(r.Daemons, byRole)
}

// Sorted tells whether all is in that order.
func (r *Rules) Sorted() bool {
	unsorted := func(s ServiceRules) bool { return !inOrder(s.Servers) }
	return slices.IsSortedFunc(r.Services, byID) && !slices.ContainsFunc(r.Services, unsorted) && slices.IsSortedFunc(r.Daemons, byRole)
}

func byID(a, b ServiceRules) int { return a.ServiceID.Compare(b.ServiceID) }
func byRole(a, b Daemon) int     { return cmp.Compare(a.Role, b.Role) }

// inOrder tells whether servers are sorted, as nearly all are, without copying them
// as SortFunc would.
func inOrder(servers []Server) bool {
	for i := 1; i < len(servers); i++ {
		if servers[i-1].Addr.Compare(servers[i].Addr) > 0 {
			return false
		}
	}
	return true
}

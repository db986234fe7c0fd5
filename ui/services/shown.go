package services

import "lvsdeck/ops"

// Shown is every service that is shown, on screen or off, open or closed, in order,
// and of each the servers that are shown. The sample's own are not touched.
func (l *List) Shown() []*ops.Service {
	all := make([]*ops.Service, len(l.groups))
	for i, g := range l.groups {
		if !l.searching() {
			g.servers, g.sorted = g.svc.Servers, false
		}
		one := *g.svc
		one.Servers = l.ordered(&g)
		all[i] = &one
	}
	return all
}

package services

import (
	"slices"

	"lvsdeck/ops"
)

// Aim has commands act on one row of the table, whatever the cursor is on and
// whatever is marked or shown: a screen above the list has a cursor of its own.
// Nil ends it.
func (l *List) Aim(k *Key) { l.aim = k }

// Find is a row of the table, shown or not.
func (l *List) Find(k Key) (row Row, ok bool) {
	if l.sample == nil {
		return row, false
	}
	i := slices.IndexFunc(l.sample.Services, func(s *ops.Service) bool { return s.ServiceID == k.Service })
	if i < 0 {
		return row, false
	}
	row.Service = l.sample.Services[i]
	if k.Server.IsValid() {
		j := slices.IndexFunc(row.Service.Servers, func(r *ops.Server) bool { return r.Addr == k.Server })
		if j < 0 {
			return row, false
		}
		row.Server = row.Service.Servers[j]
	}
	row.Label, row.Found, row.Crossed = l.labels.service(row.Service).label(row.Server), l.worst[k], l.crossed[k]
	return row, true
}

package plan

import (
	"cmp"
	"slices"

	"lvsdeck/ipvs"
)

// Restore makes the plan from what runs to what is wanted. It touches only what
// differs, so that connections and counters of all other rows stay; equal rules
// give an empty plan. With merge nothing is removed. Neither side need be
// sorted; wanted timeouts that are nil or 0 stay as they run.
//
// The order keeps clients served: what is new comes before what is old goes.
// Daemons stop first and start last, because the kernel refuses servers of
// another family than their service's while one runs.
func Restore(running, wanted ipvs.Rules, merge bool) Plan {
	d := diff{merge: merge}
	d.daemons(running.Daemons, wanted.Daemons)
	d.services(running.Services, wanted.Services)
	d.timeouts(running.Timeouts, wanted.Timeouts)
	return Plan{
		Title: "restore rules",
		Items: slices.Concat(d.stops, d.edits, d.adds, d.changes, d.removes, d.settings, d.starts),
	}
}

// diff collects steps by the time at which they come.
type diff struct {
	merge bool

	stops    []Item // daemons
	edits    []Item // services
	adds     []Item // services, each followed by its servers, and servers
	changes  []Item // servers
	removes  []Item // servers and services
	settings []Item
	starts   []Item // daemons
}

func (d *diff) services(running, wanted []ipvs.ServiceRules) {
	runs := make(map[ipvs.ServiceID]*ipvs.ServiceRules, len(running))
	for i := range running {
		runs[running[i].ServiceID] = &running[i]
	}
	d.adds = make([]Item, 0, max(0, total(wanted)-total(running)))
	for i := range wanted {
		want := &wanted[i]
		now := runs[want.ServiceID]
		delete(runs, want.ServiceID)
		if now == nil {
			d.adds = append(d.adds, Item{Step: ChangeService{After: &want.Service}, Reason: "The service is wanted and not there."})
			now = &ipvs.ServiceRules{}
		} else if now.Service != want.Service {
			d.edits = append(d.edits, Item{
				Step:   ChangeService{Before: &now.Service, After: &want.Service},
				Reason: "The service runs with other settings.",
			})
		}
		d.servers(want.ServiceID, now.Servers, want.Servers)
	}
	if d.merge {
		return
	}
	for i := range running {
		if s := &running[i]; runs[s.ServiceID] != nil {
			d.removes = append(d.removes, Item{
				Step:   ChangeService{Before: &s.Service, Servers: s.Servers},
				Reason: "The service runs and is not wanted.",
			})
		}
	}
}

// total counts services and servers.
func total(services []ipvs.ServiceRules) int {
	n := len(services)
	for i := range services {
		n += len(services[i].Servers)
	}
	return n
}

func (d *diff) servers(id ipvs.ServiceID, running, wanted []ipvs.Server) {
	for i := range wanted {
		want := &wanted[i]
		now := findServer(running, want)
		switch {
		case now == nil:
			d.adds = append(d.adds, Item{Step: ChangeServer{Service: id, After: want}, Reason: "The server is wanted and not there."})
		case *now != *want:
			d.changes = append(d.changes, Item{
				Step:   ChangeServer{Service: id, Before: now, After: want},
				Reason: "The server runs with other settings.",
			})
		}
	}
	if d.merge {
		return
	}
	for i := range running {
		if now := &running[i]; findServer(wanted, now) == nil {
			d.removes = append(d.removes, Item{
				Step:   ChangeServer{Service: id, Before: now},
				Reason: "The server runs and is not wanted.",
			})
		}
	}
}

// findServer finds the server of an address. A service seldom has more than
// some dozens, so an index would cost more than it saves.
func findServer(all []ipvs.Server, s *ipvs.Server) *ipvs.Server {
	for i := range all {
		if all[i].Addr == s.Addr {
			return &all[i]
		}
	}
	return nil
}

func (d *diff) timeouts(running, wanted *ipvs.Timeouts) {
	if running == nil || wanted == nil {
		return
	}
	after := ipvs.Timeouts{
		TCP:    cmp.Or(wanted.TCP, running.TCP),
		TCPFin: cmp.Or(wanted.TCPFin, running.TCPFin),
		UDP:    cmp.Or(wanted.UDP, running.UDP),
	}
	if after != *running {
		d.settings = append(d.settings, Item{Step: ChangeTimeouts{*running, after}, Reason: "Other timeouts are wanted."})
	}
}

func (d *diff) daemons(running, wanted []ipvs.Daemon) {
	for _, role := range []ipvs.DaemonRole{ipvs.Master, ipvs.Backup} {
		now, want := findDaemon(running, role), findDaemon(wanted, role)
		if sameDaemon(now, want) {
			continue
		}
		if now != nil && (want != nil || !d.merge) {
			d.stops = append(d.stops, Item{Step: ChangeDaemon{Before: now}, Reason: "The daemon runs and is not wanted so."})
		}
		if want != nil {
			d.starts = append(d.starts, Item{Step: ChangeDaemon{After: want}, Reason: "The daemon is wanted and does not run so."})
		}
	}
}

func findDaemon(all []ipvs.Daemon, role ipvs.DaemonRole) *ipvs.Daemon {
	for i := range all {
		if all[i].Role == role {
			return &all[i]
		}
	}
	return nil
}

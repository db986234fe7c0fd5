package plan

import (
	"context"
	"errors"

	"lvsdeck/ipvs"
)

// Row is a real server of a service, with all its settings, as the operator
// sees it. A plan refuses it when it has changed since.
type Row struct {
	Service ipvs.ServiceID
	Server  ipvs.Server
}

// ReadRow reads all settings of a server, for a row of which only a part is
// known (Partial): an edit replaces everything.
func ReadRow(ctx context.Context, t ipvs.Table, id ipvs.ServiceID, s ipvs.Server) (Row, error) {
	now, err := ChangeServer{Service: id, After: &s}.find(ctx, Target{Table: t})
	if err == nil && now == nil {
		err = &ipvs.Error{Op: ipvs.OpGetServers, Target: ipvs.ServerTarget(id, s), Kind: ipvs.ErrNoServer}
	}
	if err != nil {
		return Row{}, err
	}
	return Row{id, *now}, nil
}

// ReadService reads a service with its servers.
func ReadService(ctx context.Context, t ipvs.Table, id ipvs.ServiceID) (ipvs.ServiceRules, error) {
	s := ipvs.NewService(id)
	now, servers, err := ChangeService{After: &s}.find(ctx, Target{Table: t})
	if err == nil && now == nil {
		err = &ipvs.Error{Op: ipvs.OpGetService, Target: id.String(), Kind: ipvs.ErrNoService}
	}
	if err != nil {
		return ipvs.ServiceRules{}, err
	}
	return ipvs.ServiceRules{Service: *now, Servers: servers}, nil
}

// titled names a plan by its only step, or by what it does to how many.
func titled(verb, one string, items []Item) Plan {
	if len(items) == 1 {
		return Plan{Title: items[0].Step.String(), Items: items}
	}
	return Plan{Title: verb + " " + count(len(items), one), Items: items}
}

// weigh gives rows the weights of a function; rows that have theirs are left out.
func weigh(rows []Row, verb, reason string, weight func(Row) uint32) Plan {
	var items []Item
	for _, r := range rows {
		after := r.Server
		if after.Weight = min(weight(r), ipvs.MaxWeight); after != r.Server {
			items = append(items, Item{Step: ChangeServer{r.Service, &r.Server, &after}, Reason: reason})
		}
	}
	return titled(verb, "server", items)
}

// SetWeight gives servers a weight.
func SetWeight(rows []Row, weight uint32) Plan {
	return weigh(rows, "weigh", "The weight is the server's share of new connections.",
		func(Row) uint32 { return weight })
}

// AddWeight gives servers more weight or less, not below 0.
func AddWeight(rows []Row, delta int) Plan {
	return weigh(rows, "weigh", "The weight is the server's share of new connections.",
		func(r Row) uint32 { return uint32(min(max(int64(r.Server.Weight)+int64(delta), 0), ipvs.MaxWeight)) })
}

// Drain gives servers weight 0.
func Drain(rows []Row) Plan {
	return weigh(rows, "drain", "The server gets no new connections; those it has may end.",
		func(Row) uint32 { return 0 })
}

// Undrain gives drained servers the weight they had, as weight tells it.
func Undrain(rows []Row, weight func(Row) uint32) Plan {
	return weigh(rows, "undrain", "The server gets new connections again.", weight)
}

// AddServers adds servers to a service.
func AddServers(rows []Row) Plan {
	var items []Item
	for _, r := range rows {
		items = append(items, Item{Step: ChangeServer{Service: r.Service, After: &r.Server}, Reason: whyAdd(r.Server)})
	}
	return titled("add", "server", items)
}

func whyAdd(s ipvs.Server) string {
	if s.Weight == 0 {
		return "With weight 0 the server gets no connections until it has a weight."
	}
	return "The server gets its share of new connections."
}

// EditServer replaces all settings of a server but its address.
func EditServer(before Row, after ipvs.Server) (Plan, error) {
	if after.Addr != before.Server.Addr {
		return Plan{}, errors.New("a server's address is its identity: add the new server, then remove the old one")
	}
	var items []Item
	if after != before.Server {
		items = []Item{{
			Step:   ChangeServer{before.Service, &before.Server, &after},
			Reason: "Settings change; connections and counters stay.",
		}}
	}
	return titled("edit", "server", items), nil
}

// RemoveServers removes servers at once.
func RemoveServers(rows []Row) Plan {
	var items []Item
	for _, r := range rows {
		items = append(items, Item{Step: ChangeServer{Service: r.Service, Before: &r.Server}, Reason: "The server leaves at once; connections it has break off, drain it to spare them."})
	}
	return titled("remove", "server", items)
}

// AddService adds a service and its servers, in steps of their own.
func AddService(s ipvs.ServiceRules) Plan {
	items := []Item{{Step: ChangeService{After: &s.Service}, Reason: "The director takes connections to it."}}
	for _, rs := range s.Servers {
		items = append(items, Item{Step: ChangeServer{Service: s.ServiceID, After: &rs}, Reason: whyAdd(rs)})
	}
	return Plan{Title: newService(s).String(), Items: items}
}

// EditService replaces all settings of a service but its address.
func EditService(before, after ipvs.Service) (Plan, error) {
	if after.ServiceID != before.ServiceID {
		return Plan{}, errors.New("a service's address is its identity: add the new service, then remove the old one")
	}
	var items []Item
	if after != before {
		items = []Item{{Step: ChangeService{Before: &before, After: &after}, Reason: "Settings change; servers, connections and counters stay."}}
	}
	return titled("edit", "service", items), nil
}

// RemoveServices removes services with their servers.
func RemoveServices(services []ipvs.ServiceRules) Plan {
	var items []Item
	for _, s := range services {
		items = append(items, Item{Step: ChangeService{Before: &s.Service, Servers: s.Servers}, Reason: "The director no longer takes connections to it; those it has break off."})
	}
	return titled("remove", "service", items)
}

// Zero sets counters to 0: those of services, or with none named all there are.
func Zero(ids ...ipvs.ServiceID) Plan {
	const reason = "Counting begins anew; rules and connections stay."
	if len(ids) == 0 {
		return titled("", "", []Item{{Step: ZeroCounters{}, Reason: reason}})
	}
	var items []Item
	for _, id := range ids {
		items = append(items, Item{Step: ZeroCounters{&id}, Reason: reason})
	}
	return titled("zero the counters of", "service", items)
}

// Flush removes every service.
func Flush(running ipvs.Rules) Plan {
	if len(running.Services) == 0 {
		return Plan{Title: "clear the whole table"}
	}
	return titled("", "", []Item{{Step: FlushTable{Services: running.Services}, Reason: "The director balances nothing any more; timeouts and daemons stay."}})
}

// SetTimeouts sets the timeouts that are not 0.
func SetTimeouts(running, wanted ipvs.Timeouts) Plan {
	var d diff
	d.timeouts(&running, &wanted)
	return titled("set", "timeout", d.settings)
}

// StartDaemon starts a sync daemon; with one of its role running, that is
// stopped before.
func StartDaemon(running []ipvs.Daemon, wanted ipvs.Daemon) Plan {
	d := diff{merge: true}
	d.daemons(running, []ipvs.Daemon{wanted})
	p := titled("restart", "daemon", append(d.stops, d.starts...))
	if len(p.Items) > 1 {
		p.Title = "restart the " + wanted.Role.String() + " sync daemon"
	}
	return p
}

// StopDaemon stops a sync daemon.
func StopDaemon(running ipvs.Daemon) Plan {
	return titled("", "", []Item{{Step: ChangeDaemon{Before: &running}, Reason: "Connections are no longer told to, or learnt from, the other director."}})
}

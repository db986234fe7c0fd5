package persist

import (
	"context"
	"errors"

	"lvsdeck/ipvs"
)

// ReadRules reads what a table is told, in its one order. While others change
// the table, a service that goes during the reading is left out.
func ReadRules(ctx context.Context, t ipvs.Table) (ipvs.Rules, error) {
	var rules ipvs.Rules
	services, err := t.Services(ctx)
	if err != nil {
		return rules, err
	}
	rules.Services = make([]ipvs.ServiceRules, 0, len(services))
	for _, s := range services {
		servers, err := readServers(ctx, t, s.ServiceID)
		if errors.Is(err, ipvs.ErrNoService) {
			continue
		}
		if err != nil {
			return ipvs.Rules{}, err
		}
		rules.Services = append(rules.Services, ipvs.ServiceRules{Service: s.Service, Servers: servers})
	}
	timeouts, err := t.Timeouts(ctx)
	if err != nil {
		return ipvs.Rules{}, err
	}
	rules.Timeouts = &timeouts
	if rules.Daemons, err = t.Daemons(ctx); err != nil {
		return ipvs.Rules{}, err
	}
	rules.Sort()
	return rules, nil
}

// readServers gives nil for none, so that rules compare.
func readServers(ctx context.Context, t ipvs.Table, id ipvs.ServiceID) ([]ipvs.Server, error) {
	states, err := t.Servers(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(states) == 0 { // there are none, or their service is gone
		_, err = t.Service(ctx, id)
		return nil, err
	}
	servers := make([]ipvs.Server, len(states))
	for i := range states {
		servers[i] = states[i].Server
	}
	return servers, nil
}

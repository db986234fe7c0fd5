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
	view, err := t.Overview(ctx)
	if err != nil {
		return rules, err
	}
	rules.Services = make([]ipvs.ServiceRules, 0, len(view.Services))
	for i := range view.Services {
		e := &view.Services[i]
		if e.Partial {
			return ipvs.Rules{}, ipvs.ErrPermission // else settings would be lost unseen
		}
		servers, err := readServers(ctx, t, e)
		if errors.Is(err, ipvs.ErrNoService) {
			continue
		}
		if err != nil {
			return ipvs.Rules{}, err
		}
		rules.Services = append(rules.Services, ipvs.ServiceRules{Service: e.Service, Servers: servers})
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
func readServers(ctx context.Context, t ipvs.Table, e *ipvs.Entry) ([]ipvs.Server, error) {
	states, err := t.Servers(ctx, e.ServiceID)
	if err != nil {
		return nil, err
	}
	if len(states) == 0 {
		if len(e.Servers) > 0 { // all of them gone, or their service
			_, err = t.Service(ctx, e.ServiceID)
		}
		return nil, err
	}
	servers := make([]ipvs.Server, len(states))
	for i := range states {
		servers[i] = states[i].Server
	}
	return servers, nil
}

package memory

import (
	"context"
	"slices"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
)

// Limits are none.
func (t *Table) Limits() ipvs.Limits { return ipvs.Limits{} }

// Info tells version, size and whether the estimator is off.
func (t *Table) Info(ctx context.Context) (ipvs.Info, error) {
	if err := t.enter(ctx, ipvs.OpInfo); err != nil {
		return ipvs.Info{}, err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.info, nil
}

// Overview gives the whole table, newest service and server first, as the
// kernel lists servers. What /proc does not show of a server is left out here too.
func (t *Table) Overview(ctx context.Context) (ipvs.Overview, error) {
	if err := t.enter(ctx, ipvs.OpList); err != nil {
		return ipvs.Overview{}, err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	view := ipvs.Overview{
		Services:    make([]ipvs.Entry, 0, len(t.services)),
		Stats:       t.stats,
		LivePackets: t.live,
	}
	servers := 0
	for _, svc := range t.services {
		servers += len(svc.servers)
	}
	all := make([]ipvs.ServerState, 0, servers)
	for _, svc := range slices.Backward(t.services) {
		first := len(all)
		for i := len(svc.servers) - 1; i >= 0; i-- {
			all = append(all, partial(&svc.servers[i]))
		}
		view.Services = append(view.Services, ipvs.Entry{
			ServiceState: ipvs.ServiceState{Service: svc.Service, Stats: svc.stats},
			Servers:      all[first:len(all):len(all)],
		})
	}
	return view, nil
}

// partial is a server as /proc/net/ip_vs shows it.
func partial(s *ipvs.ServerState) ipvs.ServerState {
	return ipvs.ServerState{
		Server:   ipvs.Server{Addr: s.Addr, Forward: s.Forward, Weight: s.Weight},
		Active:   s.Active,
		Inactive: s.Inactive,
		Partial:  true,
	}
}

// Services gives every service.
func (t *Table) Services(ctx context.Context) ([]ipvs.ServiceState, error) {
	if err := t.enter(ctx, ipvs.OpList); err != nil {
		return nil, err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	all := make([]ipvs.ServiceState, len(t.services))
	for i, svc := range t.services {
		all[i] = ipvs.ServiceState{Service: svc.Service, Stats: svc.stats}
	}
	return all, nil
}

// Rules gives every service with its servers, newest first, as the kernel lists
// servers.
func (t *Table) Rules(ctx context.Context) ([]ipvs.ServiceRules, error) {
	if err := t.enter(ctx, ipvs.OpList); err != nil {
		return nil, err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	all := make([]ipvs.ServiceRules, len(t.services))
	for i, svc := range t.services {
		all[i].Service = svc.Service
		for _, s := range slices.Backward(svc.servers) {
			all[i].Servers = append(all[i].Servers, s.Server)
		}
	}
	return all, nil
}

// Service gives one service.
func (t *Table) Service(ctx context.Context, id ipvs.ServiceID) (ipvs.ServiceState, error) {
	if err := t.enter(ctx, ipvs.OpGetService); err != nil {
		return ipvs.ServiceState{}, err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	svc := t.byID[id]
	if svc == nil {
		return ipvs.ServiceState{}, ipvs.Refused(ipvs.OpGetService, id.String(), unix.ESRCH)
	}
	return ipvs.ServiceState{Service: svc.Service, Stats: svc.stats}, nil
}

// Servers gives a service's servers, newest first, or none for a service that
// is not there.
func (t *Table) Servers(ctx context.Context, id ipvs.ServiceID) ([]ipvs.ServerState, error) {
	if err := t.enter(ctx, ipvs.OpGetServers); err != nil {
		return nil, err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	svc := t.byID[id]
	if svc == nil {
		return nil, nil
	}
	servers := slices.Clone(svc.servers)
	slices.Reverse(servers)
	return servers, nil
}

// Timeouts gives the connection timeouts.
func (t *Table) Timeouts(ctx context.Context) (ipvs.Timeouts, error) {
	if err := t.enter(ctx, ipvs.OpGetTimeouts); err != nil {
		return ipvs.Timeouts{}, err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.timeouts, nil
}

// Daemons gives the sync daemons that run.
func (t *Table) Daemons(ctx context.Context) ([]ipvs.Daemon, error) {
	if err := t.enter(ctx, ipvs.OpGetDaemons); err != nil {
		return nil, err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Clone(t.daemons), nil
}

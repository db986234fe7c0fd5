// Package absent is the table of a host that has no IPVS, such as most real
// servers: empty, and no change is possible. It is for plans that change only the
// host, and keep a snapshot of the table all the same.
//
// Out of scope: to find out whether a host has IPVS.
package absent

import (
	"context"

	"lvsdeck/ipvs"
)

// Table has nothing. Every change, and every question about one service, answers
// ipvs.ErrUnavailable.
type Table struct{}

var _ ipvs.Table = Table{}

// Limits implements ipvs.Reader.
func (Table) Limits() ipvs.Limits {
	return ipvs.Limits{ReadOnly: true, Why: "this host has no IPVS"}
}

// Info implements ipvs.Reader.
func (Table) Info(context.Context) (ipvs.Info, error) { return ipvs.Info{}, ipvs.ErrUnavailable }

// Overview implements ipvs.Reader.
func (Table) Overview(context.Context) (ipvs.Overview, error) {
	return ipvs.Overview{}, ipvs.ErrUnavailable
}

// Servers implements ipvs.Reader.
func (Table) Servers(context.Context, ipvs.ServiceID) ([]ipvs.ServerState, error) { return nil, nil }

// Timeouts implements ipvs.Reader.
func (Table) Timeouts(context.Context) (ipvs.Timeouts, error) { return ipvs.Timeouts{}, nil }

// Daemons implements ipvs.Reader.
func (Table) Daemons(context.Context) ([]ipvs.Daemon, error) { return nil, nil }

// Close implements ipvs.Reader.
func (Table) Close() error { return nil }

// Services implements ipvs.Table.
func (Table) Services(context.Context) ([]ipvs.ServiceState, error) { return nil, nil }

// Rules implements ipvs.Table.
func (Table) Rules(context.Context) ([]ipvs.ServiceRules, error) { return nil, nil }

// Service implements ipvs.Table.
func (Table) Service(context.Context, ipvs.ServiceID) (ipvs.ServiceState, error) {
	return ipvs.ServiceState{}, ipvs.ErrUnavailable
}

// AddService implements ipvs.Table.
func (Table) AddService(context.Context, ipvs.Service) error { return ipvs.ErrUnavailable }

// SetService implements ipvs.Table.
func (Table) SetService(context.Context, ipvs.Service) error { return ipvs.ErrUnavailable }

// DeleteService implements ipvs.Table.
func (Table) DeleteService(context.Context, ipvs.ServiceID) error { return ipvs.ErrUnavailable }

// AddServer implements ipvs.Table.
func (Table) AddServer(context.Context, ipvs.ServiceID, ipvs.Server) error {
	return ipvs.ErrUnavailable
}

// SetServer implements ipvs.Table.
func (Table) SetServer(context.Context, ipvs.ServiceID, ipvs.Server) error {
	return ipvs.ErrUnavailable
}

// DeleteServer implements ipvs.Table.
func (Table) DeleteServer(context.Context, ipvs.ServiceID, ipvs.Server) error {
	return ipvs.ErrUnavailable
}

// Apply implements ipvs.Table.
func (Table) Apply(_ context.Context, changes []ipvs.Change) []error {
	errs := make([]error, len(changes))
	for i := range errs {
		errs[i] = ipvs.ErrUnavailable
	}
	return errs
}

// Zero implements ipvs.Table.
func (Table) Zero(context.Context, ipvs.ServiceID) error { return ipvs.ErrUnavailable }

// ZeroAll implements ipvs.Table.
func (Table) ZeroAll(context.Context) error { return ipvs.ErrUnavailable }

// Flush implements ipvs.Table.
func (Table) Flush(context.Context) error { return ipvs.ErrUnavailable }

// SetTimeouts implements ipvs.Table.
func (Table) SetTimeouts(context.Context, ipvs.Timeouts) error { return ipvs.ErrUnavailable }

// StartDaemon implements ipvs.Table.
func (Table) StartDaemon(context.Context, ipvs.Daemon) error { return ipvs.ErrUnavailable }

// StopDaemon implements ipvs.Table.
func (Table) StopDaemon(context.Context, ipvs.Daemon) error { return ipvs.ErrUnavailable }

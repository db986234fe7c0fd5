package ipvs

import "context"

// Limits says what a Reader cannot do or show, in words for the operator.
type Limits struct {
	ReadOnly bool
	Why      string   // why it is read-only: "no CAP_NET_ADMIN"
	Missing  []string // what it cannot show: "rates of services", …
}

// Reader looks at a table. Implementations are safe for concurrent use, return
// by the context's deadline, and give errors as the Err values of this package.
type Reader interface {
	Limits() Limits
	Info(context.Context) (Info, error)

	// Overview costs one read of /proc/net/ip_vs and one service dump. Its
	// servers are Partial.
	Overview(context.Context) (Overview, error)

	// Servers gives one service's servers with all their figures. Like the
	// kernel, it gives an empty list and no error for a service that is not
	// there.
	Servers(context.Context, ServiceID) ([]ServerState, error)

	Timeouts(context.Context) (Timeouts, error)
	Daemons(context.Context) ([]Daemon, error)
	Close() error
}

// Table reads and changes a table. Every change is whole: Set replaces all
// settings of a service or server, never merges.
type Table interface {
	Reader

	// Services gives every service once, in no promised order, without servers.
	Services(context.Context) ([]ServiceState, error)

	// Rules gives every service once with its servers, without figures, in no
	// promised order. While others change the table, a service that goes
	// meanwhile is left out or there as it was.
	Rules(context.Context) ([]ServiceRules, error)

	// Service gives one service, or ErrNoService.
	Service(context.Context, ServiceID) (ServiceState, error)
	AddService(context.Context, Service) error
	SetService(context.Context, Service) error
	DeleteService(context.Context, ServiceID) error // and its servers

	AddServer(context.Context, ServiceID, Server) error
	SetServer(context.Context, ServiceID, Server) error
	DeleteServer(context.Context, ServiceID, Server) error

	// Apply makes changes in their order and tells what came of each: nil, or
	// the error that its own method would give. One that is refused keeps none
	// of the others from being made. Many at once cost a fraction of as many
	// calls.
	Apply(context.Context, []Change) []error

	// Zero sets the counters of one service and its servers to 0; ZeroAll
	// those of all, and the totals.
	Zero(context.Context, ServiceID) error
	ZeroAll(context.Context) error
	Flush(context.Context) error // delete every service

	SetTimeouts(context.Context, Timeouts) error
	StartDaemon(context.Context, Daemon) error
	StopDaemon(context.Context, Daemon) error // Role and SyncID name it
}

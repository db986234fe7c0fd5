package memory

import (
	"context"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
)

var _ ipvs.Table = (*Table)(nil)

// Table is a virtual server table in memory. It is safe for concurrent use.
type Table struct {
	mu        sync.RWMutex
	info      ipvs.Info
	estimator Estimator
	services  []*service // oldest first
	byID      map[ipvs.ServiceID]*service
	stats     ipvs.Stats
	live      uint64 // packets, whether the estimator runs or not
	timeouts  ipvs.Timeouts
	daemons   []ipvs.Daemon
	links     []string // network interfaces a sync daemon can use

	fault faultBox
}

type service struct {
	ipvs.Service
	stats   ipvs.Stats
	servers []ipvs.ServerState // oldest first
}

// New gives an empty table with the defaults of a fresh kernel and the network
// interfaces lo and eth0.
func New() *Table {
	return &Table{
		info:     ipvs.Info{Version: 0x010201, TableSize: 4096},
		byID:     map[ipvs.ServiceID]*service{},
		timeouts: ipvs.Timeouts{TCP: 900, TCPFin: 120, UDP: 300},
		links:    []string{"lo", "eth0"},
	}
}

// Resize gives the table of connections another number of buckets, as loading the
// module with conn_tab_bits does.
func (t *Table) Resize(buckets uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.info.TableSize = buckets
}

// change runs one changing call under the lock; do answers with an errno, or 0.
func (t *Table) change(ctx context.Context, op ipvs.Op, target string, do func() syscall.Errno) error {
	if err := t.enter(ctx, op); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if errno := do(); errno != 0 {
		return ipvs.Refused(op, target, errno)
	}
	return nil
}

// Close does nothing: there is nothing to let go.
func (t *Table) Close() error { return nil }

// AddService adds a service without servers.
func (t *Table) AddService(ctx context.Context, s ipvs.Service) error {
	return t.change(ctx, ipvs.OpAddService, s.ServiceID.String(), func() syscall.Errno {
		if !validFamily(s.Family) {
			return unix.EAFNOSUPPORT
		}
		if t.byID[s.ServiceID] != nil {
			return unix.EEXIST
		}
		if errno := checkService(s); errno != 0 {
			return errno
		}
		added := &service{Service: s}
		t.byID[s.ServiceID] = added
		t.services = append(t.services, added)
		return 0
	})
}

// SetService replaces a service's settings; counters and servers stay.
func (t *Table) SetService(ctx context.Context, s ipvs.Service) error {
	return t.onService(ctx, ipvs.OpSetService, s.ServiceID, s.ServiceID.String(), func(old *service) syscall.Errno {
		if errno := checkService(s); errno != 0 {
			return errno
		}
		old.Service = s
		return 0
	})
}

// DeleteService removes a service and its servers.
func (t *Table) DeleteService(ctx context.Context, id ipvs.ServiceID) error {
	return t.onService(ctx, ipvs.OpDeleteService, id, id.String(), func(old *service) syscall.Errno {
		delete(t.byID, id)
		t.services = slices.DeleteFunc(t.services, func(s *service) bool { return s == old })
		t.dropRates(old.servers...)
		return 0
	})
}

// Flush removes every service. The totals of the table stay, as in the kernel.
func (t *Table) Flush(ctx context.Context) error {
	return t.change(ctx, ipvs.OpFlush, "", func() syscall.Errno {
		clear(t.byID)
		t.services = nil
		t.stats.Rate = ipvs.Traffic{}
		return 0
	})
}

// AddServer adds a real server to a service.
func (t *Table) AddServer(ctx context.Context, id ipvs.ServiceID, s ipvs.Server) error {
	return t.onService(ctx, ipvs.OpAddServer, id, ipvs.ServerTarget(id, s), func(svc *service) syscall.Errno {
		if errno := t.checkServer(svc, s); errno != 0 {
			return errno
		}
		if svc.find(s) >= 0 {
			return unix.EEXIST
		}
		if !unicast(s.Addr.Addr()) { // the kernel asks this last, and only of a new server
			return unix.EINVAL
		}
		svc.servers = append(svc.servers, ipvs.ServerState{Server: s})
		return 0
	})
}

// SetServer replaces a real server's settings; counters and connections stay.
func (t *Table) SetServer(ctx context.Context, id ipvs.ServiceID, s ipvs.Server) error {
	return t.onService(ctx, ipvs.OpSetServer, id, ipvs.ServerTarget(id, s), func(svc *service) syscall.Errno {
		if errno := t.checkServer(svc, s); errno != 0 {
			return errno
		}
		i := svc.find(s)
		if i < 0 {
			return unix.ENOENT
		}
		svc.servers[i].Server = s
		return 0
	})
}

// DeleteServer removes a real server; only its address names it.
func (t *Table) DeleteServer(ctx context.Context, id ipvs.ServiceID, s ipvs.Server) error {
	return t.onService(ctx, ipvs.OpDeleteServer, id, ipvs.ServerTarget(id, s), func(svc *service) syscall.Errno {
		i := svc.find(s)
		if i < 0 {
			return unix.ENOENT
		}
		svc.stats.Rate = minus(svc.stats.Rate, svc.servers[i].Stats.Rate)
		t.dropRates(svc.servers[i])
		svc.servers = slices.Delete(svc.servers, i, i+1)
		return 0
	})
}

// Apply makes changes one by one.
func (t *Table) Apply(ctx context.Context, changes []ipvs.Change) []error {
	errs := make([]error, len(changes))
	for i, c := range changes {
		errs[i] = c.On(ctx, t)
	}
	return errs
}

// Zero sets the counters and rates of one service and its servers to 0.
func (t *Table) Zero(ctx context.Context, id ipvs.ServiceID) error {
	return t.onService(ctx, ipvs.OpZero, id, id.String(), func(svc *service) syscall.Errno {
		t.dropRates(svc.servers...)
		svc.zero()
		return 0
	})
}

// ZeroAll sets all counters and rates to 0, the table's own too.
func (t *Table) ZeroAll(ctx context.Context) error {
	return t.change(ctx, ipvs.OpZero, "", func() syscall.Errno {
		for _, svc := range t.services {
			svc.zero()
		}
		t.stats = ipvs.Stats{}
		return 0
	})
}

// onService runs a changing call on a service that must be there.
func (t *Table) onService(ctx context.Context, op ipvs.Op, id ipvs.ServiceID, target string, do func(*service) syscall.Errno) error {
	return t.change(ctx, op, target, func() syscall.Errno {
		if !validFamily(id.Family) {
			return unix.EAFNOSUPPORT
		}
		svc := t.byID[id]
		if svc == nil {
			return unix.ESRCH
		}
		return do(svc)
	})
}

// find gives the place of a server, or -1. A service seldom has more than some
// dozens, so an index would cost more than it saves.
func (svc *service) find(s ipvs.Server) int {
	return slices.IndexFunc(svc.servers, func(o ipvs.ServerState) bool { return o.Addr == s.Addr })
}

func (svc *service) zero() {
	svc.stats = ipvs.Stats{}
	for i := range svc.servers {
		svc.servers[i].Stats = ipvs.Stats{}
	}
}

package proc

import (
	"context"
	"slices"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
)

// Reader answers from the text files alone. Everything in it is Partial, and
// the family of a mark service is a good guess.
type Reader struct {
	files *Files
	head  atomic.Pointer[ipvs.Info] // of the table read last
}

var _ ipvs.Reader = (*Reader)(nil)

// Open opens the table of the calling thread's network namespace.
func Open() (*Reader, error) {
	files, err := OpenFiles()
	if err != nil {
		return nil, &ipvs.Error{Op: ipvs.OpOpen, Kind: err}
	}
	return &Reader{files: files}, nil
}

// Limits says what the files do not hold.
func (r *Reader) Limits() ipvs.Limits {
	return ipvs.Limits{
		ReadOnly: true,
		Why:      "no CAP_NET_ADMIN",
		Missing: []string{
			"counters and rates of services and servers",
			"persistent connections, thresholds and tunnels of servers",
			"scheduler flags and persistence engines",
			"one-packet scheduling of IPv6 services",
			"timeouts and sync daemons",
			"some services, where other network namespaces have services too",
		},
	}
}

// Info implements ipvs.Reader. Version and size are those of the table that was
// read last, since they stand in the same file as all of it.
func (r *Reader) Info(ctx context.Context) (ipvs.Info, error) {
	if r.head.Load() == nil {
		if _, err := r.table(ctx, ipvs.OpInfo, ""); err != nil {
			return ipvs.Info{}, err
		}
	}
	info := *r.head.Load()
	info.EstimatorOff = r.files.EstimatorOff()
	return info, nil
}

// Overview implements ipvs.Reader.
func (r *Reader) Overview(ctx context.Context) (ipvs.Overview, error) {
	t, err := r.table(ctx, ipvs.OpList, "")
	if err != nil {
		return ipvs.Overview{}, err
	}
	stats, live, err := r.files.Totals()
	if err != nil {
		return ipvs.Overview{}, &ipvs.Error{Op: ipvs.OpList, Kind: err}
	}
	return ipvs.Overview{
		Services:    distinct(t.Services),
		Stats:       stats,
		LivePackets: live.InPackets + live.OutPackets,
	}, nil
}

// Servers implements ipvs.Reader. It reads the whole table for one service and
// gives no more than Overview does.
func (r *Reader) Servers(ctx context.Context, id ipvs.ServiceID) ([]ipvs.ServerState, error) {
	t, err := r.table(ctx, ipvs.OpGetServers, id.String())
	if err != nil {
		return nil, err
	}
	for _, e := range distinct(t.Services) {
		if e.ServiceID == id {
			return slices.Clone(e.Servers), nil // not a piece of the whole table's array
		}
	}
	return nil, nil
}

// Timeouts is not for everybody to read: ipvs.ErrPermission.
func (r *Reader) Timeouts(context.Context) (ipvs.Timeouts, error) {
	return ipvs.Timeouts{}, ipvs.Refused(ipvs.OpGetTimeouts, "", unix.EPERM)
}

// Daemons is not for everybody to read: ipvs.ErrPermission.
func (r *Reader) Daemons(context.Context) ([]ipvs.Daemon, error) {
	return nil, ipvs.Refused(ipvs.OpGetDaemons, "", unix.EPERM)
}

// Close implements ipvs.Reader.
func (r *Reader) Close() error { return r.files.Close() }

// table reads everything, unless the context is over: a read of /proc cannot be
// interrupted, nor does it wait for anything.
func (r *Reader) table(ctx context.Context, op ipvs.Op, target string) (Table, error) {
	err := ctx.Err()
	if err == nil {
		var t Table
		if t, err = r.files.Table(); err == nil {
			r.head.Store(&ipvs.Info{Version: t.Version, TableSize: t.Size})
			return t, nil
		}
	}
	return Table{}, &ipvs.Error{Op: op, Target: target, Kind: err}
}

// distinct drops the services that a changing table made show up twice. Two
// rows of one mark are its two families, though: when both guesses fell on the
// same, the second was wrong.
func distinct(entries []ipvs.Entry) []ipvs.Entry {
	seen := make(map[ipvs.ServiceID]bool, len(entries))
	kept := entries[:0]
	for _, e := range entries {
		if seen[e.ServiceID] && e.IsMark() {
			e.Family = otherFamily(e.Family)
			if !e.Persistence.On {
				e.Persistence.Mask = ipvs.FullMask(e.Family)
			}
		}
		if !seen[e.ServiceID] {
			seen[e.ServiceID] = true
			kept = append(kept, e)
		}
	}
	return kept
}

func otherFamily(f ipvs.Family) ipvs.Family {
	if f == ipvs.IPv4 {
		return ipvs.IPv6
	}
	return ipvs.IPv4
}

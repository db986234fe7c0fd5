package memory

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
)

// maxTimeout is where the kernel's timeouts end: INT_MAX jiffies at 250 Hz.
const maxTimeout = (1<<31 - 1) / 250

// The kernel's defaults for a sync daemon.
const (
	syncPort   = 8848
	syncTTL    = 1
	syncMTU    = 1500 // of every interface here but lo
	loopMTU    = 65535
	syncHeader = 20 + 8 // IPv4 and UDP
	syncHead6  = 40 + 8
	minBackup  = 1024 // a backup takes no shorter messages
)

var syncGroup = netip.AddrFrom4([4]byte{224, 0, 0, 81})

// SetTimeouts sets the timeouts that are not 0.
func (t *Table) SetTimeouts(ctx context.Context, set ipvs.Timeouts) error {
	return t.change(ctx, ipvs.OpSetTimeouts, "", func() syscall.Errno {
		if max(set.TCP, set.TCPFin, set.UDP) > maxTimeout {
			return unix.EINVAL
		}
		t.timeouts = ipvs.Timeouts{
			TCP:    cmp.Or(set.TCP, t.timeouts.TCP),
			TCPFin: cmp.Or(set.TCPFin, t.timeouts.TCPFin),
			UDP:    cmp.Or(set.UDP, t.timeouts.UDP),
		}
		return 0
	})
}

// StartDaemon starts a sync daemon; what it leaves open gets the kernel's
// defaults.
func (t *Table) StartDaemon(ctx context.Context, d ipvs.Daemon) error {
	return t.change(ctx, ipvs.OpStartDaemon, d.Role.String(), func() syscall.Errno {
		if t.mixedFamilies() {
			return unix.EINVAL
		}
		if !slices.Contains(t.links, d.Interface) {
			return unix.ENODEV
		}
		if d.Role != ipvs.Master && d.Role != ipvs.Backup {
			return unix.EINVAL
		}
		if t.daemon(d.Role) >= 0 {
			return unix.EEXIST
		}
		t.daemons = append(t.daemons, withDefaults(d))
		return 0
	})
}

func withDefaults(d ipvs.Daemon) ipvs.Daemon {
	if !d.Group.IsValid() {
		d.Group = syncGroup
	}
	d.Port = cmp.Or(d.Port, syncPort)
	d.TTL = cmp.Or(d.TTL, syncTTL)

	header, mtu, least := uint16(syncHeader), uint16(syncMTU), uint16(1)
	if d.Group.Is6() {
		header = syncHead6
	}
	if d.Role == ipvs.Backup {
		least = minBackup
		if d.Interface == "lo" {
			mtu = loopMTU
		}
	}
	if d.MaxLen == 0 {
		d.MaxLen = mtu - header
	}
	d.MaxLen = min(max(d.MaxLen, least), 65535-header)
	return d
}

// StopDaemon stops the daemon of a role. Like the kernel, it does not look at
// the sync id.
func (t *Table) StopDaemon(ctx context.Context, d ipvs.Daemon) error {
	return t.change(ctx, ipvs.OpStopDaemon, d.Role.String(), func() syscall.Errno {
		if d.Role != ipvs.Master && d.Role != ipvs.Backup {
			return unix.EINVAL
		}
		i := t.daemon(d.Role)
		if i < 0 {
			return unix.ESRCH
		}
		t.daemons = slices.Delete(t.daemons, i, i+1)
		return 0
	})
}

// daemon gives the place of a role's daemon, or -1.
func (t *Table) daemon(r ipvs.DaemonRole) int {
	return slices.IndexFunc(t.daemons, func(d ipvs.Daemon) bool { return d.Role == r })
}

package plan

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"lvsdeck/ipvs"
)

// ChangeTimeouts sets the connection timeouts. None of After is 0, which to the
// kernel would mean "leave it".
type ChangeTimeouts struct {
	Before, After ipvs.Timeouts
}

func timeoutFields(was, is ipvs.Timeouts) fields {
	var f fields
	f.compare("tcp", was.TCP, is.TCP)
	f.compare("tcpfin", was.TCPFin, is.TCPFin)
	f.compare("udp", was.UDP, is.UDP)
	return f
}

// Row is all three.
func (s ChangeTimeouts) Row() string { return "the timeouts" }

// String names those that change, in seconds.
func (s ChangeTimeouts) String() string {
	return "set timeouts (s): " + timeoutFields(s.Before, s.After).text()
}

// Command is ipvsadm --set.
func (s ChangeTimeouts) Command() string {
	return ipvsadm(lines.Timeouts(s.After))
}

// Counts is one change.
func (s ChangeTimeouts) Counts() Counts { return Counts{Change: 1} }

// Undo swaps before and after.
func (s ChangeTimeouts) Undo() Step { return ChangeTimeouts{s.After, s.Before} }

// Done compares with After.
func (s ChangeTimeouts) Done(ctx context.Context, t Target) (bool, error) {
	now, err := t.Table.Timeouts(ctx)
	return err == nil && now == s.After, err
}

// Do sets all three.
func (s ChangeTimeouts) Do(ctx context.Context, t Target) error {
	now, err := t.Table.Timeouts(ctx)
	switch {
	case err != nil:
		return err
	case now == s.After:
		return ErrAlready
	case now != s.Before:
		return &Moved{Row: s.Row(), Differences: timeoutFields(s.Before, now)}
	}
	return t.Table.SetTimeouts(ctx, s.After)
}

// ChangeDaemon starts (no Before) or stops (no After) a sync daemon. The kernel
// cannot change one that runs.
type ChangeDaemon struct {
	Before *ipvs.Daemon `json:",omitempty"`
	After  *ipvs.Daemon `json:",omitempty"`
}

func (s ChangeDaemon) one() ipvs.Daemon {
	if s.After == nil {
		return *s.Before
	}
	return *s.After
}

// Row names the daemon.
func (s ChangeDaemon) Row() string { return "the " + s.one().Role.String() + " sync daemon" }

// String names role and interface.
func (s ChangeDaemon) String() string {
	d, verb := s.one(), "start"
	if s.After == nil {
		verb = "stop"
	}
	return fmt.Sprintf("%s %s on %s, sync id %d", verb, s.Row(), d.Interface, d.SyncID)
}

// Command is ipvsadm --start-daemon or --stop-daemon.
func (s ChangeDaemon) Command() string {
	if s.After == nil {
		return ipvsadm("--stop-daemon", s.Before.Role.String(), "--syncid", strconv.Itoa(int(s.Before.SyncID)))
	}
	return ipvsadm(lines.Daemon(*s.After))
}

// Counts is one row.
func (s ChangeDaemon) Counts() Counts { return countOne(s.Before == nil, s.After == nil) }

// Undo swaps before and after.
func (s ChangeDaemon) Undo() Step { return ChangeDaemon{s.After, s.Before} }

// Done compares with the daemon of that role that runs.
func (s ChangeDaemon) Done(ctx context.Context, t Target) (bool, error) {
	now, err := s.find(ctx, t)
	return err == nil && sameDaemon(now, s.After), err
}

// Do starts or stops.
func (s ChangeDaemon) Do(ctx context.Context, t Target) error {
	now, err := s.find(ctx, t)
	switch {
	case err != nil:
		return err
	case sameDaemon(now, s.After):
		return ErrAlready
	case !sameDaemon(now, s.Before):
		return s.moved(now)
	case s.After == nil:
		return t.Table.StopDaemon(ctx, *s.Before)
	}
	return t.Table.StartDaemon(ctx, *s.After)
}

func (s ChangeDaemon) find(ctx context.Context, t Target) (*ipvs.Daemon, error) {
	running, err := t.Table.Daemons(ctx)
	if err != nil {
		return nil, err
	}
	role := s.one().Role
	i := slices.IndexFunc(running, func(d ipvs.Daemon) bool { return d.Role == role })
	if i < 0 {
		return nil, nil
	}
	return &running[i], nil
}

func (s ChangeDaemon) moved(now *ipvs.Daemon) error {
	m := &Moved{Row: s.Row(), Gone: now == nil, Appeared: s.Before == nil}
	if now != nil && s.Before != nil {
		m.Differences = daemonFields(filled(*s.Before), filled(*now))
	}
	return m
}

func daemonFields(was, is ipvs.Daemon) fields {
	var f fields
	f.compare("interface", was.Interface, is.Interface)
	f.compare("sync id", was.SyncID, is.SyncID)
	f.compare("message length", was.MaxLen, is.MaxLen)
	f.compare("group", was.Group, is.Group)
	f.compare("port", was.Port, is.Port)
	f.compare("ttl", was.TTL, is.TTL)
	return f
}

// What the kernel makes of fields that are 0 (start_sync_thread).
const (
	syncPort  = 8848
	syncTTL   = 1
	minBackup = 1024 // a backup takes no shorter messages
)

var syncGroup = netip.AddrFrom4([4]byte{224, 0, 0, 81})

// filled is the daemon as the kernel shows it once it runs, but for a length of
// 0, which becomes what the interface takes.
func filled(d ipvs.Daemon) ipvs.Daemon {
	if !d.Group.IsValid() {
		d.Group = syncGroup
	}
	d.Port, d.TTL = cmp.Or(d.Port, syncPort), cmp.Or(d.TTL, syncTTL)
	headers := uint16(28)
	if d.Group.Is6() {
		headers = 48
	}
	if d.MaxLen != 0 {
		if d.Role == ipvs.Backup {
			d.MaxLen = max(d.MaxLen, minBackup)
		}
		d.MaxLen = min(d.MaxLen, 65535-headers)
	}
	return d
}

func sameDaemon(a, b *ipvs.Daemon) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, y := filled(*a), filled(*b)
	if x.MaxLen == 0 || y.MaxLen == 0 {
		x.MaxLen, y.MaxLen = 0, 0
	}
	return x == y
}

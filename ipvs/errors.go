package ipvs

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// What a table can answer, to be told apart with errors.Is. The texts say what
// to do next; Error adds the operation, its target and the kernel's own word.
var (
	ErrUnavailable   = errors.New("IPVS is not in this kernel or its module is not loaded; try: modprobe ip_vs")
	ErrPermission    = errors.New("not permitted; run as root (CAP_NET_ADMIN in the initial user namespace)")
	ErrReadOnly      = errors.New("this table is open for reading only")
	ErrNoService     = errors.New("no such virtual service; it may have been removed meanwhile")
	ErrNoServer      = errors.New("no such real server in this service; it may have been removed meanwhile")
	ErrServiceExists = errors.New("the virtual service exists already; edit it instead")
	ErrServerExists  = errors.New("the real server exists already in this service; edit it instead")
	ErrNoScheduler   = errors.New("the scheduler or persistence engine is not there; check its name, or load its module (ip_vs_NAME, ip_vs_pe_NAME)")
	ErrDaemonRunning = errors.New("a sync daemon of this role runs already; stop it first")
	ErrNoDaemon      = errors.New("no sync daemon of this role runs")
	ErrNoDevice      = errors.New("no such network interface")
	ErrRange         = errors.New("a number is out of range: weight is 0 to 2147483647, the lower threshold not above the upper")
	ErrFamily        = errors.New("this address family is not supported here")
	ErrInvalid       = errors.New("the kernel refuses the values")
)

// Op is what was asked of the table.
type Op string

// The operations, as they read in "cannot …".
const (
	OpList          Op = "list services"
	OpInfo          Op = "read table info"
	OpGetService    Op = "read service"
	OpGetServers    Op = "read servers of"
	OpAddService    Op = "add service"
	OpSetService    Op = "edit service"
	OpDeleteService Op = "delete service"
	OpAddServer     Op = "add server"
	OpSetServer     Op = "edit server"
	OpDeleteServer  Op = "delete server"
	OpZero          Op = "zero counters"
	OpFlush         Op = "clear table"
	OpGetTimeouts   Op = "read timeouts"
	OpSetTimeouts   Op = "set timeouts"
	OpGetDaemons    Op = "list sync daemons"
	OpStartDaemon   Op = "start sync daemon"
	OpStopDaemon    Op = "stop sync daemon"
	OpOpen          Op = "open the table"
	OpListConns     Op = "list connections"
)

// Error is a refusal: what was asked, of what, and why.
type Error struct {
	Op     Op
	Target string        // "TCP 203.0.113.10:443", "10.0.0.1:80 of TCP …", or ""
	Kind   error         // one of the Err values, or nil when none fits
	Errno  syscall.Errno // the kernel's word, or 0
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cannot %s", e.Op)
	if e.Target != "" {
		fmt.Fprintf(&b, " %s", e.Target)
	}
	if e.Kind != nil {
		fmt.Fprintf(&b, ": %v", e.Kind)
	}
	if advice := invalidAdvice[e.Op]; advice != "" && e.Kind == ErrInvalid {
		fmt.Fprintf(&b, "; %s", advice)
	}
	if e.Errno != 0 {
		fmt.Fprintf(&b, " (kernel: %s, %s)", e.Errno.Error(), unix.ErrnoName(e.Errno))
	}
	return b.String()
}

// invalidAdvice is what EINVAL may mean; the kernel says no more, dmesg may.
var invalidAdvice = map[Op]string{
	OpAddService:  "a mask must be a netmask, for IPv6 a prefix length of 1 to 128",
	OpSetService:  "a mask must be a netmask, for IPv6 a prefix length of 1 to 128",
	OpAddServer:   "its address must be unicast, a GUE tunnel needs a port, and families may differ only in tunnels and without a sync daemon",
	OpSetServer:   "a GUE tunnel needs a port, and families may differ only in tunnels and without a sync daemon",
	OpSetTimeouts: "each must be 0 to 2678400 seconds (31 days)",
	OpStartDaemon: "the group must be a multicast address, the message length fit the interface, and no server may be of another family than its service",
}

// Unwrap lets errors.Is find the kind and the errno.
func (e *Error) Unwrap() []error {
	var errs []error
	if e.Kind != nil {
		errs = append(errs, e.Kind)
	}
	if e.Errno != 0 {
		errs = append(errs, e.Errno)
	}
	return errs
}

// Refused translates the kernel's errno for an operation. It is the one place
// where errno gets a meaning; every implementation answers through it.
func Refused(op Op, target string, errno syscall.Errno) error {
	return &Error{Op: op, Target: target, Kind: kindOf(op, errno), Errno: errno}
}

// kindOf follows net/netfilter/ipvs/ip_vs_ctl.c: the same errno means different
// things to different commands.
func kindOf(op Op, errno syscall.Errno) error {
	switch errno {
	case unix.EPERM, unix.EACCES:
		return ErrPermission
	case unix.ESRCH:
		if op == OpStopDaemon {
			return ErrNoDaemon
		}
		return ErrNoService
	case unix.EEXIST:
		switch op {
		case OpAddServer:
			return ErrServerExists
		case OpStartDaemon:
			return ErrDaemonRunning
		}
		return ErrServiceExists
	case unix.ENOENT:
		switch op {
		case OpAddService, OpSetService:
			return ErrNoScheduler
		case OpSetServer, OpDeleteServer:
			return ErrNoServer
		}
		return ErrUnavailable
	case unix.ENODEV:
		return ErrNoDevice
	case unix.ERANGE:
		return ErrRange
	case unix.EINVAL:
		return ErrInvalid
	case unix.EAFNOSUPPORT, unix.EOPNOTSUPP:
		return ErrFamily
	}
	return nil
}

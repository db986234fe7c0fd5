package ipvsadm

import (
	"errors"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/persist/adm"
)

// saying is an errno as the answer to a command; verb 0 is any.
type saying struct {
	verb  adm.Verb
	errno syscall.Errno
}

const (
	noScheduler = "Scheduler or persistence engine not found"
	noService   = "No such service"
	undefined   = "Service not defined"
	noServer    = "No such destination"
)

var sayings = map[saying]string{
	{adm.AddService, unix.EEXIST}:   "Service already exists",
	{adm.AddService, unix.ENOENT}:   noScheduler,
	{adm.EditService, unix.ENOENT}:  noScheduler,
	{adm.EditService, unix.ESRCH}:   noService,
	{adm.DeleteService, unix.ESRCH}: noService,
	{adm.Zero, unix.ESRCH}:          noService,
	{adm.List, unix.ESRCH}:          noService,
	{adm.AddServer, unix.ESRCH}:     undefined,
	{adm.AddServer, unix.EEXIST}:    "Destination already exists",
	{adm.EditServer, unix.ESRCH}:    undefined,
	{adm.EditServer, unix.ENOENT}:   noServer,
	{adm.DeleteServer, unix.ESRCH}:  undefined,
	{adm.DeleteServer, unix.ENOENT}: noServer,
	{adm.StartDaemon, unix.EEXIST}:  "Daemon has already run",
	{adm.StopDaemon, unix.ESRCH}:    "No daemon is running",
	{0, unix.EPERM}:                 "Permission denied (you must be root)",
	{0, unix.EINVAL}:                "Invalid operation.  Possibly wrong module version, address not unicast, ...",
	{0, unix.ENOPROTOOPT}:           "Protocol not available",
	{0, unix.ENOMEM}:                "Memory allocation problem",
	{0, unix.EOPNOTSUPP}:            "Operation not supported with IPv6",
	{0, unix.EAFNOSUPPORT}:          "Operation not supported with specified address family",
	{0, unix.EMSGSIZE}:              "Module is wrong version",
}

// errnos stand for refusals that did not come from the kernel.
var errnos = map[error]syscall.Errno{
	ipvs.ErrUnavailable:   unix.ENOPROTOOPT,
	ipvs.ErrPermission:    unix.EPERM,
	ipvs.ErrReadOnly:      unix.EPERM,
	ipvs.ErrNoService:     unix.ESRCH,
	ipvs.ErrNoServer:      unix.ENOENT,
	ipvs.ErrServiceExists: unix.EEXIST,
	ipvs.ErrServerExists:  unix.EEXIST,
	ipvs.ErrNoScheduler:   unix.ENOENT,
	ipvs.ErrDaemonRunning: unix.EEXIST,
	ipvs.ErrNoDaemon:      unix.ESRCH,
	ipvs.ErrNoDevice:      unix.ENODEV,
	ipvs.ErrRange:         unix.ERANGE,
	ipvs.ErrFamily:        unix.EAFNOSUPPORT,
	ipvs.ErrInvalid:       unix.EINVAL,
}

// message is what ipvsadm says of an error. What it has no word for it takes
// from the C library, whose words are Go's but for the first letter.
func message(v adm.Verb, err error) string {
	errno := errnoOf(err)
	if errno == 0 {
		return err.Error()
	}
	for _, s := range []saying{{v, errno}, {0, errno}} {
		if text, ok := sayings[s]; ok {
			return text
		}
	}
	text := errno.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

func errnoOf(err error) syscall.Errno {
	var refused *ipvs.Error
	if errors.As(err, &refused) && refused.Errno != 0 {
		return refused.Errno
	}
	for kind, errno := range errnos {
		if errors.Is(err, kind) {
			return errno
		}
	}
	return 0
}

package adm

import "lvsdeck/ipvs/check"

// kind groups the options that exclude each other, in the order in which
// ipvsadm judges them: of several faults it tells the first.
type kind uint8

const (
	numeric kind = iota
	connection
	service
	scheduler
	persistent
	netmask
	realServer
	forwarding
	weight
	upper
	lower
	mcastInterface
	timeout
	daemon
	stats
	rate
	thresholds
	persistentConn
	nosort
	syncid
	exact
	ops
	engine
	schedFlags
	mcastGroup
	mcastPort
	mcastTTL
	syncMaxlen
	tunInfo
	tunType
	tunPort
	tunNocsum
	tunCsum
	tunRemcsum
	kinds

	// free options may be repeated and go with every command.
	free
	// command is for the first option of a line, which it must be.
	command
)

// kindNames are the names in ipvsadm's complaints.
var kindNames = [kinds]string{
	"numeric", "connection", "service-address", "scheduler", "persistent", "netmask",
	"real-server", "forwarding-method", "weight", "u-threshold", "l-threshold",
	"mcast-interface", "timeout", "daemon", "stats", "rate", "thresholds",
	"persistent-conn", "nosort", "syncid", "exact", "ops", "pe", "sched-flags",
	"mcast-group", "mcast-port", "mcast-ttl", "sync-maxlen", "tun-info", "tun-type",
	"tun-port", "tun-nocsum", "tun-csum", "tun-remcsum",
}

// takes is whether an option has a value.
type takes uint8

const (
	nothing takes = iota
	value
	perhaps // the next argument if it does not begin with a dash
)

// option is one way to spell an option.
type option struct {
	long  string
	short byte
	takes takes
	kind  kind
	verb  Verb // of a command
	field check.Field
	set   func(*line, string) *Error // nil: that it is given says all
}

// options are all of them. It is filled in by init because its functions need
// it.
var options []option

func init() {
	options = []option{
		{"add-service", 'A', nothing, command, AddService, "", nil},
		{"edit-service", 'E', nothing, command, EditService, "", nil},
		{"delete-service", 'D', nothing, command, DeleteService, "", nil},
		{"clear", 'C', nothing, command, Clear, "", nil},
		{"restore", 'R', nothing, command, Restore, "", nil},
		{"save", 'S', nothing, command, Save, "", nil},
		{"add-server", 'a', nothing, command, AddServer, "", nil},
		{"edit-server", 'e', nothing, command, EditServer, "", nil},
		{"delete-server", 'd', nothing, command, DeleteServer, "", nil},
		{"list", 'L', nothing, command, List, "", nil},
		{"", 'l', nothing, command, List, "", nil},
		{"zero", 'Z', nothing, command, Zero, "", nil},
		{"set", 0, nothing, command, SetTimeouts, "", nil},
		{"start-daemon", 0, value, command, StartDaemon, check.Role, nil},
		{"stop-daemon", 0, value, command, StopDaemon, check.Role, nil},
		{"help", 'h', nothing, command, Help, "", nil},
		{"version", 'v', nothing, command, Version, "", nil},

		{"tcp-service", 't', value, service, 0, check.Service, (*line).tcp},
		{"udp-service", 'u', value, service, 0, check.Service, (*line).udp},
		{"sctp-service", 0, value, service, 0, check.Service, (*line).sctp},
		{"fwmark-service", 'f', value, service, 0, check.Mark, (*line).mark},
		{"ipv6", '6', nothing, free, 0, check.Family, (*line).ipv6},
		{"scheduler", 's', value, scheduler, 0, check.Scheduler, (*line).scheduler},
		{"persistent", 'p', perhaps, persistent, 0, check.Persistence, (*line).persistent},
		{"netmask", 'M', value, netmask, 0, check.Mask, (*line).netmask},
		{"pe", 0, value, engine, 0, check.Engine, (*line).engine},
		{"ops", 'o', nothing, ops, 0, check.OnePacket, (*line).ops},
		{"sched-flags", 'b', value, schedFlags, 0, check.SchedFlags, (*line).rememberFlags},

		{"real-server", 'r', value, realServer, 0, check.Server, (*line).realServer},
		{"gatewaying", 'g', nothing, forwarding, 0, check.Forward, (*line).direct},
		{"ipip", 'i', nothing, forwarding, 0, check.Forward, (*line).tunnel},
		{"masquerading", 'm', nothing, forwarding, 0, check.Forward, (*line).masq},
		{"weight", 'w', value, weight, 0, check.Weight, (*line).weight},
		{"u-threshold", 'x', value, upper, 0, check.Upper, (*line).upper},
		{"l-threshold", 'y', value, lower, 0, check.Lower, (*line).lower},
		{"tun-type", 0, value, tunType, 0, check.TunnelType, (*line).tunType},
		{"tun-port", 0, value, tunPort, 0, check.TunnelPort, (*line).tunPort},
		{"tun-nocsum", 0, nothing, tunNocsum, 0, check.TunnelFlags, nil},
		{"tun-csum", 0, nothing, tunCsum, 0, check.TunnelFlags, (*line).checksum},
		{"tun-remcsum", 0, nothing, tunRemcsum, 0, check.TunnelFlags, (*line).remoteChecksum},

		{"connection", 'c', nothing, connection, 0, "", nil},
		{"timeout", 0, nothing, timeout, 0, "", nil},
		{"daemon", 0, nothing, daemon, 0, "", nil},
		{"stats", 0, nothing, stats, 0, "", nil},
		{"rate", 0, nothing, rate, 0, "", nil},
		{"thresholds", 0, nothing, thresholds, 0, "", nil},
		{"persistent-conn", 0, nothing, persistentConn, 0, "", nil},
		{"tun-info", 0, nothing, tunInfo, 0, "", nil},
		{"nosort", 0, nothing, nosort, 0, "", nil},
		{"sort", 0, nothing, free, 0, "", nil},
		{"numeric", 'n', nothing, numeric, 0, "", nil},
		{"exact", 'X', nothing, exact, 0, "", nil},

		{"mcast-interface", 0, value, mcastInterface, 0, check.Interface, (*line).mcastInterface},
		{"mcast-group", 0, value, mcastGroup, 0, check.Group, (*line).mcastGroup},
		{"mcast-port", 0, value, mcastPort, 0, check.GroupPort, (*line).mcastPort},
		{"mcast-ttl", 0, value, mcastTTL, 0, check.TTL, (*line).mcastTTL},
		{"syncid", 0, value, syncid, 0, check.SyncID, (*line).syncid},
		{"sync-maxlen", 0, value, syncMaxlen, 0, check.MaxLen, (*line).syncMaxlen},
	}
	for i := range options {
		o := &options[i]
		if o.short != 0 {
			shorts[o.short] = o
		}
		if o.long != "" {
			longs[o.long] = o
		}
	}
}

// shorts and longs are options by their spelling.
var (
	shorts [256]*option
	longs  = map[string]*option{}
)

func findLong(name string) *option { return longs[name] }

func findShort(c byte) *option { return shorts[c] }

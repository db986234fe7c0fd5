package ipvs

import (
	"fmt"
	"net/netip"
)

// Traffic is one set of five figures: totals since the last zero, or averages
// per second, as the holder says. Bytes are bytes.
type Traffic struct {
	Conns, InPackets, OutPackets, InBytes, OutBytes uint64
}

// Add gives the sum, figure by figure.
func (t Traffic) Add(o Traffic) Traffic {
	return Traffic{
		Conns:      t.Conns + o.Conns,
		InPackets:  t.InPackets + o.InPackets,
		OutPackets: t.OutPackets + o.OutPackets,
		InBytes:    t.InBytes + o.InBytes,
		OutBytes:   t.OutBytes + o.OutBytes,
	}
}

// Since is what was counted after an earlier reading. Zeroing, and re-creation,
// begin a row's totals anew, all five together: when one is lower than before, all
// of them were counted since.
func (t Traffic) Since(was Traffic) Traffic {
	if t.Conns < was.Conns || t.InPackets < was.InPackets || t.OutPackets < was.OutPackets ||
		t.InBytes < was.InBytes || t.OutBytes < was.OutBytes {
		return t
	}
	return Traffic{
		Conns:      t.Conns - was.Conns,
		InPackets:  t.InPackets - was.InPackets,
		OutPackets: t.OutPackets - was.OutPackets,
		InBytes:    t.InBytes - was.InBytes,
		OutBytes:   t.OutBytes - was.OutBytes,
	}
}

// Stats is what the kernel's estimator has counted. Both parts move only when it
// runs, every 2 s; with net.ipv4.vs.run_estimation=0 they stand still. Rate is
// its average over about 8 s: the figures of "ipvsadm -L --rate".
type Stats struct {
	Total Traffic
	Rate  Traffic // per second
}

// ServiceState is a service with what the kernel says about it now.
type ServiceState struct {
	Service
	Stats Stats

	// Partial: read from /proc without rights, so that scheduler flags, the
	// persistence engine and Stats are unknown (and one-packet for IPv6, and
	// the family of a mark service is a guess).
	Partial bool
}

// ServerState is a real server with what the kernel says about it now.
// Connection counts and weight are live at each read.
type ServerState struct {
	Server
	Active     uint32 // connections established
	Inactive   uint32 // connections in any other state
	Persistent uint32 // persistence templates
	Stats      Stats

	// Partial: read from /proc/net/ip_vs, so that thresholds, tunnel,
	// Persistent and Stats are unknown.
	Partial bool
}

// Entry is one service with its servers.
type Entry struct {
	ServiceState
	Servers []ServerState
}

// Overview is one look at the whole table, in no promised order, each service
// and server once.
type Overview struct {
	Services []Entry
	Stats    Stats // of the whole table (/proc/net/ip_vs_stats)

	// LivePackets counts packets in and out over all CPUs. It moves at every
	// read, also when the estimator is stopped: that is how stopped is told
	// from idle.
	LivePackets uint64
}

// Info is the table itself.
type Info struct {
	Version   Version
	TableSize uint32 // connection hash buckets; 0 on kernels >= 7.1 until there has been a service

	// EstimatorOff: net.ipv4.vs.run_estimation is 0, or est_cpulist is empty.
	EstimatorOff bool
}

// Version is IPVS's own, not the kernel's.
type Version uint32

func (v Version) String() string {
	return fmt.Sprintf("%d.%d.%d", byte(v>>16), byte(v>>8), byte(v))
}

// Timeouts of connections, in seconds: 0 to 2678400 (31 days). When set, 0
// leaves one as it is.
type Timeouts struct {
	TCP, TCPFin, UDP uint32
}

// DaemonRole is which end of connection synchronisation a daemon is.
type DaemonRole uint8

// Both may run on one director.
const (
	Master DaemonRole = 1
	Backup DaemonRole = 2
)

func (r DaemonRole) String() string {
	switch r {
	case Master:
		return "master"
	case Backup:
		return "backup"
	}
	return fmt.Sprintf("daemon %d", uint8(r))
}

// Daemon is one sync daemon. Zero values of MaxLen, Group, Port and TTL leave
// the kernel's defaults.
type Daemon struct {
	Role      DaemonRole
	Interface string // sends and receives the multicast
	SyncID    uint8  // 0 on a backup: accept every master
	MaxLen    uint16
	Group     netip.Addr
	Port      uint16
	TTL       uint8
}

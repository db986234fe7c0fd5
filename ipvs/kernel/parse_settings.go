package kernel

import (
	"github.com/vishvananda/netlink/nl"

	"lvsdeck/ipvs"
)

// family is one that speaks generic netlink. Its number is new each time its
// module is loaded.
type family struct {
	name   string
	number uint16
}

// parseFamily reads a message of the controller (nlctrl) that describes a family.
func parseFamily(message []byte, f *family) error {
	a := attributes{rest: message}
	for a.next() {
		switch a.kind {
		case nl.GENL_CTRL_ATTR_FAMILY_NAME:
			f.name = a.text()
		case nl.GENL_CTRL_ATTR_FAMILY_ID:
			f.number = uint16(a.number())
		}
	}
	return a.err
}

// parseInfo reads a message that describes the table itself.
func parseInfo(message []byte, i *ipvs.Info) error {
	a := attributes{rest: message}
	for a.next() {
		switch a.kind {
		case infoVersion:
			i.Version = ipvs.Version(a.number())
		case infoTableSize:
			i.TableSize = uint32(a.number())
		}
	}
	return a.err
}

// parseTimeouts reads a message that holds the timeouts.
func parseTimeouts(message []byte, t *ipvs.Timeouts) error {
	a := attributes{rest: message}
	for a.next() {
		switch a.kind {
		case attrTimeoutTCP:
			t.TCP = uint32(a.number())
		case attrTimeoutTCPFin:
			t.TCPFin = uint32(a.number())
		case attrTimeoutUDP:
			t.UDP = uint32(a.number())
		}
	}
	return a.err
}

// parseDaemon reads a message that holds a sync daemon.
func parseDaemon(message []byte, d *ipvs.Daemon) error {
	a := find(message, attrDaemon)
	for a.next() {
		switch a.kind {
		case daemonRole:
			d.Role = ipvs.DaemonRole(a.number())
		case daemonInterface:
			d.Interface = a.text()
		case daemonSyncID:
			d.SyncID = uint8(a.number())
		case daemonMaxLen:
			d.MaxLen = uint16(a.number())
		case daemonGroup:
			d.Group = a.addr(a.value, ipvs.IPv4)
		case daemonGroup6:
			d.Group = a.addr(a.value, ipvs.IPv6)
		case daemonPort:
			d.Port = uint16(a.number())
		case daemonTTL:
			d.TTL = uint8(a.number())
		}
	}
	return a.err
}

package conns

import (
	"net/netip"

	"lvsdeck/ipvs"
)

// Listed is which services and servers the table has, to be asked whom a
// connection belongs to: the kernel's list of connections names neither marks nor
// the services that take every port.
type Listed struct {
	servers map[ipvs.ServiceID][]netip.AddrPort
	marks   []ipvs.ServiceID
}

// Add adds a service with its servers.
func (l *Listed) Add(id ipvs.ServiceID, servers []netip.AddrPort) {
	if l.servers == nil {
		l.servers = map[ipvs.ServiceID][]netip.AddrPort{}
	}
	l.servers[id] = servers
	if id.IsMark() {
		l.marks = append(l.marks, id)
	}
}

// ListedIn takes services and servers from an overview.
func ListedIn(o ipvs.Overview) *Listed {
	l := &Listed{}
	for _, e := range o.Services {
		servers := make([]netip.AddrPort, len(e.Servers))
		for i, s := range e.Servers {
			servers[i] = s.Addr
		}
		l.Add(e.ServiceID, servers)
	}
	return l
}

// ftp is the port whose service has the data connections, too.
const ftp = 21

// Owner is the service a connection belongs to, and whether its server is still
// listed there. A service that is not listed any more is given as the connection
// names it.
func (l *Listed) Owner(virtual ipvs.ServiceID, server netip.AddrPort) (owner ipvs.ServiceID, listed bool) {
	owner = virtual
	candidates := []ipvs.ServiceID{virtual}
	if !virtual.IsMark() {
		every, control := virtual, virtual
		every.Port, control.Port = 0, ftp
		candidates = append(append(candidates, every, control), l.marks...)
	}
	for i, id := range candidates {
		servers, there := l.servers[id]
		if there && i < 2 {
			owner = id // even without the server
		}
		for _, s := range servers {
			if id.Family == virtual.Family && s.Addr() == server.Addr() && (s.Port() == server.Port() || s.Port() == 0 || i > 0 || server.Port() == 0) {
				return id, true
			}
		}
		if there && i == 0 {
			break // nobody else's
		}
	}
	return owner, false
}

// has tells a service that is listed.
func (l *Listed) has(id ipvs.ServiceID) bool {
	if l == nil {
		return false
	}
	_, there := l.servers[id]
	return there
}

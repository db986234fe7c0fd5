package alarm

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/conns"
	"lvsdeck/persist"
)

// Row is what a threshold is about: a service, one of its servers, or the whole
// director.
type Row struct {
	Service ipvs.ServiceID // zero: the whole director
	Server  netip.AddrPort // zero: the service itself
}

// Director tells the row of the whole table.
func (r Row) Director() bool { return r == Row{} }

// String is the row as names and errors have it.
func (r Row) String() string {
	switch {
	case r.Director():
		return "the director"
	case r.Server.IsValid():
		return persist.ServerKey(r.Service, r.Server)
	}
	return persist.ServiceKey(r.Service)
}

// MarshalText implements encoding.TextMarshaler.
func (r Row) MarshalText() ([]byte, error) {
	if r.Director() {
		return nil, nil
	}
	return []byte(r.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler. It takes only what MarshalText
// writes.
func (r *Row) UnmarshalText(text []byte) error {
	*r = Row{}
	if len(text) == 0 {
		return nil
	}
	server, service, ofServer := strings.Cut(string(text), " of ")
	if !ofServer {
		service = string(text)
	}
	var err error
	if r.Service, err = conns.ParseService(service); err != nil {
		return err
	}
	if ofServer {
		if r.Server, err = conns.ParseServer(server); err != nil {
			return err
		}
	}
	if r.String() != string(text) {
		return fmt.Errorf("row %q: must be like \"TCP 203.0.113.10:443\" or \"10.0.3.11:443 of TCP 203.0.113.10:443\"", text)
	}
	return nil
}

// find is the row in a sample. Service is nil where the sample has no such row, and
// for the director; server is nil but for a server's row.
func (r Row) find(s *ops.Sample) (service *ops.Service, server *ops.Server, found bool) {
	if r.Director() {
		return nil, nil, true
	}
	at, ok := slices.BinarySearchFunc(s.Services, r.Service, func(v *ops.Service, id ipvs.ServiceID) int { return v.ServiceID.Compare(id) })
	if !ok {
		return nil, nil, false
	}
	service = s.Services[at]
	if !r.Server.IsValid() {
		return service, nil, true
	}
	at, ok = slices.BinarySearchFunc(service.Servers, r.Server, func(v *ops.Server, a netip.AddrPort) int { return v.Addr.Compare(a) })
	if !ok {
		return service, nil, false
	}
	return service, service.Servers[at], true
}

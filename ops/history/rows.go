package history

import (
	"net/netip"
	"slices"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
)

// row is where a row's figures stand in each frame, and since when they are its
// own: a column is given to another row an hour after its row left.
type row struct {
	server bool
	column int32
	born   int64 // from when on; Unix time in ns
	left   int64 // the end of the last frame that has it; 0 while it is in the table
}

type serviceRow struct {
	row
	id      ipvs.ServiceID
	is      ipvs.Service // as it was seen last
	partial bool
	servers []serverRow // by address
}

type serverRow struct {
	row
	addr    netip.AddrPort
	weight  uint32
	forward ipvs.Forward
}

// columns are given to rows, and given back.
type columns struct {
	used int32 // those ever given
	free []int32
}

func (c *columns) take() int32 {
	if n := len(c.free); n > 0 {
		column := c.free[n-1]
		c.free = c.free[:n-1]
		return column
	}
	c.used++
	return c.used - 1
}

// together lines rows up with n things of a sample. What is in one of them only is
// told with the other one as nil or -1. Both are sorted.
func together[R any](rows []R, n int, compare func(r *R, i int) int, each func(r *R, i int)) {
	at := 0
	for i := range n {
		for at < len(rows) && compare(&rows[at], i) < 0 {
			each(&rows[at], -1)
			at++
		}
		if at < len(rows) && compare(&rows[at], i) == 0 {
			each(&rows[at], i)
			at++
		} else {
			each(nil, i)
		}
	}
	for ; at < len(rows); at++ {
		each(&rows[at], -1)
	}
}

// byID and byAddr compare a row with the i-th of a sample. They are the same nearly
// always.
func byID(sample *ops.Sample) func(r *serviceRow, i int) int {
	return func(r *serviceRow, i int) int {
		if id := sample.Services[i].ServiceID; r.id != id {
			return r.id.Compare(id)
		}
		return 0
	}
}

func byAddr(servers []*ops.Server) func(r *serverRow, i int) int {
	return func(r *serverRow, i int) int {
		if addr := servers[i].Addr; r.addr != addr {
			return r.addr.Compare(addr)
		}
		return 0
	}
}

// follow lines the rows up with a sample that covers the time since from, and
// gives what was changed in the table since the one before. A sample that is not
// sorted, as none of a sampler is, makes no row twice.
func (s *Store) follow(sample *ops.Sample, from int64) *changes {
	seen := &changes{}
	var fresh []serviceRow
	together(s.services, len(sample.Services), byID(sample), func(r *serviceRow, i int) {
		switch {
		case r == nil:
			svc := sample.Services[i]
			r = &serviceRow{id: svc.ServiceID, is: svc.Service, partial: svc.Partial}
			r.row = row{column: s.ofServices.take(), born: from}
			s.followServers(r, svc.Servers, from, nil)
			fresh = append(fresh, *r)
			seen.add(came, Key{Service: r.id}, "came")
		case i < 0 && r.left == 0:
			r.left = from
			s.followServers(r, nil, from, nil)
			seen.add(left, Key{Service: r.id}, "left")
		case i >= 0 && r.left != 0:
			r.left = 0
			r.is, r.partial = sample.Services[i].Service, sample.Services[i].Partial
			s.followServers(r, sample.Services[i].Servers, from, nil)
			seen.add(came, Key{Service: r.id}, "came back")
		case i >= 0:
			svc := sample.Services[i]
			if r.is != svc.Service {
				seen.service(r, svc)
				r.is, r.partial = svc.Service, svc.Partial
			}
			s.followServers(r, svc.Servers, from, seen)
		}
	})
	if len(fresh) > 0 {
		s.services = append(s.services, fresh...)
		slices.SortStableFunc(s.services, func(a, b serviceRow) int { return a.id.Compare(b.id) })
		var last ipvs.ServiceID
		s.services = slices.DeleteFunc(s.services, func(r serviceRow) bool {
			if r.id != last {
				last = r.id
				return false
			}
			s.release(&r)
			return true
		})
	}
	return seen
}

// followServers does so for the servers of a service. What is seen of a service
// that came or left as a whole is not told of each server.
func (s *Store) followServers(r *serviceRow, servers []*ops.Server, from int64, seen *changes) {
	var fresh []serverRow
	key := func(a netip.AddrPort) Key { return Key{r.id, a} }
	together(r.servers, len(servers), byAddr(servers), func(o *serverRow, i int) {
		switch {
		case o == nil:
			srv := servers[i]
			o := serverRow{addr: srv.Addr, weight: srv.Weight, forward: srv.Forward}
			o.row = row{server: true, column: s.ofServers.take(), born: from}
			fresh = append(fresh, o)
			seen.add(came, key(srv.Addr), "came with weight "+number(srv.Weight))
		case i < 0 && o.left == 0:
			o.left = from
			seen.add(left, key(o.addr), "left")
		case i >= 0:
			srv := servers[i]
			switch {
			case o.left != 0:
				seen.add(came, key(o.addr), "came back with weight "+number(srv.Weight))
			case o.weight != srv.Weight:
				seen.add(edited, key(o.addr), "weight "+number(o.weight)+" to "+number(srv.Weight))
			case o.forward != srv.Forward:
				seen.add(edited, key(o.addr), "forwarding "+o.forward.String()+" to "+srv.Forward.String())
			}
			o.left, o.weight, o.forward = 0, srv.Weight, srv.Forward
		}
	})
	if len(fresh) > 0 {
		r.servers = append(r.servers, fresh...)
		slices.SortStableFunc(r.servers, func(a, b serverRow) int { return a.addr.Compare(b.addr) })
		var last netip.AddrPort
		r.servers = slices.DeleteFunc(r.servers, func(o serverRow) bool {
			if o.addr != last {
				last = o.addr
				return false
			}
			s.ofServers.free = append(s.ofServers.free, o.column)
			return true
		})
	}
}

// forget gives back the columns of rows that left before a time.
func (s *Store) forget(before int64) {
	gone := func(r row) bool { return r.left != 0 && r.left < before }
	for i := range s.services {
		r := &s.services[i]
		r.servers = slices.DeleteFunc(r.servers, func(o serverRow) bool {
			if !gone(o.row) {
				return false
			}
			s.ofServers.free = append(s.ofServers.free, o.column)
			return true
		})
	}
	s.services = slices.DeleteFunc(s.services, func(r serviceRow) bool {
		if gone(r.row) {
			s.release(&r)
		}
		return gone(r.row)
	})
}

// release gives back the columns of a service and its servers.
func (s *Store) release(r *serviceRow) {
	s.ofServices.free = append(s.ofServices.free, r.column)
	for i := range r.servers {
		s.ofServers.free = append(s.ofServers.free, r.servers[i].column)
	}
}

// service gives a row of the table, or one that left it within the hour, or nil.
func (s *Store) service(id ipvs.ServiceID) *serviceRow {
	i, ok := slices.BinarySearchFunc(s.services, id, func(r serviceRow, id ipvs.ServiceID) int { return r.id.Compare(id) })
	if !ok {
		return nil
	}
	return &s.services[i]
}

// find does so for a service, a server, or the whole table.
func (s *Store) find(k Key) (row, bool) {
	if k == (Key{}) {
		return row{}, true
	}
	r := s.service(k.Service)
	if r == nil || !k.Server.IsValid() {
		return r.own()
	}
	i, ok := slices.BinarySearchFunc(r.servers, k.Server, func(r serverRow, a netip.AddrPort) int { return r.addr.Compare(a) })
	if !ok {
		return row{}, false
	}
	return r.servers[i].row, true
}

func (r *serviceRow) own() (row, bool) {
	if r == nil {
		return row{}, false
	}
	return r.row, true
}

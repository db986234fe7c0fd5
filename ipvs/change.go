package ipvs

import (
	"context"

	"golang.org/x/sys/unix"
)

// Change is one change to a service or a server as data: what the method of
// Table that is named by its Op does.
type Change struct {
	Op      Op      // OpAddService, OpSetService, OpDeleteService, OpAddServer, OpSetServer or OpDeleteServer
	Service Service // only its ServiceID counts, but where the service itself is added or set
	Server  Server
}

// ChangeServer is a change to a server of a service.
func ChangeServer(op Op, id ServiceID, s Server) Change {
	return Change{Op: op, Service: Service{ServiceID: id}, Server: s}
}

// Target names the row, as errors do.
func (c Change) Target() string {
	switch c.Op {
	case OpAddServer, OpSetServer, OpDeleteServer:
		return ServerTarget(c.Service.ServiceID, c.Server)
	}
	return c.Service.ServiceID.String()
}

// On makes the change alone.
func (c Change) On(ctx context.Context, t Table) error {
	id := c.Service.ServiceID
	switch c.Op {
	case OpAddService:
		return t.AddService(ctx, c.Service)
	case OpSetService:
		return t.SetService(ctx, c.Service)
	case OpDeleteService:
		return t.DeleteService(ctx, id)
	case OpAddServer:
		return t.AddServer(ctx, id, c.Server)
	case OpSetServer:
		return t.SetServer(ctx, id, c.Server)
	case OpDeleteServer:
		return t.DeleteServer(ctx, id, c.Server)
	}
	return Refused(c.Op, c.Target(), unix.EINVAL)
}

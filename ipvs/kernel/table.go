package kernel

import (
	"context"
	"net/netip"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
)

// Info implements ipvs.Reader.
func (c *Client) Info(ctx context.Context) (ipvs.Info, error) {
	var i ipvs.Info
	err := c.ask(ctx, question{request{cmd: cmdGetInfo}, func(message []byte) error { return parseInfo(message, &i) }})
	if err != nil {
		return ipvs.Info{}, refused(ipvs.OpInfo, "", err)
	}
	i.EstimatorOff = c.files.EstimatorOff()
	return i, nil
}

// Services implements ipvs.Table with one dump.
func (c *Client) Services(ctx context.Context) ([]ipvs.ServiceState, error) {
	return services(ctx, c, parseService, func(s *ipvs.ServiceState) ipvs.ServiceID { return s.ServiceID })
}

// services lists the services, each once, as far as parse reads them. Mostly they are
// as many as at the time before.
func services[T any](ctx context.Context, c *Client, parse func([]byte, *T) error, id func(*T) ipvs.ServiceID) ([]T, error) {
	listed, err := dump(ctx, c, cmdGetService, nil, int(c.services.Load()), parse)
	if err != nil {
		return nil, refused(ipvs.OpList, "", err)
	}
	listed = once(listed, id)
	c.services.Store(int32(len(listed)))
	return listed, nil
}

// once drops what a list has twice, as it may while others change the table: the
// kernel counts rows to find where the next piece of its answer begins.
func once[T any, K comparable](all []T, key func(*T) K) []T {
	known := make(map[K]bool, len(all))
	kept := all[:0]
	for i := range all {
		if k := key(&all[i]); !known[k] {
			known[k] = true
			kept = append(kept, all[i])
		}
	}
	return kept
}

// Service implements ipvs.Table.
func (c *Client) Service(ctx context.Context, id ipvs.ServiceID) (ipvs.ServiceState, error) {
	var s ipvs.ServiceState
	r := request{cmd: cmdGetService, attrs: written(configureID, id)}
	err := c.ask(ctx, question{r, func(message []byte) error { return parseService(message, &s) }})
	if err != nil {
		return ipvs.ServiceState{}, refused(ipvs.OpGetService, id.String(), err)
	}
	return s, nil
}

// fewServers is as many as most services have.
const fewServers = 16

// Servers implements ipvs.Reader.
func (c *Client) Servers(ctx context.Context, id ipvs.ServiceID) ([]ipvs.ServerState, error) {
	servers, err := dump(ctx, c, cmdGetDest, written(configureID, id), fewServers, parseServer)
	if err != nil {
		return nil, refused(ipvs.OpGetServers, id.String(), err)
	}
	if len(servers) <= fewServers { // which come in one piece
		return servers, nil
	}
	return once(servers, func(s *ipvs.ServerState) netip.AddrPort { return s.Addr }), nil
}

// AddService implements ipvs.Table.
func (c *Client) AddService(ctx context.Context, s ipvs.Service) error {
	return c.apply(ctx, ipvs.Change{Op: ipvs.OpAddService, Service: s})
}

// SetService implements ipvs.Table. Connections and counters stay.
func (c *Client) SetService(ctx context.Context, s ipvs.Service) error {
	return c.apply(ctx, ipvs.Change{Op: ipvs.OpSetService, Service: s})
}

// DeleteService implements ipvs.Table.
func (c *Client) DeleteService(ctx context.Context, id ipvs.ServiceID) error {
	return c.apply(ctx, ipvs.Change{Op: ipvs.OpDeleteService, Service: ipvs.Service{ServiceID: id}})
}

// AddServer implements ipvs.Table. A server that was deleted a short while ago
// comes back with the connections and counters it had.
func (c *Client) AddServer(ctx context.Context, id ipvs.ServiceID, s ipvs.Server) error {
	return c.apply(ctx, ipvs.ChangeServer(ipvs.OpAddServer, id, s))
}

// SetServer implements ipvs.Table. Connections and counters stay.
func (c *Client) SetServer(ctx context.Context, id ipvs.ServiceID, s ipvs.Server) error {
	return c.apply(ctx, ipvs.ChangeServer(ipvs.OpSetServer, id, s))
}

// DeleteServer implements ipvs.Table.
func (c *Client) DeleteServer(ctx context.Context, id ipvs.ServiceID, s ipvs.Server) error {
	return c.apply(ctx, ipvs.ChangeServer(ipvs.OpDeleteServer, id, s))
}

// Zero implements ipvs.Table.
func (c *Client) Zero(ctx context.Context, id ipvs.ServiceID) error {
	return c.change(ctx, ipvs.OpZero, id.String(), cmdZero, written(configureID, id))
}

// ZeroAll implements ipvs.Table.
func (c *Client) ZeroAll(ctx context.Context) error {
	return c.change(ctx, ipvs.OpZero, "", cmdZero, nil)
}

// Flush implements ipvs.Table.
func (c *Client) Flush(ctx context.Context) error {
	return c.change(ctx, ipvs.OpFlush, "", cmdFlush, nil)
}

// Timeouts implements ipvs.Reader.
func (c *Client) Timeouts(ctx context.Context) (ipvs.Timeouts, error) {
	var t ipvs.Timeouts
	err := c.ask(ctx, question{request{cmd: cmdGetConfig}, func(message []byte) error { return parseTimeouts(message, &t) }})
	if err != nil {
		return ipvs.Timeouts{}, refused(ipvs.OpGetTimeouts, "", err)
	}
	return t, nil
}

// SetTimeouts implements ipvs.Table.
func (c *Client) SetTimeouts(ctx context.Context, t ipvs.Timeouts) error {
	return c.change(ctx, ipvs.OpSetTimeouts, "", cmdSetConfig, written(configureTimeouts, t))
}

// Daemons implements ipvs.Reader.
func (c *Client) Daemons(ctx context.Context) ([]ipvs.Daemon, error) {
	daemons, err := dump(ctx, c, cmdGetDaemon, nil, 2, parseDaemon)
	if err != nil {
		return nil, refused(ipvs.OpGetDaemons, "", err)
	}
	return daemons, nil
}

// StartDaemon implements ipvs.Table.
func (c *Client) StartDaemon(ctx context.Context, d ipvs.Daemon) error {
	if len(d.Interface) > maxName {
		return refused(ipvs.OpStartDaemon, d.Role.String(), ipvs.ErrNoDevice)
	}
	return c.change(ctx, ipvs.OpStartDaemon, d.Role.String(), cmdNewDaemon, written(configureDaemon, d))
}

// StopDaemon implements ipvs.Table. A daemon that had no time to run yet stops
// with EINTR (kthread_stop), which is as good.
func (c *Client) StopDaemon(ctx context.Context, d ipvs.Daemon) error {
	r := request{cmd: cmdDelDaemon, flags: unix.NLM_F_ACK, attrs: written(configureDaemon, d), fenced: true}
	if err := c.ask(ctx, question{r, nothing}); err != nil && err != refusal(unix.EINTR) {
		return refused(ipvs.OpStopDaemon, d.Role.String(), err)
	}
	return nil
}

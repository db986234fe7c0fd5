package kernel

import (
	"context"
	"slices"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
)

// volleySize bounds the changes of one write. The kernel carries a whole write
// out before it lets us read, and meanwhile each refusal takes 768 bytes of what
// the socket may hold (net.core.rmem_default, by default 208 KiB). More than this
// at once gains nothing.
const volleySize = 128

// Apply implements ipvs.Table with one write for many changes. To acknowledge a
// change costs the kernel and us more than to make it. So we ask for that of the
// last only, and are told of the others when they are refused.
func (c *Client) Apply(ctx context.Context, changes []ipvs.Change) []error {
	errs := make([]error, 0, len(changes))
	for volley := range slices.Chunk(changes, volleySize) {
		said, err := c.volley(ctx, volley)
		for i := range volley {
			why := err
			if err == nil {
				why = said[i]
			}
			if why != nil {
				why = refused(volley[i].Op, volley[i].Target(), why)
			}
			errs = append(errs, why)
		}
	}
	return errs
}

// apply makes one change. When its context ends first, it may happen or not.
func (c *Client) apply(ctx context.Context, change ipvs.Change) error {
	return c.Apply(ctx, []ipvs.Change{change})[0]
}

// volley gives what came of each change, or why that is not known.
func (c *Client) volley(ctx context.Context, changes []ipvs.Change) (said []error, err error) {
	err = c.with(ctx, func(conn *conn) (err error) {
		if said, err = conn.volley(ctx, changes); slices.Contains(said, error(refusal(unix.ENOENT))) {
			return refusal(unix.ENOENT)
		}
		return err
	})
	if err == refusal(unix.ENOENT) {
		err = nil
	}
	return said, err
}

func (c *conn) volley(ctx context.Context, changes []ipvs.Change) ([]error, error) {
	v := c.load(changes)
	if v.last < 0 {
		return v.said, nil
	}
	if err := c.beside(ctx, func() error { return c.talk(v.read) }); err != nil {
		return nil, err // and leave said alone: see exchange
	}
	return v.said, nil
}

// load writes changes down, but for those that we refuse ourselves.
func (c *conn) load(changes []ipvs.Change) *verdicts {
	v := &verdicts{first: c.numbers(len(changes)), port: c.port, last: -1, said: make([]error, len(changes))}
	for i := range changes {
		if v.said[i] = check(&changes[i]); v.said[i] == nil {
			v.last = i
		}
	}
	c.out.buf = c.out.buf[:0]
	for i := range changes {
		if v.said[i] != nil {
			continue
		}
		var flags uint16
		if i == v.last {
			flags = unix.NLM_F_ACK
		}
		at := c.out.begin(c.family, commands[changes[i].Op], flags, v.first+uint32(i))
		configureChange(&c.out, &changes[i])
		c.out.end(at)
	}
	return v
}

// verdicts reads the answers to a volley, piece by piece.
type verdicts struct {
	first, port uint32 // the number of the first change's message
	last        int    // the one that is always answered
	said        []error
}

func (v *verdicts) read(piece []byte) (done bool, err error) {
	for len(piece) > 0 {
		var m reply
		if m, piece, err = cut(piece); err != nil {
			return false, err
		}
		n := m.seq - v.first
		if m.port != v.port || n > uint32(v.last) { // for others, or stale
			continue
		}
		switch m.kind {
		case unix.NLMSG_OVERRUN:
			return false, errLost
		case unix.NLMSG_ERROR:
			if v.said[n] = m.errno(); v.said[n] == errMalformed {
				return false, errMalformed
			}
			done = n == uint32(v.last)
		}
	}
	return done, nil
}

// commands are those of changes.
var commands = map[ipvs.Op]uint8{
	ipvs.OpAddService: cmdNewService, ipvs.OpSetService: cmdSetService, ipvs.OpDeleteService: cmdDelService,
	ipvs.OpAddServer: cmdNewDest, ipvs.OpSetServer: cmdSetDest, ipvs.OpDeleteServer: cmdDelDest,
}

// configureChange writes the attributes of a change.
func configureChange(w *writer, c *ipvs.Change) {
	switch c.Op {
	case ipvs.OpAddService, ipvs.OpSetService:
		configureService(w, c.Service)
		return
	}
	configureID(w, c.Service.ServiceID)
	switch c.Op {
	case ipvs.OpAddServer, ipvs.OpSetServer:
		configureServer(w, c.Server)
	case ipvs.OpDeleteServer:
		configureAddr(w, c.Server)
	}
}

// maxName is the longest name a scheduler, engine or interface can have
// (IP_VS_SCHEDNAME_MAXLEN and others, less the NUL). To a longer one the kernel
// says EINVAL, which would not tell the operator what is wrong.
const maxName = 15

// check refuses what the kernel would refuse for no reason that can be seen.
func check(c *ipvs.Change) error {
	if commands[c.Op] == 0 {
		return refusal(unix.EINVAL)
	}
	if len(c.Service.Scheduler) > maxName || len(c.Service.Persistence.Engine) > maxName {
		return ipvs.ErrNoScheduler
	}
	return nil
}

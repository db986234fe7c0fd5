package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
)

var _ ipvs.Table = (*Client)(nil)

// Client is the table of one network namespace. It is safe for concurrent use;
// callers take turns on one socket.
type Client struct {
	files *proc.Files

	// turn holds the socket while nobody uses it; nil when it must be dialled.
	turn    chan *conn
	closed  chan struct{}
	closing sync.Once

	services atomic.Int32 // when they were listed last
}

// Options are choices at Open.
type Options struct {
	// LoadModule runs the kernel's own modprobe once when IPVS is not there.
	LoadModule bool
}

// Open opens the table of the calling thread's network namespace, where the
// client stays whatever thread uses it. Errors are ipvs.ErrUnavailable without
// IPVS, and ipvs.ErrPermission without CAP_NET_ADMIN, which the kernel demands
// even of readers, and in the initial user namespace.
func Open(ctx context.Context, o Options) (*Client, error) {
	c, err := openClient(ctx)
	if o.LoadModule && errors.Is(err, ipvs.ErrUnavailable) {
		if failed := LoadModule(ctx, "ip_vs"); failed != nil {
			err = fmt.Errorf("%w (%w)", ipvs.ErrUnavailable, failed)
		} else {
			c, err = openClient(ctx)
		}
	}
	if err != nil {
		return nil, refused(ipvs.OpOpen, "", err)
	}
	return c, nil
}

func openClient(ctx context.Context) (*Client, error) {
	files, err := proc.OpenFiles()
	if err != nil {
		return nil, err
	}
	c := &Client{files: files, turn: make(chan *conn, 1), closed: make(chan struct{})}
	c.turn <- nil
	// The cheapest question shows whether we may ask at all.
	if err := c.ask(ctx, question{request{cmd: cmdGetInfo}, nothing}); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Limits implements ipvs.Reader: there are none.
func (c *Client) Limits() ipvs.Limits { return ipvs.Limits{} }

// Close closes all. Whoever waits for the kernel, or asks later, gets
// os.ErrClosed.
func (c *Client) Close() (err error) {
	c.closing.Do(func() {
		c.stop()
		err = c.files.Close()
	})
	return err
}

// stop takes the last turn there is.
func (c *Client) stop() {
	close(c.closed)
	if conn := <-c.turn; conn != nil {
		conn.close()
	}
}

// take waits for a turn and gives the socket, a fresh one if need be.
func (c *Client) take(ctx context.Context) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-c.closed:
		return nil, os.ErrClosed
	case conn := <-c.turn:
		if conn != nil {
			return conn, nil
		}
		conn, err := dial(ctx, c.files.Namespace(), c.closed)
		if err != nil {
			c.turn <- nil
		}
		return conn, err
	}
}

// give ends a turn. After a refusal the socket is as good as ever; after any
// other error it is dropped, and closed once the kernel lets go of it.
func (c *Client) give(conn *conn, err error) {
	if _, no := err.(refusal); err != nil && !no {
		go conn.close()
		conn = nil
	}
	c.turn <- conn
}

// with lends the socket to do something. When the kernel does not know what it is
// asked for, the reason may be that the module was loaded again and the family
// has a new number: then it is done again.
func (c *Client) with(ctx context.Context, do func(*conn) error) error {
	conn, err := c.take(ctx)
	if err != nil {
		return err
	}
	family := conn.family
	if err = do(conn); err == refusal(unix.ENOENT) {
		if again := conn.resolve(ctx); again != nil {
			err = again
		} else if conn.family != family {
			err = do(conn)
		}
	}
	c.give(conn, err)
	return err
}

// ask has questions answered by the family IPVS.
func (c *Client) ask(ctx context.Context, all ...question) error {
	return c.with(ctx, func(conn *conn) error {
		for i := range all {
			all[i].family = conn.family
		}
		err := conn.exchange(ctx, all...)
		if err == refusal(unix.EBUSY) && all[0].flags == unix.NLM_F_DUMP {
			err = errLost
		}
		return err
	})
}

// change asks for a change. When its context ends first, it may happen or not.
func (c *Client) change(ctx context.Context, op ipvs.Op, target string, cmd uint8, attrs []byte) error {
	err := c.ask(ctx, question{request{cmd: cmd, flags: unix.NLM_F_ACK, attrs: attrs}, nothing})
	return refused(op, target, err)
}

// nothing is what is expected in answer to a change.
func nothing([]byte) error { return nil }

// dump asks for a list of about so many, once more when it was lost.
func dump[T any](ctx context.Context, c *Client, cmd uint8, attrs []byte, about int, parse func([]byte, *T) error) ([]T, error) {
	for again := false; ; again = true {
		all, err := list(about, func(each func([]byte) error) error {
			return c.ask(ctx, question{request{cmd: cmd, flags: unix.NLM_F_DUMP, attrs: attrs}, each})
		}, parse)
		if again || !errors.Is(err, errLost) {
			return all, err
		}
	}
}

// list makes a list of the messages that ask gets.
func list[T any](about int, ask func(each func([]byte) error) error, parse func([]byte, *T) error) ([]T, error) {
	all := make([]T, 0, about)
	err := ask(func(message []byte) error {
		var one T
		all = append(all, one)
		return parse(message, &all[len(all)-1])
	})
	if err != nil {
		return nil, err // and leave all alone: see exchange
	}
	return all, nil
}

// refused puts what went wrong into the words of package ipvs.
func refused(op ipvs.Op, target string, err error) error {
	if err == nil {
		return nil
	}
	if errno, ok := err.(refusal); ok {
		return ipvs.Refused(op, target, unix.Errno(errno))
	}
	return &ipvs.Error{Op: op, Target: target, Kind: err}
}

package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
	"unsafe"

	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
)

// refusal is an errno that the kernel answered with, as opposed to one that
// sending or receiving failed with.
type refusal syscall.Errno

func (r refusal) Error() string { return syscall.Errno(r).Error() }

// errLost: an answer did not come whole. A fresh socket may get it.
var errLost = errors.New("the kernel's answer was lost on the way")

// conn is one netlink socket and what was learned on it. One caller at a time
// may use it, and after an error that is not a refusal nobody: the rest of an
// answer may still be under way.
//
// nl.NetlinkSocket makes the socket, but does not serve to receive: it makes two
// buffers for each piece of an answer, and knows no context.
type conn struct {
	file   *os.File // not blocking, so that closing it wakes who waits
	raw    syscall.RawConn
	closed <-chan struct{} // closed with the client
	port   uint32          // our address: messages for others are none of ours
	family uint16          // the number that IPVS has until its module is loaded again
	seq    uint32          // the number of the newest message
	out    writer          // what is sent, and
	buffer []byte          // what is answered, both used again each time
}

// pieceSize is how much of an answer we offer to take at once. The kernel makes
// room for that much, up to 32 KiB, however little it has to say, and often clears
// it first. This is the most that fits a block of 8 KiB with the kernel's own 320
// bytes, and the least that it ever makes on machines with large pages
// (NLMSG_GOODSIZE): with 64 KiB the servers of 1,000 services took three times as
// long.
const pieceSize = 8<<10 - 320

// dial opens a socket in a network namespace and asks for the family's number.
func dial(ctx context.Context, in *proc.Namespace, closed <-chan struct{}) (c *conn, err error) {
	if err := in.Do(func() (err error) { c, err = open(); return err }); err != nil {
		return nil, err
	}
	c.closed = closed
	if err := c.resolve(ctx); err != nil {
		go c.close()
		return nil, err
	}
	return c, nil
}

// open opens a socket in the calling thread's network namespace.
func open() (*conn, error) {
	sock, err := nl.GetNetlinkSocketAt(netns.None(), netns.None(), unix.NETLINK_GENERIC)
	if err != nil {
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	defer sock.Close()
	port, err := sock.GetPid()
	if err != nil {
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	fd, err := unix.FcntlInt(uintptr(sock.GetFd()), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	// Connected to the kernel, it hears nobody else.
	if err := unix.Connect(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	return newConn(fd, port)
}

// newConn takes over a socket that does not block.
func newConn(fd int, port uint32) (*conn, error) {
	c := &conn{file: os.NewFile(uintptr(fd), "netlink"), port: port, buffer: make([]byte, pieceSize)}
	var err error
	c.raw, err = c.file.SyscallConn()
	return c, err
}

func (c *conn) close() { c.file.Close() }

// resolve looks for the number of the family IPVS. Without the module there is
// none: ipvs.ErrUnavailable. It reads the list of all families, because asking
// for one by its name makes the kernel load a module.
func (c *conn) resolve(ctx context.Context) error {
	families, err := list(32, func(each func([]byte) error) error {
		return c.exchange(ctx, question{
			request{family: nl.GENL_ID_CTRL, cmd: nl.GENL_CTRL_CMD_GETFAMILY, flags: unix.NLM_F_DUMP}, each,
		})
	}, parseFamily)
	if err != nil {
		return err
	}
	for _, f := range families {
		if f.name == "IPVS" {
			c.family = f.number
			return nil
		}
	}
	return ipvs.ErrUnavailable
}

// question is a request, and what is to be done with each message of the answer,
// which comes without its headers.
type question struct {
	request
	each func(message []byte) error
}

// exchange asks one question after the other. After an error that is not a
// refusal, one may still be under way, and what its each writes must be left
// alone.
func (c *conn) exchange(ctx context.Context, all ...question) error {
	return c.beside(ctx, func() error {
		for _, q := range all {
			a := answer{seq: c.numbers(2), port: c.port, each: q.each}
			a.fence = a.seq + 1
			c.out.buf = c.out.buf[:0]
			q.write(&c.out, a.seq, a.fence)
			if err := c.talk(a.read); err != nil {
				return err
			}
		}
		return nil
	})
}

// numbers gives the first of so many numbers that no message of this socket has
// had.
func (c *conn) numbers(n int) uint32 {
	c.seq += uint32(n)
	return c.seq - uint32(n) + 1
}

// beside does what uses the socket on a goroutine of its own. It returns when the
// context ends or the client closes, whatever the kernel does: a call can be
// stuck inside it (a scheduler is loaded while the table is locked, which may
// wait for a namespace that is removed, and that for the table).
func (c *conn) beside(ctx context.Context, do func() error) error {
	done := make(chan error, 1)
	go func() {
		// A panic here would be out of reach of whoever gives a terminal back.
		defer func() {
			if p := recover(); p != nil {
				done <- fmt.Errorf("reading the kernel's answer failed: %v\n%s", p, debug.Stack())
			}
		}()
		done <- do()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-c.closed:
		return os.ErrClosed
	}
}

// talk sends what is in out, and gives each piece of the answer to read until it
// is done.
func (c *conn) talk(read func(piece []byte) (done bool, err error)) error {
	if err := c.send(c.out.buf); err != nil {
		return err
	}
	return c.listen(read)
}

func (c *conn) listen(read func(piece []byte) (done bool, err error)) error {
	for {
		piece, err := c.receive()
		if err != nil {
			return err
		}
		if done, err := read(piece); done || err != nil {
			return err
		}
	}
}

func (c *conn) send(message []byte) error {
	var failed error
	err := c.raw.Write(func(fd uintptr) bool {
		_, failed = unix.Write(int(fd), message)
		return failed != unix.EAGAIN
	})
	return errors.Join(err, failed)
}

// receive reads a message and gives its true length, also of one that was too long.
// unix.Recvfrom would ask for the sender besides, who is known, at a tenth of the time
// of a small list.
func receive(fd uintptr, to []byte) (int, error) {
	n, _, errno := unix.Syscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&to[0])), uintptr(len(to)), unix.MSG_TRUNC, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// receive gives one piece of an answer, good until the next.
func (c *conn) receive() ([]byte, error) {
	var n int
	var failed error
	err := c.raw.Read(func(fd uintptr) bool {
		for {
			n, failed = receive(fd, c.buffer)
			if failed != unix.EINTR {
				return failed != unix.EAGAIN
			}
		}
	})
	switch {
	case err != nil:
		return nil, err
	case failed == unix.ENOBUFS || n > len(c.buffer):
		return nil, errLost
	case failed != nil:
		return nil, fmt.Errorf("netlink receive: %w", failed)
	}
	return c.buffer[:n], nil
}

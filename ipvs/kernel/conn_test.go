package kernel

import (
	"context"
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
)

// peer is the other end of a socket, in the kernel's place. It answers only
// what the test has it answer.
type peer struct {
	t  *testing.T
	fd int
}

const testPort = 4711

func newPeer(t *testing.T) (*conn, peer) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	c, err := newConn(fds[0], testPort)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.close(); unix.Close(fds[1]) })
	return c, peer{t, fds[1]}
}

// client is one whose turn has that socket.
func newClient(c *conn) *Client {
	client := &Client{turn: make(chan *conn, 1), closed: make(chan struct{})}
	c.closed = client.closed
	client.turn <- c
	return client
}

// message is one netlink message with a generic netlink header of zeros.
func message(kind, flags uint16, seq, port uint32, body ...byte) []byte {
	b := make([]byte, unix.SizeofNlMsghdr)
	native.PutUint32(b, uint32(len(b)+len(body)))
	native.PutUint16(b[4:], kind)
	native.PutUint16(b[6:], flags)
	native.PutUint32(b[8:], seq)
	native.PutUint32(b[12:], port)
	return append(b, body...)
}

func errnoMessage(kind uint16, seq uint32, errno unix.Errno) []byte {
	body := make([]byte, 4)
	native.PutUint32(body, uint32(-int32(errno)))
	return message(kind, 0, seq, testPort, body...)
}

func (p peer) send(pieces ...[]byte) {
	p.t.Helper()
	for _, b := range pieces {
		if _, err := unix.Write(p.fd, b); err != nil {
			p.t.Fatal(err)
		}
	}
}

// await waits until something was asked.
func (p peer) await() {
	p.t.Helper()
	if _, err := unix.Poll([]unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}, -1); err != nil {
		p.t.Fatal(err)
	}
}

func TestSilentSocket(t *testing.T) {
	for name, over := range map[string]func() (context.Context, context.CancelFunc){
		"deadline": func() (context.Context, context.CancelFunc) { return context.WithTimeout(t.Context(), 1) },
		"cancel": func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(t.Context())
			go cancel()
			return ctx, cancel
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := newPeer(t)
			ctx, cancel := over()
			defer cancel()
			err := c.exchange(ctx, question{each: nothing})
			if !errors.Is(err, ctx.Err()) || err == nil {
				t.Errorf("want %v, got %v", ctx.Err(), err)
			}
		})
	}
}

// A call that gave up must leave nothing behind that could answer the next.
func TestGivingUpDropsSocket(t *testing.T) {
	c, kernel := newPeer(t)
	client := newClient(c)
	ctx, cancel := context.WithTimeout(t.Context(), 1)
	defer cancel()
	<-ctx.Done() // before or after it is sent, all the same
	if err := client.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want %v, got %v", context.DeadlineExceeded, err)
	}
	taken := <-client.turn
	if taken != c {
		t.Error("the socket was dropped though nothing was sent on it")
	}
	client.turn <- taken

	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	sent := make(chan error)
	go func() { sent <- client.Flush(ctx) }()
	kernel.await()
	cancel()
	if err := <-sent; !errors.Is(err, context.Canceled) {
		t.Errorf("want %v, got %v", context.Canceled, err)
	}
	if taken := <-client.turn; taken != nil {
		t.Error("the socket was kept though an answer may still come")
	}
}

// Close must not wait for a kernel that is silent.
func TestCloseWakes(t *testing.T) {
	c, kernel := newPeer(t)
	client := newClient(c)
	done := make(chan error)
	go func() { done <- client.Flush(t.Context()) }()
	kernel.await()
	client.closing.Do(client.stop)
	if err := <-done; !errors.Is(err, os.ErrClosed) {
		t.Errorf("want %v, got %v", os.ErrClosed, err)
	}
	if err := client.Flush(t.Context()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: want %v, got %v", os.ErrClosed, err)
	}
}

// talkTo sends nothing but the answer before the question: the socket keeps it.
func TestAnswers(t *testing.T) {
	const seq, multi = 42, unix.NLM_F_MULTI
	genl := []byte{0, 0, 0, 0}
	body := func(b byte) []byte { return append(genl, b, 0, 0, 0) }
	for _, test := range []struct {
		name   string
		pieces [][]byte
		want   []byte // the first bytes of the bodies
		err    error
	}{
		{"a single answer", [][]byte{message(32, 0, seq, testPort, body(1)...)}, []byte{1}, nil},
		{"a list in two pieces", [][]byte{
			append(message(32, multi, seq, testPort, body(1)...), message(32, multi, seq, testPort, body(2)...)...),
			append(message(32, multi, seq, testPort, body(3)...), message(unix.NLMSG_DONE, multi, seq, testPort)...),
		}, []byte{1, 2, 3}, nil},
		{"a list that changed meanwhile", [][]byte{
			message(32, multi|unix.NLM_F_DUMP_INTR, seq, testPort, body(1)...),
			message(unix.NLMSG_DONE, multi|unix.NLM_F_DUMP_INTR, seq, testPort, 0, 0, 0, 0),
		}, []byte{1}, nil},
		{"stale and foreign messages", [][]byte{
			message(32, multi, seq-1, testPort, body(8)...),
			errnoMessage(unix.NLMSG_ERROR, seq-1, unix.EPERM),
			message(32, 0, seq, testPort+1, body(9)...),
			errnoMessage(unix.NLMSG_ERROR, seq, 0),
		}, nil, nil},
		{"a refusal", [][]byte{errnoMessage(unix.NLMSG_ERROR, seq, unix.EEXIST)}, nil, refusal(unix.EEXIST)},
		{"a list that failed midway", [][]byte{
			message(32, multi, seq, testPort, body(1)...), errnoMessage(unix.NLMSG_DONE, seq, unix.ENOMEM),
		}, []byte{1}, refusal(unix.ENOMEM)},
		{"nothing but the fence", [][]byte{errnoMessage(unix.NLMSG_ERROR, seq+1, 0)}, nil, refusal(unix.EINTR)},
		{"an overrun", [][]byte{message(unix.NLMSG_OVERRUN, 0, seq, testPort)}, nil, errLost},
		{"a piece too long", [][]byte{make([]byte, pieceSize+1)}, nil, errLost},
		{"half a header", [][]byte{{1, 2, 3}}, nil, errMalformed},
		{"a length of nothing", [][]byte{make([]byte, 16)}, nil, errMalformed},
		{"a message cut off", [][]byte{message(32, 0, seq, testPort, body(1)...)[:20]}, nil, errMalformed},
		{"no generic header", [][]byte{message(32, 0, seq, testPort)}, nil, errMalformed},
		{"an error without an errno", [][]byte{message(unix.NLMSG_ERROR, 0, seq, testPort)}, nil, errMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, kernel := newPeer(t)
			kernel.send(test.pieces...)
			var got []byte
			a := answer{seq: seq, fence: seq + 1, port: testPort, each: func(b []byte) error {
				got = append(got, b[0])
				return nil
			}}
			if err := c.listen(a.read); err != test.err || string(got) != string(test.want) {
				t.Errorf("want %v, %v\n got %v, %v", test.want, test.err, got, err)
			}
		})
	}
}

// Requests that the kernel refuses leave the socket in use; lost answers and
// what cannot be understood do not.
func TestGive(t *testing.T) {
	for err, kept := range map[error]bool{nil: true, refusal(unix.EEXIST): true, errLost: false, errMalformed: false} {
		c, _ := newPeer(t)
		client := &Client{turn: make(chan *conn, 1)}
		client.give(c, err)
		if got := <-client.turn; (got != nil) != kept {
			t.Errorf("after %v: want the socket kept: %v, got %v", err, kept, got)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, test := range []struct{ err, want error }{
		{refusal(unix.ESRCH), ipvs.ErrNoService},
		{refusal(unix.ESRCH), unix.ESRCH},
		{context.Canceled, context.Canceled},
		{ipvs.ErrUnavailable, ipvs.ErrUnavailable},
	} {
		if err := refused(ipvs.OpGetService, "TCP 192.0.2.1:80", test.err); !errors.Is(err, test.want) {
			t.Errorf("want %v, got %v", test.want, err)
		}
	}
	if err := refused(ipvs.OpList, "", nil); err != nil {
		t.Errorf("want nil, got %v", err)
	}
}

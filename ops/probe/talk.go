package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/ops/probe/wire"
)

// talk is a conversation with one server: questions, and ears for what comes.
type talk struct {
	p     *Prober
	host  host
	ears  *ears
	port  int    // a socket that keeps a port for us
	src   uint16 // that port
	ident uint16 // of our pings
	asked uint16 // the number of the last question, from anywhere on
}

var errNoPort = errors.New("services of the table take all of them")

// talk begins a conversation in which we are the address from, and packets of
// these families may come.
func (p *Prober) talk(h host, from netip.Addr, families map[ipvs.Family]bool) (*talk, error) {
	t := &talk{p: p, host: h, ident: uint16(rand.Uint32()), asked: uint16(rand.Uint32())}
	err := p.in.Do(func() (err error) {
		t.port, t.src, err = reserve(h, from)
		return err
	})
	if err != nil {
		return nil, err
	}
	var want []ear
	if families[ipvs.IPv4] {
		want = append(want, ear{wire.EtherIPv4, answers4(t.src)})
	}
	if families[ipvs.IPv6] {
		want = append(want, ear{wire.EtherIPv6, answers6(t.src)})
	}
	// On all links: an answer that comes by another one tells something, too.
	if t.ears, err = p.listen(0, want...); err != nil {
		unix.Close(t.port)
		return nil, err
	}
	return t, nil
}

func (t *talk) close() {
	t.ears.close()
	unix.Close(t.port)
}

// reserve binds a port that nobody else then gets, and to which IPVS takes no
// packet. The socket is never used: the kernel answers as if there were none.
func reserve(h host, from netip.Addr) (fd int, port uint16, err error) {
	family, at := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Addr: [4]byte(from.AsSlice())})
	if from.Is6() {
		family, at = unix.AF_INET6, &unix.SockaddrInet6{Addr: from.As16()}
	}
	for range 100 {
		fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			break
		}
		var name unix.Sockaddr
		if err = unix.Bind(fd, at); err == nil {
			name, err = unix.Getsockname(fd)
		}
		switch n := name.(type) {
		case *unix.SockaddrInet4:
			port = uint16(n.Port)
		case *unix.SockaddrInet6:
			port = uint16(n.Port)
		}
		if err == nil && !h.schedules(netip.AddrPortFrom(from, port), false) {
			return fd, port, nil
		}
		unix.Close(fd)
		if err != nil {
			break
		}
	}
	return 0, 0, fmt.Errorf("cannot reserve a port of %s: %w", from, cmp.Or(err, errNoPort))
}

// connection makes a SYN of this conversation; a ping is made of the rest.
func (t *talk) connection(name string, h wire.Header, port uint16) *question {
	q := t.ping(name, h)
	q.Ports.Src, q.Ports.Dst = t.src, port
	q.Seq, q.MSS = rand.Uint32(), 1460
	return q
}

func (t *talk) ping(name string, h wire.Header) *question {
	t.asked++
	h.ID = uint32(t.asked)
	return &question{Name: name, Header: h, Echo: wire.Echo{Ident: t.ident, Seq: t.asked}}
}

// ask puts questions, and waits until all are answered, or it is enough, or the
// time is over. Pings are repeated; a SYN is not, and is taken back at the end.
func (t *talk) ask(ctx context.Context, enough func() bool, questions ...*question) error {
	var open []*question
	put := func(q *question) error {
		err := t.ears.send(q.Link, q.frame())
		if errors.Is(err, unix.EMSGSIZE) {
			q.Reply.Outcome = noRoom
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot send on %s: %w", t.host.linkName(q.Link), err)
		}
		return nil
	}
	defer func() {
		for _, q := range questions {
			if q.connects() && q.Reply.Outcome != reset {
				t.ears.send(q.Link, q.takeBack())
			}
		}
	}()
	start := time.Now()
	for _, q := range questions {
		q.Reply = reply{Outcome: silence}
		if err := put(q); err != nil {
			return err
		}
		if q.Reply.Outcome == silence {
			open = append(open, q)
		}
	}
	pace := time.NewTicker(t.p.options.Wait / tries)
	defer pace.Stop()
	for rounds := tries; len(open) > 0 && !enough(); {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-pace.C:
			if rounds--; rounds == 0 {
				return nil
			}
			for _, q := range open {
				if !q.connects() {
					if err := put(q); err != nil {
						return err
					}
				}
			}
		case f := <-t.ears.heard:
			packet, ok := wire.Parse(f.Payload)
			if !ok {
				continue
			}
			for i, q := range open {
				r, ok := q.answered(packet)
				if !ok {
					continue
				}
				r.After, r.MAC, r.Link = f.At.Sub(start), f.From, t.host.linkName(f.Link)
				q.Reply = r
				open = append(open[:i:i], open[i+1:]...)
				break
			}
		}
	}
	return nil
}

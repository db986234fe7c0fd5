package probe

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
	"lvsdeck/netcfg"
	"lvsdeck/ops/probe/wire"
)

// ErrPermission is the answer to those who may not send packets of their own
// making.
var ErrPermission = errors.New("not permitted to send probes; run as root (CAP_NET_RAW)")

// Options are choices at Open.
type Options struct {
	// Wait is how long an answer may take; 0 is a second. A server that is silent
	// takes a few times as long.
	Wait time.Duration

	// Services are those of the table. Probes avoid addresses and ports at which
	// the answer would make a connection in it.
	Services []ipvs.ServiceID

	// Far is an address of this host's that servers reach through their gateway
	// only, and that is routed here. With it DR and TUN servers are pinged from
	// there, too, which shows what clients beyond the segment would meet.
	Far netip.Addr

	// MTU has TUN servers of TCP services pinged with packets as long as clients
	// send, too.
	MTU bool
}

// Prober sends probes from one network namespace. It is safe for concurrent
// use.
type Prober struct {
	in      *proc.Namespace
	around  netcfg.Surroundings
	options Options
}

// Open gives a prober for the calling thread's network namespace, of which
// around tells. The error is ErrPermission for those who may not.
func Open(around netcfg.Surroundings, o Options) (*Prober, error) {
	here, err := proc.Here()
	if err != nil {
		return nil, fmt.Errorf("cannot tell this network namespace: %w", err)
	}
	if o.Wait == 0 {
		o.Wait = time.Second
	}
	p := &Prober{in: here, around: around, options: o}
	e, err := p.listen(0, ear{}) // deaf, but refused like any
	if err != nil {
		here.Close()
		return nil, err
	}
	e.close()
	return p, nil
}

// Close lets the namespace go.
func (p *Prober) Close() error { return p.in.Close() }

// ear is what is listened for: a protocol of Ethernet, through a filter.
type ear struct {
	kind   uint16
	filter []unix.SockFilter
}

// ears are sockets whose frames come together.
type ears struct {
	sockets []*socket
	heard   chan heard
	ended   chan struct{}
}

// listen opens sockets in the prober's namespace, on one link or (0) on all.
func (p *Prober) listen(link int, want ...ear) (*ears, error) {
	e := &ears{heard: make(chan heard), ended: make(chan struct{})}
	err := p.in.Do(func() error {
		for _, w := range want {
			s, err := listen(w.kind, link, w.filter)
			if err != nil {
				return err
			}
			e.sockets = append(e.sockets, s)
		}
		return nil
	})
	if err != nil {
		e.close()
		return nil, err
	}
	for _, s := range e.sockets {
		go func() {
			for {
				f, err := s.receive()
				if err != nil {
					return
				}
				select {
				case e.heard <- f:
				case <-e.ended:
					return
				}
			}
		}()
	}
	return e, nil
}

// send puts a frame on a link.
func (e *ears) send(link int, f wire.Frame) error { return e.sockets[0].send(link, f) }

func (e *ears) close() {
	close(e.ended)
	for _, s := range e.sockets {
		s.close()
	}
}

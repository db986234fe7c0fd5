package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/probe/wire"
)

// atOnce is how many servers are probed at the same time.
const atOnce = 16

// round is the probing of some servers: what all of them need is found out once.
type round struct {
	*Prober
	host host

	mu   sync.Mutex
	hops map[neighbour]func() (hop, error)
}

// neighbour is who is asked for on a link, and by which address of ours.
type neighbour struct {
	link      string
	about, by netip.Addr
}

// Server probes one server for its service.
func (p *Prober) Server(ctx context.Context, t Target) Result { return p.Servers(ctx, t)[0] }

// Servers probes all at once, and gives the results in their order.
func (p *Prober) Servers(ctx context.Context, targets ...Target) []Result {
	r := &round{Prober: p, hops: map[neighbour]func() (hop, error){}}
	var failed error
	r.host, failed = look(p.around, p.options.Services)
	results := make([]Result, len(targets))
	turns := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, t := range targets {
		all.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			f := facts{Target: t, Wait: p.options.Wait, Err: failed}
			if failed == nil {
				f.Err = r.gather(ctx, &f)
			}
			if f.Err != nil && ctx.Err() != nil {
				f.Err = ctx.Err()
			}
			results[i] = Result{t, f.judge()}
		})
	}
	all.Wait()
	return results
}

// hop asks for a neighbour, once for all who need it.
func (r *round) hop(ctx context.Context, link netcfg.Link, about, by netip.Addr) (hop, error) {
	r.mu.Lock()
	what := neighbour{link.Name, about, by}
	ask, ok := r.hops[what]
	if !ok {
		ask = sync.OnceValues(func() (hop, error) { return r.resolve(ctx, r.host, link, about, by) })
		r.hops[what] = ask
	}
	r.mu.Unlock()
	return ask()
}

// gather finds the facts out, as far as they are needed.
func (r *round) gather(ctx context.Context, f *facts) (err error) {
	server := f.Server.Addr.Addr()
	f.Path, err = r.around.Path(server, netip.Addr{})
	if errors.Is(err, netcfg.ErrNoRoute) {
		f.NoRoute = err
		return nil
	}
	if err != nil {
		return err
	}
	f.Link = r.host.links[f.Path.Link]
	f.Source = r.host.source(f.Path.Link, server, f.Path.Source, f.VIP.Addr())
	if f.early() {
		return nil
	}
	if f.Path.Local {
		return r.connect(ctx, f)
	}
	next := server
	if f.Path.Via.IsValid() {
		next = f.Path.Via
	}
	if f.Hop, err = r.hop(ctx, f.Link, next, f.Source); err != nil {
		return err
	}
	if f.unreached() {
		return nil
	}
	switch {
	case f.FullNAT:
		return r.ownAddress(ctx, f)
	case f.Server.Forward == ipvs.Masq:
		return r.masq(ctx, f)
	}
	return r.vip(ctx, f)
}

// masq asks from beyond the server's network, so that the answer shows where its
// gateway is.
func (r *round) masq(ctx context.Context, f *facts) error {
	f.Beyond = r.host.beyond(f.Server.Addr.Addr(), f.VIP.Addr())
	if !f.Beyond.IsValid() {
		return r.ownAddress(ctx, f)
	}
	t, err := r.talk(r.host, f.Beyond, families(f.Server.Addr.Addr()))
	if err != nil {
		return err
	}
	defer t.close()
	header := wire.Header{Src: f.Beyond, Dst: f.Server.Addr.Addr(), TTL: 64}
	if f.hasPort() {
		// The first alone: a router on the same segment may tell the server of the
		// short cut, and the next answer takes it.
		f.SYN = f.route(t.connection("SYN", header, f.Server.Addr.Port()))
		if err := t.ask(ctx, never, f.SYN); err != nil || f.SYN.Reply.Outcome != silence {
			return err
		}
	}
	f.Ping = f.route(t.ping("ping", header))
	if err := t.ask(ctx, never, f.Ping); err != nil || f.Ping.Reply.Outcome != silence {
		return err
	}
	return r.ownAddress(ctx, f)
}

// ownAddress asks as this director, which needs no gateway.
func (r *round) ownAddress(ctx context.Context, f *facts) error {
	if !f.hasPort() {
		return r.alive(ctx, f)
	}
	if err := r.direct(ctx, f); err != nil || outcomeOf(f.Direct) != silence {
		return err
	}
	return r.alive(ctx, f)
}

// alive pings the server itself; where it is silent, from beyond its segment, too.
func (r *round) alive(ctx context.Context, f *facts) (err error) {
	if f.Alive, err = r.ping(ctx, f, f.Source); err != nil || outcomeOf(f.Alive) != silence || f.Server.Forward != ipvs.Direct {
		return err
	}
	from := r.options.Far
	if !from.IsValid() {
		from = r.host.beyond(f.Server.Addr.Addr(), f.VIP.Addr())
	}
	if from != f.VIP.Addr() {
		f.Outside, err = r.ping(ctx, f, from)
	}
	return err
}

// ping asks the server itself, beside any tunnel. Without a fitting address of
// ours there is no question.
func (r *round) ping(ctx context.Context, f *facts, from netip.Addr) (*question, error) {
	server := f.Server.Addr.Addr()
	if !from.IsValid() || from.Is4() != server.Is4() {
		return nil, nil
	}
	t, err := r.talk(r.host, from, families(server))
	if err != nil {
		return nil, err
	}
	defer t.close()
	q := f.route(t.ping("ping", wire.Header{Src: from, Dst: server, TTL: 64}))
	return q, t.ask(ctx, never, q)
}

// vip asks for the VIP on a server of DR or TUN.
func (r *round) vip(ctx context.Context, f *facts) error {
	vip := f.VIP.Addr()
	from := r.host.source(f.Path.Link, vip, f.Source, vip)
	if f.From = from; !from.IsValid() {
		return nil
	}
	t, err := r.talk(r.host, from, families(vip, f.Server.Addr.Addr()))
	if err != nil {
		return err
	}
	defer t.close()

	// With TTL 1 it gets to the server's own address and no further.
	header := wire.Header{Src: from, Dst: vip, TTL: 1}
	f.Ping = f.through(t.ping("ping", header))
	questions := []*question{f.Ping}
	if f.hasPort() {
		f.SYN = f.through(t.connection("SYN", header, f.VIP.Port()))
		questions = append(questions, f.SYN)
	}
	if far := r.options.Far; far.IsValid() && far.Is4() == vip.Is4() {
		if !r.host.has(far) {
			return fmt.Errorf("%s is no address of this host to ask from", far)
		}
		f.Far = f.through(t.ping("ping from beyond", wire.Header{Src: far, Dst: vip, TTL: 1}))
		questions = append(questions, f.Far)
	}
	enough := func() bool {
		return f.serviceAnswered() && (f.Far == nil || f.Far.Reply.Outcome != silence) &&
			(!f.forwarded() || f.Ping.Reply.Outcome != silence)
	}
	if err := t.ask(ctx, enough, questions...); err != nil {
		return err
	}

	// The server has the VIP, but a container behind it has the service.
	if f.forwarded() && f.Ping.Reply.Outcome != failure {
		header.TTL = 64
		f.SYN = f.through(t.connection("SYN with TTL 64", header, f.VIP.Port()))
		if err := t.ask(ctx, f.serviceAnswered, f.SYN); err != nil {
			return err
		}
	}
	return r.more(ctx, t, f, header)
}

// more follows up where the answers leave the cause open.
func (r *round) more(ctx context.Context, t *talk, f *facts, header wire.Header) error {
	tun := f.Server.Forward == ipvs.TunnelFwd
	header.TTL = 1
	switch {
	case f.SYN != nil && f.SYN.Reply.Outcome == reset:
		return r.direct(ctx, f)
	case f.silent():
		if own := f.Server.Addr.Addr(); tun && own.Is4() == header.Dst.Is4() {
			header.Dst = own
			f.Inside = f.through(t.ping("ping", header))
			if err := t.ask(ctx, never, f.Inside); err != nil || f.Inside.Reply.Outcome != silence {
				return err
			}
			if f.summing() {
				f.Toggled = f.through(t.ping("ping", header))
				f.Toggled.Tunnel.Kind.Flags ^= ipvs.TunnelChecksum
				if err := t.ask(ctx, never, f.Toggled); err != nil || f.Toggled.Reply.Outcome != silence {
					return err
				}
			}
		}
		return r.alive(ctx, f)
	case tun && r.options.MTU && f.SYN != nil:
		f.Long = f.through(t.ping("ping", header))
		f.Long.Size, f.Long.Header.DF, f.Long.Tunnel.Outer.DF = f.fullSize(), true, true
		questions := []*question{f.Long}
		if f.Ping.Reply.Outcome != echoed { // there was no waiting for it
			questions = append(questions, f.Ping)
		}
		return t.ask(ctx, never, questions...)
	}
	return nil
}

// direct tries the server's own address: at its port, and under DR and TUN at the
// VIP's, where the kernel sends packets for it.
func (r *round) direct(ctx context.Context, f *facts) error {
	server := f.Server.Addr.Addr()
	if !f.Source.IsValid() || f.Source.Is4() != server.Is4() {
		return nil
	}
	t, err := r.talk(r.host, f.Source, families(server))
	if err != nil {
		return err
	}
	defer t.close()
	header := wire.Header{Src: f.Source, Dst: server, TTL: 64}
	port, other := f.Server.Addr.Port(), uint16(0)
	if f.Server.Forward != ipvs.Masq {
		port, other = f.VIP.Port(), port
	}
	f.Direct = f.route(t.connection("SYN", header, port))
	questions := []*question{f.Direct}
	if other != 0 && other != port {
		f.Other = f.route(t.connection("SYN", header, other))
		questions = append(questions, f.Other)
	}
	return t.ask(ctx, never, questions...)
}

// connect opens a connection to a server that is this host, and drops it: there
// are no frames on the way.
func (r *round) connect(ctx context.Context, f *facts) error {
	// The kernel repeats a SYN after a second.
	d := net.Dialer{Timeout: min(r.options.Wait, time.Second)}
	start := time.Now()
	f.Local = r.in.Do(func() error {
		c, err := d.DialContext(ctx, "tcp", f.Server.Addr.String())
		if err == nil {
			c.(*net.TCPConn).SetLinger(0) // ended with an RST, which leaves nothing behind
			c.Close()
		}
		return err
	})
	f.LocalAfter = time.Since(start)
	return ctx.Err()
}

func never() bool { return false }

func families(addresses ...netip.Addr) map[ipvs.Family]bool {
	all := map[ipvs.Family]bool{}
	for _, a := range addresses {
		all[ipvs.FamilyOf(a)] = true
	}
	return all
}

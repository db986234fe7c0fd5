package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/probe/wire"
)

// Server probes one server for its service.
func (p *Prober) Server(ctx context.Context, t Target) Result {
	f := facts{Target: t, Wait: p.options.Wait}
	if err := p.gather(ctx, &f); err != nil {
		f.Err = err
		if ctx.Err() != nil {
			f.Err = ctx.Err()
		}
	}
	return Result{t, f.judge()}
}

// gather finds the facts out, as far as they are needed.
func (p *Prober) gather(ctx context.Context, f *facts) (err error) {
	h, err := look(p.around, p.options.Services)
	if err != nil {
		return err
	}
	server := f.Server.Addr.Addr()
	f.Path, err = p.around.Path(server, netip.Addr{})
	if errors.Is(err, netcfg.ErrNoRoute) {
		f.NoRoute = err
		return nil
	}
	if err != nil {
		return err
	}
	f.Link = h.links[f.Path.Link]
	f.Source = h.source(f.Path.Link, server, f.Path.Source, f.VIP.Addr())
	if f.early() {
		return nil
	}
	if f.Path.Local {
		return p.connect(ctx, f)
	}
	next := server
	if f.Path.Via.IsValid() {
		next = f.Path.Via
	}
	if f.Hop, err = p.resolve(ctx, h, f.Link, next, f.Source); err != nil {
		return err
	}
	if f.unreached() {
		return nil
	}
	switch {
	case f.FullNAT:
		return p.asked(ctx, h, f)
	case f.Server.Forward == ipvs.Masq:
		return p.masq(ctx, h, f)
	}
	return p.vip(ctx, h, f)
}

// masq asks from beyond the server's network, so that the answer shows where its
// gateway is.
func (p *Prober) masq(ctx context.Context, h host, f *facts) error {
	f.Beyond = h.beyond(f.Path.Link, f.VIP.Addr())
	if !f.Beyond.IsValid() || f.Beyond.Is4() != f.Server.Addr.Addr().Is4() {
		f.Beyond = netip.Addr{}
		return p.asked(ctx, h, f)
	}
	t, err := p.talk(h, f.Beyond, families(f.Server.Addr.Addr()))
	if err != nil {
		return err
	}
	defer t.close()
	header := wire.Header{Src: f.Beyond, Dst: f.Server.Addr.Addr(), TTL: 64}
	questions := []*question{f.route(t.ping("ping", header))}
	f.Ping = questions[0]
	if f.hasPort() {
		f.SYN = f.route(t.connection("SYN", header, f.Server.Addr.Port()))
		questions = append(questions, f.SYN)
	}
	if err := t.ask(ctx, f.serviceAnswered, questions...); err != nil || !f.silent() {
		return err
	}
	return p.asked(ctx, h, f)
}

// asked is how a server answers this director's own address.
func (p *Prober) asked(ctx context.Context, h host, f *facts) error {
	if !f.hasPort() {
		return p.alive(ctx, h, f)
	}
	if err := p.direct(ctx, h, f); err != nil || outcomeOf(f.Direct) != silence {
		return err
	}
	return p.alive(ctx, h, f)
}

// alive pings the server itself; where it is silent, from beyond its segment, too.
func (p *Prober) alive(ctx context.Context, h host, f *facts) (err error) {
	if f.Alive, err = p.ping(ctx, h, f, f.Source); err != nil || outcomeOf(f.Alive) != silence || f.Server.Forward != ipvs.Direct {
		return err
	}
	from := p.options.Far
	if !from.IsValid() {
		from = h.beyond(f.Path.Link, f.VIP.Addr())
	}
	if from != f.VIP.Addr() {
		f.Outside, err = p.ping(ctx, h, f, from)
	}
	return err
}

// ping asks the server itself, beside any tunnel. Without a fitting address of
// ours there is no question.
func (p *Prober) ping(ctx context.Context, h host, f *facts, from netip.Addr) (*question, error) {
	server := f.Server.Addr.Addr()
	if !from.IsValid() || from.Is4() != server.Is4() {
		return nil, nil
	}
	t, err := p.talk(h, from, families(server))
	if err != nil {
		return nil, err
	}
	defer t.close()
	q := f.route(t.ping("ping", wire.Header{Src: from, Dst: server, TTL: 64}))
	return q, t.ask(ctx, never, q)
}

// vip asks for the VIP on a server of DR or TUN.
func (p *Prober) vip(ctx context.Context, h host, f *facts) error {
	vip := f.VIP.Addr()
	from := h.source(f.Path.Link, vip, f.Source, vip)
	if f.From = from; !from.IsValid() {
		return nil
	}
	t, err := p.talk(h, from, families(vip, f.Server.Addr.Addr()))
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
	if far := p.options.Far; far.IsValid() && far.Is4() == vip.Is4() {
		if !h.has(far) {
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
	return p.more(ctx, h, t, f, header)
}

// more follows up where the answers leave the cause open.
func (p *Prober) more(ctx context.Context, h host, t *talk, f *facts, header wire.Header) error {
	tun := f.Server.Forward == ipvs.TunnelFwd
	header.TTL = 1
	switch {
	case f.SYN != nil && f.SYN.Reply.Outcome == reset:
		return p.direct(ctx, h, f)
	case f.silent():
		if own := f.Server.Addr.Addr(); tun && own.Is4() == header.Dst.Is4() {
			header.Dst = own
			f.Inside = f.through(t.ping("ping", header))
			if err := t.ask(ctx, never, f.Inside); err != nil || f.Inside.Reply.Outcome != silence {
				return err
			}
			// Without a checksum a closed port of IPv6 is silent.
			if kind := f.Inside.Tunnel.Kind; kind.Type == ipvs.GUE && own.Is6() && kind.Flags&ipvs.TunnelChecksum == 0 {
				f.Summed = f.through(t.ping("ping with checksum outside", header))
				f.Summed.Tunnel.Kind.Flags |= ipvs.TunnelChecksum
				if err := t.ask(ctx, never, f.Summed); err != nil || f.Summed.Reply.Outcome != silence {
					return err
				}
			}
		}
		return p.alive(ctx, h, f)
	case tun && p.options.MTU:
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
func (p *Prober) direct(ctx context.Context, h host, f *facts) error {
	server := f.Server.Addr.Addr()
	if !f.Source.IsValid() || f.Source.Is4() != server.Is4() {
		return nil
	}
	t, err := p.talk(h, f.Source, families(server))
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
func (p *Prober) connect(ctx context.Context, f *facts) error {
	// The kernel repeats a SYN after a second.
	d := net.Dialer{Timeout: min(p.options.Wait, time.Second)}
	start := time.Now()
	f.Local = p.in.Do(func() error {
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

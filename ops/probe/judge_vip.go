package probe

import (
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/ops/probe/wire"
)

// judgeVIP is about a DR or TUN server that was asked for the VIP.
func (f *facts) judgeVIP() Finding {
	if !f.From.IsValid() {
		return f.noSource()
	}
	for _, q := range []*question{f.SYN, f.Ping, f.Inside, f.Toggled, f.Far} {
		if q != nil && q.Reply.Outcome == failure && q.Reply.Outer {
			return f.judgeTunnel(q.Reply)
		}
	}
	r := f.service().Reply
	switch r.Outcome {
	case synAck, echoed:
		return f.judgeReach()
	case reset:
		return f.judgeListener()
	case failure:
		return f.judgeFailure(r)
	}
	switch ping := f.Ping.Reply; ping.Outcome {
	case echoed:
		return f.dropped(f.VIP.Port())
	case failure:
		return f.judgeFailure(ping)
	}
	return f.judgeSilence()
}

// judgeReach is about a server that answers for the VIP: does it answer everyone,
// and can it be sent what clients send?
func (f *facts) judgeReach() Finding {
	if outcomeOf(f.Far) == silence && f.Ping.Reply.Outcome == echoed {
		return finding(Warning, OneSource, "answers this director's segment, but not %s: rp_filter on the server drops what comes from beyond, or its way back leads nowhere", f.Far.Header.Src)
	}
	if f.Long != nil {
		if found, ok := f.judgeSize(); ok {
			return found
		}
	}
	if f.SYN == nil {
		return f.pinged("the VIP is there and")
	}
	return finding(Fine, Answers, "answers")
}

// judgeListener is about a port that is refused on the VIP.
func (f *facts) judgeListener() Finding {
	own := f.Server.Addr
	switch port := f.VIP.Port(); {
	case outcomeOf(f.Direct) == synAck:
		return finding(Fault, OtherAddress, "port %d is refused on the VIP, not on the server's own address: it listens there only, or a firewall refuses", port)
	case outcomeOf(f.Other) == synAck:
		return finding(Fault, OtherPort, "listens on port %d, but %s cannot change ports: the VIP's %d is refused", own.Port(), f.Server.Forward, port)
	default:
		return finding(Fault, NothingListens, "the VIP is there, but nothing listens on its port %d", port)
	}
}

// judgeFailure is about an ICMP error that quotes a packet for the VIP.
func (f *facts) judgeFailure(r reply) Finding {
	switch r.Kind {
	case wire.Expired:
		return finding(Fault, VIPMissing, "the VIP is missing: the server passes its packets on")
	case wire.HostUnreachable:
		return finding(Fault, VIPMissing, "the VIP is missing: the server looks for it elsewhere")
	}
	return f.rejected(r)
}

// judgeSilence tells apart what can be told apart when nothing is answered for
// the VIP.
func (f *facts) judgeSilence() Finding {
	tun := f.Server.Forward == ipvs.TunnelFwd
	switch {
	case outcomeOf(f.Inside) == echoed:
		return finding(Fault, VIPSilent, "the tunnel works, but the VIP is missing, or packets for it or from it are dropped")
	case outcomeOf(f.Toggled) == echoed && f.Server.Tunnel.Flags&ipvs.TunnelChecksum != 0:
		return finding(Fault, TunnelSilent, "takes %s without checksums only, and IPVS sends them (--tun-csum)", f.Server.Tunnel.Type)
	case outcomeOf(f.Toggled) == echoed:
		return finding(Fault, TunnelSilent, "takes %s with checksums only, and IPVS sends none (--tun-nocsum)", f.Server.Tunnel.Type)
	case tun && outcomeOf(f.Alive) == echoed:
		return finding(Fault, TunnelSilent, "nothing comes out of the tunnel: %s", f.tunnelDrops())
	case f.SYN == nil && outcomeOf(f.Alive) != echoed:
		return finding(Unknown, Unanswered, "no pings are answered, and nothing else is tried for %s", f.Protocol)
	case outcomeOf(f.Outside) == echoed:
		return finding(Fault, ShortPrefix, "answers from beyond its segment only: the VIP is bound with its network's prefix there, or a firewall drops what comes from the segment")
	case tun:
		return finding(Fault, ServerSilent, "no answer through the tunnel, nor to a ping beside it")
	}
	if outcomeOf(f.Alive) != echoed {
		return finding(Fault, ServerSilent, "answers nothing, not for its own address either: the VIP is bound with its network's prefix there, or a firewall drops")
	}
	return finding(Fault, VIPSilent, "the VIP is missing or a firewall drops")
}

// tunnelDrops says what can drop the packets of a tunnel in silence.
func (f *facts) tunnelDrops() string {
	var all []string
	if f.needsMode() {
		all = append(all, f.device()+" takes only IPv6 (its mode)")
	}
	if f.VIP.Addr().Is4() {
		all = append(all, "rp_filter on "+f.device())
	}
	if f.mixed() { // there is no ping to the server's own address then
		all = append(all, "the VIP is missing")
	}
	return strings.Join(append(all, "a firewall drops "+f.encapsulation()), ", or ")
}

// judgeTunnel is about an ICMP error that quotes the tunnel's own packet.
func (f *facts) judgeTunnel(r reply) Finding {
	own := r.From == f.Server.Addr.Addr()
	switch {
	case !own:
		return finding(Fault, Unreachable, "%s says: %s", r.From, r.Kind)
	case r.Kind == wire.ProtocolUnreachable:
		return finding(Fault, NoTunnel, "the server does not know %s: the module %s is not loaded", f.encapsulation(), f.module())
	case r.Kind == wire.PortUnreachable && f.Server.Tunnel.Type == ipvs.GUE:
		return finding(Fault, TunnelDown, "nothing takes GUE at the server's UDP port %d", f.Server.Tunnel.Port)
	case r.Kind == wire.PortUnreachable:
		return finding(Fault, TunnelDown, "the tunnel's device %s is down or missing, or a firewall rejects", f.device())
	}
	return finding(Fault, Rejected, "a firewall rejects %s", f.encapsulation())
}

// judgeSize is about the long ping, where the short one shows that pings work.
func (f *facts) judgeSize() (Finding, bool) {
	size, mtu := f.Long.Size, f.pathMTU()
	switch r := f.Long.Reply; {
	case r.failed(wire.TooBig) && mtu == 0: // old routers do not say
		return finding(Warning, TooBig, "answers, but packets of %d bytes do not fit into the tunnel", size), true
	case r.failed(wire.TooBig), r.Outcome == noRoom:
		return finding(Warning, TooBig, "answers, but packets of %d bytes do not fit into the tunnel, %d do: lower the server's MSS to %d",
			size, mtu-f.overhead(), f.fittingMSS()), true
	case r.Outcome == silence && f.Ping.Reply.Outcome == echoed:
		return finding(Fault, BlackHole, "packets of %d bytes vanish on the way, short ones do not", size), true
	}
	return Finding{}, false
}

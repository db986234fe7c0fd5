package probe

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"lvsdeck/ipvs"
	"lvsdeck/ops/probe/wire"
)

// judge makes a finding of the facts.
func (f *facts) judge() Finding {
	found := f.decide()
	if f.Err == nil { // else what was asked may not have had its time
		found.Evidence, found.Next = f.evidence(), f.next(found.Cause)
	}
	return found
}

func (f *facts) decide() Finding {
	switch {
	case errors.Is(f.Err, context.Canceled), errors.Is(f.Err, context.DeadlineExceeded):
		return finding(Unknown, Interrupted, "there was no time to wait for answers")
	case f.Err != nil:
		return finding(Unknown, CannotSend, "%v", f.Err)
	}
	if found, ok := f.beforehand(); ok {
		return found
	}
	if found, ok := f.neighbour(); ok {
		return found
	}
	found := f.judgeAnswers()
	if f.Hop.Silent && (found.Cause == ServerSilent || found.Cause == Unanswered) {
		return f.unreachable()
	}
	if f.circles(found) {
		return finding(Fault, BehindRouter, "it is behind the router %s, where DR does not get: packets for the VIP come back", f.Path.Via)
	}
	return found
}

// circles tells that packets for the VIP went to a router instead of the server, as
// the server itself has not said anything about them. The next hop may be the server's
// own card, when its address is behind that.
func (f *facts) circles(found Finding) bool {
	if f.Server.Forward != ipvs.Direct || !f.Path.Via.IsValid() || f.Path.Local {
		return false
	}
	switch found.Cause {
	case VIPMissing, VIPSilent, ServerSilent, Unreachable, Unanswered, ShortPrefix:
		return true
	}
	return false
}

func (f *facts) judgeAnswers() Finding {
	switch {
	case f.Path.Local:
		return f.judgeLocal()
	case f.FullNAT:
		return f.judgeDirect()
	case f.Server.Forward == ipvs.Masq:
		return f.judgeMasq()
	}
	return f.judgeVIP()
}

func finding(v Verdict, c Cause, short string, args ...any) Finding {
	return Finding{Verdict: v, Cause: c, Short: fmt.Sprintf(short, args...)}
}

// beforehand is the finding that needs no packet.
func (f *facts) beforehand() (Finding, bool) {
	found := Finding{}
	switch how := f.Server.Forward; {
	case how != ipvs.Masq && how != ipvs.Direct && how != ipvs.TunnelFwd && how != ipvs.LocalNode:
		found = finding(Unknown, NotProbed, "there is no probe for the method %s", how)
	case f.NoRoute != nil:
		found = finding(Fault, NoRoute, "this director has no route to it")
	case f.Path.Local && !f.hasPort():
		found = finding(Unknown, NotProbed, "it is this director itself, and nothing but TCP is tried there")
	case f.Path.Local:
	case how == ipvs.LocalNode:
		found = finding(Unknown, NotProbed, "the table calls it local, and it is not")
	case how == ipvs.TunnelFwd && f.Path.Source == f.VIP.Addr():
		found = finding(Fault, OuterIsVIP, "the tunnel's packets leave with the VIP as source, and the server has that address itself")
	}
	return found, found.Cause != ""
}

// neighbour is the finding where the next hop cannot be sent to.
func (f *facts) neighbour() (Finding, bool) {
	switch h := f.Hop; {
	case h.Deaf:
		return finding(Fault, ShortPrefix, "%s takes this director's address for its own: the VIP is bound with its network's prefix there, or the address is taken twice", f.nextHop()), true
	case h.Silent && h.MAC == (wire.MAC{}):
		return f.unreachable(), true
	}
	return Finding{}, false
}

func (f *facts) unreachable() Finding {
	return finding(Fault, HopSilent, "%s does not answer %s: down, unplugged, or on another segment", f.nextHop(), asking(f.Hop.Addr))
}

// nextHop is who packets for the server go to.
func (f *facts) nextHop() string {
	if f.Path.Via.IsValid() {
		return "the gateway " + f.Path.Via.String()
	}
	return "it"
}

// judgeLocal is about a server that is this director.
func (f *facts) judgeLocal() Finding {
	switch {
	case f.Local == nil:
		return finding(Fine, Answers, "answers")
	case errors.Is(f.Local, syscall.ECONNREFUSED):
		return finding(Fault, NothingListens, "nothing listens on port %d of this director, or a firewall rejects", f.Server.Addr.Port())
	}
	return finding(Fault, ServerSilent, "this director itself does not answer: a firewall drops")
}

// judgeDirect is about a server that was asked at its own address.
func (f *facts) judgeDirect() Finding {
	if f.Direct == nil {
		switch {
		case outcomeOf(f.Alive) == echoed:
			return f.pinged("it")
		case f.Alive == nil:
			return f.noSource()
		}
		return finding(Unknown, Unanswered, "it does not answer pings, and nothing else is tried for %s", f.Protocol)
	}
	port := f.Server.Addr.Port()
	switch f.Direct.Reply.Outcome {
	case synAck:
		return finding(Fine, Answers, "answers")
	case reset:
		return finding(Fault, NothingListens, "nothing listens on port %d", port)
	case failure:
		return f.rejected(f.Direct.Reply)
	}
	if outcomeOf(f.Alive) == echoed {
		return f.dropped(port)
	}
	return finding(Fault, ServerSilent, "it does not answer at all: it is down, or a firewall drops everything")
}

func (f *facts) noSource() Finding {
	return finding(Unknown, NoSource, "this director has no %s address but VIPs to ask from", ipvs.FamilyOf(f.VIP.Addr()))
}

// judgeMasq is about a NAT server that was asked from beyond its network.
func (f *facts) judgeMasq() Finding {
	if !f.Beyond.IsValid() {
		found := f.judgeDirect()
		if found.Cause == Answers {
			return finding(Unknown, NoSource, "answers this director; whether its gateway is this director cannot be seen without an address of ours outside its network")
		}
		return found
	}
	if f.SYN == nil {
		return f.judgePing()
	}
	switch r := f.SYN.Reply; r.Outcome {
	case synAck:
		switch {
		case f.detour(r):
			return finding(Fault, OtherGateway, "answers, but through another router: its gateway is not this director")
		case f.Path.Via.IsValid():
			return finding(Unknown, BehindRouter, "answers, from behind the router %s; whether answers to clients come this way cannot be seen", f.Path.Via)
		}
		return finding(Fine, Answers, "answers")
	case reset:
		found := finding(Fault, NothingListens, "nothing listens on port %d", f.Server.Addr.Port())
		if f.detour(r) {
			found.Short += "; and its gateway is not this director"
		}
		return found
	case failure:
		return f.rejected(r)
	}
	if outcomeOf(f.Ping) == echoed {
		if f.detour(f.Ping.Reply) {
			return finding(Fault, OtherGateway, "answers pings through another router: its gateway is not this director")
		}
		return f.dropped(f.Server.Addr.Port())
	}
	found := f.judgeDirect()
	if found.Cause == Answers || found.Cause == Dropped {
		return finding(Fault, NoWayBack, "answers its own network only: its gateway is not this director, or it has none")
	}
	return found
}

// judgePing is about a NAT server that was only pinged. A rule may send what the
// service answers another way than the rest, so a wrong way is no fault.
func (f *facts) judgePing() Finding {
	const unless = ", unless a rule sends what the service answers this way"
	switch r := f.Ping.Reply; {
	case r.Outcome == echoed && f.detour(r):
		return finding(Unknown, OtherGateway, "answers pings through another router: its gateway is not this director"+unless)
	case r.Outcome == echoed:
		return f.pinged("its gateway is this director, and it")
	case r.Outcome == failure:
		return f.rejected(r)
	case outcomeOf(f.Alive) == echoed:
		return finding(Unknown, NoWayBack, "answers pings of its own network only: its gateway is not this director, or it has none"+unless)
	}
	return f.judgeDirect()
}

// detour tells that an answer came another way than the question went.
func (f *facts) detour(r reply) bool { return r.Link != f.Link.Name || r.MAC != f.Hop.MAC }

// pinged is all that can be found out without a connection.
func (f *facts) pinged(who string) Finding {
	return finding(Fine, Answers, "%s answers pings; whether its %s service does cannot be known", who, f.Protocol)
}

func (f *facts) dropped(port uint16) Finding {
	found := finding(Fault, Dropped, "pings are answered, port %d is not: a firewall drops, or the program takes no more connections", port)
	if f.Server.Forward != ipvs.Masq && f.VIP.Addr().Is6() {
		found.Short += ", or the VIP is bound with its network's prefix"
	}
	return found
}

// rejected is about an ICMP error that quotes what the server was sent.
func (f *facts) rejected(r reply) Finding {
	if own := r.From == f.Server.Addr.Addr() || r.From == f.VIP.Addr(); !own {
		return finding(Fault, Unreachable, "%s says: %s", r.From, r.Kind)
	}
	return finding(Fault, Rejected, "a firewall rejects it")
}

// outcomeOf is that of a question that may not have been asked.
func outcomeOf(q *question) outcome {
	if q == nil {
		return unasked
	}
	return q.Reply.Outcome
}

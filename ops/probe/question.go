package probe

import (
	"net/netip"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops/probe/wire"
)

// question is a packet that wants an answer.
type question struct {
	Name   string // "SYN", "ping"
	Header wire.Header
	Tunnel *tunnel // nil: as it is

	// What it asks: a connection, unless Ports is zero; else an echo.
	Ports struct{ Src, Dst uint16 }
	Seq   uint32
	MSS   uint16
	Echo  wire.Echo
	Size  int // of the whole packet, for echoes; 0: as short as can be

	Link int      // where it goes out
	To   wire.MAC // and to whom

	Reply reply
}

// tunnel is what a packet is wrapped into.
type tunnel struct {
	Outer wire.Header
	Kind  ipvs.Tunnel
}

// connects tells questions for a connection from pings.
func (q *question) connects() bool { return q.Ports.Dst != 0 }

// frame is the question on the wire.
func (q *question) frame() wire.Frame {
	if q.connects() {
		return q.wrapped(q.Header.Segment(wire.Segment{
			SrcPort: q.Ports.Src, DstPort: q.Ports.Dst, Seq: q.Seq, Flags: wire.SYN, MSS: q.MSS,
		}))
	}
	size := max(wire.SmallEcho, q.Size-wire.Overhead(q.Header.Src))
	return q.wrapped(q.Header.Echo(q.Echo, size))
}

// takeBack ends the connection that a SYN may have begun, whether the answer was
// seen or not.
func (q *question) takeBack() wire.Frame {
	return q.wrapped(q.Header.Segment(wire.Segment{
		SrcPort: q.Ports.Src, DstPort: q.Ports.Dst, Seq: q.Seq + 1, Flags: wire.RST,
	}))
}

func (q *question) wrapped(packet []byte) wire.Frame {
	if q.Tunnel != nil {
		packet = q.Tunnel.Outer.Wrap(packet, q.Tunnel.Kind, uint16(q.Tunnel.Outer.ID)|1<<15)
	}
	return wire.FrameOf(packet, q.To)
}

// outcome is what became of a question.
type outcome uint8

const (
	unasked outcome = iota
	silence
	synAck // also: a connection
	reset  // also: connection refused
	echoed
	failure   // an ICMP error
	noRoom    // the packet is too long for our own link
	forbidden // a rule of our own forbids it
)

// reply is what came back.
type reply struct {
	Outcome outcome
	After   time.Duration

	From netip.Addr
	MAC  wire.MAC
	Link string
	TTL  uint8
	MSS  uint16 // of synAck

	// Of failure.
	Kind       wire.Kind
	Type, Code uint8
	Outer      bool // it is about the tunnel's packet, not the one inside
	MTU        int
}

// failed tells an ICMP error of a kind.
func (r reply) failed(k wire.Kind) bool { return r.Outcome == failure && r.Kind == k }

// answered tells whether a packet answers the question, and how.
func (q *question) answered(p wire.Packet) (reply, bool) {
	r := reply{From: p.Src, TTL: p.TTL}
	back := p.Src == q.Header.Dst && p.Dst == q.Header.Src
	switch {
	case p.Kind == wire.TCPSegment && q.connects():
		s := p.Segment
		if !back || s.SrcPort != q.Ports.Dst || s.DstPort != q.Ports.Src || s.Ack != q.Seq+1 {
			return r, false
		}
		switch {
		case s.Flags&wire.RST != 0:
			r.Outcome = reset
		case s.Flags&(wire.SYN|wire.ACK) == wire.SYN|wire.ACK:
			r.Outcome, r.MSS = synAck, s.MSS
		}
		return r, r.Outcome != unasked
	case p.Kind == wire.EchoReply && !q.connects():
		r.Outcome = echoed
		return r, back && p.Echo == q.Echo
	case p.About != nil:
		r.Outcome, r.Kind, r.Type, r.Code, r.MTU = failure, p.Kind, p.Type, p.Code, p.MTU
		r.Outer = q.Tunnel != nil && same(*p.About, q.Tunnel.Outer)
		return r, r.Outer || same(*p.About, q.Header)
	}
	return r, false
}

// same tells a packet of ours in a quote.
func same(quoted wire.Packet, h wire.Header) bool {
	return quoted.Src == h.Src && quoted.Dst == h.Dst && quoted.ID == h.ID
}

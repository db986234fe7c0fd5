package probe

import (
	"net/netip"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ops/probe/wire"
)

// sent reads a question as who gets it does.
func sent(t *testing.T, f wire.Frame) wire.Packet {
	t.Helper()
	p, ok := wire.Parse(f.Payload)
	if !ok {
		t.Fatalf("no packet: %x", f.Payload)
	}
	return p
}

func TestAnswered(t *testing.T) {
	h := wire.Header{Src: dip4, Dst: vip4, TTL: 1, ID: 7}
	outer := wire.Header{Src: dip4, Dst: server4, TTL: 64, ID: 7}
	syn := &question{Header: h, Seq: 0xffffffff, MSS: 1460}
	syn.Ports.Src, syn.Ports.Dst = 40000, 80
	echo := &question{Header: h, Echo: wire.Echo{Ident: 3, Seq: 4}}
	inTunnel := &question{Header: h, Echo: wire.Echo{Ident: 3, Seq: 4}, Tunnel: &tunnel{outer, ipvs.Tunnel{}}}

	segment := func(seq uint32, flags uint8, change func(*wire.Packet)) wire.Packet {
		p := wire.Packet{Header: wire.Header{Src: vip4, Dst: dip4, TTL: 64}, Kind: wire.TCPSegment}
		p.Segment = wire.Segment{SrcPort: 80, DstPort: 40000, Ack: seq, Flags: flags, MSS: 1440}
		if change != nil {
			change(&p)
		}
		return p
	}
	pong := func(seq uint16, from netip.Addr) wire.Packet {
		return wire.Packet{Header: wire.Header{Src: from, Dst: dip4}, Kind: wire.EchoReply, Echo: wire.Echo{Ident: 3, Seq: seq}}
	}
	about := func(h wire.Header, id uint32) wire.Packet {
		h.ID = id
		return wire.Packet{Header: wire.Header{Src: server4, Dst: dip4}, Kind: wire.PortUnreachable, About: &wire.Packet{Header: h}}
	}
	for _, c := range []struct {
		what string
		q    *question
		p    wire.Packet
		want outcome // unasked: it is no answer
	}{
		{"SYN-ACK", syn, segment(0, wire.SYN|wire.ACK, nil), synAck},
		{"RST", syn, segment(0, wire.RST|wire.ACK, nil), reset},
		{"of another connection", syn, segment(1, wire.SYN|wire.ACK, nil), unasked},
		{"from another port", syn, segment(0, wire.SYN|wire.ACK, func(p *wire.Packet) { p.Segment.SrcPort = 81 }), unasked},
		{"from another address", syn, segment(0, wire.SYN|wire.ACK, func(p *wire.Packet) { p.Src = server4 }), unasked},
		{"only an ACK", syn, segment(0, wire.ACK, nil), unasked},
		{"to a ping", echo, segment(0, wire.SYN|wire.ACK, nil), unasked},
		{"pong", echo, pong(4, vip4), echoed},
		{"of another ping", echo, pong(5, vip4), unasked},
		{"from another address", echo, pong(4, server4), unasked},
		{"pong to a SYN", syn, pong(4, vip4), unasked},
		{"error", syn, about(h, 7), failure},
		{"error about another", syn, about(h, 8), unasked},
		{"error about a tunnel, outside of one", echo, about(outer, 7), unasked},
		{"error about the tunnel", inTunnel, about(outer, 7), failure},
		{"error about what is inside", inTunnel, about(h, 7), failure},
	} {
		r, ok := c.q.answered(c.p)
		if ok != (c.want != unasked) || ok && r.Outcome != c.want {
			t.Errorf("%s: %+v, %v", c.what, r, ok)
		}
		if ok && c.want == failure && r.Outer != (c.p.About.Dst == server4) {
			t.Errorf("%s: about the tunnel's packet %v", c.what, r.Outer)
		}
	}

	syn.To = serverMAC
	f, back := syn.frame(), syn.takeBack()
	if p := sent(t, f); f.Type != wire.EtherIPv4 || f.To != serverMAC || p.TTL != 1 || p.Segment.Flags != wire.SYN || p.Segment.MSS != 1460 {
		t.Errorf("%+v of %+v", p, f)
	}
	if p := sent(t, back); p.Segment.Flags != wire.RST || p.Segment.Seq != 0 || p.Segment.SrcPort != 40000 {
		t.Errorf("taken back by %+v", p)
	}
	inTunnel.Size = 1480
	if p := sent(t, inTunnel.frame()); p.Dst != server4 || p.Protocol != wire.IPIP || len(inTunnel.frame().Payload) != 1500 {
		t.Errorf("in the tunnel: %+v", p)
	}
}

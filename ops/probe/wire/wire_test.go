package wire

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"lvsdeck/ipvs"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

var (
	v4 = Header{Src: addr("192.0.2.1"), Dst: addr("203.0.113.10"), TTL: 1, ID: 0xbeef, DF: true}
	v6 = Header{Src: addr("2001:db8::1"), Dst: addr("2001:db8::10"), TTL: 64, ID: 0xabcde}
)

// sums tells whether the checksum of TCP or ICMP and that of IPv4 are right:
// added up with what they cover they give all ones.
func sums(b []byte) bool {
	p, rest, _ := parseHeader(b)
	if b[0]>>4 == 4 && checksum(0, b[:len(b)-len(rest)]) != 0 {
		return false
	}
	if p.Protocol == ICMP {
		return checksum(0, rest) == 0
	}
	return checksum(p.pseudo(p.Protocol, len(rest)), rest) == 0
}

func TestSegments(t *testing.T) {
	for _, h := range []Header{v4, v6} {
		for _, s := range []Segment{
			{SrcPort: 40001, DstPort: 80, Seq: 0xfffffffe, Flags: SYN, MSS: 1460},
			{SrcPort: 1, DstPort: 65535, Seq: 7, Ack: 9, Flags: RST | ACK},
		} {
			b := h.Segment(s)
			p, ok := Parse(append(b, 0, 0, 0)) // as Ethernet pads
			if !ok || p.Header != h || p.Kind != TCPSegment || p.Segment != s || !sums(b) {
				t.Errorf("%+v: read as %+v, %v", s, p, ok)
			}
		}
	}
}

func TestEchoes(t *testing.T) {
	for _, h := range []Header{v4, v6} {
		b := h.Echo(Echo{3, 4}, 1480)
		if p, ok := Parse(b); !ok || p.Kind != EchoRequest || p.Echo != (Echo{3, 4}) || len(b) != Overhead(h.Src)+1480 || !sums(b) {
			t.Errorf("%+v: %d bytes read as %+v", h, len(b), p)
		}
	}
}

// TestKnownBytes: a segment, computed by hand after RFC 9293 and 1071.
func TestKnownBytes(t *testing.T) {
	got := hex.EncodeToString(Header{Src: addr("10.0.0.1"), Dst: addr("10.0.0.2"), TTL: 64, ID: 1}.Segment(Segment{SrcPort: 1, DstPort: 2, Seq: 3, Flags: SYN}))
	const want = "4500002800010000400666cd0a0000010a000002" + "000100020000000300000000" + "5002faf0" + "a0e90000"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		outer, inner Header
		tunnel       ipvs.Tunnel
		head         string // between the outer header and the packet inside; .. is any byte
	}{
		{v4, v4, ipvs.Tunnel{}, ""},
		{v6, v4, ipvs.Tunnel{}, ""},
		{v4, v6, ipvs.Tunnel{}, ""},
		{v4, v4, ipvs.Tunnel{Type: ipvs.GUE, Port: 5555}, "9c4115b300340000" + "00040000"},
		{v4, v6, ipvs.Tunnel{Type: ipvs.GUE, Port: 5555, Flags: ipvs.TunnelChecksum}, "9c4115b30048...." + "00290000"},
		{v6, v6, ipvs.Tunnel{Type: ipvs.GRE}, "000086dd"},
		{v4, v4, ipvs.Tunnel{Type: ipvs.GRE, Flags: ipvs.TunnelChecksum}, "80000800" + "....0000"},
	} {
		inner := c.inner.Segment(Segment{SrcPort: 1, DstPort: 2})
		b := c.outer.Wrap(inner, c.tunnel, 40001)
		p, rest, ok := parseHeader(b)
		head := hex.EncodeToString(rest[:max(0, len(rest)-len(inner))])
		same := len(head) == len(c.head)
		for i := range head {
			same = same && (head[i] == c.head[i] || c.head[i] == '.')
		}
		want := map[ipvs.TunnelType]uint8{ipvs.GUE: UDP, ipvs.GRE: GRE, ipvs.IPIP: IPIP}[c.tunnel.Type]
		if want == IPIP && c.inner.Src.Is6() {
			want = IPv6
		}
		if !ok || !same || p.Protocol != want || !strings.HasSuffix(string(b), string(inner)) {
			t.Errorf("%+v: protocol %d, head %s", c, p.Protocol, head)
		}
		switch {
		case c.tunnel.Flags == 0:
		case c.tunnel.Type == ipvs.GUE && !sums(b), c.tunnel.Type == ipvs.GRE && checksum(0, rest) != 0:
			t.Errorf("%+v: wrong checksum", c)
		}
	}
}

// failure is an ICMP error as a router makes it: about the first n bytes of a
// packet.
func failure(from Header, kind, code, mtu uint8, about []byte, n int) []byte {
	protocol := uint8(ICMP)
	if from.Src.Is6() {
		protocol = ICMPv6
	}
	b := append([]byte{kind, code, 0, 0, 0, 0, 5, mtu}, about[:min(n, len(about))]...)
	return from.packet(protocol, b)
}

func TestErrors(t *testing.T) {
	syn := Segment{SrcPort: 40001, DstPort: 80, Seq: 0x01020304, Flags: SYN, MSS: 1460}
	for _, c := range []struct {
		h          Header
		kind, code uint8
		want       Kind
	}{
		{v4, 3, 1, HostUnreachable}, {v4, 3, 2, ProtocolUnreachable}, {v4, 3, 3, PortUnreachable}, {v4, 3, 4, TooBig},
		{v4, 3, 13, Prohibited}, {v4, 11, 0, Expired}, {v4, 11, 1, Other}, {v4, 5, 1, Other},
		{v6, 1, 3, HostUnreachable}, {v6, 4, 1, ProtocolUnreachable}, {v6, 1, 4, PortUnreachable}, {v6, 2, 0, TooBig},
		{v6, 1, 1, Prohibited}, {v6, 3, 0, Expired}, {v6, 137, 0, Other},
	} {
		// Routers quote no less than the header and 8 bytes.
		p, ok := Parse(failure(c.h, c.kind, c.code, 0xdc, c.h.Segment(syn), Overhead(c.h.Src)+8))
		switch {
		case !ok || p.Kind != c.want || p.Type != c.kind || p.Code != c.code:
			t.Errorf("%d/%d: %v %+v", c.kind, c.code, ok, p)
		case !c.want.IsError():
			if p.About != nil {
				t.Errorf("%d/%d quotes", c.kind, c.code)
			}
		case p.About.Header != c.h || p.About.Segment != (Segment{SrcPort: 40001, DstPort: 80, Seq: 0x01020304}):
			t.Errorf("%d/%d is about %+v", c.kind, c.code, p.About)
		case c.want == TooBig && p.MTU != 1500:
			t.Errorf("MTU %d", p.MTU)
		}
	}
}

func TestOptionsAndFragments(t *testing.T) {
	syn := v6.Segment(Segment{SrcPort: 1, DstPort: 2, Flags: SYN})
	with := func(next uint8, extension string) []byte {
		more, _ := hex.DecodeString(extension)
		b := append(append(syn[:sizeIPv6:sizeIPv6], more...), syn[sizeIPv6:]...)
		b[6] = next
		put16(b[4:], len(b)-sizeIPv6)
		return b
	}
	old := v4.Segment(Segment{SrcPort: 1, DstPort: 2})
	fragment := append([]byte{}, old...)
	fragment[7] = 1
	withOptions := append(append([]byte{0x46}, old[1:20]...), append([]byte{1, 1, 1, 0}, old[20:]...)...)
	for _, c := range []struct {
		what string
		b    []byte
		kind Kind
	}{
		{"hop-by-hop", with(0, "0600000000000000"), TCPSegment},
		{"destination options of 16 bytes", with(60, "06010000000000000000000000000000"), TCPSegment},
		{"first fragment", with(44, "0600000100000000"), TCPSegment},
		{"later fragment", with(44, "0600000800000000"), Other},
		{"extension that lies about its size", with(60, "06ff000000000000"), Other},
		{"IPv4 options", withOptions, TCPSegment},
		{"later IPv4 fragment", fragment, Other},
	} {
		if p, ok := Parse(c.b); !ok || p.Kind != c.kind {
			t.Errorf("%s: %v %+v", c.what, ok, p)
		}
	}
	for _, bad := range [][]byte{nil, {0x45}, append([]byte{0x4f}, old[1:]...), append([]byte{0x41}, old[1:]...), append([]byte{0x75}, old[1:]...)} {
		if p, ok := Parse(bad); ok {
			t.Errorf("%x is read as %+v", bad, p)
		}
	}
}

func TestNeighbours(t *testing.T) {
	me := MAC{2, 0, 0, 0, 0, 1}
	f := WhoHas(addr("203.0.113.10"), Claim{addr("203.0.113.1"), me})
	if got := fmt.Sprintf("%04x %s %x", f.Type, f.To, f.Payload); got != "0806 ff:ff:ff:ff:ff:ff 0001080006040001020000000001cb0071010000"+"00000000cb00710a" {
		t.Error(got)
	}
	if c, answer, ok := ParseClaim(f.Type, f.Payload); !ok || answer || c != (Claim{addr("203.0.113.1"), me}) {
		t.Errorf("who asks claims %v, %v, %v", c, answer, ok)
	}
	f.Payload[7] = arpReply
	if _, answer, ok := ParseClaim(f.Type, f.Payload); !ok || !answer {
		t.Errorf("an answer: %v, %v", answer, ok)
	}
	if c, _, ok := ParseClaim(EtherARP, WhoHas(addr("203.0.113.10"), Claim{MAC: me}).Payload); ok {
		t.Errorf("who asks without an address claims %v", c)
	}

	f = WhoHas(addr("2001:db8::abcd:1234"), Claim{addr("fe80::1"), me})
	p, ok := Parse(f.Payload)
	if !ok || f.To.String() != "33:33:ff:cd:12:34" || p.Dst != addr("ff02::1:ffcd:1234") || p.TTL != 255 || p.Type != 135 || !sums(f.Payload) ||
		!strings.HasSuffix(hex.EncodeToString(f.Payload), "20010db80000000000000000abcd1234"+"0101020000000001") {
		t.Errorf("%s %+v %x", f.To, p, f.Payload)
	}
	p, _ = Parse(WhoHas(addr("2001:db8::1"), Claim{MAC: me}).Payload)
	if !p.Src.IsUnspecified() {
		t.Errorf("without an address asks %v", p.Src)
	}

	advertise := func(options string) []byte {
		body, _ := hex.DecodeString("88000000" + "60000000" + "20010db8000000000000000000000010" + options)
		return v6.packet(ICMPv6, body)
	}
	for options, want := range map[string]MAC{
		"":                                      {},
		"0201020000000009":                      {2, 0, 0, 0, 0, 9},
		"0e01000000000000" + "0201020000000009": {2, 0, 0, 0, 0, 9},
		"0e00000000000000" + "0201020000000009": {}, // of no size
	} {
		if c, answer, ok := ParseClaim(EtherIPv6, advertise(options)); !ok || !answer || c != (Claim{addr("2001:db8::10"), want}) {
			t.Errorf("%q: %v, %v", options, c, ok)
		}
	}
	if _, _, ok := ParseClaim(EtherIPv6, v6.Segment(Segment{})); ok {
		t.Error("a segment claims an address")
	}
}

func TestMAC(t *testing.T) {
	for text, want := range map[string]string{
		"00:00:5e:00:01:33": "51 true", "00:00:5e:00:02:01": "1 true", "00:00:5e:00:03:01": "0 false", "02:00:5e:00:01:01": "0 false",
	} {
		m, ok := ParseMAC(text)
		id, vrrp := m.VRRP()
		if got := fmt.Sprint(id, vrrp); !ok || got != want || m.String() != text {
			t.Errorf("%s: %v, %v", text, got, ok)
		}
	}
	for _, bad := range []string{"", "x", "00:00:00:00:fe:80:00:00"} {
		if m, ok := ParseMAC(bad); ok {
			t.Errorf("%q is %v", bad, m)
		}
	}
}

// FuzzParse: whatever comes is read without a panic, and what a packet of ours
// says is not lost by what follows it.
func FuzzParse(f *testing.F) {
	f.Add(v4.Segment(Segment{SrcPort: 1, DstPort: 2, MSS: 1460}))
	f.Add(v6.Echo(Echo{1, 2}, SmallEcho))
	f.Add(failure(v4, 3, 3, 0, v4.Segment(Segment{}), 28))
	f.Add(failure(v6, 4, 1, 0, v6.Wrap(v6.Segment(Segment{}), ipvs.Tunnel{}, 0), 1232))
	f.Add(WhoHas(addr("2001:db8::1"), Claim{addr("fe80::1"), MAC{2}}).Payload)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := Parse(b)
		again, okAgain := Parse(append(b[:len(b):len(b)], 0))
		if ok && p.Kind == TCPSegment && p.Segment.MSS != 0 && (!okAgain || again.Kind != TCPSegment) {
			t.Errorf("%x is a segment, and not with a byte more", b)
		}
		ParseClaim(EtherARP, b)
		ParseClaim(EtherIPv6, b)
	})
}

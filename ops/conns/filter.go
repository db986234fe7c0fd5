package conns

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
)

// Templates says whether templates are looked at.
type Templates uint8

// The choices.
const (
	WithTemplates Templates = iota
	OnlyTemplates
	NoTemplates
)

// Filter picks connections: each part that is set must hold.
type Filter struct {
	Client netip.Prefix

	// Service is a service of the table, or a part of one: without a protocol,
	// whichever it is; with the port 0, all ports of the address.
	Service ipvs.ServiceID

	Server    netip.AddrPort // with the port 0: all ports
	State     string         // as the kernel names it
	Origin    proc.Origin
	Templates Templates
	Unlisted  bool // only with servers that the table does not list any more; wants Query.Listed
}

// Empty tells a filter that picks everything.
func (f Filter) Empty() bool { return f == Filter{} }

// String is what a filter picks, in words: "client 10.0.0.0/8, state SYN_RECV".
func (f Filter) String() string {
	var parts []string
	client, service, server := f.Words()
	if client != "" {
		parts = append(parts, "client "+client)
	}
	if service != "" {
		parts = append(parts, "service "+service)
	}
	if server != "" {
		parts = append(parts, "server "+server)
	}
	if f.State != "" {
		parts = append(parts, "state "+f.State)
	}
	if f.Origin != proc.OriginUnknown {
		parts = append(parts, "origin "+f.Origin.String())
	}
	if f.Templates != WithTemplates {
		parts = append(parts, map[Templates]string{OnlyTemplates: "templates", NoTemplates: "no templates"}[f.Templates])
	}
	if f.Unlisted {
		parts = append(parts, "servers not listed")
	}
	return strings.Join(parts, ", ")
}

// Words are the client, the service and the server as they are parsed, each "" for
// all.
func (f Filter) Words() (client, service, server string) {
	if f.Client.IsValid() {
		client = ClientText(f.Client)
	}
	if f.Service != (ipvs.ServiceID{}) {
		service = serviceText(f.Service)
	}
	if f.Server.IsValid() {
		server = anyPort(f.Server)
	}
	return client, service, server
}

// ClientText is a client as ParseClient reads it, without a length that says nothing.
func ClientText(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

func anyPort(at netip.AddrPort) string {
	if at.Port() == 0 {
		return at.Addr().String()
	}
	return at.String()
}

func serviceText(id ipvs.ServiceID) string {
	switch at := anyPort(netip.AddrPortFrom(id.Addr, id.Port)); {
	case id.IsMark():
		return id.String()
	case id.Protocol == 0:
		return at
	default:
		return id.Protocol.String() + " " + at
	}
}

// ParseClient reads an address or a network, of which bits beyond its length do not
// count.
func ParseClient(s string) (netip.Prefix, error) {
	p, err := ParseNetwork(s)
	return p.Masked(), err
}

// mapped is IPv4 as addresses of IPv6.
var mapped = netip.MustParsePrefix("::ffff:0:0/96")

// ParseNetwork reads an address or a network as it is given, with the bits beyond its
// length.
func ParseNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return p, fmt.Errorf("client %q: give an address (198.51.100.7) or a network (198.51.100.0/24)", s)
	case p.Addr().Is4In6() && p.Bits() >= mapped.Bits():
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapped.Bits()), nil
	case p.Overlaps(mapped):
		return netip.Prefix{}, fmt.Errorf("client %q: must not hold %s, which is IPv4; give a network of IPv6 (2000::/3) or of IPv4 (0.0.0.0/0)", s, mapped)
	}
	return p, nil
}

// ParseServer reads an address, with or without a port.
func ParseServer(s string) (netip.AddrPort, error) {
	at, ok := endpoint(s)
	if !ok {
		return at, fmt.Errorf("server %q: give an address (10.0.3.11) or an address and port (10.0.3.11:443, [2001:db8::1]:443)", s)
	}
	return at, nil
}

// ParseService reads a service as it is written everywhere else ("TCP
// 203.0.113.10:443", "FWM 7 IPv6"), or only its address, with or without a port.
func ParseService(s string) (ipvs.ServiceID, error) {
	words := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '/' || r == '-' })
	refused := fmt.Errorf("service %q: give an address, with or without a port and protocol (203.0.113.10, 203.0.113.10:443, tcp 203.0.113.10:443), or a mark (fwm 7)", s)
	if len(words) == 0 {
		return ipvs.ServiceID{}, refused
	}
	if strings.EqualFold(words[0], "fwm") {
		if len(words) < 2 || len(words) > 3 {
			return ipvs.ServiceID{}, refused
		}
		n, err := strconv.ParseUint(words[1], 0, 32)
		family := ipvs.IPv4
		if len(words) == 3 && strings.EqualFold(words[2], "ipv6") {
			family = ipvs.IPv6
		} else if len(words) == 3 {
			err = refused
		}
		if err != nil || n == 0 {
			return ipvs.ServiceID{}, refused
		}
		return ipvs.MarkService(uint32(n), family), nil
	}
	var proto ipvs.Protocol
	for _, p := range []ipvs.Protocol{ipvs.TCP, ipvs.UDP, ipvs.SCTP} {
		if strings.EqualFold(words[0], p.String()) {
			proto, words = p, words[1:]
			break
		}
	}
	if len(words) == 1 {
		if at, ok := endpoint(words[0]); ok {
			return ipvs.AddressService(proto, at), nil
		}
	}
	return ipvs.ServiceID{}, refused
}

// ParseOrigin reads an origin.
func ParseOrigin(s string) (proc.Origin, error) {
	for _, o := range []proc.Origin{proc.OriginLocal, proc.OriginSync} {
		if s == o.String() {
			return o, nil
		}
	}
	return 0, fmt.Errorf("origin %q: choose local or sync", s)
}

// ParseTemplates reads what to do with templates.
func ParseTemplates(s string) (Templates, error) {
	for t, name := range templateNames {
		if s == name {
			return Templates(t), nil
		}
	}
	return 0, fmt.Errorf("templates %q: choose with, only or without", s)
}

var templateNames = [...]string{"with", "only", "without"}

// String is the choice as ParseTemplates reads it.
func (t Templates) String() string { return templateNames[t] }

// endpoint reads an address with or without a port.
func endpoint(s string) (netip.AddrPort, bool) {
	if at, err := netip.ParseAddrPort(s); err == nil && at.Addr().Zone() == "" {
		return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), true
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return netip.AddrPortFrom(a.Unmap(), 0), err == nil && a.Zone() == ""
}

// service tells a pick of the service: as the connection names it, or as the
// table knows its owner.
func (f *Filter) service(virtual, owner ipvs.ServiceID) bool {
	want := f.Service
	if want == (ipvs.ServiceID{}) || want == owner || want == virtual {
		return true
	}
	if want.IsMark() || virtual.IsMark() || want.Addr != virtual.Addr {
		return false
	}
	return (want.Protocol == 0 || want.Protocol == virtual.Protocol) && (want.Port == 0 || want.Port == virtual.Port)
}

func (f *Filter) server(at netip.AddrPort) bool {
	return !f.Server.IsValid() || f.Server.Addr() == at.Addr() && (f.Server.Port() == 0 || f.Server.Port() == at.Port())
}

func (f *Filter) state(s State) bool {
	switch {
	case f.Templates == OnlyTemplates && !s.Template, f.Templates == NoTemplates && s.Template:
		return false
	}
	return f.State == "" || strings.EqualFold(f.State, s.Name)
}

// clients is a prefix as two words and their masks, to be matched quickly.
type clients struct{ hi, lo, maskHi, maskLo uint64 }

func clientsOf(p netip.Prefix) clients {
	if !p.IsValid() {
		return clients{}
	}
	bits := p.Bits()
	if p.Addr().Is4() {
		bits += 96
	}
	c := clients{}
	c.maskHi, c.maskLo = maskOf(bits)
	e := proc.EndpointOf(netip.AddrPortFrom(p.Addr(), 0))
	c.hi, c.lo = e.Hi&c.maskHi, e.Lo&c.maskLo
	return c
}

func (c *clients) has(e proc.Endpoint) bool {
	return e.Hi&c.maskHi == c.hi && e.Lo&c.maskLo == c.lo
}

// maskOf is the first bits of 128.
func maskOf(bits int) (hi, lo uint64) {
	return ^uint64(0) << max(0, 64-min(bits, 128)), ^uint64(0) << min(64, 128-max(bits, 64))
}

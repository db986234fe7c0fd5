package adm

import (
	"net/netip"
	"strconv"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/check"
)

// Names finds what names stand for.
type Names interface {
	Host(name string) (netip.Addr, bool) // IPv4 only: ipvsadm never asks for more
	Port(name string, p ipvs.Protocol) (uint16, bool)
}

func (l *line) tcp(v string) *Error  { return l.address(ipvs.TCP, v) }
func (l *line) udp(v string) *Error  { return l.address(ipvs.UDP, v) }
func (l *line) sctp(v string) *Error { return l.address(ipvs.SCTP, v) }

func (l *line) address(p ipvs.Protocol, v string) *Error {
	l.proto = p
	at := l.before.at
	if v == "" || v != l.before.text {
		var ok bool
		if at, ok = l.endpoint(v); !ok {
			return fail(problem(check.Service, v, "must be an address and port such as 192.0.2.1:80 or [2001:db8::1]:80"),
				"illegal virtual server address[:port] specified")
		}
		l.before.text, l.before.at = v, at
	}
	return l.setService(serviceAt(p, at))
}

// serviceAt is not ipvs.AddressService: to ipvsadm and the kernel, ::ffff:192.0.2.1
// is an IPv6 address.
func serviceAt(p ipvs.Protocol, at netip.AddrPort) ipvs.ServiceID {
	return ipvs.ServiceID{Family: ipvs.FamilyOf(at.Addr()), Protocol: p, Addr: at.Addr(), Port: at.Port()}
}

func (l *line) mark(v string) *Error {
	n, ok := number(v, 1, 1<<32-1)
	if !ok {
		return fail(problem(check.Mark, v, "must be 1 to 4294967295"), "invalid fwmark value `%s' specified", v)
	}
	l.proto = ipvs.TCP // by whose names ipvsadm looks up ports of servers
	return l.setService(ipvs.MarkService(uint32(n), ipvs.IPv4))
}

// setService takes a service for its identity. ipvsadm forgets a mask when it
// hears of IPv6, since the mask was read as one of IPv4.
func (l *line) setService(id ipvs.ServiceID) *Error {
	l.cmd.Service.ServiceID = id
	if id.Family == ipvs.IPv6 {
		if l.strict && l.given.has(netmask) {
			return l.by(check.Mask, refuse(problem(check.Mask, "", "-M belongs after the IPv6 service")))
		}
		l.cmd.Service.Persistence.Mask = ipvs.FullMask(ipvs.IPv6)
	}
	return nil
}

// realServer reads a server, whose port is the service's unless given.
func (l *line) realServer(v string) *Error {
	at, ok := l.endpoint(v)
	if !ok {
		return fail(problem(check.Server, v, "must be an address, and a port if need be, such as 10.0.0.1:80 or [2001:db8::a]:80"),
			"illegal real server address[:port] specified")
	}
	if !hasPort(v) {
		if l.strict && !l.given.has(service) {
			return refuse(problem(check.Server, v, "needs a port, or to stand after its service"))
		}
		at = addrPort(at.Addr(), l.cmd.Service.Port)
	}
	l.cmd.Server.Addr = at
	return nil
}

func addrPort(a netip.Addr, port uint16) netip.AddrPort { return netip.AddrPortFrom(a, port) }

// hasPort tells whether a port is written. ipvsadm does not see the one in
// "[192.0.2.1]:80".
func hasPort(v string) bool {
	if inside, ok := bracketed(v); ok {
		a, err := netip.ParseAddr(inside)
		return err == nil && a.Is6()
	}
	return strings.Count(v, ":") == 1
}

// bracketed gives what stands between the brackets of "[…]:…".
func bracketed(v string) (string, bool) {
	if !strings.HasPrefix(v, "[") {
		return "", false
	}
	inside, _, ok := strings.Cut(v[1:], "]:")
	return inside, ok
}

// endpoint reads an address and port, with port 0 where none is given.
func (l *line) endpoint(v string) (netip.AddrPort, bool) {
	if l.strict {
		return plainEndpoint(v)
	}
	if inside, ok := bracketed(v); ok {
		a, err := netip.ParseAddr(inside)
		if err != nil || !a.Is6() {
			host, ok := l.host(inside)
			return addrPort(host, 0), ok
		}
		port, ok := l.port(v[len("[]:")+len(inside):])
		return addrPort(a, port), ok && a.Zone() == ""
	}
	if strings.Count(v, ":") > 1 {
		a, err := netip.ParseAddr(v)
		return addrPort(a, 0), err == nil && a.Zone() == ""
	}
	name, portText, given := strings.Cut(v, ":")
	if !given && strings.Trim(v, "0123456789") == "" {
		return netip.AddrPort{}, false // a lone number is no host
	}
	host, ok := l.host(name)
	if !ok || !given {
		return addrPort(host, 0), ok
	}
	port, ok := l.port(portText)
	return addrPort(host, port), ok
}

// plainEndpoint takes only what can be understood in one way.
func plainEndpoint(v string) (netip.AddrPort, bool) {
	if at, ok := withPort(v); ok {
		return at, true
	}
	a, err := netip.ParseAddr(v)
	return addrPort(a, 0), err == nil && a.Zone() == ""
}

// withPort reads an address with its port.
func withPort(v string) (netip.AddrPort, bool) {
	at, err := netip.ParseAddrPort(v)
	return at, err == nil && at.Addr().Zone() == ""
}

// host reads an IPv4 address or looks a name up.
func (l *line) host(name string) (netip.Addr, bool) {
	if a, ok := inetAton(name); ok {
		return a, true
	}
	if l.names == nil || name == "" {
		return netip.Addr{}, false
	}
	return l.names.Host(name)
}

func (l *line) port(text string) (uint16, bool) {
	if n, ok := number(text, 0, 65535); ok {
		return uint16(n), true
	}
	if l.names == nil || l.proto == 0 {
		return 0, false
	}
	return l.names.Port(text, l.proto)
}

// inetAton reads an IPv4 address of one to four parts, each decimal, octal
// (0…) or hexadecimal (0x…); the last one fills the rest. Anything may follow
// a blank.
func inetAton(text string) (netip.Addr, bool) {
	if i := strings.IndexAny(text, space); i >= 0 {
		text = text[:i]
	}
	parts := strings.Split(text, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var sum uint64
	for i, part := range parts {
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (4 - i)
		}
		base := 10
		switch {
		case strings.HasPrefix(part, "0x") || strings.HasPrefix(part, "0X"):
			base, part = 16, part[2:]
		case strings.HasPrefix(part, "0") && part != "0":
			base = 8
		}
		n, err := strconv.ParseUint(part, base, bits)
		if err != nil {
			return netip.Addr{}, false
		}
		sum = sum<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}), true
}

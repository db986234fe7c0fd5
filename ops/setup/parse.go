package setup

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"lvsdeck/ipvs"
)

// ParseMode reads nat, dr, tun or fullnat.
func ParseMode(s string) (Mode, error) {
	for _, m := range Modes {
		if s == string(m) {
			return m, nil
		}
	}
	return "", fmt.Errorf("mode %q: must be nat, dr, tun or fullnat", s)
}

// ParseService reads ADDRESS:PORT, or ADDRESS:PORT/udp; without a protocol it is
// TCP.
func ParseService(s string) (ipvs.ServiceID, error) {
	where, protocol, _ := strings.Cut(s, "/")
	at, err := netip.ParseAddrPort(where)
	if err != nil || at.Addr().Zone() != "" || at.Port() == 0 {
		return ipvs.ServiceID{}, fmt.Errorf("VIP %q: must be ADDRESS:PORT with /udp or /sctp unless it is TCP, like 203.0.113.10:443 or [2001:db8::10]:53/udp", s)
	}
	for _, p := range []ipvs.Protocol{ipvs.TCP, ipvs.UDP, ipvs.SCTP} {
		if protocol == lower(p) || protocol == "" {
			return ipvs.AddressService(p, at), nil
		}
	}
	return ipvs.ServiceID{}, fmt.Errorf("VIP %q: protocol %q must be tcp, udp or sctp", s, protocol)
}

// ParseServer reads ADDRESS, ADDRESS:PORT or either with ",WEIGHT"; without a
// port it is the service's, without a weight 1.
func ParseServer(s string) (Server, error) {
	where, weight, weighed := strings.Cut(s, ",")
	server := Server{Weight: 1}
	if weighed {
		n, err := strconv.ParseUint(weight, 10, 31)
		if err != nil {
			return server, fmt.Errorf("real server %q: weight %q must be 0 to %d", s, weight, ipvs.MaxWeight)
		}
		server.Weight = uint32(n)
	}
	if a, err := netip.ParseAddr(strings.Trim(where, "[]")); err == nil && a.Zone() == "" {
		server.Addr = netip.AddrPortFrom(a.Unmap(), 0)
		return server, nil
	}
	at, err := netip.ParseAddrPort(where)
	if err != nil || at.Addr().Zone() != "" || at.Port() == 0 {
		return server, fmt.Errorf("real server %q: must be ADDRESS or ADDRESS:PORT, and ,WEIGHT unless it is 1, like 10.0.3.11:8080,2", s)
	}
	server.Addr = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	return server, nil
}

// ParseTunnel reads ipip, gre or gue:PORT.
func ParseTunnel(s string) (ipvs.Tunnel, error) {
	kind, port, hasPort := strings.Cut(s, ":")
	switch {
	case s == "ipip":
		return ipvs.Tunnel{Type: ipvs.IPIP}, nil
	case s == "gre":
		return ipvs.Tunnel{Type: ipvs.GRE}, nil
	case kind == "gue" && hasPort:
		if n, err := strconv.ParseUint(port, 10, 16); err == nil && n > 0 {
			return ipvs.Tunnel{Type: ipvs.GUE, Port: uint16(n)}, nil
		}
	}
	return ipvs.Tunnel{}, fmt.Errorf("tunnel %q: must be ipip, gre or gue:PORT", s)
}

// ParseRange reads ADDRESS or FIRST-LAST.
func ParseRange(s string) (Range, error) {
	first, last, more := strings.Cut(s, "-")
	if !more {
		last = first
	}
	var r Range
	var err1, err2 error
	r.First, err1 = netip.ParseAddr(first)
	r.Last, err2 = netip.ParseAddr(last)
	if err1 != nil || err2 != nil || r.First.Zone() != "" || r.Last.Zone() != "" {
		return Range{}, fmt.Errorf("source addresses %q: must be ADDRESS or FIRST-LAST", s)
	}
	return Range{r.First.Unmap(), r.Last.Unmap()}, nil
}

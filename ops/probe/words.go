package probe

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops/probe/wire"
)

// evidence tells what was sent and what came, in order.
func (f *facts) evidence() (lines []string) {
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if f.NoRoute != nil {
		say("%v", f.NoRoute)
	}
	switch p := f.Path; {
	case p.Via.IsValid():
		say("route to %s: via %s on %s, from %s", f.Server.Addr.Addr(), p.Via, p.Link, p.Source)
	case p.Link != "" && !f.Hop.Addr.IsValid():
		say("route to %s: on %s, from %s", f.Server.Addr.Addr(), p.Link, p.Source)
	}
	if h := f.Hop; h.Addr.IsValid() && f.Link.MAC != "" {
		switch {
		case h.Deaf:
			say("%s on %s: no answer to %s, but %s answers who asks without an address", asking(h.Addr), f.Link.Name, f.Source, h.MAC)
		case h.Silent && h.MAC == (wire.MAC{}):
			say("%s on %s: no answer", asking(h.Addr), f.Link.Name)
		case h.Silent:
			say("%s on %s: no answer; %s is what the kernel knows", asking(h.Addr), f.Link.Name, h.MAC)
		default:
			say("%s on %s: %s after %s", asking(h.Addr), f.Link.Name, h.MAC, short(h.After))
		}
	}
	for _, q := range []*question{f.SYN, f.Ping, f.Far, f.Inside, f.Toggled, f.Alive, f.Outside, f.Direct, f.Other, f.Long} {
		if q != nil && q.Reply.Outcome != unasked {
			say("%s: %s", q, q.Reply.words(f.Wait))
		}
	}
	if f.LocalAfter != 0 {
		answer := "accepted"
		if f.Local != nil {
			answer = f.Local.Error()
		}
		say("connect to %s: %s after %s", f.Server.Addr, answer, short(f.LocalAfter))
	}
	return lines
}

func asking(a netip.Addr) string {
	if a.Is4() {
		return "ARP for " + a.String()
	}
	return "neighbour solicitation for " + a.String()
}

func (q *question) String() string {
	from, to := q.Header.Src.String(), q.Header.Dst.String()
	if q.connects() {
		from = netip.AddrPortFrom(q.Header.Src, q.Ports.Src).String()
		to = netip.AddrPortFrom(q.Header.Dst, q.Ports.Dst).String()
	}
	s := fmt.Sprintf("%s %s > %s", q.Name, from, to)
	if q.Size != 0 {
		s += fmt.Sprintf(" of %d bytes", q.Size)
	}
	if q.Tunnel != nil {
		s += fmt.Sprintf(" in %s %s > %s", q.Tunnel.Kind.Type, q.Tunnel.Outer.Src, q.Tunnel.Outer.Dst)
		if q.Tunnel.Kind.Flags&ipvs.TunnelChecksum != 0 {
			s += " with checksum"
		}
	}
	return s
}

func (r reply) words(wait time.Duration) string {
	var what string
	switch r.Outcome {
	case silence:
		return "no answer in " + short(wait)
	case noRoom:
		return "longer than the link takes"
	case synAck:
		what = "SYN-ACK"
		if r.MSS != 0 {
			what += fmt.Sprintf(", MSS %d", r.MSS)
		}
	case reset:
		what = "RST"
	case echoed:
		what = "answered"
	case failure:
		what = fmt.Sprintf("ICMP %d/%d (%s) from %s", r.Type, r.Code, r.Kind, r.From)
		if r.Outer {
			what += " about the tunnel's packet"
		}
	}
	return fmt.Sprintf("%s after %s, from %s on %s, TTL %d", what, short(r.After), r.MAC, r.Link, r.TTL)
}

// short is a time in the digits that count.
func short(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms >= 999.5:
		return strconv.FormatFloat(math.Round(d.Seconds()*10)/10, 'f', -1, 64) + " s"
	case ms >= 9.95:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f ms", ms)
}

// mixed tells that the VIP and the server are of different families.
func (f *facts) mixed() bool { return f.VIP.Addr().Is4() != f.Server.Addr.Addr().Is4() }

// needsMode tells tunnels that the module's own device does not take unless it is
// told to (Linux: ip6_tunnel.c, the fallback device is for IPv6 in IPv6).
func (f *facts) needsMode() bool { return f.mixed() && f.device() == "ip6tnl0" }

// encapsulation is the tunnel's protocol, as firewalls call it.
func (f *facts) encapsulation() string {
	switch t := f.Server.Tunnel; {
	case t.Type == ipvs.GUE:
		return fmt.Sprintf("UDP port %d", t.Port)
	case t.Type == ipvs.GRE:
		return "protocol 47 (gre)"
	case f.VIP.Addr().Is4():
		return "protocol 4 (ipip)"
	}
	return "protocol 41 (ipv6)"
}

// device and module are the server's, where packets come out of the tunnel.
func (f *facts) device() string { return f.tunnelParts().device }
func (f *facts) module() string { return f.tunnelParts().module }

type parts struct{ device, module string }

func (f *facts) tunnelParts() parts {
	gre := f.Server.Tunnel.Type == ipvs.GRE
	switch v4 := f.Server.Addr.Addr().Is4(); {
	case gre && v4:
		return parts{"gre0", "ip_gre"}
	case gre:
		return parts{"ip6gre0", "ip6_gre"}
	case !v4:
		return parts{"ip6tnl0", "ip6_tunnel"}
	case f.VIP.Addr().Is6():
		return parts{"sit0", "sit"}
	}
	return parts{"tunl0", "ipip"}
}

// overhead is what the tunnel adds to each packet.
func (f *facts) overhead() int {
	n := wire.Overhead(f.Server.Addr.Addr())
	switch t := f.Server.Tunnel; {
	case t.Type == ipvs.GUE:
		n += 8 + 4
	case t.Type == ipvs.GRE && t.Flags&ipvs.TunnelChecksum != 0:
		n += 8
	case t.Type == ipvs.GRE:
		n += 4
	}
	return n
}

// fittingMSS is the largest with which full packets fit into the tunnel.
func (f *facts) fittingMSS() int {
	const sizeTCP = 20
	return f.pathMTU() - f.overhead() - wire.Overhead(f.VIP.Addr()) - sizeTCP
}

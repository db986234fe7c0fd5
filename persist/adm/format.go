package adm

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"lvsdeck/ipvs"
)

// Format writes rules as lines of ipvsadm's language, without line ends. The
// zero Format writes all there is to say.
type Format struct {
	// Saved writes what "ipvsadm -S" writes, and loses what it loses:
	// thresholds, and the mask where there is no persistence.
	Saved bool

	// Endpoint writes an address and port of a service or of its server; nil
	// writes numbers. Marks pass protocol 0.
	Endpoint func(ipvs.Protocol, netip.AddrPort) string
}

// Service writes the line that adds a service.
func (f Format) Service(s ipvs.Service) string { return string(f.appendService(nil, s)) }

// Server writes the line that adds a server to a service.
func (f Format) Server(id ipvs.ServiceID, s ipvs.Server) string {
	return string(f.appendServer(nil, id, s))
}

// Timeouts writes the line that sets the timeouts of connections.
func (f Format) Timeouts(t ipvs.Timeouts) string {
	return fmt.Sprintf("--set %d %d %d", t.TCP, t.TCPFin, t.UDP)
}

// Daemon writes the line that starts a sync daemon; what it leaves open stays
// open.
func (f Format) Daemon(d ipvs.Daemon) string {
	words := []string{"--start-daemon", d.Role.String(), "--mcast-interface", d.Interface, "--syncid", strconv.Itoa(int(d.SyncID))}
	if d.MaxLen != 0 {
		words = append(words, "--sync-maxlen", strconv.Itoa(int(d.MaxLen)))
	}
	if d.Group.IsValid() {
		words = append(words, "--mcast-group", d.Group.String())
	}
	if d.Port != 0 {
		words = append(words, "--mcast-port", strconv.Itoa(int(d.Port)))
	}
	if d.TTL != 0 {
		words = append(words, "--mcast-ttl", strconv.Itoa(int(d.TTL)))
	}
	return strings.Join(words, " ")
}

func (f Format) appendService(b []byte, s ipvs.Service) []byte {
	b = f.appendID(append(b, "-A "...), s.ServiceID)
	b = append(append(b, " -s "...), s.Scheduler...)
	p := s.Persistence
	if p.On {
		b = appendNumber(b, " -p ", p.Timeout)
	}
	if p.Mask != ipvs.FullMask(s.Family) && (p.On || !f.Saved) {
		b = append(append(b, " -M "...), p.Mask.Text(s.Family)...)
	}
	if p.Engine != "" {
		b = append(append(b, " --pe "...), p.Engine...)
	}
	if s.OnePacket {
		b = append(b, " -o"...)
	}
	if flags := s.SchedFlags.Names(s.Scheduler); len(flags) > 0 {
		b = append(append(b, " -b "...), strings.Join(flags, ",")...)
	}
	return b
}

func (f Format) appendServer(b []byte, id ipvs.ServiceID, s ipvs.Server) []byte {
	b = f.appendID(append(b, "-a "...), id)
	b = f.appendEndpoint(append(b, " -r "...), id.Protocol, s.Addr)
	b = append(b, forwardOption(s.Forward)...)
	b = appendNumber(b, " -w ", s.Weight)
	if s.Forward == ipvs.TunnelFwd {
		b = appendTunnel(b, s.Tunnel)
	}
	if !f.Saved && s.Upper != 0 {
		b = appendNumber(b, " -x ", s.Upper)
	}
	if !f.Saved && s.Lower != 0 {
		b = appendNumber(b, " -y ", s.Lower)
	}
	return b
}

func appendNumber(b []byte, option string, n uint32) []byte {
	return strconv.AppendUint(append(b, option...), uint64(n), 10)
}

// appendID names a service. One of another protocol, which only other programs
// can make, has no name in this language; ipvsadm writes it so.
func (f Format) appendID(b []byte, id ipvs.ServiceID) []byte {
	if id.IsMark() {
		b = appendNumber(b, "-f ", id.Mark)
		if id.Family == ipvs.IPv6 {
			b = append(b, " -6"...)
		}
		return b
	}
	option := "--xxx-service "
	switch id.Protocol {
	case ipvs.TCP:
		option = "-t "
	case ipvs.UDP:
		option = "-u "
	case ipvs.SCTP:
		option = "--sctp-service "
	}
	return f.appendEndpoint(append(b, option...), id.Protocol, addrPort(id.Addr, id.Port))
}

func (f Format) appendEndpoint(b []byte, p ipvs.Protocol, at netip.AddrPort) []byte {
	switch {
	case f.Endpoint != nil:
		return append(b, f.Endpoint(p, at)...)
	case at.Addr().Is4():
		return at.AppendTo(b)
	}
	b = append(append(b, '['), ip6(at.Addr())...)
	return appendNumber(b, "]:", uint32(at.Port()))
}

// Endpoint writes an address and port in numbers, as ipvsadm does.
func Endpoint(at netip.AddrPort) string { return string(Format{}.appendEndpoint(nil, 0, at)) }

// ip6 writes an address like inet_ntop, which knows IPv4 also behind 96 zero
// bits.
func ip6(a netip.Addr) string {
	b := a.As16()
	if [12]byte(b[:12]) == [12]byte{} && (b[12] != 0 || b[13] != 0) {
		return "::" + netip.AddrFrom4([4]byte(b[12:])).String()
	}
	return a.String()
}

// forwardOption is -g for all that ipvsadm can not say, as it does itself.
func forwardOption(f ipvs.Forward) string {
	switch f {
	case ipvs.Masq:
		return " -m"
	case ipvs.TunnelFwd:
		return " -i"
	}
	return " -g"
}

func appendTunnel(b []byte, t ipvs.Tunnel) []byte {
	b = append(append(b, " --tun-type "...), t.Type.String()...)
	if t.Type == ipvs.GUE {
		b = appendNumber(b, " --tun-port ", uint32(t.Port))
	}
	switch {
	case t.Type == ipvs.IPIP:
		return b
	case t.Flags&ipvs.TunnelChecksum != 0:
		return append(b, " --tun-csum"...)
	case t.Flags&ipvs.TunnelRemoteChecksum != 0 && t.Type == ipvs.GUE:
		return append(b, " --tun-remcsum"...)
	}
	return append(b, " --tun-nocsum"...)
}

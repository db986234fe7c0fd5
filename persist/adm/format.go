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
func (f Format) Service(s ipvs.Service) string {
	words := []string{"-A", f.service(s.ServiceID), "-s", s.Scheduler}
	p := s.Persistence
	if p.On {
		words = append(words, "-p", strconv.FormatUint(uint64(p.Timeout), 10))
	}
	if p.Mask != ipvs.FullMask(s.Family) && (p.On || !f.Saved) {
		words = append(words, "-M", p.Mask.Text(s.Family))
	}
	if p.Engine != "" {
		words = append(words, "--pe", p.Engine)
	}
	if s.OnePacket {
		words = append(words, "-o")
	}
	if flags := s.SchedFlags.Names(s.Scheduler); len(flags) > 0 {
		words = append(words, "-b", strings.Join(flags, ","))
	}
	return strings.Join(words, " ")
}

// Server writes the line that adds a server to a service.
func (f Format) Server(id ipvs.ServiceID, s ipvs.Server) string {
	words := []string{
		"-a", f.service(id), "-r", f.endpoint(id.Protocol, s.Addr),
		forwardOption(s.Forward), "-w", strconv.FormatUint(uint64(s.Weight), 10),
	}
	if s.Forward == ipvs.TunnelFwd {
		words = append(words, tunnelWords(s.Tunnel)...)
	}
	if !f.Saved && s.Upper != 0 {
		words = append(words, "-x", strconv.FormatUint(uint64(s.Upper), 10))
	}
	if !f.Saved && s.Lower != 0 {
		words = append(words, "-y", strconv.FormatUint(uint64(s.Lower), 10))
	}
	return strings.Join(words, " ")
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

var protocolOptions = map[ipvs.Protocol]string{ipvs.TCP: "-t", ipvs.UDP: "-u", ipvs.SCTP: "--sctp-service"}

// service names a service. One of another protocol, which only other programs
// can make, has no name in this language; ipvsadm writes it so.
func (f Format) service(id ipvs.ServiceID) string {
	if id.IsMark() {
		text := "-f " + strconv.FormatUint(uint64(id.Mark), 10)
		if id.Family == ipvs.IPv6 {
			text += " -6"
		}
		return text
	}
	option, known := protocolOptions[id.Protocol]
	if !known {
		option = "--xxx-service"
	}
	return option + " " + f.endpoint(id.Protocol, addrPort(id.Addr, id.Port))
}

func (f Format) endpoint(p ipvs.Protocol, at netip.AddrPort) string {
	if f.Endpoint != nil {
		return f.Endpoint(p, at)
	}
	return Endpoint(at)
}

// Endpoint writes an address and port in numbers, as ipvsadm does.
func Endpoint(at netip.AddrPort) string {
	port := strconv.Itoa(int(at.Port()))
	if at.Addr().Is4() {
		return at.Addr().String() + ":" + port
	}
	return "[" + ip6(at.Addr()) + "]:" + port
}

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
		return "-m"
	case ipvs.TunnelFwd:
		return "-i"
	}
	return "-g"
}

func tunnelWords(t ipvs.Tunnel) []string {
	words := []string{"--tun-type", t.Type.String()}
	if t.Type == ipvs.GUE {
		words = append(words, "--tun-port", strconv.Itoa(int(t.Port)))
	}
	if t.Type == ipvs.IPIP {
		return words
	}
	switch {
	case t.Flags&ipvs.TunnelChecksum != 0:
		return append(words, "--tun-csum")
	case t.Flags&ipvs.TunnelRemoteChecksum != 0 && t.Type == ipvs.GUE:
		return append(words, "--tun-remcsum")
	}
	return append(words, "--tun-nocsum")
}

package ipvsadm

import (
	"net/netip"
	"strconv"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/persist/adm"
)

// titles head the columns. The blanks at the ends are ipvsadm's.
var titles = map[adm.Columns]string{
	adm.Plain: "Prot LocalAddress:Port Scheduler Flags\n" +
		"  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n",
	adm.Tunnels: "Prot LocalAddress:Port Scheduler Flags\n" +
		"  -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn InActConn\n",
	adm.Stats: "Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n" +
		"  -> RemoteAddress:Port\n",
	adm.Rates: "Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n" +
		"  -> RemoteAddress:Port\n",
	adm.Thresholds: "Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn \n" +
		"  -> RemoteAddress:Port\n",
	adm.PersistentConns: "Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn \n" +
		"  -> RemoteAddress:Port\n",
}

// The widths of names; longer ones of IPv4 are cut. A service's includes its
// protocol.
const (
	serviceWidth = 33
	serverWidth  = 28
)

// entry prints a service and its servers.
func (p *printer) entry(e ipvs.Entry) {
	name := p.service(e.ServiceID)
	switch p.Columns {
	case adm.Stats:
		p.printf("%-*s%s\n", serviceWidth, name, p.traffic(e.Stats.Total))
	case adm.Rates:
		p.printf("%-*s%s\n", serviceWidth, name, p.traffic(e.Stats.Rate))
	default:
		p.printf("%s%s\n", name, settings(e.Service))
	}
	for _, s := range e.Servers {
		p.printf("  -> %-*s %s\n", serverWidth, p.server(e.Protocol, s.Addr), p.figures(s))
	}
}

func (p *printer) service(id ipvs.ServiceID) string {
	if id.IsMark() {
		return "FWM  " + id.Name()
	}
	name := padded(id.Protocol.String(), 4) + " " + p.endpoint(id.Protocol, netip.AddrPortFrom(id.Addr, id.Port))
	if id.Family == ipvs.IPv4 {
		name = name[:min(len(name), serviceWidth)]
	}
	return name
}

func (p *printer) server(proto ipvs.Protocol, at netip.AddrPort) string {
	name := p.endpoint(proto, at)
	if at.Addr().Is4() {
		name = name[:min(len(name), serverWidth)]
	}
	return name
}

func padded(s string, width int) string { return s + strings.Repeat(" ", max(0, width-len(s))) }

// settings follow a service's name where no figures do.
func settings(s ipvs.Service) string {
	text := " " + s.Scheduler
	if flags := s.SchedFlags.Names(s.Scheduler); len(flags) > 0 {
		text += " (" + strings.Join(flags, ",") + ")"
	}
	if p := s.Persistence; p.On {
		text += " persistent " + strconv.FormatUint(uint64(p.Timeout), 10)
		if p.Mask != ipvs.FullMask(s.Family) {
			text += " mask " + p.Mask.Text(s.Family)
		}
		if p.Engine != "" {
			text += " pe " + p.Engine
		}
	}
	if s.OnePacket {
		text += " ops"
	}
	return text
}

// figures are the columns of a server, after its name.
func (p *printer) figures(s ipvs.ServerState) string {
	count := func(width int, n uint32) string { return padded(strconv.FormatUint(uint64(n), 10), width) }
	conns := " " + count(10, s.Active) + " " + count(10, s.Inactive)
	switch p.Columns {
	case adm.Stats:
		return p.traffic(s.Stats.Total)[1:]
	case adm.Rates:
		return p.rates(s.Stats.Rate)[1:]
	case adm.Thresholds:
		return count(10, s.Upper) + " " + count(10, s.Lower) + conns
	case adm.PersistentConns:
		return count(9, s.Weight) + " " + count(11, s.Persistent) + conns
	case adm.Tunnels:
		return padded(forward(s.Forward), 7) + " " + padded(tunnel(s.Server), 13) + " " + count(6, s.Weight) + conns
	}
	return padded(forward(s.Forward), 7) + " " + count(6, s.Weight) + conns
}

func forward(f ipvs.Forward) string {
	switch f {
	case ipvs.Masq:
		return "Masq"
	case ipvs.LocalNode:
		return "Local"
	case ipvs.TunnelFwd:
		return "Tunnel"
	}
	return "Route"
}

func tunnel(s ipvs.Server) string {
	if s.Forward != ipvs.TunnelFwd {
		return "n/a"
	}
	sum := ":-c"
	switch {
	case s.Tunnel.Flags&ipvs.TunnelChecksum != 0:
		sum = ":+c"
	case s.Tunnel.Flags&ipvs.TunnelRemoteChecksum != 0:
		sum = ":r+c"
	}
	switch s.Tunnel.Type {
	case ipvs.GUE:
		return "gue:" + strconv.Itoa(int(s.Tunnel.Port)) + sum
	case ipvs.GRE:
		return "gre" + sum
	}
	return s.Tunnel.Type.String()
}

// traffic prints five figures.
func (p *printer) traffic(t ipvs.Traffic) string {
	var text string
	for _, n := range []uint64{t.Conns, t.InPackets, t.OutPackets, t.InBytes, t.OutBytes} {
		text += p.large(n)
	}
	return text
}

// rates of a server print all but bytes in full.
func (p *printer) rates(t ipvs.Traffic) string {
	var text string
	for _, n := range []uint64{t.Conns, t.InPackets, t.OutPackets} {
		text += " " + right(strconv.FormatUint(n, 10), 8)
	}
	return text + p.large(t.InBytes) + p.large(t.OutBytes)
}

// large prints a number in nine columns, or in as many as it needs and a blank
// when it must be exact. It cuts off and does not round.
func (p *printer) large(n uint64) string {
	if p.Exact {
		text := strconv.FormatUint(n, 10)
		return right(text, max(9, len(text)+1))
	}
	for _, scale := range []struct {
		below, unit uint64
		letter      string
	}{{1e8, 1, ""}, {1e9, 1e3, "K"}, {1e11, 1e6, "M"}, {1e14, 1e9, "G"}} {
		if n < scale.below {
			return right(strconv.FormatUint(n/scale.unit, 10)+scale.letter, 9)
		}
	}
	return right(strconv.FormatUint(n/1e12, 10)+"T", 9)
}

func right(s string, width int) string { return strings.Repeat(" ", max(0, width-len(s))) + s }

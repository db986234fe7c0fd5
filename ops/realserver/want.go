package realserver

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/setup"
)

// Want is what a real server is to do.
type Want struct {
	Mode   setup.Mode
	VIP    netip.Addr  // of DR and TUN
	Tunnel ipvs.Tunnel // of TUN

	// Server is the real server's own address, to which the director sends. For
	// TUN it tells the family of a tunnel's outside: the VIP's when it is invalid.
	// DR does not need it.
	Server netip.Addr

	// Gateway is the director's address in the server's network (NAT).
	Gateway netip.Addr

	// Protocol and Port are the server's own (NAT). With them only what the
	// service answers goes by the director; without, all that Server sends.
	Protocol ipvs.Protocol
	Port     uint16

	// Shares: the server stands on the VIP's own segment and must not answer for
	// it there. Always so in DR.
	Shares bool

	// Loose is the interface facing the director, when the way to the clients is
	// over another: a strict reverse path filter would drop what comes in by it.
	Loose string

	// ClampMSS makes clients send packets that fit a tunnel. It takes iptables.
	ClampMSS bool
}

// Of is what a server of a director's set-up is to do.
func Of(d setup.Draft, s setup.RealServer) Want {
	w := Want{Mode: d.Wish.Mode, Server: s.Addr.Addr(), Shares: s.Shares}
	switch d.Wish.Mode {
	case setup.DR:
		w.VIP = d.Wish.Service.Addr
	case setup.TUN:
		w.VIP, w.Tunnel = d.Wish.Service.Addr, d.Wish.Tunnel
		w.ClampMSS = d.Wish.Service.Protocol == ipvs.TCP
	case setup.NAT:
		w.Gateway = s.Director
		if p := d.Wish.Service.Protocol; p == ipvs.TCP || p == ipvs.UDP {
			w.Protocol, w.Port = p, s.Addr.Port()
		}
	}
	return w
}

// Name tells kits of one server apart: "dr-203.0.113.10", "nat-10.0.3.11-tcp-80".
func (w Want) Name() string {
	if w.Mode != setup.NAT {
		return fmt.Sprintf("%s-%s", string(w.Mode), w.VIP)
	}
	name := "nat-" + w.Server.String()
	if w.Port != 0 {
		name += fmt.Sprintf("-%s-%d", lower(w.Protocol), w.Port)
	}
	return name
}

// String is what the server is made: "real server of 203.0.113.10: DR".
func (w Want) String() string {
	switch {
	case w.Mode == setup.FullNAT:
		return "real server: full NAT"
	case w.Mode != setup.NAT:
		return fmt.Sprintf("real server of %s: %s", w.VIP, w.Mode)
	case w.Port == 0:
		return fmt.Sprintf("real server %s: NAT by %s", w.Server, w.Gateway)
	}
	return fmt.Sprintf("real server %s: NAT by %s for %s port %d", w.Server, w.Gateway, w.Protocol, w.Port)
}

func lower(p ipvs.Protocol) string { return strings.ToLower(p.String()) }

// RiskyWindow is the time to confirm what is Risky, unless another is given.
const RiskyWindow = 60 * time.Second

// Risky tells that a mistake in it may cut the way to the server: all that it
// sends changes its way.
func (w Want) Risky() bool { return w.Mode == setup.NAT && w.Port == 0 }

// outer6 tells that tunnels come over IPv6.
func (w Want) outer6() bool {
	if w.Server.IsValid() {
		return w.Server.Is6()
	}
	return w.VIP.Is6()
}

// Check refuses what no real server can do.
func (w Want) Check() error {
	if w.Loose != "" {
		if err := (netcfg.Up{Link: w.Loose}).Check(); err != nil {
			return err
		}
	}
	switch w.Mode {
	case setup.DR, setup.TUN:
		if err := unicast("VIP", w.VIP); err != nil {
			return err
		}
	case setup.NAT:
		return w.checkNAT()
	case setup.FullNAT:
		return nil
	default:
		return fmt.Errorf("mode %q: must be nat, dr, tun or fullnat", string(w.Mode))
	}
	if w.Server == w.VIP {
		return fmt.Errorf("server %s: must not be the VIP, but its own address", w.Server)
	}
	if w.Mode == setup.TUN {
		return w.checkTunnel()
	}
	return nil
}

func (w Want) checkNAT() error {
	if err := errors.Join(unicast("gateway", w.Gateway), unicast("server's address", w.Server)); err != nil {
		return err
	}
	switch {
	case w.Gateway.Is4() != w.Server.Is4():
		return fmt.Errorf("gateway %s and server %s: must be of one family", w.Gateway, w.Server)
	case w.Gateway == w.Server:
		return fmt.Errorf("gateway %s: must be the director, not the server itself", w.Gateway)
	case w.Gateway.IsLinkLocalUnicast() || w.Server.IsLinkLocalUnicast():
		return fmt.Errorf("gateway %s and server %s: must not be link-local", w.Gateway, w.Server)
	case w.Port != 0 && w.Protocol != ipvs.TCP && w.Protocol != ipvs.UDP:
		return fmt.Errorf("protocol %s: must be tcp or udp where only the service's answers go by the director; leave the port out to send everything there", w.Protocol)
	}
	return nil
}

func (w Want) checkTunnel() error {
	if w.Server.IsValid() {
		if err := unicast("server's address", w.Server); err != nil {
			return err
		}
	}
	switch t := w.Tunnel; {
	case t.Type > ipvs.GRE:
		return fmt.Errorf("tunnel: must be ipip, gue or gre")
	case t.Type == ipvs.GUE && t.Port == 0:
		return fmt.Errorf("tunnel gue: needs its UDP port, such as gue:5555")
	case t.Type != ipvs.GUE && t.Port != 0:
		return fmt.Errorf("tunnel %s: has no port", t.Type)
	}
	return nil
}

func unicast(what string, a netip.Addr) error {
	if !a.IsValid() || a.Zone() != "" || a.Is4In6() || a.IsMulticast() || a.IsUnspecified() || a.IsLoopback() {
		return fmt.Errorf("%s %s: must be one host's IPv4 or IPv6 address", what, a)
	}
	return nil
}

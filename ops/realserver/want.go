package realserver

import (
	"errors"
	"fmt"
	"net/netip"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/setup"
)

// Want is what a real server is to do.
type Want struct {
	Mode   setup.Mode
	VIP    netip.Addr  // of DR and TUN
	Tunnel ipvs.Tunnel // of TUN

	// Server is the real server's own address, which the director sends to. DR
	// and TUN need it only to know the family of a tunnel's outside.
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

// Check refuses what no real server can do.
func (w Want) Check() error {
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
	if w.Loose != "" {
		if err := (netcfg.Up{Link: w.Loose}).Check(); err != nil {
			return err
		}
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
	case w.Port != 0 && w.Protocol != ipvs.TCP && w.Protocol != ipvs.UDP:
		return fmt.Errorf("protocol %s: must be tcp or udp where only the service's answers go by the director; leave the port out to send everything there", w.Protocol)
	}
	return nil
}

func (w Want) checkTunnel() error {
	if err := unicast("server's address", w.Server); err != nil {
		return err
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

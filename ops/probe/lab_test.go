package probe

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/lab"
	"lvsdeck/netcfg"
)

// site is a lab's site with services on its director, and a prober there.
type site struct {
	*lab.Site
	t      *testing.T
	tunnel ipvs.Tunnel
}

func newSite(t *testing.T, mode lab.Mode, v6 bool) *site {
	t.Helper()
	lab.Require(t)
	return &site{Site: lab.Director(t, mode, 2, v6), t: t}
}

// prober is one on the director.
func (s *site) prober(o Options) *Prober {
	s.t.Helper()
	return proberOn(s.t, s.Director, o)
}

func proberOn(t *testing.T, h *lab.Host, o Options) (p *Prober) {
	t.Helper()
	var err error
	h.Do(func() {
		var around *netcfg.Kernel
		if around, err = netcfg.Open(); err == nil {
			t.Cleanup(func() { around.Close() })
			p, err = Open(around, o)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// targets are all servers, for a port.
func (s *site) targets(proto ipvs.Protocol, port uint16) (all []Target) {
	how := map[lab.Mode]ipvs.Forward{lab.NAT: ipvs.Masq, lab.DR: ipvs.Direct, lab.TUN: ipvs.TunnelFwd}[s.Mode]
	for _, a := range s.Addrs {
		server := ipvs.Server{Addr: netip.AddrPortFrom(a, port), Forward: how, Tunnel: s.tunnel}
		all = append(all, Target{VIP: netip.AddrPortFrom(s.VIP, port), Protocol: proto, Server: server})
	}
	return all
}

// balance has ipvsadm make the service.
func (s *site) balance() {
	s.t.Helper()
	at := s.At(lab.HTTPPort)
	s.Director.Ipvsadm("-A", "-t", at, "-s", "rr")
	for _, target := range s.targets(ipvs.TCP, lab.HTTPPort) {
		args := []string{"-a", "-t", at, "-r", target.Server.Addr.String(), s.Mode.Flag()}
		if s.Mode == lab.TUN {
			args = append(args, "--tun-type", s.tunnel.Type.String())
			if s.tunnel.Type == ipvs.GUE {
				args = append(args, "--tun-port", fmt.Sprint(s.tunnel.Port))
			}
			args = append(args, map[ipvs.TunnelFlags][]string{ipvs.TunnelChecksum: {"--tun-csum"}}[s.tunnel.Flags]...)
		}
		s.Director.Ipvsadm(args...)
	}
}

// traffic is what IPVS has counted, live, and its connections.
func (s *site) traffic() (text string) {
	s.t.Helper()
	s.Director.Do(func() {
		for _, file := range []string{"ip_vs_stats_percpu", "ip_vs_conn"} {
			b, err := os.ReadFile("/proc/thread-self/net/" + file)
			if err != nil {
				s.t.Error(err)
			}
			text += string(b)
		}
	})
	return text
}

// served sees that clients get to every server.
func (s *site) served() {
	s.t.Helper()
	answers, err := lab.Tally(4, func() (string, error) { return s.Client.HTTPGet(s.At(lab.HTTPPort)) })
	if err != nil || len(answers) != 2 {
		s.t.Errorf("clients got %v, %v\n%s", answers, err, s.Director.Ipvsadm("-Lnc"))
	}
}

func show(f Finding) string {
	return fmt.Sprintf("%s, %s: %s\n  %s\n  next: %s", f.Verdict, f.Cause, f.Short, strings.Join(f.Evidence, "\n  "), strings.Join(f.Next, "\n  next: "))
}

// fine wants the first verdict and cause from all.
func (s *site) fine(p *Prober, targets []Target) {
	s.t.Helper()
	for _, r := range p.Servers(context.Background(), targets...) {
		s.t.Logf("%s: %s", r.Target, show(r.Finding))
		if r.Verdict != Fine || r.Cause != Answers {
			s.t.Errorf("want %s fine: %s", r.Target, show(r.Finding))
		}
	}
}

const guePort = 5555

func (s *site) gue(family string) {
	s.tunnel = ipvs.Tunnel{Type: ipvs.GUE, Port: guePort}
	lab.Modprobe(s.t, "fou", "fou6")
	for _, h := range s.Servers {
		h.Command("ip", family, "fou", "add", "port", fmt.Sprint(guePort), "gue")
	}
}

func (s *site) gre(module, device string) {
	s.tunnel = ipvs.Tunnel{Type: ipvs.GRE}
	lab.Modprobe(s.t, module)
	for _, h := range s.Servers {
		h.Up(device)
		if module == "ip_gre" {
			h.Sysctl("net.ipv4.conf."+device+".rp_filter", "0")
		}
	}
}

// healthy sees that every server of a fresh site is fine.
func (s *site) healthy() {
	s.t.Helper()
	s.balance()
	counted := s.traffic()
	p := s.prober(Options{})
	s.fine(p, s.targets(ipvs.TCP, lab.HTTPPort))
	s.fine(p, s.targets(ipvs.UDP, lab.UDPPort))
	s.untouched(counted)
}

// untouched sees that IPVS has counted nothing since, and that no connection is
// left on the servers.
func (s *site) untouched(counted string) {
	s.t.Helper()
	if now := s.traffic(); now != counted {
		s.t.Errorf("IPVS saw it:\n%s", lab.Difference(counted, now))
	}
	for _, h := range s.Servers {
		if open := h.Command("ss", "-Htan", "state", "connected"); open != "" {
			s.t.Errorf("%s is left with %s", h.Name, open)
		}
	}
}

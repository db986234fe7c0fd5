package probe

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/lab"
	"lvsdeck/netcfg"
)

// site is a lab's site with a service on its director, and probers there.
type site struct {
	*lab.Site
	t      *testing.T
	tunnel ipvs.Tunnel
	away   *lab.Segment // of second links
}

func newSite(t *testing.T, mode lab.Mode, servers int, v6 bool) *site {
	t.Helper()
	return &site{Site: lab.Director(t, mode, servers, v6), t: t}
}

// prober is one on the director.
func (s *site) prober(o Options) (p *Prober) {
	s.t.Helper()
	var err error
	s.Director.Do(func() {
		var around *netcfg.Kernel
		if around, err = netcfg.Open(); err == nil {
			s.t.Cleanup(func() { around.Close() })
			p, err = Open(around, o)
		}
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { p.Close() })
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

// balance has ipvsadm make the service of all servers but the first few.
func (s *site) balance(without int) {
	s.t.Helper()
	at := s.At(lab.HTTPPort)
	rules := fmt.Sprintf("-A -t %s -s rr\n", at)
	for _, target := range s.targets(ipvs.TCP, lab.HTTPPort)[without:] {
		rules += fmt.Sprintf("-a -t %s -r %s %s", at, target.Server.Addr, s.Mode.Flag())
		if s.Mode == lab.TUN {
			rules += " --tun-type " + s.tunnel.Type.String()
			if s.tunnel.Type == ipvs.GUE {
				rules += fmt.Sprintf(" --tun-port %d", s.tunnel.Port)
			}
			if s.tunnel.Flags == ipvs.TunnelChecksum {
				rules += " --tun-csum"
			}
		}
		rules += "\n"
	}
	file := filepath.Join(s.t.TempDir(), "rules")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.Director.Command("sh", "-c", "ipvsadm -R <"+file)
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

// served sees that clients get to all servers but the first few. They leave
// traces: nothing is untouched afterwards.
func (s *site) served(without int) {
	s.t.Helper()
	s.Director.Ipvsadm("-C")
	s.balance(without)
	n := len(s.Servers) - without
	answers, err := lab.Tally(n, func() (string, error) { return s.Client.HTTPGet(s.At(lab.HTTPPort)) })
	if err != nil || len(answers) != n {
		s.t.Errorf("clients got %v, %v\n%s", answers, err, s.Director.Ipvsadm("-Lnc"))
	}
}

func show(f Finding) string {
	return fmt.Sprintf("%s, %s: %s\n  %s\n  next: %s", f.Verdict, f.Cause, f.Short, strings.Join(f.Evidence, "\n  "), strings.Join(f.Next, "\n  next: "))
}

// fine wants it of all.
func (s *site) fine(p *Prober, targets []Target) {
	s.t.Helper()
	for _, r := range p.Servers(s.t.Context(), targets...) {
		s.t.Logf("%s: %s", r.Target, show(r.Finding))
		if r.Verdict != Fine || r.Cause != Answers {
			s.t.Errorf("want %s fine: %s", r.Target, show(r.Finding))
		}
	}
}

// healthy sees that every server of a fresh site is fine.
func (s *site) healthy(o Options) {
	s.t.Helper()
	o.Wait = 3 * time.Second // nothing is waited for in vain
	counted := s.traffic()
	p := s.prober(o)
	s.fine(p, s.targets(ipvs.TCP, lab.HTTPPort))
	s.fine(p, s.targets(ipvs.UDP, lab.UDPPort))
	s.untouched(counted)
}

// unchanged sees, when called again, that the director is set up as it was.
func (s *site) unchanged() func() {
	s.t.Helper()
	before := s.Director.State()
	return func() {
		s.t.Helper()
		if now := s.Director.State(); now != before {
			s.t.Errorf("the director was changed:\n%s", lab.Difference(before, now))
		}
	}
}

// untouched sees that IPVS has counted nothing since, and that no connection is
// left on the servers.
func (s *site) untouched(counted string) {
	s.t.Helper()
	if now := s.traffic(); now != counted {
		s.t.Errorf("IPVS saw it:\n%s", lab.Difference(counted, now))
	}
	for _, h := range s.Servers {
		if open := connections(h); open != "" {
			s.t.Errorf("%s is left with %s", h.Name, open)
		}
	}
}

// connections lists TCP sockets that do not listen. Of a dozen hosts it is quicker
// than ss(8).
func connections(h *lab.Host) (open string) {
	h.Do(func() {
		for _, file := range []string{"tcp", "tcp6"} {
			all, _ := os.ReadFile("/proc/thread-self/net/" + file)
			for line := range strings.Lines(string(all)) {
				const state, listen = 3, "0A"
				if f := strings.Fields(line); len(f) > state && f[0] != "sl" && f[state] != listen {
					open += line
				}
			}
		}
	})
	return open
}

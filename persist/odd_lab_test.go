package persist

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/check"
	"lvsdeck/ipvs/kernel"
	"lvsdeck/lab"
	"lvsdeck/persist/adm"
)

// TestLabOddRows: the kernel takes what counts as odd, and the language says it as
// it runs, but for what means nothing.
func TestLabOddRows(t *testing.T) {
	lab.Require(t)
	var c *kernel.Client
	lab.New(t).Host("director").Do(func() {
		var err error
		c, err = kernel.Open(t.Context(), kernel.Options{})
		ok(t, err)
	})
	defer c.Close()
	tunnel := func(tun ipvs.Tunnel) func(*ipvs.Service, *ipvs.Server) {
		return func(_ *ipvs.Service, s *ipvs.Server) { s.Forward, s.Tunnel = ipvs.TunnelFwd, tun }
	}
	for want, odd := range map[string]func(*ipvs.Service, *ipvs.Server){
		"real server's port 8080": func(_ *ipvs.Service, s *ipvs.Server) {
			s.Addr, s.Forward = netip.MustParseAddrPort("10.0.0.1:8080"), ipvs.Direct
		},
		"port 0":        func(svc *ipvs.Service, _ *ipvs.Server) { svc.Port = 0 },
		"one-packet":    func(svc *ipvs.Service, _ *ipvs.Server) { svc.OnePacket = true },
		"persistence 0": func(svc *ipvs.Service, _ *ipvs.Server) { svc.Persistence.On = true },
		"persistence 5000000": func(svc *ipvs.Service, _ *ipvs.Server) {
			svc.Persistence.On, svc.Persistence.Timeout = true, 5000000
		},
		"service ::ffff:192.0.2.1": func(svc *ipvs.Service, s *ipvs.Server) {
			svc.Addr, svc.Family, svc.Persistence.Mask = netip.MustParseAddr("::ffff:192.0.2.1"), ipvs.IPv6, ipvs.FullMask(ipvs.IPv6)
			s.Addr = netip.MustParseAddrPort("[2001:db8::1]:80")
		},
		"tunnel type gre":   func(_ *ipvs.Service, s *ipvs.Server) { s.Tunnel.Type = ipvs.GRE },
		"tunnel port 5":     tunnel(ipvs.Tunnel{Port: 5}),
		"tunnel checksum 1": tunnel(ipvs.Tunnel{Flags: 1}),
		"tunnel port 6":     tunnel(ipvs.Tunnel{Type: ipvs.GRE, Port: 6}),
	} {
		svc := ipvs.NewService(ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("192.0.2.1:80")))
		s := ipvs.Server{Addr: netip.MustParseAddrPort("10.0.0.1:80"), Weight: 1}
		odd(&svc, &s)
		ok(t, c.Flush(t.Context()))
		if err := c.AddService(t.Context(), svc); err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		if err := c.AddServer(t.Context(), svc.ServiceID, s); err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		rules, err := ReadRules(t.Context(), c)
		ok(t, err)
		problems := check.OfRules(rules)
		if len(problems) != 1 || !problems[0].Odd || !strings.Contains(problems[0].Error(), want+":") {
			t.Errorf("%s: runs, and is told as %v", want, problems)
		}
		var text strings.Builder
		ok(t, adm.WriteRules(&text, rules))
		if strings.HasPrefix(want, "tunnel") {
			rules.Services[0].Servers[0].Tunnel = ipvs.Tunnel{Type: s.Tunnel.Type}
			if s.Forward != ipvs.TunnelFwd {
				rules.Services[0].Servers[0].Tunnel = ipvs.Tunnel{}
			}
		}
		back, err := adm.ReadRules(strings.NewReader(text.String()))
		if err != nil || fmt.Sprintf("%+v", back.Services) != fmt.Sprintf("%+v", rules.Services) {
			t.Errorf("%s: read back %+v, %v, want %+v", want, back.Services, err, rules.Services)
		}
	}
	ok(t, c.SetTimeouts(t.Context(), ipvs.Timeouts{TCP: 5000000}))
	rules, err := ReadRules(t.Context(), c)
	ok(t, err)
	if bad := check.Bad(check.OfTimeouts(*rules.Timeouts)); rules.Timeouts.TCP != 5000000 || len(bad) > 0 {
		t.Errorf("timeouts %+v: %v", *rules.Timeouts, bad)
	}
}

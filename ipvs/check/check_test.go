package check

import (
	"math"
	"net/netip"
	"testing"

	"lvsdeck/ipvs"
)

var web = ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("192.0.2.1:80"))

func TestService(t *testing.T) {
	mark6 := ipvs.NewService(ipvs.MarkService(7, ipvs.IPv6))
	for want, change := range map[string]func(*ipvs.Service){
		"": func(*ipvs.Service) {},
		"protocol proto 47: must be TCP, UDP or SCTP":         func(s *ipvs.Service) { s.Protocol = 47 },
		"service invalid IP: must be an IPv4 or IPv6 address": func(s *ipvs.Service) { s.Addr = netip.Addr{} },
		"service 2001:db8::1: must be an IPv4 or IPv6 address": func(s *ipvs.Service) {
			s.Addr = netip.MustParseAddr("2001:db8::1") // with the family IPv4
		},
		"port 0: must be 1 to 65535; 0, which is every port, needs persistence": func(s *ipvs.Service) { s.Port = 0 },
		"one-packet: only for UDP and firewall mark services":                   func(s *ipvs.Service) { s.OnePacket = true },
		"scheduler: must be of letters, digits and _ . -, at most 15":           func(s *ipvs.Service) { s.Scheduler = "" },
		"persistence engine a b: must be of letters, digits and _ . -, at most 16": func(s *ipvs.Service) {
			s.Persistence.Engine = "a b"
		},
		"scheduler flags 8: must be some of the three flags": func(s *ipvs.Service) { s.SchedFlags = 8 },
		"persistence 0: must be 1 to 2678400 seconds (31 days)": func(s *ipvs.Service) {
			s.Persistence.On = true
		},
		"persistence 2678401: must be 1 to 2678400 seconds (31 days)": func(s *ipvs.Service) {
			s.Persistence.On, s.Persistence.Timeout = true, 2678401
		},
		"mask 129: must be a prefix length of 1 to 128": func(s *ipvs.Service) {
			*s = mark6
			s.Persistence.Mask = 129
		},
		"firewall mark 7: must be without address, port and protocol": func(s *ipvs.Service) {
			*s = mark6
			s.Port = 80
		},
	} {
		s := ipvs.NewService(web)
		change(&s)
		same(t, OfService(s), want)
	}
}

func TestServer(t *testing.T) {
	tunnel := func(tun ipvs.Tunnel) func(*ipvs.Server) {
		return func(s *ipvs.Server) { s.Forward, s.Tunnel = ipvs.TunnelFwd, tun }
	}
	at := func(a string) func(*ipvs.Server) {
		return func(s *ipvs.Server) { s.Addr = netip.MustParseAddrPort(a) }
	}
	const unicast = ": must be one host's address, not link-local"
	for _, c := range []struct {
		want   string
		change func(*ipvs.Server)
	}{
		{"", func(*ipvs.Server) {}},
		{"", at("127.0.0.1:80")},
		{"", at("240.0.0.1:80")},
		{"", at("10.0.0.1:0")},
		{"real server 0.0.0.0" + unicast, at("0.0.0.0:80")},
		{"real server 255.255.255.255" + unicast, at("255.255.255.255:80")},
		{"real server 224.0.0.1" + unicast, at("224.0.0.1:80")},
		{"real server invalid IP" + unicast, func(s *ipvs.Server) { s.Addr = netip.AddrPort{} }},
		{"weight 2147483648: must be 0 to 2147483647", func(s *ipvs.Server) { s.Weight = math.MaxInt32 + 1 }},
		{"upper threshold 2147483648: must be 0 to 2147483647", func(s *ipvs.Server) { s.Upper = math.MaxInt32 + 1 }},
		{"lower threshold 6: must not be above the upper threshold, 5", func(s *ipvs.Server) { s.Upper, s.Lower = 5, 6 }},
		{"real server's port 81: must be the service's, 80: DR and TUN do not change ports", func(s *ipvs.Server) {
			at("10.0.0.1:81")(s)
			s.Forward = ipvs.Direct
		}},
		{"forwarding method BYPASS: must be NAT, DR or TUN", func(s *ipvs.Server) { s.Forward = ipvs.Bypass }},
		{"real server 2001:db8::1: must be IPv4 as its service is: families may differ only in tunnels", at("[2001:db8::1]:80")},
		{"tunnel type gre: only for TUN servers", func(s *ipvs.Server) { s.Tunnel.Type = ipvs.GRE }},
		{"tunnel port 5: only for GUE tunnels", tunnel(ipvs.Tunnel{Port: 5})},
		{"tunnel checksum 1: only for GUE and GRE tunnels", tunnel(ipvs.Tunnel{Flags: 1})},
		{"tunnel port 0: must be 1 to 65535 for a GUE tunnel", tunnel(ipvs.Tunnel{Type: ipvs.GUE})},
		{"tunnel checksum 3: must be none, csum or remcsum", tunnel(ipvs.Tunnel{Type: ipvs.GUE, Port: 1, Flags: 3})},
		{"tunnel port 5: only for GUE tunnels", tunnel(ipvs.Tunnel{Type: ipvs.GRE, Port: 5})},
		{"tunnel checksum 2: must be none or csum for a GRE tunnel", tunnel(ipvs.Tunnel{Type: ipvs.GRE, Flags: 2})},
		{"tunnel type tunnel 3: must be ipip, gue or gre", tunnel(ipvs.Tunnel{Type: 3})},
	} {
		s := ipvs.Server{Addr: netip.MustParseAddrPort("10.0.0.1:80"), Weight: 1}
		c.change(&s)
		same(t, OfServer(web, s, false), c.want)
	}
}

func TestServersOfIPv6(t *testing.T) {
	id := ipvs.MarkService(1, ipvs.IPv6)
	for a, ok := range map[string]bool{
		"2001:db8::1": true, "::1": true, "fec0::1": true, "::1.2.3.4": true,
		"::": false, "ff02::1": false, "fe80::1": false, "2001:db8::1%eth0": false, "::ffff:10.0.0.1": false,
	} {
		s := ipvs.Server{Addr: netip.AddrPortFrom(netip.MustParseAddr(a), 80), Forward: ipvs.Direct}
		if got := OfServer(id, s, true); (len(got) == 0) != ok {
			t.Errorf("%s: %v", a, got)
		}
	}
}

func TestDaemonAndTimeouts(t *testing.T) {
	for _, c := range []struct {
		want   string
		change func(*ipvs.Daemon)
	}{
		{"", func(*ipvs.Daemon) {}},
		{"sync daemon daemon 3: must be master or backup", func(d *ipvs.Daemon) { d.Role = 3 }},
		{"multicast interface: must be an interface's name of 1 to 15 characters", func(d *ipvs.Daemon) { d.Interface = "" }},
		{"multicast interface #eth: must be an interface's name of 1 to 15 characters", func(d *ipvs.Daemon) { d.Interface = "#eth" }},
		{"sync message length 65508: must be 1 to 65507 bytes", func(d *ipvs.Daemon) { d.MaxLen = 65508 }},
		{"multicast group 10.0.0.1: must be a multicast address", func(d *ipvs.Daemon) { d.Group = netip.MustParseAddr("10.0.0.1") }},
	} {
		d := ipvs.Daemon{Role: ipvs.Backup, Interface: "eth0"}
		c.change(&d)
		same(t, OfDaemon(d), c.want)
	}
	same(t, OfTimeouts(ipvs.Timeouts{TCP: MaxTimeout, UDP: MaxTimeout + 1}), "timeout 2678401: must be 0 to 2678400 seconds (31 days)")
}

func TestRules(t *testing.T) {
	server := ipvs.Server{Addr: netip.MustParseAddrPort("[2001:db8::1]:80"), Forward: ipvs.TunnelFwd}
	service := ipvs.ServiceRules{Service: ipvs.NewService(web), Servers: []ipvs.Server{server}}
	same(t, OfRules(ipvs.Rules{Services: []ipvs.ServiceRules{service}}), "")
	same(t, OfRules(ipvs.Rules{Services: []ipvs.ServiceRules{service, service}}),
		"TCP 192.0.2.1:80: service 192.0.2.1:80: must be there only once")
	daemon := ipvs.Daemon{Role: ipvs.Master, Interface: "eth0"}
	same(t, OfRules(ipvs.Rules{Services: []ipvs.ServiceRules{service}, Daemons: []ipvs.Daemon{daemon}}),
		"[2001:db8::1]:80 of TCP 192.0.2.1:80: real server 2001:db8::1: must be IPv4 as its service is: families may not differ beside a sync daemon")
	same(t, OfRules(ipvs.Rules{Daemons: []ipvs.Daemon{daemon, daemon}}), "sync daemon master: must be there only once of each role")
	service.Servers = append(service.Servers, server)
	same(t, OfRules(ipvs.Rules{Services: []ipvs.ServiceRules{service}}),
		"[2001:db8::1]:80 of TCP 192.0.2.1:80: real server [2001:db8::1]:80: must be there only once in its service")
}

// same wants one problem, or none for "".
func same(t *testing.T, got []Problem, want string) {
	t.Helper()
	if want == "" && len(got) == 0 {
		return
	}
	if len(got) != 1 || got[0].Error() != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
}

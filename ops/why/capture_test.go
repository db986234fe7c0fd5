package why

import (
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
)

// TestCaptures: the commands for the director, the server and a client.
func TestCaptures(t *testing.T) {
	service := func(p ipvs.Protocol, at string) ipvs.ServiceID {
		return ipvs.AddressService(p, netip.MustParseAddrPort(at))
	}
	const web, web6, any4 = "203.0.113.10:80", "[2001:db8::10]:80", "203.0.113.10:0"
	gue, gre := ipvs.Tunnel{Type: ipvs.GUE, Port: 6080}, ipvs.Tunnel{Type: ipvs.GRE}
	for _, c := range []struct {
		name        string
		id          ipvs.ServiceID
		server      string // "" none
		forward     ipvs.Forward
		tunnel      ipvs.Tunnel
		front, back string
		own         string
		want        []string // a line each
	}{
		{"NAT", service(ipvs.TCP, web), "10.0.3.11:8080", ipvs.Masq, ipvs.Tunnel{}, "eth0", "eth1", "10.0.3.1", []string{
			"tcpdump -ni any -c 200 '(host 203.0.113.10 and tcp port 80) or (host 10.0.3.11 and tcp port 8080)'",
			"tcpdump -ni any -c 200 '(host 10.0.3.11 and tcp port 8080)'",
			"tcpdump -ni any -c 200 '(host 203.0.113.10 and tcp port 80) or icmp'",
		}},
		{"DR on one link", service(ipvs.TCP, web), "203.0.113.11:80", ipvs.Direct, ipvs.Tunnel{}, "eth0", "eth0", "203.0.113.1", []string{
			"tcpdump -nei eth0 -c 200 '(host 203.0.113.10 and tcp port 80)'",
			"tcpdump -ni any -c 200 '(host 203.0.113.10 and tcp port 80)'",
			"tcpdump -ni any -c 200 '(host 203.0.113.10 and tcp port 80) or icmp'",
		}},
		{"TUN of IPv6", service(ipvs.TCP, web6), "[2001:db8:2::1]:80", ipvs.TunnelFwd, ipvs.Tunnel{}, "eth0", "eth0", "2001:db8::1", []string{
			"tcpdump -ni eth0 -c 200 '(host 2001:db8::10 and tcp port 80) or (host 2001:db8:2::1 and proto 41)'",
			"tcpdump -ni any -c 200 '(host 2001:db8::10 and tcp port 80) or (host 2001:db8::1 and proto 41)'",
			"tcpdump -ni any -c 200 '(host 2001:db8::10 and tcp port 80) or icmp6'",
		}},
		{"IPv6 in tunnels of IPv4", service(ipvs.TCP, web6), "192.0.2.11:80", ipvs.TunnelFwd, ipvs.Tunnel{}, "eth0", "eth1", "192.0.2.1", []string{
			"tcpdump -ni any -c 200 '(host 2001:db8::10 and tcp port 80) or (host 192.0.2.11 and proto 41)'",
			"tcpdump -ni any -c 200 '(host 2001:db8::10 and tcp port 80) or (host 192.0.2.1 and proto 41)'",
			"tcpdump -ni any -c 200 '(host 2001:db8::10 and tcp port 80) or icmp6'",
		}},
		{"ipip, UDP, all ports", service(ipvs.UDP, any4), "192.0.2.11:0", ipvs.TunnelFwd, ipvs.Tunnel{}, "eth0", "eth0", "", []string{
			"tcpdump -ni eth0 -c 200 '(host 203.0.113.10 and udp) or (host 192.0.2.11 and proto 4)'",
			"tcpdump -ni any -c 200 '(host 203.0.113.10 and udp) or (proto 4)'",
			"tcpdump -ni any -c 200 '(host 203.0.113.10 and udp) or icmp'",
		}},
		{"GUE", service(ipvs.SCTP, web), "192.0.2.11:80", ipvs.TunnelFwd, gue, "", "eth1", "192.0.2.1", []string{
			"tcpdump -ni any -c 200 '(host 203.0.113.10 and sctp port 80) or (host 192.0.2.11 and udp port 6080)'",
			"tcpdump -ni any -c 200 '(host 203.0.113.10 and sctp port 80) or (host 192.0.2.1 and udp port 6080)'",
			"tcpdump -ni any -c 200 '(host 203.0.113.10 and sctp port 80) or icmp'",
		}},
		{"GRE of a mark", ipvs.MarkService(7, ipvs.IPv4), "192.0.2.11:0", ipvs.TunnelFwd, gre, "", "eth1", "192.0.2.1", []string{
			"tcpdump -ni any -c 200 '(host 192.0.2.11 and proto 47)'",
			"tcpdump -ni any -c 200 '(host 192.0.2.1 and proto 47)'",
		}},
		{"NAT of a mark", ipvs.MarkService(7, ipvs.IPv6), "[2001:db8:3::1]:443", ipvs.Masq, ipvs.Tunnel{}, "", "eth1", "", []string{
			"tcpdump -ni any -c 200 '(host 2001:db8:3::1 and port 443)'",
			"tcpdump -ni any -c 200 '(host 2001:db8:3::1 and port 443)'",
		}},
		{"DR of a mark", ipvs.MarkService(7, ipvs.IPv4), "192.0.2.11:0", ipvs.Direct, ipvs.Tunnel{}, "", "eth1", "", nil},
		{"no server", service(ipvs.TCP, web), "", 0, ipvs.Tunnel{}, "a b'c", "", "", []string{
			`tcpdump -ni 'a b'\''c' -c 200 '(host 203.0.113.10 and tcp port 80)'`,
			"tcpdump -ni any -c 200 '(host 203.0.113.10 and tcp port 80) or icmp'",
		}},
	} {
		v := &ops.Service{Service: ipvs.NewService(c.id)}
		in := capture{service: v, front: c.front, back: c.back}
		if c.server != "" {
			in.server = &ops.Server{Server: ipvs.Server{Addr: netip.MustParseAddrPort(c.server), Forward: c.forward, Tunnel: c.tunnel}}
		}
		if c.own != "" {
			in.own = netip.MustParseAddr(c.own)
		}
		var got []string
		for _, one := range in.captures() {
			got = append(got, one.String())
			if tcpdump, err := exec.LookPath("tcpdump"); err == nil { // then it must take the filter
				if said, err := exec.Command(tcpdump, "-y", "EN10MB", "-d", one.Args[len(one.Args)-1]).CombinedOutput(); err != nil {
					t.Errorf("%s: %q: %v\n%s", c.name, one.Args, err, said)
				}
			}
			if one.Expect == "" || one.Where == "" {
				t.Errorf("%s: a capture without words: %+v", c.name, one)
			}
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

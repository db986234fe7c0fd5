package probe

import (
	"net/netip"
	"testing"

	"lvsdeck/lab"
)

// far is an address of the director's beyond the servers' segment.
const far = "192.0.2.1"

func TestDR(t *testing.T) {
	lab.Require(t)
	const wide = "rs ip address del VIP/32 dev lo; rs ip address add VIP/24 dev lo;"
	faults := append(faultsOfVIP("lo"), []fault{
		unplugged(HopSilent),
		{name: "5 VIP/24", do: wide, verdict: Fault, cause: ShortPrefix, says: "its network's prefix"},
		{name: "5 VIP/24 and rp_filter", do: wide + "rs sysctl -qw net.ipv4.conf.eth0.rp_filter=1", verdict: Fault, cause: ShortPrefix, says: "for its own"},
		{name: "5 VIP/24 and no other way", do: wide + "rs ip route del default", verdict: Fault, cause: ServerSilent, says: "its network's prefix"},
		{name: "17 rp_filter of a server with two links", make: secondLink, do: "rs sysctl -qw net.ipv4.conf.eth0.rp_filter=1",
			verdict: Warning, cause: OneSource, says: "rp_filter"},
		{name: "17 two links", make: secondLink, verdict: Fine, cause: Answers},
		{name: "service in a container of the server's", make: container, verdict: Fine, cause: Answers},
		{name: "no VIP, redirected", do: "rs ip address del VIP/32 dev lo; rs iptables -t nat -A PREROUTING -d VIP -p tcp --dport 80 -j REDIRECT",
			verdict: Fine, cause: Answers},
		{name: "14 behind a router", change: func(t *Target) { t.Server.Addr = netip.MustParseAddrPort("198.51.100.2:80") },
			verdict: Fault, cause: BehindRouter, says: "203.0.113.254"},
	}...)
	s := newSite(t, lab.DR, len(faults)+sound, false)
	s.away = s.Segment("away")
	s.Router.Join(s.away, "eth2", "10.9.0.254/24")
	s.run(0, "director ip address add "+far+"/32 dev lo; router ip route add "+far+"/32 via DIP")
	s.breaks(faults, Options{Far: netip.MustParseAddr(far)})
	s.served(len(faults))
}

// secondLink has the server send its answers by another link.
func secondLink(s *site, server int) {
	h := s.Servers[server]
	last := s.Addrs[server].As4()[3]
	h.Join(s.away, "eth1", netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 9, 0, last}), 24).String())
	h.Command("ip", "route", "replace", "default", "via", "10.9.0.254")
}

// container puts the service into another host, of which only the server knows.
func container(s *site, server int) {
	box, inside := s.Host("box"), s.Segment("inside")
	box.Join(inside, "eth0", "172.17.0.2/24")
	box.AddRoute("0.0.0.0/0", "172.17.0.1")
	box.ServeHTTP(":8080")
	s.Servers[server].Join(inside, "docker0", "172.17.0.1/24")
	s.run(server, "rs sysctl -qw net.ipv4.ip_forward=1; rs iptables -t nat -A PREROUTING -d VIP -p tcp --dport 80 -j DNAT --to 172.17.0.2:8080")
}

func TestDR6(t *testing.T) {
	lab.Require(t)
	faults := append(faultsOfVIP("lo"), []fault{
		unplugged(HopSilent),
		{name: "5 VIP/64 does no harm", do: "rs ip address del VIP/128 dev lo; rs ip address add VIP/64 dev lo", verdict: Fine, cause: Answers},
		{name: "5 VIP/64 before the server's own", do: "rs ip address del VIP/128 dev lo; rs ip address del RIP/64 dev eth0; rs ip address add VIP/64 dev lo; rs ip address add RIP/64 dev eth0 nodad",
			verdict: Fault, cause: Dropped, says: "its network's prefix"},
	}...)
	s := newSite(t, lab.DR, len(faults)+sound, true)
	s.breaks(faults, Options{})
	s.served(len(faults))
}

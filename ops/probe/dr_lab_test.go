package probe

import (
	"net/netip"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/lab"
)

// far is an address of the director's beyond the servers' segment.
const far = "192.0.2.1"

func TestDR(t *testing.T) {
	lab.Require(t)
	s := newSite(t, lab.DR, false)
	s.run("director ip address add " + far + "/32 dev lo; router ip route add " + far + "/32 via DIP")
	away := s.Segment("away") // a second link of the first server's
	s.Servers[0].Join(away, "eth1", "10.9.0.11/24")
	s.Router.Join(away, "eth2", "10.9.0.254/24")
	box := s.Host("box") // a container of the first server's
	inside := s.Segment("inside")
	box.Join(inside, "eth0", "172.17.0.2/24")
	s.Servers[0].Join(inside, "docker0", "172.17.0.1/24")
	box.AddRoute("0.0.0.0/0", "172.17.0.1")
	box.ServeHTTP(":8080")

	const wide = "rs1 ip address del VIP/32 dev lo; rs1 ip address add VIP/24 dev lo"
	const narrow = "rs1 ip address del VIP/24 dev lo; rs1 ip address add VIP/32 dev lo"
	beyond := Options{Far: netip.MustParseAddr(far)}
	s.breaks(append(faultsOfVIP("lo"), []fault{
		unplugged(HopSilent),
		{name: "5 VIP/24", do: wide, undo: narrow, verdict: Fault, cause: ShortPrefix, says: "its network's prefix", options: beyond},
		{name: "5 VIP/24 and rp_filter", do: wide + "; rs1 sysctl -qw net.ipv4.conf.eth0.rp_filter=1", undo: narrow + "; rs1 sysctl -qw net.ipv4.conf.eth0.rp_filter=0",
			verdict: Fault, cause: ShortPrefix, says: "for its own"},
		{name: "5 VIP/24, no address beyond", do: wide + "; director ip address del " + far + "/32 dev lo", undo: narrow + "; director ip address add " + far + "/32 dev lo",
			verdict: Fault, cause: ServerSilent, says: "its network's prefix"},
		{name: "17 nothing, seen from beyond", verdict: Fine, cause: Answers, options: beyond},
		{name: "17 rp_filter of a server with two links",
			do:      "rs1 ip route replace default via 10.9.0.254; rs1 sysctl -qw net.ipv4.conf.eth0.rp_filter=1",
			undo:    "rs1 ip route replace default via 203.0.113.254; rs1 sysctl -qw net.ipv4.conf.eth0.rp_filter=0",
			verdict: Warning, cause: OneSource, says: "rp_filter", options: beyond},
		{name: "service in a container of the server's",
			do:      "rs1 sysctl -qw net.ipv4.ip_forward=1; rs1 iptables -t nat -A PREROUTING -d VIP -p tcp --dport 80 -j DNAT --to 172.17.0.2:8080",
			undo:    "rs1 iptables -t nat -F; rs1 sysctl -qw net.ipv4.ip_forward=0",
			verdict: Fine, cause: Answers},
		{name: "no VIP, redirected", do: "rs1 ip address del VIP/32 dev lo; rs1 iptables -t nat -A PREROUTING -d VIP -p tcp --dport 80 -j REDIRECT",
			undo: "rs1 iptables -t nat -F; rs1 ip address add VIP/32 dev lo", verdict: Fine, cause: Answers},
		{name: "14 behind a router", change: func(t *Target) {
			if t.Server.Addr == s.targets(ipvs.TCP, lab.HTTPPort)[0].Server.Addr {
				t.Server.Addr = netip.MustParseAddrPort("198.51.100.2:80")
			}
		}, verdict: Fault, cause: BehindRouter, says: "203.0.113.254"},
	}...))
}

func TestDR6(t *testing.T) {
	lab.Require(t)
	s := newSite(t, lab.DR, true)
	s.breaks(append(faultsOfVIP("lo"), []fault{
		{name: "5 VIP/64 does no harm", do: "rs1 ip address del VIP/128 dev lo; rs1 ip address add VIP/64 dev lo",
			undo: "rs1 ip address del VIP/64 dev lo; rs1 ip address add VIP/128 dev lo", verdict: Fine, cause: Answers},
		{name: "5 VIP/64 before the server's own", do: "rs1 ip address del VIP/128 dev lo; rs1 ip address del RIP/64 dev eth0; rs1 ip address add VIP/64 dev lo; rs1 ip address add RIP/64 dev eth0 nodad",
			undo: "rs1 ip address del VIP/64 dev lo; rs1 ip address add VIP/128 dev lo", verdict: Fault, cause: Dropped, says: "its network's prefix"},
	}...))
}

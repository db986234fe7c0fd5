package lab

import (
	"slices"
	"strings"
	"testing"
)

// TestState: traffic does not change the state of a host, each change of its
// configuration does, and changing back brings the old state.
func TestState(t *testing.T) {
	Require(t)
	Modprobe(t, "fou", "dummy")
	s := Director(t, NAT, 2, false)
	balance(s, "-t", HTTPPort)
	h := s.Director
	before := h.State()
	everyone(t, s, func() (string, error) { return s.Client.HTTPGet(s.At(HTTPPort)) })
	sameState(t, "traffic", before, h.State())

	changes := []struct{ do, undo, shows string }{
		{"ip addr add 192.0.2.7/32 dev lo", "ip addr del 192.0.2.7/32 dev lo", "addr: lo inet 192.0.2.7/32 "},
		{"ip -6 addr add 2001:db8::7/128 dev eth0 preferred_lft 0", "ip -6 addr del 2001:db8::7/128 dev eth0", "addr: eth0 inet6 2001:db8::7/128 scope global deprecated"},
		{"ip link add lvs0 type dummy", "ip link del lvs0", "link: lvs0: <BROADCAST,NOARP> "},
		{"ip link set lo mtu 9000", "ip link set lo mtu 65536", "link: lo: <LOOPBACK,UP,LOWER_UP> mtu 9000 "},
		{"ip route add 192.0.2.0/24 via 203.0.113.254 table 77", "ip route del 192.0.2.0/24 table 77", "route-4: 192.0.2.0/24 via 203.0.113.254 dev eth0 table 77"},
		{"ip -6 rule add from 2001:db8::/64 lookup 77", "ip -6 rule del from 2001:db8::/64 lookup 77", "rule-6: 32765: from 2001:db8::/64 lookup 77"},
		{"ip fou add port 5555 gue", "ip fou del port 5555", "fou: port 5555 gue"},
		{"iptables -t nat -A POSTROUTING -s 192.0.2.0/24 -j MASQUERADE", "iptables -t nat -F POSTROUTING", "iptables-save: nat POSTROUTING 1 -A POSTROUTING -s 192.0.2.0/24 -j MASQUERADE"},
		{"ip6tables-legacy -P FORWARD DROP", "ip6tables-legacy -P FORWARD ACCEPT", "ip6tables-legacy-save: filter FORWARD DROP"},
		{"iptables -N mine", "iptables -X mine", "iptables-save: filter mine -"},
		{"sysctl -w net.ipv4.conf.eth1.rp_filter=2", "sysctl -w net.ipv4.conf.eth1.rp_filter=0", "sysctl: net/ipv4/conf/eth1/rp_filter = 2"},
		{"ipvsadm -A -u 203.0.113.10:53 -s wlc", "ipvsadm -D -u 203.0.113.10:53", "ipvs: -A -u 203.0.113.10:53 -s wlc"},
		{"ipvsadm --set 10 20 30", "ipvsadm --set 900 120 300", "ipvs: Timeout (tcp tcpfin udp): 10 20 30"},
	}
	run := func(command string) {
		words := strings.Fields(command)
		h.Command(words[0], words[1:]...)
	}
	for _, c := range changes {
		run(c.do)
	}
	now := h.State()
	for _, c := range changes {
		if !strings.Contains("\n"+now, "\n"+c.shows) || strings.Contains("\n"+before, "\n"+c.shows) {
			t.Errorf("after %s %q is not new:\n%s", c.do, c.shows, Difference(before, now))
		}
	}
	for _, c := range slices.Backward(changes) {
		run(c.undo)
	}
	sameState(t, "changing all back", before, h.State())
}

func sameState(t *testing.T, after, before, now string) {
	t.Helper()
	if before != now {
		t.Errorf("after %s:\n%s", after, Difference(before, now))
	}
}

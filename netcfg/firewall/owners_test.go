package firewall

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// docker is what Docker makes of a host without containers, for IPv4.
const docker = `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
%s-A DOCKER-USER -j RETURN
COMMIT
`

// ufw is a part of what ufw makes of a host on which a port is open.
const ufw = `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:ufw-after-input - [0:0]
:ufw-after-logging-input - [0:0]
:ufw-before-input - [0:0]
:ufw-not-local - [0:0]
:ufw-skip-to-policy-input - [0:0]
:ufw-logging-deny - [0:0]
:ufw-user-input - [0:0]
-A INPUT -j ufw-before-input
-A INPUT -j ufw-after-input
-A INPUT -j ufw-after-logging-input
-A ufw-after-input -p udp -m udp --dport 137 -j ufw-skip-to-policy-input
-A ufw-after-input -m addrtype --dst-type BROADCAST -j ufw-skip-to-policy-input
-A ufw-after-logging-input -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-input -m conntrack --ctstate INVALID -j ufw-logging-deny
-A ufw-before-input -m conntrack --ctstate INVALID -j DROP
-A ufw-before-input -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A ufw-before-input -j ufw-not-local
-A ufw-before-input -d 224.0.0.251/32 -p udp -m udp --dport 5353 -j ACCEPT
-A ufw-before-input -j ufw-user-input
-A ufw-logging-deny -m conntrack --ctstate INVALID -m limit --limit 3/min --limit-burst 10 -j RETURN
-A ufw-logging-deny -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "
-A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
-A ufw-not-local -m addrtype --dst-type MULTICAST -j RETURN
-A ufw-not-local -m addrtype --dst-type BROADCAST -j RETURN
-A ufw-not-local -m limit --limit 3/min --limit-burst 10 -j ufw-logging-deny
-A ufw-not-local -j DROP
-A ufw-skip-to-policy-input -j DROP
%s
COMMIT
`

// kube is a part of what kube-proxy makes.
const kube = `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-FIREWALL - [0:0]
-A INPUT -j KUBE-FIREWALL
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
COMMIT
`

// TestOwners: the firewalls of others, what becomes of packets there, and whose
// they are.
func TestOwners(t *testing.T) {
	answer := Packet{
		In: "eth1", Out: "eth0", Proto: protoTCP, Flags: SYN | ACK, State: Invalid,
		Src: netip.MustParseAddrPort("10.0.3.11:80"), Dst: netip.MustParseAddrPort("198.51.100.2:40000"),
	}
	later := web()
	later.State = Established
	for _, c := range []struct {
		owner, rules, own string
		hook              Hook
		packet            Packet
		want              Result
		rule              string
	}{
		{"Docker", docker, "", Forward, answer, Drops, "policy DROP"},
		{"Docker", docker, "-A DOCKER-USER -s 10.0.3.0/24 -j ACCEPT\n", Forward, answer, Passes, ""},
		{"Docker", docker, "", Input, web(), Passes, ""},
		{"Docker", docker, "", Prerouting, web(), Passes, ""},
		{"ufw", ufw, "", Input, web(), Drops, "policy DROP"},
		{"ufw", ufw, "", Input, later, Passes, ""},
		{"ufw", ufw, "-A ufw-user-input -p tcp -m tcp --dport 80 -j ACCEPT", Input, web(), Passes, ""},
		{"ufw", ufw, "-A ufw-user-input -p tcp -m tcp --dport 443 -j ACCEPT", Input, web(), Drops, "policy DROP"},
		{"ufw", ufw, "", Forward, answer, Drops, "policy DROP"},
		{"kube-proxy", kube, "", Input, web(), Passes, ""},
		{"kube-proxy", kube, "", Forward, answer, Drops, "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP"},
	} {
		r := saved(strings.Replace(c.rules, "%s", c.own, 1), IPv4)
		classed(t, r)
		if v := r.Walk(c.hook, c.packet); v.Result != c.want || v.Rule != c.rule {
			t.Errorf("%s with %q, %s: %v", c.owner, c.own, c.hook, v)
		}
		if got := r.Owners(); !slices.Equal(got, []string{c.owner}) {
			t.Errorf("%s: known as %v", c.owner, got)
		}
	}
}

package path

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/lab"
	"lvsdeck/netcfg"
	"lvsdeck/netcfg/firewall"
)

// What came of a client's connection.
const (
	answered = "answered"
	hidden   = "answered, and the server saw the director as its client"
	stopped  = "stopped"
)

// patience is how long a client waits: it has sent its first packet four times by
// then. Nothing but waiting tells that a packet was dropped.
const patience = 10 * time.Second

const port = 8080

type ruleset struct {
	mode  lab.Mode
	v6    bool
	track bool // vs.conntrack
	rules string
	want  string
}

// TestRealPackets: for each set of rules a client asks a service through a real
// director. What the walk over the legs says is what comes of it. In rules, VIP,
// RIP and CIP stand for addresses.
func TestRealPackets(t *testing.T) {
	lab.Require(t)
	const nft = "nft add table inet t && nft add chain inet t %[1]s { type filter hook %[1]s priority 0; policy %[2]s; } && nft add rule inet t %[1]s "
	var compare []func()
	for _, c := range []ruleset{
		{lab.NAT, false, false, "", answered},
		{lab.NAT, false, false, "iptables -P FORWARD DROP", stopped},
		{lab.NAT, false, false, "iptables -P INPUT DROP", stopped},
		{lab.NAT, false, false, "iptables -P OUTPUT DROP", stopped},
		{lab.NAT, false, false, "iptables -P FORWARD DROP && iptables -I FORWARD -s RIP -p tcp --sport 8080 -j ACCEPT", answered},
		{lab.NAT, false, false, "iptables -P FORWARD DROP && iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", stopped},
		{lab.NAT, false, true, "iptables -P FORWARD DROP && iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", answered},
		{lab.NAT, false, false, "iptables -A FORWARD -m conntrack --ctstate INVALID -j DROP", stopped},
		{lab.NAT, false, true, "iptables -A FORWARD -m conntrack --ctstate INVALID -j DROP", answered},
		{lab.NAT, false, false, "iptables -A FORWARD -m conntrack --ctstate NEW -j DROP", stopped},
		{lab.NAT, false, false, "iptables -A FORWARD -s VIP -j DROP", answered}, // not yet the VIP's
		{lab.NAT, false, false, "iptables -A OUTPUT -d VIP -j DROP", answered},  // no more the VIP's
		{lab.NAT, false, false, "iptables -A OUTPUT -m conntrack ! --ctstate UNTRACKED -j DROP", answered},
		{lab.NAT, false, true, "iptables -A OUTPUT -m conntrack --ctstate UNTRACKED -j DROP", answered},
		{lab.NAT, false, false, "iptables -P INPUT DROP && iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT && iptables -A INPUT -p tcp --syn --dport 8080 -j ACCEPT", stopped},
		{lab.NAT, false, true, "iptables -P INPUT DROP && iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT && iptables -A INPUT -p tcp --syn --dport 8080 -j ACCEPT", answered},
		{lab.NAT, false, false, "iptables -A INPUT -p tcp --dport 8080 -j REJECT", stopped},
		{lab.NAT, false, false, "iptables -A INPUT -p tcp -m multiport --dports 80,443 -j REJECT", answered},
		{lab.NAT, false, false, "iptables -N own && iptables -A INPUT -i eth0 -g own && iptables -A INPUT -j DROP && iptables -A own -s CIP -j RETURN && iptables -A own -j DROP", answered},
		{lab.NAT, false, false, "iptables -A INPUT -m addrtype --dst-type LOCAL -j RETURN && iptables -A INPUT -j DROP", answered},
		{lab.NAT, false, false, "iptables -A INPUT -m mark --mark 0x1 -j DROP", answered},
		{lab.NAT, false, false, "iptables -t mangle -A POSTROUTING -s VIP -p tcp --sport 8080 -j DROP", stopped},
		{lab.NAT, false, false, "iptables -t raw -A PREROUTING -i eth1 -s RIP -j DROP", stopped},
		{lab.NAT, false, false, "iptables-legacy -A FORWARD -s RIP -j DROP", stopped},
		{lab.NAT, false, false, "iptables-legacy -P FORWARD DROP && iptables -I FORWARD -j ACCEPT", stopped}, // the trap of two back ends
		{lab.NAT, false, false, "iptables-legacy -P FORWARD DROP && iptables-legacy -I FORWARD -i eth+ ! -o lo -j ACCEPT", answered},
		{lab.NAT, false, false, fmt.Sprintf(nft, "forward", "drop") + "ct state established accept && iptables -I FORWARD -j ACCEPT", stopped},
		{lab.NAT, false, false, fmt.Sprintf(nft, "forward", "drop") + "ip saddr RIP tcp sport { 80, 8000-8090 } accept", answered},
		{lab.NAT, false, true, fmt.Sprintf(nft, "forward", "drop") + "ct state vmap { established : accept, invalid : drop }", answered},
		{lab.NAT, false, false, fmt.Sprintf(nft, "input", "accept") + "iifname eth* tcp flags & (fin|syn|rst|ack) == ack drop", stopped},
		{lab.NAT, false, false, fmt.Sprintf(nft, "input", "accept") + "fib daddr type != local drop", answered},
		{lab.NAT, false, false, fmt.Sprintf(nft, "output", "accept") + "oifname eth1 meta l4proto tcp reject", stopped},
		{lab.NAT, true, false, "ip6tables -P FORWARD DROP", stopped},
		{lab.NAT, true, false, "iptables -P FORWARD DROP && iptables -P INPUT DROP", answered},
		{lab.NAT, true, false, "ip6tables -P FORWARD DROP && ip6tables -A FORWARD -s RIP -j ACCEPT", answered},
		{lab.NAT, true, false, fmt.Sprintf(nft, "forward", "accept") + "ip6 saddr RIP drop", stopped},

		{lab.NAT, false, false, "iptables -t nat -A POSTROUTING -j MASQUERADE", answered},
		{lab.NAT, false, true, "iptables -t nat -A POSTROUTING -j MASQUERADE", hidden},
		{lab.NAT, false, true, "iptables -t nat -A POSTROUTING -s 10.0.3.0/24 -j MASQUERADE", answered},
		{lab.NAT, false, true, "iptables -t nat -A POSTROUTING -m ipvs --vaddr VIP --vport 8080 --vmethod MASQ -j MASQUERADE", hidden},
		{lab.NAT, false, true, "iptables -t nat -A POSTROUTING -m ipvs --vaddr VIP --vport 80 --vmethod MASQ -j MASQUERADE", answered},
		{lab.NAT, false, true, "iptables -t nat -A POSTROUTING -m ipvs --vaddr VIP --vdir ORIGINAL -j MASQUERADE && iptables -P FORWARD DROP", stopped},
		{lab.NAT, false, true, "nft add table ip n && nft add chain ip n p { type nat hook postrouting priority 100; } && " +
			"nft add rule ip n p meta l4proto tcp ct original ip daddr VIP ct original proto-dst 8080 masquerade", hidden},

		{lab.DR, false, false, "iptables -P FORWARD DROP", answered},
		{lab.DR, false, false, "iptables -P OUTPUT DROP", stopped},
		{lab.DR, false, false, "iptables -A OUTPUT -d VIP -j DROP", stopped},
		{lab.DR, false, false, "iptables -A INPUT -m conntrack --ctstate INVALID -j DROP", answered},
		{lab.DR, false, true, "iptables -A INPUT -m conntrack --ctstate INVALID -j DROP", stopped},
		{lab.DR, false, false, "iptables -t raw -A PREROUTING -d VIP -p tcp --dport 8080 -j CT --notrack && iptables -P INPUT DROP && iptables -A INPUT -m conntrack --ctstate ESTABLISHED,UNTRACKED -j ACCEPT", answered},
		{lab.DR, false, true, "iptables -t raw -A PREROUTING -d VIP -p tcp --dport 8080 -j CT --notrack && iptables -A INPUT -m conntrack --ctstate INVALID -j DROP", answered},
		{lab.NAT, false, true, "iptables -t raw -A PREROUTING -d VIP -j NOTRACK && iptables -P FORWARD DROP && iptables -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT", stopped},
		{lab.NAT, false, true, "iptables -t raw -A PREROUTING -d VIP -j NOTRACK && iptables -t nat -A POSTROUTING -o eth1 -j MASQUERADE", answered},
		{lab.DR, true, false, "ip6tables -A INPUT -p tcp --dport 8080 -j DROP", stopped},

		{lab.TUN, false, false, "iptables -A OUTPUT -p tcp -j DROP", answered},
		{lab.TUN, false, false, "iptables -A OUTPUT -p 4 -d RIP -j DROP", stopped},
		{lab.TUN, false, true, "iptables -P OUTPUT DROP && iptables -A OUTPUT -p 4 -m conntrack --ctstate NEW -j ACCEPT", answered},
		{lab.TUN, false, true, "iptables -t raw -A OUTPUT -p 4 -j NOTRACK && iptables -P OUTPUT DROP && iptables -A OUTPUT -m conntrack --ctstate UNTRACKED -j ACCEPT", answered},
		{lab.TUN, true, false, "ip6tables -A OUTPUT -p 41 -j DROP", stopped},
	} {
		name := fmt.Sprintf("%s v6=%v track=%v %s", c.mode, c.v6, c.track, c.rules)
		said, ask := c.build(t)
		got := make(chan string, 1)
		go func() { got <- ask() }() // all wait for what is dropped at once
		compare = append(compare, func() {
			if got := <-got; got != c.want || said != c.want {
				t.Errorf("%s: the client is %s, the walk says %s; want %s", name, got, said, c.want)
			}
		})
	}
	for _, c := range compare {
		c()
	}
}

// build makes the director and its rules, says what the walk makes of them, and
// how to find out.
func (c ruleset) build(t *testing.T) (said string, ask func() string) {
	s := lab.Director(t, c.mode, 1, c.v6)
	rip := s.Addrs[0]
	client := greet(s)
	s.Director.Ipvsadm("-A", "-t", s.At(port))
	s.Director.Ipvsadm("-a", "-t", s.At(port), "-r", netip.AddrPortFrom(rip, port).String(), c.mode.Flag())
	if c.track {
		s.Director.Sysctl("net.ipv4.vs.conntrack", "1")
	}
	rules := strings.NewReplacer("VIP", s.VIP.String(), "RIP", rip.String(), "CIP", client.String()).Replace(c.rules)
	for rule := range strings.SplitSeq(rules, " && ") {
		if words := strings.Fields(rule); len(words) > 0 {
			s.Director.Command(words[0], words[1:]...)
		}
	}
	return c.foretell(t, s, client), func() string { return converse(s, client) }
}

// greet lets the server tell clients as whom it sees them, once they have said
// something, and finds out who the client is.
func greet(s *lab.Site) (client netip.Addr) {
	l := s.Servers[0].Listen("tcp", net.JoinHostPort("", fmt.Sprint(port)))
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if line, err := bufio.NewReader(c).ReadString('\n'); err == nil {
					io.WriteString(c, line+c.RemoteAddr().String()+"\n")
				}
			}()
		}
	}()
	client = netip.MustParseAddr("198.51.100.2")
	if s.VIP.Is6() {
		client = netip.MustParseAddr("2001:db8:1::2")
	}
	return client
}

// converse is one client's conversation.
func converse(s *lab.Site, client netip.Addr) string {
	var seen string
	s.Client.Do(func() {
		c, err := net.DialTimeout("tcp", s.At(port), patience)
		if err != nil {
			return
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(patience))
		io.WriteString(c, "who am I?\n")
		r := bufio.NewReader(c)
		r.ReadString('\n')
		seen, _ = r.ReadString('\n')
	})
	from, err := netip.ParseAddrPort(strings.TrimSpace(seen))
	switch {
	case err != nil:
		return stopped
	case from.Addr().Unmap() != client:
		return hidden
	}
	return answered
}

// foretell reads the director's firewall and walks all legs through it.
func (c ruleset) foretell(t *testing.T, s *lab.Site, client netip.Addr) (said string) {
	var k *netcfg.Kernel
	var err error
	s.Director.Do(func() { k, err = netcfg.Open() })
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	rules, err := k.Firewall()
	if err != nil || len(rules.Unread) > 0 {
		t.Fatalf("%v, %v", rules.Unread, err)
	}
	way, err := k.Path(s.Addrs[0], netip.Addr{})
	if err != nil {
		t.Fatal(err)
	}
	f := Flow{
		Service: ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(s.VIP, port)),
		Server: ipvs.Server{
			Addr:    netip.AddrPortFrom(s.Addrs[0], port),
			Forward: map[lab.Mode]ipvs.Forward{lab.NAT: ipvs.Masq, lab.DR: ipvs.Direct, lab.TUN: ipvs.TunnelFwd}[c.mode],
		},
		Conntrack: c.track, Client: netip.AddrPortFrom(client, 0), Front: "eth0", Back: way.Link, Own: way.Source,
	}
	said = answered
	walks := NewWalks(rules)
	for _, l := range walks.Legs(f) {
		if l.Hook == firewall.Postrouting && rules.Rewrites(l.Hook, l.Packet).Result == firewall.Rewrites {
			said, f.Hidden = hidden, true
		}
	}
	for _, l := range walks.Legs(f) {
		switch v := rules.Walk(l.Hook, l.Packet); {
		case v.Result.Stops():
			return stopped
		case v.Result == firewall.Unknown:
			return v.String()
		}
	}
	return said
}

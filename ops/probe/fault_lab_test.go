package probe

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/lab"
)

// More ports, for what servers serve in a way of their own.
const (
	ownPort   = 9000 // at the server's own address only
	shiftPort = 9001 // at the next port instead of this
)

// fault is one thing that is wrong with one server. Commands are run on hosts:
// "rs ip link set eth0 down; router …", where rs is the server. VIP, RIP, DIP and
// GATEWAY stand for addresses, TABLES, FORWARDING and FAMILY for what differs
// between IPv4 and IPv6.
type fault struct {
	name    string
	do      string
	make    func(s *site, server int)
	change  func(*Target)
	verdict Verdict
	cause   Cause
	says    string // a part of Short
}

// run does commands about a server.
func (s *site) run(server int, commands string) {
	s.t.Helper()
	rs := s.Servers[server]
	family, dip, tables, forward := "-4", "203.0.113.1", "iptables", "net.ipv4.ip_forward"
	if s.VIP.Is6() {
		family, dip, tables, forward = "-6", "2001:db8:2::1", "ip6tables", "net.ipv6.conf.all.forwarding"
	}
	words := []string{"VIP", s.VIP.String(), "RIP", s.Addrs[server].String(), "DIP", dip, "TABLES", tables, "FORWARDING", forward, "FAMILY", family}
	if strings.Contains(commands, "GATEWAY") {
		words = append(words, "GATEWAY", strings.Fields(rs.Command("ip", family, "route", "show", "default"))[2])
	}
	hosts := map[string]*lab.Host{"rs": rs, "director": s.Director, "router": s.Router}
	for line := range strings.SplitSeq(strings.NewReplacer(words...).Replace(commands), ";") {
		if f := strings.Fields(line); len(f) > 0 {
			hosts[f[0]].Command(f[1], f[2:]...)
		}
	}
}

// sound is how many servers of a site stay as they were made.
const sound = 2

// breaks gives each server of a healthy site a fault of its own, but for the last
// ones, and sees each named, and no other, and nothing left behind anywhere.
func (s *site) breaks(faults []fault, o Options) {
	s.t.Helper()
	s.balance(0)
	if s.Mode != lab.TUN || s.tunnel.Type == ipvs.IPIP { // a packet is a packet: other tunnels' would change no more
		defer s.unchanged()()
	}
	s.healthy(o)
	targets := s.targets(ipvs.TCP, lab.HTTPPort)
	for i, f := range faults {
		s.run(i, f.do)
		if f.make != nil {
			f.make(s, i)
		}
		if f.change != nil {
			f.change(&targets[i])
		}
	}
	counted := s.traffic()
	o.Wait = 1500 * time.Millisecond // a busy lab takes its time
	results := s.prober(o).Servers(s.t.Context(), targets...)
	s.untouched(counted)
	for range sound {
		faults = append(faults, fault{name: "nothing", verdict: Fine, cause: Answers})
	}
	for i, f := range faults {
		s.t.Run(f.name, func(t *testing.T) {
			r := results[i]
			t.Logf("%s: %s", r.Target, show(r.Finding))
			if r.Verdict != f.verdict || r.Cause != f.cause || !strings.Contains(r.Short, f.says) {
				t.Errorf("want %s: %s, %s, %q; got %s", r.Target, f.verdict, f.cause, f.says, show(r.Finding))
			}
		})
	}
}

// port is a service at one port of the VIP and of the server.
func port(vip, server uint16) func(*Target) {
	return func(t *Target) {
		t.VIP, t.Server.Addr = netip.AddrPortFrom(t.VIP.Addr(), vip), netip.AddrPortFrom(t.Server.Addr.Addr(), server)
	}
}

// listening serves a port at all addresses, or (own) at the server's own only.
func listening(own bool, port int) func(*site, int) {
	return func(s *site, server int) {
		address := ""
		if own {
			address = s.Addrs[server].String()
		}
		s.Servers[server].Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	}
}

// faultsOfVIP are those of DR and TUN alike, on a server that has the VIP on a
// device.
func faultsOfVIP(device string) []fault {
	const drop = "rs TABLES -A INPUT -d VIP -p tcp --dport 80 -j "
	gone := "rs ip address del VIP dev " + device
	return []fault{
		{name: "4 VIP missing", do: gone, verdict: Fault, cause: VIPSilent, says: "the VIP is missing"},
		{name: "4 VIP missing, and the server forwards", do: gone + "; rs sysctl -qw FORWARDING=1", verdict: Fault, cause: VIPMissing, says: "passes its packets on"},
		{name: "6 nothing listens", change: port(shiftPort, shiftPort), verdict: Fault, cause: NothingListens, says: "nothing listens on its port 9001"},
		{name: "6 another port", make: listening(false, shiftPort+1), change: port(shiftPort, shiftPort+1), verdict: Fault, cause: OtherPort, says: "listens on port 9002"},
		{name: "7 its own address only", make: listening(true, ownPort), change: port(ownPort, ownPort), verdict: Fault, cause: OtherAddress},
		{name: "8 dropped", do: drop + "DROP", verdict: Fault, cause: Dropped, says: "a firewall drops"},
		{name: "8 rejected", do: drop + "REJECT", verdict: Fault, cause: Rejected, says: "a firewall rejects"},
		{name: "8 all dropped", do: "rs TABLES -A INPUT -d VIP -j DROP", verdict: Fault, cause: VIPSilent, says: "drop"},
	}
}

// unplugged is a server that nothing is heard of.
func unplugged(c Cause) fault {
	return fault{name: "52 silent", do: "rs tc qdisc add dev eth0 root netem loss 100%", verdict: Fault, cause: c}
}

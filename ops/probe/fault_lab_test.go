package probe

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/lab"
)

// More ports of the servers, for what they serve in a way of their own.
const (
	ownPort   = 9000 // the first server listens at its own address only
	shiftPort = 9001 // and at the next port instead of this
)

// listeners makes the two ports above: well done by the second server only.
func (s *site) listeners() {
	for i, h := range s.Servers {
		own, shifted := "", shiftPort
		if i == 0 {
			own, shifted = s.Addrs[0].String(), shiftPort+1
		}
		h.Listen("tcp", net.JoinHostPort(own, strconv.Itoa(ownPort)))
		h.Listen("tcp", net.JoinHostPort("", strconv.Itoa(shifted)))
	}
}

// fault is one thing that is wrong with the first server. Commands are run on
// hosts: "rs1 ip link set eth0 down; router …". VIP, RIP and DIP stand for
// addresses, TABLES, FORWARDING and FAMILY for what differs between IPv4 and IPv6.
type fault struct {
	name     string
	do, undo string
	verdict  Verdict
	cause    Cause
	says     string // a part of Short
	change   func(*Target)
	options  Options
}

func (s *site) run(commands string) {
	s.t.Helper()
	family, dip, tables, forward := "-4", "203.0.113.1", "iptables", "net.ipv4.ip_forward"
	if s.VIP.Is6() {
		family, dip, tables, forward = "-6", "2001:db8:2::1", "ip6tables", "net.ipv6.conf.all.forwarding"
	}
	words := strings.NewReplacer("VIP", s.VIP.String(), "RIP", s.Addrs[0].String(), "DIP", dip, "TABLES", tables, "FORWARDING", forward, "FAMILY", family)
	for line := range strings.SplitSeq(words.Replace(commands), ";") {
		if f := strings.Fields(line); len(f) > 0 {
			s.host(f[0]).Command(f[1], f[2:]...)
		}
	}
}

func (s *site) host(name string) *lab.Host {
	for _, h := range append([]*lab.Host{s.Director, s.Router, s.Client}, s.Servers...) {
		if h.Name == name {
			return h
		}
	}
	s.t.Fatalf("no host %q", name)
	return nil
}

// patience is shorter than what operators get: most faults are known by silence.
const patience = 700 * time.Millisecond

// breaks sees a healthy site found fine, then each fault named, on the first server alone, and nothing left
// behind anywhere.
func (s *site) breaks(faults []fault) {
	s.t.Helper()
	s.listeners()
	s.healthy()
	before := s.Director.State()
	for _, f := range faults {
		s.t.Run(f.name, func(t *testing.T) {
			old := s.t
			s.t = t
			defer func() { s.t = old }()
			targets := s.targets(ipvs.TCP, lab.HTTPPort)
			if f.change != nil {
				for i := range targets {
					f.change(&targets[i])
				}
			}
			f.options.Wait = patience
			s.run(f.do)
			counted := s.traffic()
			results := s.prober(f.options).Servers(context.Background(), targets...)
			s.run(f.undo)
			s.untouched(counted)
			for i, r := range results {
				t.Logf("%s: %s", r.Target, show(r.Finding))
				switch want := (fault{verdict: Fine, cause: Answers}); {
				case i == 0 && (r.Verdict != f.verdict || r.Cause != f.cause || !strings.Contains(r.Short, f.says)):
					t.Errorf("%s: want %s, %s, %q; got %s", r.Target, f.verdict, f.cause, f.says, show(r.Finding))
				case i > 0 && (r.Verdict != want.verdict || r.Cause != want.cause):
					t.Errorf("%s has no fault: %s", r.Target, show(r.Finding))
				}
			}
		})
	}
	s.fine(s.prober(Options{}), s.targets(ipvs.TCP, lab.HTTPPort)) // all is undone
	s.served()
	if now := s.Director.State(); now != before {
		s.t.Errorf("the director was changed:\n%s", lab.Difference(before, now))
	}
}

func port(n uint16) func(*Target) {
	return func(t *Target) {
		t.VIP, t.Server.Addr = netip.AddrPortFrom(t.VIP.Addr(), n), netip.AddrPortFrom(t.Server.Addr.Addr(), n)
	}
}

func serverPort(vip, server uint16) func(*Target) {
	return func(t *Target) {
		port(vip)(t)
		if t.Server.Addr.Addr().As16()[15] == 11 { // the first alone
			t.Server.Addr = netip.AddrPortFrom(t.Server.Addr.Addr(), server)
		}
	}
}

// faultsOfVIP are those of DR and TUN alike, on a server that has the VIP on a
// device.
func faultsOfVIP(device string) []fault {
	drop := "rs1 TABLES -A INPUT -d VIP -p tcp --dport 80 -j "
	flush := "rs1 TABLES -F INPUT"
	return []fault{
		{name: "4 VIP missing", do: "rs1 ip address del VIP dev " + device, undo: "rs1 ip address add VIP dev " + device,
			verdict: Fault, cause: VIPSilent, says: "the VIP is missing"},
		{name: "6 nothing listens", change: port(shiftPort), verdict: Fault, cause: NothingListens, says: "nothing listens on its port 9001"},
		{name: "6 another port", change: serverPort(shiftPort, shiftPort+1), verdict: Fault, cause: OtherPort, says: "listens on port 9002"},
		{name: "7 its own address only", change: port(ownPort), verdict: Fault, cause: OtherAddress},
		{name: "8 dropped", do: drop + "DROP", undo: flush, verdict: Fault, cause: Dropped, says: "a firewall drops"},
		{name: "8 rejected", do: drop + "REJECT", undo: flush, verdict: Fault, cause: Rejected, says: "a firewall rejects"},
		{name: "8 all dropped", do: "rs1 TABLES -A INPUT -d VIP -j DROP", undo: flush, verdict: Fault, cause: VIPSilent, says: "drop"},
		{name: "4 VIP missing, and the server forwards", do: "rs1 sysctl -qw FORWARDING=1; rs1 ip address del VIP dev " + device,
			undo: "rs1 ip address add VIP dev " + device + "; rs1 sysctl -qw FORWARDING=0", verdict: Fault, cause: VIPMissing, says: "passes its packets on"},
	}
}

// unplugged is a server that nothing is heard of.
func unplugged(c Cause) fault {
	return fault{name: "52 silent", do: "rs1 tc qdisc add dev eth0 root netem loss 100%", undo: "rs1 tc qdisc del dev eth0 root", verdict: Fault, cause: c}
}

package path

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg/firewall"
)

const rules = `*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -d 10.0.3.12/32 -p tcp -m tcp --dport 8080 -j MASQUERADE
-A POSTROUTING -m ipvs --vaddr 203.0.113.11/32 --vport 81 --vmethod MASQ -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -d 203.0.113.10/32 -p tcp -m multiport --dports 80,443 -j ACCEPT
-A INPUT -d 203.0.113.8/29 -p udp -j ACCEPT
-A FORWARD -s 10.0.3.12/31 -m conntrack --ctstate INVALID -j DROP
-A FORWARD -s 10.0.3.15/32 -p tcp -m tcp --sport 8080:8082 -j REJECT
-A OUTPUT -p ipencap -d 10.0.3.13/32 -j DROP
COMMIT
`

// TestWalks: flows that are taken for alike end as each would alone.
func TestWalks(t *testing.T) {
	r := firewall.Rules{Tables: firewall.ParseSave(rules, firewall.IptablesNFT, firewall.IPv4), Default: firewall.IptablesNFT}
	w := NewWalks(r)
	ends := map[string]int{}
	for _, p := range []ipvs.Protocol{ipvs.TCP, ipvs.UDP} {
		for _, forward := range []ipvs.Forward{ipvs.Masq, ipvs.Direct, ipvs.TunnelFwd} {
			for n := range 200 {
				f := flow(p, forward, fmt.Sprintf("203.0.113.%d:%d", 9+n%3, []int{79, 80, 81, 443}[n%4]), fmt.Sprintf("10.0.3.%d:%d", 10+n%8, 8079+n%5))
				f.Server.Weight, f.Conntrack = uint32(n), n%2 == 0
				var want []Stop
				for i, leg := range w.Legs(f) {
					for _, v := range r.Each(leg.Hook, leg.Packet) {
						if v.Result != firewall.Passes {
							want = append(want, Stop{v, i})
						}
					}
				}
				if got := w.Stops(f); !slices.Equal(got, want) {
					t.Errorf("%+v: %v, want %v", f, got, want)
				}
				post := slices.IndexFunc(f.Legs(), func(l Leg) bool { return l.Hook == firewall.Postrouting })
				rewritten := r.Rewrites(firewall.Postrouting, f.Legs()[post].Packet)
				if !f.Conntrack {
					rewritten = firewall.Verdict{}
				}
				if got := w.Rewrites(f); got != rewritten {
					t.Errorf("%+v: %v, want %v", f, got, rewritten)
				}
				ends[fmt.Sprint(len(want) > 0, rewritten.Result)]++
			}
		}
	}
	if len(ends) != 4 {
		t.Errorf("not every end was met: %v", ends)
	}
	if many := 2 * 3 * 200; len(w.stops) > many/2 {
		t.Errorf("%d walks for %d flows", len(w.stops), many)
	}
}

// TestNotrack: what conntrack does not see is UNTRACKED, and answers to it belong to
// nothing that it knows.
func TestNotrack(t *testing.T) {
	nat := flow(ipvs.TCP, ipvs.Masq, "203.0.113.10:80", "10.0.3.11:8080")
	dr, tun := nat, nat
	dr.Server.Forward, tun.Server.Forward = ipvs.Direct, ipvs.TunnelFwd
	for i, c := range []struct {
		flow  Flow
		track bool
		raw   string
		want  string // states of first packets, and of later ones
	}{
		{dr, false, "-A PREROUTING -d 203.0.113.10/32 -j CT --notrack", "UUUU UUUU"},
		{dr, true, "-A PREROUTING -d 203.0.113.10/32 -j CT --notrack", "UUUU UUUU"},
		{dr, true, "-A PREROUTING -d 203.0.113.10/32 -m limit --limit 1/s -j NOTRACK", "---- ----"},
		{dr, false, "-A PREROUTING -d 203.0.113.10/32 -m limit --limit 1/s -j NOTRACK", "--UU --UU"},
		{dr, true, "-A OUTPUT -j NOTRACK", "NNNN IIII"},
		{nat, true, "-A PREROUTING -d 203.0.113.10/32 -j NOTRACK", "UUUUIIU UUUUNNU"},
		{nat, true, "-A PREROUTING -j NOTRACK", "UUUUUUU UUUUUUU"},
		{nat, false, "-A PREROUTING -s 10.0.3.0/24 -j NOTRACK", "NNUUUUU NNUUUUU"},
		{tun, true, "-A PREROUTING -d 203.0.113.10/32 -j NOTRACK", "UUNN UUNN"},
		{tun, false, "-A OUTPUT -p ipencap -j NOTRACK", "NNUU NNUU"},
	} {
		r := firewall.Rules{Tables: firewall.ParseSave("*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"+c.raw+"\nCOMMIT\n", firewall.IptablesNFT, firewall.IPv4)}
		c.flow.Conntrack = c.track
		legs := NewWalks(r).Legs(c.flow)
		got := ""
		for n, l := range legs {
			if n == len(legs)/2 {
				got += " "
			}
			got += string((string(l.Packet.State) + "-")[0])
		}
		if got != c.want {
			t.Errorf("%d: %q, want %q", i, got, c.want)
		}
	}
}

// TestMarked: of a service of a mark servers' addresses are known.
func TestMarked(t *testing.T) {
	f := flow(ipvs.TCP, ipvs.Masq, "203.0.113.10:80", "10.0.3.12:0")
	f.Service, f.Client, f.Front = ipvs.MarkService(7, ipvs.IPv4), netip.AddrPort{}, ""
	for rule, want := range map[string]firewall.Result{
		"-A FORWARD -s 10.0.3.12/32 -j DROP": firewall.Drops, "-A FORWARD -s 10.0.3.13/32 -j DROP": firewall.Passes, "-A INPUT -j DROP": firewall.Drops,
		"-A INPUT -p tcp -j DROP": firewall.Unknown, "-A INPUT -d 203.0.113.10/32 -j DROP": firewall.Unknown, "-A OUTPUT -d 10.0.3.12/32 -o eth1 -j REJECT": firewall.Rejects,
		"-A OUTPUT -m ipvs --vaddr 203.0.113.10/32 -j DROP": firewall.Unknown,
	} {
		r := firewall.Rules{Tables: firewall.ParseSave("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"+rule+"\nCOMMIT\n", firewall.IptablesNFT, firewall.IPv4)}
		r.Tables = append(r.Tables, firewall.ParseSave("*filter\n:INPUT DROP [0:0]\nCOMMIT\n", firewall.IptablesNFT, firewall.IPv6)...)
		got := firewall.Passes
		for _, s := range NewWalks(r).Stops(f) {
			got = s.Result
		}
		if got != want {
			t.Errorf("%s: %v, want %v", rule, got, want)
		}
	}
}

// TestOpens: the rule that lets a leg's packets through.
func TestOpens(t *testing.T) {
	own := firewall.Verdict{Result: firewall.Drops, Backend: firewall.IptablesNFT, Table: "filter"}
	at := netip.MustParseAddrPort("10.0.3.11:80")
	for want, leg := range map[string]Leg{
		"iptables rule in filter INPUT: -d 10.0.3.11 -p tcp --dport 80 -j ACCEPT":   {Hook: firewall.Input, Packet: firewall.Packet{Proto: 6, Dst: at}},
		"iptables rule in filter FORWARD: -s 10.0.3.11 -p udp --sport 80 -j ACCEPT": {Hook: firewall.Forward, Packet: firewall.Packet{Proto: 17, Src: at}},
		"iptables rule in filter OUTPUT: -d 10.0.3.11 -p 4 -j ACCEPT":               {Hook: firewall.Output, Packet: firewall.Packet{Proto: 4, Dst: at}},
		"iptables rule in filter FORWARD: -s 10.0.3.11 -j ACCEPT":                   {Hook: firewall.Forward, Packet: firewall.Packet{Src: at}},
		"iptables rule in filter INPUT: -d 10.0.3.11 -p sctp -j ACCEPT":             {Hook: firewall.Input, Packet: firewall.Packet{Proto: 132, Dst: netip.AddrPortFrom(at.Addr(), 0)}},
	} {
		if f, ok := Opens(leg, own, firewall.IptablesNFT); !ok || f.String() != want || !f.First {
			t.Errorf("%v %v, want %s", ok, f, want)
		}
		if _, ok := Opens(leg, own, firewall.IptablesLegacy); ok {
			t.Errorf("%s is opened where it is not shut", want)
		}
	}
}

package firewall

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
)

// web is a client's first packet to a service, as it comes in.
func web() Packet {
	return Packet{
		In: "eth0", Proto: protoTCP, Flags: SYN, State: New,
		Src: netip.MustParseAddrPort("198.51.100.2:40000"), Dst: netip.MustParseAddrPort("203.0.113.10:80"),
	}
}

// unfold writes rules for chain INPUT short: "-p tcp DROP; RETURN".
func unfold(rules string) string {
	var b strings.Builder
	b.WriteString("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [1:2]\n:OUTPUT ACCEPT [0:0]\n:one - [0:0]\n:two - [0:0]\n")
	for rule := range strings.SplitSeq(rules, "; ") {
		if rule != "" && !strings.HasPrefix(rule, ":") && !strings.HasPrefix(rule, "-A") && !strings.HasPrefix(rule, "[") {
			rule = "-A INPUT " + rule
		}
		b.WriteString(rule + "\n")
	}
	return b.String() + "COMMIT\n"
}

func saved(text string, f Family) Rules {
	return Rules{Tables: ParseSave(text, IptablesNFT, f)}
}

// TestMatches: for each list of rules in front of the policy ACCEPT, what becomes
// of the packet of web.
func TestMatches(t *testing.T) {
	for want, lists := range map[Result][]string{
		Drops: {
			"-j DROP", "-p tcp --dport 80 --sport 40000 -j DROP", "-s 198.51.100.0/24 -j DROP", "-s 198.51.100.0/255.255.255.0 -j DROP", "! -s 10.0.0.0/8 -j DROP",
			"-d 203.0.113.10 -j DROP", "-d 203.0.113.10/32 -i eth0 -p tcp -m tcp --dport 80 -j DROP", "-i eth+ -j DROP", "-i + -j DROP",
			"! -i lo -j DROP", "-p 6 -j DROP", "-p all -j DROP", "! -p udp -j DROP", "-p tcp -m tcp --sport 1024:65535 -j DROP",
			"-p tcp -m multiport --dports 22,80:81 -j DROP", "-p tcp -m multiport --ports 40000 -j DROP",
			"-p tcp -m multiport ! --dports 22,443 -j DROP", "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
			"-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK ACK -j DROP", "-m conntrack --ctstate NEW,RELATED -j DROP",
			"-m state ! --state ESTABLISHED -j DROP", "-m conntrack ! --ctstate DNAT -j DROP",
			`-m comment --comment "a \"b\" -j ACCEPT" -j DROP`, "-m addrtype --dst-type LOCAL -j DROP", "-m mark --mark 0x0/0xff -j DROP",
			"-m iprange --src-range 198.51.100.1-198.51.100.2 -j DROP", "-m limit --limit 1/sec -j LOG --log-prefix \"x \"; -j DROP",
			"-m limit --limit 1/sec -j DROP; -j DROP", "-j one; -A one -j two; -A one -j DROP; -A two -j RETURN",
			"-g one; -j ACCEPT; -A one -g two; -A two -p tcp -j DROP",
			"[5:300] -A INPUT -j DROP; -j ACCEPT", "-m hashlimit --hashlimit-upto 1/sec --hashlimit-name x -j DROP; -j DROP",
			"! -f -j DROP", "-p udp -m recent --rcheck -j ACCEPT; -j DROP", "-j DROP -m something",
		},
		Rejects: {"-p tcp -j REJECT --reject-with tcp-reset", "-j one; -A one -j REJECT; -A one -j DROP"},
		Passes: {
			"", "-p udp -j DROP", "-p tcp -m tcp --dport 81 -j DROP", "-s 10.0.0.0/8 -j DROP", "-s 198.51.100.2 -j ACCEPT; -j DROP",
			"-o eth0 -j DROP", "-i eth1 -j DROP", "-j RETURN; -j DROP", "-j one; -j ACCEPT; -A one -j RETURN; -A one -j DROP",
			"-g one; -j DROP; -A one -p udp -j DROP", "-m limit --limit 1/sec -j ACCEPT; -j ACCEPT", "-m mark --mark 0x8000/0x8000 -j DROP",
			"-p icmp -m icmp --icmp-type 8 -m limit --limit 1/s -j DROP", "-m conntrack --ctstate INVALID -j DROP",
			"-m addrtype --dst-type MULTICAST -j DROP", "-m ipvs --ipvs -j DROP", "-m ipvs ! --vaddr 1.2.3.4/32 -j DROP", "-j NFLOG",
			"-d 203.0.113.10", "-f -j DROP", "! -i eth0 -j DROP",
			// As ufw has it.
			"-j one; -A one -m addrtype --dst-type LOCAL -j RETURN; -A one -m addrtype --dst-type BROADCAST -j RETURN; -A one -j DROP",
			"-m mark --mark 0x0 -m conntrack --ctstate NEW -j ACCEPT; -j DROP",
		},
		Unknown: {
			"-m limit --limit 1/sec -j DROP", "-m limit --limit 1/sec -j ACCEPT; -j DROP", "-m set --match-set bad src -j DROP",
			"-m set ! --match-set good src -j DROP", "-j NFQUEUE --queue-num 1", "-p tcp -m strange --thing x -j REJECT",
			"-s 10.0.0.0/255.0.255.0 -j DROP", "-m addrtype --src-type LOCAL -j DROP", "-m owner --uid-owner 0 -j RETURN; -j DROP",
			"-j one; -A one -m string --string x --algo bm -j RETURN; -A one -j DROP", "-p tcp -m tcp --tcp-option 7 -j DROP",
			"-g one; -A one -g one", "-j MARK --set-xmark 0x1/0xffffffff; -m mark --mark 0x1 -j DROP", "-j nowhere", "-p swipe -j DROP",
		},
	} {
		for _, list := range lists {
			r := saved(unfold(list), IPv4)
			classed(t, r)
			if v := r.Walk(Input, web()); v.Result != want {
				t.Errorf("%s: %v, want %v", list, v, want)
			}
		}
	}
}

// TestUnknownPackets: what is not known of a packet matters only where a rule
// asks for it.
func TestUnknownPackets(t *testing.T) {
	bare := Packet{Dst: netip.MustParseAddrPort("203.0.113.10:0")}
	for list, want := range map[string]Result{
		"-d 203.0.113.10 -j DROP": Drops, "-d 203.0.113.11 -j DROP": Passes, "-i eth0 -j DROP": Unknown, "-p tcp -j DROP": Unknown,
		"-p tcp -m tcp --dport 80 -j DROP": Unknown, "-s 10.0.0.0/8 -j DROP": Unknown, "-s 0.0.0.0/0 -j DROP": Drops,
		"-m state --state NEW -j DROP": Unknown, "-p tcp -m tcp --tcp-flags SYN SYN -j DROP": Unknown, "-i lo -d 203.0.113.11 -j DROP": Passes,
		"-m iprange --src-range 10.0.0.1-10.0.0.2 -j DROP": Unknown,
	} {
		if v := saved(unfold(list), IPv4).Walk(Input, bare); v.Result != want {
			t.Errorf("%s: %v, want %v", list, v, want)
		}
	}
	tcp := web()
	tcp.Src, tcp.Dst = netip.AddrPort{}, netip.AddrPortFrom(tcp.Dst.Addr(), 0)
	for list, want := range map[string]Result{
		"-p tcp -m tcp --dport 80 -j DROP": Unknown, "-p tcp -m tcp --dport 1:65535 -j DROP": Drops, "-p udp -m udp --dport 80 -j DROP": Passes,
	} {
		if v := saved(unfold(list), IPv4).Walk(Input, tcp); v.Result != want {
			t.Errorf("%s: %v, want %v", list, v, want)
		}
	}
}

// TestHooks: links and addresses at other hooks, the policy, and families.
func TestHooks(t *testing.T) {
	r := saved(unfold("-A OUTPUT -o eth1 -j DROP; -A FORWARD -i eth1 -o eth0 -m addrtype ! --dst-type LOCAL -j ACCEPT"), IPv4)
	p := Packet{In: "eth1", Out: "eth0", Src: netip.MustParseAddrPort("10.0.3.11:80"), Dst: netip.MustParseAddrPort("198.51.100.2:40000")}
	if v := r.Walk(Forward, p); v.Result != Passes {
		t.Error(v)
	}
	p.Out = "eth2"
	want := Verdict{Drops, IptablesNFT, "filter", "FORWARD", "policy DROP"}
	if v := r.Walk(Forward, p); v != want {
		t.Errorf("%+v", v)
	}
	p.Out = "eth1"
	want = Verdict{Drops, IptablesNFT, "filter", "OUTPUT", "-A OUTPUT -o eth1 -j DROP"}
	if v := r.Walk(Output, p); v != want || v.String() != "drops: iptables-nft, table filter, chain OUTPUT: -A OUTPUT -o eth1 -j DROP" {
		t.Errorf("%+v", v)
	}
	six := Packet{Out: "eth1", Dst: netip.MustParseAddrPort("[2001:db8::1]:80")}
	if v := r.Walk(Output, six); v.Result != Passes || v.String() != "passes" {
		t.Errorf("IPv6 meets rules for IPv4: %v", v)
	}
	r = saved(unfold("-A OUTPUT -d 2001:db8::/32 -j DROP"), IPv6)
	if v := r.Walk(Output, six); v.Result != Drops {
		t.Errorf("IPv6: %v", v)
	}
}

// TestAllTables: a packet must pass each; a sure drop counts more than a doubt.
func TestAllTables(t *testing.T) {
	doubt := ParseSave("*mangle\n:INPUT ACCEPT [0:0]\n-A INPUT -m limit --limit 1/s -j DROP\nCOMMIT\n", IptablesNFT, IPv4)
	drop := ParseSave(unfold("-p tcp -j DROP"), IptablesLegacy, IPv4)
	pass := ParseSave(unfold("-j ACCEPT"), IptablesNFT, IPv4)
	r := Rules{Tables: slices.Concat(drop, pass, doubt)}
	if v := r.Walk(Input, web()); v.Result != Drops || v.Backend != IptablesLegacy {
		t.Error(v)
	}
	each := r.Each(Input, web())
	if len(each) != 3 || each[0].Table != "mangle" || each[0].Result != Unknown || each[1].Result != Drops || each[2].Result != Passes {
		t.Error(each)
	}
	if got := r.Backends(); !slices.Equal(got, []Backend{IptablesNFT, IptablesLegacy}) {
		t.Error(got)
	}
	r = Rules{Tables: pass, Unread: []string{"something else"}}
	if v := r.Walk(Input, web()); v.String() != "unknown: something else" {
		t.Error(v)
	}
}

// TestRewrites: rules of nat, broad and narrow ones.
func TestRewrites(t *testing.T) {
	out := web()
	out.In, out.Out, out.Dst = "", "eth1", netip.MustParseAddrPort("10.0.3.11:80")
	mine := out
	mine.Balanced = Balanced{VIP: netip.MustParseAddrPort("203.0.113.10:80"), Method: Masq}
	const full = "-m ipvs --vproto 6 --vaddr 203.0.113.10/32 --vport 80 --vdir ORIGINAL --vmethod MASQ -j MASQUERADE"
	for _, c := range []struct {
		rules  string
		packet Packet
		state  State
		want   Result
	}{
		{"", out, New, Passes},
		{"-j MASQUERADE", out, New, Rewrites},
		{"-j MASQUERADE", out, Untracked, Passes},
		{"-j MASQUERADE", out, Established, Passes},
		{"-j MASQUERADE", out, "", Unknown},
		{"-o eth0 -j MASQUERADE", out, New, Passes},
		{"-s 10.0.3.0/24 -j SNAT --to-source 203.0.113.2", out, New, Passes},
		{"-m random --x -j SNAT --to-source 203.0.113.2", out, New, Unknown},
		{"-s 198.51.100.0/24 -j ACCEPT; -j MASQUERADE", out, New, Passes},
		{full, out, New, Passes},
		{full, mine, New, Rewrites},
		{strings.Replace(full, "80", "81", 1), mine, New, Passes},
		{strings.Replace(full, ".10/", ".11/", 1), mine, New, Passes},
		{strings.Replace(full, "ORIGINAL", "REPLY", 1), mine, New, Passes},
		{strings.Replace(full, "MASQ", "GATE", 1), mine, New, Passes},
		{strings.Replace(full, "--vaddr", "! --vaddr", 1), mine, New, Passes},
		{"-m ipvs --ipvs --vportctl 21 -j MASQUERADE", mine, New, Unknown},
	} {
		text := "*nat\n:POSTROUTING ACCEPT [0:0]\n"
		for rule := range strings.SplitSeq(c.rules, "; ") {
			text += "-A POSTROUTING " + rule + "\n"
		}
		c.packet.State = c.state
		r := saved(text, IPv4)
		if listed := r.ForIPVS(); (len(listed) == 1) != strings.Contains(c.rules, "-m ipvs") {
			t.Errorf("%s: listed as IPVS's: %v", c.rules, listed)
		}
		classed(t, r)
		if v := r.Rewrites(Postrouting, c.packet); v.Result != c.want {
			t.Errorf("%s, %s: %v, want %v", c.rules, c.state, v, c.want)
		}
		if v := r.Walk(Postrouting, c.packet); v.Result != Passes {
			t.Errorf("%s: rewriting is %v", c.rules, v)
		}
	}
}

// FuzzParseSave: whatever it reads, a walk ends and is one of what can be; and a
// packet of which nothing more is known gets no answer that knowing more refutes.
func FuzzParseSave(f *testing.F) {
	for _, list := range []string{
		"-p tcp -m tcp --dport 80 -j DROP", "-j one; -A one -m limit --limit 1/s -g two; -A two -s 198.51.100.2/32 -j REJECT",
		"-m ipvs ! --vaddr 1.2.3.4/32 -j ACCEPT", "-i eth+ -m multiport ! --ports 1:5,80 -j RETURN; -m mark --mark 0x1/0xf -j MARK",
	} {
		f.Add(unfold(list))
	}
	f.Fuzz(func(t *testing.T, text string) {
		tables := ParseSave(text, IptablesLegacy, IPv4)
		refines(t, Rules{Tables: tables})
	})
}

// refines holds that to know more of a packet never turns a sure verdict.
func refines(t *testing.T, r Rules) {
	t.Helper()
	classed(t, r)
	for _, h := range []Hook{Prerouting, Input, Forward, Output, Postrouting} {
		less := Packet{Dst: web().Dst, Proto: protoTCP}
		a, b := r.Walk(h, less), r.Walk(h, web())
		sure := a.Result == Passes || a.Result.Stops()
		if sure && (b.Result == Unknown || a.Result.Stops() != b.Result.Stops()) {
			t.Errorf("%s: %v, and of a packet that is known better %v", h, a, b)
		}
		r.Rewrites(h, less)
	}
}

// TestRulesAreShared: packets walk through the same rules at the same time. The race
// detector tells when a walk writes into them.
func TestRulesAreShared(t *testing.T) {
	rules := saved(unfold("-m addrtype --dst-type local -j ACCEPT; -m conntrack --ctstate new -j ACCEPT; -j DROP"), IPv4)
	var walks sync.WaitGroup
	for range 2 {
		walks.Go(func() {
			for range 100 {
				if v := rules.Walk(Input, web()); v.Result != Passes {
					t.Errorf("%+v", v)
				}
			}
		})
	}
	walks.Wait()
}

// TestUntracks: rules of raw that conntrack never hears of.
func TestUntracks(t *testing.T) {
	for rules, want := range map[string][2]bool{
		"": {}, "-j NOTRACK": {true, true}, "-d 203.0.113.10/32 -p tcp -m tcp --dport 80 -j CT --notrack": {true, true},
		"-j CT --helper ftp": {}, "-p udp -j NOTRACK": {}, "-m limit --limit 1/sec -j NOTRACK": {true, false}, "-j ACCEPT; -A PREROUTING -j NOTRACK": {},
		"-p tcp -j one; -A one -j NOTRACK": {true, true}, "-i eth0 -j UNKNOWN": {true, false},
	} {
		r := saved("*raw\n:PREROUTING ACCEPT [0:0]\n:one - [0:0]\n-A PREROUTING "+strings.ReplaceAll(rules, "; ", "\n")+"\nCOMMIT\n", IPv4)
		if may, sure := r.Untracks(Prerouting, web()); may != want[0] || sure != want[1] {
			t.Errorf("%s: %t %t, want %v", rules, may, sure, want)
		}
		if may, _ := r.Untracks(Output, web()); may {
			t.Errorf("%s at another hook", rules)
		}
	}
	r := saved("*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j NOTRACK\nCOMMIT\n", IPv4)
	if may, _ := r.Untracks(Prerouting, web()); may {
		t.Error("behind conntrack it is too late")
	}
}

// TestSetsMarks: what may set one.
func TestSetsMarks(t *testing.T) {
	for rule, want := range map[string]bool{
		"-j ACCEPT": false, "-j LOG": false, "-j one": false, "-j MARK --set-xmark 0x1/0xffffffff": true, "-j CONNMARK --restore-mark": true,
		"-j HMARK --hmark-tuple src --hmark-mod 1 --hmark-offset 7": true, "-p tcp -j TPROXY --on-port 1 --tproxy-mark 0x1": true,
		"-j SET --map-set x src --map-mark": true, "-j SET --add-set x src": false, "-j WHATEVER": true,
	} {
		if got := saved(unfold(rule), IPv4).SetsMarks(); got != want {
			t.Errorf("%s: %t", rule, got)
		}
	}
}

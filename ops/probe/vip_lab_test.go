package probe

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lvsdeck/lab"
)

// TestVIP asks on a DR director's segment who has the VIP, while one thing after
// the other is wrong there.
func TestVIP(t *testing.T) {
	lab.Require(t)
	for _, v6 := range []bool{false, true} {
		t.Run(fmt.Sprintf("v6=%v", v6), func(t *testing.T) {
			s := newSite(t, lab.DR, sound, v6)
			stray := s.Host("stray")
			own := "203.0.113.77/24"
			if v6 {
				own = "2001:db8:2::77/64"
			}
			stray.Join(s.Wan, "eth0", own)
			s.Director.Command("ping", "-c1", strings.Split(own, "/")[0]) // so that the kernel knows it
			p := s.prober(Options{Wait: 350 * time.Millisecond})
			unchanged := s.unchanged()
			see := func(what string, verdict Verdict, cause Cause, says string, servers ...netip.Addr) {
				t.Helper()
				f := p.VIP(t.Context(), s.VIP, s.Addrs)
				t.Logf("%s: %s", what, show(f))
				if f.Verdict != verdict || f.Cause != cause || !strings.Contains(f.Short, says) || !slices.Equal(f.Servers, servers) {
					t.Errorf("want %s: %s, %s, %q of %v; got %v %s", what, verdict, cause, says, servers, f.Servers, show(f))
				}
			}
			free := func(what string, a netip.Addr, verdict Verdict, cause Cause, says string) {
				t.Helper()
				f := p.Free(t.Context(), a, "eth0")
				t.Logf("%s: %s", what, show(f))
				if f.Verdict != verdict || f.Cause != cause || !strings.Contains(f.Short, says) || len(f.MACs) != 0 == (verdict == Fine) {
					t.Errorf("want %s: %s, %s, %q; got %s", what, verdict, cause, says, show(f))
				}
			}
			see("healthy", Fine, Alone, "nobody else")
			free("an unused address", s.VIP.Next().Next().Next().Next(), Fine, Alone, "free")
			free("our own", s.VIP, Fine, Alone, "this director has it already")
			free("a server's", s.Addrs[0], Fault, HostHasIt, "taken")

			claim, silence := "rs sysctl -qw net.ipv4.conf.all.arp_ignore=0", "rs sysctl -qw net.ipv4.conf.all.arp_ignore=1"
			if v6 { // an address on lo is never told to neighbours
				claim, silence = "rs ip address add VIP/128 dev eth0 nodad", "rs ip address del VIP/128 dev eth0"
			}
			s.run(0, claim)
			see("1 a server answers", Fault, ServerHasIt, s.Addrs[0].String(), s.Addrs[0])
			stray.AddVIP("eth0", s.VIP)
			see("1 and 3 a server and a stray host", Fault, ServerHasIt, "and also", s.Addrs[0])
			s.run(0, silence)
			see("3 a stray host", Fault, HostHasIt, strings.Split(own, "/")[0])
			s.run(0, "director ip address del VIP dev eth0")
			see("VIP elsewhere", Unknown, Elsewhere, "has it, not this director")
			free("a VIP elsewhere", s.VIP, Fault, HostHasIt, "taken")
			s.Director.AddVIP("eth0", s.VIP)

			vrrp := "00:00:5e:00:01:33"
			if v6 {
				vrrp = "00:00:5e:00:02:33"
			}
			stray.Command("ip", "link", "set", "eth0", "address", vrrp)
			see("3 another director", Fault, HostHasIt, "virtual router 51 (VRRP, "+vrrp+")")
			stray.Command("ip", "address", "del", s.VIP.String(), "dev", "eth0")
			see("healthy again", Fine, Alone, "")
			s.run(0, "director ip address del VIP dev eth0")
			see("nobody has it", Warning, Nowhere, "nobody answers")
			s.Director.AddVIP("eth0", s.VIP)
			unchanged()
		})
	}
}

// TestProxyARP: a router that answers for every address of a network that is
// beyond it by its own lights proves nothing, a server beside it does.
func TestProxyARP(t *testing.T) {
	lab.Require(t)
	s := newSite(t, lab.DR, sound, false)
	vip := netip.MustParseAddr("192.0.2.10")
	s.Director.AddVIP("eth0", vip)
	s.Servers[1].AddVIP("lo", vip)
	// Without the usual delay: the queue of what is delayed is one for all hosts of
	// a kernel, and emptied when those of an earlier test go.
	s.run(0, "router sysctl -qw net.ipv4.neigh.eth1.proxy_delay=0; router sysctl -qw net.ipv4.conf.eth1.proxy_arp=1; router ip route add default via 198.51.100.2")
	p := s.prober(Options{Wait: 350 * time.Millisecond})
	if f := p.VIP(t.Context(), vip, s.Addrs); f.Verdict != Unknown || f.Cause != ProxyARP {
		t.Errorf("want proxy ARP: %s", show(f))
	}
	s.Servers[1].Sysctl("net.ipv4.conf.all.arp_ignore", "0")
	if f := p.VIP(t.Context(), vip, s.Addrs); f.Cause != ServerHasIt || !slices.Equal(f.Servers, s.Addrs[1:]) {
		t.Errorf("want the second server: %s", show(f))
	}
	if f := p.VIP(t.Context(), netip.MustParseAddr("192.0.2.99"), nil); f.Verdict != Unknown || f.Cause != NoSegment {
		t.Errorf("want no segment: %s", show(f))
	}
}

// TestAnnounce: a router that knows the VIP elsewhere looks here from then on.
func TestAnnounce(t *testing.T) {
	lab.Require(t)
	for _, v6 := range []bool{false, true} {
		s := newSite(t, lab.DR, sound, v6)
		s.run(0, "router sysctl -qw net.ipv4.neigh.eth1.proxy_delay=0") // as above
		p := s.prober(Options{})
		_, mac := s.Director.Card("eth0")
		s.run(0, "router ip neighbour replace VIP lladdr 02:00:00:00:00:99 dev eth1 nud stale")
		if err := p.Announce(t.Context(), s.VIP, "eth0"); err != nil {
			t.Fatal(err)
		}
		if got := s.Router.Command("ip", "neighbour", "show", s.VIP.String()); !strings.Contains(got, mac.String()) {
			t.Errorf("the router looks for the VIP at %s", got)
		}
		if err := p.Announce(t.Context(), s.Addrs[0], "eth0"); err == nil {
			t.Error("announces what is a server's")
		}
	}
}

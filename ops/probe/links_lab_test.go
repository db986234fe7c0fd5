package probe

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/lab"
)

// direct is a target whose VIP and server are asked for a port.
func direct(how ipvs.Forward, vip, server string) Target {
	return Target{
		VIP: netip.MustParseAddrPort(vip), Protocol: ipvs.TCP,
		Server: ipvs.Server{Addr: netip.MustParseAddrPort(server), Forward: how},
	}
}

// TestLinks: a VLAN on a bridge, where each frame passes several links, and a
// link without Ethernet.
func TestLinks(t *testing.T) {
	lab.Require(t)
	s := newSite(t, lab.NAT, sound, false)
	lab.Modprobe(t, "8021q", "ipip")
	rs := s.Servers[0]
	s.run(0, "director ip link add br0 type bridge; director ip link set br0 up; director ip address flush dev eth1; director ip link set eth1 master br0;"+
		"director ip link add link br0 name br0.10 type vlan id 10; director ip link set br0.10 up; director ip address add 10.0.3.1/24 dev br0.10;"+
		"rs ip link add link eth0 name eth0.10 type vlan id 10; rs ip link set eth0.10 up; rs ip address flush dev eth0;"+
		"rs ip address add 10.0.3.11/24 dev eth0.10; rs ip route add default via 10.0.3.1;"+
		"director ip tunnel add wire mode ipip local 10.0.3.1 remote 10.0.3.11; director ip address add 10.99.0.1/30 dev wire; director ip link set wire up;"+
		"rs ip tunnel add wire mode ipip local 10.0.3.11 remote 10.0.3.1; rs ip address add 10.99.0.2/30 dev wire; rs ip link set wire up")
	rs.AcceptVIP(lab.DR, s.VIP) // NAT does not mind
	p := s.prober(Options{})
	for _, target := range []Target{
		direct(ipvs.Masq, "203.0.113.10:80", "10.0.3.11:80"),
		direct(ipvs.Direct, "203.0.113.10:80", "10.0.3.11:80"),
		direct(ipvs.Direct, "203.0.113.10:80", "10.99.0.2:80"),
		{VIP: netip.MustParseAddrPort("203.0.113.10:80"), Protocol: ipvs.TCP, Server: ipvs.Server{Addr: netip.MustParseAddrPort("10.99.0.2:80")}, FullNAT: true},
	} {
		if r := p.Server(t.Context(), target); r.Verdict != Fine {
			t.Errorf("want %s fine: %s", target, show(r.Finding))
		} else {
			t.Log(target, show(r.Finding))
		}
	}
}

// TestOneArm: servers and VIP on one link, in networks of their own.
func TestOneArm(t *testing.T) {
	lab.Require(t)
	s := newSite(t, lab.DR, sound, false)
	s.run(0, "director ip address add 10.0.5.1/24 dev eth0; router ip address add 10.0.5.254/24 dev eth1; rs ip address flush dev lo;"+
		"rs ip address flush dev eth0; rs ip address add 10.0.5.11/24 dev eth0; rs ip route add default via 10.0.5.1")
	p := s.prober(Options{})
	target := direct(ipvs.Masq, "203.0.113.10:80", "10.0.5.11:80")
	if r := p.Server(t.Context(), target); r.Verdict != Fine {
		t.Errorf("want it fine: %s", show(r.Finding))
	}
	s.run(0, "rs ip route replace default via 10.0.5.254")
	if r := p.Server(t.Context(), target); r.Cause != OtherGateway {
		t.Errorf("want the other gateway: %s", show(r.Finding))
	}
}

// TestStandby: a director that waits for the VIP can prove its servers already.
func TestStandby(t *testing.T) {
	lab.Require(t)
	for _, v6 := range []bool{false, true} {
		s := newSite(t, lab.DR, sound, v6)
		s.run(0, "director ip address del VIP dev eth0")
		s.healthy(Options{})
	}
}

// TestOwnServer: a server that is the director itself.
func TestOwnServer(t *testing.T) {
	lab.Require(t)
	s := newSite(t, lab.NAT, sound, false)
	s.Director.ServeTCP("127.0.0.1:8080")
	p := s.prober(Options{})
	for server, want := range map[string]Cause{"127.0.0.1:8080": Answers, "127.0.0.1:8081": NothingListens} {
		if r := p.Server(t.Context(), direct(ipvs.Direct, "203.0.113.10:80", server)); r.Cause != want {
			t.Errorf("want %s at %s: %s", want, server, show(r.Finding))
		}
	}
}

// TestAnswersAreNotBalanced: IPVS takes a server's SYN-ACK for the beginning of a
// connection where a service has every port of the address that it comes to. Told
// of the services, a prober asks from elsewhere.
func TestAnswersAreNotBalanced(t *testing.T) {
	lab.Require(t)
	s := newSite(t, lab.NAT, sound, false)
	const all = "203.0.113.1:0"
	s.Director.Ipvsadm("-A", "-t", all, "-s", "rr", "-p")
	s.Director.Ipvsadm("-a", "-t", all, "-r", s.Addrs[0].String(), "-m")
	any := ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort(all))
	counted := s.traffic()
	for _, r := range s.prober(Options{Services: []ipvs.ServiceID{any}}).Servers(t.Context(), s.targets(ipvs.TCP, lab.HTTPPort)...) {
		if r.Verdict != Fine || !strings.Contains(strings.Join(r.Evidence, "\n"), "SYN 203.0.113.10:") {
			t.Errorf("want it fine, asked from the VIP: %s", show(r.Finding))
		}
	}
	s.untouched(counted)
	s.prober(Options{}).Servers(t.Context(), s.targets(ipvs.TCP, lab.HTTPPort)...)
	if s.traffic() == counted {
		t.Error("this kernel balances no SYN-ACK: there is nothing to avoid any more")
	}
}

// TestEnds: a prober whose time is over says so, and one that may not send is
// not opened.
func TestEnds(t *testing.T) {
	lab.Require(t)
	s := newSite(t, lab.DR, sound, false)
	p := s.prober(Options{Far: netip.MustParseAddr("192.0.2.1")})
	if r := p.Server(t.Context(), s.targets(ipvs.TCP, lab.HTTPPort)[0]); r.Cause != CannotSend || !strings.Contains(r.Short, "no address of this host") {
		t.Errorf("want a refusal to ask from elsewhere: %s", show(r.Finding))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, f := range []Finding{
		p.Server(ctx, s.targets(ipvs.TCP, lab.HTTPPort)[0]).Finding, p.VIP(ctx, s.VIP, nil), p.Free(ctx, s.VIP, "eth0"),
	} {
		if f.Verdict != Unknown || f.Cause != Interrupted {
			t.Errorf("want it interrupted: %s", show(f))
		}
	}
	found, err := p.WhoHas(t.Context(), "eth0", append(slices.Clone(s.Addrs), s.VIP.Next().Next().Next())...)
	if err != nil || len(found) != len(s.Addrs) {
		t.Errorf("of the servers and one more are there %v, %v", found, err)
	}
	var failed error
	s.Director.Do(func() { // on a thread of its own
		head, none := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, [2]unix.CapUserData{}
		if failed = unix.Capset(&head, &none[0]); failed == nil {
			_, failed = listen(0, 0, nil)
		}
	})
	if failed != ErrPermission {
		t.Errorf("without rights: %v", failed)
	}
}

// TestOuterIsVIP: a director that speaks as the VIP of its own accord does so
// outside of tunnels, too, and servers drop what comes from an address of theirs.
func TestOuterIsVIP(t *testing.T) {
	lab.Require(t)
	s := newSite(t, lab.TUN, sound, false)
	s.served(0)
	s.run(0, "director ip route replace default via 203.0.113.254 src VIP")
	r := s.prober(Options{}).Server(t.Context(), s.targets(ipvs.TCP, lab.HTTPPort)[0])
	if r.Verdict != Fault || r.Cause != OuterIsVIP {
		t.Errorf("want the VIP outside: %s", show(r.Finding))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if c, err := s.Client.DialContext(ctx, "tcp", s.At(lab.HTTPPort)); err == nil {
		c.Close()
		t.Error("servers take it: this is no fault any more")
	}
}

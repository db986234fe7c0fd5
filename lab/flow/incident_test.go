package flow

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lvsdeck/lab"
	"lvsdeck/lab/screen"
)

// TestAnIncidentIsFoundInTwoKeys: a client that hogs, a drained server that
// persistence keeps busy, a server that dies and a flood of SYNs from sources that
// do not exist are each on the right screen after a key or two, with ipvsadm's list
// of connections as judge.
func TestAnIncidentIsFoundInTwoKeys(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 2, false)
	serve(s, "-t", lab.TCPPort, "1", "1")
	serve(s, "-t", lab.HTTPPort, "1", "0")
	tcp, http := s.At(lab.TCPPort), s.At(lab.HTTPPort)
	first, second := netip.AddrPortFrom(s.Addrs[0], lab.TCPPort).String(), netip.AddrPortFrom(s.Addrs[1], lab.TCPPort).String()
	drained := netip.AddrPortFrom(s.Addrs[0], lab.HTTPPort).String()

	hog := "198.51.100.66"
	s.Client.AddAddr("eth0", hog+"/24")
	holdFrom(t, s, hog, 60)
	for i := range 8 {
		other := fmt.Sprintf("198.51.100.%d", 100+i)
		s.Client.AddAddr("eth0", other+"/24")
		holdFrom(t, s, other, 1)
	}
	s.Director.Ipvsadm("-E", "-t", http, "-s", "rr", "-p", "300")
	if _, err := s.Client.HTTPGet(http); err != nil {
		t.Fatal(err)
	}
	s.Director.Ipvsadm("-e", "-t", http, "-r", drained, "-m", "-w", "0")
	s.Director.Ipvsadm("-e", "-t", http, "-r", netip.AddrPortFrom(s.Addrs[1], lab.HTTPPort).String(), "-m", "-w", "1")

	c := open(t, s.Director, nil)
	c.waitText(tcp, http)

	// Who has it all?
	c.press("P")
	c.press("c")
	c.wait("the hog", func(f *screen.Frame) bool { return strings.Contains(line(f, hog, 0), "one client") })
	if n := listed(s.Director, "ESTABLISHED", hog+":"); n != 60 {
		t.Errorf("ipvsadm lists %d of the hog", n)
	}
	c.press(enter)
	c.waitText("of client "+hog, "60 connections")
	c.press("q")
	c.waitText("Pulse")
	c.press("q")

	// Why is the drained server still busy?
	c.waitText("UP")
	c.press("G")
	c.press("s")
	c.wait("a template on the drained server", func(f *screen.Frame) bool {
		return f.Has("persistent 300 s") && figureOf(f, drained, 0) == "0" && figureOf(f, drained, 5) == "1"
	})
	c.press("\t")
	c.wait("which holds a client", func(f *screen.Frame) bool { return f.Has("HELD") && figureOf(f, drained, 5) == "1" })
	c.press("q")

	// Which server is it?
	s.Servers[1].Command("ip", "link", "set", "eth0", "down")
	s.Client.Do(func() {
		for range 50 {
			if c, err := net.DialTimeout("tcp", tcp, 20*time.Millisecond); err == nil {
				c.Close()
			}
		}
	})
	c.waitText("UP")
	c.press("g")
	c.press("s")
	c.press("\t")
	c.wait("handshakes that only the dead server does not finish", func(f *screen.Frame) bool {
		n := listed(s.Director, "SYN_RECV", second)
		if n > 20 && figureOf(f, second, 2) == fmt.Sprint(n) && figureOf(f, first, 2) == "0" {
			return true
		}
		c.press("c") // the list moved on
		return false
	})
	c.press("q")

	// What is going on?
	s.Servers[1].Command("ip", "link", "set", "eth0", "up") // one incident at a time
	c.waitText("UP")
	c.press("P")
	c.waitText("against the last")
	flood(t, s, 1500)
	c.wait("the flooded service", func(f *screen.Frame) bool {
		return strings.Contains(line(f, "TCP "+tcp, 0), "times as many") || strings.Contains(line(f, "TCP "+tcp, 0), "from nothing")
	})
	c.press("c")
	c.wait("handshakes that nobody finishes, at both servers", func(f *screen.Frame) bool {
		// A server of which more is known has them among its others, in the text of its row.
		all := strings.Join(strings.Fields(f.Text()), " ")
		return strings.Count(all, "handshakes not finished") >= 2
	})
	if n := listed(s.Director, "SYN_RECV", "198.51.100.2"); n < 1000 {
		t.Errorf("ipvsadm lists %d half-open connections of the flood", n)
	}
	c.press("q")
	c.press("q")
	c.ended(0)
}

// figureOf is one of a server's figures on the service screen: findings name servers,
// too.
func figureOf(f *screen.Frame, server string, place int) string {
	table := false
	for y := range f.Height() {
		words := strings.Fields(f.Line(y))
		if at := slices.Index(words, server); table && at >= 0 && at+1+place < len(words) {
			return words[at+1+place]
		}
		table = table || strings.Contains(f.Line(y), "  SERVER ")
	}
	return ""
}

// flood sends SYNs from 50 addresses of the client's network that nobody has.
func flood(t *testing.T, s *lab.Site, n int) {
	t.Helper()
	var err error
	s.Client.Do(func() {
		var fd int
		if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW); err != nil {
			return
		}
		defer unix.Close(fd)
		to := &unix.SockaddrInet4{Addr: s.VIP.As4()}
		for i := range n {
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(200 + i%50)}), uint16(2000+i))
			if err = unix.Sendto(fd, syn(from, netip.AddrPortFrom(s.VIP, lab.TCPPort)), 0, to); err != nil {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// syn is a first packet of TCP over IPv4, of which the kernel fills in the length and
// the checksum of IP (raw(7)).
func syn(from, to netip.AddrPort) []byte {
	const ip, tcp = 20, 20
	p := make([]byte, ip+tcp)
	p[0], p[8], p[9] = 4<<4|ip/4, 64, unix.IPPROTO_TCP
	src, dst := from.Addr().As4(), to.Addr().As4()
	copy(p[12:], src[:])
	copy(p[16:], dst[:])
	seg := p[ip:]
	binary.BigEndian.PutUint16(seg[0:], from.Port())
	binary.BigEndian.PutUint16(seg[2:], to.Port())
	binary.BigEndian.PutUint32(seg[4:], uint32(from.Port())<<16)
	seg[12], seg[13] = tcp/4<<4, 0x02
	binary.BigEndian.PutUint16(seg[14:], 64_000)
	sum := uint32(unix.IPPROTO_TCP + tcp)
	for i := 12; i < ip+tcp; i += 2 { // the addresses are the pseudo header's
		sum += uint32(binary.BigEndian.Uint16(p[i:]))
	}
	for sum>>16 > 0 {
		sum = sum&0xffff + sum>>16
	}
	binary.BigEndian.PutUint16(seg[16:], ^uint16(sum))
	return p
}

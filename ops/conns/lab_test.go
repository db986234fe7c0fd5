package conns

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/proc"
	"lvsdeck/lab"
)

// sourceOn is the real table of a host.
func sourceOn(t *testing.T, h *lab.Host) Source {
	t.Helper()
	var ns *proc.Namespace
	var err error
	h.Do(func() { ns, err = proc.Here() })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ns.Close() })
	return ns
}

func readSource(t *testing.T, s Source, q Query) *Result {
	t.Helper()
	in, err := s.Connections(true)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r, err := Read(t.Context(), in, q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// judged counts what ipvsadm lists by the same names as ours.
func judged(h *lab.Host, by By) map[string]uint64 {
	out := map[string]uint64{}
	for l := range strings.Lines(h.Ipvsadm("-L", "-n", "-c")) {
		f := strings.Fields(l)
		if len(f) != 6 || f[0] == "pro" {
			continue
		}
		client, template := netip.MustParseAddrPort(f[3]), false
		if template = client.Port() == 0; template && by != ByState {
			continue
		}
		switch by {
		case ByClient:
			out[client.Addr().String()]++
		case ByService:
			out[f[0]+" "+f[4]]++
		case ByServer:
			out[f[5]]++
		case ByState:
			name := f[0] + " " + f[2]
			switch {
			case template:
				name = "template " + f[2]
			case f[0] == f[2]: // protocols of one state: it has their name
				name = f[0]
			}
			out[name]++
		}
	}
	return out
}

// TestRealConnections: real clients of both protocols, and ipvsadm's list of them
// as judge of every count.
func TestRealConnections(t *testing.T) {
	lab.Require(t)
	for _, v6 := range []bool{false, true} {
		s := lab.Director(t, lab.NAT, 2, v6)
		for proto, port := range map[string]uint16{"-t": lab.TCPPort, "-u": lab.UDPPort} {
			s.Director.Ipvsadm("-A", proto, s.At(port), "-s", "rr", "-p", "600")
			for _, a := range s.Addrs {
				s.Director.Ipvsadm("-a", proto, s.At(port), "-r", netip.AddrPortFrom(a, port).String(), "-m")
			}
		}
		for range 20 {
			c, err := s.Client.Dial("tcp", s.At(lab.TCPPort))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
		}
		if _, err := lab.Tally(7, func() (string, error) { return s.Client.Ask("tcp", s.At(lab.TCPPort)) }); err != nil {
			t.Fatal(err)
		}
		var err error
		s.Client.Do(func() {
			for range 2000 {
				c, dialled := net.Dial("udp", s.At(lab.UDPPort))
				if err = dialled; err != nil {
					return
				}
				c.Write([]byte("x"))
				c.Close()
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		source := sourceOn(t, s.Director)
		lab.Wait(t, "the counts of ipvsadm", func() error {
			r := readSource(t, source, Query{By: []By{ByClient, ByService, ByServer, ByState}})
			if r.Read.Bad != 0 || r.All.Templates != 2 || r.All.Conns < 1500 {
				return fmt.Errorf("%+v, read %+v", r.All, r.Read)
			}
			for _, ranking := range r.Rankings {
				ours := map[string]uint64{}
				for _, g := range ranking.Groups {
					if n := g.Conns + g.Templates; ranking.By == ByState || g.Conns > 0 {
						ours[g.Name(ranking.By)] = cmp.Or(g.Conns, n)
					}
				}
				if theirs := judged(s.Director, ranking.By); !maps.Equal(ours, theirs) {
					return fmt.Errorf("by %s: ipvsadm %v, ours %v", ranking.By, theirs, ours)
				}
			}
			return nil
		})
		page, err := readPage(t, source, Query{Filter: Filter{State: "ESTABLISHED"}}, 5, 10)
		if err != nil || len(page.Rows) != 10 || !page.More || page.Rows[0].Service.Name() != s.At(lab.TCPPort) || page.Rows[0].State.Protocol != ipvs.TCP {
			t.Errorf("%+v, %v", page, err)
		}
		for _, row := range page.Rows {
			if idle, known := row.Idle(); !known || idle > 300 {
				t.Errorf("idle for %d s, %v: %+v", idle, known, row)
			}
		}
	}
}

func readPage(t *testing.T, s Source, q Query, from, n int) (Page, error) {
	t.Helper()
	in, err := s.Connections(false)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	return ReadPage(t.Context(), in, q, from, n)
}

// learn fills a director's table as another director's sync daemon would, with
// messages of version 1 (net/netfilter/ipvs/ip_vs_sync.c).
func learn(t *testing.T, s *lab.Site, n int) {
	t.Helper()
	s.Director.Ipvsadm("--start-daemon", "backup", "--mcast-interface", "eth0")
	var to net.Conn
	var err error
	s.Router.Command("ip", "route", "replace", "224.0.0.0/4", "dev", "eth1")
	s.Router.Do(func() {
		to, err = net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(224, 0, 0, 81), Port: 8848})
	})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	const perMessage, entry = 40, 36
	vip, server := s.VIP.As4(), s.Addrs[0].As4()
	for sent := 0; sent < n; {
		count := min(perMessage, n-sent)
		m := make([]byte, 8+count*entry)
		binary.BigEndian.PutUint16(m[2:], uint16(len(m)))
		m[4], m[5] = byte(count), 1
		for i := range count {
			e := m[8+i*entry:]
			e[1] = 6 // TCP
			binary.BigEndian.PutUint16(e[2:], entry)
			binary.BigEndian.PutUint16(e[8:], 1) // ESTABLISHED
			binary.BigEndian.PutUint16(e[10:], uint16(1024+(sent+i)%60000))
			binary.BigEndian.PutUint16(e[12:], lab.TCPPort)
			binary.BigEndian.PutUint16(e[14:], lab.TCPPort)
			binary.BigEndian.PutUint32(e[20:], 900)
			copy(e[24:], []byte{192, 0, 2, byte((sent + i) % 250)})
			copy(e[28:], vip[:])
			copy(e[32:], server[:])
		}
		if _, err := to.Write(m); err != nil {
			t.Fatal(err)
		}
		sent += count
		if sent%(50*perMessage) == 0 {
			taken(t, s.Director) // the daemon's socket holds some messages only
		}
	}
}

// taken waits until a director's backup daemon has read all that came: its socket
// is the one on port 8848 (proc(5): local_address, tx_queue:rx_queue).
func taken(t *testing.T, director *lab.Host) {
	t.Helper()
	lab.Wait(t, "the daemon to read what was sent", func() error {
		for l := range strings.Lines(director.Command("cat", "/proc/net/udp")) {
			f := strings.Fields(l)
			if !strings.HasSuffix(f[1], fmt.Sprintf(":%04X", 8848)) {
				continue
			}
			if _, waiting, _ := strings.Cut(f[4], ":"); strings.Trim(waiting, "0") != "" {
				return fmt.Errorf("0x%s bytes wait", waiting)
			}
			return nil
		}
		return errors.New("the daemon has no socket")
	})
}

// TestLearntConnections tells what another director saw begin.
func TestLearntConnections(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 1, false)
	s.Director.Ipvsadm("-A", "-t", s.At(lab.TCPPort), "-s", "rr")
	s.Director.Ipvsadm("-a", "-t", s.At(lab.TCPPort), "-r", netip.AddrPortFrom(s.Addrs[0], lab.TCPPort).String(), "-m")
	c, err := s.Client.Dial("tcp", s.At(lab.TCPPort))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	learn(t, s, 2000)
	source := sourceOn(t, s.Director)
	lab.Wait(t, "2000 connections learnt and one of its own", func() error {
		r := readSource(t, source, Query{By: []By{ByOrigin, ByNet}})
		origins := r.Ranking(ByOrigin).Groups
		if len(origins) != 2 || origins[0].Origin != proc.OriginSync || origins[0].Conns != 2000 || origins[1].Conns != 1 {
			return fmt.Errorf("origins %+v", origins)
		}
		if nets := r.Ranking(ByNet); nets.Groups[0].Client.String() != "192.0.2.0/24" || nets.Groups[0].Conns != 2000 {
			return fmt.Errorf("networks %+v", nets)
		}
		return nil
	})
}

// TestSpeed holds grouping of the kernel's own table against a bare read of it, by
// turns, and prints what it costs.
func TestSpeed(t *testing.T) {
	if os.Getenv("LVSDECK_BENCH") == "" && lab.Inside() {
		return // not a skip, which the lab takes for a failure
	}
	lab.Require(t)
	const most = 1.3
	s := lab.Director(t, lab.NAT, 1, false)
	s.Director.Ipvsadm("-A", "-t", s.At(lab.TCPPort), "-s", "rr")
	source := sourceOn(t, s.Director)
	bare := func() {
		in, err := source.Connections(true)
		if err == nil {
			_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{in}, make([]byte, 64<<10))
		}
		if err != nil {
			t.Fatal(err)
		}
		in.Close()
	}
	for _, n := range []int{4000, 16000, 32000} {
		learn(t, s, n)
		s.Director.Ipvsadm("--stop-daemon", "backup")
		count := uint64(0)
		by := func(all ...By) func() {
			return func() { count = readSource(t, source, Query{By: all, Top: 20}).All.Conns }
		}
		took := fastest(15, bare, by(ByClient), by(AllBy()...))
		ratio := float64(took[1]) / float64(took[0])
		t.Logf("%6d connections: bare read %v, by client %v, ratio %.2f (at most %.1f); in every way %v", count, took[0], took[1], ratio, most, took[2])
		if ratio > most && n > 4000 {
			t.Errorf("grouping costs %.2f times the bare read", ratio)
		}
	}
}

// fastest does things by turns and gives the least time of each.
func fastest(rounds int, do ...func()) []time.Duration {
	least := make([]time.Duration, len(do))
	for range rounds {
		for i, f := range do {
			if took := timed(f); least[i] == 0 || took < least[i] {
				least[i] = took
			}
		}
	}
	return least
}

func timed(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}

package check

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/lab"
	"lvsdeck/ops/probe"
	"lvsdeck/ops/probe/wire"
)

// TestScenarios breaks healthy directors with clients on them. The failure and
// no other is named; with what is offered clients are served, and without it they
// are not, before and after.
func TestScenarios(t *testing.T) {
	lab.Require(t)
	for _, c := range scenarios {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t)
		})
	}
}

func (c scenario) test(t *testing.T) {
	d := newDirector(t, c.mode, 2, c.v6)
	d.ok(d.clients(2, patience))
	c.harm(d)
	d.fares(12, c.lost)
	got, found := d.findings(c.want)
	if want := d.expects(c.want, got); got != want {
		t.Errorf("found %q, want %q: %+v", got, want, found)
		return
	}
	t.Logf("%-4s %-45s %s", c.mode, c.name, got)
	var undo []func()
	for _, f := range found {
		if f.Fix != nil {
			undo = append(undo, d.apply(f.Fix))
		}
	}
	if len(undo) == 0 {
		return
	}
	d.fares(4, false)
	for _, so := range d.helped {
		so()
	}
	d.until("what had failed before to be forgotten", func(n Load) bool { return n.HalfOpen == 0 })
	lab.Wait(t, "nothing to be found", func() error {
		if left := bad(d.look()); left != "" {
			return fmt.Errorf("left after the fix: %s", left)
		}
		return nil
	})
	for _, u := range slices.Backward(undo) {
		u()
	}
	if again, _ := d.findings(c.want); again != d.expects(c.want, again) {
		t.Errorf("after taking it back: %q, want %q", again, c.want)
	}
	if c.lost {
		d.fares(4, true)
	}
}

// fares asks with some clients, whether they are served.
func (d *director) fares(clients int, lost bool) {
	d.t.Helper()
	if lost {
		if d.clients(clients, lostTime) == nil {
			d.t.Error("clients are served, and should be lost")
		}
		return
	}
	// A neighbour that did not answer before is asked again after some seconds.
	lab.Wait(d.t, "clients to be served", func() error { return d.clients(clients, patience) })
}

// findings looks, and gives what is wanted: all, or those above notices. What goes
// by the kernel's counters, which move every 2 s, or by how many come in a while, may
// need some looks.
func (d *director) findings(want string) (got string, found []Finding) {
	d.t.Helper()
	if !strings.Contains(want, "half-open") && !strings.Contains(want, "flood") {
		return d.finds(want)
	}
	for until := time.Now().Add(lostTime); ; {
		got, found = d.finds(want)
		if got == d.expects(want, got) || time.Now().After(until) {
			return got, found
		}
	}
}

func (d *director) finds(want string) (got string, found []Finding) {
	d.t.Helper()
	d.observe()
	found = d.look()
	if strings.Contains(want, "fault vip") {
		d.askForVIP()
		found = d.look()
	}
	if strings.Contains(want, "notice") {
		return strings.Join(told(found), ", "), found
	}
	return bad(found), found
}

// expects is what is wanted, with servers' names. KEPT is whichever was met.
func (d *director) expects(want, got string) string {
	for n := range d.Servers {
		want = strings.ReplaceAll(want, fmt.Sprintf("RS%d", n+1), d.at(n))
		if strings.Contains(got, d.at(n)) {
			want = strings.ReplaceAll(want, "KEPT", d.at(n))
		}
	}
	return want
}

// TestServers breaks the servers of a director, each in a way of its own, all at
// once: with probes each is named, and the one that is sound is not.
func TestServers(t *testing.T) {
	lab.Require(t)
	for _, c := range servers {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDirector(t, c.mode, len(c.sick)+1, false)
			d.ok(d.clients(len(d.Servers), patience))
			if c.harm != nil {
				c.harm(d)
			}
			var want []string
			for n, s := range c.sick {
				if s.harm != nil {
					s.harm(d, n)
				}
				at := d.Addrs[n].String()
				want = append(want, strings.NewReplacer("RS:", at+":", "RS", d.at(n)).Replace(s.want))
			}
			d.clients(len(d.Servers), lostTime)
			d.look()
			d.Director.Do(func() {
				_, err := d.watch.Probe(t.Context(), func(ipvs.ServiceID) bool { return true }, nil)
				d.ok(err)
			})
			var got []string
			for _, f := range d.watch.Latest().Findings {
				if f.Severity > Notice {
					got = append(got, told([]Finding{f})...)
					t.Logf("%s %s: %s", c.mode, told([]Finding{f}), f.Short)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("found %q, want %q", got, want)
			}
		})
	}
}

// named has commands for a server, which is RIP in them.
func (d *director) named(n int, commands []string) (all []string) {
	for _, c := range commands {
		all = append(all, strings.NewReplacer("RIP", d.Addrs[n].String()).Replace(c))
	}
	return all
}

// syncLink has a master's sync daemon on a card of its own.
func syncLink(d *director) {
	d.run(d.Director, "ip link add sync0 type dummy", "ip addr add 192.0.2.1/24 dev sync0", "ip link set sync0 up", "ipvsadm --start-daemon master --mcast-interface sync0")
}

// askForVIP asks the segment whether another host has the VIP.
func (d *director) askForVIP() {
	d.t.Helper()
	d.Director.Do(func() {
		asker, err := openProber(d.host, probe.Options{})
		d.ok(err)
		defer asker.Close()
		scene, err := d.watch.lastScene(d.t.Context())
		d.ok(err)
		d.watch.learn(elsewhere(d.t.Context(), asker, scene, func(ipvs.ServiceID) bool { return true }))
	})
}

// several has the client ask from more addresses than one.
func several(d *director) {
	d.run(d.client, "ip addr add 198.51.100.250/24 dev eth0", "ip addr add 198.51.100.251/24 dev eth0")
	// Three, that taking turns with two servers does not give each client one server.
	d.from = []netip.Addr{netip.MustParseAddr("198.51.100.2"), netip.MustParseAddr("198.51.100.250"), netip.MustParseAddr("198.51.100.251")}
}

// forgotten waits until what servers did before does not count any more.
func forgotten(d *director) {
	d.until("connections of before to be old", func(n Load) bool { return n.Fresh == 0 })
}

// until waits until all servers' connections are so.
func (d *director) until(what string, so func(Load) bool) {
	d.t.Helper()
	lab.Wait(d.t, what, func() error {
		g := gathering{Scene: Scene{Sample: d.watch.Sample()}, from: d.watch.from, ctx: d.t.Context()}
		g.readConns()
		for at, n := range g.Loads.Servers {
			if !so(n) {
				return fmt.Errorf("%v has %+v", at, n)
			}
		}
		return nil
	})
}

// hold opens a connection and holds it open; it tells the server's name.
func (d *director) hold(to string) (c net.Conn, name string) {
	d.t.Helper()
	var err error
	d.client.Do(func() { c, err = net.DialTimeout("tcp", to, patience) })
	d.ok(err)
	d.t.Cleanup(func() { c.Close() })
	d.ok(c.SetDeadline(time.Now().Add(patience)))
	name, err = bufio.NewReader(c).ReadString('\n')
	d.ok(err)
	return c, name
}

// resets wants a client that hangs to be told so, when it next sends something.
func (d *director) resets(c net.Conn) {
	d.helped = append(d.helped, func() {
		_, err := c.Write([]byte("?"))
		d.ok(err)
		d.ok(c.SetDeadline(time.Now().Add(patience)))
		if _, err := io.Copy(io.Discard, c); !errors.Is(err, unix.ECONNRESET) {
			d.t.Errorf("the client that hangs: %v", err)
		}
	})
}

// leaves wants a client to leave a server.
func (d *director) leaves(server int) {
	d.helped = append(d.helped, func() {
		if _, now := d.keep(); now == server {
			d.t.Errorf("the client is still given to %s", d.at(server))
		}
	})
}

// unadvised wants redirects to be sent before what is offered, and none after.
func (d *director) unadvised() {
	sent := func() (number string) {
		d.Director.Do(func() {
			text, err := os.ReadFile("/proc/thread-self/net/snmp")
			d.ok(err)
			var names []string
			for line := range strings.Lines(string(text)) {
				fields := strings.Fields(line)
				if i := slices.Index(names, "OutRedirects"); i >= 0 && fields[0] == "Icmp:" {
					number = fields[i]
				}
				names = fields
			}
		})
		return number
	}
	d.fares(4, false)
	if n := sent(); n == "" || n == "0" {
		d.t.Error("no redirect was sent")
	}
	d.helped = append(d.helped, func() {
		before := sent()
		d.fares(4, false)
		if now := sent(); now != before {
			d.t.Errorf("%s redirects, and then %s", before, now)
		}
	})
}

// counts wants rates to move.
func (d *director) counts() {
	d.helped = append(d.helped, func() {
		lab.Wait(d.t, "rates", func() error {
			if err := d.clients(4, patience); err != nil {
				return err
			}
			d.observe()
			if v := d.watch.Sample().Services[0]; v.Rate.Conns == 0 {
				return fmt.Errorf("%+v", v.Rate)
			}
			return nil
		})
	})
}

// upload sends much by a connection, and waits for it to come back.
func (d *director) upload(size int) {
	d.t.Helper()
	c, _ := d.hold(d.At(lab.TCPPort))
	go c.Write(make([]byte, size))
	_, err := io.CopyN(io.Discard, c, int64(size))
	d.ok(err)
}

// counted waits until the kernel has counted what was uploaded, and what came of it.
func (d *director) counted() {
	d.t.Helper()
	lab.Wait(d.t, "counters to move", func() error {
		d.observe()
		short, _ := d.watch.meter.moved()
		for _, n := range short {
			if n.InPackets >= fewPackets && n.OutPackets > 0 {
				return nil
			}
		}
		return fmt.Errorf("%v", short)
	})
}

// flood begins connections that nobody means to use, each once, from addresses of
// the client's network that nobody has, until the test has seen enough: of a burst
// little is left when a busy machine comes to look.
func (d *director) flood() {
	d.t.Helper()
	d.client.Do(func() {
		raw, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_RAW)
		d.ok(err)
		ended := make(chan struct{})
		d.t.Cleanup(func() { <-ended; unix.Close(raw) })
		go func() {
			defer close(ended)
			tick := time.NewTicker(200 * time.Millisecond)
			defer tick.Stop()
			for n := range 20_000 {
				if n%40 == 0 {
					select {
					case <-tick.C:
					case <-d.t.Context().Done():
						return
					}
				}
				from := netip.AddrFrom4([4]byte{198, 51, 100, byte(10 + n%200)})
				h := wire.Header{Src: from, Dst: d.VIP, TTL: 64}
				syn := h.Segment(wire.Segment{SrcPort: uint16(20000 + n), DstPort: lab.TCPPort, Seq: uint32(n), Flags: wire.SYN})
				if err := unix.Sendto(raw, syn, 0, &unix.SockaddrInet4{Addr: d.VIP.As4()}); err != nil {
					d.t.Errorf("the flood ended: %v", err)
					return
				}
			}
		}()
	})
}

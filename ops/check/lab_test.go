package check

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/kernel"
	"lvsdeck/ipvs/proc"
	"lvsdeck/lab"
	"lvsdeck/netcfg"
	"lvsdeck/ops"
	"lvsdeck/ops/plan"
)

// How long a client waits that should be served, and one that should not be:
// nothing but waiting tells that a packet was dropped.
const (
	patience = 20 * time.Second
	lostTime = 4 * time.Second
)

// TestMain lets more directors wait at once than there are processors.
func TestMain(m *testing.M) {
	flag.Parse()
	if lab.Inside() {
		if err := flag.Set("test.parallel", "12"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// director is a real one with two servers and one service, on which checks are made.
type director struct {
	*lab.Site
	t       *testing.T
	host    *netcfg.Kernel
	table   *kernel.Client
	here    *proc.Namespace
	sampler *ops.Sampler
	watch   *Watch
	client  *lab.Host
}

func (d *director) ok(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func newDirector(t *testing.T, mode lab.Mode, v6 bool) *director {
	t.Helper()
	d := &director{Site: lab.Director(t, mode, 2, v6), t: t}
	d.client = d.Client
	d.Director.Ipvsadm("-A", "-t", d.At(lab.TCPPort), "-s", "rr")
	for n := range d.Servers {
		d.Director.Ipvsadm("-a", "-t", d.At(lab.TCPPort), "-r", d.at(n), mode.Flag())
	}
	d.Director.Do(func() {
		var errs [3]error
		d.host, errs[0] = netcfg.Open()
		d.table, errs[1] = kernel.Open(t.Context(), kernel.Options{})
		d.here, errs[2] = proc.Here()
		d.ok(errors.Join(errs[:]...))
	})
	t.Cleanup(func() { d.host.Close(); d.table.Close(); d.here.Close() })
	d.sampler = ops.NewSampler(d.table, ops.Options{Interval: ops.MaxInterval})
	d.sampler.FocusAll()
	d.watch = NewWatch(WatchOptions{Sources: Sources{Host: d.host, Table: d.table, Conns: d.here}})
	d.sampler.Each(d.watch.Seen)
	return d
}

func (d *director) at(n int) string { return netip.AddrPortFrom(d.Addrs[n], lab.TCPPort).String() }

// run has words of a command on a host; VIP, RIP1 and RIP2 stand for addresses.
func (d *director) run(on *lab.Host, commands ...string) {
	d.t.Helper()
	names := strings.NewReplacer("VIP", d.VIP.String(), "RIP1", d.Addrs[0].String(), "RIP2", d.Addrs[1].String(), "SERVICE", d.At(lab.TCPPort))
	for _, c := range commands {
		words := strings.Fields(names.Replace(c))
		on.Command(words[0], words[1:]...)
	}
}

// ask connects and hears the server's name.
func (d *director) ask(within time.Duration) (c net.Conn, name string, err error) {
	d.client.Do(func() { c, err = net.DialTimeout("tcp", d.At(lab.TCPPort), within) })
	if err != nil {
		return nil, "", err
	}
	c.SetDeadline(time.Now().Add(within))
	name, err = bufio.NewReader(c).ReadString('\n')
	return c, strings.TrimSpace(name), err
}

// clients asks with several at once, and tells the first error.
func (d *director) clients(n int, within time.Duration) error {
	said := make(chan error, n)
	for range n {
		go func() {
			c, _, err := d.ask(within)
			if c != nil {
				c.Close()
			}
			said <- err
		}()
	}
	var errs []error
	for range n {
		errs = append(errs, <-said)
	}
	return errors.Join(errs...)
}

// keep holds a connection open and tells which server has it.
func (d *director) keep() (server int) {
	d.t.Helper()
	c, name, err := d.ask(patience)
	d.ok(err)
	d.t.Cleanup(func() { c.Close() })
	return slices.IndexFunc(d.Servers, func(h *lab.Host) bool { return h.Name == name })
}

// look makes all checks.
func (d *director) look() []Finding {
	d.t.Helper()
	sample := d.sampler.Observe(d.t.Context(), time.Now())
	d.ok(errors.Join(sample.Err, sample.Missed))
	report, err := d.watch.LookNow(d.t.Context())
	d.ok(err)
	if len(report.Unread) > 0 {
		d.t.Errorf("unread: %q", report.Unread)
	}
	whole(d.t, report.Findings)
	return report.Findings
}

// bad are findings above a notice, in short.
func bad(all []Finding) string {
	return strings.Join(told(slices.DeleteFunc(slices.Clone(all), func(f Finding) bool { return f.Severity == Notice })), ", ")
}

// apply does what is offered, and undo takes it back.
func (d *director) apply(p *plan.Plan) (undo func()) {
	d.t.Helper()
	target := plan.Target{Table: d.table, Sysctls: d.host, Host: d.host}
	for _, i := range p.Items {
		d.ok(i.Step.Do(d.t.Context(), target))
	}
	return func() {
		for _, i := range slices.Backward(p.Items) {
			d.ok(i.Step.Undo().Do(d.t.Context(), target))
		}
	}
}

func TestHealthyDirectors(t *testing.T) {
	lab.Require(t)
	for _, mode := range []lab.Mode{lab.NAT, lab.DR, lab.TUN} {
		for _, v6 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s v6=%t", mode, v6), func(t *testing.T) {
				t.Parallel()
				d := newDirector(t, mode, v6)
				for _, when := range []string{"idle", "after connections", "later"} {
					if got := d.look(); len(got) > 0 {
						t.Errorf("%s: %+v", when, got)
					}
					d.ok(d.clients(12, patience))
				}
			})
		}
	}
}

// scenario breaks a director in one way.
type scenario struct {
	name string
	mode lab.Mode
	v6   bool
	harm func(*director)
	lost bool   // clients are not served
	want string // findings above notices; RS1, RS2, and KEPT, who has a connection, are servers
}

// on gives commands for the director.
func on(commands ...string) func(*director) {
	return func(d *director) { d.run(d.Director, commands...) }
}

var scenarios = []scenario{
	{"VIP removed", lab.NAT, false, on("ip addr del VIP/32 dev eth0"), true, "fault vip - fix"},
	{"VIP removed, IPv6", lab.DR, true, on("ip addr del VIP/128 dev eth0"), true, "fault vip - fix"},
	{"forwarding off", lab.NAT, false, on("sysctl -w net.ipv4.ip_forward=0"), true, "fault forwarding - fix"},
	{"forwarding off on one link", lab.NAT, false, on("sysctl -w net.ipv4.conf.eth1.forwarding=0"), true, "fault forwarding - fix"},
	{"forwarding off, IPv6", lab.NAT, true, on("sysctl -w net.ipv6.conf.all.forwarding=0"), true, "fault forwarding - fix"},
	{"forwarding off under DR", lab.DR, false, on("sysctl -w net.ipv4.ip_forward=0"), false, ""},

	{"FORWARD drops", lab.NAT, false, on("iptables -P FORWARD DROP"), true, "fault firewall - fix"},
	{"FORWARD drops but what is established", lab.NAT, false, on("iptables -P FORWARD DROP", "iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"), true, "fault firewall - fix"},
	{"FORWARD drops, IPv6", lab.NAT, true, on("ip6tables -P FORWARD DROP"), true, "fault firewall - fix"},
	{"FORWARD drops one server", lab.NAT, false, on("iptables -A FORWARD -s RIP2 -j DROP"), true, "fault firewall RS2 fix"},
	{"FORWARD drops under TUN", lab.TUN, false, on("iptables -P FORWARD DROP"), false, ""},
	{"INPUT drops", lab.DR, false, on("iptables -P INPUT DROP"), true, "fault firewall - fix"},
	{"INPUT rejects", lab.TUN, false, on("iptables -A INPUT -p tcp -m multiport --dports 1:79 -j REJECT"), true, "fault firewall - fix"},
	{"OUTPUT drops tunnels", lab.TUN, false, on("iptables -A OUTPUT -p 4 -j DROP"), true, "fault firewall - fix"},
	{"OUTPUT drops by nft", lab.DR, false, on("nft add table inet t", "nft add chain inet t o { type filter hook output priority 0; policy accept; }", "nft add rule inet t o ip daddr VIP drop"), true, "fault firewall -"},
	{"legacy iptables beside the other", lab.NAT, false, on("iptables -A INPUT -p icmp -j ACCEPT", "iptables-legacy -P FORWARD DROP"), true, "fault firewall -, warning iptables"},

	{"conntrack and INVALID dropped", lab.DR, false, on("sysctl -w net.ipv4.vs.conntrack=1", "iptables -A INPUT -m conntrack --ctstate INVALID -j DROP"), true, "fault conntrack - fix"},
	{"conntrack and MASQUERADE", lab.DR, false, on("sysctl -w net.ipv4.vs.conntrack=1", "iptables -t nat -A POSTROUTING -j MASQUERADE"), true, "fault conntrack - fix"},
	{"conntrack and MASQUERADE under NAT", lab.NAT, false, on("sysctl -w net.ipv4.vs.conntrack=1", "iptables -t nat -A POSTROUTING -j MASQUERADE"), false, "warning conntrack - fix"},
	{"full NAT without conntrack", lab.NAT, false, func(d *director) {
		d.run(d.Director, "iptables -t nat -A POSTROUTING -m ipvs --vaddr VIP --vport 7 --vdir ORIGINAL --vmethod MASQ -j MASQUERADE")
		for _, h := range d.Servers {
			d.run(h, "ip route del default")
		}
	}, true, "fault full nat - fix"},

	{"no server", lab.NAT, false, on("ipvsadm -d -t SERVICE -r RIP1:7", "ipvsadm -d -t SERVICE -r RIP2:7"), true, "fault no server -"},
	{"weight 0", lab.TUN, false, on("ipvsadm -e -t SERVICE -r RIP1:7 -i -w 0", "ipvsadm -e -t SERVICE -r RIP2:7 -i -w 0"), true, "fault no server - fix"},
	{"no scheduler", lab.DR, false, func(d *director) {
		v, err := d.table.Service(d.t.Context(), ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(d.VIP, lab.TCPPort)))
		d.ok(err)
		v.Scheduler = "none"
		d.ok(d.table.SetService(d.t.Context(), v.Service))
	}, true, "fault scheduler - fix"},
	{"all full", lab.DR, false, on("ipvsadm -e -t SERVICE -r RIP1:7 -g -x 1", "ipvsadm -e -t SERVICE -r RIP2:7 -g -x 1"), true, "fault threshold RS1, fault threshold RS2"},
	{"no route", lab.TUN, false, on("ip route del default"), true, "fault route RS1, fault route RS2"},
	{"DR behind a router", lab.DR, false, on("ipvsadm -a -t SERVICE -r 198.51.100.2:7 -g"), true, "fault route 198.51.100.2:7"},
	{"server off", lab.NAT, false, func(d *director) {
		d.run(d.Servers[1], "ip link set eth0 down")
		d.run(d.Director, "ip neigh flush dev eth1")
	}, true, "fault neighbour RS2"},
	{"clients beside the servers", lab.NAT, false, func(d *director) {
		d.client = d.Host("near")
		d.client.Join(d.Lan, "eth0", "10.0.3.50/24")
		d.client.AddRoute("0.0.0.0/0", "10.0.3.1")
	}, true, "fault shortcut RS1, fault shortcut RS2"},
	{"one gateway is not the director", lab.NAT, false, func(d *director) {
		d.run(d.Servers[1], "ip route del default")
		lab.Wait(d.t, "connections of before to be old", func() error {
			d.look()
			for at, n := range d.watch.scene.Loads.Servers {
				if n.Fresh > 0 {
					return fmt.Errorf("%v has %d fresh ones", at, n.Fresh)
				}
			}
			return nil
		})
	}, true, "fault half-open RS2"},
	{"one arm", lab.DR, false, func(d *director) {
		for n, h := range d.Servers {
			// They do not take the advice, which would outlive the fix.
			d.run(h, "ip route replace default via 203.0.113.1", "sysctl -w net.ipv4.conf.all.accept_redirects=0 net.ipv4.conf.eth0.accept_redirects=0")
			d.run(d.Director, fmt.Sprintf("ipvsadm -e -t SERVICE -r RIP%d:7 -m", n+1))
		}
		d.run(d.Director, "sysctl -w net.ipv4.ip_forward=1")
	}, false, "warning redirects - fix"},

	{"drained but held", lab.DR, false, func(d *director) {
		d.run(d.Director, "ipvsadm -E -t SERVICE -s rr -p 300")
		d.run(d.Director, fmt.Sprintf("ipvsadm -e -t SERVICE -r RIP%d:7 -g -w 0", d.keep()+1))
	}, false, "warning drain KEPT fix"},
	{"removed under a client", lab.NAT, false, func(d *director) {
		d.run(d.Director, fmt.Sprintf("ipvsadm -d -t SERVICE -r RIP%d:7", d.keep()+1))
	}, false, "warning removed server KEPT fix"},
	{"estimator off", lab.NAT, false, on("sysctl -w net.ipv4.vs.run_estimation=0"), false, "warning estimator fix"},
	{"ports reused", lab.NAT, false, on("sysctl -w net.ipv4.vs.conn_reuse_mode=0"), false, "warning conn_reuse_mode fix"},
	{"sync daemon cut off", lab.DR, false, on("ip link add sync0 type dummy", "ip addr add 192.0.2.1/24 dev sync0", "ip link set sync0 up", "ipvsadm --start-daemon master --mcast-interface sync0", "ip link set sync0 down"), false, "warning sync daemon fix"},

	{"two at once", lab.NAT, false, on("ip addr del VIP/32 dev eth0", "iptables -A FORWARD -s RIP1 -j DROP"), true, "fault vip - fix, fault firewall RS1 fix"},
}

// TestScenarios breaks healthy directors with clients on them. The failure and
// no other is named; what is offered, clients are served with and not without.
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
	d := newDirector(t, c.mode, c.v6)
	d.ok(d.clients(2, patience))
	c.harm(d)
	if err := d.clients(12, map[bool]time.Duration{true: lostTime, false: patience}[c.lost]); (err != nil) != c.lost {
		t.Errorf("clients: %v; lost should be %t", err, c.lost)
	}
	want := strings.NewReplacer("RS1", d.at(0), "RS2", d.at(1)).Replace(c.want)
	found := d.look()
	got := bad(found)
	for n := range d.Servers { // whichever was kept
		if strings.Contains(want, "KEPT") && strings.Contains(got, d.at(n)) {
			want = strings.ReplaceAll(want, "KEPT", d.at(n))
		}
	}
	if got != want {
		t.Errorf("found %q, want %q: %+v", got, want, found)
		return
	}
	t.Logf("%-4s %-40s %s", c.mode, c.name, got)
	var undo []func()
	for _, f := range found {
		if f.Fix != nil {
			undo = append(undo, d.apply(f.Fix))
		}
	}
	if len(undo) == 0 {
		return
	}
	if err := d.clients(4, patience); err != nil {
		t.Errorf("clients after the fix: %v", err)
	}
	lab.Wait(t, "what had failed before to be forgotten", func() error {
		if left := bad(d.look()); left != "" {
			return fmt.Errorf("left after the fix: %s", left)
		}
		return nil
	})
	for _, u := range slices.Backward(undo) {
		u()
	}
	if again := bad(d.look()); again != want {
		t.Errorf("after taking it back: %q, want %q", again, want)
	}
}

// TestCommand: the program itself names what only a probe can know.
func TestCommand(t *testing.T) {
	lab.Require(t)
	d := newDirector(t, lab.DR, false)
	d.ok(d.clients(2, patience))
	if text, err := d.Director.Try("lvsdeck", "check", "--probe"); err != nil || !strings.Contains(text, "1 services, 2 servers: nothing wrong is seen from here") {
		t.Errorf("%v\n%s", err, text)
	}
	d.run(d.Servers[1], "ip addr del VIP/32 dev lo")
	text, err := d.Director.Try("lvsdeck", "check", "--probe")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(text, "fault     TCP/"+d.At(lab.TCPPort)+"  "+d.at(1)) {
		t.Errorf("%v\n%s", err, text)
	}
	t.Log(text)
	if _, err := d.Director.Try("lvsdeck", "check", "--service", "192.0.2.1"); !errors.As(err, &exit) || exit.ExitCode() != 2 {
		t.Errorf("a service that is not there: %v", err)
	}
}

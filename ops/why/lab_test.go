package why

import (
	"bufio"
	"errors"
	"net"
	"net/netip"
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
	"lvsdeck/ops/check"
	"lvsdeck/ops/plan"
)

// director is a real one with one service, about which questions are asked.
type director struct {
	*lab.Site
	t       *testing.T
	host    *netcfg.Kernel
	table   *kernel.Client
	sampler *ops.Sampler
	watch   *check.Watch
	service ipvs.ServiceID
}

func (d *director) ok(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func newDirector(t *testing.T, mode lab.Mode) *director {
	t.Helper()
	d := &director{Site: lab.Director(t, mode, 2, false), t: t}
	d.service = ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(d.VIP, lab.TCPPort))
	d.Director.Ipvsadm("-A", "-t", d.At(lab.TCPPort), "-s", "rr")
	for n := range d.Servers {
		d.Director.Ipvsadm("-a", "-t", d.At(lab.TCPPort), "-r", d.server(n).String(), mode.Flag())
	}
	var here *proc.Namespace
	d.Director.Do(func() {
		var errs [3]error
		d.host, errs[0] = netcfg.Open()
		d.table, errs[1] = kernel.Open(t.Context(), kernel.Options{})
		here, errs[2] = proc.Here()
		d.ok(errors.Join(errs[:]...))
	})
	t.Cleanup(func() { d.host.Close(); d.table.Close(); here.Close() })
	d.sampler = ops.NewSampler(d.table, ops.Options{Interval: ops.MaxInterval})
	d.sampler.FocusAll()
	d.watch = check.NewWatch(check.WatchOptions{Sources: check.Sources{Host: d.host, Table: d.table, Conns: here}})
	d.sampler.Each(d.watch.Seen)
	return d
}

func (d *director) server(n int) netip.AddrPort {
	return netip.AddrPortFrom(d.Addrs[n], lab.TCPPort)
}

// clients ask all servers at once, and give the first error.
func (d *director) clients(within time.Duration) error {
	const n = 12
	said := make(chan error, n)
	for range n {
		go func() {
			var c net.Conn
			var err error
			d.Client.Do(func() { c, err = net.DialTimeout("tcp", d.At(lab.TCPPort), within) })
			if err == nil {
				c.SetDeadline(time.Now().Add(within))
				_, err = bufio.NewReader(c).ReadString('\n')
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

// why asks all questions.
func (d *director) why(probing bool) Verdict {
	d.t.Helper()
	var v Verdict
	d.Director.Do(func() { // as probes are sent from the thread's namespace
		sample := d.sampler.Observe(d.t.Context(), time.Now())
		err := errors.Join(sample.Err, sample.Missed)
		if err == nil {
			v, err = Begin(FromWatch(d.watch), check.Place{Service: d.service}, probing).All(d.t.Context(), func(Answer) {})
		}
		d.ok(err)
	})
	if len(v.Unread) > 0 {
		d.t.Errorf("unread: %q", v.Unread)
	}
	return v
}

func (d *director) apply(p *plan.Plan) {
	d.t.Helper()
	for _, i := range p.Items {
		d.ok(i.Step.Do(d.t.Context(), plan.Target{Table: d.table, Sysctls: d.host, Host: d.host}))
	}
}

// TestBrokenDirectors: of a service that works nothing is said. When it is broken,
// the cause is the answer to its question, and what is offered serves clients again.
func TestBrokenDirectors(t *testing.T) {
	lab.Require(t)
	const patience, lostTime = 20 * time.Second, 3 * time.Second
	for _, c := range []struct {
		name  string
		mode  lab.Mode
		harm  func(*director)
		probe bool
		topic string // of the cause
		check string
		also  string // topics of symptoms
	}{
		{"forwarding off", lab.NAT, func(d *director) { d.Director.Sysctl("net.ipv4.ip_forward", "0") }, false, "way back", "forwarding", "handshakes"},
		{"firewall", lab.DR, func(d *director) { d.Director.Command("iptables", "-P", "OUTPUT", "DROP") }, false, "firewall", "firewall", "handshakes"},
		{"a server without its tunnel", lab.TUN, func(d *director) { d.Servers[1].Command("ip", "link", "set", "tunl0", "down") }, true, "answers", check.OfServer, "handshakes, one or all"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDirector(t, c.mode)
			d.ok(d.clients(patience))
			if v := d.why(true); v.Wrong() || !v.Probed || len(v.Next) == 0 || marks(v, Bad) != "" {
				t.Errorf("healthy: %+v", v)
			}
			c.harm(d)
			if d.clients(lostTime) == nil {
				t.Fatal("clients are served")
			}
			v := d.why(c.probe)
			bad := marks(v, Bad)
			if !strings.Contains(bad, c.topic) || len(v.Findings) == 0 || v.Findings[0].Check != c.check {
				t.Fatalf("bad: %q; found %+v", bad, v.Findings)
			}
			t.Logf("%s: %s: %s; bad: %s; look: %s", c.mode, c.topic, v.Findings[0].Short, bad, marks(v, Look))
			for _, topic := range strings.Split(c.also, ", ") {
				if !slices.ContainsFunc(v.Answers, func(a Answer) bool { return a.Topic == topic && a.Mark >= Look }) {
					t.Errorf("%s stands well: %+v", topic, v.Answers)
				}
			}
			if fix := v.Findings[0].Fix; fix != nil {
				d.apply(fix)
			} else {
				d.apply(v.Relief)
			}
			d.ok(d.clients(patience))
		})
	}
}

// TestCommand: the program says whether it found something, and what.
func TestCommand(t *testing.T) {
	lab.Require(t)
	t.Parallel()
	d := newDirector(t, lab.DR)
	d.ok(d.clients(20 * time.Second))
	for _, c := range []struct {
		harm   func()
		args   string
		status int
		says   string
	}{
		{func() {}, "-o json", 0, `"topic": "the VIP"`},
		{func() { d.Servers[1].Command("ip", "addr", "del", d.VIP.String()+"/32", "dev", "lo") }, d.Addrs[1].String() + " --probe", 1, "\nbad        answers     "},
		{func() {}, "-o xml", 2, `unknown output format "xml"`},
	} {
		c.harm()
		text, err := d.Director.Try("lvsdeck", append([]string{"why", d.At(lab.TCPPort)}, strings.Fields(c.args)...)...)
		status := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			status = exit.ExitCode()
		}
		if status != c.status || !strings.Contains(text, c.says) && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("why %s: %d, %v; want %d and %q\n%s", c.args, status, err, c.status, c.says, text)
		}
	}
}

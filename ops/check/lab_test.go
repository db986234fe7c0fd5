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
	"sync/atomic"
	"testing"
	"time"

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
		if err := flag.Set("test.parallel", "16"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// director is a real one with two servers and one service, on which checks are made.
type director struct {
	helped []func() // each holds what must be so once what is offered is done

	*lab.Site
	t       *testing.T
	host    *netcfg.Kernel
	table   *kernel.Client
	here    *proc.Namespace
	sampler *ops.Sampler
	watch   *Watch
	client  *lab.Host
	from    []netip.Addr // the client's addresses in turn; none: as its kernel likes
	asks    atomic.Uint32
}

func (d *director) ok(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func newDirector(t *testing.T, mode lab.Mode, servers int, v6 bool) *director {
	t.Helper()
	d := &director{Site: lab.Director(t, mode, servers, v6), t: t}
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
	d.observe()
	return d
}

func (d *director) at(n int) string { return netip.AddrPortFrom(d.Addrs[n], lab.TCPPort).String() }

// run has words of a command on a host; VIP, RIP1 and RIP2 stand for addresses.
func (d *director) run(on *lab.Host, commands ...string) {
	d.t.Helper()
	words := []string{"VIP", d.VIP.String(), "SERVICE", d.At(lab.TCPPort)}
	for n, a := range d.Addrs {
		words = append(words, fmt.Sprintf("RIP%d", n+1), a.String())
	}
	names := strings.NewReplacer(words...)
	for _, c := range commands {
		words := strings.Fields(names.Replace(c))
		on.Command(words[0], words[1:]...)
	}
}

// ask connects and hears the server's name.
func (d *director) ask(within time.Duration) (c net.Conn, name string, err error) {
	dialer := net.Dialer{Timeout: within}
	if n := d.asks.Add(1); len(d.from) > 0 {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(d.from[int(n)%len(d.from)], 0))
	}
	d.client.Do(func() { c, err = dialer.Dial("tcp", d.At(lab.TCPPort)) })
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
func (d *director) keep() (c net.Conn, server int) {
	d.t.Helper()
	c, name := d.hold(d.At(lab.TCPPort))
	return c, slices.IndexFunc(d.Servers, func(h *lab.Host) bool { return h.Name == strings.TrimSpace(name) })
}

// observe takes a sample.
func (d *director) observe() {
	d.t.Helper()
	sample := d.sampler.Observe(d.t.Context(), time.Now())
	d.ok(errors.Join(sample.Err, sample.Missed))
}

// look makes a round of checks that nobody has asked for.
func (d *director) look() []Finding {
	d.t.Helper()
	d.observe()
	report, err := d.watch.round(d.t.Context(), false)
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

// TestCommand: the program itself names what only a probe can know.
func TestCommand(t *testing.T) {
	lab.Require(t)
	d := newDirector(t, lab.DR, 2, false)
	d.ok(d.clients(2, patience))
	d.run(d.Director, "lvsdeck save")
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

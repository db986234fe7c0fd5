package check

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/lab"
	"lvsdeck/ops/keep"
	"lvsdeck/ops/owner"
)

// TestHealthyDirectors: nothing is found where nothing is wrong.
func TestHealthyDirectors(t *testing.T) {
	lab.Require(t)
	for _, mode := range []lab.Mode{lab.NAT, lab.DR, lab.TUN} {
		for _, v6 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s v6=%t", mode, v6), func(t *testing.T) {
				t.Parallel()
				d := newDirector(t, mode, 2, v6)
				calm := func(when string) {
					t.Helper()
					if got := d.look(); len(got) > 0 {
						t.Errorf("%s: %+v", when, got)
					}
				}
				calm("idle")
				d.ok(d.clients(12, patience))
				calm("after connections")
				served := make(chan error)
				go func() { served <- d.clients(30, patience) }()
				calm("under load")
				d.ok(<-served)
				calm("after load")
			})
		}
	}
}

// The size of a large director.
const (
	manyServices = 1000
	manyServers  = 10
)

// TestLargeDirector: 1,000 services of 10 servers behind a firewall that drops what
// it does not know, saved, and managed by a keepalived. It tells what a round costs;
// the lab's processor is an emulated one.
func TestLargeDirector(t *testing.T) {
	lab.Require(t)
	d := newDirector(t, lab.NAT, 2, false)
	d.sampler.Focus(nil)
	for n := range manyServices {
		id := ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(d.VIP, uint16(10000+n)))
		d.ok(d.table.AddService(t.Context(), ipvs.NewService(id)))
		for r := range manyServers {
			at := netip.AddrFrom4([4]byte{10, 0, 3, byte(11 + r)})
			d.ok(d.table.AddServer(t.Context(), id, ipvs.Server{Addr: netip.AddrPortFrom(at, lab.TCPPort), Weight: 1}))
		}
	}
	d.run(d.Director, "iptables -P INPUT DROP", "iptables -P FORWARD DROP", "iptables -A INPUT -d VIP -p tcp -j ACCEPT", "iptables -A FORWARD -s 10.0.3.0/24 -j ACCEPT")
	d.watch.from.RulesFile = filepath.Join(t.TempDir(), "rules")
	_, err := keep.Save(t.Context(), d.table, d.watch.from.RulesFile)
	d.ok(err)
	d.keepalived()
	d.ok(d.clients(12, patience))
	found := d.look()
	if got := told(found); len(got) != 1 || got[0] != "notice owner" {
		t.Errorf("%q", got)
	}
	const rounds = 5
	before := used(t)
	for range rounds {
		r, err := d.watch.round(t.Context(), false)
		d.ok(err)
		if got := told(r.Findings); len(got) != 1 || len(r.Unread) > 0 || r.Services != manyServices+1 {
			t.Errorf("%q, unread %q, %d services", got, r.Unread, r.Services)
		}
	}
	t.Logf("a round of checks on %d services of %d servers: %v of processor time", manyServices, manyServers, ((used(t) - before) / rounds).Round(time.Millisecond))
}

// keepalived runs a program of that name, which does nothing, until the test ends.
func (d *director) keepalived() {
	d.t.Helper()
	script := filepath.Join(d.t.TempDir(), "keepalived")
	d.ok(os.WriteFile(script, []byte("#!/bin/sh\nread end\n"), 0o755))
	cmd := exec.Command(script)
	in, err := cmd.StdinPipe()
	d.ok(err)
	d.ok(d.Director.Start(cmd))
	d.t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait() // read has met the end
	})
	var system *owner.Here
	d.Director.Do(func() { system, err = owner.Open() })
	d.ok(err)
	d.t.Cleanup(func() { system.Close() })
	d.watch.from.Owner = func() (*owner.Owner, error) { return owner.Find(system) }
}

// used is the processor time of this program and those it started.
func used(t testing.TB) (sum time.Duration) {
	t.Helper()
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if err := unix.Getrusage(who, &u); err != nil {
			t.Fatal(err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}

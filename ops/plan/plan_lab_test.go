package plan

import (
	"bufio"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/kernel"
	"lvsdeck/lab"
)

// labBench is the table of a host in the lab.
func labBench(t testing.TB, h *lab.Host) *bench {
	t.Helper()
	var table *kernel.Client
	var err error
	h.Do(func() { table, err = kernel.Open(t.Context(), kernel.Options{}) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { table.Close() })
	return newBench(t, table)
}

// TestLabRestoreRandomRules is TestRestoreRandomRules on a real kernel, with
// ipvsadm as its judge.
func TestLabRestoreRandomRules(t *testing.T) {
	lab.Require(t)
	for seed := range uint64(6) {
		h := lab.New(t).Host("director")
		b := labBench(t, h)
		b.Runner.marks = int(seed % 3)
		r := newRandom(seed)
		a, z := r.rules(8, 5), r.rules(8, 5)
		b.fill(a)
		saved := h.Ipvsadm("-S", "-n")
		b.thereAndBack(fmt.Sprintf("seed %d", seed), z)
		if got := h.Ipvsadm("-S", "-n"); got != saved {
			t.Errorf("seed %d, undone, ipvsadm sees\n%s", seed, difference(saved, got))
		}
	}
}

// TestLabRestoreSparesConnections: a restore that edits, adds and removes other
// rows leaves a connection alive and the counters of its row as they were.
func TestLabRestoreSparesConnections(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 2, false)
	b := labBench(t, s.Director)
	s.Director.Ipvsadm("-A", "-t", s.At(lab.TCPPort), "-s", "rr")
	s.Director.Ipvsadm("-a", "-t", s.At(lab.TCPPort), "-r", fmt.Sprintf("%v:%d", s.Addrs[0], lab.TCPPort), "-m")
	before := b.rules()

	c, err := s.Client.Dial("tcp", s.At(lab.TCPPort))
	b.ok(err)
	defer c.Close()
	lines := bufio.NewReader(c)
	greeting, err := lines.ReadString('\n')
	b.ok(err)
	active := func() uint64 {
		return b.counters()[ipvs.ServerTarget(before.Services[0].ServiceID, before.Services[0].Servers[0])][1]
	}
	if active() != 1 {
		t.Fatalf("%d connections, want the one", active())
	}

	wanted := b.rules()
	wanted.Services[0].Scheduler = "wlc"
	wanted.Services[0].Servers = append(wanted.Services[0].Servers, server("10.0.3.99:7", 1))
	wanted.Services = append(wanted.Services, ipvs.ServiceRules{Service: ipvs.NewService(ipvs.MarkService(7, ipvs.IPv4))})
	b.thereAndBack("with a connection", wanted)
	_, err = fmt.Fprintln(c, "still there?")
	b.ok(err)
	answer, err := lines.ReadString('\n')
	if err != nil || answer != "still there?\n" {
		t.Errorf("the connection to %s answers %q, %v", strings.TrimSpace(greeting), answer, err)
	}
	if active() != 1 {
		t.Errorf("%d connections, want the one", active())
	}
}

// TestLabRefused lets the real kernel refuse a step, the last of many or one in
// the middle of what is handed to it together.
func TestLabRefused(t *testing.T) {
	lab.Require(t)
	b := labBench(t, lab.New(t).Host("director"))
	r := newRandom(5)
	b.fill(r.rules(8, 5))
	before := b.rules()
	refused := func(what string, wanted ipvs.Rules) {
		t.Helper()
		for _, marks := range []int{0, 1} {
			b.Runner.marks = marks
			result, err := b.Run(t.Context(), Restore(before, wanted, false), nil)
			var refusal *ipvs.Error
			if !errors.As(err, &refusal) || result.Outcome != WentBack {
				t.Errorf("%s: %s, %v", what, result.Outcome, err)
			}
			b.holds(what+", taken back", before)
		}
	}
	wanted := r.rules(8, 5)
	wanted.Daemons = append(wanted.Daemons[:0], ipvs.Daemon{Role: ipvs.Master, Interface: "nowhere0"})
	unmix(&wanted)
	refused("no such interface", wanted)

	more := large(5, 10)
	more.Services[2].Servers[4].Addr = netip.MustParseAddrPort("224.0.0.1:443")
	refused("a server that is none", more)
	more = large(5, 10)
	more.Services[2].Scheduler = "nosuch"
	refused("a service without a scheduler, and servers of it", more)
}

// TestLabFullDisk fills a real file system up to ever less room. A plan that
// cannot be written down is not begun or taken back.
func TestLabFullDisk(t *testing.T) {
	lab.Require(t)
	b := labBench(t, lab.New(t).Host("director"))
	r := newRandom(5)
	before, wanted := r.rules(8, 5), r.rules(8, 5)
	b.fill(before)
	outcomes := map[Outcome]int{}
	for pages := range 24 {
		disk := t.TempDir()
		b.ok(unix.Mount("tmpfs", disk, "tmpfs", 0, "mode=700,size=128k"))
		b.dir = disk
		b.restart(nil)
		b.ok(os.WriteFile(disk+"/ballast", make([]byte, 128<<10-pages*4096), 0o600))
		result, err := b.Run(t.Context(), Restore(before, wanted, false), nil)
		outcomes[result.Outcome]++
		switch result.Outcome {
		case Applied:
			b.holds("applied", wanted)
			b.ok(os.Remove(disk + "/ballast"))
			_, err := b.Undo(t.Context(), b.lastPlan(), nil)
			b.ok(err)
		case NotBegun, WentBack:
			if !errors.Is(err, unix.ENOSPC) {
				t.Errorf("with %d pages left: %v", pages, err)
			}
		}
		b.holds(fmt.Sprintf("with %d pages left", pages), before)
		b.ok(unix.Unmount(disk, 0))
	}
	if outcomes[NotBegun] == 0 || outcomes[Applied] == 0 {
		t.Errorf("the outcomes are %v, want each kind", outcomes)
	}
	t.Log(outcomes)
}

func (b *bench) lastPlan() string {
	plans, err := b.Store.Plans()
	b.ok(err)
	return plans[len(plans)-1].ID
}

package plan

import (
	"errors"
	"maps"
	"testing"

	"lvsdeck/ipvs/memory"
	"lvsdeck/netcfg"
)

func sysctlBench(t *testing.T) (*bench, *netcfg.Memory) {
	b := newBench(t, memory.New())
	host := netcfg.New()
	b.Target.Sysctls = host
	return b, host
}

func TestSetSysctl(t *testing.T) {
	b, host := sysctlBench(t)
	p, err := SetSysctl(netcfg.Value{Name: "conntrack", Value: "0"}, "1")
	b.ok(err)
	equal(t, "title", "set net.ipv4.vs.conntrack: 0 to 1", p.Title)
	id := b.run(p).ID
	holds := func(want string) {
		t.Helper()
		got, err := host.Get("conntrack")
		b.ok(err)
		equal(t, "conntrack", want, got)
	}
	holds("1")
	_, err = b.Undo(ctx, id, nil)
	b.ok(err)
	holds("0")

	host.Put("conntrack", "2") // the kernel takes it, and so must taking back
	p, err = SetSysctl(netcfg.Value{Name: "conntrack", Value: "2"}, "0")
	b.ok(err)
	id = b.run(p).ID
	_, err = b.Undo(ctx, id, nil)
	b.ok(err)
	holds("2")
}

func TestSetSysctlRefusesOrHasNothingToDo(t *testing.T) {
	if _, err := SetSysctl(netcfg.Value{Name: "sync_ports", Value: "1"}, "3"); err == nil {
		t.Error("3 ports are no error")
	}
	for name, values := range map[string][2]string{"sync_threshold": {"3\t50", "3 50"}, "drop_entry": {"2", "1"}} {
		if p, err := SetSysctl(netcfg.Value{Name: name, Value: values[0]}, values[1]); err != nil || !p.Empty() {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
}

// TestSysctlsThatMoved: another value than the operator saw is left alone. A
// defence that the kernel itself has switched on or off is not another.
func TestSysctlsThatMoved(t *testing.T) {
	b, host := sysctlBench(t)
	host.Put("conntrack", "7")
	err := ChangeSysctl{Name: "conntrack", Before: "0", After: "1"}.Do(ctx, b.Target)
	const want = "net.ipv4.vs.conntrack: it was 0 when you looked, is 7 now; look again, then decide"
	if !errors.Is(err, ErrMoved) || err.Error() != want {
		t.Errorf("\n got %v\nwant %s", err, want)
	}
	host.Put("drop_entry", "2")
	b.step(ChangeSysctl{Name: "drop_entry", Before: "1", After: "3"})
}

func TestSysctlsOutOfReach(t *testing.T) {
	b := newBench(t, memory.New())
	step := ChangeSysctl{Name: "conntrack", Before: "0", After: "1"}
	if _, err := step.Done(ctx, b.Target); err == nil {
		t.Error("Done finds sysctls where there are none")
	}
	if err := step.Do(ctx, b.Target); err == nil {
		t.Error("Do finds sysctls where there are none")
	}
	b, _ = sysctlBench(t)
	if err := (ChangeSysctl{Name: "est_nice", Before: "0", After: "1"}).Do(ctx, b.Target); !errors.Is(err, netcfg.ErrAbsent) {
		t.Errorf("a sysctl that this kernel lacks: %v", err)
	}
}

const (
	forward = "net/ipv4/ip_forward"
	eth1    = "net/ipv4/conf/eth1/forwarding"
)

// TestSysctlsThatLeadOthers: the way back gives each of them what it was, also
// when a kill came in its middle, and when a link has gone.
func TestSysctlsThatLeadOthers(t *testing.T) {
	b, host := sysctlBench(t)
	b.ok(host.Set(eth1, "1"))
	before, err := host.Along(forward)
	b.ok(err)
	holds := func(when string) {
		t.Helper()
		now, err := host.Along(forward)
		b.ok(err)
		if !maps.Equal(before, now) {
			t.Errorf("%s:\n was %v\n  is %v", when, before, now)
		}
	}
	step, err := ReadSysctl(host, forward, "1")
	b.ok(err)
	p := Plan{Items: []Item{{Step: step}}}
	id := b.run(p).ID
	if value, _ := host.Get("net/ipv4/conf/eth0/forwarding"); value != "1" {
		t.Error("nothing changes along with it")
	}
	_, err = b.Undo(ctx, id, nil)
	b.ok(err)
	holds("undone")

	b.step(step)
	b.ok(host.Set(forward, "0")) // and here the kill
	undo := step.Undo()
	if done, err := undo.Done(ctx, b.Target); done || err != nil {
		t.Errorf("half undone is called done (%v)", err)
	}
	b.ok(undo.Do(ctx, b.Target))
	holds("undone the second half")

	gone := netcfg.Dummy{Name: "lvs0"}
	b.ok(host.Add(gone))
	step, err = ReadSysctl(host, forward, "1")
	b.ok(err)
	b.step(step)
	b.ok(host.Remove(gone))
	b.step(step.Undo())
	holds("undone without a link")
	if err := (ChangeSysctl{Name: forward, Before: "0", After: "1"}).Do(ctx, b.Target); err == nil {
		t.Error("it changes what nobody could give back")
	}
	if _, err := ReadSysctl(host, "net/ipv4/nope", "1"); !errors.Is(err, netcfg.ErrAbsent) {
		t.Error(err)
	}
}

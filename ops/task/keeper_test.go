package task

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/netcfg"
	"lvsdeck/ops/owner"
	"lvsdeck/ops/plan"
)

func TestRemovedWhenEmpty(t *testing.T) {
	b := newBench(t)
	b.conns(3, 2)
	b.ok(b.Begin(&Removal{Server: b.row(one)}))
	b.pass(time.Minute)
	b.is("waiting", Running, "3 active connections left")
	b.conns(0, 2)
	b.pass(0)
	b.conns(1, 0) // one came in the middle: empty for one sample is not empty
	b.pass(2 * time.Second)
	b.conns(0, 2)
	b.pass(2 * time.Second)
	if b.gone(one) {
		t.Fatal("removed after one empty sample")
	}
	b.pass(2 * time.Second)
	b.is("empty", Done, "removed after 2 min")
	if !b.gone(one) || b.gone("10.0.0.2:80") {
		t.Error("not the one server was removed")
	}
	plans, err := b.store.Plans()
	b.ok(err)
	_, err = b.opts.Runner.Undo(t.Context(), plans[0].ID, nil)
	b.ok(err)
	if b.gone(one) {
		t.Error("undo did not bring it back")
	}
	if n := b.News(); len(n.Ran) != 1 || len(n.Ended) != 1 || !strings.Contains(n.Ended[0], "removed after") {
		t.Errorf("news: %+v", n)
	}
	if n := b.News(); len(n.Ran)+len(n.Ended) != 0 {
		t.Errorf("the same news twice: %+v", n)
	}
}

func TestRemovalOfAllConnections(t *testing.T) {
	b := newBench(t)
	b.conns(0, 2)
	b.ok(b.Begin(&Removal{Server: b.row(one), All: true}))
	b.pass(time.Minute)
	b.is("closing ones count", Running, "2 connections left")
	b.conns(0, 0)
	b.pass(4 * time.Second)
	b.is("empty", Done, "removed")
}

func TestRemovalAtTheLimit(t *testing.T) {
	b := newBench(t)
	b.conns(7, 0)
	b.ok(b.Begin(&Removal{Server: b.row(one), Limit: 10 * time.Minute}))
	b.pass(9 * time.Minute)
	b.is("not yet", Running, "7 active connections left", "waits 1 min at the most")
	b.pass(time.Minute)
	b.is("late", Done, "removed after 10 min, with 7 connections left")
	if !b.gone(one) {
		t.Error("still there")
	}
}

func TestOthersEndATask(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*bench)
		word   string
	}{
		"weight":    {func(b *bench) { b.others(func(s *ipvs.Server) { s.Weight = 7 }) }, "somebody gave it weight 7"},
		"forward":   {func(b *bench) { b.others(func(s *ipvs.Server) { s.Forward = ipvs.Masq }) }, "somebody changed its forwarding to NAT"},
		"threshold": {func(b *bench) { b.others(func(s *ipvs.Server) { s.Upper = 1000 }) }, "somebody changed its upper threshold from 900 to 1000"},
		"removed":   {func(b *bench) { b.ok(b.table.DeleteServer(b.t.Context(), b.id, b.row(one).Server)) }, "somebody removed it"},
		"service":   {func(b *bench) { b.ok(b.table.DeleteService(b.t.Context(), b.id)) }, "somebody removed it"},
	} {
		for _, job := range []func(plan.Row) Job{
			func(r plan.Row) Job { return &Removal{Server: r} },
			func(r plan.Row) Job { return &Ramp{Server: r, Target: 100, Steps: 10, Over: time.Minute} },
		} {
			b := newBench(t)
			b.conns(3, 0)
			j := job(b.row(one))
			b.ok(b.Begin(j))
			c.change(b)
			b.conns(0, 0)
			b.pass(4 * time.Second)
			b.is(name+", "+j.String(), Stopped, c.word)
			if n := len(b.titles()); n > 1 {
				t.Errorf("%s: %d plans were begun", name, n)
			}
		}
	}
}

// TestChangedBetweenSampleAndStep: the step looks itself, also when no sample
// shows the change.
func TestChangedBetweenSampleAndStep(t *testing.T) {
	b := newBench(t)
	b.ok(b.Begin(&Removal{Server: b.row(one)}))
	b.pass(0)
	b.now = b.now.Add(2 * time.Second)
	b.sampler.Observe(t.Context(), b.now)
	b.others(func(s *ipvs.Server) { s.Weight = 7 })
	b.Step(t.Context())
	b.is("moved", Stopped, "somebody changed its weight from 0 to 7")
	if b.gone(one) {
		t.Error("removed although it was brought back")
	}
}

func TestRefusedStepsAreTriedAgain(t *testing.T) {
	b := newBench(t)
	refuse := func(_ context.Context, op ipvs.Op) error {
		if op == ipvs.OpSetServer {
			return ipvs.Refused(op, one, unix.EPERM)
		}
		return nil
	}
	b.table.Inject(refuse)
	b.ok(b.Begin(&Ramp{Server: b.row(one), Target: 100, Steps: 3, Over: 2 * time.Minute}))
	b.pass(2 * time.Second)
	b.is("refused", Running, "not permitted", "weight 0 of 100")
	b.table.Inject(nil)
	b.pass(15 * time.Second)
	b.is("again", Running, "weight 33 of 100")
	b.table.Inject(refuse)
	b.pass(3 * time.Minute)
	b.is("for good", Stopped, "gave up after 5 attempts", "not permitted")
	if got := b.weight(one); got != 33 {
		t.Errorf("it stays at %d", got)
	}
}

func TestFullDisk(t *testing.T) {
	b := newBench(t)
	b.full = true
	b.ok(b.Begin(&Removal{Server: b.row(one)}))
	b.pass(10 * time.Second)
	b.is("no journal, no change", Running, "no space left")
	if b.gone(one) {
		t.Fatal("removed without a journal")
	}
	b.full = false
	b.pass(20 * time.Second)
	b.is("again", Done, "removed")
}

// TestWaitsForOtherPlans: a long plan of somebody else is no failure.
func TestWaitsForOtherPlans(t *testing.T) {
	b := newBench(t)
	other, err := b.store.Begin("a long restore")
	b.ok(err)
	b.ok(b.Begin(&Ramp{Server: b.row(one), Target: 100, Steps: 2, Over: time.Minute}))
	b.pass(10 * time.Minute)
	b.is("waiting", Running, "waits: another plan is running")
	other.Close()
	b.pass(2 * time.Second)
	b.is("goes on", Running, "weight 50 of 100")
}

func TestCancelAndOneTaskPerServer(t *testing.T) {
	b := newBench(t)
	b.ok(b.Begin(&Ramp{Server: b.row(one), Target: 100, Steps: 10, Over: 10 * time.Minute}))
	if err := b.Begin(&Removal{Server: b.row(one)}); err == nil || !strings.Contains(err.Error(), "ramp "+one) {
		t.Errorf("a second task for one server: %v", err)
	}
	b.ok(b.Begin(&Ramp{Server: b.row("10.0.0.2:80"), Target: 50, Steps: 10, Over: 10 * time.Minute}))
	b.pass(4 * time.Second)
	b.Cancel(1)
	b.Cancel(1)
	b.pass(20 * time.Minute)
	if a, z := b.weight(one), b.weight("10.0.0.2:80"); a != 10 || z != 50 {
		t.Errorf("weights %d and %d", a, z)
	}
	if n := b.News(); len(n.Ended) != 2 {
		t.Errorf("ended: %q", n.Ended)
	}
	b.ok(b.Begin(&Removal{Server: plan.Row{Service: b.id, Server: ipvs.Server{Addr: at(one)}}}))
	if len(b.Running()) != 1 || len(b.Tasks()) != 3 {
		t.Errorf("tasks: %+v", b.Tasks())
	}
}

// TestCancelledInTheLastMoment: between the decision and the step.
func TestCancelledInTheLastMoment(t *testing.T) {
	for name, when := range map[string]func(*bench){
		"before the plan": func(b *bench) {
			b.opts.Owner = func(now bool) *owner.Owner {
				if now {
					b.Cancel(1)
				}
				return nil
			}
		},
		"in the plan, before its step": func(b *bench) {
			b.table.Inject(func(_ context.Context, op ipvs.Op) error {
				if op == ipvs.OpGetTimeouts { // for the snapshot
					b.Cancel(1)
				}
				return nil
			})
		},
	} {
		b := newBench(t)
		b.ok(b.Begin(&Removal{Server: b.row(one)}))
		when(b)
		b.pass(10 * time.Second)
		b.is(name, Cancelled, "cancelled")
		if b.gone(one) {
			t.Errorf("%s: removed although it was cancelled", name)
		}
	}
}

// TestNewOwnerEndsTasks: whoever comes to manage the table, waited for or just
// before a step. One that was there when the operator began does not.
func TestNewOwnerEndsTasks(t *testing.T) {
	for name, c := range map[string]struct {
		before, known, now string
		state              State
		word               string
	}{
		"nobody":          {"", "", "", Done, "removed"},
		"comes":           {"", "keepalived", "keepalived", Stopped, "keepalived (pid 7) manages this table now"},
		"comes just then": {"", "", "keepalived", Stopped, "keepalived (pid 7) manages this table now"},
		"was there":       {"keepalived", "keepalived", "keepalived", Done, "removed"},
		"is another":      {"keepalived", "ldirectord", "ldirectord", Stopped, "ldirectord (pid 7)"},
		"goes":            {"keepalived", "", "", Done, "removed"},
	} {
		b := newBench(t)
		b.conns(3, 0)
		known, now := c.before, c.before
		b.opts.Owner = func(look bool) *owner.Owner {
			name := known
			if look {
				name = now
			}
			if name == "" {
				return nil
			}
			return &owner.Owner{Name: name, PID: 7}
		}
		b.ok(b.Begin(&Removal{Server: b.row(one)}))
		b.pass(4 * time.Second)
		known, now = c.known, c.now
		if c.known != c.before && c.state == Stopped {
			b.pass(0)
			b.is(name+", while it waits", Stopped, c.word)
		}
		b.conns(0, 0)
		b.pass(6 * time.Second)
		b.is(name, c.state, c.word)
		if b.gone(one) != (c.state == Done) {
			t.Errorf("%s: the server is gone: %v", name, b.gone(one))
		}
	}
}

// TestNewsNobodyAsksFor: the terminal is stalled, and the tasks go on.
func TestNewsNobodyAsksFor(t *testing.T) {
	b := newBench(t)
	for range newsMax + 10 {
		b.ok(b.Begin(&Ramp{Server: b.row(one), Target: 1 + b.weight(one), Steps: 1, Over: time.Minute}))
		b.pass(2 * time.Second)
	}
	if n := b.News(); len(n.Ran) != newsMax || len(n.Ended) != newsMax || !strings.Contains(n.Ended[newsMax-1], "weight 60") {
		t.Errorf("%d plans and %d ends are kept, the last %q", len(n.Ran), len(n.Ended), n.Ended[len(n.Ended)-1])
	}
}

func TestOldEndedTasksAreForgotten(t *testing.T) {
	b := newBench(t)
	for range 3 * endedMax {
		b.ok(b.Begin(&Removal{Server: b.row(one)}))
		b.Cancel(b.Running()[0].ID)
	}
	if n := len(b.Tasks()); n != endedMax {
		t.Errorf("%d ended tasks are kept", n)
	}
}

// TestWithoutReadings: when the table cannot be read nothing is decided.
func TestWithoutReadings(t *testing.T) {
	b := newBench(t)
	b.ok(b.Begin(&Removal{Server: b.row(one), Limit: time.Minute}))
	b.table.Inject(memory.Fail(errors.New("no answer")))
	b.pass(10 * time.Minute)
	b.table.Inject(nil)
	if b.gone(one) {
		t.Error("removed blindly")
	}
}

func TestSettingsAreReadWhileSomethingDrains(t *testing.T) {
	b := newBench(t)
	host := netcfg.New()
	b.opts.Reader, b.opts.Sysctls = b.table, host
	sticky := ipvs.NewService(b.id)
	sticky.Persistence.On, sticky.Persistence.Timeout = true, 300
	b.ok(b.table.SetService(t.Context(), sticky))
	b.conns(1, 0)
	b.ok(b.table.SetTimeouts(t.Context(), ipvs.Timeouts{TCP: 1200}))
	b.pass(20 * time.Second)
	v, ok := b.Verdict(Key{b.id, at(one)})
	if !ok || !v.Held || !strings.Contains(v.Why[1], "idle 20 min") {
		t.Errorf("persistence holds it: %+v", v)
	}
	host.Put(ExpireTemplates, "1")
	b.pass(10 * time.Second)
	if v, _ := b.Verdict(Key{b.id, at(one)}); v.Held {
		t.Errorf("still held: %+v", v)
	}
	if _, ok := b.Verdict(Key{b.id, at("10.9.9.9:80")}); ok {
		t.Error("a verdict on nobody")
	}
}

// TestRun drives a ramp and a sampler by their own clocks.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.opts.Now, b.now = time.Now, time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		b.ok(b.Begin(&Ramp{Server: b.row(one), Target: 100, Steps: 3, Over: 2 * time.Minute}))
		go b.sampler.Run(ctx)
		ended := make(chan struct{})
		go func() {
			b.Run(ctx)
			close(ended)
		}()
		for _, want := range []uint32{33, 66, 100} {
			time.Sleep(5 * time.Second)
			synctest.Wait()
			if got := b.weight(one); got != want {
				t.Errorf("weight %d, want %d", got, want)
			}
			time.Sleep(time.Minute - 5*time.Second + beat)
		}
		b.is("there", Done, "has weight 100")
		cancel()
		<-ended
	})
}

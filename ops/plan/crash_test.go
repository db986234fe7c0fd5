package plan

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/persist"
)

// errKilled is how a test stops a runner for good: nothing after it runs but what
// the kernel does too, the closing of files.
var errKilled = errors.New("killed by the test")

// survive runs f and tells whether it was killed.
func survive(f func()) (dead bool) {
	defer func() {
		if r := recover(); r == errKilled {
			dead = true
		} else if r != nil {
			panic(r)
		}
	}()
	f()
	return false
}

// killer kills at the nth moment of all at which something can be seen from
// outside: changes to files, calls to the kernel, and what the runner tells.
type killer struct{ n, count int }

func (k *killer) moment() {
	if k.count++; k.count == k.n {
		panic(errKilled)
	}
}

func (k *killer) disk(_ persist.Op, _ string, data []byte) (int, error) {
	k.moment()
	return 0, nil
}

// torn lets half of a write reach the file.
func (k *killer) torn(op persist.Op, path string, data []byte) (int, error) {
	if k.count++; k.count == k.n {
		if op == persist.OpWrite {
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			if err == nil {
				_, err = f.Write(data[:len(data)/2])
				f.Close()
			}
			if err != nil {
				panic(err)
			}
		}
		panic(errKilled)
	}
	return 0, nil
}

func (k *killer) kernel(_ context.Context, op ipvs.Op) error {
	if changes(op) {
		k.moment()
	}
	return nil
}

func (k *killer) event(Event) { k.moment() }

// TestKilledAtEveryMoment kills each plan at each moment, done step by step and in
// groups. The next start finds it, and finishes it or takes it back.
func TestKilledAtEveryMoment(t *testing.T) {
	for _, p := range allPlans(t) {
		for _, finish := range []bool{true, false} {
			for _, marks := range []int{0, 3, 1} {
				for n := 1; killAt(t, p, n, marks, finish); n++ {
				}
			}
		}
	}
}

// killAt tells whether the plan had so many moments.
func killAt(t *testing.T, p named, n, marks int, finish bool) (killed bool) {
	t.Helper()
	table := memory.New()
	b := newGroupBench(t, table, marks)
	b.fill(p.running)
	before := b.rules()
	k := &killer{n: n}
	b.restart(k.disk)
	if finish {
		b.restart(k.torn)
	}
	table.Inject(k.kernel)
	killed = survive(func() { _, _ = b.Run(ctx, p.Plan, k.event) })
	table.Inject(nil)
	b.restart(nil)

	left, err := b.Unfinished(ctx)
	b.ok(err)
	name := fmt.Sprintf("%s, killed at moment %d", p.Title, n)
	switch {
	case len(left) == 0 && text(b.rules()) == text(before): // not begun
	case len(left) == 0:
		b.holds(name+" at its end", p.wanted)
	case finish:
		r, err := b.Finish(ctx, left[0].ID, nil)
		b.ok(err)
		equal(t, name+", finished", Applied, r.Outcome)
		b.holds(name+", finished", p.wanted)
		b.undone(name, r.ID, before)
	default:
		r, err := b.TakeBack(ctx, left[0].ID, nil)
		b.ok(err)
		equal(t, name+", taken back", WentBack, r.Outcome)
		b.holds(name+", taken back", before)
	}
	if left, err = b.Unfinished(ctx); err != nil || len(left) > 0 {
		t.Errorf("%s: unfinished for ever (%v)", name, err)
	}
	return killed
}

// undone undoes a plan that was finished after a kill.
func (b *bench) undone(name, id string, before ipvs.Rules) {
	b.Helper()
	_, err := b.Undo(ctx, id, nil)
	b.ok(err)
	b.holds(name+", finished and undone", before)
}

// TestKilledAgainAndAgain kills plans and their recovery at random moments,
// until one end is reached.
func TestKilledAgainAndAgain(t *testing.T) {
	plans := allPlans(t)
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, seed))
		p := plans[r.IntN(len(plans))]
		table := memory.New()
		b := newGroupBench(t, table, int(seed%3))
		b.fill(p.running)
		before := b.rules()
		name := fmt.Sprintf("%s, killed again and again (seed %d)", p.Title, seed)

		var failed error
		act := func(k *killer) { _, failed = b.Run(ctx, p.Plan, k.event) }
		want, deaths := p.wanted, 0
		for {
			k := &killer{n: 1 + r.IntN(30+10*deaths)}
			b.restart(k.disk)
			table.Inject(k.kernel)
			dead := survive(func() { act(k) })
			table.Inject(nil)
			b.restart(nil)
			b.ok(failed)
			left, err := b.Unfinished(ctx)
			b.ok(err)
			if !dead || len(left) == 0 {
				break
			}
			deaths++
			id := left[0].ID
			if want = p.wanted; r.IntN(2) == 0 {
				act = func(k *killer) { _, failed = b.Finish(ctx, id, k.event) }
			} else {
				want = before
				act = func(k *killer) { _, failed = b.TakeBack(ctx, id, k.event) }
			}
		}
		if got := text(b.rules()); got != text(want) && !(deaths == 0 && got == text(before)) {
			t.Errorf("%s, %d times:\n%s", name, deaths, difference(text(want), got))
		}
	}
}

// killMe tells the child of TestKilledForReal where the parent's store is.
const killMe = "LVSDECK_KILL_ME"

// TestKilledForReal kills a process in the middle of a plan, after it has kept
// another one out. Its table dies with it, so a copy stands in for the kernel's.
func TestKilledForReal(t *testing.T) {
	if os.Getenv(killMe) != "" {
		waitForDeath(t)
	}
	b, before := site(t)
	p := Drain(rows(before))
	child := exec.Command(os.Args[0], "-test.run=^TestKilledForReal$")
	child.Env = append(os.Environ(), killMe+"="+b.dir)
	out, err := child.StdoutPipe()
	b.ok(err)
	b.ok(child.Start())
	defer child.Process.Kill()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "now\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}

	var busy *persist.Busy
	if _, err := b.Run(ctx, p, nil); !errors.As(err, &busy) || busy.PID != child.Process.Pid {
		t.Errorf("a second process is told %v", err)
	}
	if left, err := b.Unfinished(ctx); err != nil || len(left) > 0 {
		t.Errorf("a plan of another process is unfinished while it runs (%v)", err)
	}
	b.ok(child.Process.Kill())
	_ = child.Wait()

	b.step(p.Items[0].Step) // as the child did to its own table
	b.step(p.Items[1].Step)
	left, err := b.Unfinished(ctx)
	b.ok(err)
	if len(left) != 1 || left[0].Title != "drain 3 servers" || left[0].By.User != "alice" {
		t.Fatalf("the killed plan is not found: %+v", left)
	}
	if s := left[0].States; s[0] != Done || s[1] != Done || s[2] != ToDo {
		t.Errorf("its steps stand at %v", s)
	}
	_, err = b.TakeBack(ctx, left[0].ID, nil)
	b.ok(err)
	b.holds("after the kill", before)
	b.run(p)
}

func waitForDeath(t *testing.T) {
	b, before := site(t)
	_, err := b.Run(ctx, Drain(rows(before)), func(e Event) {
		if e.Step == 1 && e.State == Done {
			fmt.Println("now")
			time.Sleep(time.Hour) // the parent kills us long before
		}
	})
	t.Fatal(err)
}

func TestLeave(t *testing.T) {
	b, before := site(t)
	k := &killer{n: 1}
	if !survive(func() { _, _ = b.Run(ctx, Drain(rows(before)), k.event) }) {
		t.Fatal("not killed")
	}
	left, err := b.Unfinished(ctx)
	b.ok(err)
	b.ok(b.Leave(left[0].ID))
	if left, err = b.Unfinished(ctx); err != nil || len(left) > 0 {
		t.Errorf("what was left comes up again (%v)", err)
	}
	if err := b.Leave("nothing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("leaving what is not there: %v", err)
	}
}

// TestLeftDrainIsRemembered: whoever leaves a drain half done can still undrain.
func TestLeftDrainIsRemembered(t *testing.T) {
	b, before := site(t)
	k := &killer{n: 2} // the first step is done
	if !survive(func() { _, _ = b.Run(ctx, Drain(rows(before)), k.event) }) {
		t.Fatal("not killed")
	}
	b.ok(b.Leave(b.history().Entries[0].ID))
	weights, err := b.Store.Weights().Get()
	b.ok(err)
	drained := 0
	for _, s := range b.rules().Services[0].Servers {
		if s.Weight == 0 {
			drained++
		}
	}
	if drained == 0 || len(weights) != drained {
		t.Errorf("%d servers are drained, the weights of %v are remembered", drained, weights)
	}
}

// blind is a table whose servers of one service cannot be read.
type blind struct {
	ipvs.Table
	to ipvs.ServiceID
}

func (t blind) Servers(ctx context.Context, id ipvs.ServiceID) ([]ipvs.ServerState, error) {
	if id == t.to {
		return nil, ipvs.Refused(ipvs.OpGetServers, id.String(), 1)
	}
	return t.Table.Servers(ctx, id)
}

// TestUnreadableRowsHideNoPlan: of a plan whose rows cannot be read the reason is
// told, and the others come up as ever.
func TestUnreadableRowsHideNoPlan(t *testing.T) {
	_, b, rules := fullSite(t)
	for _, s := range rules.Services {
		p := Drain(rows(ipvs.Rules{Services: []ipvs.ServiceRules{s}}))
		if !survive(func() { _, _ = b.Run(ctx, p, (&killer{n: 2}).event) }) {
			t.Fatal("not killed")
		}
		b.restart(nil)
	}
	b.Target.Table = blind{b.table, rules.Services[1].ServiceID}
	left, err := b.Unfinished(ctx)
	b.ok(err)
	if len(left) != 3 {
		t.Fatalf("%d of 3 plans come up", len(left))
	}
	for i, u := range left {
		if bad := i == 1; bad != errors.Is(u.Unreadable, ipvs.ErrPermission) || bad == (u.States != nil) {
			t.Errorf("plan %d: %v, %v", i+1, u.Unreadable, u.States)
		}
	}
	b.ok(b.Leave(left[1].ID))
	if left, err = b.Unfinished(ctx); err != nil || len(left) != 2 {
		t.Errorf("one was left, %d are unfinished (%v)", len(left), err)
	}
}

// TestTakeBackLeavesWhatMoved: others changed rows between the kill and the next
// start.
func TestTakeBackLeavesWhatMoved(t *testing.T) {
	b, before := site(t)
	k := &killer{n: 6} // all steps are done, the end is not written
	if !survive(func() { _, _ = b.Run(ctx, Drain(rows(before)), k.event) }) {
		t.Fatal("not killed")
	}
	moved := before.Services[0].Servers[1]
	moved.Weight = 7
	b.ok(b.table.SetServer(ctx, web, moved))
	b.ok(b.table.SetServer(ctx, web, before.Services[0].Servers[0])) // taken back by hand
	left, err := b.Unfinished(ctx)
	b.ok(err)
	if s := left[0].States; s[0] != ToDo || s[1] != Shifted || s[2] != Done {
		t.Errorf("the steps stand at %v", s)
	}
	r, err := b.TakeBack(ctx, left[0].ID, nil)
	if !errors.Is(err, ErrMoved) || r.Outcome != WentHalfBack {
		t.Errorf("taking back a row that moved: %s, %v", r.Outcome, err)
	}
	before.Services[0].Servers[1] = moved
	b.holds("taken back but for what moved", before)
}

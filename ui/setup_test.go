package ui

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/boot"
	"lvsdeck/ops/confirm"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/probe"
	"lvsdeck/ops/realserver"
	"lvsdeck/ops/setup"
)

// workshop sets up in memory; its servers answer as told.
type workshop struct {
	setup.Book
	setup.Director
	verdict probe.Verdict
}

func (w *workshop) Draft(ctx context.Context, wish setup.Wish) (setup.Draft, error) {
	found, err := w.Look(ctx, wish)
	if err != nil {
		return setup.Draft{}, err
	}
	return setup.Make(wish, found)
}

func (w *workshop) Prove(_ context.Context, d setup.Draft) (p setup.Proof, _ error) {
	p.VIP = probe.Finding{Verdict: probe.Fine, Short: "nobody else answers for it"}
	for _, s := range d.Servers {
		f := probe.Finding{Verdict: w.verdict, Short: "answers", Evidence: []string{"SYN to 02:00:00:00:00:11, SYN-ACK from there in 0.4 ms"}}
		if w.verdict != probe.Fine {
			f.Short, f.Next = "the VIP is missing, or packets are dropped", []string{"ip addr show to 203.0.113.10   the VIP must be there"}
		}
		p.Servers = append(p.Servers, probe.Result{Target: probe.Target{Server: ipvs.Server{Addr: s.Addr}}, Finding: f})
	}
	return p, nil
}

func (w *workshop) Unset(ctx context.Context, ids ...ipvs.ServiceID) (setup.Return, error) {
	return w.Book.Unset(ctx, w.Session.On(w.Host), ids...)
}

// PlanKeep finds nothing to write in memory.
func (w *workshop) PlanKeep(context.Context, ...ipvs.ServiceID) (boot.Change, error) {
	return boot.Change{}, nil
}

// Keep has nothing to do.
func (w *workshop) Keep(context.Context, boot.Change, func(plan.Event)) (plan.Result, error) {
	return plan.Result{}, nil
}

// waiting is what takes changes back, at hand.
type waiting struct {
	confirm.State
	kept, seen int
}

func (w *waiting) Look() (confirm.State, error) { return w.State, nil }
func (w *waiting) Confirm(context.Context) (confirm.Change, error) {
	c := *w.Pending
	w.kept++
	w.State = confirm.State{}
	return c, nil
}
func (w *waiting) Revert(ctx context.Context, r plan.Runner, on func(plan.Event)) (confirm.Change, plan.Result, error) {
	c := *w.Pending
	w.State = confirm.State{}
	result, err := r.Undo(ctx, c.ID, on)
	return c, result, err
}
func (w *waiting) Seen() error { w.seen++; w.Past = nil; return nil }

// Run is the timer's: the change waits from then on.
func (w *waiting) Run(ctx context.Context, r plan.Runner, p plan.Plan, within time.Duration, on func(plan.Event)) (plan.Result, error) {
	result, err := r.Run(ctx, p, on)
	if err == nil {
		w.State = confirm.State{Pending: &confirm.Change{ID: result.ID, Title: p.Title, Window: within}, Left: 96 * time.Second}
	}
	return result, err
}

// bare is a console on a director that nobody has set up.
func bare(t *testing.T, width, height int) (*director, *workshop, *waiting) {
	t.Helper()
	d := newDirector(t)
	d.must(d.table.Flush(t.Context()))
	d.runner.Target.Host = d.host
	timer := &waiting{}
	shop := &workshop{
		Book:     setup.Book{Runner: &d.runner, Timer: timer},
		Director: setup.Director{Host: d.host, Table: d.table},
		verdict:  probe.Fine,
	}
	d.start(width, height)
	d.opts.SetUps, d.opts.Pending = shop, timer
	return d, shop, timer
}

// asks fills the form of the set-up of DR.
func (d *director) asksForDR() {
	d.do("S", "enter")
	d.types("203.0.113.10")
	d.do("down", "down", "down")
	d.types("203.0.113.11-12")
	d.do("enter")
}

// TestGuideToDR: from an empty console to a service that is proven and kept.
func TestGuideToDR(t *testing.T) {
	d, shop, timer := bare(t, 80, 40)
	d.sees("an empty table says where to begin", "S sets one up step by step")
	d.do("S")
	d.sees("the choice", "how shall packets go?", "server with the VIP on lo", "Choose DR when:")
	d.do("enter", "enter")
	d.sees("what is missing stands at its field", "must be an IPv4 or IPv6 address")
	d.do("esc", "esc")
	d.asksForDR()
	d.sees("the draft", "nothing has changed so far", "VIP goes on", "eth0: its network", "This director:", "to do", "add address 203.0.113.10/32 on eth0")
	before, _ := d.host.Addresses()
	d.do("end")
	d.sees("the servers' part", "On 203.0.113.12:80", "It does not answer who has the VIP")
	d.do("K")
	d.sees("the kit", "What 203.0.113.11:80 needs, as a script", "server 1 of 2", "#!/bin/sh")
	d.do("tab")
	d.sees("the next", "What 203.0.113.12:80 needs")
	d.do("esc", "enter")
	d.expect("applied", "-A -t 203.0.113.10:80 -s wlc", "-r 203.0.113.12:80 -g -w 1")
	d.sees("proven", "fine    203.0.113.11:80", "All servers play their part", "taken back in 96 s", "ctrl-y keeps")
	if has, err := d.host.Has(netcfg.Address{Link: "eth0", Prefix: netip.MustParsePrefix("203.0.113.10/32")}); err != nil || !has {
		t.Errorf("the VIP is not there: %v", err)
	}
	d.do("ctrl+y")
	d.sees("kept", "kept: set up TCP 203.0.113.10:80: DR")
	if timer.kept != 1 {
		t.Errorf("kept %d times", timer.kept)
	}
	d.seesNot("no countdown", "confirm:")

	d.do("esc", ":")
	d.types("take back the set-up")
	shop.Session = &setup.Session{Client: netip.MustParseAddr("203.0.113.7")}
	d.do("enter")
	d.sees("the way back may cut", "This SSH session from 203.0.113.7 comes in by eth0")
	d.sees("the way back", "take back the set-up of TCP 203.0.113.10:80", "remove address 203.0.113.10/32 on eth0")
	d.do("enter")
	d.expect("gone", "!203.0.113.10")
	if after, _ := d.host.Addresses(); len(after) != len(before) {
		t.Errorf("addresses before %v, after %v", before, after)
	}
}

// sshd answers for servers.
type sshd struct{}

func (sshd) Do(_ context.Context, w realserver.Want, _ string, servers []string) (all []realserver.Result) {
	for _, where := range servers {
		r := realserver.Result{Where: where, Output: "so already  address " + w.VIP.String() + "/32 on lo\n\x1b[31mevil\n"}
		if strings.HasSuffix(where, "12") {
			r.Code, r.Err = 2, errors.New("Host key verification failed.")
		}
		all = append(all, r)
	}
	return all
}

// TestKitOverSSH: each server's answer stands on the screen, cleaned.
func TestKitOverSSH(t *testing.T) {
	d, _, _ := bare(t, 80, 24)
	d.opts.Servers = sshd{}
	d.asksForDR()
	d.do("K", "a")
	d.sees("asks for the login", "apply on all servers by ssh, as")
	d.do("enter")
	d.sees("each server's answer", "apply on 2 servers by ssh, as root", "done      root@203.0.113.11", "so already  address 203.0.113.10/32 on lo",
		"could not root@203.0.113.12", "Host key verification failed.")
	d.seesNot("control characters", "\x1b[31m")
	d.do("esc", "a")
	d.fill("-oProxyCommand=x")
	d.do("enter")
	d.sees("a login is one", "the login must be")
	d.do("esc")
	d.opts.Servers = nil
	d.do("h")
	d.sees("nobody is there in a demo", "made up")
}

// TestSetUpTakenBack: a key from any screen, and a note about what came by itself.
func TestSetUpTakenBack(t *testing.T) {
	d, shop, timer := bare(t, 80, 24)
	shop.verdict = probe.Fault
	d.asksForDR()
	d.do("enter")
	d.sees("the proof", "fault   203.0.113.11:80", "the VIP is missing", "Look further:", "2 of 2 servers are not proven")
	d.do("esc")
	if d.quits("q") {
		t.Error("left without a word while a change waits")
	}
	d.sees("how to confirm without this console", "is taken back in time unless", "lvsdeck confirm")
	d.do("esc", "S")
	d.sees("one at a time", "waits to be confirmed first")
	d.do("?", "ctrl+r")
	d.sees("asks", "Take it back now?", "waits to be confirmed")
	d.do("enter")
	d.expect("taken back", "!203.0.113.10")
	timer.Past = []confirm.Change{{Title: "set up X", Reverted: &confirm.Reverted{When: noon, Why: "nobody confirmed it in 120 s"}}}
	d.do("esc")
	d.pass(4 * time.Second)
	d.sees("told", "A change was taken back", "nobody confirmed")
	if timer.seen != 0 {
		t.Error("taken for read before a key was pressed")
	}
	d.do("esc")
	d.pass(4 * time.Second)
	d.seesNot("told once", "A change was taken back")
	if timer.seen != 1 {
		t.Errorf("seen %d times", timer.seen)
	}
}

// TestSetUpRefusals: at the field that is to be mended.
func TestSetUpRefusals(t *testing.T) {
	d, _, _ := bare(t, 80, 24)
	d.do("S", "enter")
	d.types("203.0.113.10")
	d.do("down", "down", "down")
	d.types("10.77.0.1")
	d.do("enter")
	d.sees("a server behind a router", "10.77.0.1", "TUN")
	if f := d.top().(*form); f.shown()[f.at].id != askServers {
		t.Errorf("it stands at %s", f.shown()[f.at].id)
	}
	d.fill("203.0.113.11")
	for f := d.top().(*form); f.shown()[f.at].id != askLink; {
		d.do("down")
	}
	d.types("eth9")
	d.do("enter")
	d.sees("no such interface", "eth9")
	d.do("esc", "esc")
	if d.top() != nil {
		t.Errorf("still open:\n%s", grid(d.Model))
	}
}

// TestRecommend: every answer leads to a mode that can do it.
func TestRecommend(t *testing.T) {
	for _, c := range []struct {
		changeable, near, samePort bool
		want                       setup.Mode
	}{
		{true, true, true, setup.DR}, {true, false, true, setup.TUN}, {true, true, false, setup.NAT}, {true, false, false, setup.FullNAT},
		{false, true, true, setup.FullNAT}, {false, false, false, setup.FullNAT},
	} {
		if got, why := recommend(c.changeable, c.near, c.samePort); got != c.want || !strings.HasSuffix(why, ".") {
			t.Errorf("%+v: %s, %q", c, got, why)
		}
	}
	d, _, _ := bare(t, 80, 24)
	d.do("S", "?", "right", "enter")
	d.sees("the advice", "full NAT: the servers stay as they are")
	if got := topologies[d.top().(*modes).at].mode; got != setup.FullNAT {
		t.Errorf("stands on %s", got)
	}
}

// TestSetUpScreens keeps the screens of the guide.
func TestSetUpScreens(t *testing.T) {
	for _, size := range sizes {
		for name, play := range map[string]func(*director, *workshop){
			"setup-modes":     func(d *director, _ *workshop) { d.do("S") },
			"setup-questions": func(d *director, _ *workshop) { d.do("S", "?") },
			"setup-form":      func(d *director, _ *workshop) { d.do("S", "3", "enter") },
			"setup-draft":     func(d *director, _ *workshop) { d.asksForDR() },
			"setup-proof":     func(d *director, _ *workshop) { d.asksForDR(); d.do("enter") },
			"setup-fault":     func(d *director, w *workshop) { w.verdict = probe.Fault; d.asksForDR(); d.do("enter") },
			"setup-pending":   func(d *director, _ *workshop) { d.asksForDR(); d.do("enter", "esc") },
		} {
			name := fmt.Sprintf("%s-%dx%d", name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				d, w, _ := bare(t, size[0], size[1])
				play(d, w)
				golden(t, name, grid(d.Model)+"\n"+styles(d.Model))
				for _, line := range strings.Split(d.View().Content, "\n") {
					if w := cells(line); w > size[0] {
						t.Errorf("%d cells: %q", w, line)
					}
				}
			})
		}
	}
}

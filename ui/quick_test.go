package ui

import (
	"context"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops/plan"
)

// presses presses keys without waiting for what they lead to.
func (d *director) presses(keys ...string) (all []tea.Cmd) {
	for _, k := range keys {
		_, cmd := d.Update(keyMsg(k))
		all = append(all, cmd)
	}
	return all
}

func (d *director) firstServer() plan.Row {
	d.t.Helper()
	row, err := plan.ReadRow(context.Background(), d.table, svc(ipvs.TCP, "203.0.113.10:443", "wlc").ServiceID, ipvs.Server{Addr: addr("10.0.3.11:443")})
	d.must(err)
	return row
}

// TestQuickKeysAddUp: keys that come before a reading, or before the kernel has
// answered, are none lost.
func TestQuickKeysAddUp(t *testing.T) {
	d := newDirector(t)
	d.do("enter", "down")
	d.finish(tea.Batch(d.presses("+", "+", "]", "+", "-", "+", "+")...))
	d.expect("in flight together", "10.0.3.11:443 -g -w 114")
	for _, k := range []string{"+", "+", "+"} { // one after the other, no reading between
		_, cmd := d.Update(keyMsg(k))
		d.finish(cmd)
	}
	d.expect("before the next reading", "10.0.3.11:443 -g -w 117")
	d.finish(tea.Batch(d.presses("d", "d")...))
	d.expect("drained and back", "10.0.3.11:443 -g -w 117")
	d.pass(8 * time.Second)
	if n := len(d.hands.wrote); n > 0 {
		t.Errorf("%d rows are still known better than the reading", n)
	}
}

// TestAQuestionThatComesLateIsNotAsked: the operator types something else by then.
func TestAQuestionThatComesLateIsNotAsked(t *testing.T) {
	d := newDirector(t)
	d.do("enter", "down")
	late := d.presses("x")
	d.do("w")
	d.finish(tea.Batch(late...))
	d.do("enter")
	d.expect("not removed", "10.0.3.11:443")
}

// TestLeavingDuringAChange: it is waited for, or taken back.
func TestLeavingDuringAChange(t *testing.T) {
	for _, stop := range []bool{true, false} {
		d := newDirector(t)
		before := d.rules()
		began, goOn := make(chan struct{}), make(chan struct{})
		cmd := d.runBeside(plan.Plan{Title: "a long change"}, func(ctx context.Context, _ func(plan.Event)) (plan.Result, error) {
			close(began)
			<-goOn
			return d.runner.Run(ctx, plan.SetWeight([]plan.Row{d.firstServer()}, 7), nil)
		})
		result := make(chan tea.Msg, 1)
		go func() { result <- cmd() }()
		<-began
		if d.quits("q") {
			t.Fatal("left in the middle of a change")
		}
		d.sees("asks", "A change is being made", "a long change")
		if stop {
			d.do("enter")
		} else {
			d.do("esc")
		}
		close(goOn)
		d.Update(<-result)
		d.hands.settled(time.Minute)
		if changed := d.rules() != before; changed == stop {
			t.Errorf("stopped %v, changed %v", stop, changed)
		}
		d.do("esc", "esc")
		if !d.quits("q") {
			t.Errorf("cannot be left:\n%s", strings.TrimSpace(grid(d.Model)))
		}
	}
}

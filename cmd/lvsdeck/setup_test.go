package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/confirm"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/setup"
	"lvsdeck/ui"
	"lvsdeck/ui/plain"
)

// TestSetupFlags: what is typed becomes the wish, or a refusal in words.
func TestSetupFlags(t *testing.T) {
	good := setupOptions{
		vip: "203.0.113.10:53/udp", scheduler: "mh", tunnel: "gue:6080", link: "eth0",
		servers: []string{"10.0.3.11,5", "10.0.3.12:53"},
	}
	w, err := good.wish("tun")
	if err != nil || w.Mode != setup.TUN || w.Service.String() != "UDP 203.0.113.10:53" || len(w.Servers) != 2 ||
		w.Servers[0].Weight != 5 || w.Tunnel.Port != 6080 || w.Scheduler != "mh" || w.Link != "eth0" {
		t.Errorf("%+v, %v", w, err)
	}
	for want, change := range map[string]func(*setupOptions){
		`VIP "203.0.113.10"`:      func(o *setupOptions) { o.vip = "203.0.113.10" },
		`real server "web1"`:      func(o *setupOptions) { o.servers = []string{"web1"} },
		`tunnel "vxlan"`:          func(o *setupOptions) { o.tunnel = "vxlan" },
		`--snat "here"`:           func(o *setupOptions) { o.snat = "here" },
		`source addresses "here"`: func(o *setupOptions) { o.sources = "here" },
		"must be at least one":    func(o *setupOptions) { o.servers = nil },
	} {
		o := good
		change(&o)
		if _, err := o.wish("tun"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

// TestCarryOut: what a change says and how it ends, for eyes and for programs.
func TestCarryOut(t *testing.T) {
	step := plan.Plan{Title: "load it", Items: []plan.Item{{Step: plan.Have(netcfg.Module{Name: "ip_vs"}), Reason: "It is needed."}}}
	refused := errors.New("refused here")
	for _, c := range []struct {
		name   string
		o      changeOptions
		state  plan.State
		result plan.Result
		fails  error
		proof  error

		says string
		code error
		ran  bool
	}{
		{name: "dry run", o: changeOptions{dryRun: true}, says: "Nothing was changed."},
		{name: "not asked for", code: exitCode(1), says: "To do it: --yes"},
		{name: "nothing to do", o: changeOptions{yes: true}, state: plan.Already, says: "Nothing is left to do."},
		{name: "nothing to do, and a fault", o: changeOptions{yes: true}, state: plan.Already, proof: exitCode(1), code: exitCode(1)},
		{name: "done", o: changeOptions{yes: true}, result: plan.Result{Outcome: plan.Applied, Steps: []plan.StepResult{{State: plan.Done}}}, says: "done: load it\n", ran: true},
		{
			name: "done under the timer", o: changeOptions{yes: true, within: 2e9}, result: plan.Result{Outcome: plan.Applied, Steps: []plan.StepResult{{State: plan.Done}}},
			says: "taken back in 2s unless it is confirmed. Try, then: lvsdeck confirm", ran: true,
		},
		{name: "a fault", o: changeOptions{yes: true}, result: plan.Result{Outcome: plan.Applied, Steps: []plan.StepResult{{State: plan.Done}}}, proof: exitCode(1), code: exitCode(1), ran: true},
		{name: "not begun", o: changeOptions{yes: true}, result: plan.Result{Outcome: plan.NotBegun}, fails: refused, code: refused, ran: true},
		{
			name: "failed", o: changeOptions{yes: true}, result: plan.Result{Outcome: plan.WentBack, Steps: []plan.StepResult{{State: plan.Failed, Err: refused}}},
			fails: refused, code: refused, says: "taken back: load it", ran: true,
		},
	} {
		for _, format := range []string{"table", "json"} {
			t.Run(c.name+"/"+format, func(t *testing.T) {
				c.o.format, c.result.Plan = format, step
				ran := false
				var b strings.Builder
				err := c.o.carryOut(t.Context(), &b, change{
					Report: plain.Report{
						Change: plain.Change{Title: step.Title, Hosts: []plain.Host{{Steps: plain.StepsOf(step.Items, []plan.StepResult{{State: c.state}})}}},
						Result: plan.Result{Outcome: plan.NotBegun},
					},
					run:    func(time.Duration) (plan.Result, error) { ran = true; return c.result, c.fails },
					prove:  func(*plain.Report) error { return c.proof },
					newWay: "Try",
				})
				if !errors.Is(err, c.code) || ran != c.ran {
					t.Errorf("%v, want %v; ran %t", err, c.code, ran)
				}
				if format == "json" && !strings.HasPrefix(b.String(), "{\n") || format == "table" && !strings.Contains(b.String(), c.says) {
					t.Errorf("says\n%s\nwant %q", &b, c.says)
				}
			})
		}
	}
}

// TestSafetyNet: nobody is left without the timer by mistake.
func TestSafetyNet(t *testing.T) {
	for want, o := range map[string]changeOptions{
		"add --no-safety-net": {format: "table"},
		"must be":             {format: "table", within: 1},
		"unknown output":      {format: "xml", within: 60e9},
	} {
		if err := o.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	for _, within := range []time.Duration{0, time.Minute} {
		o := changeOptions{format: "table", within: within, noSafetyNet: true}
		if err := o.check(); err != nil || o.within != within {
			t.Errorf("%v, %s", err, o.within)
		}
	}
}

// TestWithoutSafetyNet: the timer is tried first, and only a timer that cannot be
// started is gone on without, loudly.
func TestWithoutSafetyNet(t *testing.T) {
	notArmed, pending := &confirm.NotArmed{Err: errors.New("no memory")}, &confirm.Pending{}
	for _, c := range []struct {
		name    string
		allowed bool
		within  time.Duration
		fails   error // with a timer
		tried   string
		err     error
		says    string
	}{
		{"a timer", true, time.Minute, nil, "[1m0s]", nil, "taken back in 1m0s unless"},
		{"none can be", true, time.Minute, notArmed, "[1m0s 0s]", nil, "! No safety net: what would take the change back cannot be started: no memory."},
		{"none may be", false, time.Minute, notArmed, "[1m0s]", notArmed, ""},
		{"refused", true, time.Minute, pending, "[1m0s]", pending, ""},
		{"none is wanted", true, 0, notArmed, "[0s]", nil, "done: "},
	} {
		o := changeOptions{format: "table", yes: true, noSafetyNet: c.allowed, within: c.within}
		var b strings.Builder
		var tried []time.Duration
		err := o.carryOut(t.Context(), &b, change{
			Report: plain.Report{Change: plain.Change{Hosts: []plain.Host{{Steps: []plain.Step{{Result: &plan.StepResult{}}}}}}},
			run: func(within time.Duration) (plan.Result, error) {
				if tried = append(tried, within); within > 0 && c.fails != nil {
					return plan.Result{Outcome: plan.NotBegun}, c.fails
				}
				return plan.Result{Outcome: plan.Applied, Steps: []plan.StepResult{{State: plan.Done}}, Plan: plan.Plan{Items: []plan.Item{{Step: plan.Have(netcfg.Module{Name: "ip_vs"})}}}}, nil
			},
		})
		if !errors.Is(err, c.err) || fmt.Sprint(tried) != c.tried || !strings.Contains(b.String(), c.says) {
			t.Errorf("%s: %v, tried %v, said\n%s", c.name, err, tried, &b)
		}
		if waits := strings.Contains(b.String(), "lvsdeck confirm"); waits != (c.says != "" && c.fails == nil) {
			t.Errorf("%s: waits to be confirmed: %t", c.name, waits)
		}
	}
}

// goer counts how often a way back is gone.
type goer struct {
	ui.SetUps
	gone int
}

func (g *goer) Go(context.Context, setup.Return, time.Duration, func(plan.Event)) (plan.Result, error) {
	g.gone++
	return plan.Result{Outcome: plan.Applied}, nil
}

// TestUnsetOfNothing: also a record is forgotten only when that is wanted.
func TestUnsetOfNothing(t *testing.T) {
	for _, c := range []struct {
		o    changeOptions
		gone int
		err  error
		says string
	}{
		{changeOptions{}, 0, exitCode(1), "Nothing was changed. To do it: --yes"},
		{changeOptions{dryRun: true, yes: true}, 0, nil, "Nothing was changed."},
		{changeOptions{yes: true, within: time.Minute}, 1, nil, "done: take back"},
	} {
		var d goer
		var b strings.Builder
		c.o.format = "table"
		err := c.o.takeBack(t.Context(), &d, setup.Return{Plan: plan.Plan{Title: "take back"}}, &b)
		if !errors.Is(err, c.err) || d.gone != c.gone || !strings.Contains(b.String(), c.says) || strings.Contains(b.String(), "lvsdeck confirm") {
			t.Errorf("%+v: %v, gone %d times, said\n%s", c.o, err, d.gone, &b)
		}
	}
}

// TestSaysYes: an interrupt ends the question.
func TestSaysYes(t *testing.T) {
	for text, want := range map[string]bool{"y\n": true, " YES": true, "\n": false, "": false, "yo\n": false} {
		if yes, err := saysYes(t.Context(), strings.NewReader(text)); yes != want || err != nil {
			t.Errorf("%q: %t, %v", text, yes, err)
		}
	}
	silent, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if yes, err := saysYes(ctx, silent); yes || err != nil {
		t.Errorf("interrupted: %t, %v", yes, err)
	}
}

// TestServersPart: what the servers need is shown, with the command that does it
// there.
func TestServersPart(t *testing.T) {
	for _, c := range []struct {
		mode setup.Mode
		vip  string
		want string
	}{
		{setup.DR, "203.0.113.10:80", "lvsdeck realserver dr --vip 203.0.113.10 apply"},
		{setup.TUN, "203.0.113.10:80/udp", "lvsdeck realserver tun --vip 203.0.113.10 --tunnel gue:6080 --address 10.0.3.11 --shares-segment --no-mss apply"},
		{setup.NAT, "203.0.113.10:80", "lvsdeck realserver nat --gateway 10.0.3.1 --port 8080 --address 10.0.3.11 apply"},
		{setup.NAT, "203.0.113.10:80/udp", "lvsdeck realserver nat --gateway 10.0.3.1 --port 8080/udp --address 10.0.3.11 apply"},
		{setup.FullNAT, "203.0.113.10:80", ""},
	} {
		service, err := setup.ParseService(c.vip)
		if err != nil {
			t.Fatal(err)
		}
		w := setup.Wish{Mode: c.mode, Service: service}
		if c.mode == setup.TUN {
			w.Tunnel = ipvs.Tunnel{Type: ipvs.GUE, Port: 6080}
		}
		server := setup.RealServer{Addr: netip.MustParseAddrPort("10.0.3.11:8080"), Director: netip.MustParseAddr("10.0.3.1"), Shares: c.mode == setup.TUN}
		hosts, err := serversPart(setup.Draft{Wish: w, Servers: []setup.RealServer{server}})
		switch {
		case c.want == "" && err == nil && len(hosts) == 0:
		case err != nil || len(hosts) != 1 || hosts[0].Name != "10.0.3.11" || len(hosts[0].Steps) == 0 || hosts[0].How != c.want:
			t.Errorf("%s: %+v, %v", c.mode, hosts, err)
		}
	}
}

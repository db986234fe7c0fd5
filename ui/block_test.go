package ui

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lvsdeck/netcfg"
	"lvsdeck/ops/block"
	"lvsdeck/ops/plan"
)

// besieged is a console at the connections of a service, with what takes changes
// back.
func besieged(t *testing.T) (*director, *waiting) {
	t.Helper()
	d := connDirector(t, &connSource{text: connText()})
	d.runner.Target.Host = d.host
	timer := &waiting{}
	d.opts.Pending, d.opts.Operator = timer, netip.MustParseAddr("198.18.200.44")
	return d, timer
}

// keptOut is what the firewall has of ours.
func (d *director) keptOut() (words []string) {
	d.t.Helper()
	rules, err := d.host.Firewall()
	d.must(err)
	for _, b := range block.InForce(rules) {
		words = append(words, b.String())
	}
	return words
}

// TestKeepTheHogOut: from the hog's row to a rule under the timer, and back.
func TestKeepTheHogOut(t *testing.T) {
	d, timer := besieged(t)
	d.do("C", "x", "enter")
	d.sees("the question", "Keep a client out", "198.51.100.7", "203.0.113.10")
	d.do("enter")
	d.sees("the plan", "keep 198.51.100.7 out of 203.0.113.10", "iptables -w -t raw -I PREROUTING -s 198.51.100.7", "dropped before IPVS sees them", "to be confirmed in 2m")
	d.do("enter")
	if got := d.keptOut(); len(got) != 1 || got[0] != "198.51.100.7 out of 203.0.113.10" || timer.Pending == nil || timer.Pending.Window != 2*time.Minute {
		t.Fatalf("kept out: %q, pending %+v\n%s", got, timer.Pending, grid(d.Model))
	}
	d.sees("the countdown", "taken back in 96 s", "keep 198.51.100.7 out of 203.0.113.10")
	d.do("enter")
	d.sees("one at a time", "waits to be confirmed first")
	d.do("ctrl+y", "down", "down", "down", "down", "enter")
	d.sees("the list", "Clients that are kept out", "CLIENT", "198.51.100.7", "203.0.113.10", "iptables -w -t raw -D PREROUTING", "1 of 1", "let it in again")
	d.do("enter")
	d.sees("the way back", "no longer keep 198.51.100.7 out", "come to IPVS again")
	d.do("enter")
	d.sees("it is gone", "None by a rule of lvsdeck's")
	if got := d.keptOut(); len(got) != 0 {
		t.Errorf("still kept out: %q", got)
	}
}

// TestBlockIsUndone: the journal takes it back like any other change.
func TestBlockIsUndone(t *testing.T) {
	d, _ := besieged(t)
	d.do("C", "2", "x", "enter", "up", "left", "enter", "enter")
	if got := d.keptOut(); len(got) != 1 || !strings.Contains(got[0], "/24 out") {
		t.Fatalf("kept out: %q\n%s", got, grid(d.Model))
	}
	d.do("ctrl+y", "q", "q", "u", "enter")
	if got := d.keptOut(); len(got) != 0 {
		t.Errorf("still kept out: %q\n%s", got, grid(d.Model))
	}
}

// TestBlockRefused: nobody cuts off the operator, a service, a server or the
// director.
func TestBlockRefused(t *testing.T) {
	d, _ := besieged(t)
	d.must(d.host.Add(netcfg.Address{Link: "eth0", Prefix: netip.MustParsePrefix("203.0.113.1/24")}))
	d.opts.Peers = func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("192.0.2.7")}, nil }
	d.do("C", "x", "enter")
	if strings.Contains(grid(d.Model), "is not known") {
		t.Errorf("it is known where the operator is:\n%s", grid(d.Model))
	}
	for typed, want := range map[string]string{
		"198.18.0.0/16": "must not hold 198.18.200.44, where your own SSH session comes from",
		"203.0.113.10":  "the address of a service",
		"10.0.3.11":     "a real server",
		"203.0.113.1":   "this director's own address",
		"192.0.2.0/24":  "192.0.2.7, where an SSH session to this director comes from",
		"198.18.7.1/24": "must have no bits beyond its length; give the address (198.18.7.1) or the network (198.18.7.0/24)",
		"2001:db8::/64": "of the same family",
		"hog":           `client "hog": give an address`,
	} {
		d.fill(typed)
		d.do("enter")
		if _, still := d.top().(*form); !still || !strings.Contains(squeezed(d.Model), want) {
			t.Errorf("%s: want %q on\n%s", typed, want, grid(d.Model))
		}
	}
	if got := d.keptOut(); len(got) != 0 {
		t.Errorf("kept out: %q", got)
	}
	d.do("esc")
	d.opts.Limits.ReadOnly, d.opts.Limits.Why = true, "--read-only"
	d.do("enter")
	d.sees("read-only", "read-only: --read-only")
}

// TestBlockBlindly: of an operator who is nowhere to be seen that is said, and whole
// parts of the world stay.
func TestBlockBlindly(t *testing.T) {
	d, _ := besieged(t)
	d.opts.Operator = netip.Addr{}
	d.do("C", "x", "enter")
	if !strings.Contains(squeezed(d.Model), "Where you come from is not known here") {
		t.Errorf("nothing is said:\n%s", grid(d.Model))
	}
	d.fill("64.0.0.0/2")
	d.do("enter")
	if !strings.Contains(squeezed(d.Model), "client 64.0.0.0/2: must be of /8 or longer") || len(d.keptOut()) != 0 {
		t.Errorf("not refused:\n%s", grid(d.Model))
	}
	d.opts.Peers = func() ([]netip.Addr, error) { return nil, errors.New("cannot tell where SSH sessions come from") }
	d.fill("198.51.100.7")
	d.do("enter")
	d.sees("not looked", "Nothing was changed", "cannot tell where SSH sessions come from")
}

// squeezed is the screen with one blank between words, also over lines.
func squeezed(m *Model) string { return strings.Join(strings.Fields(grid(m)), " ") }

// TestEndingByTheServer: draining, and removing with what ends connections.
func TestEndingByTheServer(t *testing.T) {
	d, _ := besieged(t)
	d.do("C", "x", "down", "enter")
	d.sees("no server was chosen", "go to one server's connections first")
	d.do("esc", "4", "x", "down", "enter")
	d.sees("the drain", "drain", "weight", "do it")
	d.do("enter")
	d.expect("drained", "-r 10.0.3.11:443 -g -w 0")
	d.do("enter")
	d.sees("drained", "it is drained already")
	d.do("down", "enter")
	d.sees("sysctl and server in one plan", "expire_nodest_conn", "0 to 1", "-d -t 203.0.113.10:443 -r 10.0.3.11:443")
	d.do("enter")
	d.expect("removed", "!-r 10.0.3.11:443")
	if v, err := d.host.Get(expireNodest); err != nil || v != "1" {
		t.Errorf("%s is %s, %v", expireNodest, v, err)
	}
	d.do("down", "enter")
	d.sees("timeouts", "Timeouts of connections")
}

// TestEndingOfWhatIsGone: a server that is not listed any more needs only the
// sysctl.
func TestEndingOfWhatIsGone(t *testing.T) {
	d, _ := besieged(t)
	d.do("C", "4", "end", "x", "down", "enter")
	d.sees("it gets nothing new", "the table does not list it any more")
	d.do("down", "enter")
	d.sees("only the sysctl", "net.ipv4.vs.expire_nodest_conn: 0 to 1")
	if a, ok := d.top().(*ask); !ok || len(a.plan.Items) != 1 {
		t.Errorf("the plan:\n%s", grid(d.Model))
	}
}

func TestBlockScreens(t *testing.T) {
	layerScenes(t, "block-list", func(d *director) {
		for _, b := range []block.Block{
			{Client: netip.MustParsePrefix("198.51.100.0/24")},
			{Client: netip.MustParsePrefix("2001:db8:1111:2222:3333:4444:5555:6666/128"), VIP: netip.MustParseAddr("2001:db8::53")},
		} {
			d.must(plan.Have(b.Rule()).Do(t.Context(), plan.Target{Host: d.host}))
		}
		d.finish(openBlocks(d.Model))
	})
}

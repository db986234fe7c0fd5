package ui

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/check"
	"lvsdeck/ops/probe"
	"lvsdeck/ops/why"
	"lvsdeck/ui/paint"
)

// whyDirector is a director in memory that is looked at for real, with the VIP it
// needs. Its servers answer probes as the test says.
type whyDirector struct {
	*director
	probed []probe.Finding // of each server
	probes int
	err    error
}

func newWhyDirector(t *testing.T, width, height int) *whyDirector {
	t.Helper()
	d := &whyDirector{director: newDirector(t)}
	d.start(width, height)
	d.must(d.host.Add(netcfg.Address{Link: "eth0", Prefix: netip.MustParsePrefix("203.0.113.10/32")}))
	w := check.NewWatch(check.WatchOptions{Sources: check.Sources{Host: d.host, Table: d.table}})
	d.opts.Why = why.Sources{
		Scene: func(ctx context.Context, id ipvs.ServiceID) (check.Scene, error) {
			d.sampler.FocusAll()
			w.Seen(d.sampler.Observe(t.Context(), d.now))
			s, err := w.SceneOf(ctx, id)
			s.Kernel = check.Release{Major: 6, Minor: 1}
			return s, err
		},
		Probe: func(_ context.Context, s check.Scene) (asked check.Asked, err error) {
			d.probes++
			for n, r := range s.Sample.Services[0].Servers {
				f := probe.Finding{Verdict: probe.Fine, Cause: probe.Answers, Short: "answers"}
				if n < len(d.probed) && d.probed[n].Cause != "" {
					f = d.probed[n]
				}
				asked.Servers = append(asked.Servers, probe.Result{Target: probe.Target{VIP: netip.AddrPortFrom(wwwID.Addr, wwwID.Port), Protocol: ipvs.TCP, Server: r.Server}, Finding: f})
			}
			asked.VIPs = []check.AskedVIP{{Service: wwwID, Finding: probe.Finding{Verdict: probe.Fine, Cause: probe.Alone}}}
			return asked, d.err
		},
	}
	return d
}

var wwwID = ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))

// drain takes the weight of servers.
func (d *whyDirector) drain(servers ...string) {
	for _, at := range servers {
		d.must(d.table.SetServer(d.t.Context(), wwwID, ipvs.Server{Addr: addr(at), Forward: ipvs.Direct, Upper: 900, Lower: 800}))
	}
	d.pass(4 * time.Second)
}

// silent is what a probe says of a server that does not answer.
var silent = probe.Finding{
	Verdict: probe.Fault, Cause: probe.VIPMissing, Short: "it lacks the VIP", Evidence: []string{"SYN for the VIP: silence"},
	Next: []string{"ip addr add 203.0.113.10/32 dev lo label lo:0"},
}

// TestWhyLeadsToTheFix: the answers say what is wrong, what they offer ends it, and
// then they are asked again.
func TestWhyLeadsToTheFix(t *testing.T) {
	d := newWhyDirector(t, 80, 24)
	d.drain("10.0.3.11:443", "10.0.3.12:443", "10.0.3.13:443")
	d.do("y")
	d.sees("the verdict", "Why does TCP 203.0.113.10:443 not work?", "This is why:", "! fault     no server  no server takes new connections", "! bad       servers", "What ends it:", "1 of 16", "fix")
	d.do("down", "tab")
	d.sees("an answer whole", "Who manages the table, and what has changed in the last hour?")
	d.do("esc", "end")
	d.sees("a capture", "To see the packets, on a client:", "tcpdump -ni any -c 200 '(host 203.0.113.10 and tcp port 443) or icmp'")
	d.do("home", "enter")
	d.sees("the plan", "weight 0 to 1", "nothing has changed")
	d.do("enter")
	d.expect("weights", "-r 10.0.3.13:443 -g -w 1 ")
	d.sees("asked again", "Mended: what was found before is not seen any more", "fine      servers    all 3 take new connections", "1 change, the last ")
	d.do("u")
	d.sees("undo, from here", "weight 1 to 0")
	d.do("esc", "y")
	if d.top() != nil {
		t.Errorf("y leaves:\n%s", grid(d.Model))
	}
}

// TestWhyAsksBeforeItProbes, and offers to drain the server that fails.
func TestWhyAsksBeforeItProbes(t *testing.T) {
	d := newWhyDirector(t, 80, 24)
	d.probed = []probe.Finding{{}, silent}
	d.do("enter", "down", "down", "y", "p")
	d.sees("what is sent", "Probe TCP 203.0.113.10:443?", "at most one SYN to each of 3 servers")
	d.do("esc")
	d.sees("nothing was", "Why does 10.0.3.12:443 of TCP 203.0.113.10:443 not work?")
	if d.probes != 0 {
		t.Fatal("probed without a yes")
	}
	d.do("p", "enter")
	d.sees("what it said", "! fault     probe      it lacks the VIP", "relief    drain      until it is mended: drain 10.0.3.12:443", "On 10.0.3.12:", "ip addr add 203.0.113.10/32 dev lo")
	d.do("end", "enter")
	d.sees("nothing to do", "nothing is to be done on this line")
	d.do("home", "f")
	d.sees("the plan", "drain 10.0.3.12:443", "weight 101 to 0")
	d.do("esc", "down", "enter")
	d.sees("the plan", "drain 10.0.3.12:443", "weight 101 to 0")
	d.do("enter")
	d.expect("drained", "-r 10.0.3.12:443 -g -w 0 ")
	d.sees("what it came to", "Relieved: no new clients go to it. Still broken:", "it lacks the VIP", "give it its weight again")
	if d.probes != 1 {
		t.Errorf("%d probes, want 1: only those that were asked for", d.probes)
	}
	d.err = errors.New("not permitted to send probes")
	d.do("p", "enter")
	d.sees("why not, and the answers before", "not permitted to send probes", "! look      traffic")
	d.opts.Demo = "steady"
	d.do("r", "p")
	d.sees("none in a demo", "there is nobody to probe")
}

// TestWhyCanBeStopped while it looks around, and says what it cannot look at.
func TestWhyCanBeStopped(t *testing.T) {
	d := newWhyDirector(t, 80, 24)
	d.must(d.table.AddService(t.Context(), ipvs.NewService(ipvs.MarkService(7, ipvs.IPv4))))
	d.pass(2 * time.Second)
	scene := d.opts.Why.Scene
	d.opts.Why.Scene = func(ctx context.Context, id ipvs.ServiceID) (check.Scene, error) {
		d.sees("what is asked", "asking: Who manages the table", "esc stop")
		press(d.Model, "p", "r", "down", "esc")
		return scene(ctx, id)
	}
	d.do("y")
	d.sees("stopped", "stopped before the end")
	d.opts.Why.Scene = func(ctx context.Context, id ipvs.ServiceID) (check.Scene, error) {
		press(d.Model, "q")
		return scene(ctx, id)
	}
	d.do("r")
	if d.top() != nil {
		t.Errorf("q leaves:\n%s", grid(d.Model))
	}
	d.opts.Why.Scene = func(ctx context.Context, id ipvs.ServiceID) (check.Scene, error) {
		s, err := scene(ctx, id)
		s.Unread, s.Firewall = []string{"the firewall: operation not permitted"}, nil
		return s, err
	}
	d.do("end", "y", "p")
	d.sees("a mark", "FWM 7", "1 thing could not be looked at", "not here  answers", "a mark has no VIP", "not known firewall")
	d.opts.Why.Scene = nil
	d.do("esc", "y")
	d.sees("nobody to ask", "nobody can look around here")
}

func TestWhyScreens(t *testing.T) {
	for _, sc := range []struct {
		name string
		harm func(*whyDirector)
		keys []string
	}{
		{"why-fault", func(d *whyDirector) {
			d.host.PutFirewall(false, "*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT DROP [0:0]\nCOMMIT\n")
			d.drain("10.0.3.13:443")
		}, []string{"y"}},
		{"why-nothing", func(*whyDirector) {}, []string{"y"}},
		{"why-probed", func(d *whyDirector) { d.probed = []probe.Finding{{}, silent} }, []string{"enter", "down", "down", "y", "p", "enter"}},
		{"why-capture", func(*whyDirector) {}, []string{"y", "end", "up", "up"}},
	} {
		for _, size := range [][2]int{{80, 24}, {200, 50}} {
			d := newWhyDirector(t, size[0], size[1])
			d.opts.Store, d.opts.RulesFile = nil, "" // which have times and places of this test
			sc.harm(d)
			d.do(sc.keys...)
			name := sc.name + map[int]string{80: "-80x24", 200: "-200x50"}[size[0]]
			golden(t, name, grid(d.Model)+"\n"+styles(d.Model))
			if size[0] != 80 {
				continue
			}
			d.Update(tea.ColorProfileMsg{Profile: colorprofile.ASCII})
			d.signs = paint.ASCII
			d.settle()
			text := grid(d.Model)
			golden(t, name+"-ascii", text+"\n"+styles(d.Model))
			if i := strings.IndexFunc(text, func(r rune) bool { return r > '~' }); i >= 0 {
				t.Errorf("%s: not ASCII: %q", sc.name, text[i:min(len(text), i+20)])
			}
		}
	}
}

// TestWhyOfAFinding: y asks about the finding's own service, and enter drains the
// server of a fault that nothing here ends, whatever the services screen shows.
func TestWhyOfAFinding(t *testing.T) {
	d := newWhyDirector(t, 80, 24)
	dead := check.Finding{
		Check: "neighbour", Severity: check.Fault, Service: wwwID, Server: addr("10.0.3.12:443"), Short: "the server does not answer on its segment",
		Evidence: []string{"ip neighbour: FAILED"}, Means: "Connections that are given to it time out.", Lines: []string{"ip link"},
	}
	d.opts.Checks = &told{report: &check.Report{Findings: []check.Finding{dead}}}
	d.do("/", "z", "z", "enter", "F")
	d.sees("the way out", "Until it is mended: drain 10.0.3.12:443", "drain   y why")
	if strings.Contains(grid(d.Model), "filter: zz") {
		t.Errorf("the filter of another screen:\n%s", grid(d.Model))
	}
	d.do("y")
	d.sees("its service", "Why does 10.0.3.12:443 of TCP 203.0.113.10:443 not work?")
	d.do("esc", "enter")
	d.sees("the plan", "drain 10.0.3.12:443", "weight 101 to 0")
}

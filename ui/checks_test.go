package ui

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
	"lvsdeck/ops/check"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/probe"
	"lvsdeck/ui/paint"
)

// told is checks that found what the test says.
type told struct {
	report *check.Report
	asked  []bool // for each probe: of the first service only
	during func() // while a probe goes on
	err    error
}

func (c *told) Latest() *check.Report                          { return c.report }
func (c *told) LookNow(context.Context) (*check.Report, error) { return c.report, c.err }

func (c *told) Probe(ctx context.Context, only func(ipvs.ServiceID) bool, progress func(asked, of int)) (check.Asked, error) {
	c.asked = append(c.asked, !only(ipvs.MarkService(1, ipvs.IPv4)))
	progress(2, 7)
	if c.during != nil {
		c.during()
	}
	if c.err != nil {
		return check.Asked{}, c.err
	}
	if ctx.Err() == nil {
		r := *c.report
		r.Probed = noon
		c.report = &r
	}
	all := check.Asked{VIPs: []check.AskedVIP{{Finding: probe.Finding{Verdict: probe.Fine}}}}
	for range 3 {
		all.Servers = append(all.Servers, probe.Result{Target: probe.Target{Protocol: ipvs.TCP}, Finding: probe.Finding{Verdict: probe.Fine}})
	}
	return all, ctx.Err()
}

// findings are of newDirector's services, one of each kind.
func findings() []check.Finding {
	web, dns := ipvs.AddressService(ipvs.TCP, addr("203.0.113.10:443")), ipvs.AddressService(ipvs.UDP, addr("203.0.113.53:53"))
	v6 := ipvs.AddressService(ipvs.TCP, addr("[2001:db8:1111:2222:3333:4444:5555:6666]:443"))
	all := []check.Finding{
		{
			Check: "vip", Severity: check.Fault, Service: web, Short: "the VIP 203.0.113.10 is not on this director",
			Evidence: []string{"ip route get 203.0.113.10: not local, but out by eth0"},
			Means:    "Clients' packets never come to the balancer: connections time out.",
			Fix: &plan.Plan{Title: "the VIP", Items: []plan.Item{{
				Step:   plan.Have(netcfg.Address{Link: "eth0", Prefix: netip.MustParsePrefix("203.0.113.10/32")}),
				Reason: "Packets for the VIP must be for this host.",
			}}},
		},
		{
			Check: "no server", Severity: check.Fault, Service: dns, Short: "the service has no server",
			Evidence: []string{"0 servers"}, Means: "Clients are refused: the director answers that the port is unreachable.",
		},
		{
			Check: "half-open", Severity: check.Warning, Service: web, Server: addr("10.0.3.12:443"), Short: "many handshakes do not end\x1b[2J",
			Evidence: []string{"of 120 connections with a packet in the last 60 s 40 are in SYN_RECV: 33 %"},
			Means:    "The server or its way back does not answer, or clients ask without meaning it (a flood). A probe tells which.",
		},
		{
			Check: "answers", Severity: check.Warning, Service: v6, Server: addr("[2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:443"), Short: "a DR server answers by way of the director",
			Evidence: []string{"1200 packets in and 900 out since the last look"},
			Means:    "It works while the director takes such packets, and costs it the answers' bandwidth.",
			Lines:    []string{"ip -6 route get CLIENT from 2001:db8:1111:2222:3333:4444:5555:6666  # must not go via the director"},
		},
		{
			Check: "owner", Short: "keepalived manages this table", Evidence: []string{"it runs as pid 4242"},
			Means: "Nothing for clients. About changes made here: keepalived puts its own servers and weights back.",
		},
	}
	for i := range all {
		all[i].Since = noon.Add(-time.Duration(i*i*47) * time.Second)
	}
	return all
}

func reportOf(all []check.Finding) *check.Report {
	return &check.Report{Time: noon, Took: 42 * time.Millisecond, Services: 2, Servers: 3, Findings: all}
}

func checkedDirector(t *testing.T, c Checks, width, height int) *director {
	t.Helper()
	d := newDirector(t)
	d.start(width, height)
	d.opts.Checks = c
	_, cmd := d.Update(sampleMsg{})
	d.finish(cmd)
	return d
}

func TestFindingsAreOnTheServicesScreen(t *testing.T) {
	d := checkedDirector(t, &told{report: reportOf(findings())}, 80, 24)
	d.sees("marks of both services, and how many findings there are", "2F  2W", " F▸ TCP 203.0.113.10:443", " F▸ UDP 203.0.113.53:53")
	d.do("enter", "tab")
	d.sees("the server's mark, and the service's findings", " W    10.0.3.12:443", "fault        the VIP 203.0.113.10 is not on this director", "warning      many handshakes do not end[2J   10.0.3.12:443")
	d.do("down")
	d.sees("what is about all of the service", "fault        the VIP")
	d.do("tab", "!")
	d.sees("problems only", "10.0.3.12:443", "2 of 2 services")
	if g := grid(d.Model); strings.Contains(g, "10.0.3.11:443") {
		t.Errorf("a server without a finding is shown as a problem:\n%s", g)
	}
	d.Update(tea.WindowSizeMsg{Width: 132, Height: 24})
	d.sees("words where there is room", "2 faults  2 warnings")
}

func TestChecksLeadToTheFinding(t *testing.T) {
	c := &told{report: reportOf(findings())}
	d := checkedDirector(t, c, 80, 24)
	d.do("enter", "down", "down", "F")
	d.sees("the server's own or its service's worst", "the VIP 203.0.113.10 is not on this director", "What ends it:", "ip addr add 203.0.113.10/32 dev eth0", "1 of 5")
	d.do("down", "enter")
	d.sees("nothing to be done", "0 servers", "no change is known that ends it for sure")
	d.do("down", "down", "tab")
	d.sees("the whole finding", "On 2001:db8:aaaa:bbbb:cccc:dddd:eeee:1:", "ip -6 route get CLIENT")
	d.do("enter")
	d.sees("why not", "the lines are for the other host")
	d.do("esc")

	// The cursor stays with its finding, and then in its place.
	c.report = reportOf(findings()[2:])
	d.do("r")
	d.sees("the same", "2 of 3", "a DR server answers")
	c.report = reportOf(findings()[4:])
	d.do("r")
	d.sees("what is left", "1 of 1", "pid 4242")
	c.report = reportOf(nil)
	c.report.Unread = []string{"the firewall: operation not permitted"}
	d.do("r")
	d.sees("nothing", "Nothing wrong is seen from here", "2 services with 3 servers", "Not looked at", "operation not permitted", "P probes all servers")
	d.do("enter", "f", "tab", "down", "F")
	if d.top() != nil {
		t.Errorf("F leaves:\n%s", grid(d.Model))
	}
}

func TestChecksFilter(t *testing.T) {
	all := findings()
	d := checkedDirector(t, &told{report: reportOf(append(all, all[4]))}, 80, 24)
	d.do("F", "/")
	d.types("10.0.3.12")
	d.do("enter")
	d.sees("the server's", "filter: 10.0.3.12  (1 of 6)", "many handshakes do not end", "1 of 1")
	d.do("/")
	d.fill("nothing like it")
	d.do("enter", "enter", "down", "tab")
	d.sees("none", "(0 of 6)   esc clears it")
	d.do("esc", "end", "up", "down")
	d.sees("two that look alike", "6 of 6", "pid 4242")
}

// TestChecksOnASmallScreen: what a finding is, is told in full before the list is.
func TestChecksOnASmallScreen(t *testing.T) {
	d := checkedDirector(t, &told{report: reportOf(findings())}, 60, 16)
	d.do("F")
	d.sees("two rows, and six lines of the first", "VIP 203.0.113.10 is not", "the service has no", "connections\n time out.\n tab shows 4 more lines", "fix ", "esc back")
	d.seesNot("the third row", "10.0.3.12:443")
	d.do("end")
	d.sees("the last", "the director", "5 of 5", "pid 4242", "puts its own servers and weights back")
}

// TestChecksAboutIsNoRiddle: rows of a narrow screen that are about two services'
// servers at one address do not look alike, and the servers of marks have no port.
func TestChecksAboutIsNoRiddle(t *testing.T) {
	var all []check.Finding
	for id, at := range map[ipvs.ServiceID]string{
		ipvs.AddressService(ipvs.TCP, addr("203.0.113.10:443")): "10.0.3.12:443",
		ipvs.AddressService(ipvs.UDP, addr("203.0.113.10:443")): "10.0.3.12:443",
		ipvs.MarkService(7, ipvs.IPv4):                          "10.0.3.12:0",
	} {
		all = append(all, check.Finding{Check: "neighbour", Severity: check.Fault, Service: id, Server: addr(at), Short: "silent", Since: noon, Evidence: []string{"FAILED"}})
	}
	check.Sort(all)
	d := checkedDirector(t, &told{report: reportOf(all)}, 80, 24)
	d.do("F", "end")
	d.sees("each", "4s 10.0.3.12:443     silent", "4s UDP 10.0.3.12:443 silent", "4s FWM 7 10.0.3.12   silent", "server 10.0.3.12: silent", "seen since 2026")
	d.Update(tea.WindowSizeMsg{Width: 132, Height: 24})
	d.sees("with room", "FWM 7                10.0.3.12     silent")
}

// TestChecksOfferWhatCanBeDone: not a fix where nothing may be changed, and no
// question before a probe that nobody would answer.
func TestChecksOfferWhatCanBeDone(t *testing.T) {
	c := &told{report: reportOf(findings())}
	d := checkedDirector(t, c, 80, 24)
	d.do("F")
	d.sees("both", "fix ", "u undo")
	d.opts.Limits = ipvs.Limits{ReadOnly: true, Why: "--read-only"}
	d.do("up")
	d.seesNot("neither", " fix ", "undo")
	d.do("tab")
	d.seesNot("in full", " fix ", "undo")
	d.do("tab", "enter")
	d.sees("why not", "read-only: --read-only")
	d.opts.Demo = "incident"
	for _, key := range []string{"p", "P"} {
		d.do(key)
		d.sees("at once", "made up: there is nobody to probe")
	}
	if len(c.asked) > 0 {
		t.Error("a demo was probed")
	}
}

// TestChecksAfterAnUndo: what comes back has the cursor, until that is moved.
func TestChecksAfterAnUndo(t *testing.T) {
	all := findings()
	c := &told{report: reportOf(all[4:])}
	d := checkedDirector(t, c, 80, 24)
	d.do("F")
	d.sees("what is left", "1 of 1", "pid 4242")
	d.do("u")
	c.report = reportOf(all)
	d.do("r")
	d.sees("the worst", "1 of 5", "ip addr add 203.0.113.10/32")
	d.do("end", "r")
	d.sees("as it was moved", "5 of 5")
}

func TestProbesAreAskedFor(t *testing.T) {
	c := &told{report: reportOf(findings())}
	d := checkedDirector(t, c, 80, 24)
	d.do("F", "p")
	d.sees("what is sent", "Probe TCP 203.0.113.10:443?", "at most one SYN to each of 3 servers")
	d.do("esc")
	if len(c.asked) != 0 {
		t.Fatal("esc has probed")
	}
	d.do("p", "enter")
	d.sees("the answer", "3 servers asked: 3 answer; nobody else has the VIP")
	d.do("end", "p")
	d.sees("no service to probe", "P probes the servers of all services")
	d.do("y")
	d.sees("nor to ask about", "y asks about a service")
	d.do("P", "enter")
	if len(c.asked) != 2 || !c.asked[0] || c.asked[1] {
		t.Errorf("asked: %v", c.asked)
	}
	c.err = errors.New("this is a demo")
	d.do("P", "enter")
	d.sees("why not", "Nothing could be probed", "this is a demo")
	d.do("esc")

	// While one goes on, the screen stays in hand, and esc ends it.
	c.err, c.during = nil, func() {
		d.sees("progress", "probing all services: ", ", 2 of 7 servers asked", "esc stops")
		press(d.Model, "P")
		d.sees("one at a time", "is going on")
		press(d.Model, "esc")
	}
	d.do("P", "enter")
	d.sees("stopped", "the probe was stopped")
}

// TestChecksFix: what a real round finds on a director in memory is ended from the
// screen, the round after it finds nothing, and undo brings it back.
func TestChecksFix(t *testing.T) {
	d, _, timer := bare(t, 80, 24)
	d.must(d.table.AddService(t.Context(), ipvs.NewService(ipvs.AddressService(ipvs.TCP, addr("203.0.113.10:80")))))
	id := ipvs.AddressService(ipvs.TCP, addr("203.0.113.10:80"))
	d.must(d.table.AddServer(t.Context(), id, ipvs.Server{Addr: addr("10.0.3.11:80"), Weight: 0}))
	d.must(d.host.Add(netcfg.Address{Link: "eth0", Prefix: netip.MustParsePrefix("203.0.113.10/32")}))
	d.must(d.host.Set("net/ipv4/conf/eth1/forwarding", "0"))
	w := check.NewWatch(check.WatchOptions{Sources: check.Sources{Host: d.host, Table: d.table}})
	d.opts.Checks = w
	look := func() {
		t.Helper()
		d.pass(2 * time.Second)
		w.Seen(d.sampler.Latest())
		d.do("r")
	}
	d.do("F")
	d.sees("before the first round", "the first round is under way", "packet is sent")
	look()
	d.sees("both", "2 faults", "forwarding is off on eth1", "no server takes new connections")

	d.do("down", "f")
	d.sees("a plan on the table, as every other", "weight 0 to 1", "do it ", "nothing has changed")
	d.do("enter")
	d.expect("weight", "-r 10.0.3.11:80 -m -w 1")
	look()
	d.sees("one is left", "1 fault")
	d.do("enter")
	d.sees("a plan on the host", "do it, to be confirmed in 2m")
	d.do("enter")
	look()
	d.sees("all is well", "Nothing wrong is seen from here", "taken back in 96 s")
	if timer.Pending == nil {
		t.Fatal("the change on the host does not wait to be confirmed")
	}
	d.host.Put("net/netfilter/nf_conntrack_count", "100")
	d.host.Put("net/netfilter/nf_conntrack_max", "100")
	look()
	d.do("enter")
	d.sees("one after the other", "waits to be confirmed first")
	d.do("ctrl+y")
	d.must(d.host.Set("net/netfilter/nf_conntrack_max", "200"))
	d.do("enter")
	d.sees("somebody else was quicker", "it is so already")
	look()
	d.do("u", "enter")
	look()
	d.sees("broken again", "1 fault", "forwarding is off on eth1")
}

// checkScenes are the screen in its states.
var checkScenes = []struct {
	name   string
	report func() *check.Report
	keys   []string
}{
	{"checks", func() *check.Report { return reportOf(findings()) }, []string{"F"}},
	{"checks-warning", func() *check.Report { return reportOf(findings()) }, []string{"F", "down", "down", "down"}},
	{"checks-none", func() *check.Report {
		r := reportOf(nil)
		r.Unread, r.Probed = []string{"the firewall: nft list ruleset: operation not permitted"}, noon.Add(-3*time.Minute)
		return r
	}, []string{"F"}},
	{"checks-services", func() *check.Report { return reportOf(findings()) }, []string{"enter", "tab"}},
}

func TestCheckScreens(t *testing.T) {
	for _, sc := range checkScenes {
		for _, size := range [][2]int{{80, 24}, {200, 50}} {
			d := checkedDirector(t, &told{report: sc.report()}, size[0], size[1])
			d.do(sc.keys...)
			name := sc.name + map[int]string{80: "-80x24", 200: "-200x50"}[size[0]]
			checks := strings.NewReplacer(fmt.Sprintf("%d checks", len(check.Checks)), "NN checks") // there will be more
			golden(t, name, checks.Replace(grid(d.Model))+"\n"+styles(d.Model))
			if size[0] != 80 {
				continue
			}
			d.Update(tea.ColorProfileMsg{Profile: colorprofile.ASCII})
			d.signs = paint.ASCII
			d.settle()
			text := grid(d.Model)
			golden(t, name+"-ascii", checks.Replace(text)+"\n"+styles(d.Model))
			if i := strings.IndexFunc(text, func(r rune) bool { return r > '~' }); i >= 0 {
				t.Errorf("%s: not ASCII: %q", sc.name, text[i:min(len(text), i+20)])
			}
		}
	}
}

package plain

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/alarm"
	"lvsdeck/ops/check"
	"lvsdeck/ops/conns"
	"lvsdeck/ops/history"
	"lvsdeck/ops/incident"
	"lvsdeck/ops/plan"
	"lvsdeck/ops/report"
	"lvsdeck/persist"
	"lvsdeck/ui/paint"
)

var update = flag.Bool("update", false, "write the golden reports anew")

func init() { time.Local = time.UTC }

// anIncident is a server that dies, what was noted and found meanwhile, and a client
// that has more than its part; texts from elsewhere mean ill.
func anIncident() report.Sources {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	id := ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))
	dead, alive := netip.MustParseAddrPort("10.0.3.11:443"), netip.MustParseAddrPort("10.0.3.12:443")
	store := history.New()
	var last *ops.Sample
	for n := range 180 {
		at := began.Add(time.Duration(n+1) * 10 * time.Second)
		v := &ops.Service{Service: ipvs.NewService(id)}
		for _, a := range []netip.AddrPort{dead, alive} {
			x := uint64(100 + 10*(n%5))
			switch {
			case n >= 120 && a == dead:
				x = 0
			case n >= 120:
				x *= 2
			}
			f := ops.Figures{Active: 9 * x, Rate: ipvs.Traffic{Conns: x}, Counted: true}
			v.Servers = append(v.Servers, &ops.Server{Server: ipvs.Server{Addr: a, Weight: 1}, Figures: f})
			v.Rate.Conns += f.Rate.Conns
		}
		v.Sum()
		v.Counted = true
		last = &ops.Sample{Time: at, Interval: 10 * time.Second, Services: []*ops.Service{v}, Figures: v.Figures}
		store.Add(last)
	}
	row := alarm.Row{Service: id, Server: dead}
	limit := alarm.Threshold{Row: row, Figure: alarm.ConnRate, Below: true, Limit: 10, Hold: 3}
	crossed := began.Add(20*time.Minute + 20*time.Second)
	alice := persist.Who{User: "alice", From: "198.51.100.7"}
	store.Mark(history.Mark{Time: began.Add(19 * time.Minute), Kind: history.Changed, Plan: "p", Text: "firewall | of `10.0.3.11` [x](http://evil) <b>", About: []history.Key{{Service: id, Server: dead}}})
	client := func(p string, n, half uint64) conns.Group {
		return conns.Group{Client: netip.MustParsePrefix(p), Counts: conns.Counts{Conns: n, Open: n - half, HalfOpen: half}}
	}
	return report.Sources{
		Host: "dir-a\x1b[2J", Of: "the running director", From: began, To: last.Time, History: store, Latest: last,
		Log: &incident.History{Entries: []incident.Entry{
			{Time: crossed.Add(2 * time.Minute), Kind: incident.Noted, Row: row, Text: "rack 7 is | without power\n# not a title", By: alice},
			{Time: crossed.Add(time.Minute), Kind: incident.Found, Row: row, ID: "f", Severity: "fault", Text: "10.0.3.11:443 does not answer", By: alice},
			{Time: crossed, Kind: incident.Crossed, Row: row, ID: "t", Threshold: &limit, Value: 0, By: alice},
		}},
		Checks: &check.Report{Time: last.Time, Unread: []string{"the firewall: no rights"}, Findings: []check.Finding{{
			Check: "neighbour", Severity: check.Fault, Service: id, Server: dead, Short: "10.0.3.11 does not answer ARP",
			Evidence: []string{"the neighbour 10.0.3.11 on eth1 is FAILED"}, Means: "Half of the new connections are lost.",
			Fix:   removal(plan.RemoveServers([]plan.Row{{Service: id, Server: ipvs.Server{Addr: dead, Weight: 1}}})),
			Lines: []string{"ip -br addr show   # is `10.0.3.11` there?"},
		}}},
		Conns: &conns.Result{All: conns.Counts{Conns: 1800, Open: 1700, HalfOpen: 100, Templates: 3}, Rankings: []conns.Ranking{
			{By: conns.ByClient, Groups: []conns.Group{client("198.51.100.7/32", 600, 0), client("192.0.2.1/32", 12, 2)}},
			{By: conns.ByNet, Groups: []conns.Group{client("198.51.100.0/24", 610, 0)}},
		}}, ConnsAt: last.Time,
	}
}

func removal(p plan.Plan) *plan.Plan { return &p }

// TestMarkdownIsInert: of nothing that comes from elsewhere becomes a link, a mention,
// or a definition of one.
func TestMarkdownIsInert(t *testing.T) {
	for text, want := range map[string]string{
		"see https://evil.example/x|y now": "see `https://evil.example/x\\|y` now",
		"ask @ops-team, #12 or www.x.org":  "ask `@ops-team,` `#12` or `www.x.org`",
		"[evil]: http://e":                 "\\[evil]: `http://e`",
		"[x](y) ![z](y)":                   `\[x]\(y) !\[z]\(y)`,
		"# *title* &#64;ops <b>":           "\\# \\*title\\* `&#64;ops` \\<b>",
		"TCP 203.0.113.10:443 `x`":         "TCP 203.0.113.10:443 \\`x\\`",
	} {
		if got := md(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// TestReportOfTwoDays says of which day each time is.
func TestReportOfTwoDays(t *testing.T) {
	s := anIncident()
	s.From = s.From.Add(-20 * time.Hour)
	var b strings.Builder
	r := report.Make(s)
	if err := IncidentReport(&b, &r, paint.Letters); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"to 2026-03-01 12:30:00 UTC", "Began 2026-03-01 12:20:20", "| 2026-03-01 12:22:20 | note |", "       2026-03-01 12:00 "} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("want %q in\n%s", want, b.String())
		}
	}
}

func TestIncidentReport(t *testing.T) {
	quiet := anIncident()
	quiet.Log, quiet.Checks, quiet.Conns, quiet.To = nil, nil, nil, quiet.From.Add(15*time.Minute)
	for name, c := range map[string]struct {
		from report.Sources
		ink  paint.Ink
	}{
		"report.md": {anIncident(), paint.Blocks}, "report-ascii.md": {anIncident(), paint.Letters}, "report-quiet.md": {quiet, paint.Blocks},
	} {
		var b strings.Builder
		r := report.Make(c.from)
		if err := IncidentReport(&b, &r, c.ink); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if b.String() != string(want) {
			t.Errorf("%s differs (go test ./ui/plain -update writes it):\n%s", name, b.String())
		}
		if strings.ContainsAny(b.String(), "\x1b\r") || strings.Contains(strings.ReplaceAll(b.String(), "`[x](http://evil)`", ""), "](") || strings.Contains(b.String(), " <b>") {
			t.Errorf("%s: text from elsewhere changes the form", name)
		}
		if i := strings.IndexFunc(b.String(), func(r rune) bool { return r > '~' }); c.ink == paint.Letters && i >= 0 {
			t.Errorf("%s: not ASCII: %q", name, b.String()[i:i+10])
		}
	}
}

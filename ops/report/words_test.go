package report_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/history"
	"lvsdeck/ops/incident"
	"lvsdeck/ops/report"
)

// TestWhoIsSeenToBeAffected: whoever has no usable server is, whatever checks saw; that
// nobody is, is said only by what was looked at, and when.
func TestWhoIsSeenToBeAffected(t *testing.T) {
	store, last := play(20, func(int, int, int) int { return 100 })
	drained := *last
	drained.Services = slices.Clone(last.Services)
	bare := *last.Services[1]
	bare.Up = 0
	drained.Services[1] = &bare
	made := func(minute int, all ...check.Finding) *check.Report {
		return &check.Report{Time: noon.Add(time.Duration(minute) * time.Minute), Findings: all}
	}
	fault := func(i int) check.Finding {
		return check.Finding{Check: "x", Severity: check.Fault, Service: id(i), Short: "x", Evidence: []string{"x"}}
	}
	const unserved = "New clients of TCP 203.0.113.2:443 are not served: as of 12:20:00 no server there takes new connections."
	for name, c := range map[string]struct {
		latest *ops.Sample
		checks *check.Report
		log    *incident.History
		want   []string
	}{
		"no server, and checks know": {&drained, made(19, fault(1), fault(2)), nil, []string{unserved, "Clients of TCP 203.0.113.1:443 are not served, or not all: checks find faults there."}},
		"no server, nobody looked":   {&drained, nil, nil, []string{unserved}},
		"looked at":                  {last, made(1), &incident.History{}, []string{"Nobody is seen to be affected: checks find no fault as of 12:01:00, no thresholds were crossed, nothing lost half of its connections."}},
		"looked at before":           {last, made(-1), nil, []string{"Nobody is seen to be affected: nothing lost half of its connections. Checks were last made at 2026-03-01 11:59:00, before this time."}},
		"not looked at":              {last, nil, nil, []string{"Nobody is seen to be affected: nothing lost half of its connections. No checks were made."}},
		"not looked at yet":          {last, &check.Report{Unread: []string{"all"}}, nil, []string{"Nobody is seen to be affected: nothing lost half of its connections. No checks were made."}},
	} {
		r := report.Make(report.Sources{History: store, Latest: c.latest, From: noon, To: last.Time, Checks: c.checks, Log: c.log})
		if !slices.Equal(r.Affected, c.want) {
			t.Errorf("%s: %q, want %q", name, r.Affected, c.want)
		}
	}
	r := report.Make(report.Sources{History: history.New(), From: noon, To: last.Time, Checks: made(-1), NoLog: "The incident log is on dir-a"})
	if want := []string{"Nobody is seen to be affected. Checks were last made at 2026-03-01 11:59:00, before this time."}; !slices.Equal(r.Affected, want) {
		t.Errorf("%q, want %q", r.Affected, want)
	}
	if all := strings.Join(r.Missing, " "); strings.Count(all, "incident log") != 1 || !strings.Contains(all, "The incident log is on dir-a: thresholds and notes are missing.") || !strings.Contains(all, "Checks were last made") {
		t.Errorf("%q", all)
	}
}

// TestFaultsOfOneKind are told in one sentence; and of faults that are older than the
// span it is said, where nothing else says when it began.
func TestFaultsOfOneKind(t *testing.T) {
	store, last := play(20, func(int, int, int) int { return 100 })
	fault := func(i int, short string, since time.Duration) check.Finding {
		return check.Finding{Check: "x", Severity: check.Fault, Service: id(i), Short: short, Evidence: []string{"x"}, Since: noon.Add(since)}
	}
	s := report.Sources{History: store, Latest: last, From: noon, To: last.Time, Checks: &check.Report{Time: last.Time, Findings: []check.Finding{
		fault(1, "no answer", -time.Hour), fault(2, "no server", time.Minute), fault(3, "no answer", -2*time.Hour)}}}
	r := report.Make(s)
	if want := []string{"Checks find: no answer (TCP 203.0.113.1:443, TCP 203.0.113.3:443).", "Checks find: no server (TCP 203.0.113.2:443)."}; !slices.Equal(r.Causes, want) {
		t.Errorf("%q, want %q", r.Causes, want)
	}
	if want := "faults are there since 2026-03-01 10:00:00; the last minutes are compared with those before"; r.Why != want {
		t.Errorf("%q, want %q", r.Why, want)
	}
	s.Checks.Findings = s.Checks.Findings[1:2]
	if r := report.Make(s); !strings.HasPrefix(r.Why, "nothing says when;") {
		t.Errorf("%q", r.Why)
	}
}

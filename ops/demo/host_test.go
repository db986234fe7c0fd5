package demo_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"lvsdeck/ops/check"
	"lvsdeck/ops/demo"
	"lvsdeck/ops/plan"
)

// found is what checks find now, a line each.
func (s *show) found() (lines []string, all []check.Finding) {
	s.Helper()
	scene, err := check.Gather(s.Context(), check.Sources{Host: s.Host(), Table: s.Table(), Conns: s.Demo}, s.sampler.Latest())
	must(s.T, err)
	if len(scene.Unread) > 0 {
		s.Errorf("not read: %q", scene.Unread)
	}
	all = check.Run(scene)
	for _, f := range all {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", f.Severity, f.Check, f.Service)))
	}
	return lines, all
}

// On an ordinary day there is nothing to be found, however long it lasts.
func TestOrdinaryDayIsHealthy(t *testing.T) {
	s := open(t, demo.Steady)
	s.sampler.FocusAll()
	for range 4 {
		s.after(5 * time.Minute)
		if got, _ := s.found(); len(got) > 0 {
			t.Errorf("at %s: %q", s.now.Format(time.TimeOnly), got)
		}
	}
}

// On a bad day what happens is found, and what can be ended is.
func TestBadDayIsFound(t *testing.T) {
	s := open(t, demo.Incident)
	s.sampler.FocusAll()
	s.after(time.Minute)
	got, all := s.found()
	for _, want := range []string{"fault neighbour TCP 203.0.113.10:443", "fault no server TCP 203.0.113.25:25", "warning threshold TCP 198.51.100.20:443"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not found: %q", want, got)
		}
	}
	i := slices.IndexFunc(all, func(f check.Finding) bool { return f.Check == "no server" })
	for _, item := range all[i].Fix.Items {
		must(t, item.Step.Do(t.Context(), plan.Target{Table: s.Table(), Sysctls: s.Host(), Host: s.Host()}))
	}
	s.after(10 * time.Second)
	if got, _ := s.found(); slices.Contains(got, "fault no server TCP 203.0.113.25:25") {
		t.Errorf("after the fix: %q", got)
	}
}

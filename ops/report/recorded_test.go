package report_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"lvsdeck/ops"
	"lvsdeck/ops/demo"
	"lvsdeck/ops/record"
	"lvsdeck/ops/report"
)

// recordIncident records the demo's bad day, after a quiet hour, and gives the file.
func recordIncident(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "day.rec")
	site := demo.New(demo.Incident, 1)
	sampler := ops.NewSampler(site.Table(), ops.Options{Interval: 10 * time.Second})
	sampler.FocusAll()
	r := record.NewRecorder(record.Options{Head: record.Head{Time: noon, Host: "dir-a", Interval: 10 * time.Second}})
	if err := r.Start(name, nil); err != nil {
		t.Fatal(err)
	}
	n := 0
	sampler.Each(func(s *ops.Sample) {
		r.Hear(s)
		for n++; r.State().Samples < n; {
			runtime.Gosched()
		}
	})
	site.Prime(t.Context(), sampler, noon)
	site.Play(t.Context(), sampler, noon, 3*time.Minute)
	if state, err := r.Stop(); err != nil || state.Samples != n || state.Lost > 0 {
		t.Fatalf("%+v %v", state, err)
	}
	return name
}

func TestOfARecording(t *testing.T) {
	name := recordIncident(t)
	f, err := record.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, to := f.Span()
	s, err := report.Recorded(f, noon.Add(-30*time.Minute), to)
	if err != nil || !s.Latest.Time.Equal(to) || s.Host != "dir-a" || s.Of != "the recording day.rec" {
		t.Fatalf("%+v %v", s, err)
	}
	r := report.Make(s)
	all := strings.Join(append(append(r.Changed, r.Affected...), r.Causes...), " ")
	for _, want := range []string{"10.0.3.12:", "203.0.113.53:53", "10.0.6.11:25 of TCP"} {
		if !strings.Contains(all, want) {
			t.Errorf("want %q in %s", want, all)
		}
	}
	if r.Began.Before(noon.Add(-time.Minute)) || r.Began.After(noon.Add(time.Minute)) {
		t.Errorf("began %v (%s)", r.Began, r.Why)
	}
	if s, _ := report.Recorded(f, noon.Add(-30*time.Minute), noon); !s.Latest.Time.Equal(noon) {
		t.Errorf("the end is not held to: %v", s.Latest.Time)
	}

	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut.rec")
	text[len(text)/2] ^= 0xff
	if err := os.WriteFile(cut, text[:len(text)-9], 0o600); err != nil {
		t.Fatal(err)
	}
	f, err = record.Open(cut)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	from, to := f.Span()
	s, err = report.Recorded(f, from, to)
	if err != nil || len(s.Lacks) == 0 {
		t.Fatalf("damaged and cut: %q, %v", s.Lacks, err)
	}
	if r := report.Make(s); !strings.Contains(strings.Join(r.Missing, " "), "A part of the recording") {
		t.Errorf("%q", r.Missing)
	}
}

package ui

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"lvsdeck/ops"
	"lvsdeck/ops/alarm"
	"lvsdeck/ops/incident"
	"lvsdeck/ops/record"
	"lvsdeck/ui/plain"
)

// TestReplayHasThresholds as they stood: the list and the screen of thresholds say of
// each reading what they said live, what was crossed is a mark, and nothing can be
// changed.
func TestReplayHasThresholds(t *testing.T) {
	w := newWatched(t)
	w.do("tab")
	r := record.NewRecorder(record.Options{Head: record.Head{Host: "dir-a"}})
	w.watch.Told = func(standing []alarm.Status, news []incident.Entry) {
		r.Thresholds(standing, plain.CrossingMarks(news)...)
	}
	var all []*ops.Sample
	w.sampler.Each(func(s *ops.Sample) {
		r.Hear(s)
		for all = append(all, s); r.State().Samples < len(all); {
			runtime.Gosched()
		}
	})
	row := alarm.Row{Service: w.sampler.Latest().Services[0].ServiceID}
	w.must(w.watch.Put(alarm.Threshold{Row: row, Figure: alarm.Active, Limit: 400, Hold: 2}, ""))
	w.must(w.watch.Put(alarm.Threshold{Figure: alarm.ConnRate, Below: true, Limit: 100, Hold: 1}, ""))
	name := filepath.Join(t.TempDir(), "x.rec")
	w.must(r.Start(name, nil))
	said := func(m *Model) []string { // but what says that it is a recording
		list := strings.Split(grid(m), "\n")
		press(m, "T")
		alarms := strings.Split(grid(m), "\n")
		press(m, "esc")
		return slices.Concat(list[2:22], alarms[4:22])
	}
	var want [][]string
	for _, active := range []uint32{50, 200, 200, 300, 10, 10, 10, 200, 200, 200} {
		w.passes(1, active, uint64(active))
		want = append(want, said(w.Model))
	}
	_, err := r.Stop()
	w.must(err)
	if text := strings.Join(want[2], "\n"); !strings.Contains(text, " T▸ TCP") || !strings.Contains(text, "Crossed since 12:04:37; now 600") {
		t.Fatalf("it is not crossed:\n%s", text)
	}

	f, err := record.Open(name)
	w.must(err)
	defer f.Close()
	back := replay(t, f, 80, 24)
	press(back.Model, "tab")
	for _, step := range []string{".", ","} {
		for i := range all {
			if step == "," {
				i = len(all) - 1 - i
			}
			back.goes(all[i])
			if got := said(back.Model); !slices.Equal(got, want[i]) {
				t.Errorf("reading %d:\n%s\nwant:\n%s", i, strings.Join(got, "\n"), strings.Join(want[i], "\n"))
			}
			if last := len(all) - 1; step == "." && i < last || step == "," && i > 0 {
				press(back.Model, step)
			}
		}
	}
	var marks []string
	for _, m := range f.Marks() {
		marks = append(marks, m.Kind.String()+" "+m.Text)
	}
	told := []string{
		"crossed TCP 203.0.113.10:443: active is 600, above 400",
		"crossed the director: conn/s is 30, below 100",
		"ended TCP 203.0.113.10:443: active is 30, no more above 400",
		"ended the director: conn/s is 600, no more below 100",
		"crossed TCP 203.0.113.10:443: active is 600, above 400",
	}
	if !slices.Equal(marks, told) {
		t.Errorf("the marks are\n%s\nwant\n%s", strings.Join(marks, "\n"), strings.Join(told, "\n"))
	}

	press(back.Model, ")")
	back.goes(all[2])
	if !strings.Contains(back.message, "active is 600, above 400") {
		t.Errorf(") says %q", back.message)
	}
	golden(t, "replay-crossed-80x24", grid(back.Model)+"\n"+styles(back.Model))
	press(back.Model, "T")
	golden(t, "replay-thresholds-80x24", grid(back.Model)+"\n"+styles(back.Model))
	for _, key := range []string{"a", "A", "x", "enter", "tab", "b"} {
		press(back.Model, key)
		if _, on := back.top().(*thresholds); !on || !strings.Contains(back.message, "a recording has thresholds as they stood") {
			t.Errorf("%s says %q", key, back.message)
		}
	}
	press(back.Model, "esc", "H")
	if text := grid(back.Model); !strings.Contains(text, " T crossed") {
		t.Errorf("the graph does not say what was crossed:\n%s", text)
	}
}

// TestReplayWithoutThresholds says so.
func TestReplayWithoutThresholds(t *testing.T) {
	r := replay(t, recording(t, incidentSamples(t, 6), record.Options{}), 80, 24)
	press(r.Model, "T")
	if !strings.Contains(grid(r.Model), "This recording has no thresholds") {
		t.Errorf("it says:\n%s", grid(r.Model))
	}
}

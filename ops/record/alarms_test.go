package record

import (
	"bytes"
	"net/netip"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/alarm"
	"lvsdeck/ops/history"
)

var (
	dns    = ipvs.AddressService(ipvs.UDP, netip.MustParseAddrPort("192.0.2.5:53"))
	busy   = alarm.Threshold{Row: alarm.Row{Service: dns}, Figure: alarm.Active, Limit: 40, Hold: 2}
	lonely = alarm.Threshold{Figure: alarm.ConnRate, Below: true, Limit: 7, Hold: 1}
)

// TestAlarmsComeBack: each sample has thresholds as they stood in it, with the
// figures that it has itself, wherever reading begins.
func TestAlarmsComeBack(t *testing.T) {
	samples := newLife(t, 30).samples(4 * keySamples)
	var j alarm.Judge
	j.Set([]alarm.Threshold{busy, lonely}, nil)
	var out bytes.Buffer
	out.WriteString(magic)
	w, err := NewWriter(&out, testHead)
	must(t, err)
	want, crossed, changes := make([][]alarm.Status, len(samples)), false, 0
	for i, s := range samples {
		must(t, w.Sample(s))
		switch {
		case i < 5: // nobody watches yet
			continue
		case i == 500: // all are removed
			j.Set(nil, nil)
		}
		j.Look(s)
		want[i] = alarmsIn(s, j.All())
		if now := len(want[i]) > 0 && want[i][0].Crossed; now != crossed {
			crossed = now
			changes++
		}
		must(t, w.Alarms(j.All()))
	}
	if changes < 3 {
		t.Fatalf("a threshold was crossed or ended only %d times", changes)
	}
	must(t, w.Flush())
	f := read(t, append(out.Bytes(), recorded(t, samples[:3])[len(magic):]...)) // and a session without
	for _, from := range []int{0, 160, 599, 600} {
		c := f.at(from, time.Time{})
		for i := c.number; i < len(samples)+3; i++ {
			s, _, err := c.Next()
			must(t, err)
			var expected []alarm.Status
			if i < len(samples) {
				expected = want[i]
			}
			var got []alarm.Status
			if c.Alarms() != nil {
				got = alarmsIn(s, c.Alarms())
			}
			for k := range min(len(got), len(expected)) {
				if !got[k].Since.Equal(expected[k].Since) {
					t.Errorf("sample %d: since %v, want %v", i, got[k].Since, expected[k].Since)
				}
				got[k].Since = expected[k].Since
			}
			if !reflect.DeepEqual(got, expected) {
				t.Fatalf("sample %d, read from %d:\n%+v, want\n%+v", i, from, got, expected)
			}
		}
	}
}

// TestBadAlarmsAreRefused: a recording may be from anybody.
func TestBadAlarmsAreRefused(t *testing.T) {
	one := `{"row":"UDP 192.0.2.5:53","figure":"active","limit":40,"hold":2}`
	for text, want := range map[string]string{
		"[" + one + "]": "",
		"[]":            "",
		`[{"row":"UDP 192.0.2.5:53","figure":"mood","limit":40,"hold":2}]`: `figure "mood"`,
		`[{"row":"UDP 192.0.2","figure":"active","limit":40,"hold":2}]`:    "192.0.2",
		"{}": "it is no list",
		"[" + strings.Repeat(one+",", alarm.Most) + one + "]": "more than 1000",
	} {
		all, err := readAlarms([]byte(text))
		if want == "" && (err != nil || all == nil) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.80s: %v, %v; want %q", text, all, err, want)
		}
	}
}

// TestRecorderHearsThresholds: what was crossed is a mark, and stands so in its sample.
func TestRecorderHearsThresholds(t *testing.T) {
	all := newLife(t, 31).samples(6)
	r := NewRecorder(Options{Head: testHead})
	mark := func(i int) history.Mark { return history.Mark{Time: all[i].Time, Kind: history.Crossed, Text: "x"} }
	r.Thresholds(nil, mark(0)) // nobody records yet
	name := filepath.Join(t.TempDir(), "x.rec")
	must(t, r.Start(name, nil))
	for i, s := range all {
		standing := []alarm.Status{{Threshold: busy, Crossed: i >= 2, Since: all[2].Time}}
		if i == 2 {
			r.Thresholds(standing, mark(i))
		} else {
			r.Thresholds(standing)
		}
		for r.Hear(s); r.State().Samples <= i && r.State().Err == nil; {
			runtime.Gosched()
		}
	}
	_, err := r.Stop()
	must(t, err)
	f, err := Open(name)
	must(t, err)
	defer f.Close()
	var crossed []time.Time
	for _, m := range f.Marks() {
		if m.Kind == history.Crossed {
			crossed = append(crossed, m.Time)
		}
	}
	if len(crossed) != 1 || !crossed[0].Equal(all[2].Time) {
		t.Errorf("crossed at %v, want %v", crossed, all[2].Time)
	}
	p := run(t, f, all)
	for i := range all {
		if got := p.Alarms(); len(got) != 1 || got[0].Crossed != (i >= 2) {
			t.Errorf("at sample %d thresholds stood as %+v", i, got)
		}
		p.Step(1)
		p.does()
	}
}

// TestLostSampleLosesNoCrossing: the next sample tells it.
func TestLostSampleLosesNoCrossing(t *testing.T) {
	r := NewRecorder(Options{Head: testHead})
	r.to = &session{queue: make(chan heard, 1)}
	r.Hear(&ops.Sample{})
	r.Thresholds(nil, history.Mark{Text: "x"})
	r.Hear(&ops.Sample{})
	<-r.to.queue
	r.Hear(&ops.Sample{})
	if h := <-r.to.queue; r.State().Lost != 1 || len(h.crossed) != 1 {
		t.Errorf("lost %d; the next has %v", r.State().Lost, h.crossed)
	}
}

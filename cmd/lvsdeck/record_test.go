package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"lvsdeck/ops"
	"lvsdeck/ops/alarm"
	"lvsdeck/ops/demo"
	"lvsdeck/ops/history"
	"lvsdeck/ops/incident"
	"lvsdeck/ops/record"
	"lvsdeck/persist"
	"lvsdeck/ui"
)

// recorded is 40 readings of a made-up incident in a file, from 14:00:00 UTC on.
func recorded(t *testing.T) string {
	t.Helper()
	site := demo.New(demo.Incident, demoSeed)
	sampler := ops.NewSampler(site.Table(), ops.Options{})
	r := record.NewRecorder(record.Options{Head: record.Head{Host: "dir-\x1b[31ma", Interval: ops.DefaultInterval}})
	sampler.Each(func(s *ops.Sample) {
		r.Hear(s)
		for state := r.State(); state.Samples+state.Lost < int(s.Seq); state = r.State() {
			runtime.Gosched()
		}
	})
	name := filepath.Join(t.TempDir(), "incident.rec")
	if err := r.Start(name, nil); err != nil {
		t.Fatal(err)
	}
	site.Play(t.Context(), sampler, time.Date(2026, 3, 1, 13, 59, 58, 0, time.UTC), 80*time.Second)
	if _, err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestReplay(t *testing.T) {
	t.Parallel()
	c := start(t, ordinary("TZ=UTC"), program, "--replay", recorded(t))
	c.shows("REPLAY", "dir-[31ma", "playing 1x", "2026-03-01 14:00:0", "TCP 203.0.113.10:443", "1 of 12")
	c.press("@", "go to")
	c.press("14:00:30"+enter, "2026-03-01 14:00:30")
	c.press("p", "paused 1x")
	c.press("@14:00:30"+enter, "2026-03-01 14:00:30")
	c.press(".", "2026-03-01 14:00:32")
	c.press(",,", "2026-03-01 14:00:28")
	c.press("@15:00"+enter, "is not between 14:00:00 and 14:01:18")
	c.press(esc, "q quit")
	c.press("d", "a recording")
	c.press("C", "a recording has no connections")
	c.press("H", "what happened")
	c.press(".", "2026-03-01 14:00:30") // also above another screen
	c.press(esc, "q quit")
	c.press("@+48s"+enter, "2026-03-01 14:01:18")
	c.press(".", "at the end")
	c.understood()
	c.must(c.Send("q"))
	c.ends(0)
}

func TestReplayRefuses(t *testing.T) {
	t.Parallel()
	letter := filepath.Join(t.TempDir(), "letter")
	if err := os.WriteFile(letter, []byte("dear \x1b]0;friend"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{letter: "letter: byte 0: this is no", "/no/such": "no such file", "/dev/null": "no regular file"} {
		c := start(t, ordinary(), program, "--replay", name)
		c.shows(want)
		c.ends(2)
	}
}

// TestRecord records a demo until it is interrupted, goes on, and leaves alone what
// is no recording.
func TestRecord(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	run := func(args ...string) *exec.Cmd {
		return exec.Command(program, append([]string{"record", "--demo", "--interval", "1s"}, args...)...)
	}
	c := start(t, ordinary(), program, "record", "--demo", "--interval", "1s", at("x.rec"))
	c.shows("recording: 2 readings", "ctrl-c ends it")
	c.must(c.Send(ctrlC))
	c.shows("readings of director in ", "B in ")
	c.ends(0)
	before := recordedIn(at("x.rec"))
	text, err := run(at("x.rec"), "--for", "1s").CombinedOutput()
	if after := recordedIn(at("x.rec")); err != nil || after <= before || before == 0 || strings.Count(string(text), "\n") != 1 {
		t.Errorf("%d readings became %d: %v, %s", before, after, err, text)
	}
	if err := os.WriteFile(at("letter"), []byte("dear friend"), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err = run(at("letter")).CombinedOutput()
	if err == nil || !strings.Contains(string(text), "left alone") {
		t.Errorf("over a letter: %v, %s", err, text)
	}
}

// TestRecordWatchesThresholds: what is crossed while it is recorded without a screen is
// a mark of the recording, stands so in it, and is in the incident log when it ends.
func TestRecordWatchesThresholds(t *testing.T) {
	store, err := persist.Open(persist.Options{Dir: t.TempDir(), Who: persist.Who{User: "root"}})
	if err != nil {
		t.Fatal(err)
	}
	low := alarm.Threshold{Figure: alarm.Active, Limit: 1, Hold: 2}
	if err := alarm.OpenBook(store).Put(low, ""); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	site := demo.New(demo.Incident, demoSeed)
	sampler := ops.NewSampler(site.Table(), ops.Options{})
	opts := ui.Options{Store: store, Recorder: newRecorder(record.Head{Host: "dir-a"}, nil, store, cancel)}
	end := watchIncidents(ctx, cancel, &opts, sampler)
	sampler.Each(opts.Recorder.Hear)
	sampler.Each(func(s *ops.Sample) {
		for opts.Recorder.State().Samples < int(s.Seq) {
			runtime.Gosched()
		}
	})
	name := filepath.Join(t.TempDir(), "x.rec")
	if err := opts.Recorder.Start(name, nil); err != nil {
		t.Fatal(err)
	}
	site.Play(ctx, sampler, time.Date(2026, 3, 1, 14, 0, 0, 0, time.UTC), 10*time.Second)
	if _, err := opts.Recorder.Stop(); err != nil {
		t.Fatal(err)
	}
	end()
	log, err := incident.OpenLog(store).Read()
	if err != nil || len(log.Entries) != 1 || log.Entries[0].Kind != incident.Crossed || *log.Entries[0].Threshold != low {
		t.Errorf("the log has %+v, %v", log.Entries, err)
	}
	f, err := record.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	crossed := slices.DeleteFunc(slices.Clone(f.Marks()), func(m history.Mark) bool { return m.Kind != history.Crossed })
	if len(crossed) != 1 || !strings.HasPrefix(crossed[0].Text, "the director: active is ") {
		t.Errorf("the marks of crossings are %+v", crossed)
	}
	var stood []bool
	for c := f.From(time.Time{}); ; {
		if _, _, err := c.Next(); err != nil {
			break
		}
		stood = append(stood, len(c.Alarms()) == 1 && c.Alarms()[0].Crossed)
	}
	if want := []bool{false, true, true, true, true}; !slices.Equal(stood, want) {
		t.Errorf("it stood crossed: %v, want %v", stood, want)
	}
}

func recordedIn(name string) int {
	f, err := record.Open(name)
	if err != nil {
		return 0
	}
	defer f.Close()
	return f.Samples()
}

// TestKeyRecords: V in the console, twice.
func TestKeyRecords(t *testing.T) {
	t.Parallel()
	c := startDemo(t, ordinary())
	name := filepath.Join(t.TempDir(), "x.rec")
	c.press("V", "record to lvsdeck-director-")
	c.press("\x15"+name+enter, "recording to ", "rec ")
	c.press("V", "recorded: ", "readings")
	c.hides("rec ")
	c.must(c.Send("q"))
	c.ends(0)
	if recordedIn(name) == 0 {
		t.Error("nothing was recorded")
	}
}

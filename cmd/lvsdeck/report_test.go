package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"lvsdeck/ops"
	"lvsdeck/ops/alarm"
	"lvsdeck/ops/demo"
	"lvsdeck/ops/incident"
	"lvsdeck/ops/record"
	"lvsdeck/persist"
)

// TestReport writes the report of a recording, to the terminal and to a file.
func TestReport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "day.rec")
	begun := time.Now().Truncate(time.Minute).Add(-3 * time.Minute)
	site := demo.New(demo.Steady, 1)
	sampler := ops.NewSampler(site.Table(), ops.Options{Interval: 5 * time.Second})
	r := record.NewRecorder(record.Options{Head: record.Head{Time: begun, Host: "dir-a", Interval: 5 * time.Second}})
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
	site.Play(t.Context(), sampler, begun, 2*time.Minute)
	if _, err := r.Stop(); err != nil {
		t.Fatal(err)
	}

	got := runCommand(t, ordinary(), "report", name, "--from", "-1m", "--ascii")
	if got.status != 0 || got.err != "" || !strings.HasPrefix(got.out, "# Incident on dir-a\n") || !strings.Contains(got.out, "(1m00s), from the recording day.rec") ||
		!strings.Contains(got.out, "conn/s of the director:") || !strings.Contains(got.out, "The incident log is on dir-a, and this is ") {
		t.Errorf("%+v", got)
	}
	if i := strings.IndexFunc(got.out, func(r rune) bool { return r > '~' }); i >= 0 {
		t.Errorf("not ASCII: %q", got.out[i:])
	}
	out := filepath.Join(dir, "day.md")
	if got := runCommand(t, ordinary(), "report", name, "-o", out); got.status != 0 || got.out != "" || got.err != "" {
		t.Errorf("%+v", got)
	}
	if info, err := os.Stat(out); err != nil || info.Mode().Perm() != 0o600 || info.Size() < 1000 {
		t.Errorf("%v %v", info, err)
	}
	for want, args := range map[string][]string{
		"it is a directory; name a file in it":     {"report", name, "-o", dir},
		filepath.Join(out, "x") + ": not a direct": {"report", name, "-o", filepath.Join(out, "x")},
		"there is such a file":                     {"report", name, "-o", out},
		"is no time":                               {"report", name, "--began", "noon"},
		"is not between":                           {"report", name, "--from", "-9h"},
		"this is no recording":                     {"report", out},
		"must be before":                           {"report", name, "--to", "-1m", "--from", begun.Add(90 * time.Second).Format(time.TimeOnly)},
	} {
		refused(t, runCommand(t, ordinary(), args...), want)
	}
}

// TestLogOf tells no log from one that cannot be read.
func TestLogOf(t *testing.T) {
	dir := t.TempDir()
	if h, err := logOf(filepath.Join(dir, "none")); h != nil || err != nil {
		t.Errorf("%v %v", h, err)
	}
	if err := os.Mkdir(filepath.Join(dir, "incidents"), 0o700); err != nil {
		t.Fatal(err)
	}
	if h, err := logOf(dir); h != nil || err == nil {
		t.Errorf("%v %v", h, err)
	}
}

// TestIncidents lists the log, of all time and of the last.
func TestIncidents(t *testing.T) {
	store, err := persist.Open(persist.Options{Dir: t.TempDir(), Who: persist.Who{User: "alice"}})
	if err != nil {
		t.Fatal(err)
	}
	log := incident.OpenLog(store)
	for text, ago := range map[string]time.Duration{"long ago": 3 * time.Hour, "just now": time.Minute} {
		if err := log.Note(alarm.Row{}, text, time.Now().Add(-ago)); err != nil {
			t.Fatal(err)
		}
	}
	var all, last strings.Builder
	if err := writeIncidents(&all, io.Discard, store, 0, "table"); err != nil || !strings.Contains(all.String(), "long ago") || !strings.Contains(all.String(), "just now") {
		t.Errorf("%v %s", err, all.String())
	}
	var out struct{ Entries []struct{ Text, User string } }
	if err := writeIncidents(&last, io.Discard, store, time.Hour, "json"); err != nil || json.Unmarshal([]byte(last.String()), &out) != nil || len(out.Entries) != 1 || out.Entries[0].Text != "just now" || out.Entries[0].User != "alice" {
		t.Errorf("%v %s", err, last.String())
	}
	path := filepath.Join(store.Dir(), "incidents")
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, append(text, "no entry\n"...), 0o600)
	}
	var sheet, notes strings.Builder
	if err := errors.Join(err, writeIncidents(&sheet, &notes, store, 0, "csv")); err != nil || strings.Count(sheet.String(), "\n") != 3 || notes.String() != "lvsdeck: 1 line of the log could not be read and was passed over\n" {
		t.Errorf("%v %s%s", err, sheet.String(), notes.String())
	}
	refused(t, runCommand(t, ordinary(), "incidents", "-o", "xml"), "xml")
	refused(t, runCommand(t, ordinary(), "incidents", "--since", "-1h"), "--since")
}

// titled is the sequence that gives the window its title, which ends in a bell that
// rings none.
var titled = regexp.MustCompile("\x1b][^\a\x1b]*\a")

// TestABellRings sets a threshold that is crossed at once: the terminal is rung once,
// and by no console that was told to be silent.
func TestABellRings(t *testing.T) {
	t.Parallel()
	for args, rings := range map[string]int{"--ascii": 1, "--silent": 0} {
		c := startDemo(t, ordinary(), args, "--interval", "1s")
		c.press("Ta", "New threshold of", "limit")
		c.press("\x1b[B\x1b[B\x151", "limit           1\n")
		c.press("\x1b[B\x151", "readings        1\n")
		c.press("\r", "1 watched")
		c.shows("1 crossed", "Crossed since")
		c.press("\t", "Incident log", "crossed")
		c.press("q", "q quit", "T 1 crossed")
		c.must(c.Send("q"))
		c.ends(0)
		if got := bytes.Count(titled.ReplaceAll(c.Wire(), nil), []byte{'\a'}); got != rings {
			t.Errorf("%s: rang %d times, want %d", args, got, rings)
		}
		c.understood()
	}
}

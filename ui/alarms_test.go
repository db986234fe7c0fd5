package ui

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/memory"
	"lvsdeck/ops/alarm"
	"lvsdeck/ops/check"
	"lvsdeck/ops/history"
	"lvsdeck/ops/incident"
	"lvsdeck/ui/paint"
)

// watched is a director whose figures are watched.
type watched struct {
	*director
	watch  *incident.Watch
	report *check.Report
}

func newWatched(t *testing.T) *watched {
	w := &watched{director: newDirector(t)}
	w.watch = incident.New(incident.Options{
		Store: w.runner.Store, Now: func() time.Time { return w.now }, Also: w.sampler.Also,
		Checks: func() *check.Report { return w.report },
	})
	w.opts.Incidents = w.watch
	w.sampler.Each(w.watch.Seen)
	return w
}

// passes has each server of the table have so many active connections and new ones a
// second, and takes readings of that. It gives how often the terminal rang.
func (w *watched) passes(readings int, active uint32, rate uint64) (rings int) {
	w.table.Observe(func(_ ipvs.Service, servers []ipvs.ServerState) []memory.Observation {
		seen := make([]memory.Observation, len(servers))
		for i := range seen {
			seen[i] = memory.Observation{Active: active, Rate: ipvs.Traffic{Conns: rate, InBytes: 1000 * rate}}
		}
		return seen
	})
	for range readings {
		w.now = w.now.Add(2 * time.Second)
		w.sampler.Observe(w.t.Context(), w.now)
		done, stop := context.WithCancel(w.t.Context())
		stop()
		w.watch.Run(done) // writes what there is to write
		_, cmd := w.Update(sampleMsg{})
		rings += w.count(cmd)
	}
	return rings
}

// count finishes what was set off and counts the bells among it.
func (w *watched) count(cmd tea.Cmd) (rings int) {
	if cmd == nil {
		return 0
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			rings += w.count(c)
		}
	case tea.RawMsg:
		if msg.Msg != bell {
			w.t.Errorf("%q went to the terminal", msg.Msg)
		}
		rings++
	default:
		_, next := w.Update(msg)
		rings += w.count(next)
	}
	return rings
}

func TestThresholdIsCrossed(t *testing.T) {
	w := newWatched(t)
	w.passes(2, 100, 50)
	w.do("T")
	w.sees("nothing is watched", "None is set", "a add for the row")
	w.do("a")
	w.sees("what the row has now", "New threshold of TCP 203.0.113.10:443", "< conn/s >", "now 150", "above", "300", "readings", "3")
	w.do("right")
	w.sees("another figure", "< active >", "now 300", "600")
	w.do("down", "right")
	w.sees("the other direction", "< below >", "150")
	w.do("left", "down")
	w.fill("tea")
	w.do("enter")
	w.sees("what is wrong", "must be a number")
	w.fill("0.4k")
	w.do("enter")
	w.sees("it is watched", "1 watched, 0 crossed", "fine", "active", "> 400", "300", "kept: active above, TCP 203.0.113.10:443")
	w.do("esc")

	if n := w.passes(2, 200, 50); n != 0 || strings.Contains(grid(w.Model), "crossed") {
		t.Errorf("rang %d times before it held:\n%s", n, grid(w.Model))
	}
	if n := w.passes(1, 200, 50); n != 1 {
		t.Errorf("rang %d times", n)
	}
	w.sees("it is said", "T 1 crossed", "T TCP 203.0.113.10:443: active is 600, above 400", " T▸ TCP")
	if n := w.passes(3, 200, 50); n != 0 {
		t.Errorf("rang %d times again", n)
	}
	w.do("j", "k", "tab")
	w.sees("all about it", "threshold", "active above 400", "since 12:05:15")
	w.do("tab", "!")
	w.sees("a problem", "problems only", "T▸ TCP")
	w.do("esc", "T")
	w.sees("how it stands", "1 crossed", "crossed", "Crossed since 12:05:15; now 600")
	w.do("tab")
	w.sees("it is written down", "Incident log", "1 entry", "active is 600, above 400", "seen by alice from 198.51.100.7")
	w.do("tab", "b", "esc")
	w.passes(3, 50, 50)
	w.passes(3, 300, 50)
	if n := w.passes(3, 50, 50) + w.passes(3, 300, 50); n != 0 {
		t.Errorf("the bell is off, and rang %d times", n)
	}
	w.do("T", "x")
	w.sees("removed", "None is set", "removed: active above")
	w.passes(1, 300, 50)
	if strings.Contains(grid(w.Model), "1 crossed") {
		t.Errorf("a removed threshold is crossed:\n%s", grid(w.Model))
	}
}

// TestCrossedMeanwhile: what is crossed while a threshold is kept or removed rings and
// is said.
func TestCrossedMeanwhile(t *testing.T) {
	w := newWatched(t)
	w.passes(2, 100, 50)
	w.do("T", "a", "right", "down", "down")
	w.fill("400")
	w.do("down")
	w.fill("1")
	w.do("enter", "a")
	crosses := func(active uint32, keys ...string) {
		t.Helper()
		w.do(keys[:len(keys)-1]...)
		w.passes(1, 100, 50)
		w.table.Observe(func(_ ipvs.Service, servers []ipvs.ServerState) []memory.Observation {
			return slices.Repeat([]memory.Observation{{Active: active, Rate: ipvs.Traffic{Conns: 50}}}, len(servers))
		})
		w.now = w.now.Add(2 * time.Second)
		w.sampler.Observe(t.Context(), w.now)
		_, cmd := w.Update(keyMsg(keys[len(keys)-1]))
		if n := w.count(cmd); n != 1 {
			t.Errorf("%q: rang %d times", keys, n)
		}
		w.sees("it is said", "T TCP 203.0.113.10:443: active is 600, above 400")
	}
	crosses(200, "enter")
	w.do("down")
	crosses(200, "x")
}

// TestLogFromAnyScreen: tab leads from thresholds to the incident log also above
// another screen.
func TestLogFromAnyScreen(t *testing.T) {
	w := newWatched(t)
	w.passes(2, 100, 50)
	w.do("enter", "s", "T", "tab")
	w.sees("the log", "Incident log")
	w.do("tab")
	w.sees("and back", "Thresholds")
}

func TestThresholdChanges(t *testing.T) {
	w := newWatched(t)
	w.passes(1, 100, 50)
	w.do("enter", "down", "T", "a")
	w.sees("a server has shares", "10.0.3.11:443 of TCP 203.0.113.10:443")
	w.do("s")
	w.sees("its share", "< share of new >", "now 33 %", "67")
	w.do("enter", "A")
	w.sees("the whole director", "New threshold of the director", "now 150")
	w.do("a")
	w.sees("a figure by its letter", "< active >", "now 300")
	w.do("enter")
	w.sees("both", "2 watched", "> 67 %", "33 %")
	w.do("down", "enter")
	w.sees("the one under the cursor", "Threshold of 10.0.3.11:443", "67")
	w.do("down", "right", "down")
	w.fill("101")
	w.do("enter")
	w.sees("no share is that", "0 to 100 percent")
	w.fill("40%")
	w.do("enter")
	w.sees("changed", "2 watched", "< 40 %")
	all, err := alarm.OpenBook(w.runner.Store).All()
	if err != nil || len(all) != 2 {
		t.Errorf("%v %v", all, err)
	}
	w.passes(3, 100, 50)
	w.sees("a server's share is read and held", "1 crossed", "Crossed since")
	w.must(w.table.DeleteServer(t.Context(), svc(ipvs.TCP, "203.0.113.10:443", "wlc").ServiceID, ipvs.Server{Addr: addr("10.0.3.11:443")}))
	w.passes(1, 100, 50)
	w.sees("its row is gone", "no row", "The table has no such row")
	w.do("tab")
	w.sees("and that ended it", "the row left the table")
}

// TestSuggestedShare: a share that cannot double is offered no limit that it is beyond.
func TestSuggestedShare(t *testing.T) {
	w := newWatched(t)
	id := svc(ipvs.TCP, "203.0.113.10:443", "wlc").ServiceID
	row := alarm.Row{Service: id, Server: addr("10.0.3.11:443")}
	for _, other := range []string{"10.0.3.12:443", "10.0.3.13:443"} {
		w.must(w.table.DeleteServer(t.Context(), id, ipvs.Server{Addr: addr(other)}))
	}
	w.passes(2, 100, 50)
	above := alarm.Threshold{Row: row, Figure: alarm.ShareActive}
	below := above
	below.Below = true
	if got := w.suggestion(above) + "," + w.suggestion(below); got != ",50" {
		t.Errorf("%s are offered for a share of 100 %%", got)
	}
}

func TestIncidentLog(t *testing.T) {
	w := newWatched(t)
	id := svc(ipvs.TCP, "203.0.113.10:443", "wlc").ServiceID
	w.report = &check.Report{Time: w.now, Findings: []check.Finding{
		{Check: "vip", Severity: check.Fault, Service: id, Short: "the VIP is no address of this host"},
		{Check: "unsaved", Severity: check.Notice, Short: "rules are not saved"},
	}}
	w.passes(1, 100, 50)
	w.do("T", "tab")
	w.sees("the finding, no notices", "1 entry", "found", "fault: the VIP is no address")
	w.do("n")
	w.types("called the network people")
	w.do("enter")
	w.sees("the note is there at once", "2 entries", "note", "called the network people", "by alice")
	w.do("N")
	w.types("and the boss")
	w.must(w.watch.Note(alarm.Row{Service: svc(ipvs.TCP, "203.0.113.10:4430", "wlc").ServiceID}, "begins alike"))
	w.do("enter", "f")
	w.sees("only the row's", "4 entries, 2 of TCP 203.0.113.10:443")
	w.do("esc", "/")
	w.types("boss")
	w.do("enter")
	w.sees("by a word", "1 of boss", "and the boss")
	w.do("esc", "/")
	w.types("nothing like it")
	w.do("enter")
	w.sees("none has it", "No entry has that")
	w.do("esc", "end")
	w.report = &check.Report{Time: w.now}
	w.passes(1, 100, 50)
	w.sees("it grows while it is looked at, and the cursor stays with its entry", "5 entries", "5 of 5", "no more: the VIP", "fault: the VIP is no address")
	w.do("T")
	if w.top() != nil {
		t.Error("T leaves")
	}

	w.opts.Incidents = incident.New(incident.Options{Store: w.runner.Store, Silent: true})
	w.do("T", "a")
	w.sees("read-only", "this console is read-only")
	w.do("tab", "n")
	w.sees("read-only", "this console is read-only", "5 entries")
}

// TestHostileLog: what others wrote into the file moves no cursor, and what makes no
// sense is counted.
func TestHostileLog(t *testing.T) {
	w := newWatched(t)
	hostile := `{"time":"2026-03-01T12:00:00Z","kind":"note","row":"","by":{"user":"\u001b[2Jmallory"},"text":"\u001b]0;x\u0007red\u001b[31m \u202eevil"}` + "\n" +
		`{"time":"2026-03-01T12:00:00Z","kind":"surprise","row":""}` + "\nnot JSON at all\n\x1b[2J\n"
	w.must(os.WriteFile(filepath.Join(w.runner.Store.Dir(), "incidents"), []byte(hostile), 0o600))
	w.must(os.WriteFile(filepath.Join(w.runner.Store.Dir(), "thresholds.json"), []byte(`{"\u001b[2J":{"figure":"\u001b[2Jtea"}}`), 0o600))
	w.opts.Incidents = incident.New(incident.Options{Store: w.runner.Store})
	w.do("T")
	w.sees("the file is broken", "0 watched", "is not watched", "T! trouble")
	w.do("tab")
	w.sees("lines are counted", "1 entry", "3 lines of the log could not be read", "]0;xred[31m evil", "[2Jmallory")
}

var alarmScenes = []struct {
	name string
	play func(*watched)
}{
	{"thresholds-none", func(w *watched) { w.do("T") }},
	{"thresholds", func(w *watched) { w.do("T") }},
	{"threshold-form", func(w *watched) { w.do("T", "enter", "down", "down") }},
	{"threshold-row", func(w *watched) { w.do("o", "tab") }},
	{"incidents", func(w *watched) { w.do("T", "tab", "down") }},
	{"incidents-none", func(w *watched) { w.do("T", "tab") }},
}

// alarmScene is a director with thresholds of all states, and a log, unless the scene
// is about none.
func alarmScene(t *testing.T, name string, width, height int, profile colorprofile.Profile, signs *paint.Signs) *watched {
	w := newWatched(t)
	w.Update(tea.WindowSizeMsg{Width: width, Height: height})
	w.Update(tea.ColorProfileMsg{Profile: profile})
	w.signs = signs
	if !strings.HasSuffix(name, "-none") {
		web := alarm.Row{Service: svc(ipvs.TCP, "203.0.113.10:443", "wlc").ServiceID}
		one := alarm.Row{Service: web.Service, Server: addr("10.0.3.11:443")}
		for _, th := range []alarm.Threshold{
			{Row: web, Figure: alarm.ConnRate, Limit: 1000, Hold: 3}, {Row: one, Figure: alarm.ShareNew, Limit: 60, Hold: 3},
			{Row: one, Figure: alarm.Active, Below: true, Limit: 10, Hold: 1}, {Row: one, Figure: alarm.OutBits, Limit: 2_000_000_000, Hold: 3},
			{Figure: alarm.Conns, Limit: 1_000_000, Hold: 5},
			{Row: alarm.Row{Service: svc(ipvs.UDP, "[2001:db8:1111:2222:3333:4444:5555:6666]:53", "rr").ServiceID}, Figure: alarm.InBits, Limit: 90_000_000, Hold: 3},
		} {
			w.must(w.watch.Put(th, ""))
		}
		w.passes(2, 100, 50)
		w.must(w.watch.Note(web, "the shop's campaign begins at noon"))
		w.report = &check.Report{Time: w.now, Findings: []check.Finding{{Check: "neighbour", Severity: check.Warning, Service: one.Service, Server: one.Server, Short: "10.0.3.11 does not answer ARP"}}}
		w.passes(5, 400, 900)
		w.report = &check.Report{Time: w.now}
		w.passes(4, 5, 50)
		w.passes(4, 400, 900)
		w.do("esc")
	}
	return w
}

func TestAlarmScreens(t *testing.T) {
	for _, sc := range alarmScenes {
		for _, size := range [][2]int{{60, 16}, {80, 24}, {200, 50}} {
			w := alarmScene(t, sc.name, size[0], size[1], colorprofile.ANSI256, paint.Unicode)
			sc.play(w)
			golden(t, fmt.Sprintf("%s-%dx%d", sc.name, size[0], size[1]), grid(w.Model)+"\n"+styles(w.Model))
		}
		w := alarmScene(t, sc.name, 80, 24, colorprofile.ASCII, paint.ASCII)
		sc.play(w)
		text := grid(w.Model)
		golden(t, sc.name+"-80x24-ascii", text+"\n"+styles(w.Model))
		if i := strings.IndexFunc(text, func(r rune) bool { return r > '~' }); i >= 0 {
			t.Errorf("%s: not ASCII: %q", sc.name, text[i:min(len(text), i+20)])
		}
	}
}

// TestReport writes a report of a director with a history, and leaves files alone.
func TestReport(t *testing.T) {
	t.Chdir(t.TempDir())
	w := newWatched(t)
	w.do(":")
	w.types("report of an inc")
	w.do("enter")
	w.sees("no history", "no history is kept here")
	w.opts.History = history.New()
	w.sampler.Each(w.opts.History.Add)
	w.opts.Conns = &connSource{text: connText()}
	must := func(th alarm.Threshold) { w.must(w.watch.Put(th, "")) }
	must(alarm.Threshold{Row: alarm.Row{Service: svc(ipvs.TCP, "203.0.113.10:443", "wlc").ServiceID}, Figure: alarm.ConnRate, Limit: 1000, Hold: 1})
	w.passes(60, 100, 50)
	w.must(w.table.DeleteServer(t.Context(), svc(ipvs.TCP, "203.0.113.10:443", "wlc").ServiceID, ipvs.Server{Addr: addr("10.0.3.13:443")}))
	w.passes(60, 900, 700)
	w.must(w.watch.Note(alarm.Row{}, "called the network people"))

	w.do("T", "tab", "w")
	w.sees("what is asked", "Report of an incident", "1 hour", "began", "< ", "connections", "read", "dir-a-20260301-")
	w.do("down")
	w.types("25:00")
	w.do("enter")
	w.sees("no time", "is no time")
	w.fill("")
	w.do("down", "down")
	w.fill("incident.md")
	w.do("enter")
	w.sees("written", "written: ", "incident.md")
	text, err := os.ReadFile("incident.md")
	w.must(err)
	for _, want := range []string{
		"# Incident on dir-a", "from the running director", "what is in the incident log, where the figures left their level", "to 1400 a second", "Thresholds were crossed of TCP 203.0.113.10:443",
		"conn/s is 1400, above 1000", "10.0.3.13:443 of TCP 203.0.113.10:443: left", "| seen |", "s before it began", "called the network people (alice from 198.51.100.7)", "One client, 198.51.100.7, has", "| template ASSURED |", "active of TCP 203.0.113.10:443", "█",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("want %q in\n%s", want, text)
		}
	}
	if info, err := os.Stat("incident.md"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	w.do("w", "up")
	w.fill("incident.md")
	w.do("enter")
	w.sees("it is there", "Overwrite it?")
	w.do("esc", "w", "up")
	w.fill("nowhere/incident.md")
	w.do("enter")
	w.sees("no such place", "Nothing was written", "nowhere")

	log := filepath.Join(w.runner.Store.Dir(), "incidents")
	w.must(os.Remove(log))
	w.must(os.Mkdir(log, 0o700))
	w.do("esc", "w", "up")
	w.fill("without.md")
	w.do("enter")
	w.sees("what there is", "written: ", "without.md")
	text, err = os.ReadFile("without.md")
	w.must(err)
	if !strings.Contains(string(text), "- The incident log cannot be read (") {
		t.Errorf("%s", text)
	}
	w.watch.Store = nil
	w.do("w", "up")
	w.fill("ordinary.md")
	w.do("enter")
	text, err = os.ReadFile("ordinary.md")
	w.must(err)
	if !strings.Contains(string(text), "- The incident log is root's, and cannot be read: thresholds and notes are missing.") {
		t.Errorf("%s", text)
	}
}

// TestLogIsExported: the entries on screen go into a file as they are filtered.
func TestLogIsExported(t *testing.T) {
	t.Chdir(t.TempDir())
	w := newWatched(t)
	w.must(w.watch.Note(alarm.Row{}, "one"))
	w.must(w.watch.Note(alarm.Row{}, "two"))
	w.do("T", "tab", "/")
	w.types("two")
	w.do("enter", "E", "down", "enter")
	w.fill("log.csv")
	w.do("enter")
	w.sees("written", "written: ")
	text, err := os.ReadFile("log.csv")
	w.must(err)
	if !strings.Contains(string(text), ",two\n") || strings.Contains(string(text), ",one\n") {
		t.Errorf("%s", text)
	}
}

package incident

import (
	"context"
	"fmt"
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
	"lvsdeck/persist"
)

var (
	start = time.Date(2026, 3, 1, 14, 0, 0, 0, time.UTC)
	web   = ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))
	limit = alarm.Threshold{Row: alarm.Row{Service: web}, Figure: alarm.Active, Limit: 100, Hold: 1}
)

func store(t *testing.T, dir string) *persist.Store {
	t.Helper()
	s, err := persist.Open(persist.Options{Dir: dir, Who: persist.Who{User: "alice"}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// seat is a console's watch, whose clock and reports the test sets.
type seat struct {
	*Watch
	t      *testing.T
	now    time.Time
	report *check.Report
	also   []ipvs.ServiceID
}

func sit(t *testing.T, dir string) *seat { return sitAt(t, dir, start) }

func sitAt(t *testing.T, dir string, now time.Time) *seat {
	s := &seat{t: t, now: now}
	s.Watch = New(Options{
		Store: store(t, dir), Checks: func() *check.Report { return s.report }, Now: func() time.Time { return s.now },
		Also: func(ids []ipvs.ServiceID) { s.also = ids },
	})
	return s
}

// sees takes a sample two seconds later, and writes what there is to write.
func (s *seat) sees(active uint64) {
	s.now = s.now.Add(2 * time.Second)
	v := &ops.Service{Service: ipvs.NewService(web), Figures: ops.Figures{Active: active}}
	s.Seen(&ops.Sample{Time: s.now, Services: []*ops.Service{v}})
	s.write()
}

// finds has the checks find things, each of a severity.
func (s *seat) finds(found ...check.Finding) {
	s.report = &check.Report{Time: s.now, Findings: found}
	s.sees(0)
}

func finding(name string, severity check.Severity) check.Finding {
	return check.Finding{Check: name, Severity: severity, Service: web, Short: name + " is wrong"}
}

// wrote holds the log to lines of kind and what it is about, oldest first.
func (s *seat) wrote(want ...string) {
	s.t.Helper()
	h, err := s.Read()
	if err != nil || h.Broken > 0 {
		s.t.Fatalf("%v, %d broken", err, h.Broken)
	}
	var got []string
	for i := len(h.Entries) - 1; i >= 0; i-- {
		e := h.Entries[i]
		what := e.Text
		switch {
		case e.Removed:
			what = fmt.Sprintf("since removed, %d", e.Threshold.Limit)
		case e.Threshold != nil:
			what = fmt.Sprint(e.Value)
		}
		got = append(got, string(e.Kind)+" "+what)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		s.t.Errorf("the log has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (s *seat) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestThresholdsAreWrittenOnce(t *testing.T) {
	dir := t.TempDir()
	a, b := sit(t, dir), sit(t, dir)
	a.must(a.Put(limit, ""))
	b.reread() // as it does every few seconds
	for _, active := range []uint64{50, 150, 160, 50, 50} {
		a.sees(active)
		b.sees(active)
	}
	a.wrote("crossed 150", "ended 50")
	if s := a.State(); s.Crossings != 1 || s.Last.Value != 150 || len(s.Crossed()) != 0 || s.Err != nil || s.Lost != 0 {
		t.Errorf("%+v", s)
	}
	a.sees(200)
	c := sit(t, dir) // begins while it is crossed, and sees its end alone
	c.now = a.now
	c.sees(210)
	c.sees(20)
	c.wrote("crossed 150", "ended 50", "crossed 200", "ended 20")
	if c.State().Crossings != 1 {
		t.Error("a console that begins later does not see it crossed")
	}
	a.must(a.Remove(limit.Key()))
	if len(a.State().Alarms) != 0 {
		t.Error("a removed threshold is watched")
	}
	a.wrote("crossed 150", "ended 50", "crossed 200", "ended 20") // not ended twice
}

// TestTold: who shows and records hears of each sample how thresholds stand in it, and
// once what was crossed or ended, also of a console that writes nothing.
func TestTold(t *testing.T) {
	s := sit(t, t.TempDir())
	if err := s.Put(limit, ""); err != nil {
		t.Fatal(err)
	}
	s.Silent = true
	var standing []alarm.Status
	var news []string
	s.Watch.Told = func(all []alarm.Status, some []Entry) {
		standing = all
		for _, e := range some {
			news = append(news, fmt.Sprintf("%s %v %v", e.Kind, e.Value, e.Removed))
		}
	}
	for i, active := range []uint64{50, 200, 300, 20, 400} {
		s.sees(active)
		if len(standing) != 1 || standing[0].Value != float64(active) || standing[0].Crossed != (active > limit.Limit) {
			t.Errorf("in sample %d they stand as %+v", i, standing)
		}
	}
	s.Silent = false
	if err := s.Remove(limit.Key()); err != nil || len(standing) != 0 {
		t.Errorf("%v, %+v", err, standing)
	}
	if got := strings.Join(news, ", "); got != "crossed 200 false, ended 20 false, crossed 400 false, ended 0 true" {
		t.Errorf("told: %s", got)
	}
}

func TestEndsWhileNobodyLooks(t *testing.T) {
	dir := t.TempDir()
	a := sit(t, dir)
	a.must(a.Put(limit, ""))
	a.sees(150)
	a.finds(finding("vip", check.Fault))
	a.sees(150)
	b := sit(t, dir)
	b.now = a.now
	b.sees(10)
	b.finds()
	b.wrote("crossed 150", "found vip is wrong", "ended 0", "crossed 150", "ended 10", "gone vip is wrong")
}

// TestChangedWhileNobodyLooks: a threshold that the log says is crossed, and that is
// removed or has another limit before it is seen again, ends as it began.
func TestChangedWhileNobodyLooks(t *testing.T) {
	for name, change := range map[string]func(a *seat) []string{
		"removed": func(a *seat) []string {
			a.must(a.book.Remove(limit.Key()))
			return nil
		},
		"raised, and crossed again": func(a *seat) []string {
			higher := limit
			higher.Limit = 140
			a.must(a.book.Put(higher, ""))
			return []string{"crossed 150"}
		},
		"raised": func(a *seat) []string {
			higher := limit
			higher.Limit = 200
			a.must(a.book.Put(higher, ""))
			return nil
		},
	} {
		dir := t.TempDir()
		a := sit(t, dir)
		a.must(a.Put(limit, ""))
		a.sees(150)
		more := change(a)
		b := sitAt(t, dir, a.now)
		b.sees(150)
		a.reread() // is later, and finds it told
		a.sees(150)
		b.wrote(append([]string{"crossed 150", "ended since removed, 100"}, more...)...)
		if t.Failed() {
			t.Fatal(name)
		}
	}
	dir := t.TempDir() // removed by one that has not seen it crossed yet
	slow := limit
	slow.Hold = 3
	a := sit(t, dir)
	a.must(a.Put(slow, ""))
	for range 3 {
		a.sees(150)
	}
	b := sitAt(t, dir, a.now)
	b.sees(150)
	b.must(b.Remove(slow.Key()))
	b.sees(150)
	b.wrote("crossed 150", "ended since removed, 100")
}

// TestForgottenLine: that something ended is written also when the line is gone that
// says that it began, and once.
func TestForgottenLine(t *testing.T) {
	dir := t.TempDir()
	a, b := sit(t, dir), sit(t, dir)
	a.must(a.Put(limit, ""))
	b.reread()
	a.sees(150)
	b.sees(150)
	a.must(os.Remove(filepath.Join(dir, "incidents")))
	a.sees(50)
	b.sees(50)
	a.wrote("ended 50")
}

// TestOneBadThreshold: the others are watched, and it is said.
func TestOneBadThreshold(t *testing.T) {
	dir := t.TempDir()
	a := sit(t, dir)
	a.must(a.Put(limit, ""))
	path := filepath.Join(dir, "thresholds.json")
	text, err := os.ReadFile(path)
	a.must(err)
	a.must(os.WriteFile(path, []byte(strings.Replace(string(text), "{", `{"x": {"row": 7},`, 1)), 0o600))
	b := sit(t, dir)
	b.sees(150)
	if s := b.State(); len(s.Crossed()) != 1 || s.Err == nil || !strings.Contains(s.Err.Error(), path) {
		t.Errorf("%+v", s)
	}
}

func TestFindingsComeAndGo(t *testing.T) {
	dir := t.TempDir()
	a, b := sit(t, dir), sit(t, dir)
	both := func(found ...check.Finding) {
		a.finds(found...)
		b.finds(found...)
	}
	both(finding("unsaved", check.Notice), finding("vip", check.Warning))
	both(finding("vip", check.Warning))
	both(finding("vip", check.Fault)) // worse: said again
	both(finding("redirects", check.Warning))
	a.wrote("found vip is wrong", "found vip is wrong", "found redirects is wrong", "gone vip is wrong")
	c := sit(t, dir) // a console begun later repeats nothing
	c.now = a.now
	c.finds(finding("redirects", check.Warning))
	c.finds()
	c.wrote("found vip is wrong", "found vip is wrong", "found redirects is wrong", "gone vip is wrong", "gone redirects is wrong")
}

// TestNotLookedAt: what a check that could not look does not find has not gone, also
// for a console begun later.
func TestNotLookedAt(t *testing.T) {
	dir := t.TempDir()
	a := sit(t, dir)
	a.finds(finding("half-open", check.Fault))
	a.report = &check.Report{Time: a.now, Blind: []string{"half-open"}}
	a.sees(1)
	b := sit(t, dir)
	b.now, b.report = a.now, a.report
	b.sees(1)
	a.wrote("found half-open is wrong")
	b.finds()
	b.wrote("found half-open is wrong", "gone half-open is wrong")
}

func TestNotes(t *testing.T) {
	a := sit(t, t.TempDir())
	a.must(a.Note(alarm.Row{Service: web}, "called the network people"))
	a.must(a.Note(alarm.Row{}, strings.Repeat("é", 3000)))
	h, err := a.Read()
	if err != nil || len(h.Entries) != 2 || h.Entries[1].Row.Service != web || h.Entries[0].By.User != "alice" || len([]rune(h.Entries[0].Text)) != textMost {
		t.Errorf("%+v %v", h, err)
	}
	if a.State().Written != 2 {
		t.Error("the screen is not told of notes")
	}
	if n := len(h.Between(start.Add(time.Second), start.Add(time.Hour))); n != 0 {
		t.Errorf("%d entries after all there are", n)
	}
}

func TestNothingIsWritten(t *testing.T) {
	dir := t.TempDir()
	a := sit(t, dir)
	a.must(a.Put(limit, ""))
	silent := New(Options{Store: store(t, dir), Silent: true})
	for _, w := range []*Watch{silent, New(Options{})} {
		s := &seat{Watch: w, t: t, now: start}
		s.sees(150)
		s.wrote()
		if w.Put(limit, "") == nil || w.Remove(limit.Key()) == nil || w.Note(alarm.Row{}, "x") == nil || w.Cannot() == "" {
			t.Error("something was kept")
		}
	}
	if len(silent.State().Crossed()) != 1 {
		t.Error("a read-only console does not watch")
	}
}

// TestServersCountersAreRead: thresholds on what only counters tell have them read.
func TestServersCountersAreRead(t *testing.T) {
	a := sit(t, t.TempDir())
	one := limit
	one.Row.Server = netip.MustParseAddrPort("10.0.0.1:443")
	a.must(a.Put(one, "")) // active: /proc tells
	if len(a.also) != 0 {
		t.Error(a.also)
	}
	one.Figure = alarm.ConnRate
	a.must(a.Put(one, ""))
	if len(a.also) != 1 || a.also[0] != web {
		t.Error(a.also)
	}
}

// TestDiskThatDoesNot: what cannot be written is counted and said, and the queue is
// bounded.
func TestDiskThatDoesNot(t *testing.T) {
	full := true
	s, err := persist.Open(persist.Options{Dir: t.TempDir(), Fault: func(op persist.Op, path string, _ []byte) (int, error) {
		if full && op == persist.OpWrite && filepath.Base(path) == "incidents" {
			return 0, os.ErrPermission
		}
		return 0, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	w := New(Options{Store: s})
	if err := w.Put(limit, ""); err != nil {
		t.Fatal(err)
	}
	a := &seat{Watch: w, t: t, now: start}
	a.sees(150)
	w.reread() // which goes well, and is no reason to say no more that the log cannot be written
	if st := w.State(); st.Lost != 0 || st.Err == nil || !strings.Contains(st.Err.Error(), "1 entries of the incident log wait") || len(st.Crossed()) != 1 {
		t.Errorf("%+v", st)
	}
	w.mu.Lock()
	w.keep(make([]Entry, queueMost+5)...)
	w.mu.Unlock()
	if len(w.queue) != queueMost || w.state.Lost != 6 {
		t.Errorf("%d wait, %d lost", len(w.queue), w.state.Lost)
	}
	w.write()
	w.queue, full = w.queue[:1], false // there is room again
	w.write()
	a.wrote("crossed 150")
	if st := w.State(); st.Err != nil || st.Written != 1 {
		t.Errorf("%+v", st)
	}
}

// TestRunWrites: what is seen is written beside, and what waits at the end, too.
func TestRunWrites(t *testing.T) {
	a := sit(t, t.TempDir())
	a.must(a.Put(limit, ""))
	ctx, stop := context.WithCancel(t.Context())
	stop()
	a.Seen(&ops.Sample{Time: start, Services: []*ops.Service{{Service: ipvs.NewService(web), Figures: ops.Figures{Active: 500}}}})
	a.Run(ctx)
	a.wrote("crossed 500")
}

// FuzzLog reads what anybody may have written: it never fails, and what it gives can
// be written and is read again as it was.
func FuzzLog(f *testing.F) {
	f.Add(`{"time":"2026-03-01T14:00:00Z","kind":"note","row":"","by":{},"text":"\u001b[31mred"}`)
	f.Add(`{"time":"2026-03-01T14:00:00Z","kind":"crossed","row":"TCP 203.0.113.10:443","id":"x","by":{},"threshold":{"row":"TCP 203.0.113.10:443","figure":"active","limit":5,"hold":1},"value":6}` + "\ntorn")
	f.Add(`{"time":"2026-03-01T14:00:00Z","kind":"found","row":"10.0.0.1:80 of TCP 203.0.113.10:443","id":"y","by":{},"severity":"fault"}`)
	f.Fuzz(func(t *testing.T, text string) {
		all, broken := entries([]byte(text))
		var again []byte
		for _, e := range all {
			again = append(again, e.line()...)
		}
		if broken == 0 && strings.Count(text, "\n") == 0 && len(all) > 1 {
			t.Errorf("%d entries of one line", len(all))
		}
		open(all)
		fromLog(open(all))
		if back, lost := entries(again); len(back) != len(all) || lost > 0 {
			t.Errorf("%d entries, written and read again %d, %d broken", len(all), len(back), lost)
		}
	})
}

// TestSeverities: one that no check has is no entry of ours.
func TestSeverities(t *testing.T) {
	const line = `{"time":"2026-03-01T14:00:00Z","kind":"found","row":"","id":"y","by":{},"severity":"%s","text":"x"}`
	for severity, want := range map[string]int{"fault": 0, "warning": 0, "notice": 0, "": 0, "bad": 1, `\u001b[2J`: 1} {
		if all, broken := entries(fmt.Appendf(nil, line, severity)); broken != want || len(all) != 1-want {
			t.Errorf("%q: %d entries, %d broken", severity, len(all), broken)
		}
	}
}

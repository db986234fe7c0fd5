package ui

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/demo"
	"lvsdeck/ops/history"
	"lvsdeck/ops/record"
	"lvsdeck/persist"
)

// incidentSamples are readings of a bad day, some of which are amended or failed.
func incidentSamples(t testing.TB, n int) (all []*ops.Sample) {
	t.Helper()
	site := demo.New(demo.Incident, 1)
	sampler := ops.NewSampler(site.Table(), ops.Options{})
	sampler.Each(func(s *ops.Sample) {
		all = append(all, s)
		switch len(all) % 7 {
		case 3: // as when a service was opened
			more := *s
			more.Seq, more.Services = s.Seq+1000, slices.Clone(s.Services)
			for i, v := range more.Services {
				svc := *v
				svc.Servers = slices.Clone(v.Servers)
				for k, r := range svc.Servers {
					full := *r
					full.Counted, full.PersistentKnown, full.Persistent = true, true, 3
					full.Rate.Conns, full.Total.Conns = uint64(k+1), uint64(1000*k)
					svc.Servers[k] = &full
				}
				svc.Sum()
				more.Services[i] = &svc
			}
			more.Sum()
			all = append(all, &more)
		case 5:
			bad := *s
			bad.Seq, bad.Err = s.Seq+2000, errors.New("no answer from the \x1bkernel within 5s")
			all = append(all, &bad)
		}
		sampler.Focus([]ipvs.ServiceID{s.Services[len(all)%len(s.Services)].ServiceID})
	})
	site.Play(t.Context(), sampler, noon, time.Duration(n)*sampler.Interval())
	return all
}

// recording records samples and opens the file.
func recording(t testing.TB, all []*ops.Sample, o record.Options) *record.File {
	t.Helper()
	o.Head.Host, o.Head.Interval = "dir-a", 2*time.Second
	r := record.NewRecorder(o)
	name := filepath.Join(t.TempDir(), "x.rec")
	if err := r.Start(name, nil); err != nil {
		t.Fatal(err)
	}
	for i, s := range all {
		r.Hear(s)
		for state := r.State(); state.Samples+state.Lost <= i; state = r.State() {
			runtime.Gosched()
		}
	}
	if state, err := r.Stop(); err != nil || state.Lost > 0 {
		t.Fatal(state, err)
	}
	f, err := record.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// replayed is a console on a recording that stands at its beginning.
type replayed struct {
	*Model
	t *testing.T
}

type reports struct{ latest func() *check.Report }

func (r reports) Latest() *check.Report                        { return r.latest() }
func (reports) LookNow(context.Context) (*check.Report, error) { return nil, errors.New("not here") }
func (reports) Probe(context.Context, func(ipvs.ServiceID) bool, func(int, int)) (check.Asked, error) {
	return check.Asked{}, errors.New("not here")
}

func replay(t *testing.T, f *record.File, width, height int) replayed {
	t.Helper()
	p, err := record.NewPlayer(f)
	if err != nil {
		t.Fatal(err)
	}
	opts := Replaying(p)
	p.Play(false)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); p.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	m, _ := console(t, nil, width, height, func(o *Options) { *o = opts })
	r := replayed{m, t}
	r.until(func(s record.PlayState) bool { return !s.Playing && !s.Filling })
	return r
}

func (r replayed) until(ok func(record.PlayState) bool) {
	r.t.Helper()
	for !ok(r.opts.Replay.State()) {
		select {
		case <-r.opts.Replay.Updated():
		case <-time.After(30 * time.Second):
			r.t.Fatalf("it never came; it is %+v", r.opts.Replay.State())
		}
	}
	r.Update(sampleMsg{})
}

// TestReplayGivesTheSameFrames shows samples live and from their recording, under the
// same keys: every frame is the same, byte for byte, from the beginning and after a
// jump.
func TestReplayGivesTheSameFrames(t *testing.T) {
	all := incidentSamples(t, 400)
	report := &check.Report{Time: noon, Findings: []check.Finding{{Check: "vip", Severity: check.Fault,
		Service: all[0].Services[2].ServiceID, Short: "gone", Evidence: []string{"3 of 4"}, Since: noon}}}
	report.Findings = append(report.Findings, check.Finding{Check: "estimator", Severity: check.Warning, Short: "it is off", Evidence: []string{"0"}, Since: noon})
	f := recording(t, all, record.Options{Reports: func() *check.Report { return report }})
	for _, from := range []int{0, 431} {
		p, err := record.NewPlayer(f)
		if err != nil {
			t.Fatal(err)
		}
		if from > 0 {
			p.Jump(all[from].Time)
			for from = 431; all[from-1].Time.Equal(all[from].Time); {
				from--
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		p.Play(false)
		go func() { defer close(ended); p.Run(ctx) }()
		screens := func(source *fakeSource, latest func() *check.Report) *Model {
			m, _ := console(t, nil, 80+from%2*120, 24+from%2*26, func(o *Options) { o.Source, o.Checks = source, reports{latest} })
			return m
		}
		live, old := newFakeSource(nil), newFakeSource(nil)
		a, b := screens(live, func() *check.Report { return report }), screens(old, p.Report)
		random := rand.New(rand.NewPCG(uint64(from), 1))
		keys := []string{"o", "down", "down", "up", "tab", "1", "2", "3", "4", ">", "r", "!", "p", "enter", "F", "esc", "P", "s", "pgdown", "home"}
		for i := from; i < len(all); i++ {
			for p.Latest().Seq != all[i].Seq {
				<-p.Updated()
			}
			live.latest.Store(all[i])
			old.latest.Store(p.Latest())
			key := keys[random.IntN(len(keys))]
			for _, m := range []*Model{a, b} {
				m.Update(sampleMsg{})
				press(m, key)
			}
			if got, want := b.View().Content, a.View().Content; got != want {
				t.Fatalf("sample %d, after %q:\n%s\nwant:\n%s", i, key, grid(b), grid(a))
			}
			p.Step(1)
		}
		stop()
		<-ended
	}
}

// goes waits until a sample is shown, and all before it told: asked in this order, as
// the player says that it tells before it shows.
func (r replayed) goes(to *ops.Sample) {
	r.t.Helper()
	r.until(func(record.PlayState) bool {
		return r.opts.Replay.Latest().Seq == to.Seq && !r.opts.Replay.State().Filling
	})
}

// pictures are the screens that say what was before: home with all about a row, the
// graph, the pulse and a service.
func (r replayed) pictures() (all []string) {
	all = append(all, r.View().Content)
	for _, key := range []string{"H", "P", "s"} {
		press(r.Model, key)
		all = append(all, r.View().Content)
		press(r.Model, "esc")
	}
	return all
}

// TestReplayBackAndForth: every frame after steps back and jumps is the same, byte for
// byte, as when the recording is played straight on.
func TestReplayBackAndForth(t *testing.T) {
	all := incidentSamples(t, 300)
	report := func(s *ops.Sample) *check.Report {
		return &check.Report{Time: s.Time, Findings: []check.Finding{{Check: "vip", Severity: check.Fault,
			Service: s.Services[2].ServiceID, Short: "gone", Evidence: []string{fmt.Sprint(s.Seq)}, Since: noon}}}
	}
	at := -1
	f := recording(t, all, record.Options{Reports: func() *check.Report { at++; return report(all[at/20*20]) }})
	open := func() replayed {
		r := replay(t, f, 80, 24)
		r.opts.Replay.Jump(all[60].Time)
		r.goes(all[60])
		press(r.Model, "o", "n", "n", "n", "down", "down", "down", "tab")
		if !strings.Contains(grid(r.Model), "10.0.3.13:443  server of") {
			t.Fatalf("the cursor is not on the server that is being drained:\n%s", grid(r.Model))
		}
		r.opts.Replay.Jump(all[0].Time)
		r.goes(all[0])
		return r
	}
	straight := open()
	var want [][]string
	for i, s := range all {
		if i > 0 {
			press(straight.Model, ".")
		}
		straight.goes(s)
		want = append(want, straight.pictures())
	}
	walk := open()
	random := rand.New(rand.NewPCG(7, 7))
	at = 0
	for range 250 {
		var to int
		move := func() { walk.opts.Replay.Step(to - at) }
		switch by := 1 + random.IntN(9); random.IntN(8) {
		case 0:
			for to = random.IntN(len(all)); to > 0 && all[to-1].Time.Equal(all[to].Time); {
				to--
			}
			move = func() { walk.opts.Replay.Jump(all[to].Time) }
		case 1, 2:
			to = min(at+1, len(all)-1)
		case 3:
			to = min(at+9*by, len(all)-1)
		case 4, 5:
			to = max(at-9*by, 0)
		default:
			to = max(at-1, 0)
			move = func() { press(walk.Model, ",") }
		}
		if to == at {
			continue // nothing would tell when it has gone there
		}
		move()
		walk.goes(all[to])
		for i, got := range walk.pictures() {
			if got != want[to][i] {
				t.Fatalf("from sample %d to %d, screen %d:\n%s\nwant:\n%s", at, to, i, got, want[to][i])
			}
		}
		at = to
	}
}

func TestReplayScreens(t *testing.T) {
	all := incidentSamples(t, 60)
	marks := []history.Mark{
		{Time: all[20].Time, Kind: history.Found, Text: "a warning"},
		{Time: all[20].Time, Kind: history.Changed, Plan: "a", Text: "drain 10.0.3.11:443"},
	}
	names := map[string]persist.Label{"TCP 198.51.100.20:443": {Name: "sh\x1bop"}}
	f := recording(t, all, record.Options{Marks: func(time.Time) []history.Mark { return marks }, Names: func() map[string]persist.Label { return names }})
	for _, size := range [][2]int{{60, 16}, {80, 24}, {200, 50}} {
		r := replay(t, f, size[0], size[1])
		golden(t, fmt.Sprintf("replay-%dx%d", size[0], size[1]), grid(r.Model)+"\n"+styles(r.Model))
	}
	r := replay(t, f, 80, 24)
	at := func(want time.Time) {
		t.Helper()
		r.until(func(s record.PlayState) bool { return s.At.Equal(want) && !s.Filling })
	}
	says := func(want string) {
		t.Helper()
		if !strings.Contains(grid(r.Model), want) {
			t.Errorf("it does not say %q:\n%s", want, grid(r.Model))
		}
	}
	for _, s := range []time.Duration{4, 8} { // what no journal tells
		press(r.Model, ")")
		at(noon.Add(s * time.Second))
		says("weight 10 to 0")
	}
	press(r.Model, ")")
	at(all[20].Time)
	says("(and 1 more) drain 10.0.3.11:443")
	press(r.Model, ")")
	says("nothing was changed or found after this")
	press(r.Model, ".")
	press(r.Model, ".")
	press(r.Model, "@")
	typed(r.Model, "14.03")
	press(r.Model, "enter")
	says(`"14.03" is no time`)
	press(r.Model, "esc", "@")
	typed(r.Model, "12:06:00")
	press(r.Model, "enter")
	r.until(func(s record.PlayState) bool { return s.At.After(noon.Add(80*time.Second)) && !s.Filling })
	golden(t, "replay-paused-80x24", grid(r.Model)+"\n"+styles(r.Model))
	press(r.Model, "}", "}")
	r.until(func(s record.PlayState) bool { return s.Speed == 5 })
	says("paused 5x")
	press(r.Model, "@")
	typed(r.Model, "12:06:31")
	press(r.Model, "enter", ".", ".", ".", ".")
	r.until(func(s record.PlayState) bool { return s.Ended })
	says("at the end")
	press(r.Model, "p")
	says("the recording ends here")
}

// TestReplayHasNoHost runs every command on a recording: what needs the host says
// so, and nothing from the file moves the terminal.
func TestReplayHasNoHost(t *testing.T) {
	all := incidentSamples(t, 12)
	for _, s := range all {
		for _, v := range s.Services {
			v.Scheduler, v.Persistence.Engine, v.Persistence.On = "w\x1b[2Jlc", "s\x07ip", true
		}
		s.EstimatorStopped = "it \x1b]0;stopped"
	}
	report := &check.Report{Time: noon, Unread: []string{"fire\x1b]0;wall"}, Findings: []check.Finding{{Check: "v\x1bip",
		Severity: check.Fault, Service: all[0].Services[0].ServiceID, Short: "g\x1bone", Evidence: []string{"3\x07"}, Means: "\x1b[1Jno", Lines: []string{"ip\x1b a"}}}}
	mark := history.Mark{Time: all[3].Time, Kind: history.Changed, Plan: "p\x07", By: "m\x1be", Text: "dr\x1b[3Jain"}
	f := recording(t, all, record.Options{
		Reports: func() *check.Report { return report },
		Marks:   func(time.Time) []history.Mark { return []history.Mark{mark} },
		Names: func() map[string]persist.Label {
			return map[string]persist.Label{"FWM 7": {Name: "f\x1bw", Note: "n\x07"}}
		},
	})
	r := replay(t, f, 80, 24)
	var walk func(cmd tea.Cmd)
	walk = func(cmd tea.Cmd) {
		if cmd == nil {
			return
		}
		switch msg := cmd().(type) {
		case tea.BatchMsg:
			for _, c := range msg {
				walk(c)
			}
		case readMsg, besideMsg, lateMsg:
			_, cmd := r.Update(msg)
			walk(cmd)
		}
	}
	style := regexp.MustCompile("\x1b\\[[0-9;:]*m")
	clean := func(what string) {
		t.Helper()
		r.settle()
		for _, line := range strings.Split(style.ReplaceAllString(r.View().Content, ""), "\n") {
			if strings.ContainsFunc(line, unicode.IsControl) {
				t.Fatalf("%s shows %q", what, line)
			}
		}
		for len(r.layers) > 0 {
			r.pop()
		}
	}
	for i := range r.commands {
		if c := &r.commands[i]; !slices.Contains(c.keys, "q") && !slices.Contains(c.keys, "ctrl+z") {
			walk(r.run(c))
			clean(c.name)
		}
	}
	for _, open := range []string{"F", "P", "s", "H"} {
		for key := '!'; key <= '~'; key++ {
			walk(press(r.Model, open))
			walk(press(r.Model, string(key)))
			walk(press(r.Model, "enter"))
			clean(open + " " + string(key))
		}
	}
	for _, key := range []string{"d", "C", "D", "J", "y", "V", "R", "S"} {
		press(r.Model, key)
		if !strings.Contains(r.message, "a recording") {
			t.Errorf("%s says %q", key, r.message)
		}
	}
	press(r.Model, "F")
	if g := grid(r.Model); strings.Contains(g, "probe") || strings.Contains(g, "y why") || !strings.Contains(g, "/ filter") {
		t.Errorf("nobody can be asked:\n%s", g)
	}
	for _, key := range []string{"p", "P"} {
		press(r.Model, key)
		if r.message != "a recording has no servers to probe" {
			t.Errorf("%s says %q", key, r.message)
		}
	}
}

func TestRecordKey(t *testing.T) {
	recorder := record.NewRecorder(record.Options{Head: record.Head{Host: "dir-a"}})
	m, src := console(t, site(), 80, 24, func(o *Options) { o.Recorder = recorder })
	name := filepath.Join(t.TempDir(), "x.rec")
	press(m, "V")
	if got := m.top().(*linePrompt).value(); !strings.HasPrefix(got, "lvsdeck-dir-a-") || !strings.HasSuffix(got, ".rec") {
		t.Errorf("proposes %q", got)
	}
	m.top().(*linePrompt).input.SetValue(name)
	m.Update(press(m, "enter")())
	later := site()
	later.Seq, later.Time = 2, noon.Add(2*time.Second)
	src.latest.Store(later)
	recorder.Hear(later)
	for recorder.State().Samples < 2 {
		runtime.Gosched()
	}
	m.Update(sampleMsg{})
	if !strings.Contains(grid(m), "rec ") {
		t.Errorf("nothing says that it records:\n%s", grid(m))
	}
	m.Update(press(m, "V")())
	if !strings.Contains(grid(m), "recorded: 2 readings") || strings.Contains(grid(m), "rec 0") {
		t.Errorf("it does not end:\n%s", grid(m))
	}
	press(m, "V")
	m.top().(*linePrompt).input.SetValue("/no/such/x.rec")
	m.Update(press(m, "enter")())
	if !strings.Contains(grid(m), "Nothing is recorded") {
		t.Errorf("it does not say that it cannot:\n%s", grid(m))
	}
}

func TestMomentOf(t *testing.T) {
	at := func(s string) time.Time {
		got, err := time.Parse(time.DateTime, s)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	now, from, to := at("2026-03-01 23:50:00"), at("2026-03-01 22:00:00"), at("2026-03-02 01:00:00")
	for typed, want := range map[string]string{
		"23:10": "2026-03-01 23:10:00", "23:10:05": "2026-03-01 23:10:05", "00:30": "2026-03-02 00:30:00",
		"-10m": "2026-03-01 23:40:00", "+1h": "2026-03-02 00:50:00", "2026-03-02 00:05": "2026-03-02 00:05:00", "22:00": "2026-03-01 22:00:00",
		"": "is no time", "25:00": "is no time", "10m": "is no time", "-3h": "between 2026-03-01 22:00:00 and 2026-03-02 01:00:00", "12:00": "is not between",
	} {
		got, err := Moment(typed, now, from, to)
		if err != nil && !strings.Contains(err.Error(), want) || err == nil && !got.Equal(at(want)) {
			t.Errorf("%q: %v, %v; want %s", typed, got, err, want)
		}
	}
}

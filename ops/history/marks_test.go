package history_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/history"
	"lvsdeck/ops/plan"
	"lvsdeck/persist"
)

func texts(marks []history.Mark) (out []string) {
	for _, m := range marks {
		out = append(out, m.Kind.String()+" "+m.Text)
	}
	return out
}

// TestSeenChanges holds what readings tell of changes, whoever made them.
func TestSeenChanges(t *testing.T) {
	store, now := history.New(), midnight
	var watch history.Watch
	var watched []history.Mark
	hear := func(s *ops.Sample) {
		store.Add(s)
		watched = watch.Add(s)
	}
	add := func(weight uint32, scheduler string, servers ...int) {
		now = now.Add(interval)
		v := svc(0, 1)
		v.Scheduler = scheduler
		for _, i := range servers {
			v.Servers = append(v.Servers, srv(i, 1, weight, false))
		}
		hear(sampleAt(now, v))
	}
	tell := func(want ...string) {
		t.Helper()
		if got := texts(store.Marks(now, now.Add(time.Second))); !slices.Equal(got, want) {
			t.Errorf("want %q, got %q", want, got)
		}
		if got := texts(watched); !slices.Equal(got, want) {
			t.Errorf("want %q watched, got %q", want, got)
		}
	}
	const of = " of TCP 203.0.0.0:443: "
	add(1, "rr", 1, 2)
	tell() // what was there from the beginning did not happen then
	add(1, "rr", 1)
	tell("seen 10.0.0.2:80" + of + "left")
	add(0, "rr", 1)
	tell("seen 10.0.0.1:80" + of + "weight 1 to 0")
	add(0, "wlc", 1, 2)
	tell("seen TCP 203.0.0.0:443: scheduler rr to wlc", "seen 10.0.0.2:80"+of+"came back with weight 0")
	add(5, "wlc", 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
	tell("seen rows of the table: 9 came, 1 left, 1 changed")
	now = now.Add(interval)
	hear(sampleAt(now))
	tell("seen TCP 203.0.0.0:443: left")
	add(5, "wlc", 2)
	tell("seen TCP 203.0.0.0:443: came back")
}

// TestPlansExplainWhatIsSeen holds that a change of our own is told once, also when
// the journal is read again and the plan has ended meanwhile.
func TestPlansExplainWhatIsSeen(t *testing.T) {
	store, at := history.New(), midnight.Add(interval)
	store.Add(sampleAt(at, svc(0, 1, srv(1, 1, 1, false), srv(2, 1, 1, false))))
	before, after := ipvs.Server{Addr: srvAddr(1), Weight: 1}, ipvs.Server{Addr: srvAddr(1)}
	steps, err := plan.Written([]plan.Item{{Step: plan.ChangeServer{Service: svcID(0), Before: &before, After: &after}}})
	if err != nil {
		t.Fatal(err)
	}
	e := &persist.Entry{Record: persist.Record{Time: at.Add(time.Second), ID: "7", Title: "drain it", Steps: steps, By: persist.Who{User: "ana"}}}
	read := func(running string) {
		store.Mark(history.Plans(plan.History{Entries: []*persist.Entry{e}, Running: running}, midnight)...)
	}
	read("7")
	if got := texts(store.Marks(midnight, at.Add(time.Hour))); !slices.Equal(got, []string{"changed drain it: running"}) {
		t.Errorf("got %q", got)
	}
	at = at.Add(interval)
	store.Add(sampleAt(at, svc(0, 1, srv(1, 1, 0, false), srv(2, 1, 7, false))))
	e.Ended = &persist.Record{Time: at, Outcome: persist.Applied}
	read("")
	want := []string{"changed drain it", "seen 10.0.0.2:80 of TCP 203.0.0.0:443: weight 1 to 7"}
	marks := store.Marks(midnight, at.Add(time.Hour))
	if got := texts(marks); !slices.Equal(got, want) {
		t.Errorf("want %q, got %q", want, got)
	}
	if marks[0].By != "ana" {
		t.Errorf("want who did it, got %q", marks[0].By)
	}
	if !marks[0].Touches(server(0, 2)) || marks[0].Touches(service(1)) {
		t.Error("want the plan to be about all of its service, and about no other")
	}
	at = at.Add(time.Minute)
	store.Add(sampleAt(at, svc(0, 1, srv(1, 1, 9, false), srv(2, 1, 7, false))))
	if got := texts(store.Marks(at, at.Add(time.Second))); len(got) != 1 || !strings.HasSuffix(got[0], "weight 0 to 9") {
		t.Errorf("want a later change of the same row to be told, got %q", got)
	}
}

func TestFindingsComeAndGo(t *testing.T) {
	at := midnight.Add(time.Minute)
	found := func(names ...string) *check.Report {
		r := &check.Report{Time: at}
		for _, n := range names {
			r.Findings = append(r.Findings, check.Finding{Check: n, Service: svcID(0), Short: n + " is wrong"})
		}
		return r
	}
	for _, c := range []struct {
		was, is *check.Report
		want    []string
	}{
		{nil, found("route"), []string{"found TCP 203.0.0.0:443: route is wrong"}},
		{found("route"), found("route"), nil},
		{found("route"), found("vip"), []string{"found TCP 203.0.0.0:443: vip is wrong", "cleared TCP 203.0.0.0:443: route is wrong"}},
	} {
		if got := texts(history.Findings(c.was, c.is)); !slices.Equal(got, c.want) {
			t.Errorf("want %q, got %q", c.want, got)
		}
	}
}

// TestOnce puts what a recording has in order.
func TestOnce(t *testing.T) {
	at := func(s int) time.Time { return midnight.Add(time.Duration(s) * time.Second) }
	drain := history.Mark{Time: at(3), Kind: history.Changed, Plan: "7", Text: "drain: running", About: []history.Key{server(0, 1)}}
	done := drain
	done.Until, done.Text = at(10), "drain"
	seen := history.Mark{Time: at(12), Kind: history.Seen, Text: "weight 1 to 0", About: []history.Key{server(0, 1)}}
	other := seen
	other.About, other.Text = []history.Key{server(0, 2)}, "weight 5 to 0"
	fault := history.Mark{Time: at(1), Kind: history.Found, Text: "gone", Severity: check.Fault}
	got := history.Once([]history.Mark{drain, seen, other, fault, fault, done, seen})
	if want := []string{"found gone", "changed drain", "seen weight 5 to 0"}; !slices.Equal(texts(got), want) {
		t.Errorf("want %q, got %q", want, texts(got))
	}
	warning := fault
	warning.Severity = check.Warning
	cleared := fault
	cleared.Kind = history.Cleared
	crossed, ended := history.Mark{Kind: history.Crossed, Text: "rate"}, history.Mark{Kind: history.Ended, Text: "rate"}
	all := []history.Mark{cleared, ended, warning, seen, done, crossed, fault}
	slices.SortStableFunc(all, history.Mark.Heavier)
	slices.Reverse(all)
	if want := []string{"ended rate", "cleared gone", "found gone", "seen weight 1 to 0", "changed drain", "found gone", "crossed rate"}; !slices.Equal(texts(all), want) || all[2].Severity != check.Warning {
		t.Errorf("want the heaviest last, got %q", texts(all))
	}
}

func TestMarksAreBounded(t *testing.T) {
	store := history.New()
	for i := range 5000 {
		store.Mark(history.Mark{Time: midnight.Add(time.Duration(i) * time.Second), Kind: history.Found, Text: "x"})
	}
	got := store.Marks(midnight, midnight.Add(24*time.Hour))
	if len(got) != 2000 || !got[1999].Time.Equal(midnight.Add(4999*time.Second)) {
		t.Errorf("want the newest 2,000, got %d", len(got))
	}
}

// TestManyMarksAtOnce: of a long recording only the newest are looked at, and what is
// told again and again, of one moment, stands there once.
func TestManyMarksAtOnce(t *testing.T) {
	store := history.New()
	var marks []history.Mark
	for i := range 300_000 {
		m := history.Mark{Time: midnight, Kind: history.Found, Text: strconv.Itoa(i)}
		if i < 1000 {
			m.Time, m.Text = midnight.Add(time.Hour), strconv.Itoa(i/2)
		}
		marks = append(marks, m)
	}
	store.Mark(marks...)
	got := store.Marks(midnight, midnight.Add(24*time.Hour))
	if len(got) != 1500 || got[0].Text != "299000" || got[1000].Text != "0" || got[1499].Text != "499" {
		t.Errorf("want the newest 2,000, each once, got %d", len(got))
	}
}

// TestManyFindings: as many as a report can have are compared while a key waits.
func TestManyFindings(t *testing.T) {
	was, is := &check.Report{Time: midnight}, &check.Report{Time: midnight.Add(interval)}
	for i := range 100_000 {
		was.Findings = append(was.Findings, check.Finding{Check: strconv.Itoa(i), Service: svcID(0)})
		is.Findings = append(is.Findings, check.Finding{Check: strconv.Itoa(i + 1), Service: svcID(0)})
	}
	if got := history.Findings(was, is); len(got) != 2 || got[0].Kind != history.Found || got[1].Kind != history.Cleared {
		t.Errorf("want one that came and one that went, got %d", len(got))
	}
}

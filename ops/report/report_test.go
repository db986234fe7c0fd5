package report_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/alarm"
	"lvsdeck/ops/check"
	"lvsdeck/ops/conns"
	"lvsdeck/ops/history"
	"lvsdeck/ops/incident"
	"lvsdeck/ops/report"
	"lvsdeck/persist"
)

func init() { time.Local = time.UTC }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func id(i int) ipvs.ServiceID {
	return ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}), 443))
}

func server(i, k int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i), byte(k)}), 443)
}

// play fills a history with a table of three services of two servers, a sample every
// ten seconds for so many minutes; rate gives a server's new connections a second.
func play(minutes int, rate func(minute, service, server int) int) (*history.Store, *ops.Sample) {
	store := history.New()
	var last *ops.Sample
	for n := range minutes * 6 {
		s := &ops.Sample{Time: noon.Add(time.Duration(n+1) * 10 * time.Second), Interval: 10 * time.Second}
		s.Counted = true
		for i := 1; i <= 3; i++ {
			v := &ops.Service{Service: ipvs.NewService(id(i))}
			v.Counted = true
			if rate(n/6, i, 0) < 0 {
				continue // the service is gone
			}
			for k := 1; k <= 2; k++ {
				x := rate(n/6, i, k)
				if x < 0 {
					continue // the server is gone
				}
				f := ops.Figures{Active: uint64(10 * x), Rate: ipvs.Traffic{Conns: uint64(x)}, Counted: true}
				v.Servers = append(v.Servers, &ops.Server{Server: ipvs.Server{Addr: server(i, k), Weight: 1}, Figures: f})
				v.Rate.Conns += f.Rate.Conns
			}
			v.Sum()
			s.Services = append(s.Services, v)
			s.Active, s.Rate.Conns = s.Active+v.Active, s.Rate.Conns+v.Rate.Conns
		}
		store.Add(s)
		last = s
	}
	return store, last
}

func rowsOf(r report.Report) (all []string) {
	for _, row := range r.Rows {
		all = append(all, row.Row.String())
	}
	return all
}

func TestFindsWhatMoved(t *testing.T) {
	for _, c := range []struct {
		name  string
		rate  func(minute, service, server int) int
		rows  []string // that moved, the worst first
		began int      // in which minute
		says  []string
	}{
		{"calm", func(int, int, int) int { return 100 }, nil, 15, []string{"moved by less than a fifth", "Nobody is seen to be affected", "Figures do not say"}},
		{"one service grows", func(m, i, _ int) int {
			if i == 2 && m >= 12 {
				return 900
			}
			return 100
		}, []string{id(2).String()}, 12, []string{"from 600 to 2200 a second", "Most moved TCP 203.0.113.2:443.", "100 % of the rise in new connections is at TCP 203.0.113.2:443: 1800 a second, before 200"}},
		{"a server dies", func(m, i, k int) int {
			switch {
			case i == 3 && m >= 10 && k == 1:
				return 0
			case i == 3 && m >= 10:
				return 200
			}
			return 100
		}, []string{server(3, 1).String() + " of " + id(3).String(), server(3, 2).String() + " of " + id(3).String()}, 15,
			[]string{"New or active connections fell to less than half at 10.0.3.1:443 of TCP 203.0.113.3:443."}},
		{"all falls", func(m, _, _ int) int {
			if m >= 8 {
				return 10
			}
			return 100
		}, []string{id(1).String(), id(2).String(), id(3).String()}, 8, []string{"from 600 to 60 a second", "fell to less than half at TCP 203.0.113.1:443, TCP 203.0.113.2:443, TCP 203.0.113.3:443"}},
	} {
		store, last := play(20, c.rate)
		r := report.Make(report.Sources{History: store, Latest: last, From: noon, To: last.Time})
		if c.name == "a server dies" { // the whole table does not tell when
			r = report.Make(report.Sources{History: store, Latest: last, From: noon, To: last.Time, Began: noon.Add(10 * time.Minute)})
			c.began = 10
		}
		if got := int(r.Began.Sub(noon).Round(time.Minute).Minutes()); got != c.began {
			t.Errorf("%s: began in minute %d (%s), want %d", c.name, got, r.Why, c.began)
		}
		if got := rowsOf(r); !slices.Equal(got, c.rows) {
			t.Errorf("%s: rows %q, want %q", c.name, got, c.rows)
		}
		all := strings.Join(slices.Concat(r.Changed, r.Affected, r.Causes), " ")
		for _, want := range c.says {
			if !strings.Contains(all, want) {
				t.Errorf("%s: want %q in %q", c.name, want, all)
			}
		}
	}
}

// TestServerThatLeft: what is not in the table any more is told, too.
func TestServerThatLeft(t *testing.T) {
	store, last := play(20, func(m, i, k int) int {
		if i == 1 && k == 2 && m >= 15 {
			return -1
		}
		return 100
	})
	r := report.Make(report.Sources{History: store, Latest: last, From: noon, To: last.Time, Began: noon.Add(14 * time.Minute)})
	found := false
	for _, e := range r.Events {
		found = found || e.Kind == "seen" && strings.Contains(e.Text, server(1, 2).String())
	}
	if !found || !strings.Contains(strings.Join(r.Changed, " "), "The director was changed once") {
		t.Errorf("%+v %q", r.Events, r.Changed)
	}
}

// TestServiceThatLeft: a service that was removed has no connections any more.
func TestServiceThatLeft(t *testing.T) {
	store, last := play(20, func(m, i, _ int) int {
		if i < 3 && m >= 12 {
			return -1
		}
		return 100
	})
	r := report.Make(report.Sources{History: store, Latest: last, From: noon, To: last.Time})
	if got := rowsOf(r); !slices.Equal(got, []string{id(1).String(), id(2).String()}) || !r.Rows[0].Gone || r.Rows[0].During != (report.Means{}) {
		t.Errorf("%+v", r.Rows)
	}
	all := strings.Join(r.Affected, " ")
	for _, want := range []string{"Not in the table any more, with connections before: TCP 203.0.113.1:443, TCP 203.0.113.2:443.", "the whole table fell to less than half"} {
		if !strings.Contains(all, want) {
			t.Errorf("want %q in %q", want, all)
		}
	}
	if causes := strings.Join(r.Causes, " "); !strings.Contains(causes, "before it began: TCP 203.0.113.1:443: left") && !strings.Contains(causes, "at about the time when it began: TCP 203.0.113.1:443: left") {
		t.Errorf("%q", r.Causes)
	}
}

// TestChangeSeenAfterwards: a reading dates a change later than the figures moved, and
// an operator types minutes.
func TestChangeSeenAfterwards(t *testing.T) {
	store, last := play(20, func(int, int, int) int { return 100 })
	store.Mark(history.Mark{Time: noon.Add(10*time.Minute + 15*time.Second), Kind: history.Seen, Text: "a weight", About: []history.Key{{Service: id(2)}}})
	crossed := entry(10, incident.Crossed, "a")
	for name, s := range map[string]report.Sources{
		"typed": {Began: noon.Add(10*time.Minute - 40*time.Second)}, "logged": {Log: &incident.History{Entries: []incident.Entry{crossed}}},
	} {
		s.History, s.Latest, s.From, s.To = store, last, noon, last.Time
		if r := report.Make(s); !strings.Contains(strings.Join(r.Causes, " "), "at about the time when it began: a weight") {
			t.Errorf("%s: %q", name, r.Causes)
		}
	}
}

// TestCrossingsOfARecording stand in the time line once, whether the log has them or
// not, and without it tell when it began.
func TestCrossingsOfARecording(t *testing.T) {
	store, last := play(20, func(int, int, int) int { return 100 })
	store.Mark(
		history.Mark{Time: noon.Add(12 * time.Minute), Kind: history.Crossed, Text: "a", About: []history.Key{{Service: id(2)}}},
		history.Mark{Time: noon.Add(13 * time.Minute), Kind: history.Found, Text: "b", About: []history.Key{{Service: id(2)}}},
		history.Mark{Time: noon.Add(14 * time.Minute), Kind: history.Ended, Text: "a", About: []history.Key{{Service: id(2)}}},
	)
	for want, log := range map[string]*incident.History{
		"crossed found ended": nil,
		"crossed found":       {Entries: []incident.Entry{entry(12, incident.Crossed, "a")}},
		"found crossed ended": {Entries: []incident.Entry{entry(11, incident.Found, "b")}},
	} {
		r := report.Make(report.Sources{History: store, Latest: last, From: noon, To: last.Time, Log: log})
		var kinds []string
		for _, e := range r.Events {
			kinds = append(kinds, e.Kind)
		}
		if got := strings.Join(kinds, " "); got != want {
			t.Errorf("the time line is %s, want %s", got, want)
		}
		if log == nil && (!r.Began.Equal(noon.Add(12*time.Minute)) || r.Why != "the first of what crossed a threshold") {
			t.Errorf("it began %v, %s", r.Began, r.Why)
		}
	}
}

// TestWhereTheFiguresMoved: a spike began where it began, and is over where it ended.
func TestWhereTheFiguresMoved(t *testing.T) {
	for name, c := range map[string]struct {
		rate func(minute int) int
		want int
	}{
		"a spike":                      {func(m int) int { return 100 + 900*within(m, 30, 50) }, 30},
		"a dip":                        {func(m int) int { return 100 - 95*within(m, 30, 50) }, 30},
		"a small one long before":      {func(m int) int { return 100 + 70*within(m, 20, 30) + 2900*within(m, 80, 120) }, 80},
		"a large one and its echo":     {func(m int) int { return 100 + 900*within(m, 30, 50) + 500*within(m, 90, 100) }, 30},
		"what lasts for a minute":      {func(m int) int { return 100 + 900*within(m, 30, 31) }, 115},
		"a rise that is slow at first": {func(m int) int { return 100 + 5*within(m, 10, 60) + 300*within(m, 60, 120) }, 60},
	} {
		store, last := play(120, func(m, _, _ int) int { return c.rate(m) })
		r := report.Make(report.Sources{History: store, Latest: last, From: noon, To: last.Time})
		if got := int(r.Began.Sub(noon).Round(time.Minute).Minutes()); got != c.want {
			t.Errorf("%s: minute %d (%s), want %d", name, got, r.Why, c.want)
		}
		if all := strings.Join(r.Affected, " "); strings.Contains(all, "fell") {
			t.Errorf("%s: %s", name, all)
		}
	}
}

func within(minute, from, to int) int {
	if minute >= from && minute < to {
		return 1
	}
	return 0
}

// TestTheEntryNearTheStep: what was written down long before the figures moved is not
// when it began, nor is a warning of the whole director.
func TestTheEntryNearTheStep(t *testing.T) {
	store, last := play(20, func(m, _, _ int) int { return 100 + 900*within(m, 12, 20) })
	unsaved := entry(2, incident.Found, "unsaved")
	unsaved.Severity = "warning"
	early, over, near := entry(3, incident.Crossed, "a"), entry(4, incident.Ended, "a"), entry(13, incident.Crossed, "b")
	for name, c := range map[string]struct {
		log  []incident.Entry // oldest first
		want int
	}{
		"near":            {[]incident.Entry{unsaved, early, over, near}, 13},
		"none near":       {[]incident.Entry{unsaved, early}, 12},
		"only a warning":  {[]incident.Entry{unsaved}, 12},
		"nothing is told": {nil, 12},
	} {
		slices.Reverse(c.log)
		r := report.Make(report.Sources{History: store, Latest: last, From: noon, To: last.Time, Log: &incident.History{Entries: c.log}})
		if got := int(r.Began.Sub(noon).Round(time.Minute).Minutes()); got != c.want {
			t.Errorf("%s: minute %d (%s), want %d", name, got, r.Why, c.want)
		}
	}
}

// TestWords: what rounds to nothing went nowhere, no two have most of a rise, and a
// span of two days says of which day a time is.
func TestWords(t *testing.T) {
	store, last := play(20, func(m, i, _ int) int {
		switch {
		case m < 10:
			return 100
		case i == 3:
			return 0
		}
		return 300
	})
	r := report.Make(report.Sources{History: store, Latest: last, From: noon, To: last.Time, Began: noon.Add(10 * time.Minute)})
	if all := strings.Join(r.Causes, " "); strings.Contains(all, "of the rise") {
		t.Errorf("%q", all)
	}
	store, last = play(20, func(m, i, k int) int { return within(m, 15, 20) * within(i, 1, 2) * within(k, 1, 2) })
	r = report.Make(report.Sources{History: store, Latest: last, From: noon.Add(-13 * time.Hour), To: last.Time, Began: noon.Add(13 * time.Minute)})
	if all := strings.Join(r.Changed, " "); strings.Contains(all, "from 0 to 0") || strings.Contains(all, "from 1 to 1") {
		t.Errorf("%q", all)
	}
	if got := r.Clock(noon); got != "2026-03-01 12:00:00" {
		t.Error(got)
	}
}

func entry(minute int, kind incident.Kind, name string) incident.Entry {
	e := incident.Entry{Time: noon.Add(time.Duration(minute) * time.Minute), Kind: kind, ID: name, Text: name, By: persist.Who{User: "alice"}, Severity: "fault"}
	if kind == incident.Crossed || kind == incident.Ended {
		e.Row = alarm.Row{Service: id(2)}
		e.Threshold = &alarm.Threshold{Row: e.Row, Figure: alarm.ConnRate, Limit: 500, Hold: 1}
	}
	return e
}

// TestWhenItBegan: the first that lasts, else the first that was, within the span.
func TestWhenItBegan(t *testing.T) {
	store, last := play(20, func(int, int, int) int { return 100 })
	for _, c := range []struct {
		log  []incident.Entry // oldest first
		want int
	}{
		{[]incident.Entry{entry(3, incident.Crossed, "a"), entry(4, incident.Ended, "a"), entry(9, incident.Found, "b")}, 9},
		{[]incident.Entry{entry(3, incident.Crossed, "a"), entry(4, incident.Ended, "a")}, 3},
		{[]incident.Entry{entry(3, incident.Crossed, "a"), entry(4, incident.Ended, "a"), entry(7, incident.Crossed, "a"), entry(9, incident.Found, "b")}, 7},
		{[]incident.Entry{entry(-9, incident.Found, "old"), entry(5, incident.Noted, "")}, 15},
		{nil, 15},
	} {
		slices.Reverse(c.log)
		r := report.Make(report.Sources{History: store, Latest: last, From: noon, To: last.Time, Log: &incident.History{Entries: c.log}})
		if got := int(r.Began.Sub(noon).Minutes()); got != c.want {
			t.Errorf("%v: minute %d (%s), want %d", c.log, got, r.Why, c.want)
		}
	}
}

func TestTimeLineAndSentences(t *testing.T) {
	store, last := play(20, func(m, i, _ int) int {
		if i == 2 && m >= 12 {
			return 900
		}
		return 100
	})
	store.Mark(
		history.Mark{Time: noon.Add(11*time.Minute + 30*time.Second), Kind: history.Changed, Plan: "p", Text: "weight of 10.0.2.1:443 to 1 (bob)", About: []history.Key{{Service: id(2), Server: server(2, 1)}}},
		history.Mark{Time: noon.Add(13 * time.Minute), Kind: history.Found, Text: "half-open"},
	)
	finding := check.Finding{Check: "half-open", Severity: check.Fault, Service: id(2), Short: "handshakes do not end", Evidence: []string{"60 %"}, Means: "clients wait"}
	logged := entry(13, incident.Found, "half-open")
	logged.Check, logged.Row = "half-open", alarm.Row{Service: id(2)}
	log := incident.History{Entries: []incident.Entry{logged, entry(12, incident.Crossed, "a"), entry(1, incident.Noted, "before"), entry(-5, incident.Noted, "out of the span")}}
	group := func(client string, n uint64) conns.Group {
		return conns.Group{Client: netip.MustParsePrefix(client), Counts: conns.Counts{Conns: n}}
	}
	read := &conns.Result{All: conns.Counts{Conns: 1000, HalfOpen: 600}, Rankings: []conns.Ranking{
		{By: conns.ByClient, Groups: []conns.Group{group("198.51.100.7/32", 320), group("192.0.2.1/32", 5)}},
		{By: conns.ByNet, Groups: []conns.Group{group("198.51.100.0/24", 330)}},
	}}
	r := report.Make(report.Sources{
		History: store, Latest: last, From: noon, To: last.Time, Log: &log, Conns: read,
		Checks: &check.Report{Time: last.Time, Findings: []check.Finding{finding}, Unread: []string{"the firewall"}},
	})
	var kinds []string
	for _, e := range r.Events {
		kinds = append(kinds, e.Kind)
	}
	if want := []string{"note", "changed", "crossed", "found"}; !slices.Equal(kinds, want) {
		t.Errorf("time line %v, want %v", kinds, want)
	}
	for name, part := range map[string]struct {
		got  []string
		want []string
	}{
		"changed":  {r.Changed, []string{"Since 12:12:00", "from 600 to 2200", "The director was changed once: 12:11:30, weight of 10.0.2.1:443"}},
		"affected": {r.Affected, []string{"Clients of TCP 203.0.113.2:443 are not served", "Thresholds were crossed of TCP 203.0.113.2:443"}},
		"causes": {r.Causes, []string{"Checks find: handshakes do not end (TCP 203.0.113.2:443)", "changed 30 s before it began", "60 % of the connections have not finished their handshake: a flood",
			"One client, 198.51.100.7, has 32 %", "One network, 198.51.100.0/24, has 33 %"}},
		"missing": {r.Missing, []string{"Checks did not look at the firewall."}},
	} {
		all := strings.Join(part.got, " ")
		for _, want := range part.want {
			if !strings.Contains(all, want) {
				t.Errorf("%s: want %q in %q", name, want, all)
			}
		}
	}
	if len(r.Graphs) < 4 || !r.Graphs[0].Row.Director() || len(r.Graphs[0].Mean) == 0 {
		t.Errorf("%d graphs", len(r.Graphs))
	}
}

// TestSummaryNamesFaults: what the log found and did not see end is named, with its
// server, and so is the server that holds the half-open ones and who has much of a
// service that moved; what was drained, or
// moved, before it began is not.
func TestSummaryNamesFaults(t *testing.T) {
	store, last := play(40, func(m, i, k int) int {
		switch {
		case i == 1 && k == 1 && m >= 14, i == 3 && k == 2 && m >= 22:
			return 0 // taken out long before, and drained as it began
		case i == 3 && m >= 22:
			return 200 // what the drained one had
		case i == 2 && m >= 20:
			return 500
		}
		return 100
	})
	last.Services[2].Servers[1].Weight = 0
	fault := entry(21, incident.Found, "no handshake ends")
	fault.Check, fault.Row = "half-open", alarm.Row{Service: id(2), Server: server(2, 1)}
	over := entry(22, incident.Found, "over")
	over.Row = alarm.Row{Service: id(1)}
	gone := over
	gone.Time, gone.Kind = gone.Time.Add(time.Minute), incident.Gone
	s := report.Sources{History: store, Latest: last, From: noon, To: last.Time, Began: noon.Add(20 * time.Minute),
		Log: &incident.History{Entries: []incident.Entry{gone, over, fault}},
		Conns: &conns.Result{All: conns.Counts{Conns: 1000, HalfOpen: 300}, Rankings: []conns.Ranking{
			{By: conns.ByServer, Groups: []conns.Group{{Server: server(2, 2), Counts: conns.Counts{Conns: 600}}, {Server: server(2, 1), Counts: conns.Counts{Conns: 400, HalfOpen: 270}}}},
		}},
	}
	r := report.Make(s)
	if got := rowsOf(r); !slices.Equal(got, []string{id(2).String(), server(3, 1).String() + " of " + id(3).String()}) {
		t.Errorf("rows %q", got)
	}
	for _, c := range []struct{ all, want string }{
		{strings.Join(r.Affected, " "), "Clients of TCP 203.0.113.2:443 are not served"},
		{strings.Join(r.Causes, " "), "The incident log has, and not that it ended: no handshake ends (10.0.2.1:443 of TCP 203.0.113.2:443)."},
		{strings.Join(r.Causes, " "), "30 % of the connections have not finished their handshake, 90 % of these with 10.0.2.1:443."},
	} {
		if !strings.Contains(c.all, c.want) {
			t.Errorf("want %q in %q", c.want, c.all)
		}
	}
	s.Checks = &check.Report{Time: last.Time, Findings: []check.Finding{{Check: "half-open", Severity: check.Fault, Service: id(2), Server: server(2, 1), Short: "no handshake ends"}}}
	heavy := conns.Heavy{By: conns.ByNet, Group: conns.Group{Client: netip.MustParsePrefix("100.66.77.0/24"), Service: id(2), Counts: conns.Counts{Conns: 70}}, Of: conns.Counts{Conns: 100}}
	calm := heavy
	calm.Service, calm.Client = id(1), netip.MustParsePrefix("100.66.78.0/24")
	s.Conns.Heavy = []conns.Heavy{heavy, calm}
	if all := strings.Join(report.Make(s).Causes, " "); !strings.Contains(all, "One network, 100.66.77.0/24, has 70 % of the connections of TCP 203.0.113.2:443.") || strings.Contains(all, "100.66.78.0/24") {
		t.Errorf("%q", all)
	}
	if all := strings.Join(report.Make(s).Causes, " "); strings.Contains(all, "The incident log") {
		t.Errorf("told twice: %q", all)
	}
}

// TestSaysWhatAgrees: a short before is no missing one, a change among several has its
// own time, and a graph of zeros says nothing.
func TestSaysWhatAgrees(t *testing.T) {
	store, last := play(20, func(m, _, _ int) int { return 0 })
	began := noon.Add(40 * time.Second)
	store.Mark(
		history.Mark{Time: began.Add(-9 * time.Second), Kind: history.Seen, Text: "weight 100 to 0", About: []history.Key{{Service: id(2)}}},
		history.Mark{Time: began.Add(-time.Second), Kind: history.Changed, Plan: "p", Text: "undo: keep 100.66.77.0/24 out"},
	)
	r := report.Make(report.Sources{History: store, From: noon, To: last.Time, Began: began})
	if len(r.Graphs) > 0 {
		t.Errorf("%d graphs of zeros", len(r.Graphs))
	}
	for _, c := range []struct{ all, want string }{
		{strings.Join(r.Missing, " "), "Of the time before the incident only 40 s are known"},
		{strings.Join(r.Causes, " "), "The director was changed 9 to 1 s before it began: weight 100 to 0, undo: keep 100.66.77.0/24 out."},
		{strings.Join(r.Changed, " "), "The director was changed 2 times"},
	} {
		if !strings.Contains(c.all, c.want) {
			t.Errorf("want %q in %q", c.want, c.all)
		}
	}
	if all := strings.Join(r.Missing, " "); strings.Contains(all, "no before") {
		t.Errorf("%q", all)
	}
}

// TestNothingKnown: a report of nothing says so, and of much keeps its bounds.
func TestNothingKnown(t *testing.T) {
	r := report.Make(report.Sources{History: history.New(), From: noon, To: noon.Add(time.Hour)})
	if len(r.Missing) != 4 || len(r.Rows) != 0 || len(r.Graphs) != 0 || len(r.Changed) == 0 || len(r.Affected) == 0 || len(r.Causes) == 0 {
		t.Errorf("%q %v", r.Missing, r.Rows)
	}
	log := incident.History{}
	for i := range 500 {
		log.Entries = append(log.Entries, entry(0, incident.Noted, fmt.Sprint(i)))
	}
	r = report.Make(report.Sources{History: history.New(), From: noon, To: noon.Add(time.Hour), Log: &log})
	if len(r.Events) != report.MostEvents || r.Left != 300 {
		t.Errorf("%d events, %d left", len(r.Events), r.Left)
	}
}

// BenchmarkMake makes the report of an hour of 1,000 services of 10 servers.
func BenchmarkMake(b *testing.B) {
	store := history.New()
	var last *ops.Sample
	for n := range 1800 {
		s := &ops.Sample{Time: noon.Add(time.Duration(n+1) * 2 * time.Second), Interval: 2 * time.Second}
		s.Counted = true
		for i := range 1000 {
			v := &ops.Service{Service: ipvs.NewService(ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 443)))}
			v.Figures = ops.Figures{Active: uint64(n + i), Rate: ipvs.Traffic{Conns: uint64(i)}, Counted: true}
			for k := range 10 {
				v.Servers = append(v.Servers, &ops.Server{Server: ipvs.Server{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), byte(k)}), 80), Weight: 1}, Figures: v.Figures})
			}
			s.Services = append(s.Services, v)
		}
		store.Add(s)
		last = s
	}
	for b.Loop() {
		report.Make(report.Sources{History: store, Latest: last, From: noon, To: last.Time})
	}
}

package pulse_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/check"
	"lvsdeck/ops/conns"
	"lvsdeck/ops/demo"
	"lvsdeck/ops/pulse"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// play shows a made-up director to a watch, and calls f after each sample.
func play(t *testing.T, kind demo.Kind, seed uint64, long time.Duration, f func(time.Duration, []pulse.Row)) {
	d := demo.New(kind, seed)
	s := ops.NewSampler(d.Table(), ops.Options{})
	d.Prime(t.Context(), s, noon)
	var w pulse.Watch
	s.Each(func(sample *ops.Sample) {
		w.Look(sample)
		f(sample.Time.Sub(noon), w.Rows())
	})
	d.Play(t.Context(), s, noon, long)
}

// in words: "UDP 203.0.113.53:53 conn/s 6 times as many".
func words(rows []pulse.Row) (all []string) {
	for _, r := range rows {
		where := r.Service.String()
		if r.Server.IsValid() {
			where = r.Server.String()
		}
		all = append(all, where+" "+r.What())
	}
	return all
}

// A calm director has no pulse to speak of, whatever the dice say.
func TestCalmDirectorIsQuiet(t *testing.T) {
	for seed := range uint64(12) {
		play(t, demo.Steady, 100+seed, 30*time.Minute, func(at time.Duration, rows []pulse.Row) {
			if len(rows) > 0 {
				t.Fatalf("seed %d, after %v: %q", seed, at, words(rows))
			}
		})
	}
}

// The bad day of the demo, at whatever dice: the server that died stands first, and
// below it the flood of questions and the service that lost its servers. All of it
// is there within a minute and stays while the incident lasts.
func TestIncidentIsFound(t *testing.T) {
	for seed := range uint64(8) {
		play(t, demo.Incident, seed, 4*time.Minute, func(at time.Duration, rows []pulse.Row) {
			if at < time.Minute {
				return
			}
			got := words(rows)
			dns := slices.IndexFunc(rows, func(r pulse.Row) bool { return r.Service.String() == "UDP 203.0.113.53:53" && r.More() })
			mail := slices.ContainsFunc(rows, func(r pulse.Row) bool { return r.Service.String() == "TCP 203.0.113.25:25" && !r.More() })
			if len(got) < 3 || len(got) > 6 || rows[0].Server.String() != "10.0.3.12:443" || rows[0].More() || dns < 0 || dns > 2 || !mail {
				t.Fatalf("seed %d, after %v: %q", seed, at, got)
			}
			if since := rows[0].Since.Sub(noon); since < 0 || since > 45*time.Second {
				t.Fatalf("seed %d: since %v", seed, since)
			}
		})
	}
}

var web = ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.10:443"))

// site is a director with one service of two servers, a sample every 2 s. Figures
// stay as they are until they are set.
type site struct {
	pulse.Watch
	at             time.Time
	conns, active  float64 // of the service; each server has half of the active ones
	second         float64 // of the second server, when it is not -1
	weight         uint32  // of the second server
	trend, servers [2][]float32
	each           time.Duration // between samples, when it is not 2 s
}

func newSite(conns, active float64) *site {
	s := &site{at: noon, conns: conns, active: active, second: -1, weight: 1}
	s.pass(5*time.Minute, nil)
	return s
}

// pass shows samples for a while.
func (s *site) pass(long time.Duration, change func(*ops.Sample)) {
	each := cmp.Or(s.each, 2*time.Second)
	for until := s.at.Add(long); s.at.Before(until); {
		s.at = s.at.Add(each)
		halves := [2]float64{s.active / 2, s.active / 2}
		if s.second >= 0 {
			halves[1] = s.second
		}
		sample := &ops.Sample{Time: s.at, Interval: each, Trend: &ops.Trend{Active: s.trend[1]}}
		v := &ops.Service{Service: ipvs.NewService(web)}
		v.Counted, v.Rate.Conns, v.Active = true, uint64(s.conns), uint64(halves[0]+halves[1])
		sample.Active = v.Active
		s.add(&s.trend[0], s.conns)
		s.add(&s.trend[1], halves[0]+halves[1])
		v.Trend = &ops.Trend{Conns: s.trend[0], Active: s.trend[1]}
		for i, at := range []string{"10.0.0.1:443", "10.0.0.2:443"} {
			r := &ops.Server{Server: ipvs.Server{Addr: netip.MustParseAddrPort(at), Weight: 1}}
			if i == 1 {
				r.Weight = s.weight
			}
			r.Active = uint64(halves[i])
			s.add(&s.servers[i], halves[i])
			r.Trend = &ops.Trend{Active: s.servers[i]}
			v.Servers = append(v.Servers, r)
		}
		sample.Services = []*ops.Service{v}
		if change != nil {
			change(sample)
		}
		s.Look(sample)
	}
}

// add makes a point of every third sample, as the sampler does.
func (s *site) add(points *[]float32, v float64) {
	if s.at.Unix()/int64(cmp.Or(s.each, 2*time.Second)/time.Second)%ops.TrendEvery == 0 {
		*points = append(*points, float32(v))
		*points = (*points)[max(0, len(*points)-ops.TrendLen):]
	}
}

func (s *site) says(t *testing.T, what string, want ...string) {
	t.Helper()
	if got := words(s.Rows()); !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestFloors(t *testing.T) {
	for _, c := range []struct {
		what                string
		conns, active       float64
		nowConns, nowActive float64
		want                []string
	}{
		{"twice as much", 100, 1000, 200, 2000, nil},
		{"small numbers", 2, 10, 19, 90, nil},
		{"a small fall", 4, 40, 0, 0, nil},
		{"a rise of few", 7, 10, 28, 10, []string{"TCP 203.0.113.10:443 conn/s 4 times as many"}},
		{"from nothing", 0, 0, 50, 0, []string{"TCP 203.0.113.10:443 conn/s from nothing"}},
		{"a fall", 40, 1000, 12, 900, []string{"TCP 203.0.113.10:443 conn/s down to 30 %"}},
		{"nobody comes", 40, 1000, 0, 900, []string{"TCP 203.0.113.10:443 conn/s down to none"}},
		{"more active", 40, 1000, 40, 3500, []string{"TCP 203.0.113.10:443 active 4 times as many"}},
		{"both: told once", 40, 1000, 400, 3500, []string{"TCP 203.0.113.10:443 conn/s 10 times as many"}},
	} {
		s := newSite(c.conns, c.active)
		s.conns, s.active = c.nowConns, c.nowActive
		s.pass(4*time.Second, nil)
		s.says(t, c.what+", at once")
		s.pass(8*time.Second, nil)
		s.says(t, c.what, c.want...)
	}

	// The fewer, the longer: until 200 connections were missed.
	s := newSite(8, 0)
	s.conns = 0
	s.pass(24*time.Second, nil)
	s.says(t, "192 missed")
	s.pass(4*time.Second, nil)
	s.says(t, "more", "TCP 203.0.113.10:443 conn/s down to none")
}

// What is usual is known after a few points of a trend.
func TestPast(t *testing.T) {
	s := &site{at: noon, conns: 10, second: -1, weight: 1}
	s.pass(24*time.Second, nil)
	if p := s.Past(); p != 0 {
		t.Errorf("after 24 s: %v", p)
	}
	s.pass(20*time.Second, nil)
	if p := s.Past(); p != 42*time.Second {
		t.Errorf("after 44 s: %v", p)
	}
	s.pass(time.Hour, nil)
	if p := s.Past(); p != 5*time.Minute {
		t.Errorf("after an hour: %v", p)
	}
}

// After the interval was changed, the past is still as long as is said.
func TestPastOverIntervals(t *testing.T) {
	s := newSite(10, 0)
	s.each = 10 * time.Second
	s.pass(time.Minute, nil)
	if p := s.Past(); p != 5*time.Minute {
		t.Errorf("a minute after: %v", p)
	}
	if n := s.Times().Points(5 * time.Minute); n != 2+240/6 {
		t.Errorf("of a minute at 10 s and four at 2 s: %d points", n)
	}
	s.pass(10*time.Minute, nil)
	s.each = 2 * time.Second
	s.pass(time.Minute, nil)
	if p := s.Past(); p != 5*time.Minute {
		t.Errorf("and back: %v", p)
	}
	if n := s.Times().Points(5 * time.Minute); n != 10+240/30 {
		t.Errorf("of a minute at 2 s and four at 10 s: %d points", n)
	}
}

// Bursts by the clock are how things are, once one has been seen; what is higher or
// lasts longer is told.
func TestBurstsByTheClock(t *testing.T) {
	for _, c := range []struct{ burst, every time.Duration }{
		{15 * time.Second, time.Minute}, {20 * time.Second, 2 * time.Minute}, {30 * time.Second, 5 * time.Minute},
	} {
		s := newSite(10, 0)
		told, was := 0, false
		tell := func(long time.Duration) {
			for until := s.at.Add(long); s.at.Before(until); {
				s.conns = 10
				if s.at.Sub(noon)%c.every < c.burst {
					s.conns = 100
				}
				s.pass(2*time.Second, nil)
				is := len(s.Rows()) > 0
				if is && !was {
					told++
				}
				was = is
			}
		}
		tell(2 * time.Hour)
		if told != 1 {
			t.Errorf("%v of every %v: told %d times", c.burst, c.every, told)
		}
		s.conns = 300
		s.pass(8*time.Second, nil)
		s.says(t, "a higher one", "TCP 203.0.113.10:443 conn/s 30 times as many")
		s.conns = 10
		s.pass(time.Minute, nil)
		s.says(t, "after it")
		tell(20 * time.Minute)
		s.conns = 100
		s.pass(time.Minute, nil)
		s.says(t, "one that goes on", "TCP 203.0.113.10:443 conn/s 10 times as many")
	}
	s := newSite(10, 0)
	s.conns = 100
	s.pass(20*time.Second, nil)
	s.conns = 10
	s.pass(time.Minute, nil)
	s.conns = 0
	s.pass(30*time.Second, nil)
	s.says(t, "an outage after a burst", "TCP 203.0.113.10:443 conn/s down to none")
}

// A console that is opened in a burst takes that for usual only as long as it knows
// little else.
func TestOpenedInABurst(t *testing.T) {
	s := &site{at: noon, conns: 100, second: -1, weight: 1}
	s.pass(40*time.Second, nil)
	s.conns = 10
	s.pass(10*time.Second, nil)
	s.says(t, "it ends", "TCP 203.0.113.10:443 conn/s down to 10 %")
	s.pass(50*time.Second, nil)
	s.says(t, "a minute later")
	s.trend[0] = nil
	s.pass(time.Minute, nil)
	s.conns = 100
	s.pass(8*time.Second, nil)
	s.says(t, "a rise of what is little known", "TCP 203.0.113.10:443 conn/s 10 times as many")
	s.trend[0] = nil
	s.conns = 10
	s.pass(10*time.Second, nil)
	s.says(t, "of which all is forgotten")
	s.pass(4*time.Minute, nil)
	s.conns = 200
	s.pass(10*time.Second, nil)
	s.says(t, "a rise, once the past is known", "TCP 203.0.113.10:443 conn/s 20 times as many")
	s.pass(20*time.Minute, nil)
	s.says(t, "stays", "TCP 203.0.113.10:443 conn/s 20 times as many")
}

func TestServers(t *testing.T) {
	s := newSite(100, 2000)
	s.second = 30
	s.pass(10*time.Second, nil)
	s.says(t, "a server that dies", "10.0.0.2:443 active down to 3 %")
	s.weight = 0
	s.pass(4*time.Second, nil)
	s.says(t, "once it is drained it is meant to")
	s.weight, s.second = 1, 1000
	s.pass(4*time.Second, nil)
	s.says(t, "and one that comes back")
	s.second, s.active = 8000, 16000
	s.pass(10*time.Second, nil)
	s.says(t, "all servers of a service", "TCP 203.0.113.10:443 active 8 times as many")
}

// An incident is held against what was before it, however long it lasts; after an
// hour it is how things are.
func TestEpisodes(t *testing.T) {
	s := newSite(100, 0)
	s.conns = 1000
	s.pass(10*time.Second, nil)
	const rise = "TCP 203.0.113.10:443 conn/s 10 times as many"
	s.says(t, "it begins", rise)
	began := s.Rows()[0].Since
	s.pass(30*time.Minute, nil)
	s.says(t, "it goes on", rise)
	if r := s.Rows()[0]; !r.Since.Equal(began) || r.Usual != 100 {
		t.Errorf("it began at %v, usual was 100: %+v", began, r)
	}
	s.conns = 200
	s.pass(2*time.Second, nil)
	s.conns = 900
	s.pass(4*time.Second, nil)
	s.says(t, "a gap in it", "TCP 203.0.113.10:443 conn/s 9 times as many")
	s.pass(32*time.Minute, nil)
	s.says(t, "an hour later")

	s.conns = 1
	s.pass(10*time.Second, nil)
	s.says(t, "it ends", "TCP 203.0.113.10:443 conn/s down to 0 %")
	s.conns = 800
	s.pass(2*time.Second, nil)
	s.says(t, "back, but not for long enough", "TCP 203.0.113.10:443 conn/s down to 89 %")
	s.pass(10*time.Second, nil)
	s.says(t, "back")
}

// When an incident is over, the recent past is the incident: its end is none.
func TestWhatWasUsualBeforeAnIncidentIsUsualAfterIt(t *testing.T) {
	s := newSite(975, 0)
	s.conns = 4397
	s.pass(10*time.Minute, nil)
	s.says(t, "a surge", "TCP 203.0.113.10:443 conn/s 5 times as many")
	s.conns = 1357
	for until := s.at.Add(6 * time.Minute); s.at.Before(until); {
		s.pass(2*time.Second, nil)
		if got := words(s.Rows()); len(got) > 0 && !s.Rows()[0].More() {
			t.Fatalf("%v after the surge: %q", s.at.Sub(noon), got)
		}
	}
	s.says(t, "after it")
	s.conns = 4397
	s.pass(2*time.Second, nil)
	s.conns = 1357
	s.pass(8*time.Second, nil)
	s.says(t, "a moment's doubt")
	s.conns = 100
	s.pass(10*time.Second, nil)
	s.says(t, "an outage later", "TCP 203.0.113.10:443 conn/s down to 7 %")

	s = newSite(975, 0)
	s.conns = 4397
	s.pass(10*time.Minute, nil)
	s.conns = 1000
	s.pass(time.Minute, nil)
	s.conns = 4397
	s.pass(10*time.Second, nil)
	s.says(t, "a second surge", "TCP 203.0.113.10:443 conn/s 5 times as many")
	if r := s.Rows()[0]; r.Usual != 975 {
		t.Errorf("usual is %v", r.Usual)
	}
}

func TestWhatSamplesSayBesides(t *testing.T) {
	s := newSite(100, 0)
	s.conns = 1000
	s.pass(10*time.Second, nil)
	const rise = "TCP 203.0.113.10:443 conn/s 10 times as many"
	s.conns = 0
	s.pass(20*time.Second, func(s *ops.Sample) { s.EstimatorStopped = "off" })
	s.says(t, "figures that stand still", rise)
	s.pass(20*time.Second, func(s *ops.Sample) { s.Err = errors.New("no reading") })
	s.says(t, "no reading", rise)
	s.conns = 1000
	s.pass(2*time.Second, nil)
	s.says(t, "as before", rise)
	s.pass(2*time.Second, func(s *ops.Sample) { s.Services = nil })
	s.says(t, "the service is gone")

	s = newSite(100, 0)
	s.conns = 1000
	s.pass(10*time.Second, nil)
	s.at = s.at.Add(-time.Hour)
	s.pass(2*time.Second, nil)
	s.says(t, "a jump back in a recording")
}

func TestFindings(t *testing.T) {
	found := func(name string, severity check.Severity) check.Finding {
		return check.Finding{Check: name, Severity: severity, Service: web, Short: name, Evidence: []string{"12 of 13"}}
	}
	rows := pulse.Findings(&check.Report{Findings: []check.Finding{
		found("vip", check.Fault), found("drain", check.Warning), found("share", check.Warning), found("answers", check.Warning), found("half-open", check.Notice)}})
	if got, want := words(rows), []string{"TCP 203.0.113.10:443 vip", "TCP 203.0.113.10:443 share", "TCP 203.0.113.10:443 answers"}; !slices.Equal(got, want) || rows[0].Score <= rows[1].Score || rows[0].Evidence != "12 of 13" {
		t.Errorf("%q, want %q: %+v", got, want, rows)
	}
	if pulse.Findings(nil) != nil {
		t.Error("before the first round there is nothing")
	}
}

func TestShares(t *testing.T) {
	var table strings.Builder
	table.WriteString("Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n")
	add := func(n int, net, state string, server int) {
		for i := range n {
			fmt.Fprintf(&table, "TCP %s%02X %04X CB00710A 01BB 0A0000%02X 01BB %-11s %7d\n", net, 10+i%200, 1024+i, server, state, 60)
		}
	}
	add(100, "C63364", "ESTABLISHED", 1) // many clients, one connection each
	add(90, "C63365", "ESTABLISHED", 2)
	add(70, "0A4242", "SYN_RECV", 2)
	for i := range 60 {
		fmt.Fprintf(&table, "TCP C0000207 %04X CB00710A 01BB 0A000001 01BB ESTABLISHED     800\n", 2048+i)
	}
	r, err := conns.Read(context.Background(), strings.NewReader(table.String()), conns.Query{By: []conns.By{conns.ByClient, conns.ByNet, conns.ByServer}})
	if err != nil || r.Read.Bad > 0 {
		t.Fatal(err, r)
	}
	rows := pulse.Shares(r, noon, nil)
	pulse.Sort(rows)
	var got []string
	for _, r := range rows {
		got = append(got, fmt.Sprintf("%s %v %v %.0f %% of %d", r.What(), r.Client, r.Server, 100*r.Now, r.Of))
	}
	want := []string{
		"much from one client 192.0.2.7/32 invalid AddrPort 19 % of 320",
		"handshakes not finished invalid Prefix 10.0.0.2:443 44 % of 160",
		"much from one network 198.51.100.0/24 invalid AddrPort 31 % of 320",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// Who causes it is told where it moved, however small its part of all is.
func TestSharesWithinServices(t *testing.T) {
	dns, mail := ipvs.AddressService(ipvs.UDP, netip.MustParseAddrPort("203.0.113.53:53")), ipvs.AddressService(ipvs.TCP, netip.MustParseAddrPort("203.0.113.25:25"))
	flood, bulk, all := netip.MustParsePrefix("100.66.77.0/24"), netip.MustParsePrefix("100.70.12.34/32"), conns.Counts{Conns: 10000}
	heavy := func(by conns.By, client netip.Prefix, id ipvs.ServiceID, n, of uint64) conns.Heavy {
		return conns.Heavy{By: by, Group: conns.Group{Client: client, Service: id, Counts: conns.Counts{Conns: n}}, Of: conns.Counts{Conns: of}}
	}
	r := &conns.Result{All: all, Heavy: []conns.Heavy{
		heavy(conns.ByClient, bulk, web, 1200, 3000), heavy(conns.ByNet, flood, dns, 560, 800), heavy(conns.ByNet, flood, mail, 20, 30)}}
	r.Rankings = []conns.Ranking{
		{By: conns.ByClient, Groups: []conns.Group{{Client: bulk, Counts: conns.Counts{Conns: 1300}}}}, {By: conns.ByNet}, {By: conns.ByServer}}
	said := func(others ...pulse.Row) (all []string) {
		for _, r := range pulse.Shares(r, noon, others) {
			all = append(all, fmt.Sprintf("%s %v %v %.0f %% of %d", r.What(), r.Client, r.Service, 100*r.Now, r.Of))
		}
		return all
	}
	want := []string{"much from one client 100.70.12.34/32 TCP 203.0.113.10:443 40 % of 3000"}
	if got := said(); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	want = append(want, "much from one network 100.66.77.0/24 UDP 203.0.113.53:53 70 % of 800")
	if got := said(pulse.Row{Service: dns}, pulse.Row{Service: mail}); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// A dead host is one row, whatever its services say of it.
func TestMerge(t *testing.T) {
	dns := ipvs.AddressService(ipvs.UDP, netip.MustParseAddrPort("203.0.113.53:53"))
	at := func(id ipvs.ServiceID, server string, r pulse.Row) pulse.Row {
		r.Service, r.Server = id, netip.MustParseAddrPort(server)
		return r
	}
	silent := pulse.Row{Kind: pulse.Found, Severity: check.Fault, Short: "does not answer"}
	rows := pulse.Merge([]pulse.Row{
		at(web, "10.0.3.12:443", silent),
		at(web, "10.0.3.12:443", pulse.Row{Kind: pulse.Found, Severity: check.Fault, Short: "is no server of this network"}),
		at(dns, "10.0.3.12:53", silent),
		at(web, "10.0.3.12:443", pulse.Row{Kind: pulse.Active, Now: 10, Usual: 500}),
		at(web, "10.0.3.13:443", silent),
		at(web, "10.0.3.13:443", pulse.Row{Kind: pulse.Active, Now: 500, Usual: 10}),
		{Kind: pulse.Conns, Service: web, Now: 9, Usual: 1},
		at(dns, "10.0.3.12:53", pulse.Row{Kind: pulse.HalfOpen, Now: .5, Of: 100}),
	})
	want := []string{
		"10.0.3.12:443 does not answer: 2 services", "10.0.3.12:443 is no server of this network",
		"10.0.3.13:443 does not answer", "10.0.3.13:443 active 50 times as many", "TCP 203.0.113.10:443 conn/s 9 times as many",
	}
	if got := words(rows); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	if got, want := rows[0].Others(), []string{"active down to 2 %", "handshakes not finished (50%)"}; !slices.Equal(got, want) {
		t.Errorf("also %q, want %q", got, want)
	}
	if a, several := rows[0].Host(); !several || a.String() != "10.0.3.12" || len(rows[0].Services()) != 2 {
		t.Errorf("%v, %v, %v", a, several, rows[0].Services())
	}
	if _, several := rows[2].Host(); several {
		t.Error("that is one place")
	}
}

// BenchmarkLook is what a sample of 1,000 services with 100 servers each costs.
func BenchmarkLook(b *testing.B) {
	d := demo.New(demo.Big, 1)
	s := ops.NewSampler(d.Table(), ops.Options{})
	d.Play(b.Context(), s, noon, 2*time.Minute)
	sample := *s.Latest()
	var w pulse.Watch
	for b.Loop() {
		sample.Time = sample.Time.Add(2 * time.Second)
		w.Look(&sample)
		w.Rows()
	}
}

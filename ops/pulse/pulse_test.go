package pulse_test

import (
	"cmp"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
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

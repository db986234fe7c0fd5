package pulse_test

import (
	"testing"
	"time"
)

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
	if r := s.Rows()[0]; r.Past != 48*time.Second || r.Until.Sub(r.Since) != 8*time.Second {
		t.Errorf("of little known, and a part of that since it began: %+v", r)
	}
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
	if r := s.Rows()[0]; !r.Since.Equal(began) || r.Usual != 100 || r.Past != 5*time.Minute || !r.Until.Equal(began) {
		t.Errorf("it began at %v, usual was 100 in the 5 minutes before: %+v", began, r)
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
	s.says(t, "it ends", "TCP 203.0.113.10:443 conn/s down to under 1 %")
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
	if r := s.Rows()[0]; r.Usual != 975 || !r.Until.Equal(noon.Add(5*time.Minute+2*time.Second)) {
		t.Errorf("usual is %v, as of %v", r.Usual, r.Until)
	}
}

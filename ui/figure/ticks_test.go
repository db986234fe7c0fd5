package figure

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

func TestAbove(t *testing.T) {
	for n, want := range map[uint64]uint64{0: 2, 1: 2, 2: 2, 3: 4, 9: 10, 10: 10, 11: 12, 61: 80, 1378: 1600, 4103: 6000, 99_999: 100_000, 1 << 63: 1_200_000_000_000_000_000} {
		if got := Above(n); got != want {
			t.Errorf("Above(%d): want %d, got %d", n, want, got)
		}
	}
}

func TestTicks(t *testing.T) {
	delhi := time.FixedZone("IST", 5*3600+1800)
	berlin, err := time.LoadLocation("Europe/Berlin") // summer time begins at 2 on the 29th of March
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string, zone *time.Location) time.Time {
		v, err := time.ParseInLocation(time.DateTime, "2026-03-01 "+s, zone)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		from    time.Time
		span    time.Duration
		columns int
		want    string
	}{
		{at("12:00:01", time.UTC), 5 * time.Minute, 72, "14 12:01|28 12:02|42 12:03|57 12:04"},
		{at("00:00:00", berlin).AddDate(0, 0, 28).Add(-2 * time.Hour), 10 * time.Hour, 48, "0 22:00|9 00:00|24 04:00|33 06:00|43 08:00"},
		{at("12:00:00", berlin).AddDate(0, 0, 27), 48 * time.Hour, 48, "0 12:00|12 00:00|23 12:00|35 00:00"},
		{at("12:00:01", time.UTC), time.Hour, 72, "11 12:10|23 12:20|35 12:30|47 12:40|59 12:50"},
		{at("12:00:00", delhi), 4 * time.Hour, 72, "0 12:00|9 12:30|18 13:00|27 13:30|36 14:00|45 14:30|54 15:00|63 15:30"},
		{at("12:00:00", time.UTC), 20 * time.Second, 40, "0 12:00:00|20 12:00:10"},
		{at("12:00:00", time.UTC), 0, 40, ""},
		{at("12:00:00", time.UTC), 5 * time.Minute, 3, ""},
	} {
		var got []string
		for _, tick := range Ticks(c.from, c.from.Add(c.span), c.columns) {
			got = append(got, fmt.Sprintf("%d %s", tick.Column, tick.Text))
		}
		if s := strings.Join(got, "|"); s != c.want {
			t.Errorf("%v over %d columns: want %s, got %s", c.span, c.columns, c.want, s)
		}
	}
}

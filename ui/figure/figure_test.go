package figure

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestCount(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0", 7: "7", 701: "701", 2104: "2104", 9999: "9999",
		10_000: "10.0k", 12_399: "12.3k", 99_999: "99.9k", 310_000: "310k", 999_999: "999k",
		1_000_000: "1.00M", 1_209_999: "1.20M", 22_100_000_000: "22.1G",
		math.MaxUint64: "18.4E",
	} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestBits(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 1250: "10.0k", 125_000_000: "1.00G", math.MaxUint64: "18.4E"} {
		if got := Bits(n); got != want {
			t.Errorf("Bits(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestExact(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1 000", 12_304_221: "12 304 221"} {
		if got := Exact(n); got != want {
			t.Errorf("Exact(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 12 * time.Second: "12s", 184 * time.Second: "3m04s",
		125 * time.Minute: "2h05m", 76 * time.Hour: "3d04h",
	} {
		if got := Span(d); got != want {
			t.Errorf("Span(%v) = %q, want %q", d, got, want)
		}
	}
}

// FuzzCount holds the promise of the package: never wider than four characters
// and a unit, never more than the truth, and within one part in a hundred.
func FuzzCount(f *testing.F) {
	f.Add(uint64(9_999))
	f.Add(uint64(math.MaxUint64))
	f.Fuzz(func(t *testing.T, n uint64) {
		s := Count(n)
		if len(s) > 5 {
			t.Fatalf("Count(%d) = %q: too wide", n, s)
		}
		mult := 1.0
		if i := strings.IndexByte("kMGTPE", s[len(s)-1]); i >= 0 {
			mult = math.Pow(1000, float64(i+1))
			s = s[:len(s)-1]
		}
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		if v *= mult; v > float64(n)*1.0000001 || v < float64(n)*0.99 {
			t.Fatalf("Count(%d) reads as %g", n, v)
		}
	})
}

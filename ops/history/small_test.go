package history

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestPack(t *testing.T) {
	for n := range uint64(4096) {
		if got := pack(eighth * n).value(); got != float32(n) {
			t.Fatalf("want %d, got %v", n, got)
		}
		if got := pack(n).eighths(); got != n {
			t.Fatalf("want %d eighths, got %d", n, got)
		}
	}
	for range 100_000 {
		n := rand.Uint64() >> (23 + rand.IntN(40))
		if got := pack(n).eighths(); math.Abs(float64(got)-float64(n)) > float64(n)/4096 {
			t.Fatalf("want nearly %d, got %d", n, got)
		}
	}
	if pack(math.MaxUint64) != unknown-1 || unknown.value() >= 0 {
		t.Error("want the largest to be known, and unknown not to be a number")
	}
}

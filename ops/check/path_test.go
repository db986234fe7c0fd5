package check

import (
	"testing"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
)

// What is none is not counted up.
func TestQueued(t *testing.T) {
	for want, f := range map[string]ops.Figures{
		"20 active connections wait for it, and 900 new ones/s are given to it": {Active: 20, Rate: ipvs.Traffic{Conns: 900}},
		"20 active connections wait for it":                                     {Active: 20},
		"900 new connections/s are given to it":                                 {Rate: ipvs.Traffic{Conns: 900}},
	} {
		if got := queued(f); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

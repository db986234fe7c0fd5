package main

import (
	"context"
	"io"
	"strings"
	"testing"
)

// TestLooksThatFail: a director that cannot be looked at, as one without IPVS or one
// that is interrupted, is an error that is told.
func TestLooksThatFail(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, run := range map[string]func() error{
		"check": func() error { return runCheck(ended, checkOptions{format: "table"}, io.Discard) },
		"why": func() error {
			return runWhy(ended, []string{"203.0.113.10:443"}, whyOptions{format: "table"}, io.Discard)
		},
	} {
		if err := run(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestDemosAreLookedAt: the commands find what is wrong on a made-up director, too.
func TestDemosAreLookedAt(t *testing.T) {
	ask := []string{"tcp 203.0.113.10:443", "10.0.3.12"}
	for made, want := range map[string][]string{"steady": {}, "incident": {"10.0.3.12:443", "neighbour", "FAILED"}} {
		var found, verdict strings.Builder
		if err := runCheck(t.Context(), checkOptions{format: "table", demo: made}, &found); err != nil && err != error(exitCode(1)) {
			t.Fatal(err)
		}
		if err := runWhy(t.Context(), ask, whyOptions{format: "table", demo: made}, &verdict); err != nil && err != error(exitCode(1)) {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(found.String(), w) || !strings.Contains(verdict.String(), "does not answer") {
				t.Errorf("%s: no %q in\n%s\n%s", made, w, found.String(), verdict.String())
			}
		}
		if made == "steady" && strings.Contains(found.String(), "FAILED") {
			t.Errorf("steady:\n%s", found.String())
		}
	}
	for name, err := range map[string]error{
		"choose one":           runCheck(t.Context(), checkOptions{format: "table", demo: "steady", probe: true}, io.Discard),
		"cannot be asked":      runWhy(t.Context(), ask, whyOptions{format: "table", demo: "steady", probe: true}, io.Discard),
		`there is no demo "x"`: runCheck(t.Context(), checkOptions{format: "table", demo: "x"}, io.Discard),
	} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %s", err, name)
		}
	}
}

package main

import (
	"context"
	"io"
	"testing"
)

// TestLooksThatFail: a director that cannot be looked at, as one without IPVS or one
// that is interrupted, is an error that is told.
func TestLooksThatFail(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, run := range map[string]func() error{
		"check": func() error { return runCheck(ended, checkOptions{format: "table"}, io.Discard) },
		"why":   func() error { return runWhy(ended, []string{"203.0.113.10:443"}, false, "table", io.Discard) },
	} {
		if err := run(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

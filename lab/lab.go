// Package lab is for tests that need a real kernel: network namespaces as
// clients, directors and real servers on real (virtual) Ethernet, with real
// programs that serve and ask. Such tests run in the lab's machine:
//
//	go test -exec "$PWD/bin/labrun" ./...
//
// and skip everywhere else. Inside, labrun takes a skip for a failure.
//
// Out of scope: IPVS itself. Tests set services up with what they test, or
// with Debian's ipvsadm, which also is the judge of results.
package lab

import (
	"os"
	"testing"

	"lvsdeck/lab/guest"
)

// Inside tells whether this process runs in the lab's machine.
func Inside() bool { return os.Getenv(guest.InLab) != "" }

// Require skips a test that is not run in the lab's machine.
func Require(t testing.TB) {
	t.Helper()
	if !Inside() {
		t.Skip("needs the lab's kernel: make test-lab")
	}
}

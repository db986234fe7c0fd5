package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDoIsOnTheHost(t *testing.T) {
	Require(t)
	n := New(t)
	h := n.Host("alone")
	h.Join(n.Segment("lan"), "only0")
	mine := netOf(t)
	var name unix.Utsname
	var theirs, cards string
	var dir string
	h.Do(func() {
		theirs = netOf(t)
		unix.Uname(&name)
		found, _ := filepath.Glob("/sys/class/net/*")
		cards = strings.Join(found, " ")
		dir, _ = os.Getwd()
	})
	if theirs == mine || netOf(t) != mine {
		t.Errorf("namespaces: here %s, there %s, then %s", mine, theirs, netOf(t))
	}
	if first, err := os.Readlink("/proc/self/ns/net"); first != mine || err != nil {
		t.Errorf("the first thread went to %s, %v", first, err)
	}
	if got := unix.ByteSliceToString(name.Nodename[:]); got != "alone" {
		t.Errorf("host name %q", got)
	}
	if _, err := os.Stat("/sys/class/net/only0"); err == nil || !strings.Contains(cards, "/only0") {
		t.Errorf("network cards in the host's /sys: %s; its own card here: %v", cards, err)
	}
	if here, err := os.Getwd(); dir != here || err != nil {
		t.Errorf("working directory %s, not %s", dir, here)
	}
}

func netOf(t *testing.T) string {
	ns, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Error(err)
	}
	return ns
}

// TestFatalInDo sees that the end of a test inside Do is its end outside, too.
func TestFatalInDo(t *testing.T) {
	Require(t)
	h := New(t).Host("alone")
	returned := false
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.Do(runtime.Goexit) // what t.FailNow ends with
		returned = true
	}()
	<-done
	if returned {
		t.Error("the test would go on")
	}
}

func TestCommands(t *testing.T) {
	Require(t)
	h := New(t).Host("alone")
	if got := h.Command("hostname"); got != "alone\n" {
		t.Errorf("hostname says %q", got)
	}
	if _, err := h.Try("sh", "-c", "echo so it is >&2; exit 3"); err == nil || !strings.Contains(err.Error(), "so it is") {
		t.Errorf("a failure is told as: %v", err)
	}
	cmd := exec.Command("sh", "-c", "read line; exit 4")
	if err := h.Start(cmd); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 4 {
		t.Errorf("a started command ends with %v", err)
	}
}

// TestNetsGo counts the kernel's network namespaces before and after.
func TestNetsGo(t *testing.T) {
	Require(t)
	before := namespacesAlive(t)
	t.Run("use", func(t *testing.T) { Director(t, NAT, 2, false) })
	Wait(t, "the namespaces to go", func() error {
		if n := namespacesAlive(t); n > before {
			return fmt.Errorf("%d namespaces, %d before", n, before)
		}
		return nil
	})
}

func namespacesAlive(t *testing.T) int {
	t.Helper()
	slabs, err := os.ReadFile("/proc/slabinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(slabs)) {
		var n int
		if _, err := fmt.Sscanf(line, "net_namespace %d", &n); err == nil {
			return n
		}
	}
	t.Fatal("the kernel does not count its network namespaces")
	return 0
}

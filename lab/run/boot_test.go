//go:build boot

// These tests boot machines, each in some seconds:
//
//	go test -tags boot ./lab/run

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// labrun is the program under test, built once.
var labrun string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "labrun")
	if err == nil {
		labrun = filepath.Join(dir, "labrun")
		var out []byte
		if out, err = exec.Command("go", "build", "-o", labrun, ".").CombinedOutput(); err != nil {
			os.Stderr.Write(out)
		}
	}
	code := 1
	if err == nil {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// lab runs labrun to its end and returns what it says and its exit status.
func lab(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.Command(labrun, append([]string{"-timeout", "60s"}, args...)...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), complaint.String(), cmd.ProcessState.ExitCode()
}

func TestArgumentsAndStatus(t *testing.T) {
	t.Parallel()
	args := []string{"a b", "it's", `"quoted"`, "$HOME", "new\nline", "ünï", "", "-test", "--"}
	out, complaint, code := lab(t, append([]string{"sh", "-c", `for a; do printf '<%s>' "$a"; done; exit 3`, "sh"}, args...)...)
	if want := "<" + strings.Join(args, "><") + ">"; out != want || code != 3 || complaint != "" {
		t.Errorf("got %q, status %d, %q\nwant %q, status 3", out, code, complaint, want)
	}
}

func TestFilesInAndOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	note := filepath.Join(dir, "note")
	if err := os.WriteFile(note, []byte("#!/bin/sh\necho added\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	out, complaint, code := lab(t, "-out", dir, "-add", note, "sh", "-c", "note; mkdir $LVSDECK_LAB_OUT/sub; head -c 300000 /dev/zero > $LVSDECK_LAB_OUT/sub/big")
	if out != "added\n" || code != 0 {
		t.Fatalf("got %q, status %d, %s", out, code, complaint)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "sub", "big")); !bytes.Equal(got, make([]byte, 300_000)) {
		t.Errorf("%d bytes came out, %v", len(got), err)
	}
}

func TestTrouble(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args   []string
		code   int
		reason string
	}{
		"kernel panic":   {[]string{"sh", "-c", "echo c > /proc/sysrq-trigger"}, exitTrouble, "Kernel panic"},
		"too long":       {[]string{"-timeout", "8s", "sleep", "1000"}, exitTrouble, "did not end within 8s"},
		"no program":     {[]string{"nosuchprogram"}, exitTrouble, "nosuchprogram"},
		"dynamic":        {[]string{"/bin/ls"}, exitTrouble, "CGO_ENABLED=0"},
		"signal":         {[]string{"sh", "-c", "kill -9 $$"}, 128 + 9, "signal 9 (killed)"},
		"power cut":      {[]string{"sh", "-c", "poweroff -f; sleep 100"}, exitTrouble, "without saying how"},
		"memory":         {[]string{"-m", "64", "true"}, exitTrouble, ""},
		"not a terminal": {[]string{"-t", "true"}, exitTrouble, "needs a terminal"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, complaint, code := lab(t, c.args...)
			if code != c.code || !strings.Contains(complaint, c.reason) {
				t.Errorf("status %d, want %d with %q\n%s%s", code, c.code, c.reason, out, complaint)
			}
		})
	}
}

func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	var both sync.WaitGroup
	for i := range 2 {
		both.Go(func() {
			want := strconv.Itoa(i)
			if out, complaint, code := lab(t, "sh", "-c", "echo "+want+"; exit "+want); out != want+"\n" || code != i {
				t.Errorf("machine %d: %q, status %d, %s", i, out, code, complaint)
			}
		})
	}
	both.Wait()
}

// TestNothingSurvives ends labrun in every way, and looks for its machine.
func TestNothingSurvives(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(labrun, "sh", "-c", "echo up; sleep 1000")
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := out.Read(make([]byte, 3)); err != nil {
				t.Fatal(err)
			}
			machine := childOf(t, cmd.Process.Pid)
			cmd.Process.Signal(sig)
			cmd.Wait()
			pause := time.NewTicker(10 * time.Millisecond)
			defer pause.Stop()
			for deadline := time.Now().Add(10 * time.Second); syscall.Kill(machine, 0) == nil; <-pause.C {
				if time.Now().After(deadline) {
					t.Fatalf("the machine runs on as process %d", machine)
				}
			}
		})
	}
}

// childOf finds the machine of a labrun.
func childOf(t *testing.T, pid int) int {
	t.Helper()
	tasks, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		if text, _ := os.ReadFile(task); len(text) > 0 {
			child, err := strconv.Atoi(strings.Fields(string(text))[0])
			if err != nil {
				t.Fatal(err)
			}
			return child
		}
	}
	t.Fatal("labrun has no machine")
	return 0
}

// TestSkips has a test binary skip in the lab.
func TestSkips(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":      "module skips\n\ngo 1.26\n",
		"testdata/in": "from the host\n",
		"some_test.go": `package skips

import ("os"; "testing")

func TestFine(t *testing.T) {
	if text, err := os.ReadFile("testdata/in"); err != nil || string(text) != "from the host\n" { t.Fatal(string(text), err) }
}
func TestNever(t *testing.T) { t.Skip("no kernel is good enough") }
`} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	test := func(args ...string) (string, error) {
		cmd := exec.Command("go", append([]string{"test", "-exec", labrun, "-count=1"}, args...)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := test("-run", "Fine", "."); err != nil || !strings.HasPrefix(out, "ok  \tskips\t") {
		t.Errorf("a test that passes: %v\n%s", err, out)
	}
	for _, flag := range []string{"-v=false", "-count=1", "-v", "-json"} {
		if out, err := test(flag, "."); err == nil || !strings.Contains(out, "runs nowhere: TestNever") {
			t.Errorf("a test that skips, with %s: %v\n%s", flag, err, out)
		}
	}
}

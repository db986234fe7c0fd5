package main

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

const verbose = `=== RUN   TestA
    a_test.go:3: a remark
--- PASS: TestA (0.01s)
=== RUN   TestB
=== RUN   TestB/part
    b_test.go:4: needs more
--- FAIL: TestB (0.00s)
    --- SKIP: TestB/part (0.00s)
=== NAME  TestB
goos: linux
BenchmarkX 	 100	 3.3 ns/op
PASS
no end`

func filter(terse bool, parts ...[]byte) (string, []string) {
	var b bytes.Buffer
	out := &testOutput{w: &b, terse: terse}
	for _, p := range parts {
		out.Write(p)
	}
	out.Flush()
	return b.String(), out.skipped
}

func TestOutputFilter(t *testing.T) {
	got, skipped := filter(true, []byte(verbose))
	const terse = `    a_test.go:3: a remark
    b_test.go:4: needs more
--- FAIL: TestB (0.00s)
    --- SKIP: TestB/part (0.00s)
goos: linux
BenchmarkX 	 100	 3.3 ns/op
PASS
no end`
	if got != terse || !slices.Equal(skipped, []string{"TestB/part"}) {
		t.Errorf("skipped %v, left:\n%s", skipped, got)
	}
	if _, skipped := filter(false, []byte("\x16--- SKIP: TestJSON (0.00s)\n")); len(skipped) != 1 {
		t.Error("a skip written for test2json is not seen")
	}
}

func FuzzOutputFilter(f *testing.F) {
	f.Add([]byte(verbose), 7)
	f.Fuzz(func(t *testing.T, text []byte, cut int) {
		if got, _ := filter(false, text); got != string(text) {
			t.Errorf("%q became %q", text, got)
		}
		cut = max(0, min(cut, len(text)))
		whole, skips := filter(true, text)
		halves, halfSkips := filter(true, text[:cut], text[cut:])
		if whole != halves || !slices.Equal(skips, halfSkips) {
			t.Errorf("%q is read differently in two parts, cut at %d", text, cut)
		}
	})
}

func TestGoTestArguments(t *testing.T) {
	args := []string{"-test.paniconexit0", "-test.timeout=1m30s", "-test.run=-test.v"}
	if !isGoTest(args) || isGoTest([]string{"-v", "run"}) {
		t.Error("a test binary is not told from another program")
	}
	if isVerbose(args) || isVerbose([]string{"-test.v=false"}) || !isVerbose([]string{"-test.v=test2json"}) {
		t.Error("-test.v is not seen")
	}
	if d, ok := testTimeout(args); !ok || d != 90*time.Second {
		t.Errorf("time-out %v, %v", d, ok)
	}
	if _, ok := testTimeout([]string{"-test.timeout=0s"}); ok {
		t.Error("no time-out is taken for one")
	}
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"lvsdeck/lab/vm"
)

// isGoTest tells a test binary's arguments: go test always gives some of these.
func isGoTest(args []string) bool {
	for _, a := range args {
		if strings.HasPrefix(a, "-test.") {
			return true
		}
	}
	return false
}

// goTest runs a test binary so that a skipped test is noticed, which only its
// verbose output tells. What was not asked for is left out again.
func goTest(ctx context.Context, m vm.Machine) (int, error) {
	out := &testOutput{w: os.Stdout, terse: !isVerbose(m.Job.Args)}
	if out.terse {
		quiet := func(a string) bool { return strings.HasPrefix(a, "-test.v=") }
		m.Job.Args = append([]string{"-test.v"}, slices.DeleteFunc(m.Job.Args, quiet)...)
	}
	if limit, ok := testTimeout(m.Job.Args); ok && m.Timeout == 0 {
		m.Timeout = limit + grace
	}
	m.Stdout = out
	code, err := finish(m.Run(ctx))
	out.Flush()
	if len(out.skipped) > 0 && code == 0 && err == nil {
		fmt.Fprintln(os.Stdout, "FAIL: a test that skips in the lab runs nowhere:", strings.Join(out.skipped, ", "))
		code = 1
	}
	return code, err
}

func isVerbose(args []string) bool {
	verbose := false
	for _, a := range args {
		if a == "-test.v" || strings.HasPrefix(a, "-test.v=") {
			verbose = a != "-test.v=false"
		}
	}
	return verbose
}

// grace is what the machine needs beside the test's own time: to boot, and to
// print every goroutine's stack when that time is over. It is below the minute
// after which go test kills us.
const grace = 45 * time.Second

// testTimeout is the test binary's own limit, when it has one.
func testTimeout(args []string) (time.Duration, bool) {
	for _, a := range args {
		if v, ok := strings.CutPrefix(a, "-test.timeout="); ok {
			d, err := time.ParseDuration(v)
			return d, err == nil && d > 0
		}
	}
	return 0, false
}

// testOutput passes a test binary's verbose output on, line by line, and
// remembers which tests were skipped. When terse it leaves out the lines that
// only follow the course of the tests.
type testOutput struct {
	w       io.Writer
	terse   bool
	skipped []string
	rest    []byte // a line that has not ended yet
}

// The first byte of a line is ^V when the test binary writes for test2json.
var (
	skipLine   = regexp.MustCompile(`^\x16?\s*--- SKIP: (\S+)`)
	courseLine = regexp.MustCompile(`^\x16?(=== (RUN|PAUSE|CONT|NAME) |\s*--- PASS: )`)
)

func (t *testOutput) Write(p []byte) (int, error) {
	t.rest = append(t.rest, p...)
	for {
		end := bytes.IndexByte(t.rest, '\n')
		if end < 0 {
			return len(p), nil
		}
		if err := t.line(t.rest[:end+1]); err != nil {
			return 0, err
		}
		t.rest = t.rest[end+1:]
	}
}

// Flush passes on a last line without an end.
func (t *testOutput) Flush() {
	if len(t.rest) > 0 {
		t.line(t.rest)
		t.rest = nil
	}
}

func (t *testOutput) line(line []byte) error {
	if m := skipLine.FindSubmatch(line); m != nil {
		t.skipped = append(t.skipped, string(m[1]))
	}
	if t.terse && courseLine.Match(line) {
		return nil
	}
	_, err := t.w.Write(line)
	return err
}

package main

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
)

// TestListDemo: the made-up table in each format, without rights and without a
// director.
func TestListDemo(t *testing.T) {
	t.Parallel()
	run := func(args ...string) string {
		t.Helper()
		got := runCommand(t, ordinary(), append([]string{"list"}, args...)...)
		if got.status != 0 || got.err != "" {
			t.Fatalf("%v: %+v", args, got)
		}
		return got.out
	}
	if out := run("--demo"); !strings.HasPrefix(out, "PROTO  SERVICE ") || !strings.Contains(out, " BYTE/S OUT ") {
		t.Errorf("into a pipe goes every column:\n%s", out)
	}
	var table struct {
		Services []struct{ Servers []struct{ State string } }
	}
	if err := json.Unmarshal([]byte(run("--demo=incident", "-o", "json")), &table); err != nil || len(table.Services) == 0 || table.Services[0].Servers[0].State == "" {
		t.Errorf("%+v, %v", table, err)
	}
	if rows, err := csv.NewReader(strings.NewReader(run("--demo", "-o", "csv"))).ReadAll(); err != nil || len(rows) < 20 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	refused(t, runCommand(t, ordinary(), "list", "--demo=calm"), `there is no demo "calm"`)
}

// TestListFitsTheTerminal: no line is broken by the terminal's edge.
func TestListFitsTheTerminal(t *testing.T) {
	t.Parallel()
	c := start(t, ordinary(), program, "list", "--demo")
	c.ends(0)
	wire := string(c.Wire())
	if !strings.Contains(wire, "PROTO  SERVICE ") {
		t.Fatalf("no table: %q", wire)
	}
	for line := range strings.Lines(wire) {
		if n := len(strings.TrimRight(line, "\r\n")); n > ordinary().width {
			t.Errorf("%d cells on a terminal of %d: %q", n, ordinary().width, line)
		}
	}
}

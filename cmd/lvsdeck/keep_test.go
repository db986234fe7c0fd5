package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRulesAreReadFirst: a file that cannot be restored is refused before the
// kernel is asked for anything. What comes after is tested in lab/flow.
func TestRulesAreReadFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad, missing := filepath.Join(dir, "bad"), filepath.Join(dir, "missing")
	if err := os.WriteFile(bad, []byte("-A -f 7\n-A -t 203.0.113.10:443 -s wlc -p never\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"restore " + bad, bad + ":2:34: persistence never: must be"},
		{"restore --dry-run --merge " + bad, bad + ":2:34: "},
		{"diff " + bad, bad + ":2:34: "},
		{"diff " + missing, "cannot read " + missing + ": no such file or directory"},
		{"restore " + dir, "is a directory"},
		{"restore --snapshot 20260301-120431-ABCDEF " + bad, "name one of both"},
		{"save one two", `save: "two" is one argument too many; write: lvsdeck save [FILE]`},
		{"snapshots now", `snapshots: "now" is one argument too many`},
	} {
		t.Run(strings.ReplaceAll(c.args, dir, ""), func(t *testing.T) {
			t.Parallel()
			refused(t, runCommand(t, ordinary(), strings.Fields(c.args)...), c.want)
		})
	}
}

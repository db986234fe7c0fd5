package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// said is what a command without a terminal wrote and how it ended.
type said struct {
	out, err string
	status   int
}

func runCommand(t *testing.T, in place, args ...string) said {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := in.command(program, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return said{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	type refusal struct {
		args string
		want string // what the one line says to do
	}
	cases := []refusal{
		{"", "needs a terminal for input and output; for pipes and scripts use: lvsdeck list"},
		{"--demo", "needs a terminal"},
		{"--interval 100ms", "--interval 100ms: must be 1s to 60s"},
		{"--interval soon", "--interval"},
		{"--colour", "unknown flag: --colour"},
		{"services", `unknown command "services"`},
		{"list --output xml", "xml"},
		{"list extra", `list: "extra" is one argument too many; write: lvsdeck list`},
		{"report", "report: missing: FILE; write: lvsdeck report FILE"},
		{"why", "why: missing: SERVICE; write: lvsdeck why SERVICE [SERVER]"},
		{"realserver", "realserver: missing: nat|dr|tun|fullnat; write: lvsdeck realserver nat|dr|tun|fullnat check|apply"},
		{"setup dr", "setup: missing: --rs, --vip; write: lvsdeck setup nat|dr|tun|fullnat --vip ADDRESS:PORT --rs ADDRESS"},
	}
	if !isDirector() {
		cases = append(cases, refusal{"list", "cannot open the table"})
	}
	for _, c := range cases {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			refused(t, runCommand(t, ordinary(), strings.Fields(c.args)...), c.want)
		})
	}
}

// isDirector tells a host whose kernel has IPVS: there the console opens, which
// package flow tests in the lab.
func isDirector() bool {
	_, err := os.Stat("/proc/net/ip_vs")
	return err == nil
}

// refused checks for exit status 2 and exactly one line, which says the text.
func refused(t *testing.T, got said, want string) {
	t.Helper()
	if got.status != 2 || got.out != "" || strings.Count(got.err, "\n") != 1 ||
		!strings.HasPrefix(got.err, "lvsdeck: ") || !strings.Contains(got.err, want) {
		t.Errorf("exit status %d, said %q and on stderr %q; want 2 and one line with %q", got.status, got.out, got.err, want)
	}
}

// TestRefusalsOnATerminal: what is refused must be refused before the terminal is
// touched.
func TestRefusalsOnATerminal(t *testing.T) {
	t.Parallel()
	dumb, none := ordinary("TERM=dumb"), ordinary("TERM=")
	type refusal struct {
		in   place
		args []string
		want string
	}
	cases := []refusal{
		{dumb, []string{"--demo"}, `cannot draw on a terminal of type "dumb"; set TERM, or use: lvsdeck list`},
		{none, []string{"--demo"}, `cannot draw on a terminal of type ""`},
		{ordinary(), []string{"--demo=calm"}, `there is no demo "calm"; choose one of: steady, incident, big`},
	}
	if !isDirector() {
		cases = append(cases, refusal{ordinary(), nil, "to look around without a director: lvsdeck --demo"})
	}
	for _, c := range cases {
		t.Run(c.want, func(t *testing.T) {
			t.Parallel()
			term := prepare(t, c.in)
			var errs bytes.Buffer
			cmd := c.in.command(program, c.args...)
			cmd.Stderr = &errs
			term.must(term.Start(cmd))
			term.must(ended(term))
			refused(t, said{string(term.Wire()), errs.String(), cmd.ProcessState.ExitCode()}, c.want)
		})
	}
}

func ended(c *console) error {
	_, err := c.Wait(soon)
	return err
}

func TestVersion(t *testing.T) {
	t.Parallel()
	got := runCommand(t, ordinary(), "--version")
	if got.status != 0 || got.err != "" || !strings.HasPrefix(got.out, "lvsdeck ") || len(strings.TrimSpace(got.out)) <= len("lvsdeck") {
		t.Errorf("said %+v", got)
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	got := runCommand(t, ordinary(), "--help")
	if got.status != 0 || got.err != "" || !strings.Contains(got.out, "--demo") || !strings.Contains(got.out, "list") {
		t.Errorf("said %+v", got)
	}
}

func TestWrittenKeysAreTheKeys(t *testing.T) {
	t.Parallel()
	const file = "../../docs/keys.md"
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := runCommand(t, ordinary(), "keys"); got.out != string(written) {
		t.Errorf("docs/keys.md is not what the console does; renew it: bin/lvsdeck keys > docs/keys.md\n%s", got.out)
	}
}

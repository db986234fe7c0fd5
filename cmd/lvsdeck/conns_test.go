package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lvsdeck/ops/conns/conntest"
)

// savedConns is a saved table of connections.
func savedConns(t *testing.T) (file string) {
	t.Helper()
	var b bytes.Buffer
	err := conntest.Write(&b, conntest.Spec{Conns: 3000, V6: 30, Template: 10, Origin: true})
	if file = filepath.Join(t.TempDir(), "ip_vs_conn_sync"); err == nil {
		err = os.WriteFile(file, b.Bytes(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestConns(t *testing.T) {
	t.Parallel()
	file := savedConns(t)
	run := func(args ...string) said {
		t.Helper()
		got := runCommand(t, ordinary(), append([]string{"conns", "--file", file}, args...)...)
		if got.status != 0 || got.err != "" {
			t.Fatalf("%v: %+v", args, got)
		}
		return got
	}
	if got := run("--top", "1"); !strings.Contains(got.out, "\n"+conntest.Hog.String()+" ") || strings.Count(got.out, "\n") != 4 {
		t.Errorf("the hog is not first:\n%s", got.out)
	}
	var counted struct {
		Groups []struct{ Connections, Templates int }
		Total  struct{ Connections, Templates int }
	}
	if err := json.Unmarshal([]byte(run("--by", "origin", "-o", "json").out), &counted); err != nil || len(counted.Groups) != 2 || counted.Total.Connections+counted.Total.Templates != 3000 {
		t.Errorf("%+v, %v", counted, err)
	}
	rows := func(args ...string) []string { return strings.Split(strings.TrimSpace(run(args...).out), "\n")[1:] }
	all := rows("--list")
	if len(all) != 3000 {
		t.Errorf("%d rows", len(all))
	}
	page := rows("--list", "--from", "10", "--top", "5")
	if len(page) != 5 || page[0] != all[10] || page[4] != all[14] {
		t.Errorf("from 10 on: %q", page)
	}
	only := rows("--list", "--templates", "only", "--client", "198.18.0.0/15", "--origin", "sync")
	for _, row := range only {
		if f := strings.Fields(row); !strings.HasPrefix(f[4], "198.1") || !strings.HasSuffix(f[4], ":0") || f[7] != "sync" {
			t.Errorf("picked %s", row)
		}
	}
	if len(only) < 20 || len(only) > 200 {
		t.Errorf("%d rows picked", len(only))
	}

	cmd := ordinary().command(program, "conns", "--file", "-", "--by", "state", "-o", "csv")
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	cmd.Stdin = in
	if out, err := cmd.Output(); err != nil || !strings.HasPrefix(string(out), "proto,state,") {
		t.Errorf("from standard input: %q, %v", out, err)
	}
}

// TestConnsWithin: a reading that would never end does, shows what it has and
// says so.
func TestConnsWithin(t *testing.T) {
	t.Parallel()
	cmd := ordinary().command("sh", "-c", `while cat "$1"; do :; done | "$2" conns --within 200ms --file - --top 1`, "sh", savedConns(t), program)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), "\n"+conntest.Hog.String()+" ") || !strings.Contains(errs.String(), "lvsdeck: ended after 200ms, as --within says: this is a sample, the first ") {
		t.Errorf("%v\n%s\n%s", err, out, errs.String())
	}
}

// TestConnsSilence: what says nothing more ends with --within and with ctrl-c, too.
func TestConnsSilence(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(savedConns(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		within string
		key    os.Signal
		want   string
	}{{"50ms", nil, "ended after 50ms"}, {"0", os.Interrupt, "interrupted"}} {
		cmd := ordinary().command(program, "conns", "--file", "-", "--list", "--within", c.within)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var errs strings.Builder
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if c.key != nil {
			go in.Write(text)                                    // it may end before it has read all
			if _, err := out.Read(make([]byte, 1)); err != nil { // it is at work, and hears signals
				t.Fatal(err)
			}
			if err := cmd.Process.Signal(c.key); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := io.Copy(io.Discard, out); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%v, %s", err, errs.String())
		}
	}
}

// TestConnsOfADemo: the bad day has its culprit, and the table says which servers it
// lists.
func TestConnsOfADemo(t *testing.T) {
	t.Parallel()
	run := func(args ...string) []string {
		t.Helper()
		got := runCommand(t, ordinary(), append([]string{"conns"}, args...)...)
		if got.status != 0 || got.err != "" {
			t.Fatalf("%v: %+v", args, got)
		}
		return strings.Split(got.out, "\n")
	}
	if rows := run("--demo=incident", "--service", "198.51.100.20:443", "--by", "client", "--top", "1"); !strings.HasPrefix(rows[1], "100.70.12.34 ") {
		t.Errorf("the hog is not first: %q", rows)
	}
	if rows := run("--demo", "--list", "--top", "3"); len(rows) != 5 || !strings.Contains(rows[1], " 100.") {
		t.Errorf("listed %q", rows)
	}
	if rows := run("--demo", "--unlisted", "--list"); len(rows) != 2 {
		t.Errorf("with servers that are not listed: %q", rows)
	}
}

func TestConnsRefusals(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "listing")
	if err := os.WriteFile(file, []byte("IPVS connection entries\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"--by hog":             `there is no grouping "hog"; choose one of: client, net`,
		"--service x":          `service "x": give an address`,
		"--server 10.0.0.1:x":  `server "10.0.0.1:x": give an address`,
		"--client 10.0.0.1/40": `client "10.0.0.1/40": give an address`,
		"--state SYNRECV":      `state "SYNRECV": the kernel has no such state; choose one of: ESTABLISHED, SYN_SENT, SYN_RECV`,
		"--within -5s":         "--within -5s: must not be negative",
		"--origin here":        `origin "here": choose local or sync`,
		"--templates no":       `templates "no": choose with, only or without`,
		"--net4 33":            "--net4 33: must be 1 to 32",
		"--top -1":             "--top -1: must be 0",
		"--from 3":             "--from goes with --list",
		"--unlisted --file x":  "--unlisted: a saved copy does not say what the table lists",
		"--demo --file x":      "--demo and --file: choose one",
		"--demo=calm":          `there is no demo "calm"`,
		"-o xml":               `unknown output format "xml": choose one of table, json, csv`,
		"--file /nonexistent":  "open /nonexistent: no such file",
		"--file " + file:       "this is no copy of /proc/net/ip_vs_conn (nor is a listing by ipvsadm)",
	} {
		refused(t, runCommand(t, ordinary(), append([]string{"conns"}, strings.Fields(args)...)...), want)
	}
}

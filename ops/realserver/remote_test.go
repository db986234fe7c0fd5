package realserver

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lvsdeck/ops/setup"
)

// fakeSSH stands before the real one. It writes down how it is called and what it
// is given, and answers for hosts by their names.
const fakeSSH = `#!/bin/sh
input=$(cat)
echo "$*" >>"$LOG"
[ -z "$input" ] || echo "$input" | sed -n '2p' >>"$LOG"
case $* in
*@gone\ *) echo "ssh: connect to host gone port 22: Connection timed out" >&2; exit 255 ;;
*@missing\ *) echo "missing     address"; exit 1 ;;
*@idle\ *confirm | *@late\ *confirm | *@late\ *check) exit 1 ;;
*@cut\ *confirm) echo "ssh: no way in" >&2; exit 255 ;;
*@half\ *) echo "kit: it cannot" >&2; exit 2 ;;
*"route get"*) echo "10.0.3.1 dev eth0 src 10.0.3.11 uid 0 \\    cache" ;;
*@slow\ *) exec sleep 600 ;;
esac
`

func useFakeSSH(t *testing.T) (log func() string) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ssh"), []byte(fakeSSH), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("LOG", filepath.Join(dir, "log"))
	return func() string {
		text, _ := os.ReadFile(filepath.Join(dir, "log"))
		os.Remove(filepath.Join(dir, "log"))
		return string(text)
	}
}

const options = "-T -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=10 -o ServerAliveInterval=5 -o ControlMaster=no -o ControlPath=none -- "

func TestRemote(t *testing.T) {
	log := useFakeSSH(t)
	dr := Want{Mode: setup.DR, VIP: ip("203.0.113.10")}
	nat := Want{Mode: setup.NAT, Gateway: ip("10.0.3.1")}
	whole := Want{Mode: setup.NAT, Gateway: ip("10.0.3.1"), Server: ip("10.0.3.11")}
	const header, natHeader = "# real server of 203.0.113.10: DR\n", "# real server 10.0.3.11: NAT by 10.0.3.1\n"
	for _, c := range []struct {
		Remote
		w              Want
		command, where string
		code           int
		err, log       string
	}{
		{Remote{}, dr, "check", "root@rs1", 0, "", options + "root@rs1 sh -s -- check\n" + header},
		{Remote{Sudo: true}, dr, "undo", "op@rs1", 0, "", options + "op@rs1 sudo -n sh -s -- undo\n" + header},
		{Remote{Window: time.Minute}, dr, "apply", "root@rs1", 0, "",
			options + "root@rs1 sh -s -- apply 60\n" + header + options + "root@rs1 sh -s -- confirm\n" + header},
		{Remote{}, nat, "check", "root@rs1", 0, "",
			options + "root@rs1 PATH=$PATH:/usr/sbin:/sbin ip -o route get 10.0.3.1\n" + options + "root@rs1 sh -s -- check\n" + natHeader},
		{Remote{}, dr, "check", "root@missing", 1, "", options + "root@missing sh -s -- check\n" + header},
		{Remote{}, dr, "apply", "root@half", 2, "root@half: kit: it cannot", options + "root@half sh -s -- apply\n" + header},
		{Remote{}, dr, "apply", "root@gone", 2, "ssh to root@gone: ssh: connect to host gone port 22: Connection timed out",
			options + "root@gone sh -s -- apply\n" + header},
		{Remote{Window: time.Minute}, dr, "apply", "root@cut", 2,
			"applied, and no new login could confirm it: it takes itself back in 60 s: ssh to root@cut: ssh: no way in",
			options + "root@cut sh -s -- apply 60\n" + header + options + "root@cut sh -s -- confirm\n" + header},
		{Remote{Window: time.Minute}, dr, "apply", "root@idle", 0, "",
			options + "root@idle sh -s -- apply 60\n" + header + options + "root@idle sh -s -- confirm\n" + header + options + "root@idle sh -s -- check\n" + header},
		{Remote{}, whole, "apply", "root@late", 2, "applied, and taken back after 60 s: no new login could confirm it before",
			options + "root@late sh -s -- apply 60\n" + natHeader + options + "root@late sh -s -- confirm\n" + natHeader + options + "root@late sh -s -- check\n" + natHeader},
		{Remote{}, dr, "check", "-oProxyCommand=id", 2, `server "-oProxyCommand=id": must be host or user@host, as for ssh`, ""},
		{Remote{}, dr, "check", "a b", 2, `server "a b": must be host or user@host, as for ssh`, ""},
		{Remote{}, dr, "check", "$(id)@rs1", 2, `server "$(id)@rs1": must be host or user@host, as for ssh`, ""},
	} {
		r := c.Do(context.Background(), c.w, c.command, []string{c.where})[0]
		err := ""
		if r.Err != nil {
			err = r.Err.Error()
		}
		if got := log(); r.Where != c.where || r.Code != c.code || err != c.err || got != c.log {
			t.Errorf("%s on %s: %d, %q, want %d, %q\nssh was called\n%s, want\n%s", c.command, c.where, r.Code, err, c.code, c.err, got, c.log)
		}
	}
}

// TestRemoteMany: the results have the servers' order, and cancelling ends all.
func TestRemoteMany(t *testing.T) {
	useFakeSSH(t)
	dr := Want{Mode: setup.DR, VIP: ip("203.0.113.10")}
	servers := strings.Fields(strings.Repeat("root@rs1 root@missing ", 10))
	for i, r := range (Remote{}).Do(context.Background(), dr, "check", servers) {
		if r.Where != servers[i] || r.Code != i%2 {
			t.Errorf("result %d is of %s: %d", i, r.Where, r.Code)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	context.AfterFunc(t.Context(), cancel)
	done := make(chan []Result)
	go func() { done <- Remote{}.Do(ctx, dr, "check", []string{"root@slow", "root@rs1"}) }()
	cancel()
	if r := (<-done)[0]; r.Code != 2 || !errors.Is(r.Err, context.Canceled) {
		t.Errorf("%+v", r)
	}
}

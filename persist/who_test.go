package persist

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWho in environments, and in a /proc of its own: a shell that came by ssh,
// sudo, another shell and this program.
func TestWho(t *testing.T) {
	const ssh = "SSH_CONNECTION=198.51.100.7 50000 203.0.113.1 22"
	proc := t.TempDir()
	process := func(pid, parent int, name string, env ...string) {
		dir := filepath.Join(proc, fmt.Sprint(pid))
		ok(t, os.Mkdir(dir, 0o700))
		ok(t, os.WriteFile(filepath.Join(dir, "stat"), fmt.Appendf(nil, "%d (%s) S %d 1 1 0", pid, name, parent), 0o600))
		if env != nil {
			ok(t, os.WriteFile(filepath.Join(dir, "environ"), []byte(strings.Join(env, "\x00")+"\x00"), 0o600))
		}
	}
	process(1, 0, "systemd", "SSH_CONNECTION=192.0.2.9 1 2 3")
	process(10, 1, "sshd")
	process(11, 10, "bash", "HOME=/home/alice", ssh)
	process(12, 11, "sudo) S 1 (", "XSSH_CONNECTION=no", ssh, "TERM=xterm")
	process(13, 12, "bash", "SUDO_USER=alice")
	process(14, 13, "lvsdeck", "SUDO_USER=alice")
	process(20, 1, "getty", "TERM=linux")
	process(21, 20, "lvsdeck", "USER=bob")
	process(30, 31, "one")
	process(31, 30, "the other, its own ancestor")
	for _, test := range []struct {
		pid  int
		env  []string
		want string
	}{
		{99, []string{"SUDO_USER=alice", "LOGNAME=root", ssh}, "alice from 198.51.100.7"},
		{99, []string{"LOGNAME=root", "USER=x"}, "root"},
		{99, []string{"USER=bob"}, "bob"},
		{99, nil, "somebody"},
		{14, []string{"SUDO_USER=alice", "LOGNAME=root"}, "alice from 198.51.100.7"},
		{14, []string{"SUDO_USER=alice", "SSH_CONNECTION=203.0.113.200 1 203.0.113.1 22"}, "alice from 203.0.113.200"},
		{21, []string{"USER=bob"}, "bob"},
		{30, []string{"USER=bob"}, "bob"},
	} {
		getenv := func(name string) string {
			for _, v := range test.env {
				if value, ok := strings.CutPrefix(v, name+"="); ok {
					return value
				}
			}
			return ""
		}
		if got := whoAt(proc, test.pid, getenv).String(); got != test.want {
			t.Errorf("process %d with %q is %q, want %q", test.pid, test.env, got, test.want)
		}
	}
	if dir := filepath.Join("/proc", fmt.Sprint(os.Getpid())); exists(dir) && parent("/proc", os.Getpid()) != os.Getppid() {
		t.Errorf("the parent is %d, not %d", parent("/proc", os.Getpid()), os.Getppid())
	}
}

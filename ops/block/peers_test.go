package block

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestPeers in a /proc of its own: sshd on port 2222, one that systemd listens for,
// and others' connections.
func TestPeers(t *testing.T) {
	proc := t.TempDir()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	file := func(text string, at ...string) {
		t.Helper()
		path := filepath.Join(append([]string{proc}, at...)...)
		ok(os.MkdirAll(filepath.Dir(path), 0o700))
		ok(os.WriteFile(path, []byte(text), 0o600))
	}
	process := func(pid, name string, inodes ...string) {
		t.Helper()
		file(name+"\n", pid, "comm")
		ok(os.Mkdir(filepath.Join(proc, pid, "fd"), 0o700))
		for _, i := range inodes {
			ok(os.Symlink("socket:["+i+"]", filepath.Join(proc, pid, "fd", i)))
		}
	}
	process("10", "sshd", "100")
	process("11", "sshd-session", "104")
	process("12", "nginx", "101", "103")
	const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	file(head+
		"   0: 00000000:08AE 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0\n"+
		"   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 101 1 0\n"+
		"   2: 017100CB:08AE 076433C6:C350 01 00000000:00000000 00:00000000 00000000     0        0 102 1 0\n"+
		"   3: 017100CB:0050 086433C6:C350 01 00000000:00000000 00:00000000 00000000     0        0 103 1 0\n"+
		"   4: 017100CB:0400 096433C6:C350 01 00000000:00000000 00:00000000 00000000     0        0 104 1 0\n"+
		"   5: 017100CB:08AE 0A6433C6:C350 06 00000000:00000000 00:00000000 00000000     0        0 0 1 0\n"+
		"   6: 0100007F:08AE 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 105 1 0\n"+
		"   7: 017100CB:0016 0B6433C6:C350 01 00000000:00000000 00:00000000 00000000     0        0 106 1 0\n"+
		"   8: 017100CB:0BB8 0C6433C6:C350 01 00000000:00000000 00:00000000 00000000     0        0 107 1 0\n",
		"thread-self", "net", "tcp")
	got, err := peersIn(proc, 3000)
	ok(err)
	addrs := func(all ...string) (out []netip.Addr) {
		for _, a := range all {
			out = append(out, netip.MustParseAddr(a))
		}
		return out
	}
	if want := addrs("198.51.100.7", "198.51.100.9", "198.51.100.11", "198.51.100.12"); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	file(head+"   0: B80D0120000000000000000001000000:08AE B80D0120000000000000000007000000:C350 01 00000000:00000000 00:00000000 00000000     0        0 110 1 0\n"+
		"   1: 0000000000000000FFFF0000017100CB:08AE 0000000000000000FFFF0000076433C6:C351 01 00000000:00000000 00:00000000 00000000     0        0 111 1 0\n",
		"thread-self", "net", "tcp6")
	got, err = peersIn(proc, 0)
	ok(err)
	if want := addrs("198.51.100.7", "198.51.100.9", "198.51.100.11", "2001:db8::7"); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	file(head+"   0: what is this line that has words enough for it\n", "thread-self", "net", "tcp6")
	if _, err := peersIn(proc, 0); err == nil {
		t.Error("a line that is no socket was passed over")
	}
}

// TestSocketsOf this host: a connection of our own is among them.
func TestSocketsOf(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	from := netip.MustParseAddrPort(c.LocalAddr().String())
	all, err := socketsOf("/proc/thread-self/net/tcp")
	if err != nil || !slices.ContainsFunc(all, func(s socket) bool {
		return s.state == established && s.local == from.Port() && s.peer == from.Addr()
	}) {
		t.Errorf("%v is not among %+v, %v", from, all, err)
	}
	if _, err := Peers(0); err != nil {
		t.Error(err)
	}
}

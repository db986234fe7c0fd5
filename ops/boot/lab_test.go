package boot_test

import (
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lvsdeck/lab"
	"lvsdeck/persist"
)

// site is a bare one whose servers have done their part; another one is the same
// hosts after a restart of all of them: what stays is files.
func site(t *testing.T, mode string, kind lab.Mode, v6 bool) *lab.Site {
	t.Helper()
	s := lab.Bare(t, kind, false, 2, v6)
	for _, h := range s.Servers {
		switch mode {
		case "nat":
			h.Command("ip", "route", "replace", "default", "via", inNetOf(s.Addrs[0], 1))
		case "dr":
			h.AcceptVIP(kind, s.VIP)
		case "tun":
			h.AcceptVIP(kind, s.VIP)
			h.Command("ip", "route", "replace", "default", "via", inNetOf(s.Addrs[0], 254), "advmss", "1400")
		}
	}
	return s
}

// inNetOf is the address with another last byte.
func inNetOf(a netip.Addr, last byte) string {
	b := a.AsSlice()
	b[len(b)-1] = last
	other, _ := netip.AddrFromSlice(b)
	return other.String()
}

// files is what of the host is kept in files.
func files(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, root := range []string{"/etc/lvsdeck", "/etc/systemd", persist.RulesFile()} {
		_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return nil // it is not there
			}
			text := ""
			if e.Type().IsRegular() {
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				text = string(data)
			}
			fmt.Fprintf(&b, "%s %v %q\n", path, e.Type(), text)
			return nil
		})
	}
	return b.String()
}

// passing is what two hosts that are made alike differ in.
var passing = regexp.MustCompile(`permaddr \S+|([0-9a-f]{2}:){5}[0-9a-f]{2}|fe80::[0-9a-f:]+|@if\d+|link-netnsid \d+|\[\d+:\d+\]`)

// state is the director's, but for passing.
func state(s *lab.Site) string {
	var b strings.Builder
	for line := range strings.Lines(passing.ReplaceAllString(s.Director.State(), "*")) {
		if !strings.Contains(line, "stable_secret") && !strings.Contains(line, "key = ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func same(t *testing.T, what, want, got string) {
	t.Helper()
	if d := lab.Difference(want, got); d != "" {
		t.Errorf("%s differs:\n%s", what, d)
	}
}

func says(t *testing.T, s *lab.Site, want string, args ...string) {
	t.Helper()
	if text := s.Director.Command("lvsdeck", args...); !strings.Contains(text, want) {
		t.Errorf("lvsdeck %s: does not say %q:\n%s", strings.Join(args, " "), want, text)
	}
}

func served(t *testing.T, s *lab.Site) {
	t.Helper()
	answers, err := lab.Tally(4, func() (string, error) { return s.Client.HTTPGet(s.At(lab.HTTPPort)) })
	if err != nil || len(answers) != 2 {
		t.Fatalf("clients got %v, %v\n%s", answers, err, s.Director.Ipvsadm("-Lnc"))
	}
}

// TestReboot sets up, keeps, and starts everything anew: clients are served, the
// director is as it was kept, and unset leaves host and files as before the set-up.
func TestReboot(t *testing.T) {
	lab.Require(t)
	lab.Modprobe(t, "ip_vs", "ipip", "ip6_tunnel", "xt_ipvs", "iptable_nat", "ip6table_nat")
	if err := os.MkdirAll("/etc/systemd/system", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, l := range []struct {
		mode string
		kind lab.Mode
		v6   bool
	}{{"nat", lab.NAT, false}, {"fullnat", lab.NAT, true}, {"dr", lab.DR, false}, {"tun", lab.TUN, true}} {
		t.Run(fmt.Sprintf("%s/v6=%t", l.mode, l.v6), func(t *testing.T) { reboot(t, l.mode, l.kind, l.v6) })
	}
}

func reboot(t *testing.T, mode string, kind lab.Mode, v6 bool) {
	s := site(t, mode, kind, v6)
	bare, none := state(s), files(t)
	args := []string{"setup", mode, "--vip", s.At(lab.HTTPPort), "--scheduler", "rr", "--keep", "--yes", "--confirm-within", "5m"}
	for _, a := range s.Addrs {
		args = append(args, "--rs", a.String())
	}
	says(t, s, "done: set up", args...)
	s.Director.Command("ipvsadm", "--set", "901", "121", "301")
	same(t, "files before it is confirmed", none, files(t))
	says(t, s, "stays", "confirm")
	served(t, s)
	there, kept := state(s), files(t)
	if !strings.Contains(kept, "kept.json") || !strings.Contains(kept, "multi-user.target.wants/lvsdeck.service L") {
		t.Fatalf("files: %s", kept)
	}
	says(t, s, "nothing is left to do", "keep")

	s = site(t, mode, kind, v6)
	same(t, "a director that was restarted", bare, state(s))
	says(t, s, ", 0 failed", "boot")
	same(t, "a director that has booted", there, state(s))
	served(t, s)
	says(t, s, "0 done, ", "boot")

	s.Director.Command("ipvsadm", "--set", "900", "120", "300")
	says(t, s, "unless it is confirmed", "unset", "--vip", s.VIP.String(), "--yes")
	same(t, "files before unset is confirmed", kept, files(t))
	says(t, s, "stays", "confirm")
	same(t, "unset", bare, state(s))
	same(t, "files after unset", none, files(t))
}

// TestBootWithoutItsStore: rules and settings come back although nothing can be
// written, and a card that comes late is waited for.
func TestBootWithoutItsStore(t *testing.T) {
	lab.Require(t)
	lab.Modprobe(t, "ip_vs")
	s := site(t, "nat", lab.NAT, false)
	s.Director.Command("lvsdeck", "setup", "nat", "--vip", s.At(lab.HTTPPort), "--scheduler", "rr", "--rs", s.Addrs[0].String(), "--rs", s.Addrs[1].String(),
		"--keep", "--yes", "--no-safety-net", "--confirm-within", "0")
	there := state(s)
	s = site(t, "nat", lab.NAT, false)
	if err := os.Rename(persist.DefaultDir, persist.DefaultDir+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(persist.DefaultDir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.Director.Command("ip", "link", "set", "eth1", "down")
	s.Director.Command("ip", "link", "set", "eth1", "name", "late1")
	text, err := s.Director.Try("lvsdeck", "boot", "--wait", "0")
	if err == nil || !strings.Contains(text+err.Error(), "failed: set net/ipv4/conf/eth1/forwarding") && !strings.Contains(text+err.Error(), "failed: set net.ipv4.conf.eth1.forwarding") {
		t.Errorf("without eth1: %v\n%s", err, text)
	}
	s.Director.Command("ip", "link", "set", "late1", "name", "eth1")
	s.Director.Up("eth1")
	says(t, s, "going on without "+persist.DefaultDir, "boot")
	same(t, "booted", there, state(s))
	served(t, s)
	if err := os.Remove(persist.DefaultDir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(persist.DefaultDir+".away", persist.DefaultDir); err != nil {
		t.Fatal(err)
	}
	s.Director.Command("lvsdeck", "unset", "--vip", s.VIP.String(), "--yes", "--no-safety-net", "--confirm-within", "0")
}

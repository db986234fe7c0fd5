package flow

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lvsdeck/lab"
)

// TestCalledIpvsadm: scripts find ipvsadm under its three names; what it does is
// compared in package ops/ipvsadm.
func TestCalledIpvsadm(t *testing.T) {
	lab.Require(t)
	program, err := exec.LookPath("lvsdeck")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"ipvsadm", "ipvsadm-save", "ipvsadm-restore"} {
		if err := os.Symlink(program, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	s := lab.Director(t, lab.NAT, 2, false)
	at := s.At(lab.HTTPPort)
	ours := filepath.Join(dir, "ipvsadm")
	s.Director.Command(ours, "-A", "-t", at, "-s", "wrr")
	s.Director.Command("lvsdeck", "ipvsadm", "-a", "-t", at, "-r", s.Addrs[0].String(), "-m", "-w", "3")

	theirs := s.Director.Ipvsadm("-Sn")
	if got := s.Director.Command(filepath.Join(dir, "ipvsadm-save"), "-n"); got != theirs {
		t.Errorf("ipvsadm-save -n gives\n%s\nipvsadm gives\n%s", got, theirs)
	}
	if got, want := s.Director.Command(ours, "-Ln"), s.Director.Ipvsadm("-Ln"); got != want {
		t.Errorf("-Ln gives\n%s\nipvsadm gives\n%s", got, want)
	}
	if _, err := s.Director.Try(ours, "-D", "-t", "192.0.2.1:80"); err == nil || !strings.Contains(err.Error(), "No such service") {
		t.Errorf("deleting what is not there: %v", err)
	}
}

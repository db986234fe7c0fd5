package realserver_test

import (
	"os/exec"
	"strings"
	"testing"

	"lvsdeck/lab"
	. "lvsdeck/ops/realserver"
	"lvsdeck/ops/setup"
)

// bySSH are bare servers with an operator out of their network, who logs in on
// them by the system's own ssh. Each has what it does not share with the others.
func bySSH(t *testing.T, servers int) *site {
	s := &site{t, lab.Bare(t, lab.NAT, false, servers, false), form{mode: setup.DR, lab: lab.NAT, want: func(*Want) {}}}
	s.Client.LogIn()
	for _, h := range s.Servers {
		h.ServeSSH()
		h.Own("/run/lvsdeck-realserver")
	}
	return s
}

// TestSSH gives servers their part over ssh, as the operator has it set up, and
// takes it back. Who is not known, or does not let the operator in, is left alone.
// Meanwhile a third server's way to the operator is cut: it takes all back.
func TestSSH(t *testing.T) {
	lab.Require(t)
	s := bySSH(t, 3)
	first, second, third := s.Servers[0], s.Servers[1], s.Servers[2]
	at := s.Addrs[0].String()
	s.Client.Write("/root/.ssh/config", "Host web2\n\tHostName "+s.Addrs[1].String()+"\n\tUser root\n")
	var bare []string
	for _, h := range s.Servers {
		bare = append(bare, h.State())
	}
	s.Client.Know(third, s.Addrs[2].String())
	third.Admit(s.Client)
	var said strings.Builder
	cut := exec.Command("lvsdeck", "realserver", "nat", "--gateway", s.director().String(), "apply", "--confirm-within", "10s", "--ssh", "root@"+s.Addrs[2].String())
	cut.Stdout, cut.Stderr = &said, &said
	if err := s.Client.Start(cut); err != nil { // the director does not forward
		t.Fatal(err)
	}

	call := func(_ *lab.Host, words ...string) (string, int) {
		return run(t, s.Client, append(append(s.command(), words...), "--ssh", "root@"+at+",web2")...)
	}
	s.Client.Know(second, s.Addrs[1].String())
	out := s.expect(2, call, nil, "apply")
	for _, want := range []string{"No ED25519 host key is known for " + at, "ssh to root@" + at + ": Host key verification failed.", "ssh to web2: root@" + s.Addrs[1].String() + ": Permission denied (publickey)."} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	s.Client.Know(first, at)
	first.Admit(s.Client)
	second.Admit(s.Client)
	if out := s.expect(1, call, nil, "check"); strings.Contains(out, "so already") {
		t.Errorf("after they were refused:\n%s", out)
	}
	s.expect(0, call, nil, "apply", "--confirm-within", "600s") // a new login confirms it
	s.expect(0, call, nil, "check")
	s.expect(0, call, nil, "undo")
	for i, h := range s.Servers[:2] {
		s.same("undone", bare[i], h.State())
	}

	_ = cut.Wait()
	if code := cut.ProcessState.ExitCode(); code != 2 || !strings.Contains(said.String(), "could not: ") {
		t.Errorf("cut off: %d\n%s", code, said.String())
	}
	s.takenBack(third, bare[2])
}

package setup_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"lvsdeck/lab"
)

// layout is a bare site and how it is to be set up.
type layout struct {
	mode   string
	lab    lab.Mode
	oneArm bool
	v6     bool
}

func (l layout) String() string {
	return fmt.Sprintf("%s/one-arm=%t/v6=%t", l.mode, l.oneArm, l.v6)
}

func layouts() (all []layout) {
	for _, v6 := range []bool{false, true} {
		all = append(all,
			layout{"nat", lab.NAT, false, v6}, layout{"nat", lab.NAT, true, v6}, layout{"fullnat", lab.NAT, v6, v6},
			layout{"dr", lab.DR, true, v6}, layout{"tun", lab.TUN, true, v6})
	}
	return all
}

// bare makes a site of hosts with disks of their own. Modules that bring devices to
// every host are there before.
func bare(t *testing.T, l layout) *lab.Site {
	t.Helper()
	lab.Modprobe(t, "ip_vs", "ipip", "ip6_tunnel", "ip_gre", "fou")
	s := lab.Bare(t, l.lab, l.oneArm, 2, l.v6)
	for _, h := range append(s.Servers, s.Director) {
		h.Command("mkdir", "-p", "/var/lib/lvsdeck")
		h.Command("mount", "-t", "tmpfs", "-o", "mode=700", "none", "/var/lib/lvsdeck")
	}
	return s
}

// kit has the servers do their part as setup says it.
func kit(t *testing.T, s *lab.Site, args ...string) {
	t.Helper()
	var report struct {
		Hosts []struct{ Host, Command string }
	}
	text := s.Director.Command("lvsdeck", append(args, "--dry-run", "-o", "json")...)
	if err := json.Unmarshal([]byte(text), &report); err != nil {
		t.Fatal(err)
	}
	for _, told := range report.Hosts {
		for i, a := range s.Addrs {
			if told.Host == a.String() {
				words := strings.Fields(told.Command)
				s.Servers[i].Command(words[0], words[1:]...)
			}
		}
	}
}

// prepared is a bare site whose servers have done their part for one port.
func prepared(t *testing.T, l layout, port uint16, more ...string) *lab.Site {
	t.Helper()
	s := bare(t, l)
	kit(t, s, arguments(s, l.mode, port, more...)...)
	return s
}

// arguments are those of lvsdeck setup.
func arguments(s *lab.Site, mode string, port uint16, more ...string) []string {
	args := []string{"setup", mode, "--vip", s.At(port), "--scheduler", "rr"}
	for _, a := range s.Addrs {
		args = append(args, "--rs", a.String())
	}
	return append(args, more...)
}

// now does it without a timer.
var now = []string{"--yes", "--no-safety-net", "--confirm-within", "0"}

// TestSetUp makes directors of bare hosts with the command alone. Clients are
// served, a second time changes nothing, and unset leaves no trace.
func TestSetUp(t *testing.T) {
	lab.Require(t)
	for _, l := range layouts() {
		t.Run(l.String(), func(t *testing.T) {
			s := prepared(t, l, lab.HTTPPort)
			before := s.Director.State()
			s.Router.Command("ip", "neigh", "replace", s.VIP.String(), "lladdr", "02:00:00:00:00:99", "dev", "eth1", "nud", "stale")
			text, err := s.Director.Try("lvsdeck", arguments(s, l.mode, lab.HTTPPort, now...)...)
			// From the servers' own network alone nobody sees what their gateway is.
			if blind := l.mode == "nat" && l.oneArm; !strings.Contains(text, "done: set up") || blind != (err != nil) || blind != strings.Contains(text, "not proven: 2 of 2 servers") {
				t.Fatalf("%v\n%s", err, text)
			}
			if _, mac := s.Director.Card("eth0"); !strings.Contains(s.Router.Command("ip", "neigh", "show", s.VIP.String()), mac.String()) {
				t.Errorf("the router was not told that the VIP is at %s now", mac)
			}
			served(t, s, lab.HTTPPort)
			if l.mode == "fullnat" { // the others' steps are among these
				says(t, s, "Nothing is left to do.", arguments(s, l.mode, lab.HTTPPort, "--dry-run")...)
			}
			says(t, s, "done: take back", append([]string{"unset", "--vip", s.VIP.String()}, now...)...)
			equal(t, s, "unset", before)
		})
	}
}

// says runs the command, and looks for a part of what it says.
func says(t *testing.T, s *lab.Site, want string, args ...string) string {
	t.Helper()
	text := s.Director.Command("lvsdeck", args...)
	if !strings.Contains(text, want) {
		t.Errorf("lvsdeck %s: does not say %q:\n%s", strings.Join(args, " "), want, text)
	}
	return text
}

// served asks often enough for every server to answer twice.
func served(t *testing.T, s *lab.Site, port uint16) {
	t.Helper()
	answers, err := lab.Tally(2*len(s.Servers), func() (string, error) { return s.Client.Ask("tcp", s.At(port)) })
	if port == lab.HTTPPort {
		answers, err = lab.Tally(2*len(s.Servers), func() (string, error) { return s.Client.HTTPGet(s.At(port)) })
	}
	if err != nil || len(answers) != len(s.Servers) {
		t.Fatalf("clients got %v, %v\n%s", answers, err, s.Director.Ipvsadm("-Lnc"))
	}
}

func equal(t *testing.T, s *lab.Site, when, before string) {
	t.Helper()
	if d := lab.Difference(before, s.Director.State()); d != "" {
		t.Errorf("%s: the director differs:\n%s", when, d)
	}
}

// TestTimer: what is confirmed stays. What is reverted, or not confirmed in time,
// is gone, and known to be.
func TestTimer(t *testing.T) {
	lab.Require(t)
	s := prepared(t, layout{"nat", lab.NAT, false, false}, lab.HTTPPort)
	before := s.Director.State()
	set := arguments(s, "nat", lab.HTTPPort, "--yes", "--confirm-within")

	says(t, s, "taken back in 1m0s unless", append(set, "1m")...)
	served(t, s, lab.HTTPPort)
	says(t, s, "stays", "confirm")
	there := s.Director.State()
	says(t, s, "Nothing is left to do.", arguments(s, "nat", lab.HTTPPort, now...)...)
	equal(t, s, "set up twice", there)
	says(t, s, "unless it is confirmed", "unset", "--vip", s.VIP.String(), "--yes")
	says(t, s, "was taken back", "revert")
	served(t, s, lab.HTTPPort)
	says(t, s, "done: take back", append([]string{"unset", "--vip", s.VIP.String()}, now...)...)
	equal(t, s, "confirmed, then unset", before)

	says(t, s, "taken back in 1m0s unless", append(set, "1m")...)
	says(t, s, "was taken back", "revert")
	equal(t, s, "reverted", before)

	says(t, s, "taken back in 10s unless", append(set, "10s")...)
	lab.Wait(t, "the timer", func() error {
		if d := lab.Difference(before, s.Director.State()); d != "" {
			return errors.New(d)
		}
		return nil
	})
	if _, err := s.Director.Try("lvsdeck", append([]string{"unset", "--vip", s.VIP.String()}, now...)...); err == nil || !strings.Contains(err.Error(), "no set-up at "+s.VIP.String()) {
		t.Errorf("unset of what was taken back: %v", err)
	}
}

// TestKilledSetUp: one that is killed in the middle of a step is taken back by its
// timer.
func TestKilledSetUp(t *testing.T) {
	lab.Require(t)
	s := bare(t, layout{"fullnat", lab.NAT, false, false})
	before := s.Director.State()
	dir := t.TempDir()
	reached := filepath.Join(dir, "reached")
	slow := fmt.Sprintf("#!/bin/sh\ncase \"$*\" in *-I*) echo $$ > %s; exec sleep 60;; esac\nPATH=${PATH#*:} exec iptables \"$@\"\n", reached)
	if err := os.WriteFile(filepath.Join(dir, "iptables"), []byte(slow), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("lvsdeck", arguments(s, "fullnat", lab.HTTPPort, "--yes", "--confirm-within", "10s")...)
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	if err := s.Director.Start(cmd); err != nil {
		t.Fatal(err)
	}
	var pid int
	lab.Wait(t, "the step that takes long", func() error {
		text, err := os.ReadFile(reached)
		if err == nil {
			_, err = fmt.Sscan(string(text), &pid)
		}
		return err
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	lab.Wait(t, "the timer", func() error {
		if d := lab.Difference(before, s.Director.State()); d != "" {
			return errors.New(d)
		}
		return nil
	})
}

// TestTwoServices share the VIP and settings; servers that are let out reach
// clients.
func TestTwoServices(t *testing.T) {
	lab.Require(t)
	s := bare(t, layout{"nat", lab.NAT, false, false})
	for _, h := range s.Servers { // all they send goes by the director, not only answers
		h.Command("lvsdeck", "realserver", "nat", "--gateway", "10.0.3.1", "apply", "--confirm-within", "60s")
		h.Command("lvsdeck", "confirm")
	}
	before := s.Director.State()
	s.Director.Command("lvsdeck", arguments(s, "nat", lab.HTTPPort, append(now, "--snat", "10.0.3.0/24")...)...)
	s.Director.Command("lvsdeck", arguments(s, "fullnat", lab.TCPPort, append(now, "--source", "10.0.3.1")...)...)
	served(t, s, lab.HTTPPort)
	served(t, s, lab.TCPPort)
	s.Client.ServeTCP(":9")
	if name, err := s.Servers[0].Ask("tcp", "198.51.100.2:9"); err != nil || name != "client" {
		t.Errorf("a server asks a client: %q, %v", name, err)
	}
	says(t, s, "stays: the set-up of", append([]string{"unset", "--vip", s.At(lab.HTTPPort)}, now...)...)
	served(t, s, lab.TCPPort)
	s.Director.Command("lvsdeck", append([]string{"unset", "--vip", s.VIP.String()}, now...)...)
	equal(t, s, "both unset", before)
}

// TestShutDirector: set-up opens what a director that drops everything needs to let
// through.
func TestShutDirector(t *testing.T) {
	lab.Require(t)
	for _, l := range []layout{
		{"nat", lab.NAT, false, true}, {"tun", lab.TUN, true, false},
	} {
		t.Run(l.String(), func(t *testing.T) {
			s := prepared(t, l, lab.HTTPPort)
			iptables := "iptables"
			if l.v6 { // which must be let find its neighbours
				iptables = "ip6tables"
				s.Director.Command(iptables, "-A", "INPUT", "-p", "ipv6-icmp", "-j", "ACCEPT")
				s.Director.Command(iptables, "-A", "OUTPUT", "-p", "ipv6-icmp", "-j", "ACCEPT")
			}
			for _, chain := range []string{"INPUT", "FORWARD", "OUTPUT"} {
				s.Director.Command(iptables, "-P", chain, "DROP")
			}
			before := s.Director.State()
			s.Director.Command("lvsdeck", arguments(s, l.mode, lab.HTTPPort, now...)...)
			served(t, s, lab.HTTPPort)
			s.Director.Command("lvsdeck", append([]string{"unset", "--vip", s.VIP.String()}, now...)...)
			equal(t, s, "unset", before)
		})
	}
}

// TestOtherWays: tunnels that carry one family in the other, and of other kinds,
// and UDP.
func TestOtherWays(t *testing.T) {
	lab.Require(t)
	for _, tunnel := range []string{"gue:6080", "gre"} {
		t.Run(tunnel, func(t *testing.T) {
			l := layout{"tun", lab.TUN, true, false}
			s := prepared(t, l, lab.HTTPPort, "--tunnel", tunnel)
			s.Director.Command("lvsdeck", arguments(s, l.mode, lab.HTTPPort, append(now, "--tunnel", tunnel)...)...)
			served(t, s, lab.HTTPPort)
		})
	}
	for _, v6 := range []bool{false, true} {
		t.Run(fmt.Sprintf("outside v6=%t", v6), func(t *testing.T) { otherFamily(t, v6) })
	}
	t.Run("UDP", func(t *testing.T) {
		s := prepared(t, layout{"dr", lab.DR, true, false}, lab.HTTPPort)
		for _, h := range s.Servers {
			h.ServeUDP(s.At(lab.UDPPort))
		}
		args := arguments(s, "dr", lab.UDPPort, now...)
		args[3] += "/udp"
		s.Director.Command("lvsdeck", args...)
		if answers, err := lab.Tally(4, func() (string, error) { return s.Client.Ask("udp", s.At(lab.UDPPort)) }); err != nil || len(answers) != 2 {
			t.Errorf("clients got %v, %v", answers, err)
		}
	})
}

// otherFamily has servers of one family serve a VIP of the other: beside the
// networks of the site there are the same in the other family.
func otherFamily(t *testing.T, v6 bool) {
	s := bare(t, layout{"tun", lab.TUN, true, v6})
	outside, wan, lan, bits, rest := "2001:db8:1::%x", "2001:db8:2::%x", "2001:db8:3::%x", 64, "::/0"
	if v6 {
		outside, wan, lan, bits, rest = "198.51.100.%d", "203.0.113.%d", "10.0.3.%d", 24, "0.0.0.0/0"
	}
	join := func(h *lab.Host, card, network string, number int) {
		h.AddAddr(card, fmt.Sprintf(network+"/%d", number, bits))
		if number != 254 {
			h.AddRoute(rest, fmt.Sprintf(network, 254))
		}
	}
	join(s.Router, "eth0", outside, 254)
	join(s.Router, "eth1", wan, 254)
	join(s.Router, "eth2", lan, 254)
	join(s.Client, "eth0", outside, 2)
	join(s.Director, "eth0", wan, 1)
	for i, h := range s.Servers {
		join(h, "eth0", lan, 11+i)
	}
	s.VIP = netip.MustParseAddr(fmt.Sprintf(wan, 10))
	kit(t, s, arguments(s, "tun", lab.HTTPPort)...)
	s.Director.Command("lvsdeck", arguments(s, "tun", lab.HTTPPort, now...)...)
	served(t, s, lab.HTTPPort)
}

// TestBadInput is refused in clear words, and nothing is changed.
func TestBadInput(t *testing.T) {
	lab.Require(t)
	s := bare(t, layout{"nat", lab.NAT, false, false})
	before := s.Director.State()
	for want, args := range map[string]string{
		"VIP 203.0.113.254: must be free on eth0":              "nat --vip 203.0.113.254:80 --rs 10.0.3.11",
		"real server 10.0.3.99: must be there: nobody answers": "nat --vip 203.0.113.10:80 --rs 10.0.3.99",
		"real server's port 81: must be the service's, 80":     "dr --vip 203.0.113.10:80 --rs 203.0.113.11:81",
		"interface eth7: must be there":                        "nat --vip 203.0.113.10:80 --rs 10.0.3.11 --interface eth7",
		"must be IPv6 as its service is":                       "nat --vip [2001:db8:2::10]:80 --rs 10.0.3.11",
		"it has no module ip_vs_nosuch":                        "nat --vip 203.0.113.10:80 --rs 10.0.3.11 --scheduler nosuch",
		"--no-safety-net if that is meant":                     "nat --vip 203.0.113.10:80 --rs 10.0.3.11 --confirm-within 0",
		"must be 10s to 60m":                                   "nat --vip 203.0.113.10:80 --rs 10.0.3.11 --confirm-within 1s",
	} {
		_, err := s.Director.Try("lvsdeck", append([]string{"setup", "--yes"}, strings.Fields(args)...)...)
		var exit *exec.ExitError
		if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, &exit) || exit.ExitCode() != 2 {
			t.Errorf("%s: %v", args, err)
		}
	}
	for _, only := range []string{"--dry-run", "--dry-run --yes -o json"} {
		s.Director.Command("lvsdeck", arguments(s, "nat", lab.HTTPPort, strings.Fields(only)...)...)
	}
	if _, err := s.Director.Try("lvsdeck", arguments(s, "nat", lab.HTTPPort)...); err == nil || !strings.Contains(err.Error(), "To do it: --yes") {
		t.Errorf("without --yes: %v", err)
	}

	nobody := exec.Command("lvsdeck", arguments(s, "nat", lab.HTTPPort, now...)...)
	nobody.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	var said strings.Builder
	nobody.Stderr = &said
	if err := s.Director.Start(nobody); err != nil {
		t.Fatal(err)
	}
	if err := nobody.Wait(); nobody.ProcessState.ExitCode() != 2 || !strings.Contains(said.String(), "not permitted; run as root") {
		t.Errorf("without rights: %v, %s", err, &said)
	}
	equal(t, s, "refused", before)
}

// TestMachineForm is read by programs.
func TestMachineForm(t *testing.T) {
	lab.Require(t)
	s := prepared(t, layout{"dr", lab.DR, true, false}, lab.HTTPPort)
	var report struct {
		Outcome string
		Plan    string
		Hosts   []struct {
			Steps []struct{ Text, Command, Reason, State string }
		}
		Confirm float64 `json:"confirm_within_seconds"`
		Probes  []struct{ Server, Verdict string }
		Error   string
	}
	text := s.Director.Command("lvsdeck", arguments(s, "dr", lab.HTTPPort, append(now, "-o", "json")...)...)
	if err := json.Unmarshal([]byte(text), &report); err != nil {
		t.Fatal(err)
	}
	if report.Outcome != "applied" || report.Plan == "" || len(report.Hosts) == 0 || len(report.Probes) != 2 || report.Probes[0].Verdict != "fine" {
		t.Errorf("%s", text)
	}
	text, err := s.Director.Try("lvsdeck", arguments(s, "dr", lab.TCPPort, "--rs", "10.9.9.9", "-o", "json")...)
	if err == nil || !strings.Contains(err.Error(), `"field": "real server"`) || text != "" && !strings.Contains(text, "refusals") {
		t.Errorf("refused: %s, %v", text, err)
	}
}

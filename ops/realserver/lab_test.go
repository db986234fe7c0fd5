package realserver_test

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/lab"
	. "lvsdeck/ops/realserver"
	"lvsdeck/ops/setup"
)

// form is how servers of a bare site become real servers.
type form struct {
	mode  setup.Mode
	lab   lab.Mode
	v6    bool
	flags []string // of the command
	adm   []string // of ipvsadm for a server
	want  func(*Want)
	mixed bool // the outside of the tunnel is of the other family
}

func (f form) String() string {
	family := 4
	if f.v6 {
		family = 6
	}
	name := fmt.Sprintf("v%d", family)
	if f.mixed {
		name += fmt.Sprintf(" in v%d", 10-family)
	}
	return strings.Join(append([]string{string(f.mode), name}, f.flags...), " ")
}

// risky: the program has it confirmed.
func (f form) risky() bool { return f.mode == setup.NAT && len(f.flags) == 0 }

// shell takes turns, but for both in IPv4.
func (f form) shell() string {
	if f.v6 || len(f.flags) > 0 {
		return "dash"
	}
	return "busybox sh"
}

func forms() (all []form) {
	gue, gre := ipvs.Tunnel{Type: ipvs.GUE, Port: 5555}, ipvs.Tunnel{Type: ipvs.GRE}
	for _, v6 := range []bool{false, true} {
		all = append(all,
			form{setup.DR, lab.DR, v6, nil, []string{"-g"}, func(*Want) {}, false},
			form{setup.TUN, lab.TUN, v6, nil, []string{"-i"}, func(w *Want) { w.ClampMSS = true }, false},
			form{setup.TUN, lab.TUN, v6, nil, []string{"-i"}, func(w *Want) { w.ClampMSS = true }, true},
			form{setup.TUN, lab.TUN, v6, []string{"--tunnel", "gue:5555"}, []string{"-i", "--tun-type", "gue", "--tun-port", "5555", "--tun-nocsum"},
				func(w *Want) { w.Tunnel, w.ClampMSS = gue, true }, v6},
			form{setup.TUN, lab.TUN, v6, []string{"--tunnel", "gre"}, []string{"-i", "--tun-type", "gre", "--tun-nocsum"},
				func(w *Want) { w.Tunnel, w.ClampMSS = gre, true }, false},
			form{setup.NAT, lab.NAT, v6, []string{"--port", "80"}, []string{"-m"}, func(w *Want) { w.Port = 80 }, false},
			form{setup.NAT, lab.NAT, v6, nil, []string{"-m"}, func(*Want) {}, false},
		)
	}
	return all
}

// site is a bare one with a director that is ready; only the servers are bare.
type site struct {
	*testing.T
	*lab.Site
	form
}

// modules bring devices to every host. What is loaded stays.
func newSite(t *testing.T, f form) *site {
	lab.Modprobe(t, "ip_vs", "ipip", "ip6_tunnel", "sit", "ip_gre", "ip6_gre", "fou", "fou6", "dummy")
	s := &site{t, lab.Bare(t, f.lab, false, 2, f.v6), f}
	s.Director.AddVIP("eth0", s.VIP)
	s.Director.Sysctl("net.ipv4.ip_forward", "1")
	s.Director.Sysctl("net.ipv6.conf.all.forwarding", "1")
	s.Director.Ipvsadm("-A", "-t", s.At(lab.HTTPPort), "-s", "rr")
	if f.mixed {
		s.mix()
	}
	for _, a := range s.Addrs {
		rs := netip.AddrPortFrom(a, lab.HTTPPort).String()
		s.Director.Ipvsadm(append([]string{"-a", "-t", s.At(lab.HTTPPort), "-r", rs}, f.adm...)...)
	}
	for _, h := range s.Servers {
		for _, dir := range []string{"/run/lvsdeck-realserver", "/var/lib/lvsdeck"} {
			h.Own(dir)
		}
		// A device that was ever up says so for ever, in its qdisc.
		for _, device := range []string{"tunl0", "gre0", "sit0", "ip6tnl0", "ip6gre0"} {
			h.Command("ip", "link", "set", device, "up")
			h.Command("ip", "link", "set", device, "down")
		}
		h.Sysctl("net.ipv4.conf.all.rp_filter", "1") // as distributions have it
		h.Command("iptables", "-S")                  // its own chains come with the first look
	}
	return s
}

// mix gives the way to the servers addresses of the other family, by which the
// director sends to them.
func (s *site) mix() {
	wan, lan, rest := "2001:db8:2::%x/64", "2001:db8:3::%x/64", "::/0"
	if s.v6 {
		wan, lan, rest = "203.0.113.%d/24", "10.0.3.%d/24", "0.0.0.0/0"
	}
	at := func(network string, n int) netip.Prefix { return netip.MustParsePrefix(fmt.Sprintf(network, n)) }
	s.Director.AddAddr("eth0", at(wan, 1).String())
	s.Router.AddAddr("eth1", at(wan, 254).String())
	s.Router.AddAddr("eth2", at(lan, 254).String())
	s.Director.AddRoute(rest, at(wan, 254).Addr().String())
	for i, h := range s.Servers {
		h.AddAddr("eth0", at(lan, 11+i).String())
		h.AddRoute(rest, at(lan, 254).Addr().String())
		s.Addrs[i] = at(lan, 11+i).Addr()
	}
}

func (s *site) director() netip.Addr {
	b := s.Addrs[0].AsSlice()
	b[len(b)-1] = 1
	a, _ := netip.AddrFromSlice(b)
	return a
}

func (s *site) wanted(i int) Want {
	w := Want{Mode: s.mode, Server: s.Addrs[i], Protocol: ipvs.TCP}
	if s.mode == setup.NAT {
		w.Gateway = s.director()
	} else {
		w.VIP = s.VIP
	}
	s.want(&w)
	return w
}

// kit writes a server's script, and gives how to call it.
func (s *site) kit(i int, shell string) func(h *lab.Host, words ...string) (string, int) {
	s.Helper()
	return s.kitOf(s.wanted(i), shell)
}

func (s *site) kitOf(w Want, shell string) func(h *lab.Host, words ...string) (string, int) {
	s.Helper()
	text, err := Script(w)
	if err != nil {
		s.Fatal(err)
	}
	file := filepath.Join(s.TempDir(), "kit.sh")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	return func(h *lab.Host, words ...string) (string, int) {
		return run(s.T, h, append(append(strings.Fields(shell), file), words...)...)
	}
}

// command is the program's for this form.
func (s *site) command() []string {
	args := []string{"lvsdeck", "realserver", string(s.mode), "--vip", s.VIP.String()}
	if s.mode == setup.NAT {
		args = []string{"lvsdeck", "realserver", "nat", "--gateway", s.director().String()}
	}
	if s.mixed {
		args = append(args, "--address", s.Addrs[1].String())
	}
	return append(args, s.flags...)
}

// native gives how to call the program.
func (s *site) native() func(h *lab.Host, words ...string) (string, int) {
	args := s.command()
	return func(h *lab.Host, words ...string) (string, int) { return run(s.T, h, append(args, words...)...) }
}

func run(t *testing.T, h *lab.Host, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := h.Start(cmd); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	return out.String(), cmd.ProcessState.ExitCode()
}

// expect calls and wants an exit status.
func (s *site) expect(code int, call func(*lab.Host, ...string) (string, int), h *lab.Host, words ...string) string {
	s.Helper()
	out, got := call(h, words...)
	if got != code {
		s.Fatalf("%s: exit status %d, want %d:\n%s", words, got, code, out)
	}
	return out
}

func (s *site) served() {
	s.Helper()
	answers, err := lab.Tally(4, func() (string, error) { return s.Client.HTTPGet(s.At(lab.HTTPPort)) })
	if err != nil || len(answers) != 2 {
		s.Fatalf("clients got %v, %v\n%s", answers, err, s.Director.Ipvsadm("-Lnc"))
	}
}

func (s *site) same(when, before, now string) {
	s.Helper()
	if d := lab.Difference(before, now); d != "" {
		s.Errorf("%s: the host differs:\n%s", when, d)
	}
}

// own is what kernels make of a host's addresses, or by chance.
var own = regexp.MustCompile(`fe80::[0-9a-f:]+|permaddr [0-9a-f:]+`)

// TestForms: one bare server gets what it needs by the script, the other, in a
// third of the forms, by the program, and clients are served by both. A second time
// changes nothing; script and program have changed the same; undo leaves no trace.
func TestForms(t *testing.T) {
	lab.Require(t)
	for n, f := range forms() {
		t.Run(f.String(), func(t *testing.T) {
			s := newSite(t, f)
			calls := []func(*lab.Host, ...string) (string, int){s.kit(0, f.shell())}
			if program := n%3 == 0; program {
				calls = append(calls, s.native())
			} else {
				s.expect(0, s.kit(1, f.shell()), s.Servers[1], "apply")
			}
			var bare, made, changed []string
			for i := range calls {
				h := s.Servers[i]
				bare = append(bare, h.State())
				s.expect(1, calls[i], h, "check")
				s.expect(0, calls[i], h, "apply")
			}
			if f.risky() && len(calls) > 1 {
				s.Servers[1].Command("lvsdeck", "confirm")
			}
			s.served()
			if f.risky() { // a login from the same network
				if way := s.Servers[0].Command("ip", "route", "get", s.Addrs[1].String(), "from", s.Addrs[0].String()); strings.Contains(way, " via ") {
					t.Errorf("a neighbour is answered by the director: %s", way)
				}
			}
			for i := range calls {
				h := s.Servers[i]
				made = append(made, h.State())
				changed = append(changed, own.ReplaceAllString(strings.ReplaceAll(lab.Difference(bare[i], made[i]), s.Addrs[i].String(), "RIP"), "OWN"))
				s.expect(0, calls[i], h, "check")
				s.expect(0, calls[i], h, "apply")
				s.same("applied twice", made[i], h.State())
				s.expect(0, calls[i], h, "undo")
				s.same("undone", bare[i], h.State())
			}
			if len(calls) > 1 && changed[0] != changed[1] {
				t.Errorf("the script changes\n%sthe program\n%s", changed[0], changed[1])
			}
		})
	}
}

// kitSite is one bare server for DR.
func kitSite(t *testing.T) (*site, *lab.Host) {
	s := newSite(t, form{setup.DR, lab.DR, false, nil, []string{"-g"}, func(*Want) {}, false})
	return s, s.Servers[0]
}

// TestScriptTakesBack: a step that fails takes back those before it, and a script
// that was killed anywhere can be undone, and can go on.
func TestScriptTakesBack(t *testing.T) {
	lab.Require(t)
	s, h := kitSite(t)
	bare := h.State()
	call := s.kit(0, "dash")

	h.Sysctl("net.ipv4.conf.eth0.arp_announce", "3") // counts for more than the 2 of all
	before := h.State()
	if out := s.expect(2, call, h, "apply"); !strings.Contains(out, "net.ipv4.conf.all.arp_announce = 2: it was done and has no effect") ||
		!strings.Contains(out, "all is as it was") {
		t.Errorf("it says\n%s", out)
	}
	s.same("a step failed", before, h.State())
	if out, code := run(t, h, "lvsdeck", "realserver", "dr", "--vip", s.VIP.String(), "apply"); code != 2 ||
		!strings.Contains(out, "net.ipv4.conf.eth0.arp_announce is 3, which counts for more") {
		t.Errorf("the program: %d\n%s", code, out)
	}
	s.same("the program refused", before, h.State())
	h.Sysctl("net.ipv4.conf.eth0.arp_announce", "0")

	script, err := Script(s.wanted(0))
	if err != nil {
		t.Fatal(err)
	}
	for at, then := range map[string]string{
		`echo "$2" >"$file"`: "undo", "ip addr add": "apply", // between writing down and doing
		`say "done`: "undo", // between two steps
	} {
		killed := filepath.Join(t.TempDir(), "killed.sh")
		text := strings.Replace(script, at, "kill -9 $$; exit; "+at, 1)
		if text == script {
			t.Fatalf("no %q in the script", at)
		}
		if err := os.WriteFile(killed, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, code := run(t, h, "dash", killed, "apply"); code != -1 {
			t.Errorf("not killed: %d\n%s", code, out)
		}
		s.expect(0, call, h, then)
		if then == "apply" {
			s.expect(0, call, h, "check")
			s.expect(0, call, h, "undo")
		}
		s.same("killed at "+at+", then "+then, bare, h.State())
	}
}

// TestScriptsShare: what two scripts want stays until both are undone, whichever
// comes first.
func TestScriptsShare(t *testing.T) {
	lab.Require(t)
	s, h := kitSite(t)
	bare := h.State()
	other := s.wanted(0)
	other.VIP = other.VIP.Prev()
	one, two := s.kit(0, "dash"), s.kitOf(other, "dash")
	program := func(vip netip.Addr) func(*lab.Host, ...string) (string, int) {
		return func(h *lab.Host, words ...string) (string, int) {
			return run(t, h, append([]string{"lvsdeck", "realserver", "dr", "--vip", vip.String()}, words...)...)
		}
	}
	for name, pair := range map[string][2]func(*lab.Host, ...string) (string, int){
		"first script first": {one, two}, "second script first": {two, one},
		"first plan first": {program(s.VIP), program(other.VIP)},
	} {
		s.expect(0, pair[0], h, "apply")
		s.expect(0, pair[1], h, "apply")
		s.expect(0, pair[0], h, "undo")
		s.expect(0, pair[1], h, "check")
		s.expect(0, pair[1], h, "undo")
		s.same(name, bare, h.State())
	}
}

// TestScriptWaits: unless it is confirmed all is taken back, though the one who
// called has hung up.
func TestScriptWaits(t *testing.T) {
	lab.Require(t)
	s, h := kitSite(t)
	bare := h.State()
	call := s.kit(0, "dash")
	s.expect(1, call, h, "confirm")
	s.expect(0, call, h, "apply", "1")
	s.takenBack(h, bare)
	s.expect(0, call, h, "apply", "600")
	s.expect(2, call, h, "apply", "600")
	s.expect(0, call, h, "confirm")
	s.expect(1, call, h, "confirm")
	s.expect(0, call, h, "check")
	s.expect(0, call, h, "undo")
	s.same("undone", bare, h.State())
}

// TestScriptWaitsForItsOwn: what was confirmed before stays when later work is
// taken back.
func TestScriptWaitsForItsOwn(t *testing.T) {
	lab.Require(t)
	s, h := kitSite(t)
	call := s.kit(0, "dash")
	s.expect(0, call, h, "apply")
	h.Sysctl("net.ipv4.conf.all.arp_announce", "0")
	drifted := h.State()
	s.expect(0, call, h, "apply", "1")
	s.expect(0, call, h, "check")
	s.takenBack(h, drifted)
	s.expect(1, call, h, "confirm")
}

// takenBack waits until a host is as it was.
func (s *site) takenBack(h *lab.Host, before string) {
	s.Helper()
	lab.Wait(s.T, "all to be taken back", func() error {
		if now := h.State(); now != before {
			return fmt.Errorf("the host differs:\n%s", lab.Difference(before, now))
		}
		return nil
	})
}

// TestScriptStuck: neither a terminal that takes no more nor an apply that has
// stopped keeps others from the way back. What is half done cannot be confirmed.
func TestScriptStuck(t *testing.T) {
	lab.Require(t)
	s, h := kitSite(t)
	bare := h.State()
	call := s.kit(0, "dash")
	text, err := Script(s.wanted(0))
	if err != nil {
		t.Fatal(err)
	}
	start := func(text string, out *os.File, words ...string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "kit.sh")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("dash", append([]string{file}, words...)...)
		cmd.Stdout = out
		if err := h.Start(cmd); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	}

	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	for n := 1 << 12; n > 0; n /= 2 { // until not a byte fits in
		for err = nil; err == nil; _, err = w.Write(make([]byte, n)) {
			_ = w.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
		}
	}
	start(text, w, "apply", "600")
	lab.Wait(t, "the terminal to stall", func() error {
		if out, code := call(h, "confirm"); code != 0 {
			return fmt.Errorf("confirm: %s", out)
		}
		return nil
	})
	s.expect(0, call, h, "check")
	s.expect(0, call, h, "undo")
	s.same("undone", bare, h.State())

	const step = `say "done`
	stopped := strings.Replace(text, step, "kill -STOP $$; "+step, 1)
	if stopped == text {
		t.Fatalf("no %q in the script", step)
	}
	start(stopped, nil, "apply", "1")
	lab.Wait(t, "the first step", func() error {
		if h.State() == bare {
			return fmt.Errorf("nothing was done")
		}
		return nil
	})
	for _, word := range []string{"confirm", "undo"} {
		if out := s.expect(2, call, h, word); !strings.Contains(out, "another script is at it") {
			t.Errorf("%s: %s", word, out)
		}
	}
	s.takenBack(h, bare)
	s.expect(1, call, h, "confirm")
}

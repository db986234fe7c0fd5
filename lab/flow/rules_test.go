package flow

import (
	"bufio"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lvsdeck/lab"
	"lvsdeck/persist"
)

// ran is what a program on the director wrote, on both outputs, and how it ended.
type ran struct {
	text string
	code int
}

func command(t *testing.T, on *lab.Host, stdin, name string, args ...string) ran {
	t.Helper()
	return runAs(t, on, stdin, exec.Command(name, args...))
}

func runAs(t *testing.T, on *lab.Host, stdin string, cmd *exec.Cmd) ran {
	t.Helper()
	cmd.Stdin = strings.NewReader(stdin)
	var out []byte
	var err error
	on.Do(func() { out, err = cmd.CombinedOutput() })
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return ran{string(out), cmd.ProcessState.ExitCode()}
}

// ends checks how a program ended and what it said.
func (r ran) ends(t *testing.T, what string, code int, says ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("%s: exit status %d, want %d, said\n%s", what, r.code, code, r.text)
	}
	for _, s := range says {
		if !strings.Contains(r.text, s) {
			t.Errorf("%s: want %q in\n%s", what, s, r.text)
		}
	}
}

// everything is a table that uses the whole language, but for weights that
// ipvsadm cannot say.
const everything = `-A -t 203.0.113.20:80 -s wlc -p 600 -M 255.255.255.0
-a -t 203.0.113.20:80 -r 10.0.3.21:8080 -m -w 100 -x 900 -y 800
-a -t 203.0.113.20:80 -r 10.0.3.22:80 -m -w 0
-A -u 203.0.113.20:53 -s rr -o
-a -u 203.0.113.20:53 -r 10.0.3.21:53 -g -w 1
-A --sctp-service 203.0.113.20:5060 -s sh -b sh-fallback,sh-port
-A -t [2001:db8::20]:443 -s mh -b mh-port
-a -t [2001:db8::20]:443 -r [2001:db8::21]:443 -g -w 7
-A -f 7 -s rr
-a -f 7 -r 10.0.3.23:0 -i -w 2 --tun-type gue --tun-port 6080 --tun-csum
-a -f 7 -r 10.0.3.24:0 -i -w 2 --tun-type gre --tun-nocsum
-a -f 7 -r 10.0.3.25:0 -i -w 2 --tun-type ipip
-A -f 8 -6 -s wrr
`

// judged is the table by all that ipvsadm shows of its settings.
func judged(d *lab.Host) string {
	return d.Ipvsadm("-Sn") + d.Ipvsadm("-Ln", "--thresholds") + d.Ipvsadm("-L", "--timeout")
}

// TestRulesRoundTrip: what we save, ipvsadm restores, and the other way round,
// to the same table.
func TestRulesRoundTrip(t *testing.T) {
	lab.Require(t)
	d := lab.Director(t, lab.NAT, 0, false).Director
	lvsdeck := func(stdin string, args ...string) ran { return command(t, d, stdin, "lvsdeck", args...) }
	same := func(what, want string) {
		t.Helper()
		if got := judged(d); got != want {
			t.Errorf("%s: ipvsadm shows\n%s\nand before\n%s", what, got, want)
		}
	}
	command(t, d, everything, "ipvsadm", "-R").ends(t, "ipvsadm -R", 0)
	d.Ipvsadm("--set", "800", "100", "250")
	want := judged(d)
	file := filepath.Join(t.TempDir(), "rules")

	lvsdeck("", "save", file).ends(t, "save", 0, "saved 6 services, 7 servers to "+file+"\n")
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file: %v, %v", info, err)
	}
	lvsdeck("", "diff", file).ends(t, "diff of equals", 0)
	lvsdeck("", "restore", file).ends(t, "restore of equals", 0, "nothing to do")
	same("restored what is so", want)

	d.Ipvsadm("-D", "-t", "203.0.113.20:80")
	d.Ipvsadm("-e", "-u", "203.0.113.20:53", "-r", "10.0.3.21:53", "-g", "-w", "0")
	d.Ipvsadm("-A", "-t", "203.0.113.20:8080")
	d.Ipvsadm("--set", "700", "0", "0")
	moved := judged(d)
	lvsdeck("", "diff", file).ends(t, "diff", 1, "+ add TCP 203.0.113.20:80: wlc", "~ undrain 10.0.3.21:53", "- remove TCP 203.0.113.20:8080", "tcp 700 to 800")
	lvsdeck("", "restore", "--dry-run", file).ends(t, "dry run", 0, "    ipvsadm -D -t 203.0.113.20:8080")
	same("a dry run", moved)
	lvsdeck("", "restore", file).ends(t, "restore", 0, "restored "+file)
	same("restored", want)
	lvsdeck("", "diff", file).ends(t, "diff after", 0)

	ours, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d.Ipvsadm("-C")
	d.Ipvsadm("--set", "900", "120", "300")
	command(t, d, string(ours), "ipvsadm", "-R").ends(t, "ipvsadm -R of ours", 0)
	same("ours restored by ipvsadm", want)

	theirs := d.Ipvsadm("-Sn")
	d.Ipvsadm("-C")
	lvsdeck(theirs, "restore", "-").ends(t, "restore of theirs", 0, "restored standard input")
	if got := d.Ipvsadm("-Sn"); got != theirs {
		t.Errorf("theirs restored by us:\n%s\nwant\n%s", got, theirs)
	}
	printed := lvsdeck("", "save", "-")
	lvsdeck(printed.text, "restore", "-").ends(t, "restore of what was printed", 0, "nothing to do")
}

// TestWhatIpvsadmLosesSurvives: marks from 2³¹, flag-3 and large weights.
func TestWhatIpvsadmLosesSurvives(t *testing.T) {
	lab.Require(t)
	d := lab.Director(t, lab.NAT, 0, false).Director
	const rules = "--set 900 120 300\n-A -f 4000000000 -s sh -b sh-fallback,flag-3\n-a -f 4000000000 -r 10.0.3.21:0 -g -w 2000000000 -x 9 -y 8\n"
	command(t, d, rules, "lvsdeck", "restore", "-").ends(t, "restore", 0)
	if got := command(t, d, "", "lvsdeck", "save", "-"); got.text != rules {
		t.Errorf("saved\n%s\nwant\n%s", got.text, rules)
	}
	command(t, d, rules, "lvsdeck", "diff", "-").ends(t, "diff", 0)
}

// TestRestoreTouchesOnlyWhatDiffers: a connection lives on and counters keep
// counting while other rows are restored around them.
func TestRestoreTouchesOnlyWhatDiffers(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 2, false)
	serve(s, "-t", lab.TCPPort, "1", "1")
	at := s.At(lab.TCPPort)
	saved := command(t, s.Director, "", "lvsdeck", "save", "-").text

	held, err := s.Client.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	answers := bufio.NewReader(held)
	echo := func(want string) {
		t.Helper()
		if got, err := answers.ReadString('\n'); err != nil || got != want {
			t.Fatalf("the connection answers %q, %v; want %q", got, err, want)
		}
	}
	greeting, err := answers.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	counted := func() error {
		words := strings.Fields(ruleLine(s.Director.Ipvsadm("-Ln", "--stats", "--exact"), at))
		if len(words) < 3 || words[2] != "1" {
			return errors.New("ipvsadm counts " + strings.Join(words, " "))
		}
		return nil
	}
	lab.Wait(t, "one connection", counted)

	other := 0 // the server without the connection
	if strings.TrimSpace(greeting) == s.Servers[0].Name {
		other = 1
	}
	from := netip.AddrPortFrom(s.Addrs[other], lab.TCPPort).String()
	changed := strings.Replace(saved, from+" -m -w 1", from+" -m -w 50", 1) + "-A -f 7 -s rr\n"
	command(t, s.Director, changed, "lvsdeck", "restore", "-").ends(t, "restore", 0, "1 added, 1 changed, 0 removed")
	if _, err := held.Write([]byte("still here\n")); err != nil {
		t.Fatal(err)
	}
	echo("still here\n")
	if err := counted(); err != nil {
		t.Error(err)
	}
	command(t, s.Director, saved, "lvsdeck", "restore", "-").ends(t, "and back", 0, "0 added, 1 changed, 1 removed")
	if _, err := held.Write([]byte("and now\n")); err != nil {
		t.Fatal(err)
	}
	echo("and now\n")
	if err := counted(); err != nil {
		t.Error(err)
	}
}

// TestRefusedRestores change nothing: a file with a mistake, rules that the
// kernel refuses midway, nobody's wish.
func TestRefusedRestores(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 1, false)
	d := s.Director
	serve(s, "-t", lab.HTTPPort, "1")
	before := d.Ipvsadm("-Sn")
	restore := func(rules string) ran { return command(t, d, rules, "lvsdeck", "restore", "-") }

	restore("-A -f 7\n-a -f 7 -r 10.0.0.1 -m -w much\n").ends(t, "a mistake", 2, "standard input:2:27: weight much: ")
	restore("-A -f 7\n-A -f 8 -s nosuch\n").ends(t, "an unknown scheduler", 2, "step 2 of 3", "all of it was taken back")
	asked := exec.Command("lvsdeck", "restore", "-")
	asNobody(asked)
	runAs(t, d, "-A -f 7\n", asked).ends(t, "nobody", 2, "run as root")
	if got := d.Ipvsadm("-Sn"); got != before {
		t.Errorf("the table was\n%s\nand is\n%s", before, got)
	}
}

// TestBackToASnapshot goes back to the rules before a restore.
func TestBackToASnapshot(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 1, false)
	d := s.Director
	serve(s, "-t", lab.HTTPPort, "1")
	before := d.Ipvsadm("-Sn")
	command(t, d, "-A -f 7\n", "lvsdeck", "restore", "-").ends(t, "restore", 0)
	list := command(t, d, "", "lvsdeck", "snapshots")
	list.ends(t, "snapshots", 0, "restore standard input")
	newest := strings.Fields(strings.Split(list.text, "\n")[1]) // date, time, ID
	command(t, d, "", "lvsdeck", "restore", "--snapshot", newest[2]).ends(t, "back", 0, "2 added, 0 changed, 1 removed")
	if got := d.Ipvsadm("-Sn"); got != before {
		t.Errorf("went back to\n%s\nbefore it was\n%s", got, before)
	}
}

// TestKeepFromTheConsole saves, sees what ipvsadm changed, and loads.
func TestKeepFromTheConsole(t *testing.T) {
	lab.Require(t)
	s := lab.Director(t, lab.NAT, 1, false)
	serve(s, "-t", lab.HTTPPort, "1")
	before := s.Director.Ipvsadm("-Sn")
	file := persist.RulesFile()
	t.Cleanup(func() { os.Remove(file) })

	c := open(t, s.Director, nil)
	c.waitText(s.At(lab.HTTPPort), "unsaved")
	c.press("R")
	c.waitText("Nothing was saved yet")
	c.press("s" + enter)
	c.waitText("saved 1 service, 1 server to "+file, "Running and saved are the same")
	s.Director.Ipvsadm("-D", "-t", s.At(lab.HTTPPort))
	c.press("qR") // the screen compares anew when it is opened
	c.waitText("+ add TCP "+s.At(lab.HTTPPort), "unsaved")
	c.press("l")
	c.waitText("restore "+file, "do it")
	c.press(enter)
	c.waitText("Running and saved are the same")
	c.judge(s, strings.Split(strings.TrimSpace(before), "\n")...)
	c.press("qq")
	c.ended(0)
}

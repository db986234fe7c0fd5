package ipvsadm

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/kernel"
	"lvsdeck/lab"
	"lvsdeck/persist/adm"
)

// outcome is what a program did.
type outcome struct {
	code     int // -1: a signal ended it
	out, err string
}

func (o outcome) String() string { return fmt.Sprintf("exit %d\n%s%s", o.code, o.out, o.err) }

// twins are two hosts that differ in nothing but whose ipvsadm changes them.
type twins struct {
	*testing.T
	theirs, ours         *lab.Host
	theirTable, ourTable ipvs.Table
	lines, announced     int // compared, and of these with an exception
}

func newTwins(t *testing.T) *twins {
	lab.Require(t)
	lab.Modprobe(t, "ip_vs", "dummy")
	knowHosts(t)
	n := lab.New(t)
	tw := &twins{T: t, theirs: n.Host("theirs"), ours: n.Host("ours")}
	for host, table := range map[*lab.Host]*ipvs.Table{tw.theirs: &tw.theirTable, tw.ours: &tw.ourTable} {
		host.Do(func() {
			link := &netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Name: "eth0", HardwareAddr: net.HardwareAddr{2, 0, 0, 0, 0, 1}}}
			if err := netlink.LinkAdd(link); err != nil {
				t.Fatal(err)
			}
			client, err := kernel.Open(t.Context(), kernel.Options{})
			if err != nil {
				t.Fatal(err)
			}
			*table = client
			t.Cleanup(func() { client.Close() })
		})
		host.Up("eth0")
		host.AddAddr("eth0", "10.0.0.250/24")
		// From Linux 7.1 on the first service gives a table its size, for good.
		host.Ipvsadm("-A", "-f", "1")
		host.Ipvsadm("-D", "-f", "1")
	}
	return tw
}

// knowHosts gives the machine names for the twins to look up. Go looks into the
// file again only after some seconds, so all tests share one content.
func knowHosts(t *testing.T) {
	const hosts = `127.0.0.1 localhost
::1 localhost
10.3.0.1 short.example alias.example
10.3.0.2 longest.example.with-a-name-longer-than-columns
10.3.0.3 exactly-28-characters.columns
2001:db8::77 six.example
2001:db8::78 longest6.example.with-a-name-longer-than-columns
10.3.0.4 a-name-of-more-than-fifty-nine-characters.which-they-cut.example
`
	if err := os.WriteFile("/etc/hosts", []byte(hosts), 0o644); err != nil {
		t.Fatal(err)
	}
}

// kept is a table that a run of the program does not close.
type kept struct{ ipvs.Table }

func (kept) Close() error { return nil }

// run lets both programs carry one command line out. The kernel's own order is
// another in each namespace, so there both look at the same table.
func (tw *twins) run(args []string, stdin string) (theirs, ours outcome) {
	tw.theirs.Do(func() { theirs = execute(tw.T, args, stdin) })
	if slices.Contains(args, "--nosort") {
		tw.theirs.Do(func() { ours = imitate(tw.Context(), tw.theirTable, args, stdin) })
		return theirs, ours
	}
	tw.ours.Do(func() { ours = imitate(tw.Context(), tw.ourTable, args, stdin) })
	return theirs, ours
}

func execute(t *testing.T, args []string, stdin string) outcome {
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	if failed := cmd.Run(); cmd.ProcessState == nil {
		t.Fatalf("%q: %v", args, failed)
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String(), err.String()}
}

func imitate(ctx context.Context, table ipvs.Table, args []string, stdin string) outcome {
	var out, err bytes.Buffer
	code := Main(ctx, args, World{
		In: strings.NewReader(stdin), Out: &out, Err: &err,
		Open:        func(context.Context) (ipvs.Table, error) { return kept{table}, nil },
		Connections: func() (io.ReadCloser, error) { return os.Open("/proc/thread-self/net/ip_vs_conn") },
		Names:       SystemNames(ctx),
	})
	return outcome{code, out.String(), err.String()}
}

// reset empties both tables.
func (tw *twins) reset() {
	for _, table := range []ipvs.Table{tw.theirTable, tw.ourTable} {
		check := func(err error) {
			if err != nil {
				tw.Fatal(err)
			}
		}
		check(table.Flush(tw.Context()))
		check(table.SetTimeouts(tw.Context(), ipvs.Timeouts{TCP: 900, TCPFin: 120, UDP: 300}))
		daemons, err := table.Daemons(tw.Context())
		check(err)
		for _, d := range daemons {
			check(table.StopDaemon(tw.Context(), d))
		}
	}
}

// state writes down all that a table was told.
func state(t *testing.T, table ipvs.Table) string {
	var b strings.Builder
	var f adm.Format
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	o, err := table.Overview(t.Context())
	must(err)
	slices.SortFunc(o.Services, func(a, b ipvs.Entry) int { return a.ServiceID.Compare(b.ServiceID) })
	for _, e := range o.Services {
		fmt.Fprintf(&b, "%s %+v\n", f.Service(e.Service), e.Persistence)
		servers, err := table.Servers(t.Context(), e.ServiceID)
		must(err)
		slices.SortFunc(servers, func(a, b ipvs.ServerState) int { return a.Addr.Compare(b.Addr) })
		for _, s := range servers {
			fmt.Fprintf(&b, "%s %+v\n", f.Server(e.ServiceID, s.Server), s.Tunnel)
		}
	}
	timeouts, err := table.Timeouts(t.Context())
	must(err)
	daemons, err := table.Daemons(t.Context())
	must(err)
	slices.SortFunc(daemons, func(a, b ipvs.Daemon) int { return int(a.Role) - int(b.Role) })
	fmt.Fprintf(&b, "%+v %+v\n", timeouts, daemons)
	return b.String()
}

// compare runs a line and compares, with what an announced exception makes of
// the difference. One that is no difference any more fails, too.
func (tw *twins) compare(where, exception string, args []string, stdin string) {
	tw.lines++
	theirs, ours := tw.run(args, stdin)
	adjusted, different := theirs, theirs != ours
	if exception != "" {
		tw.announced++
		adjust, known := exceptions[exception]
		if !known {
			tw.Fatalf("%s: no exception %q", where, exception)
		}
		adjusted = adjust(theirs, &ours)
	}
	if adjusted != ours {
		tw.Errorf("%s: %q\nthey: %v\nwe:   %v", where, args, theirs, ours)
	}
	a, b := state(tw.T, tw.theirTable), state(tw.T, tw.ourTable)
	if (a != b) != divergent[exception] {
		tw.Errorf("%s: %q: tables\nthey:\n%swe:\n%s", where, args, a, b)
	}
	if exception != "" && !different && a == b {
		tw.Errorf("%s: there is no difference any more", where)
	}
	if a != b {
		tw.reset()
	}
}

// judge compares both tables through the eyes of the real program.
func (tw *twins) judge(where string) {
	for _, args := range [][]string{{"-Sn"}, {"-Ln", "--thresholds"}, {"-L", "--timeout"}, {"-L", "--daemon"}} {
		if a, b := tw.theirs.Ipvsadm(args...), tw.ours.Ipvsadm(args...); sorted(a) != sorted(b) {
			tw.Errorf("%s: %q shows\nfor them:\n%sfor us:\n%s", where, args, a, b)
		}
	}
}

// TestTwins runs the lines of testdata/twin. Each is an ipvsadm command line
// in shell quotes; "~name " before it announces an exception; " << " after it
// brings standard input with \n, \r and \t; "!" begins the name of another
// program to compare.
func TestTwins(t *testing.T) {
	tw := newTwins(t)
	files, err := filepath.Glob("testdata/twin/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no lines to compare: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tw.reset()
		n := 0
		for line := range strings.Lines(string(text)) {
			n++
			if line = strings.TrimRight(line, "\n"); line == "" || line[0] == '#' {
				continue
			}
			where := fmt.Sprintf("%s:%d: %s", filepath.Base(file), n, line)
			exception := ""
			if line[0] == '~' {
				exception, line, _ = strings.Cut(line[1:], " ")
			}
			line, stdin, _ := strings.Cut(line, " << ")
			args := append([]string{"ipvsadm"}, words(line)...)
			if strings.HasPrefix(line, "!") {
				args = words(line[1:])
			}
			tw.compare(where, exception, args, unescape.Replace(stdin))
		}
		tw.judge(filepath.Base(file))
	}
	t.Logf("%d lines, %d of them with an announced difference", tw.lines, tw.announced)
}

// TestTwinsOnEveryOption gives every command every option, and every two
// neighbouring options to a command that takes none, which shows the order in
// which they are judged.
func TestTwinsOnEveryOption(t *testing.T) {
	tw := newTwins(t)
	commands := []string{
		"-A -u 1.2.3.4:80", "-E -u 1.2.3.4:80", "-D -u 1.2.3.4:80", "-C", "-L -n",
		"-a -u 1.2.3.4:80 -r 10.0.0.1 -i", "-e -u 1.2.3.4:80 -r 10.0.0.1", "-d -u 1.2.3.4:80 -r 10.0.0.1",
		"--set 1 2 3", "--start-daemon backup", "--stop-daemon backup", "-R", "-S -n", "-Z",
	}
	opts := []string{
		"-n", "-c", "-t 1.2.3.4:80", "-s rr", "-p", "-M 255.255.255.0", "-r 10.0.0.1", "-g", "-w 5", "-x 5", "-y 0",
		"--mcast-interface eth0", "--timeout", "--daemon", "--stats", "--rate", "--thresholds", "--persistent-conn",
		"--nosort", "--sort", "--syncid 5", "-X", "-o", "--pe sip", "-b flag-1", "--mcast-group 224.0.0.81",
		"--mcast-port 8848", "--mcast-ttl 1", "--sync-maxlen 1000", "--tun-info", "--tun-type ipip", "--tun-port 5",
		"--tun-nocsum", "--tun-csum", "--tun-remcsum", "-f 1 -6", "-6", "-A", "--bogus", "word",
	}
	try := func(line string) { tw.compare(line, "", append([]string{"ipvsadm"}, words(line)...), "") }
	for _, c := range commands {
		for _, o := range opts {
			try(c + " " + o)
		}
	}
	for i := range opts[1:] {
		try("-C " + opts[i+1] + " " + opts[i])
		try("-L -n " + opts[i+1] + " " + opts[i])
		try("-a -t 1.2.3.4:80 " + opts[i+1] + " " + opts[i])
	}
	tw.judge("at the end")
	t.Logf("%d lines", tw.lines)
}

var unescape = strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\t`, "\t")

// words splits at blanks outside single quotes, which may hold nothing.
func words(line string) []string {
	var all []string
	var word strings.Builder
	begun, quoted := false, false
	for _, r := range line + " " {
		switch {
		case r == '\'':
			begun, quoted = true, !quoted
		case r == ' ' && !quoted:
			if begun {
				all = append(all, word.String())
			}
			word.Reset()
			begun = false
		default:
			begun = true
			word.WriteRune(r)
		}
	}
	return all
}

func sorted(text string) string {
	lines := strings.SplitAfter(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "")
}

package adm

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"lvsdeck/ipvs"
	"lvsdeck/ipvs/check"
	"lvsdeck/persist/adm/admtest"
)

func written(t testing.TB, r ipvs.Rules) string {
	t.Helper()
	var b strings.Builder
	if err := WriteRules(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	for seed := range uint64(3000) {
		want := admtest.Rules(seed)
		if problems := check.OfRules(want); len(problems) > 0 {
			t.Fatalf("seed %d: the generator made something illegal: %v", seed, problems)
		}
		text := written(t, want)
		got, err := ReadRules(strings.NewReader(text))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: read back\n%+v, want\n%+v\n%s", seed, got, want, text)
		}
		if again := written(t, got); again != text {
			t.Fatalf("seed %d: written again\n%s, want\n%s", seed, again, text)
		}
	}
}

// The golden text of ipvsadm -Sn, with what our form adds.
const golden = `--set 900 120 300
--start-daemon master --mcast-interface eth0 --syncid 3
-A -t 192.0.2.9:80 -s mh -b mh-fallback,mh-port
-a -t 192.0.2.9:80 -r 192.168.100.101:8080 -m -w 65535
-A -t 192.0.2.10:443 -s wlc -p 360 -M 255.255.255.0
-a -t 192.0.2.10:443 -r 10.0.0.2:443 -g -w 1 -x 100 -y 75
-a -t 192.0.2.10:443 -r 10.0.0.3:443 -i -w 5 --tun-type gue --tun-port 6080 --tun-csum
-a -t 192.0.2.10:443 -r 10.0.0.4:443 -i -w 5 --tun-type gre --tun-nocsum
-A -u 192.0.2.10:53 -s rr -o
-A -u 192.0.2.10:5060 -s rr -p 300 --pe sip -o
-A --sctp-service 192.0.2.9:3868 -s wrr -b flag-1,flag-3
-A -t [2001:db8::80]:80 -s rr
-a -t [2001:db8::80]:80 -r [2001:db8::a0a0]:8080 -m -w 100
-A -f 1 -s rr -b flag-3
-a -f 1 -r 10.0.0.1:0 -m -w 1
-A -f 3000000000 -s sh -b flag-3
-A -f 7 -6 -s sh -p 50 -M 64 -b sh-fallback
-a -f 7 -6 -r [2001:db8::a0a0]:8080 -m -w 2147483647
`

func TestGoldenRules(t *testing.T) {
	rules, err := ReadRules(strings.NewReader(golden))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(written(t, rules), "\n")
	for _, line := range strings.Split(golden, "\n") {
		found := false
		for _, g := range got {
			found = found || g == line
		}
		if !found {
			t.Errorf("not written: %s", line)
		}
	}
	if len(got) != strings.Count(golden, "\n")+1 {
		t.Errorf("%d lines, want %d:\n%s", len(got), strings.Count(golden, "\n")+1, strings.Join(got, "\n"))
	}
}

func TestFilesAsPeopleWriteThem(t *testing.T) {
	text := "# our site\r\n\r\n   ipvsadm -C # from scratch\r\n" +
		"sudo /sbin/ipvsadm --add-service --tcp-service=192.0.2.1:80 -s wrr\r\n" +
		"\t/usr/sbin/ipvsadm -a -t 192.0.2.1:80 -r 10.0.0.1 -mw5   #the big one\n" +
		"-a -t 192.0.2.1:80 -r 10.0.0.2:8080 -m   "
	rules, err := ReadRules(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := "-A -t 192.0.2.1:80 -s wrr\n" +
		"-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 5\n" +
		"-a -t 192.0.2.1:80 -r 10.0.0.2:8080 -m -w 1\n"
	if got := written(t, rules); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

func TestMistakesAreTold(t *testing.T) {
	const service = "-A -t 192.0.2.1:80\n"
	const mixed = "-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r [2001:db8::1]:80 -i\n"
	for name, c := range map[string]struct{ text, want string }{
		"weight":      {service + "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -w -5", "rules:2:38: weight -5: must be 0 to 2147483647"},
		"no value":    {"-A -t 192.0.2.1:80 -s", "rules:1:22: -s: missing argument"},
		"option":      {"-A -t 192.0.2.1:80 --bogus", "rules:1:20: --bogus: unknown option"},
		"no command":  {"hello world", "rules:1:1: hello: a line must begin with a command such as -A or -a"},
		"no rule":     {service + "  ipvsadm -L -n", "rules:2:11: -L: is not a rule; a file of rules has only -A, -a, --set and --start-daemon"},
		"edit":        {"-E -t 192.0.2.1:80", "rules:1:1: -E: is not a rule; a file of rules has only -A, -a, --set and --start-daemon"},
		"late clear":  {service + "-C", "rules:2:1: -C: would drop the rules before it; it may stand only at the start"},
		"twice":       {service + service, "rules:2:7: service 192.0.2.1:80: must be there only once"},
		"orphan":      {"-a -f 7 -r 10.0.0.1 -m\n-A -f 7\n", "rules:1:7: service 7: must be added (-A) before its servers"},
		"server":      {service + strings.Repeat("-a -t 192.0.2.1:80 -r 10.0.0.1 -m\n", 2), "rules:3:23: real server 10.0.0.1:80: must be there only once in its service"},
		"order":       {service + "-a -r 10.0.0.1 -t 192.0.2.1:80 -m\n", "rules:2:7: real server 10.0.0.1: needs a port, or to stand after its service"},
		"mask":        {"-A -t 192.0.2.1:80 -p -M 24", "rules:1:26: mask 24: must be a mask such as 255.255.255.0"},
		"mask first":  {"-A -M 255.255.255.0 -t [2001:db8::1]:80 -p", "rules:1:7: mask: -M belongs after the IPv6 service"},
		"prefix":      {"-A -t [2001:db8::1]:80 -p -M 129", "rules:1:30: mask 129: must be a prefix length of 1 to 128"},
		"address":     {"-A -t 10.1:80", "rules:1:7: service 10.1:80: must be an address and port such as 192.0.2.1:80 or [2001:db8::1]:80"},
		"name":        {"-A -t localhost:http", "rules:1:7: service localhost:http: must be an address and port such as 192.0.2.1:80 or [2001:db8::1]:80"},
		"lost port":   {"-A -t [192.0.2.1]:80", "rules:1:7: service [192.0.2.1]:80: must be an address and port such as 192.0.2.1:80 or [2001:db8::1]:80"},
		"scheduler":   {"-A -t 192.0.2.1:80 -s weighted-round-robin", "rules:1:23: scheduler weighted-round-robin: must be of letters, digits and _ . -, at most 15"},
		"flags":       {"-A -t 192.0.2.1:80 -b sh-port", "rules:1:23: scheduler flags sh-port: only for scheduler sh (-s sh)"},
		"threshold":   {service + "-a -t 192.0.2.1:80 -r 10.0.0.1 -x 5 -y 6", "rules:2:40: lower threshold 6: must not be above the upper threshold, 5"},
		"multicast":   {service + "-a -t 192.0.2.1:80 -r 224.0.0.1", "rules:2:23: real server 224.0.0.1: must be one host's address, not link-local"},
		"family":      {service + "-a -t 192.0.2.1:80 -r [2001:db8::1]:80", "rules:2:23: real server 2001:db8::1: must be IPv4 as its service is: families may differ only in tunnels"},
		"sync":        {mixed + "--start-daemon master", "rules:2:23: real server 2001:db8::1: must be IPv4 as its service is: families may not differ beside a sync daemon"},
		"GUE":         {service + "-a -t 192.0.2.1:80 -r 10.0.0.1 -i --tun-type gue", "rules:2:46: 'gue' tunnel type: needs --tun-port"},
		"ipip":        {service + "-a -t 192.0.2.1:80 -r 10.0.0.1 -i --tun-csum", "rules:2:35: --tun-csum: does not go with the 'ipip' tunnel type"},
		"both":        {service + "-a -t 192.0.2.1:80 -r 10.0.0.1 -i --tun-type gre --tun-csum --tun-nocsum", "rules:2:50: --tun-csum: excludes --tun-nocsum in the 'gre' tunnel type"},
		"no service":  {"-A -s rr", "rules:1:1: 'add-service' command: needs a service (-t, -u, --sctp-service or -f)"},
		"of listings": {"-A --stats -t 192.0.2.1:80", "rules:1:4: --stats: does not go with the 'add-service' command"},
		"given twice": {"-A -t 192.0.2.1:80 -s rr --scheduler wrr", "rules:1:38: scheduler: given twice"},
		"no tunnel":   {service + "-a -t 192.0.2.1:80 -r 10.0.0.1 -m --tun-csum", "rules:2:32: forwarding method: tunnel options need a tunnel (-i)"},
		"timeouts":    {"--set 900 120", "rules:1:14: timeout: needs three numbers of seconds: tcp tcpfin udp"},
		"set twice":   {"--set 1 2 3\n--set 1 2 3", "rules:2:1: timeout: must be set only once"},
		"daemon":      {"--start-daemon standby", "rules:1:16: sync daemon standby: must be master or backup"},
		"daemons":     {"--start-daemon backup\n--start-daemon backup", "rules:2:16: sync daemon backup: must be there only once of each role"},
		"interface":   {"--start-daemon backup --mcast-interface an/interface", "rules:1:41: multicast interface an/interface: must be an interface's name of 1 to 15 characters"},
		"odd letters": {"-A -t \x1b[2J:80", "rules:1:7: service \"\\x1b[2J:80\": must be an address and port such as 192.0.2.1:80 or [2001:db8::1]:80"},
		"long line":   {service + strings.Repeat("x", maxLine), "rules:2:1: line: too long for a rule"},
	} {
		t.Run(name, func(t *testing.T) {
			rules, err := ReadRules(strings.NewReader(c.text))
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if !reflect.DeepEqual(rules, ipvs.Rules{}) {
				t.Errorf("rules are given although something is wrong: %+v", rules)
			}
		})
	}
}

// TestOddIsTold: what the kernel takes and nobody should ask for is read, told at
// its place, and written as it is.
func TestOddIsTold(t *testing.T) {
	const service = "-A -t 192.0.2.1:80 -s wlc\n"
	for text, want := range map[string]string{
		service + "-a -t 192.0.2.1:80 -r 10.0.0.1:81 -g -w 1\n": "rules:2:23: real server's port 81: must be the service's, 80: DR and TUN do not change ports",
		"-A -t 192.0.2.1:0 -s wlc\n":                            "rules:1:7: port 0: must be 1 to 65535; 0, which is every port, needs persistence",
		"-A -t 192.0.2.1:80 -s wlc -o\n":                        "rules:1:27: one-packet: only for UDP and firewall mark services",
		"-A -t 192.0.2.1:80 -s wlc -p 0\n":                      "rules:1:30: persistence 0: must be 1 to 2678400 seconds (31 days)",
		"-A -t 192.0.2.1:80 -s wlc -p 2678401\n":                "rules:1:30: persistence 2678401: must be 1 to 2678400 seconds (31 days)",
		"-A -t [::ffff:192.0.2.1]:80 -s wlc\n":                  "rules:1:7: service ::ffff:192.0.2.1: must be an IPv4 or IPv6 address, not one as the other",
		"--set 900 2678401 300\n":                               "rules:1:11: timeout 2678401: must be 0 to 2678400 seconds (31 days)",
	} {
		rules, odd, err := ReadOdd(strings.NewReader(text))
		if err != nil || len(odd) != 1 || odd.Error() != want {
			t.Errorf("%s: odd is %v, %v; want %s", text, odd, err, want)
		}
		if got := written(t, rules); got != text {
			t.Errorf("read %s, written again %s", text, got)
		}
		if _, _, err := ReadOdd(strings.NewReader(text + "nonsense\n")); err == nil || !strings.HasPrefix(err.Error(), want+"\nrules:") {
			t.Errorf("beside a mistake: %v", err)
		}
	}
}

func TestAllMistakesInOrder(t *testing.T) {
	_, err := ReadRules(strings.NewReader("-A -t 192.0.2.1:0\n-A -t bad\n-a -f 1 -r 10.0.0.1 -m -w 70000\n"))
	want := "rules:1:7: port 0: must be 1 to 65535; 0, which is every port, needs persistence\n" +
		"rules:2:7: service bad: must be an address and port such as 192.0.2.1:80 or [2001:db8::1]:80\n" +
		"rules:3:7: service 1: must be added (-A) before its servers"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	_, err = ReadRules(strings.NewReader(strings.Repeat("x\n", 50)))
	if err == nil || !strings.HasSuffix(err.Error(), "\nand 30 more") || strings.Count(err.Error(), "\n") != mostMistakes {
		t.Errorf("of 50 mistakes: %v", err)
	}
}

func TestReaderErrorsPass(t *testing.T) {
	_, err := ReadRules(iotest.ErrReader(errors.ErrUnsupported))
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}

func FuzzReadRules(f *testing.F) {
	f.Add(golden)
	f.Add("-A -t 192.0.2.1:80 -p# \n-C\r\n--set 1 2 3 -n")
	f.Add("sudo ipvsadm -a -f 1 -6 -r [::1]:0 -i --tun-type gue --tun-port=5 -x5 -y 4")
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := ReadRules(strings.NewReader(text))
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without words")
			}
			return
		}
		if problems := check.Bad(check.OfRules(rules)); len(problems) > 0 {
			t.Fatalf("read what is not legal: %v", problems)
		}
		again, err := ReadRules(strings.NewReader(written(t, rules)))
		if err != nil || !reflect.DeepEqual(again, rules) {
			t.Fatalf("%v\n%+v, want\n%+v", err, again, rules)
		}
	})
}

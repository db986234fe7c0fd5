package adm

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"lvsdeck/ipvs"
)

// testNames knows one host and one port.
type testNames struct{}

func (testNames) Host(name string) (netip.Addr, bool) {
	return netip.MustParseAddr("192.0.2.80"), name == "www"
}

func (testNames) Port(name string, p ipvs.Protocol) (uint16, bool) {
	return 80, name == "http" && p == ipvs.TCP
}

// Each line on the left means the rule on the right, or the same as it.
func TestForms(t *testing.T) {
	for line, want := range map[string]string{
		"-A -t 192.0.2.1:80":                             "-A -t 192.0.2.1:80 -s wlc",
		"-At192.0.2.1:80 -srr":                           "-A -t 192.0.2.1:80 -s rr",
		"-A -t=192.0.2.1:80 --scheduler=rr":              "-A -t 192.0.2.1:80 -s rr",
		"-Ap -t 192.0.2.1":                               "-A -t 192.0.2.1:0 -s wlc -p 360",
		"-Ap 5 -t 192.0.2.1":                             "-A -t 192.0.2.1:0 -s wlc -p 5",
		"-A -t 192.0.2.1 -p5":                            "-A -t 192.0.2.1:0 -s wlc -p 5",
		"-A -t 192.0.2.1 -p=5":                           "-A -t 192.0.2.1:0 -s wlc -p 5",
		"-A -t 192.0.2.1 --persistent=5":                 "-A -t 192.0.2.1:0 -s wlc -p 5",
		"-A -t 192.0.2.1 --persistent 5":                 "-A -t 192.0.2.1:0 -s wlc -p 5",
		"-Aop5 -u 192.0.2.1:53":                          "-A -u 192.0.2.1:53 -s wlc -p 5 -o",
		"-A -t 10.1:80":                                  "-A -t 10.0.0.1:80 -s wlc",
		"-A -t 010.0x1.1:80":                             "-A -t 8.1.0.1:80 -s wlc",
		"-A -t www:http":                                 "-A -t 192.0.2.80:80 -s wlc",
		"-A -t [www]:http -p":                            "-A -t 192.0.2.80:0 -s wlc -p 360",
		"-A -t [192.0.2.1]:80 -p":                        "-A -t 192.0.2.1:0 -s wlc -p 360",
		"-A -t 2001:db8::1 -p":                           "-A -t [2001:db8::1]:0 -s wlc -p 360",
		"-A -t [2001:db8::1]:http":                       "-A -t [2001:db8::1]:80 -s wlc",
		"-A -t [::1.2.3.4]:80":                           "-A -t [::1.2.3.4]:80 -s wlc",
		"-A -t 192.0.2.1:80 -p -M 24":                    "-A -t 192.0.2.1:80 -s wlc -p 360 -M 0.0.0.24",
		"-A -M 64 -t [2001:db8::1]:80":                   "-A -t [2001:db8::1]:80 -s wlc",
		"-A -t [2001:db8::1]:80 -M 64abc":                "-A -t [2001:db8::1]:80 -s wlc -M 64",
		"-A -f 1 -M 255.0.0.0 -6":                        "-A -f 1 -6 -s wlc",
		"-A -f 1 -6 -M 4294967360":                       "-A -f 1 -6 -s wlc -M 64",
		"-A -f 4294967295":                               "-A -f 4294967295 -s wlc",
		"-A -t 192.0.2.1:80 -b sh-port,flag-1 -s sh":     "-A -t 192.0.2.1:80 -s sh -b sh-fallback,sh-port",
		"-A -t 192.0.2.1:80 -b ,":                        "-A -t 192.0.2.1:80 -s wlc",
		"-A -t 192.0.2.1:80 -s a-name-far-too-long":      "-A -t 192.0.2.1:80 -s a-name-far-too-",
		"-a -t 192.0.2.1:80 -r 10.0.0.1":                 "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1",
		"-a -r 10.0.0.1 -t 192.0.2.1:80 -m":              "-a -t 192.0.2.1:80 -r 10.0.0.1:0 -m -w 1",
		"-a -r 10.0.0.1 -t 192.0.2.1:80":                 "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1",
		"-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -i":         "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -i -w 1 --tun-type ipip",
		"-a -f 1 -r 10.0.0.1:8080":                       "-a -f 1 -r 10.0.0.1:8080 -g -w 1",
		"-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -mw5 -x5y4": "",
		"-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -mw5 -x5":   "-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -m -w 5 -x 5",
		"--set 1 --sort 2 3":                             "--set 1 2 3",
		"--start-daemon=backup --syncid 7":               "--start-daemon backup --mcast-interface eth0 --syncid 7",
	} {
		c, err := Parse(strings.Fields(line), testNames{})
		if want == "" {
			if err == nil {
				t.Errorf("%s: accepted", line)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if got := formatted(c); got != want {
			t.Errorf("%s\n got %s\nwant %s", line, got, want)
		}
	}
}

// formatted writes a command that is a rule.
func formatted(c Command) string {
	var f Format
	switch c.Verb {
	case AddService:
		return f.Service(c.Service)
	case AddServer:
		return f.Server(c.Service.ServiceID, c.Server)
	case SetTimeouts:
		return f.Timeouts(c.Timeouts)
	case StartDaemon:
		return f.Daemon(c.Daemon)
	}
	return ""
}

func TestListing(t *testing.T) {
	for line, want := range map[string]Command{
		"":                           {Verb: List},
		"-Ln":                        {Verb: List, Numeric: true},
		"-l --rate --stats -X":       {Verb: List, Listing: Listing{Columns: Stats, Exact: true}},
		"-L --tun-info --thresholds": {Verb: List, Listing: Listing{Columns: Thresholds}},
		"-Lc --persistent-conn":      {Verb: List, Listing: Listing{Of: Connections, Columns: PersistentConns, PersistentConn: true}},
		"-L --timeout --nosort":      {Verb: List, Listing: Listing{Of: Timeouts, Unsorted: true}},
		"-h -L":                      {Verb: Help},
		"-v --bogus":                 {Verb: Version},
	} {
		got, err := Parse(strings.Fields(line), nil)
		got.Service, got.Server = ipvs.Service{}, ipvs.Server{}
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", line, got, err)
		}
	}
}

// ipvsadm's words and exit status; those with a minus let a restore go on. The
// lab's twin test compares far more with the real program.
func TestRefusals(t *testing.T) {
	for line, want := range map[string]struct {
		code    int
		message string
	}{
		"-n -L":                            {255, "Try `ipvsadm -h' or 'ipvsadm --help' for more information."},
		"--bogus":                          {255, "Try `ipvsadm -h' or 'ipvsadm --help' for more information."},
		"-L -A":                            {2, "invalid option `-A'"},
		"-A --start-daemon foo":            {2, "invalid option `foo'"},
		"-A --bogus=5":                     {-255, "--bogus=5: unknown option"},
		"-Lnz":                             {-255, "-Lnz: unknown option"},
		"-Ln=5":                            {-255, "-Ln=5: option does not take an argument"},
		"-A -t":                            {-255, "-t: missing argument"},
		"-A -t 1.2.3.4:80 foo":             {2, "unexpected argument foo"},
		"-A -t 1.2.3.4:80 -g":              {2, "Illegal 'forwarding-method' option with the 'add-service' command"},
		"-A":                               {2, "You need to supply the 'service-address' option for the 'add-service' command"},
		"-A -f 1 -t 1.2.3.4:80":            {2, "multiple 'service-address' options specified"},
		"-A -6 -f 1":                       {2, "-6 used before -f\n"},
		"-C -n":                            {2, "Illegal 'numeric' option with the 'flush' command"},
		"-L -c -t 1.2.3.4:80":              {2, "The option 'service-address' conflicts with the 'connection' option in the 'list' command"},
		"-L -c --stats":                    {2, "options conflicts in the list command"},
		"-a -f 1 -r 1.2.3.4 -i --tun-csum": {2, "Illegal 'tun-csum' option with the 'ipip' tunnel type"},
		"-a -f 1 -r 1.2.3.4 --tun-csum":    {2, "Tunnel options conflict with forward method"},
		"-a -f 1 -6 -r 1.2.3.4":            {2, "Different address family is allowed only for tunneling servers"},
		"--set 1 2":                        {2, "--set option requires 3 timeout values"},
	} {
		_, err := Parse(strings.Fields(line), nil)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", line, err)
			continue
		}
		aborts := want.code > 0
		if e.Message != want.message || e.Code != max(want.code, -want.code) || e.Aborts != aborts {
			t.Errorf("%s: exit %d, aborts %v: %s", line, e.Code, e.Aborts, e.Message)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, line := range strings.Split(golden, "\n") {
		f.Add(line)
	}
	f.Add("-Lnc --persistent-conn -t [::1")
	f.Add("-A -t 0x7f.1:+80 -p=5 -M 1.2 -b ,,")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(strings.Split(text, " "), testNames{})
		if err != nil {
			if err.(*Error).Problem.Rule == "" {
				t.Fatal("a refusal without a rule")
			}
			return
		}
		line := formatted(c)
		if line == "" || strings.ContainsAny(c.Service.Scheduler+c.Service.Persistence.Engine+c.Daemon.Interface, " ") {
			return
		}
		again, err := Parse(strings.Split(line, " "), nil)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		again.Numeric, c.Numeric = false, false
		if formatted(again) != line || !reflect.DeepEqual(again.Service, c.Service) || !reflect.DeepEqual(again.Server, c.Server) {
			t.Fatalf("%s\n%+v, want\n%+v", line, again, c)
		}
	})
}

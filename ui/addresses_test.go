package ui

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseAddresses(t *testing.T) {
	for _, c := range []struct{ in, want, fault string }{
		{in: "10.0.3.11", want: "10.0.3.11:80"},
		{in: "10.0.3.11:8080", want: "10.0.3.11:8080"},
		{in: " 10.0.3.11, 10.0.3.12\n10.0.3.13:81 ", want: "10.0.3.11:80 10.0.3.12:80 10.0.3.13:81"},
		{in: "10.0.3.11-13", want: "10.0.3.11:80 10.0.3.12:80 10.0.3.13:80"},
		{in: "10.0.3.254-10.0.4.1", want: "10.0.3.254:80 10.0.3.255:80 10.0.4.0:80 10.0.4.1:80"},
		{in: "10.0.3.11-12:8080", want: "10.0.3.11:8080 10.0.3.12:8080"},
		{in: "2001:db8::1 [2001:db8::2]:443 [2001:db8::3]", want: "[2001:db8::1]:80 [2001:db8::2]:443 [2001:db8::3]:80"},
		{in: "2001:db8::1-2001:db8::2", want: "[2001:db8::1]:80 [2001:db8::2]:80"},
		{in: "::ffff:10.0.0.1", want: "10.0.0.1:80"},
		{in: "", fault: "an address is needed"},
		{in: "web1", fault: `"web1" is no address`},
		{in: "10.0.3.300", fault: "is no address"},
		{in: "10.0.3.11:99999", fault: "must be 0 to 65535"},
		{in: "10.0.3.11-9", fault: "runs backwards"},
		{in: "10.0.3.11-x", fault: `"x" is no end`},
		{in: "10.0.3.11-2001:db8::1", fault: "must be 0 to 65535"},
		{in: "10.0.3.11-12:x", fault: `port "x"`},
		{in: "10.0.3.11 10.0.3.10-12", fault: "10.0.3.11:80 stands twice"},
		{in: "10.0.0.0-10.255.255.255", fault: "more than 256"},
		{in: "fe80::1%eth0", fault: "is no address"},
	} {
		got, err := parseAddresses(c.in, 80)
		switch {
		case c.fault == "" && err != nil:
			t.Errorf("%q: %v", c.in, err)
		case c.fault == "" && strings.Trim(fmt.Sprint(got), "[]") != strings.Trim(fmt.Sprint(strings.Fields(c.want)), "[]"):
			t.Errorf("%q gives %v, want %s", c.in, got, c.want)
		case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)):
			t.Errorf("%q: error %v, want %q", c.in, err, c.fault)
		}
	}
}

func FuzzParseAddresses(f *testing.F) {
	f.Add("10.0.3.11-13 [2001:db8::1]:80")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseAddresses(s, 80)
		if err != nil {
			return
		}
		for _, a := range got {
			if !a.IsValid() || a.Addr().Is4In6() || a.Addr().Zone() != "" {
				t.Fatalf("%q gives %v", s, a)
			}
		}
		if len(got) == 0 || len(got) > addressesMax+addressesMax {
			t.Fatalf("%q gives %d addresses", s, len(got))
		}
	})
}

package adm

import (
	"reflect"
	"strings"
	"testing"
)

func TestQuickTakesMostLines(t *testing.T) {
	f := newFile()
	for _, line := range []string{
		"-A -t 192.0.2.1:80 -s wlc",
		"-A -u [2001:db8::1]:53 -s rr",
		"-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -m -w 100",
		"-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 0",
		"-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 2147483647", // not in order
		"-a -u [2001:db8::1]:53 -r [2001:db8::a]:53 -g -w 1",
	} {
		if !f.quick(line) {
			t.Errorf("%s takes the long way", line)
		}
	}
	if n := len(f.rules.Services[0].Servers); n != 3 {
		t.Errorf("%d servers, want 3", n)
	}
}

// FuzzQuickNeverDisagrees reads each text the long way, too, to which a blank before
// each line leads.
func FuzzQuickNeverDisagrees(f *testing.F) {
	f.Add(golden)
	const services = "-A -t 192.0.2.1:80 -s wlc\n-A -u [2001:db8::1]:53 -s rr\n-A -t [::ffff:192.0.2.1]:80 -s wlc\n"
	for _, more := range []string{
		"-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 1\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1\n-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 1",
		"-a -t 192.0.2.1:80 -r 10.0.0.2:81 -g -w 1\n-a -t 192.0.2.1:80 -r [::1]:80 -m -w 1\n-a -u 192.0.2.1:80 -r 10.0.0.2:80 -m -w 1",
		"-a -u [2001:db8::1]:53 -r [fe80::1%eth0]:53 -g -w 1\n-a -t 192.0.2.1:80 -r 10.0.0.3 -m -w 1\n-a -t 192.0.2.1:80 -r 10.0.0.4:80 -m -w 2147483648",
		"-A -t 192.0.2.1:80 -s wlc\n-A -t 192.0.2.2:0 -s wlc\n-A -t 192.0.2.3:80 -s -p\n-A -t 192.0.2.4 -s wlc\n-C\n-A -t 192.0.2.5:80 -s wlc#\r\n",
		"-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 1 -x 5\r\n-a -t 192.0.2.1:80 -r 10.0.0.5:80 -i -w 1 --tun-type ipip\n-a -t 192.0.2.1:80 -r 10.0.0.6:80 -m -w +1",
	} {
		f.Add(services + more)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > maxLine/2 {
			return
		}
		rules, odd, err := ReadOdd(strings.NewReader(text))
		long, oddLong, errLong := ReadOdd(strings.NewReader(" " + strings.ReplaceAll(text, "\n", "\n ")))
		if !reflect.DeepEqual(rules, long) || !reflect.DeepEqual(told(odd, 1), told(oddLong, 0)) {
			t.Fatalf("%q: quick\n%+v %v\nelse\n%+v %v", text, rules, odd, long, oddLong)
		}
		mistakes, _ := err.(Mistakes)
		mistakesLong, _ := errLong.(Mistakes)
		if (err == nil) != (errLong == nil) || !reflect.DeepEqual(told(mistakes, 1), told(mistakesLong, 0)) {
			t.Fatalf("%q: quick\n%v\nelse\n%v", text, err, errLong)
		}
	})
}

// told are mistakes with their columns moved.
func told(m Mistakes, by int) []Mistake {
	var all []Mistake
	for _, one := range m {
		one.Column += by
		all = append(all, one)
	}
	return all
}

package keep

import (
	"strings"
	"testing"

	"lvsdeck/persist/adm"
)

// TestOneServiceInAFile: a service comes, changes and goes, and every other line
// stays as it was written.
func TestOneServiceInAFile(t *testing.T) {
	const others = "# ours\nipvsadm -A -t 203.0.113.20:80 -s wlc\n\n-a -t 203.0.113.20:80 -r 10.0.0.1 -m # first\n-A -t 203.0.113.1:80 -s rr\n--set 900 120 300\n"
	const mine = "-A -t 203.0.113.10:80 -s rr\n-a -t 203.0.113.10:80 -r 10.0.0.1:80 -m -w 1 -x 9 -y 5\n"
	rules, err := adm.ReadRules(strings.NewReader(mine))
	if err != nil {
		t.Fatal(err)
	}
	s := rules.Services[0]
	same := func(what, got, want string, err error) {
		t.Helper()
		if err != nil || got != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", what, err, got, want)
		}
	}
	with, err := With(others, s)
	same("added", with, others+mine, err)
	twice, err := With(with, s)
	same("there already", twice, with, err)
	elsewhere, err := With(mine+others, s)
	same("there already, at its place", elsewhere, mine+others, err)
	s.Servers[0].Weight = 7
	changed, err := With(with, s)
	same("changed", changed, others+strings.Replace(mine, "-w 1", "-w 7", 1), err)
	gone, err := Without(changed, s.ServiceID)
	same("gone", gone, others, err)
	from, err := With("-A -f 7 -s rr", s)
	same("no end of line", from, "-A -f 7 -s rr\n"+strings.Replace(mine, "-w 1", "-w 7", 1), err)
	for _, bad := range []string{"-A -t never", "-A -t 203.0.113.10:80\n-A -t 203.0.113.10:80\n"} {
		if _, err := With(bad, s); err == nil {
			t.Errorf("%q is no file of rules, and was changed", bad)
		}
		if _, err := Without(bad, s.ServiceID); err == nil {
			t.Errorf("%q is no file of rules, and was changed", bad)
		}
	}
}

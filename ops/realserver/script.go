package realserver

import (
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"lvsdeck/netcfg"
)

// far is an address that only the default route leads to: a.root-servers.net.
func far(v6 bool) netip.Addr {
	if v6 {
		return netip.MustParseAddr("2001:503:ba3e::2:30")
	}
	return netip.MustParseAddr("198.41.0.4")
}

// ErrNothing is what full NAT needs.
var ErrNothing = errors.New("full NAT needs nothing of a real server but a way to the director, whose address it sees for all clients")

// kit is what all scripts share: what is before and after their steps.
//
//go:embed kit.sh
var kit string

// Script makes the kit of a real server: a script for any POSIX shell, with no
// need but iproute2, modprobe and, where it is there, iptables. Its commands are
// check, apply, confirm and undo, with exit codes as lvsdeck's.
//
// Nothing but names, numbers and addresses that passed Want.Check is in it.
func Script(w Want) (string, error) {
	all, err := Steps(w)
	if err == nil && len(all) == 0 {
		err = ErrNothing
	}
	if err != nil {
		return "", err
	}
	var b strings.Builder
	numbers := make([]string, len(all))
	for i, s := range all {
		numbers[i] = fmt.Sprint(i + 1)
		s.function(&b, i+1)
	}
	fmt.Fprintf(&b, "steps='%s'\n\n", strings.Join(numbers, " "))
	return strings.NewReplacer("@KIT@", w.Name(), "@TITLE@", w.String(), "@STEPS@\n", b.String()).Replace(kit), nil
}

// function writes a step as a shell function: its name, whether it is passed
// over, has, add, and (of a setting) remove.
func (s Step) function(b *strings.Builder, n int) {
	fmt.Fprintf(b, "# %d. %s\nstep_%d() {\n\tcase $1 in\n", n, s.Reason, n)
	line := func(verb, command string) { fmt.Fprintf(b, "\t%s) %s ;;\n", verb, command) }
	line("name", "echo '"+s.String()+"'")
	if pass := s.pass(); pass != "" {
		line("pass", pass)
	}
	if s.Setting != nil {
		shell := s.Setting.Shell()
		line("has", shell.Has)
		if _, stays := s.Setting.(netcfg.Module); stays {
			line("add", shell.Add)
		} else {
			line("add", "note 'a "+s.String()+"' && "+shell.Add)
			line("remove", shell.Remove)
		}
	} else {
		line("has", s.Sysctl.has())
		line("add", fmt.Sprintf("put '%s' %s '%s'", s.Sysctl.path(), s.Sysctl.Value, s))
	}
	b.WriteString("\t*) return 1 ;;\n\tesac\n}\n\n")
}

// pass exits 0, and says why, when the step is passed over.
func (s Step) pass() string {
	switch {
	case s.Needs != "":
		return fmt.Sprintf("! command -v %s >/dev/null && echo '%[1]s is not here'", s.Needs)
	case s.Unless.IsValid():
		return fmt.Sprintf("ip -o route get %s 2>/dev/null | grep -qF ' via %s ' && echo 'the default gateway is %[2]s anyway'", far(s.Unless.Is6()), s.Unless)
	}
	return ""
}

func (x Sysctl) has() string {
	if len(x.Fine) == 0 {
		return fmt.Sprintf("same '%s' %s", x.path(), x.Value)
	}
	return fmt.Sprintf("fine %s %s %s", x.Link, x.Name, strings.Trim(fmt.Sprint(x.Fine), "[]"))
}

package netcfg

import (
	"fmt"
	"regexp"
	"strings"
)

// Filter is a rule of iptables, or of ip6tables. It carries our name as its
// comment, so that nobody wonders who made it.
type Filter struct {
	IPv6         bool
	Table, Chain string
	Match        string // arguments, divided by single blanks: "-s 10.0.0.0/24 -p tcp"
	Jump         string // "ACCEPT", "SNAT --to-source 203.0.113.10"
	First        bool   // goes before all other rules, else after them
}

// Comment is what our rules of iptables carry.
const Comment = "lvsdeck"

func (Filter) setting() {}

func (f Filter) String() string {
	return fmt.Sprintf("%s rule in %s %s: %s -j %s", family("iptables", f.IPv6), f.Table, f.Chain, f.Match, f.Jump)
}

// Shell uses iptables(8).
func (f Filter) Shell() Shell {
	do := func(verb string) string {
		return fmt.Sprintf("%s -w -t %s %s %s %s", family("iptables", f.IPv6), f.Table, verb, f.Chain, strings.Join(f.spec(), " "))
	}
	add := "-A"
	if f.First {
		add = "-I"
	}
	return Shell{Has: do("-C") + " 2>/dev/null", Add: do(add), Remove: do("-D")}
}

var (
	filterName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,28}$`)
	filterText = regexp.MustCompile(`^[A-Za-z0-9_.:,/=-]+( [A-Za-z0-9_.:,/=-]+)*$`)
)

// spec is the rule as arguments of iptables(8).
func (f Filter) spec() []string {
	return strings.Fields(f.Match + " -m comment --comment " + Comment + " -j " + f.Jump)
}

// Check wants names and words without signs that mean anything to a shell.
func (f Filter) Check() error {
	if !filterName.MatchString(f.Table) || !filterName.MatchString(f.Chain) {
		return fmt.Errorf("firewall rule: table %q and chain %q must be names", f.Table, f.Chain)
	}
	for _, text := range []string{f.Match, f.Jump} {
		if !filterText.MatchString(text) {
			return fmt.Errorf("firewall rule: %q must be words of letters, digits and ._:,/=- with single blanks", text)
		}
	}
	return nil
}

package netcfg

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// Setting is one thing that a host has or has not: an address, a route, a
// firewall rule. Settings are plain data, comparable, and written to the journal
// as they are. They are never changed: another value is another setting.
type Setting interface {
	comparableSetting

	// String names it in the operator's words: "address 203.0.113.10/32 on lo".
	String() string

	// Shell is the same for a shell, to learn from, to paste, and to make the
	// scripts for real servers of.
	Shell() Shell

	// Check refuses what no host can have, before it is asked.
	Check() error
}

// comparableSetting closes the set: Settings of a host knows each of them.
type comparableSetting interface{ setting() }

// Shell is a setting in lines for a POSIX shell, without output when all is well.
type Shell struct {
	Has    string // exits 0 when the host has it
	Add    string
	Remove string
}

// Settings is a host that can be given settings, and be rid of them. Errors are
// *SettingError.
type Settings interface {
	Has(Setting) (bool, error)

	// Add gives the host a setting that it has not: whole, or not at all.
	Add(Setting) error

	// Remove takes a setting away that the host has.
	Remove(Setting) error
}

// SettingError is a refusal: what was to be done, with which setting, and why.
type SettingError struct {
	Op      string // "add", "remove", "look for"
	Setting Setting
	Err     error
}

func (e *SettingError) Error() string { return fmt.Sprintf("cannot %s %s: %v", e.Op, e.Setting, e.Err) }

// Unwrap lets errors.Is find the reason.
func (e *SettingError) Unwrap() error { return e.Err }

// Address is an address of a link.
type Address struct {
	Link   string
	Prefix netip.Prefix

	// NotSource: the host never uses it of its own accord (preferred_lft 0). An
	// IPv6 VIP of a director needs it: as the outer source of a tunnel it makes
	// the real servers, who have it too, drop the packets.
	NotSource bool
}

// Up is a link that is switched on.
type Up struct{ Link string }

// Dummy is a link of kind dummy: it leads nowhere and carries addresses.
type Dummy struct{ Name string }

// GUE is a port on which the host unpacks Generic UDP Encapsulation (ip fou).
type GUE struct {
	Port uint16
	IPv6 bool
}

// Route is a way to a network over a gateway.
type Route struct {
	To    netip.Prefix
	Via   netip.Addr
	Link  string
	Table int // 0 is the main one
}

// Rule sends what comes from an address to a table of routes. With Protocol and
// Port only what one service answers: nothing else of the host changes its way.
type Rule struct {
	From     netip.Prefix
	Protocol string // "tcp", "udp" or "" for everything
	Port     uint16 // the source port, or 0 for everything
	Table    int
	Priority int
}

// Module is a kernel module that is loaded or built in. It is never unloaded:
// with a tunnel's module would go tunnels of others.
type Module struct{ Name string }

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

func (Address) setting() {}
func (Up) setting()      {}
func (Dummy) setting()   {}
func (GUE) setting()     {}
func (Route) setting()   {}
func (Rule) setting()    {}
func (Module) setting()  {}
func (Filter) setting()  {}

func (a Address) String() string { return fmt.Sprintf("address %s on %s", a.Prefix, a.Link) }

// Shell uses ip(8).
func (a Address) Shell() Shell {
	options := ""
	if a.Prefix.Addr().Is6() {
		options += " nodad"
	}
	if a.NotSource {
		options += " preferred_lft 0"
	}
	return Shell{
		Has:    fmt.Sprintf("ip -o addr show dev %s to %s | grep -q .", a.Link, a.Prefix),
		Add:    fmt.Sprintf("ip addr add %s dev %s%s", a.Prefix, a.Link, options),
		Remove: fmt.Sprintf("ip addr del %s dev %s", a.Prefix, a.Link),
	}
}

// Check wants a link's name and a unicast address.
func (a Address) Check() error {
	if !a.Prefix.IsValid() || a.Prefix.Addr().IsMulticast() || a.Prefix.Addr().IsUnspecified() {
		return fmt.Errorf("address %s: must be a unicast address with a prefix, like 203.0.113.10/32", a.Prefix)
	}
	return checkLink(a.Link)
}

func (u Up) String() string { return "link " + u.Link + " switched on" }

// Shell uses ip(8).
func (u Up) Shell() Shell {
	return Shell{
		Has:    fmt.Sprintf("ip -o link show dev %s up | grep -q .", u.Link),
		Add:    "ip link set " + u.Link + " up",
		Remove: "ip link set " + u.Link + " down",
	}
}

// Check wants a link's name.
func (u Up) Check() error { return checkLink(u.Link) }

func (d Dummy) String() string { return "dummy link " + d.Name }

// Shell uses ip(8).
func (d Dummy) Shell() Shell {
	return Shell{
		Has:    "ip -o link show dev " + d.Name + " >/dev/null 2>&1",
		Add:    "ip link add " + d.Name + " type dummy",
		Remove: "ip link del " + d.Name,
	}
}

// Check wants a link's name.
func (d Dummy) Check() error { return checkLink(d.Name) }

func (g GUE) String() string {
	if g.IPv6 {
		return fmt.Sprintf("GUE unpacked on UDP port %d over IPv6", g.Port)
	}
	return fmt.Sprintf("GUE unpacked on UDP port %d", g.Port)
}

// Shell uses ip-fou(8).
func (g GUE) Shell() Shell {
	ip := family("ip", g.IPv6)
	return Shell{
		Has:    fmt.Sprintf("%s fou show | grep -q '^port %d gue'", ip, g.Port),
		Add:    fmt.Sprintf("%s fou add port %d gue", ip, g.Port),
		Remove: fmt.Sprintf("%s fou del port %d", ip, g.Port),
	}
}

// Check wants a port.
func (g GUE) Check() error {
	if g.Port == 0 {
		return fmt.Errorf("GUE: port 0 must be 1 to 65535")
	}
	return nil
}

func (r Route) String() string {
	return fmt.Sprintf("route to %s via %s on %s%s", r.To, r.Via, r.Link, inTable(" in table ", r.Table))
}

// Shell uses ip(8).
func (r Route) Shell() Shell {
	what := fmt.Sprintf("%s via %s dev %s%s", r.To, r.Via, r.Link, inTable(" table ", r.Table))
	ip := family("ip", r.To.Addr().Is6())
	return Shell{
		Has:    ip + " route show " + what + " 2>/dev/null | grep -q .",
		Add:    ip + " route add " + what,
		Remove: ip + " route del " + what,
	}
}

// Check wants one family and a link's name.
func (r Route) Check() error {
	if !r.To.IsValid() || r.To != r.To.Masked() {
		return fmt.Errorf("route to %s: must be a network, like 10.0.0.0/24", r.To)
	}
	if !r.Via.IsValid() || r.Via.Is4() != r.To.Addr().Is4() {
		return fmt.Errorf("route to %s via %s: both must be addresses of one family", r.To, r.Via)
	}
	return checkLink(r.Link)
}

func (r Rule) String() string {
	return fmt.Sprintf("rule for what %s sends%s: table %d", r.From.Addr(), r.what(), r.Table)
}

func (r Rule) what() string {
	if r.Protocol == "" {
		return ""
	}
	return fmt.Sprintf(" from %s port %d", strings.ToUpper(r.Protocol), r.Port)
}

// Shell uses ip-rule(8).
func (r Rule) Shell() Shell {
	what := fmt.Sprintf("pref %d from %s", r.Priority, r.From)
	if r.Protocol != "" {
		what += fmt.Sprintf(" ipproto %s sport %d", r.Protocol, r.Port)
	}
	what += fmt.Sprintf(" lookup %d", r.Table)
	ip := family("ip", r.From.Addr().Is6())
	return Shell{
		Has:    ip + " rule show " + what + " | grep -q .",
		Add:    ip + " rule add " + what,
		Remove: ip + " rule del " + what,
	}
}

// Check wants an address, a table and a priority of ours to use, and a port with
// its protocol or neither.
func (r Rule) Check() error {
	switch {
	case !r.From.IsValid():
		return fmt.Errorf("rule: from must be an address")
	case r.Table <= 0 || r.Table >= 253 && r.Table <= 255:
		return fmt.Errorf("rule: table %d must be a number of its own, not one of the system's", r.Table)
	case r.Priority <= 0 || r.Priority >= 32766:
		return fmt.Errorf("rule: priority %d must be 1 to 32765", r.Priority)
	case (r.Protocol == "") != (r.Port == 0):
		return fmt.Errorf("rule: a port needs its protocol, and a protocol its port")
	case r.Protocol != "" && r.Protocol != "tcp" && r.Protocol != "udp":
		return fmt.Errorf("rule: protocol %q must be tcp or udp", r.Protocol)
	}
	return nil
}

func (m Module) String() string { return "module " + m.Name }

// Shell uses modprobe(8).
func (m Module) Shell() Shell {
	return Shell{Has: "test -d /sys/module/" + m.Name, Add: "modprobe " + m.Name, Remove: ":"}
}

var moduleName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// Check wants a module's name.
func (m Module) Check() error {
	if !moduleName.MatchString(m.Name) {
		return fmt.Errorf("module %q: must be small letters, digits, - and _", m.Name)
	}
	return nil
}

func (f Filter) String() string {
	return fmt.Sprintf("%s rule in %s %s: %s -j %s", family("iptables", f.IPv6), f.Table, f.Chain, f.Match, f.Jump)
}

// Shell uses iptables(8).
func (f Filter) Shell() Shell {
	do := func(verb string) string {
		return fmt.Sprintf("%s -w -t %s %s %s %s -m comment --comment %s -j %s",
			family("iptables", f.IPv6), f.Table, verb, f.Chain, f.Match, Comment, f.Jump)
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

// family is a command for IPv4, or its other form for IPv6.
func family(command string, v6 bool) string {
	switch {
	case !v6:
		return command
	case command == "iptables":
		return "ip6tables"
	}
	return command + " -6"
}

func inTable(words string, table int) string {
	if table == 0 {
		return ""
	}
	return words + strconv.Itoa(table)
}

// linkName is stricter than the kernel, which takes nearly every sign: the name
// goes into scripts and into /proc/sys.
var linkName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}$`)

func checkLink(name string) error {
	if !linkName.MatchString(name) {
		return fmt.Errorf("interface %q: must be a name of 1 to 15 letters, digits and _.@-", name)
	}
	return nil
}

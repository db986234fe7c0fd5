package netcfg

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Route is a way to a network over a gateway. Without a Link the kernel finds it by
// the gateway's address.
type Route struct {
	To    netip.Prefix
	Via   netip.Addr
	Link  string // or ""
	Table int    // 0 is the main one
}

// Rule sends what comes from an address to a table of routes. With Protocol and
// Port only what one service answers: nothing else of the host changes its way.
type Rule struct {
	From     netip.Prefix
	Protocol string // "tcp", "udp" or "" for everything
	Port     uint16 // the source port, or 0 for everything
	Table    int
	Priority int

	// Near is instead of a table: what the main one has a route to stays on it, but
	// for its default route.
	Near bool
}

func (Route) setting() {}
func (Rule) setting()  {}

func (r Route) String() string {
	return fmt.Sprintf("route to %s via %s%s%s", r.To, r.Via, r.on(" on "), inTable(" in table ", r.Table))
}

func (r Route) on(words string) string {
	if r.Link == "" {
		return ""
	}
	return words + r.Link
}

// Shell uses ip(8).
func (r Route) Shell() Shell {
	what := fmt.Sprintf("%s via %s%s%s", r.To, r.Via, r.on(" dev "), inTable(" table ", r.Table))
	ip := family("ip", r.To.Addr().Is6())
	return Shell{
		Has:    ip + " route show " + what + " 2>/dev/null | grep -q .",
		Add:    ip + " route add " + what,
		Remove: ip + " route del " + what,
	}
}

// Check wants one family and a link's name, without which no gateway can be
// link-local.
func (r Route) Check() error {
	switch {
	case !r.To.IsValid() || r.To != r.To.Masked() || r.To.Addr().Is4In6():
		return fmt.Errorf("route to %s: must be a network, like 10.0.0.0/24", r.To)
	case !r.Via.IsValid() || r.Via.Is4() != r.To.Addr().Is4() || r.Via.Zone() != "" || r.Via.IsUnspecified():
		return fmt.Errorf("route to %s via %s: must be addresses of one family, without a zone", r.To, r.Via)
	case r.Table < 0:
		return fmt.Errorf("route to %s: table %d must be a number from 0, the main one", r.To, r.Table)
	case r.Link == "" && r.Via.IsLinkLocalUnicast():
		return fmt.Errorf("route to %s via %s: a link-local gateway needs its interface", r.To, r.Via)
	case r.Link == "":
		return nil
	}
	return checkLink(r.Link)
}

func (r Rule) String() string {
	where := fmt.Sprintf("table %d", r.Table)
	if r.Near {
		where = "main table but for its default route"
	}
	return fmt.Sprintf("rule for what %s sends%s: %s", fromText(r.From), r.what(), where)
}

func fromText(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
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
	shown, near := ".", ""
	if r.Near { // ip rule show takes no suppress_prefixlength
		what += " lookup main"
		shown, near = "'suppress_prefixlength 0'", " suppress_prefixlength 0"
	} else {
		what += fmt.Sprintf(" lookup %d", r.Table)
	}
	ip := family("ip", r.From.Addr().Is6())
	return Shell{
		Has:    ip + " rule show " + what + " 2>/dev/null | grep -q " + shown,
		Add:    ip + " rule add " + what + near,
		Remove: ip + " rule del " + what + near,
	}
}

// Check wants an address, a table and a priority of ours to use, and a port with
// its protocol or neither.
func (r Rule) Check() error {
	switch {
	case !r.From.IsValid() || r.From != r.From.Masked() || r.From.Bits() == 0 || r.From.Addr().Is4In6():
		return fmt.Errorf("rule: from %s must be an address or a network, like 203.0.113.10/32", r.From)
	case r.Near && r.Table != 0:
		return fmt.Errorf("rule: table %d must be none where the main one is meant", r.Table)
	case !r.Near && (r.Table <= 0 || r.Table >= 253 && r.Table <= 255):
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

func inTable(words string, table int) string {
	if table == 0 {
		return ""
	}
	return words + strconv.Itoa(table)
}

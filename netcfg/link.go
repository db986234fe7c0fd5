package netcfg

import (
	"fmt"
	"net/netip"
	"regexp"
)

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

func (Address) setting() {}
func (Up) setting()      {}
func (Dummy) setting()   {}
func (GUE) setting()     {}

func (a Address) String() string { return fmt.Sprintf("address %s on %s", a.Prefix, a.Link) }

// Shell uses ip(8). Looking by the prefix alone would find every address in it.
func (a Address) Shell() Shell {
	options, which := "", ""
	switch addr := a.Prefix.Addr(); {
	case addr.Is6():
		options += " nodad"
	case a.Prefix.Bits() < 31:
		options += " brd +"
	}
	if a.NotSource {
		options += " preferred_lft 0"
		which = " deprecated"
	}
	return Shell{
		Has:    fmt.Sprintf("ip -o addr show dev %s to %s%s 2>/dev/null | grep -qF ' %s '", a.Link, a.Prefix.Addr(), which, a.Prefix),
		Add:    fmt.Sprintf("ip addr add %s dev %s%s", a.Prefix, a.Link, options),
		Remove: fmt.Sprintf("ip addr del %s dev %s", a.Prefix, a.Link),
	}
}

// Check wants a link's name and a unicast address.
func (a Address) Check() error {
	if addr := a.Prefix.Addr(); !a.Prefix.IsValid() || addr.IsMulticast() || addr.IsUnspecified() || addr.Is4In6() {
		return fmt.Errorf("address %s: must be a unicast address with a prefix, like 203.0.113.10/32", a.Prefix)
	}
	return checkLink(a.Link)
}

func (u Up) String() string { return "link " + u.Link + " switched on" }

// Shell uses ip(8).
func (u Up) Shell() Shell {
	return Shell{
		Has:    fmt.Sprintf("ip -o link show dev %s up 2>/dev/null | grep -q .", u.Link),
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
		Has:    "ip -o link show dev " + d.Name + " type dummy 2>/dev/null | grep -q .",
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

// Shell uses ip-fou(8), which shows the ports of both families.
func (g GUE) Shell() Shell {
	ip, end := "ip", " *$"
	if g.IPv6 {
		ip, end = "ip -6", " -6"
	}
	return Shell{
		Has:    fmt.Sprintf("ip fou show 2>/dev/null | grep -q '^port %d gue%s'", g.Port, end),
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

// linkName is stricter than the kernel, which takes nearly every sign: the name
// goes into scripts and into /proc/sys.
var linkName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}$`)

func checkLink(name string) error {
	if !linkName.MatchString(name) {
		return fmt.Errorf("interface %q: must be a name of 1 to 15 letters, digits and _.@-", name)
	}
	return nil
}

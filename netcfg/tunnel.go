package netcfg

import "fmt"

// AnyInside is the device of ip6_tunnel that takes IPv4 packets out of IPv6, too. A
// fresh one takes only IPv6 (Linux: ip6_fb_tnl_dev_init).
type AnyInside struct{ Link string }

func (AnyInside) setting() {}

func (a AnyInside) String() string { return "tunnel " + a.Link + " open to IPv4 inside" }

// Shell uses ip-tunnel(8).
func (a AnyInside) Shell() Shell {
	return Shell{
		Has:    fmt.Sprintf("ip -6 tunnel show %s 2>/dev/null | grep -q '^%[1]s: any/ipv6 '", a.Link),
		Add:    fmt.Sprintf("ip -6 tunnel change %s mode any", a.Link),
		Remove: fmt.Sprintf("ip -6 tunnel change %s mode ip6ip6", a.Link),
	}
}

// Check wants a link's name.
func (a AnyInside) Check() error { return checkLink(a.Link) }

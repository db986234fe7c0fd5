package netcfg

import "lvsdeck/netcfg/firewall"

// Firewalls is what stands in packets' way.
type Firewalls interface {
	// Firewall reads the rules of iptables, of both back ends and families, and
	// those of nft. It changes nothing and loads no module. What cannot be read
	// for want of a program is told in Unread. It wants root's rights, or answers
	// ipvs.ErrPermission.
	Firewall() (firewall.Rules, error)

	// FirewallVersion is another number once rules of nft, or of iptables in its
	// back end, have changed; those of the old iptables change without it. It costs
	// one question to the kernel.
	FirewallVersion() (uint32, error)
}

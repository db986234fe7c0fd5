// Package firewall is what a host's firewalls hold, as data: the rules of
// iptables, in both of its back ends, and of nft; and the question what becomes of
// a packet at a hook.
//
//	tables := firewall.ParseSave(text, backend, family)   iptables-save(8)
//	tables, err := firewall.ParseNFT(json)                nft -j list ruleset
//	rules.Walk(firewall.Forward, packet)                     passes, drops, rejects
//
// An answer is certain or it is none. What a rule asks for that is not understood
// here, or is not known of the packet, makes the verdict Unknown, but only where
// it could make a difference.
//
// Out of scope: how rules are read from a host (netcfg does that), changing them,
// hooks of bridges and of network cards (ebtables, arptables, netdev), the content
// of ipsets, and what rules make of the packet: each table sees it as it was given.
package firewall

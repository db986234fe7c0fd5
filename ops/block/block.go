package block

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"lvsdeck/netcfg"
	"lvsdeck/netcfg/firewall"
	"lvsdeck/ops/plan"
)

// Block keeps a client, or a network of clients, out.
type Block struct {
	Client netip.Prefix
	VIP    netip.Addr // only what it sends there; invalid: all that it sends to this host or through it
}

// String says who is kept out, and of what: "198.51.100.7 out of 203.0.113.10".
func (b Block) String() string {
	if !b.VIP.IsValid() {
		return b.client() + " out"
	}
	return b.client() + " out of " + b.VIP.String()
}

// client is the address, with its length where it is a network.
func (b Block) client() string {
	if b.Client.IsSingleIP() {
		return b.Client.Addr().String()
	}
	return b.Client.String()
}

// Where the rules stand.
const (
	table = "raw"
	drop  = "DROP"
)

// Rule is the rule of the firewall. It goes before others, which may accept.
func (b Block) Rule() netcfg.Filter {
	match := "-s " + b.client()
	if b.VIP.IsValid() {
		match += " -d " + b.VIP.String()
	}
	return netcfg.Filter{IPv6: b.Client.Addr().Is6(), Table: table, Chain: string(firewall.Prerouting), Match: match, Jump: drop, First: true}
}

// Spared is whose packets must get through.
type Spared struct {
	Operator netip.Addr   // where the session comes from that asks; invalid: not over SSH
	Peers    []netip.Addr // the far ends of all SSH connections to this host: the operator's may be among them
	Own      []netip.Addr // this host's addresses
	Routers  []netip.Addr // by which it reaches the world: of IPv6, what they say of themselves are packets like others
	VIPs     []netip.Addr
	Servers  []netip.Addr
}

// The rest of the world, to be asked the way to: a root name server.
var far = []netip.Addr{netip.MustParseAddr("198.41.0.4"), netip.MustParseAddr("2001:503:ba3e::2:30")}

// Look adds what the host knows: its addresses and its routers.
func (s *Spared) Look(host netcfg.Surroundings) error {
	own, err := host.Addresses()
	if err != nil {
		return err
	}
	for _, a := range own {
		s.Own = append(s.Own, a.Prefix.Addr())
	}
	for _, to := range slices.Concat(far, s.Peers, []netip.Addr{s.Operator}) {
		if !to.IsValid() {
			continue
		}
		switch way, err := host.Path(to, netip.Addr{}); {
		case errors.Is(err, netcfg.ErrNoRoute):
		case err != nil:
			return err
		case way.Via.IsValid():
			s.Routers = append(s.Routers, way.Via)
		}
	}
	return nil
}

// FromWhere tells whether it is known where the operator may sit.
func (s *Spared) FromWhere() bool { return s.Operator.IsValid() || len(s.Peers) > 0 }

// The shortest networks that are kept out while nobody knows where the operator sits.
const (
	blindly4 = 8
	blindly6 = 16
)

// Check refuses a block that would cut off the operator, this host, a service or a
// real server.
func (b Block) Check(s Spared) error {
	refused := func(why string, a netip.Addr, do string) error {
		return fmt.Errorf("client %s: must not hold %s, %s; %s", b.client(), a, why, do)
	}
	shortest := blindly6
	if b.Client.Addr().Is4() {
		shortest = blindly4
	}
	switch {
	case !b.Client.IsValid():
		return fmt.Errorf("client %s: must be an address (198.51.100.7) or a network (198.51.100.0/24)", b.Client)
	case b.Client != b.Client.Masked():
		return fmt.Errorf("client %s: must have no bits beyond its length; give the address (%s) or the network (%s)", b.Client, b.Client.Addr(), b.Client.Masked())
	case b.VIP.IsValid() && b.VIP.Is4() != b.Client.Addr().Is4():
		return fmt.Errorf("client %s: must be of the same family as %s", b.client(), b.VIP)
	case s.Operator.IsValid() && b.Client.Contains(bare(s.Operator)):
		return refused("where your own SSH session comes from", s.Operator, "do it from elsewhere, or name a smaller network")
	case !s.FromWhere() && b.Client.Bits() < shortest:
		return fmt.Errorf("client %s: must be of /%d or longer, as it is not known where you come from; name a smaller network", b.Client, shortest)
	}
	for _, group := range []struct {
		all []netip.Addr
		why string
	}{{s.Peers, "where an SSH session to this director comes from"}, {s.Servers, "a real server"}, {s.VIPs, "the address of a service"}, {s.Own, "this director's own address"}, {s.Routers, "a router of this director"}} {
		for _, a := range group.all {
			if b.Client.Contains(bare(a)) {
				return refused(group.why, a, "name a smaller network")
			}
		}
	}
	return nil
}

// bare is an address as networks hold it: none holds one with a zone.
func bare(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// Keep is the plan that keeps clients out.
func Keep(blocks ...Block) plan.Plan {
	return each("keep", blocks, "Their packets are dropped before IPVS sees them. Connections they have end when their time is over. It does not last over a restart of this host.",
		func(f netcfg.Filter) plan.Step { return plan.Have(f) })
}

// Lift is the plan that lets clients in again.
func Lift(blocks ...Block) plan.Plan {
	return each("no longer keep", blocks, "Their packets come to IPVS again.", func(f netcfg.Filter) plan.Step { return plan.Lack(f) })
}

func each(what string, blocks []Block, reason string, step func(netcfg.Filter) plan.Step) plan.Plan {
	var p plan.Plan
	for _, b := range blocks {
		p.Items = append(p.Items, plan.Item{Step: step(b.Rule()), Reason: reason})
	}
	switch len(blocks) {
	case 0:
	case 1:
		p.Title = what + " " + blocks[0].String()
	default:
		p.Title = fmt.Sprintf("%s %d clients out", what, len(blocks))
	}
	return p
}

// InForce finds our blocks among the rules of a firewall, in order of client.
func InForce(r firewall.Rules) (all []Block) {
	for _, t := range r.Tables {
		if t.Name != table || t.Backend == firewall.NFT {
			continue
		}
		for _, c := range t.Chains {
			if c.Name != string(firewall.Prerouting) {
				continue
			}
			for _, rule := range c.Rules {
				if b, ok := parse(rule.Text); ok {
					all = append(all, b)
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b Block) int {
		return cmp.Or(a.Client.Addr().Compare(b.Client.Addr()), cmp.Compare(a.Client.Bits(), b.Client.Bits()), a.VIP.Compare(b.VIP))
	})
	return slices.Compact(all)
}

// parse takes a rule as iptables-save(8) writes it, and only one that is ours word
// for word: of any other, lifting it would take away nothing, or another one.
func parse(text string) (b Block, ours bool) {
	words := strings.Fields(text)
	for i := 0; i+1 < len(words); i++ {
		switch value := &words[i+1]; words[i] {
		case "-s":
			b.Client = network(*value)
			*value = b.Client.String()
		case "-d":
			to := network(*value)
			b.VIP, *value = to.Addr(), to.String()
		case "--comment":
			*value = strings.Trim(*value, `"`)
		}
	}
	return b, b.Client.IsValid() && strings.Join(words, " ") == b.saved()
}

// saved is the rule as iptables-save(8) writes it: addresses with their length.
func (b Block) saved() string {
	match := "-s " + b.Client.String()
	if b.VIP.IsValid() {
		match += " -d " + netip.PrefixFrom(b.VIP, b.VIP.BitLen()).String()
	}
	return "-A " + string(firewall.Prerouting) + " " + match + " -m comment --comment " + netcfg.Comment + " -j " + drop
}

// network reads an address with or without a length.
func network(s string) netip.Prefix {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked()
	}
	a, _ := netip.ParseAddr(s)
	return netip.PrefixFrom(a, a.BitLen())
}

package netcfg

import (
	"cmp"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

type kernelRoute Route

func (r kernelRoute) has() (bool, error) {
	want, err := r.route()
	if err != nil {
		return false, butAbsent(err)
	}
	all, err := whole(func() ([]netlink.Route, error) {
		return netlink.RouteListFiltered(familyOf(r.Via), want, netlink.RT_FILTER_TABLE)
	})
	return slices.ContainsFunc(all, func(now netlink.Route) bool {
		return now.Type == unix.RTN_UNICAST && addrOf(now.Gw) == r.Via && prefixOf(now.Dst) == r.To &&
			(r.Link == "" || now.LinkIndex == want.LinkIndex)
	}), meaning(err)
}

func (r kernelRoute) add() error {
	route, err := r.route()
	if err != nil {
		return err
	}
	route.Protocol = unix.RTPROT_BOOT // as ip(8) has it
	return meaning(netlink.RouteAdd(route))
}

func (r kernelRoute) remove() error {
	route, err := r.route()
	if err != nil {
		return err
	}
	return meaning(netlink.RouteDel(route))
}

func (r kernelRoute) route() (*netlink.Route, error) {
	route := &netlink.Route{Dst: netOf(r.To), Gw: r.Via.AsSlice(), Table: cmp.Or(r.Table, unix.RT_TABLE_MAIN)}
	if r.Link == "" {
		return route, nil
	}
	link, err := netlink.LinkByName(r.Link)
	if err != nil {
		return nil, meaning(err)
	}
	route.LinkIndex = link.Attrs().Index
	return route, nil
}

type kernelRule Rule

func (r kernelRule) has() (bool, error) {
	all, err := whole(func() ([]netlink.Rule, error) { return netlink.RuleList(familyOf(r.From.Addr())) })
	want := r.rule()
	return slices.ContainsFunc(all, func(now netlink.Rule) bool {
		return now.Priority == want.Priority && now.Table == want.Table && prefixOf(now.Src) == r.From &&
			now.IPProto == want.IPProto && samePorts(now.Sport, want.Sport) && now.Dport == nil && now.Dst == nil &&
			!now.Invert && now.Tos == 0 && now.Mark == 0 && now.IifName == "" && now.OifName == "" &&
			now.SuppressPrefixlen == want.SuppressPrefixlen && now.SuppressIfgroup < 0
	}), meaning(err)
}

func samePorts(a, b *netlink.RulePortRange) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

func (r kernelRule) add() error    { return meaning(netlink.RuleAdd(r.rule())) }
func (r kernelRule) remove() error { return meaning(netlink.RuleDel(r.rule())) }

func (r kernelRule) rule() *netlink.Rule {
	rule := netlink.NewRule()
	rule.Family = familyOf(r.From.Addr())
	rule.Src, rule.Table, rule.Priority = netOf(r.From), r.Table, r.Priority
	if r.Near {
		rule.Table, rule.SuppressPrefixlen = unix.RT_TABLE_MAIN, 0
	}
	if r.Protocol != "" {
		rule.IPProto = map[string]int{"tcp": unix.IPPROTO_TCP, "udp": unix.IPPROTO_UDP}[r.Protocol]
		rule.Sport = netlink.NewRulePortRange(r.Port, r.Port)
	}
	return rule
}

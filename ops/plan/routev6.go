package plan

import "fmt"

// ForwardV6 is the sysctl that has IPv6 route on what comes in: one for all links.
const ForwardV6 = "net/ipv6/conf/all/forwarding"

// AcceptRA is the sysctl of a link for routes that routers tell of.
func AcceptRA(link string) string { return "net/ipv6/conf/" + link + "/accept_ra" }

// RouteV6 has the servers' answers routed on. A host that becomes a router loses the
// default route that it has learnt on its link out, unless that goes on to listen (2),
// as somebody may have made it already. Sysctls are as they are now; what is not among
// them this kernel has not.
func RouteV6(now map[string]ChangeSysctl, out string) (items []Item) {
	set := func(name, value, reason string) {
		if step, ok := now[name]; ok {
			step.After = value
			items = append(items, Item{Step: step, Reason: reason})
		}
	}
	if ra := now[AcceptRA(out)].Before; ra == "2" || ra == "1" && now[ForwardV6].Before != "1" {
		set(AcceptRA(out), "2", fmt.Sprintf(
			"A router does not listen to router advertisements unless told so: a default route learnt on %s would go.", out))
	}
	set(ForwardV6, "1", "The servers' answers are routed on to the clients; IPv6 knows this only for all interfaces.")
	return items
}

package probe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"lvsdeck/netcfg"
	"lvsdeck/ops/probe/wire"
)

// census is who answers for an address on a segment.
type census struct {
	VIP   netip.Addr
	Free  bool   // it is asked for before it is bound
	Here  bool   // this host has it
	Link  string // where it was asked for; "": nowhere
	Names map[wire.MAC]netip.Addr

	Claims     []wire.MAC                // who answers, but for this host
	Controls   []netip.Addr              // addresses likely to be unused
	Controlled map[netip.Addr][]wire.MAC // who answers for them
	Servers    map[netip.Addr][]wire.MAC // who the servers are
}

// known takes names from the kernel's table of neighbours.
func (c *census) known(neighbours []netcfg.Neighbour, link string) {
	c.Names = map[wire.MAC]netip.Addr{}
	for _, n := range neighbours {
		if m, ok := wire.ParseMAC(n.MAC); ok && n.Link == link && n.Addr != c.VIP && !n.Addr.IsLinkLocalUnicast() {
			c.Names[m] = n.Addr
		}
	}
}

func (c *census) addresses() []netip.Addr { return slices.Collect(maps.Values(c.Names)) }

// answersAll tells who answers for all addresses: a router with proxy ARP.
func (c *census) answersAll(m wire.MAC) bool {
	for _, a := range c.Controls {
		if !slices.Contains(c.Controlled[a], m) {
			return false
		}
	}
	return len(c.Controls) > 0
}

// server is the server with a MAC.
func (c *census) server(m wire.MAC) (netip.Addr, bool) {
	for _, a := range slices.SortedFunc(maps.Keys(c.Servers), netip.Addr.Compare) {
		if slices.Contains(c.Servers[a], m) {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// judge makes a finding of a census that an error may have ended.
func (c *census) judge(err error) Finding {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return finding(Unknown, Interrupted, "there was no time to wait for answers")
	case err != nil:
		return finding(Unknown, CannotSend, "%v", err)
	case c.Link == "":
		return finding(Unknown, NoSegment, "%s is on no segment of this director's: nobody asks for it there", c.VIP)
	}
	var strangers, proxies []string
	found := Finding{MACs: c.Claims}
	for _, m := range c.Claims {
		server, ok := c.server(m)
		switch {
		case c.answersAll(m):
			proxies = append(proxies, c.name(m))
		case ok:
			found.Servers = append(found.Servers, server)
		default:
			strangers = append(strangers, c.name(m))
		}
	}
	found.Short = c.decide(&found, strangers, proxies)
	found.Evidence = c.evidence()
	if len(found.Servers) > 0 {
		found.Next = nextForClaim(c.VIP)
	}
	return found
}

// decide sets verdict and cause, and gives the words for it.
func (c *census) decide(found *Finding, strangers, proxies []string) (short string) {
	is := func(v Verdict, cause Cause, text string, args ...any) string {
		found.Verdict, found.Cause = v, cause
		return fmt.Sprintf(text, args...)
	}
	switch {
	case len(found.Servers) > 0 && len(strangers) > 0:
		return is(Fault, ServerHasIt, "the servers %s and also %s answer for it", list(found.Servers), strings.Join(strangers, ", "))
	case len(found.Servers) > 0:
		return is(Fault, ServerHasIt, "%s answers for it: a server must be silent about the VIP", list(found.Servers))
	case len(strangers) > 0 && c.Free:
		return is(Fault, HostHasIt, "it is taken: %s has it", strings.Join(strangers, ", "))
	case len(strangers) > 0 && c.Here, len(strangers) > 1:
		return is(Fault, HostHasIt, "%s answers for it, too", strings.Join(strangers, ", "))
	case len(strangers) > 0:
		return is(Unknown, Elsewhere, "%s has it, not this director", strangers[0])
	case len(proxies) > 0:
		return is(Unknown, ProxyARP, "cannot be told: %s answers for every address (proxy ARP)", strings.Join(proxies, ", "))
	case c.Free && c.Here:
		return is(Fine, Alone, "this director has it already, and nobody else")
	case c.Free:
		return is(Fine, Alone, "free")
	case !c.Here:
		return is(Warning, Nowhere, "nobody answers for it, and this director does not have it")
	}
	return is(Fine, Alone, "nobody else answers for it")
}

// name tells what is known about a host that is no server.
func (c *census) name(m wire.MAC) string {
	if id, ok := m.VRRP(); ok {
		return fmt.Sprintf("virtual router %d (VRRP, %s)", id, m)
	}
	if a, ok := c.Names[m]; ok {
		return fmt.Sprintf("%s (%s)", a, m)
	}
	return "the host " + m.String()
}

func (c *census) evidence() []string {
	lines := []string{fmt.Sprintf("%s on %s: %s", asking(c.VIP), c.Link, list(c.Claims))}
	for _, a := range c.Controls {
		lines = append(lines, fmt.Sprintf("%s, which should be unused: %s", asking(a), list(c.Controlled[a])))
	}
	for _, a := range slices.SortedFunc(maps.Keys(c.Servers), netip.Addr.Compare) {
		lines = append(lines, fmt.Sprintf("%s, a server: %s", asking(a), list(c.Servers[a])))
	}
	return lines
}

// list writes all, or that there is none.
func list[T fmt.Stringer](all []T) string {
	var words []string
	for _, one := range all {
		words = append(words, one.String())
	}
	if len(words) == 0 {
		return "no answer"
	}
	return strings.Join(words, ", ")
}

package ui

import (
	"fmt"
	"net/netip"
	"strings"

	"lvsdeck/ops/conns"
	"lvsdeck/ui/paint"
)

// advice is something to read that is no trouble.
type advice struct{ note }

// Body implements layer.
func (a *advice) Body(m *Model, height int) []string {
	lines := []string{m.theme.Line(paint.Ground, m.width).Space(1).Put(paint.Strong, a.title).String(), ""}
	for line := range strings.Lines(a.text) {
		lines = append(lines, wrapped(m, paint.Plain, line, 1)...)
	}
	return a.window(lines, height)
}

// connsEnd says what ends connections: the kernel has no call that does.
func connsEnd(m *Model, c *connections) *advice {
	f := c.view().filter
	if g, ok := c.group(); ok {
		f = f.Narrow(c.by, g)
	}
	parts := []string{"The kernel has no call that ends a connection. What works:"}
	if f.Client.IsValid() {
		parts = append(parts, dropClient(f))
	}
	server := "the server"
	if f.Server.IsValid() {
		server = f.Server.String()
	}
	parts = append(parts,
		fmt.Sprintf("To empty %s: go back to its row; d drains it. It gets no new connections, and those it has end by themselves. Under persistence, f ends what brings clients back.", server),
		fmt.Sprintf("To cut %s off: drain it, then x removes it. With net.ipv4.vs.expire_nodest_conn=1 (D changes it) its connections end at their next packet, and clients that connect again go elsewhere; with 0 their packets are dropped in silence until the connections time out.", server),
		"To lose idle connections sooner: D, timeouts. What is silent for longer than the new value goes when the old one is over.")
	return &advice{note{title: "Ending connections", text: strings.Join(parts, "\n\n")}}
}

// dropClient is the firewall's way, as commands to paste.
func dropClient(f conns.Filter) string {
	tool, client := "iptables", f.Client.Addr().String()
	if f.Client.Addr().Is6() {
		tool = "ip6tables"
	}
	if !f.Client.IsSingleIP() {
		client = f.Client.String()
	}
	match := "-s " + client
	if id := f.Service; id.Addr != (netip.Addr{}) {
		match += " -d " + id.Addr.String()
	}
	return fmt.Sprintf("To keep %s out, drop its packets before IPVS sees them; its connections then end when their time is over:\n  %s -t raw -I PREROUTING %s -j DROP\nand to let it in again:\n  %s -t raw -D PREROUTING %s -j DROP",
		client, tool, match, tool, match)
}

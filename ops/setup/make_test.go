package setup

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"lvsdeck/ipvs"
)

// TestDrafts has each mode for both families, one- and two-armed where that
// makes a difference, as whole texts.
func TestDrafts(t *testing.T) {
	v4 := func(last string) []string { return []string{last + ".11", last + ".12:80,3"} }
	v6 := func(last string) []string { return []string{last + "::11", "[" + last + "::12]:80,3"} }
	for _, c := range []struct {
		name    string
		family  ipvs.Family
		arms    int
		mode    Mode
		servers []string
		more    func(*Wish)
	}{
		{"nat-v4", ipvs.IPv4, 2, NAT, []string{"10.0.3.11:8080", "10.0.3.12,3"}, nil},
		{"nat-v4-snat", ipvs.IPv4, 2, NAT, v4("10.0.3"), func(w *Wish) { w.SNAT = netip.MustParsePrefix("10.0.3.0/24") }},
		{"nat-v4-one-arm", ipvs.IPv4, 1, NAT, v4("203.0.113"), nil},
		{"nat-v6", ipvs.IPv6, 2, NAT, v6("2001:db8:3"), nil},
		{"nat-v6-one-arm", ipvs.IPv6, 1, NAT, v6("2001:db8:2"), nil},
		{"dr-v4", ipvs.IPv4, 1, DR, v4("203.0.113"), nil},
		{"dr-v6", ipvs.IPv6, 1, DR, v6("2001:db8:2"), nil},
		{"tun-v4", ipvs.IPv4, 1, TUN, v4("10.0.9"), nil},
		{"tun-v4-gue", ipvs.IPv4, 2, TUN, v4("10.0.3"), func(w *Wish) { w.Tunnel = ipvs.Tunnel{Type: ipvs.GUE, Port: 6080} }},
		{"tun-v6", ipvs.IPv6, 1, TUN, v6("2001:db8:9"), nil},
		{"fullnat-v4", ipvs.IPv4, 2, FullNAT, v4("10.0.9"), nil},
		{"fullnat-v4-sources", ipvs.IPv4, 1, FullNAT, v4("203.0.113"), func(w *Wish) {
			w.Sources = Range{netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("203.0.113.1")}
			w.Scheduler = "mh"
		}},
		{"fullnat-v6", ipvs.IPv6, 2, FullNAT, v6("2001:db8:3"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, c.family, c.arms)
			vip := "203.0.113.10:80"
			if c.family == ipvs.IPv6 {
				vip = "[2001:db8:2::10]:80"
			}
			w := wish(t, c.mode, vip, c.servers...)
			if c.more != nil {
				c.more(&w)
			}
			d, err := s.draft(w)
			s.ok(err)
			golden(t, c.name+".txt", text(d))
		})
	}
}

// text is a draft for people.
func text(d Draft) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nVIP on %s: %s\n", d.Plan.Title, d.Found.Link, d.Found.LinkWhy)
	for _, w := range d.Warnings {
		fmt.Fprintf(&b, "! %s\n", w)
	}
	for i, item := range d.Plan.Items {
		fmt.Fprintf(&b, "\n%d %s\n  %s\n", i+1, item.Step, item.Reason)
		for line := range strings.Lines(item.Step.Command()) {
			fmt.Fprintf(&b, "    %s\n", strings.TrimRight(line, "\n"))
		}
	}
	b.WriteString("\n")
	for _, s := range d.Servers {
		fmt.Fprintf(&b, "server %s: on-link %t, sees the director as %s, shares the VIP's segment %t\n", s.Addr, s.OnLink, s.Director, s.Shares)
	}
	return b.String()
}

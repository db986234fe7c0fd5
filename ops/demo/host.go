package demo

import (
	"fmt"
	"net/netip"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
)

// The director's networks besides those of netcfg.New: one for each group of NAT's
// servers, and the way to those behind tunnels. A big director has all its servers
// on one.
const (
	natLink = "eth2"
	dipBig  = "10.16.0.1/14"
)

var (
	natNetworks = []string{"10.0.5.1/24", "10.0.6.1/24", "10.0.7.1/24", "10.0.8.1/24", "10.0.9.1/24", "2001:db8:5::1/64"}
	routes      = []netcfg.Route{
		{To: netip.MustParsePrefix("::/0"), Via: netip.MustParseAddr("2001:db8::1"), Link: "eth0"},
		{To: netip.MustParsePrefix("10.20.0.0/15"), Via: netip.MustParseAddr("10.0.3.254"), Link: "eth1"},
	}
)

// marking is the rule that gives packets their mark.
const marking = "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d %s/32 -p tcp -m tcp --dport %d -j MARK --set-xmark 0x7/0xffffffff\nCOMMIT\n"

// newHost makes a host up on which services of the table work: it has their VIPs,
// reaches their servers, and routes the answers of those that need it.
func (d *Demo) newHost() {
	h := netcfg.New()
	h.Plug(natLink, natNetworks...)
	for link, prefixes := range map[string][]string{"eth0": {"2001:db8::2/64"}, "eth1": {"2001:db8:3::1/64", dipBig}} {
		for _, p := range prefixes {
			must(h.Add(netcfg.Address{Link: link, Prefix: netip.MustParsePrefix(p)}))
		}
	}
	for _, r := range routes {
		must(h.Add(r))
	}
	must(h.Set("net/ipv4/ip_forward", "1"))
	must(h.Set("net/ipv6/conf/all/forwarding", "1"))
	h.PutFirewall(false, fmt.Sprintf(marking, markedAt.Addr(), markedAt.Port()))
	must(h.Add(netcfg.Address{Link: "eth0", Prefix: netip.PrefixFrom(markedAt.Addr(), markedAt.Addr().BitLen())}))
	known := map[netip.Addr]bool{markedAt.Addr(): true}
	for id := range d.loads {
		if !id.IsMark() && !known[id.Addr] {
			known[id.Addr] = true
			must(h.Add(netcfg.Address{Link: "eth0", Prefix: netip.PrefixFrom(id.Addr, id.Addr.BitLen()), NotSource: id.Family == ipvs.IPv6}))
		}
	}
	d.host = h
}

// Host is the host around the director's table. It may be changed like any other.
func (d *Demo) Host() *netcfg.Memory { return d.host }

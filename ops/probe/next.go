package probe

import (
	"fmt"
	"net/netip"

	"lvsdeck/ipvs"
)

// next gives commands for the server that tell which of the possible reasons it
// is, each with what to look for.
func (f *facts) next(c Cause) []string {
	vip, port := f.VIP.Addr(), f.VIP.Port()
	if f.Server.Forward == ipvs.Masq {
		vip, port = f.Server.Addr.Addr(), f.Server.Addr.Port()
	}
	address := fmt.Sprintf("ip address show to %s  # nothing: the address is missing", vip)
	listens := fmt.Sprintf("ss -ltn 'sport = :%d'  # must listen on %s or on all addresses", port, vip)
	rules := firewall(vip, "packets for "+vip.String())
	own := fmt.Sprintf("ip route get %s  # local or dev lo: the server takes this director's address for its own", f.Source)
	switch c {
	case NothingListens, OtherAddress, OtherPort:
		return []string{listens}
	case Rejected:
		return []string{rules}
	case Dropped:
		lines := []string{rules, fmt.Sprintf("ss -ltn 'sport = :%d'  # Recv-Q above Send-Q: the program takes no more connections", port)}
		if f.Server.Forward != ipvs.Masq && vip.Is6() {
			lines = append(lines, own)
		}
		return lines
	case VIPMissing:
		return []string{address}
	case VIPSilent:
		return []string{address, rules, fmt.Sprintf("tcpdump -ni any host %s  # answers leave: somebody on the way drops what comes from the VIP", vip)}
	case ShortPrefix:
		return []string{fmt.Sprintf("ip address show to %s  # must end in /%d", vip, vip.BitLen()), own}
	case OneSource:
		return []string{
			"sysctl -a -r 'conf.*[.]rp_filter'  # of all and the link toward the director the greater must not be 1",
			fmt.Sprintf("ip route get %s from %s  # the way of its answers", f.Far.Header.Src, vip),
		}
	case NoTunnel:
		return []string{"modprobe " + f.module(), fmt.Sprintf("ip link set %s up", f.device())}
	case TunnelDown, TunnelSilent:
		return f.nextTunnel(c)
	case TooBig:
		if f.pathMTU() > 0 {
			return []string{fmt.Sprintf("ip route show default  # write it again with: advmss %d", f.fittingMSS())}
		}
	case BlackHole:
		return []string{fmt.Sprintf("ip link  # an MTU below this director's %d? on routers on the way, too", f.Link.MTU)}
	case OtherGateway, NoWayBack:
		get := fmt.Sprintf("ip route get %s from %s", f.Beyond, vip)
		if f.hasPort() {
			get += fmt.Sprintf(" ipproto tcp sport %d", port)
		}
		return []string{get + fmt.Sprintf("  # must go via %s, this director", f.Source)}
	case HopSilent:
		return []string{"ip address; ip neighbour  # is the link up, and does it know this director?"}
	case ServerSilent:
		return []string{own, rules}
	}
	return nil
}

func (f *facts) nextTunnel(c Cause) []string {
	device := f.device()
	lines := []string{fmt.Sprintf("ip -s link show %s  # must be UP, and its RX packets grow with each probe", device)}
	if f.Server.Tunnel.Type == ipvs.GUE {
		lines = append(lines, fmt.Sprintf("ip fou show  # must have: port %d gue", f.Server.Tunnel.Port))
	}
	if c == TunnelSilent && f.needsMode() {
		lines = append(lines, fmt.Sprintf("ip -6 tunnel show %s  # ipv6/ipv6: then ip -6 tunnel change %s mode any", device, device))
	}
	if c == TunnelSilent && f.VIP.Addr().Is4() {
		lines = append(lines, rpFilter(device))
	}
	return append(lines, firewall(f.Server.Addr.Addr(), f.encapsulation()))
}

// firewall looks for a rule about packets of an address's family.
func firewall(a netip.Addr, what string) string {
	save := "iptables-save"
	if a.Is6() {
		save = "ip6tables-save"
	}
	return fmt.Sprintf("%s; nft list ruleset  # a rule that drops or rejects %s", save, what)
}

func rpFilter(link string) string {
	return fmt.Sprintf("sysctl net.ipv4.conf.all.rp_filter net.ipv4.conf.%s.rp_filter  # the greater must be 0, or 2 if %s has an address", link, link)
}

// nextForClaim is about a server that answers for a VIP it should be silent
// about.
func nextForClaim(vip netip.Addr) []string {
	if vip.Is6() {
		return []string{fmt.Sprintf("ip address show to %s  # must be on lo, not on a card", vip)}
	}
	return []string{
		fmt.Sprintf("ip address show to %s  # must be on lo", vip),
		"sysctl -a -r 'conf.*[.]arp_(ignore|announce)'  # of all and the card the greater arp_ignore must be 1 to 3, arp_announce 2",
	}
}

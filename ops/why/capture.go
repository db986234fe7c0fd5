package why

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"lvsdeck/ipvs"
	"lvsdeck/ops"
	"lvsdeck/ops/plan"
)

// Capture is a command that shows a service's packets where they pass.
type Capture struct {
	Where  string   // "this director"
	Args   []string // tcpdump and its arguments; the filter is the last
	Expect string   // what is to be seen when all is well, and what it means when not
}

// String is the command for a shell.
func (c Capture) String() string {
	words := make([]string, len(c.Args))
	for i, a := range c.Args {
		words[i] = plan.Quoted(a)
	}
	return strings.Join(words, " ")
}

// most bounds a capture, which on a busy director would not end by itself.
const most = "200"

// tcpdump is one that looks up no names. With hardware, it shows the hardware
// addresses by which DR tells servers apart.
func tcpdump(link string, hardware bool, filter string) []string {
	flags := "-ni"
	if hardware {
		flags = "-nei"
	}
	return []string{"tcpdump", flags, link, "-c", most, filter}
}

// capture is what commands are made of: one server's part of a service. Of a mark
// service the VIP is not known.
type capture struct {
	service     *ops.Service
	server      *ops.Server // nil: the service has none
	front, back string      // "": not known
	own         netip.Addr  // the director's towards the server
	mac         string      // the next hop's
	local       bool        // the server is the director
}

// captures are the commands for the director, the server and a client.
func (c capture) captures() (all []Capture) {
	link := "any"
	if c.front != "" && (c.front == c.back || c.back == "") {
		link = c.front
	}
	seen, expect := c.onDirector()
	if seen != "" {
		all = append(all, Capture{"this director", tcpdump(link, c.mode() == ipvs.Direct && link != "any", seen), expect})
	}
	if c.server != nil && !c.local {
		if seen, expect := c.onServer(); seen != "" {
			all = append(all, Capture{"the server " + c.server.Addr.Addr().String(), tcpdump("any", false, seen), expect})
		}
	}
	if !c.service.IsMark() {
		icmp := map[bool]string{true: "icmp", false: "icmp6"}[c.service.Addr.Is4()]
		all = append(all, Capture{
			"a client", tcpdump("any", false, c.asked()+" or "+icmp),
			"The client's packets leave, and answers come from the VIP. A reset says who is there and that nothing listens; an error of ICMP says who stopped it.",
		})
	}
	return all
}

func (c capture) mode() ipvs.Forward {
	if c.server == nil {
		return ipvs.LocalNode
	}
	return c.server.Forward
}

// asked are the packets between clients and the VIP.
func (c capture) asked() string { return "(" + host(c.service.Addr) + c.port(c.service.Port) + ")" }

func host(a netip.Addr) string { return "host " + a.WithZone("").String() }

// port is the part of a filter for the service's protocol and a port of it; 0 is
// every port.
func (c capture) port(n uint16) string {
	proto := map[ipvs.Protocol]string{ipvs.TCP: "tcp", ipvs.UDP: "udp", ipvs.SCTP: "sctp"}[c.service.Protocol]
	switch {
	case proto == "" && n == 0:
		return ""
	case proto == "":
		return " and port " + strconv.Itoa(int(n))
	case n == 0:
		return " and " + proto
	}
	return fmt.Sprintf(" and %s port %d", proto, n)
}

// handed are the packets between the director and the server, or "" when they look
// like those between clients and the VIP.
func (c capture) handed() string {
	switch {
	case c.local:
		return ""
	case c.mode() == ipvs.Masq:
		return "(" + host(c.server.Addr.Addr()) + c.port(c.server.Addr.Port()) + ")"
	case c.mode() == ipvs.TunnelFwd:
		return "(" + host(c.server.Addr.Addr()) + " and " + c.tunnel() + ")"
	}
	return ""
}

// tunnel is the outside of the tunnel's packets, see ip_vs_tunnel_xmit of the
// kernel.
func (c capture) tunnel() string {
	switch t := c.server.Tunnel; {
	case t.Type == ipvs.GUE:
		return "udp port " + strconv.Itoa(int(t.Port))
	case t.Type == ipvs.GRE:
		return "proto 47"
	case c.service.Family == ipvs.IPv6:
		return "proto 41"
	}
	return "proto 4"
}

func (c capture) onDirector() (filter, expect string) {
	handed := c.handed()
	switch {
	case c.service.IsMark() && handed == "":
		return "", ""
	case c.service.IsMark():
		return handed, "Clients' packets as they are handed to the server."
	case c.mode() == ipvs.Masq && handed != "":
		expect = fmt.Sprintf("Each packet twice: between the client and the VIP, and between the client and %s. Requests alone: the server's answers do not come back here.", c.server.Addr)
	case c.mode() == ipvs.TunnelFwd:
		expect = "Each packet of a client twice: as it comes, and in the tunnel. Answers do not pass here."
	case c.mode() == ipvs.Direct && !c.local:
		expect = "Each packet of a client twice: as it comes, and handed on " + c.hardware() + ". Answers do not pass here."
	default:
		expect = "The client's packets come in, and answers leave."
	}
	if handed != "" {
		handed = " or " + handed
		if len(c.service.Servers) > 1 {
			expect += " Of connections with other servers the clients' side alone is shown."
		}
	}
	return c.asked() + handed, expect + " No packet at all: look at the router before this director."
}

// hardware is by what a packet is known that is handed on.
func (c capture) hardware() string {
	to := "to " + c.server.Addr.Addr().String()
	switch {
	case c.front != c.back && c.back != "":
		return "by " + c.back + " " + to
	case c.mac != "":
		return to + ", which is " + c.mac
	}
	return to
}

func (c capture) onServer() (filter, expect string) {
	switch c.mode() {
	case ipvs.Masq:
		return c.handed(), "The client's packets come in, and the answers leave for the client, by way of the director. No answer: the program or a firewall. Answers that the director does not see: the server's gateway."
	case ipvs.Direct:
		if c.service.IsMark() {
			return "", ""
		}
		return c.asked(), "The client's packets come in, and answers leave with the VIP as their source. No answer: the VIP is missing on the server, rp_filter, the program, or a firewall."
	case ipvs.TunnelFwd:
		expect = "Each packet of a client in the tunnel and then without it, and answers with the VIP as their source. In the tunnel only: its module or device is missing, or rp_filter."
		if c.service.IsMark() {
			return c.outside(), expect
		}
		return c.asked() + " or " + c.outside(), expect
	}
	return "", ""
}

// outside is the tunnel's packets as the server gets them.
func (c capture) outside() string {
	if c.own.IsValid() {
		return "(" + host(c.own) + " and " + c.tunnel() + ")"
	}
	return "(" + c.tunnel() + ")"
}

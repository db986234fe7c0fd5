package check

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"lvsdeck/ipvs"
	"lvsdeck/lab"
)

// scenario breaks a director in one way, or in two.
type scenario struct {
	of   []int // failures of the catalogue
	name string
	mode lab.Mode
	v6   bool
	harm func(*director)
	lost bool   // clients are not served
	want string // findings above notices, or with one all; RS1, RS2, and KEPT, who has a connection, are servers
}

// on gives commands for the director.
func on(commands ...string) func(*director) {
	return func(d *director) { d.run(d.Director, commands...) }
}

// at gives commands for a server.
func at(server int, commands ...string) func(*director) {
	return func(d *director) { d.run(d.Servers[server], commands...) }
}

// both does one thing after another.
func both(all ...func(*director)) func(*director) {
	return func(d *director) {
		for _, harm := range all {
			harm(d)
		}
	}
}

var scenarios = []scenario{
	{nil, "VIP removed", lab.NAT, false, on("ip addr del VIP/32 dev eth0"), true, "fault vip - fix"},
	{nil, "VIP removed, IPv6", lab.DR, true, on("ip addr del VIP/128 dev eth0"), true, "fault vip - fix"},
	{nil, "the clients' card off", lab.NAT, false, func(d *director) {
		// Routes through gateways go with the card, and do not come back with it.
		d.client = d.Host("near")
		d.client.Join(d.Wan, "eth0", "203.0.113.50/24")
		d.run(d.Director, "ip link set eth0 down")
	}, true, "fault link - fix"},
	{[]int{13}, "forwarding off", lab.NAT, false, on("sysctl -w net.ipv4.ip_forward=0"), true, "fault forwarding - fix"},
	{[]int{13}, "forwarding off on one link", lab.NAT, false, on("sysctl -w net.ipv4.conf.eth1.forwarding=0"), true, "fault forwarding - fix"},
	{[]int{13}, "forwarding off, IPv6", lab.NAT, true, on("sysctl -w net.ipv6.conf.all.forwarding=0"), true, "fault forwarding - fix"},
	{nil, "forwarding off under DR, where it is not needed", lab.DR, false, on("sysctl -w net.ipv4.ip_forward=0"), false, ""},

	{[]int{27}, "FORWARD drops", lab.NAT, false, on("iptables -P FORWARD DROP"), true, "fault firewall - fix"},
	{[]int{27}, "FORWARD drops but what is established", lab.NAT, false, on("iptables -P FORWARD DROP", "iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"), true, "fault firewall - fix"},
	{[]int{27}, "FORWARD drops, IPv6", lab.NAT, true, on("ip6tables -P FORWARD DROP"), true, "fault firewall - fix"},
	{[]int{27}, "FORWARD drops one server", lab.NAT, false, on("iptables -A FORWARD -s RIP2 -j DROP"), true, "fault firewall RS2 fix"},
	{nil, "FORWARD drops under TUN, which does not pass it", lab.TUN, false, on("iptables -P FORWARD DROP"), false, ""},
	{[]int{28}, "INPUT drops", lab.DR, false, on("iptables -P INPUT DROP"), true, "fault firewall - fix"},
	{[]int{28}, "INPUT rejects", lab.TUN, false, on("iptables -A INPUT -p tcp -m multiport --dports 1:79 -j REJECT"), true, "fault firewall - fix"},
	{[]int{21, 28}, "OUTPUT drops tunnels", lab.TUN, false, on("iptables -A OUTPUT -p 4 -j DROP"), true, "fault firewall - fix"},
	{[]int{28}, "OUTPUT drops by nft", lab.DR, false, on("nft add table inet t", "nft add chain inet t o { type filter hook output priority 0; policy accept; }", "nft add rule inet t o ip daddr VIP drop"), true, "fault firewall -"},
	{[]int{29}, "legacy iptables beside the other", lab.NAT, false, on("iptables -A INPUT -p icmp -j ACCEPT", "iptables-legacy -P FORWARD DROP"), true, "fault firewall -, warning iptables"},

	{[]int{25}, "conntrack, and INVALID dropped", lab.DR, false, on("sysctl -w net.ipv4.vs.conntrack=1", "iptables -A INPUT -m conntrack --ctstate INVALID -j DROP"), true, "fault conntrack - fix"},
	{[]int{26}, "conntrack and MASQUERADE", lab.DR, false, on("sysctl -w net.ipv4.vs.conntrack=1", "iptables -t nat -A POSTROUTING -j MASQUERADE"), true, "fault conntrack - fix"},
	{[]int{26}, "conntrack and MASQUERADE under NAT", lab.NAT, false, on("sysctl -w net.ipv4.vs.conntrack=1", "iptables -t nat -A POSTROUTING -j MASQUERADE"), false, "notice conntrack -"},
	{nil, "full NAT by a subnet's rule, where it is meant", lab.NAT, false, func(d *director) {
		d.run(d.Director, "sysctl -w net.ipv4.vs.conntrack=1", "iptables -t nat -A POSTROUTING -d 10.0.3.0/24 -o eth1 -j MASQUERADE")
		for _, h := range d.Servers {
			d.run(h, "ip route del default")
		}
	}, false, "notice conntrack -"},
	{nil, "a firewall that lives by NOTRACK", lab.DR, false, on("iptables -t raw -A PREROUTING -d VIP -p tcp --dport 7 -j CT --notrack",
		"iptables -A INPUT -m conntrack --ctstate ESTABLISHED,UNTRACKED -j ACCEPT", "iptables -P INPUT DROP"), false, ""},
	{nil, "clients by another card than the VIP's", lab.NAT, false, on("ip addr del VIP/32 dev eth0", "ip addr add VIP/32 dev eth1",
		"iptables -A INPUT -i eth0 -p tcp --dport 7 -j ACCEPT", "iptables -P INPUT DROP"), false, "notice firewall -"},
	{[]int{24}, "full NAT without conntrack", lab.NAT, false, func(d *director) {
		d.run(d.Director, "iptables -t nat -A POSTROUTING -m ipvs --vaddr VIP --vport 7 --vdir ORIGINAL --vmethod MASQ -j MASQUERADE")
		for _, h := range d.Servers {
			d.run(h, "ip route del default")
		}
	}, true, "fault full nat - fix"},

	{[]int{30}, "no server", lab.NAT, false, on("ipvsadm -d -t SERVICE -r RIP1:7", "ipvsadm -d -t SERVICE -r RIP2:7"), true, "fault no server -"},
	{[]int{30}, "weight 0", lab.TUN, false, on("ipvsadm -e -t SERVICE -r RIP1:7 -i -w 0", "ipvsadm -e -t SERVICE -r RIP2:7 -i -w 0"), true, "fault no server - fix"},
	{nil, "no scheduler", lab.DR, false, func(d *director) {
		v, err := d.table.Service(d.t.Context(), ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(d.VIP, lab.TCPPort)))
		d.ok(err)
		v.Scheduler = "none"
		d.ok(d.table.SetService(d.t.Context(), v.Service))
	}, true, "fault scheduler - fix"},
	{[]int{31}, "all full", lab.DR, false, on("ipvsadm -e -t SERVICE -r RIP1:7 -g -x 1", "ipvsadm -e -t SERVICE -r RIP2:7 -g -x 1"), true, "fault threshold RS1, fault threshold RS2"},
	{[]int{6}, "a DR server with a port of its own", lab.DR, false, func(d *director) {
		id := ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(d.VIP, 9001)) // ipvsadm would write the service's port
		d.ok(d.table.AddService(d.t.Context(), ipvs.NewService(id)))
		d.ok(d.table.AddServer(d.t.Context(), id, ipvs.Server{Addr: netip.MustParseAddrPort(d.at(0)), Forward: ipvs.Direct, Weight: 1}))
	}, false, "warning ports RS1"},
	{nil, "a mark that nobody sets", lab.NAT, false, on("ipvsadm -A -f 7 -s rr", "ipvsadm -a -f 7 -r RIP1:7 -m"), false, "warning mark -"},
	{nil, "no route", lab.TUN, false, on("ip route del default"), true, "fault route RS1, fault route RS2"},
	{[]int{14}, "DR behind a router", lab.DR, false, on("ipvsadm -a -t SERVICE -r 198.51.100.2:7 -g"), true, "warning route 198.51.100.2:7"},
	{[]int{52}, "server off", lab.NAT, false, func(d *director) {
		d.run(d.Servers[1], "ip link set eth0 down")
		d.run(d.Director, "ip neigh flush dev eth1")
	}, true, "fault neighbour RS2"},
	{[]int{11}, "clients beside the servers", lab.NAT, false, func(d *director) {
		d.client = d.Host("near")
		d.client.Join(d.Lan, "eth0", "10.0.3.50/24")
		d.client.AddRoute("0.0.0.0/0", "10.0.3.1")
	}, true, "fault shortcut RS1, fault shortcut RS2"},
	{[]int{9}, "one gateway is not the director", lab.NAT, false, both(at(1, "ip route del default"), forgotten, several), true, "fault half-open RS2"},
	{[]int{15}, "the gateway of a DR server is the director", lab.DR, false, both(at(1, "ip route replace default via 203.0.113.1"), forgotten, several), true, "fault half-open RS2"},
	{[]int{12}, "one arm", lab.DR, false, func(d *director) {
		for n, h := range d.Servers {
			// They do not take the advice, which would outlive the fix.
			d.run(h, "ip route replace default via 203.0.113.1", "sysctl -w net.ipv4.conf.all.accept_redirects=0 net.ipv4.conf.eth0.accept_redirects=0")
			d.run(d.Director, fmt.Sprintf("ipvsadm -e -t SERVICE -r RIP%d:7 -m", n+1))
		}
		d.run(d.Director, "sysctl -w net.ipv4.ip_forward=1")
		d.unadvised()
	}, false, "warning redirects - fix"},
	{[]int{23}, "packets too big for the tunnel", lab.TUN, false, func(d *director) {
		d.run(d.client, "ip link set dev eth0 gso_max_segs 1") // packets as they are on a wire
		d.upload(256 << 10)
		d.counted()
	}, false, "warning answers KEPT"},
	{[]int{41}, "SYN flood", lab.DR, false, (*director).flood, false, "warning flood -"},

	{[]int{32}, "drained but held", lab.DR, false, func(d *director) {
		d.run(d.Director, "ipvsadm -E -t SERVICE -s rr -p 300")
		_, server := d.keep()
		d.run(d.Director, fmt.Sprintf("ipvsadm -e -t SERVICE -r RIP%d:7 -g -w 0", server+1))
		d.leaves(server)
	}, false, "notice drain KEPT fix"},
	{[]int{33}, "persistence, and one address for all clients", lab.DR, false, func(d *director) {
		d.run(d.Director, "ipvsadm -E -t SERVICE -s rr -p 300")
		d.ok(d.clients(fewHeld, patience))
	}, false, "notice persistence -"},
	{[]int{34}, "removed under a client", lab.NAT, false, func(d *director) {
		c, server := d.keep()
		for again := -1; again != server; _, again = d.keep() { // one that goes on to hang
		}
		d.run(d.Director, fmt.Sprintf("ipvsadm -d -t SERVICE -r RIP%d:7", server+1))
		d.resets(c)
	}, false, "warning removed server KEPT fix"},
	{[]int{47}, "a service removed under a client", lab.NAT, false, func(d *director) {
		d.run(d.Director, "ipvsadm -A -t VIP:9001 -s rr", "ipvsadm -a -t VIP:9001 -r RIP1:7 -m")
		c, _ := d.hold(netip.AddrPortFrom(d.VIP, 9001).String())
		d.hold(netip.AddrPortFrom(d.VIP, 9001).String()) // and one that goes on to hang
		d.run(d.Director, "ipvsadm -D -t VIP:9001")
		d.resets(c)
	}, false, "warning removed server RS1 fix"},
	{[]int{48}, "estimator off", lab.NAT, false, both(on("sysctl -w net.ipv4.vs.run_estimation=0"), (*director).counts), false, "warning estimator fix"},
	{[]int{35}, "ports reused", lab.NAT, false, on("sysctl -w net.ipv4.vs.conn_reuse_mode=0", "ipvsadm -e -t SERVICE -r RIP2:7 -m -w 0"), false, "warning conn_reuse_mode fix"},
	{nil, "a defence left on", lab.TUN, false, on("sysctl -w net.ipv4.vs.drop_packet=3"), false, "warning defence fix"},
	{[]int{42}, "sync daemon cut off", lab.DR, false, both(syncLink, on("ip link set sync0 down")), false, "warning sync daemon fix"},
	{[]int{42}, "sync daemon's packets dropped", lab.NAT, false, both(syncLink, on("iptables -A OUTPUT -d 224.0.0.0/4 -j DROP")), false, "warning sync daemon fix"},
	{[]int{43}, "a director that stands by and balances", lab.DR, false, on("ip link add sync0 type dummy", "ip link set sync0 up", "ipvsadm --start-daemon backup --mcast-interface sync0"), false, "notice sync daemon"},
	{[]int{51}, "rules saved with names", lab.NAT, false, func(d *director) {
		d.watch.from.RulesFile = filepath.Join(d.t.TempDir(), "rules")
		d.ok(os.WriteFile(d.watch.from.RulesFile, []byte("-A -t www.example.org:http -s rr\n"), 0o600))
	}, false, "warning unsaved"},

	{nil, "two: VIP and FORWARD", lab.NAT, false, on("ip addr del VIP/32 dev eth0", "iptables -A FORWARD -s RIP1 -j DROP"), true, "fault vip - fix, fault firewall RS1 fix"},
	{nil, "two: forwarding and INPUT", lab.NAT, false, on("sysctl -w net.ipv4.ip_forward=0", "iptables -P INPUT DROP"), true, "fault firewall - fix, fault forwarding - fix"},
	{nil, "two: one full, one off", lab.NAT, false, both(at(1, "ip link set eth0 down"), on("ip neigh flush dev eth1", "ipvsadm -e -t SERVICE -r RIP1:7 -m -x 1")), true, "fault neighbour RS2, warning threshold RS1"},
	{nil, "two: conntrack and OUTPUT", lab.DR, false, on("sysctl -w net.ipv4.vs.conntrack=1", "iptables -A INPUT -m conntrack --ctstate INVALID -j DROP", "iptables -A OUTPUT -d VIP -j DROP"), true, "fault conntrack - fix, fault firewall - fix"},
	{nil, "two: estimator and reuse", lab.TUN, false, on("sysctl -w net.ipv4.vs.run_estimation=0", "sysctl -w net.ipv4.vs.conn_reuse_mode=0", "ipvsadm -e -t SERVICE -r RIP2:7 -i -w 0"), false, "warning conn_reuse_mode fix, warning estimator fix"},
	{nil, "two: one full, the other without gateway", lab.NAT, false, both(at(1, "ip route del default"), forgotten, several, on("ipvsadm -e -t SERVICE -r RIP1:7 -m -x 2")), true, "fault half-open RS2, warning threshold RS1"},
}

// sick is a server that is broken in one way.
type sick struct {
	of   int // failure of the catalogue
	name string
	harm func(d *director, n int)
	want string // with a probe; RS is the server
}

// there gives commands for the server itself.
func there(commands ...string) func(*director, int) {
	return func(d *director, n int) { d.run(d.Servers[n], d.named(n, commands)...) }
}

// served gives the server a service of its own, with that port on both sides.
func served(port uint16) func(*director, int) {
	return func(d *director, n int) {
		d.run(d.Director, d.named(n, []string{
			"ipvsadm -d -t SERVICE -r RIP:7", fmt.Sprintf("ipvsadm -A -t VIP:%d -s rr", port), fmt.Sprintf("ipvsadm -a -t VIP:%d -r RIP:%d %s", port, port, d.Mode.Flag()),
		})...)
	}
}

const fromVIP = "iptables -A INPUT -d VIP -p tcp --dport 7 -j "

// servers are broken ones, all at once on one director, beside one that is not.
var servers = []struct {
	mode lab.Mode
	name string
	harm func(*director) // what is wrong beside them
	sick []sick
}{
	{lab.DR, "DR", nil, []sick{
		{1, "answers ARP for the VIP", there("sysctl -w net.ipv4.conf.all.arp_ignore=0"), "fault probe of VIP RS"},
		{4, "has no VIP", there("ip addr del VIP/32 dev lo"), "fault probe RS"},
		{5, "has the VIP with /24", there("ip addr del VIP/32 dev lo", "ip addr add VIP/24 dev lo"), "fault probe RS"},
		{6, "does not listen", served(9001), "fault probe RS:9001"},
		{7, "listens at its own address only", func(d *director, n int) {
			d.Servers[n].ServeTCP(netip.AddrPortFrom(d.Addrs[n], 9002).String())
			served(9002)(d, n)
		}, "fault probe RS:9002"},
		{8, "has a firewall that drops", there(fromVIP + "DROP"), "fault probe RS"},
		{8, "has a firewall that rejects", there(fromVIP + "REJECT"), "fault probe RS"},
	}},
	{lab.NAT, "NAT", func(d *director) { d.Router.Join(d.Lan, "eth2", "10.0.3.254/24") }, []sick{
		{9, "has another gateway", there("ip route replace default via 10.0.3.254"), "fault probe RS"},
		{10, "has no gateway", there("ip route del default"), "fault probe RS"},
		{8, "has a firewall that drops", there("iptables -A INPUT -p tcp --dport 7 -j DROP"), "fault probe RS"},
	}},
	{lab.NAT, "another host with the VIP", func(d *director) {
		stray := d.Host("stray")
		stray.Join(d.Wan, "eth0", "203.0.113.66/24")
		stray.AddVIP("eth0", d.VIP)
	}, []sick{{3, "sound, but another host has the VIP", nil, "fault probe of VIP -"}}},
	{lab.TUN, "GUE", func(d *director) {
		lab.Modprobe(d.t, "fou")
		for n, h := range d.Servers {
			d.run(h, "ip fou add port 5555 gue")
			d.run(d.Director, d.named(n, []string{"ipvsadm -e -t SERVICE -r RIP:7 -i --tun-type gue --tun-port 5555"})...)
		}
	}, []sick{
		{20, "has its GUE port closed", there("ip fou del port 5555"), "fault probe RS"},
	}},
	{lab.TUN, "TUN", nil, []sick{
		{4, "has no VIP", there("ip addr del VIP/32 dev tunl0"), "fault probe RS"},
		{16, "has rp_filter on tunl0", there("sysctl -w net.ipv4.conf.tunl0.rp_filter=1"), "fault probe RS"},
		{19, "has tunl0 down", there("ip link set tunl0 down"), "fault probe RS"},
		{21, "drops tunnels' packets", there("iptables -A INPUT -p 4 -j DROP"), "fault probe RS"},
		{22, "is behind a router that drops what comes from the VIP", func(d *director, n int) {
			_, mac := d.Servers[n].Card("eth0")
			d.run(d.Router, "iptables -A FORWARD -s VIP -m mac --mac-source "+mac.String()+" -j DROP")
		}, "fault probe RS"},
	}},
}

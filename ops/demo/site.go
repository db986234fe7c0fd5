package demo

import (
	"context"
	"net/netip"
	"time"

	"lvsdeck/ipvs"
)

// The ways services of the site are used.
var (
	website = profile{conns: 2100, open: 5.9, closing: 19, linger: 110, perConn: bytes{in: 1800}, perSec: bytes{in: 900}, inPacket: 110}
	resends = profile{conns: 160, open: .4, closing: 8, linger: 5, perConn: bytes{in: 420}, inPacket: 84}
	names   = profile{conns: 900, closing: 10, linger: 10, perConn: bytes{70, 190}, inPacket: 70}
	mail    = profile{conns: 7, open: 22, closing: 60, linger: 90, perConn: bytes{38_000, 2_100}, inPacket: 900}
	api     = profile{conns: 74, open: 14, closing: 12, linger: 40, perConn: bytes{3_200, 21_000}, perSec: bytes{60, 240}, inPacket: 310}
	marked  = profile{conns: 31, open: 26.5, closing: 4.5, linger: 180, perConn: bytes{in: 5_500}, perSec: bytes{in: 2_400}, inPacket: 240}
	uploads = profile{conns: 12, open: 41, closing: 20, linger: 240, perConn: bytes{in: 2_400_000}, inPacket: 1340}
	peers   = profile{conns: .02, open: 2600, closing: 30, linger: 2600, perSec: bytes{5_200, 4_700}, inPacket: 410}
	calls   = profile{conns: 18, closing: 45, linger: 45, perConn: bytes{4_800, 5_100}, inPacket: 610}
	quic    = profile{conns: 340, closing: 28, linger: 28, perConn: bytes{in: 26_000}, inPacket: 330}
)

// draining is the server of the site that was drained a while before the calm is
// over.
var draining = server(ipvs.Direct, "10.0.3.13:443", 0)

// The services of which the script of a bad day speaks.
var (
	webID  = address(ipvs.TCP, "203.0.113.10:443")
	dnsID  = address(ipvs.UDP, "203.0.113.53:53")
	mailID = address(ipvs.TCP, "203.0.113.25:25")
	apiID  = address(ipvs.TCP, "198.51.100.20:443")
)

// buildSite sets up the director of a middle-sized site.
func (d *Demo) buildSite() {
	const dr, nat, tun = ipvs.Direct, ipvs.Masq, ipvs.TunnelFwd
	d.add(website, service(webID, "wlc"),
		server(dr, "10.0.3.11:443", 100), server(dr, "10.0.3.12:443", 100),
		server(dr, "10.0.3.13:443", 100), server(dr, "10.0.3.14:443", 100))
	d.add(resends, service(address(ipvs.TCP, "203.0.113.10:80"), "wrr"),
		server(dr, "10.0.3.11:80", 100), server(dr, "10.0.3.12:80", 100), server(dr, "10.0.3.14:80", 50))
	d.add(quic, service(address(ipvs.UDP, "203.0.113.10:443"), "sh", flags(ipvs.SchedFlag1|ipvs.SchedFlag2)),
		server(dr, "10.0.3.11:443", 100), server(dr, "10.0.3.12:443", 100), server(dr, "10.0.3.14:443", 100))
	d.add(names, service(dnsID, "rr"),
		server(nat, "10.0.5.11:53", 1), server(nat, "10.0.5.12:53", 1))
	d.add(names.times(.2), service(address(ipvs.UDP, "[2001:db8::53]:53"), "rr"),
		server(nat, "[2001:db8:5::11]:53", 1), server(nat, "[2001:db8:5::12]:53", 1))
	d.add(mail, service(mailID, "lc"),
		server(nat, "10.0.6.11:25", 10), server(nat, "10.0.6.12:25", 10))
	d.add(api, service(apiID, "wlc", persistent(600, 0xffffff00)),
		limited(server(nat, "10.0.7.21:8443", 100), 900, 700),
		limited(server(nat, "10.0.7.22:8443", 100), 3000, 2400),
		limited(server(nat, "10.0.7.23:8443", 200), 6000, 4800))
	d.add(website.times(.11), service(address(ipvs.TCP, "[2001:db8::10]:443"), "wlc"),
		server(dr, "[2001:db8:3::11]:443", 100), server(dr, "[2001:db8:3::12]:443", 100), server(dr, "[2001:db8:3::14]:443", 100))
	d.add(uploads, service(address(ipvs.TCP, "198.51.100.30:443"), "mh", flags(ipvs.SchedFlag2)),
		tunnel(server(tun, "10.20.0.11:443", 100), ipvs.GUE, 6080), tunnel(server(tun, "10.20.0.12:443", 100), ipvs.GUE, 6080))
	d.add(peers, service(address(ipvs.SCTP, "192.0.2.38:3868"), "rr"),
		server(nat, "10.0.8.11:3868", 1), server(nat, "10.0.8.12:3868", 1))
	d.add(calls, service(address(ipvs.UDP, "192.0.2.60:5060"), "wrr", persistent(1800, 0xffffffff), engine("sip")),
		server(nat, "10.0.9.11:5060", 3), server(nat, "10.0.9.12:5060", 2))
	d.add(marked, service(ipvs.MarkService(7, ipvs.IPv4), "sh", persistent(300, 0xffffffff)),
		server(tun, "10.21.0.11:0", 10), server(tun, "10.21.0.12:0", 10),
		server(tun, "10.21.0.13:0", 10), server(tun, "10.21.0.14:0", 10))

	must(d.table.SetTimeouts(context.Background(), ipvs.Timeouts{UDP: 10}))

	d.pass(uptime, everyTurn)
	d.script = []event{{-6 * time.Minute, func(d *Demo) { d.set(webID, draining) }}}
}

// add puts a service with its servers into the table.
func (d *Demo) add(p profile, s ipvs.Service, servers ...ipvs.Server) {
	d.loads[s.ServiceID] = d.newLoad(p)
	d.servers += len(servers)
	must(d.table.AddService(context.Background(), s))
	for _, rs := range servers {
		must(d.table.AddServer(context.Background(), s.ServiceID, rs))
	}
}

// set edits a server; it may be gone, as the table is open to others.
func (d *Demo) set(id ipvs.ServiceID, s ipvs.Server) {
	_ = d.table.SetServer(context.Background(), id, s)
}

// must stops the program: a made-up table that the table refuses is a mistake
// in this package.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (p profile) times(factor float64) profile {
	p.conns *= factor
	return p
}

func address(p ipvs.Protocol, at string) ipvs.ServiceID {
	return ipvs.AddressService(p, netip.MustParseAddrPort(at))
}

func service(id ipvs.ServiceID, scheduler string, more ...func(*ipvs.Service)) ipvs.Service {
	s := ipvs.NewService(id)
	s.Scheduler = scheduler
	for _, change := range more {
		change(&s)
	}
	return s
}

func persistent(timeout uint32, mask ipvs.Mask) func(*ipvs.Service) {
	return func(s *ipvs.Service) { s.Persistence = ipvs.Persistence{On: true, Timeout: timeout, Mask: mask} }
}

func engine(name string) func(*ipvs.Service) {
	return func(s *ipvs.Service) { s.Persistence.Engine = name }
}

func flags(f ipvs.SchedFlags) func(*ipvs.Service) {
	return func(s *ipvs.Service) { s.SchedFlags = f }
}

func server(f ipvs.Forward, at string, weight uint32) ipvs.Server {
	return ipvs.Server{Addr: netip.MustParseAddrPort(at), Forward: f, Weight: weight}
}

func limited(s ipvs.Server, upper, lower uint32) ipvs.Server {
	s.Upper, s.Lower = upper, lower
	return s
}

func tunnel(s ipvs.Server, t ipvs.TunnelType, port uint16) ipvs.Server {
	s.Tunnel = ipvs.Tunnel{Type: t, Port: port}
	return s
}

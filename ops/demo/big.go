package demo

import (
	"math"
	"net/netip"

	"lvsdeck/ipvs"
)

// The size of a big director, and over how many steps the work for it is spread.
const (
	bigServices = 1000
	bigServers  = 100
	bigTurns    = 4
)

// bigTop is the busiest service's connections per second; the n-th has about
// an n-th of it, as popularity goes.
const bigTop = 6000

// buildBig sets up a director of a hosting company.
func (d *Demo) buildBig() {
	ways := []ipvs.Forward{ipvs.Direct, ipvs.Direct, ipvs.Masq, ipvs.TunnelFwd}
	schedulers := []string{"wlc", "wlc", "wrr", "sh", "mh", "lc"}
	ranks := d.random.Perm(bigServices)
	for i := range bigServices {
		p := api.times(bigTop / math.Pow(1+float64(ranks[i]), .95) / api.conns)
		forward := ways[d.random.IntN(len(ways))]
		servers := make([]ipvs.Server, bigServers)
		id, port := bigService(i), uint16(8080)
		if forward != ipvs.Masq {
			port = id.Port // nobody changes it on the way
		}
		for j := range servers {
			servers[j] = ipvs.Server{Addr: bigServer(i, j, port), Forward: forward, Weight: 100}
			if d.random.IntN(200) == 0 {
				servers[j].Weight = 0
			}
		}
		d.add(p, service(id, schedulers[d.random.IntN(len(schedulers))]), servers...)
	}
	d.pass(uptime, everyTurn)
}

// bigService spreads services over the address ranges for documentation.
func bigService(i int) ipvs.ServiceID {
	const hosts = 200
	nets := [][3]byte{{192, 0, 2}, {198, 51, 100}, {203, 0, 113}}
	ports := []uint16{443, 80}
	net, host, port := nets[i%len(nets)], byte(10+i/len(nets)%hosts), ports[i/len(nets)/hosts]
	return ipvs.AddressService(ipvs.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{net[0], net[1], net[2], host}), port))
}

func bigServer(i, j int, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(16 + i/250), byte(i % 250), byte(10 + j)}), port)
}

package demo

import (
	"net/netip"
	"time"

	"lvsdeck/ipvs"
	"lvsdeck/netcfg"
)

// event is something that happens.
type event struct {
	at time.Duration // after the calm, or before its end
	do func(*Demo)
}

// badDay is the script of an incident, in order of time. What an operator does
// about it has its effect; what he does not goes on.
var badDay = []event{
	{2 * time.Second, func(d *Demo) { d.lose("10.0.3.12") }},
	{3 * time.Second, func(d *Demo) { d.grow(apiID, 2.6, 30*time.Second) }},
	{4 * time.Second, func(d *Demo) { d.set(mailID, server(ipvs.Masq, "10.0.6.11:25", 0)) }},
	{6 * time.Second, func(d *Demo) { d.grow(dnsID, 6, 25*time.Second) }},
	{8 * time.Second, func(d *Demo) { d.set(mailID, server(ipvs.Masq, "10.0.6.12:25", 0)) }},
	{4 * time.Minute, func(d *Demo) { d.grow(dnsID, 1.4, 3*time.Minute) }},
}

// play does what the script has for this moment.
func (d *Demo) play() {
	for len(d.script) > 0 && d.script[0].at <= d.clock-d.calm {
		d.script[0].do(d)
		d.script = d.script[1:]
	}
}

// lose makes a host stop answering for all services, and for its address.
func (d *Demo) lose(at string) {
	addr := netip.MustParseAddr(at)
	for id, l := range d.loads {
		l.dead[netip.AddrPortFrom(addr, id.Port)] = true
	}
	d.host.PutNeighbour(netcfg.Neighbour{Link: "eth1", Addr: addr, Failed: true})
}

// grow lets clients become more, or fewer, over a while.
func (d *Demo) grow(id ipvs.ServiceID, to float64, over time.Duration) {
	l := d.loads[id]
	l.surge = surge{from: l.surge.factor(d.clock), to: to, at: d.clock, over: over}
}
